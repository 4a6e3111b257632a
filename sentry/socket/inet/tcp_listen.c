/*
 * Listeners: listen(2), accept(2), and the queue between.
 *
 * A connection is established as soon as the listener has room for it (backlog + 1, as Linux), whether
 * or not anybody accepts it; its socket is made by accept(2). Attempts that find no room wait in
 * SYN_SENT on the listener and move up when accept(2) makes some.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/net_ns.h"

#include <errno.h>
#include <stdlib.h>

/* establish() - both ends, seen from the client as a finished handshake. Listener's lock held.
 * Return: false: the client has just given up. */
static bool establish(struct tcp_sock *l, struct tcp_conn *c)
{
    struct tcp_flow *to_server = &c->flow[0], *to_client = &c->flow[1];

    tcp_conn_lock(c);
    if (c->end[0].state != LX_TCP_SYN_SENT) {
        tcp_conn_unlock(c);
        return false;
    }
    c->end[0].state = c->end[1].state = LX_TCP_ESTABLISHED;
    if (l->rcvbuf_set)
        to_server->window = l->inet.socket.opt.rcvbuf / 4 * 3;
    if (l->sndbuf_set)
        to_client->sndbuf = l->inet.socket.opt.sndbuf;
    tcp_conn_unlock(c);
    return true;
}

/* admit() - c gets a place in the queue; its reference goes with it, or is put if its client has
 * given up, who still holds one until he has asked for the listener's lock, which is held here.
 * Return: is it in? */
static bool admit(struct tcp_sock *l, struct tcp_conn *c)
{
    if (!establish(l, c)) {
        c->listener = NULL;
        tcp_conn_put(c);
        return false;
    }
    list_add_tail(&l->listen.ready, &c->queued);
    l->listen.nready++;
    l->inet.ns->count.tcp_passive++;
    return true;
}

int tcp_listen_offer(struct tcp_sock *l, struct tcp_conn *c)
{
    struct tcp_listen *q = &l->listen;
    bool room = false, open;

    mutex_lock(&q->lock);
    open = q->open;
    if (open) {
        tcp_conn_get(c);
        c->listener = l;
        room = q->nready <= q->backlog;
        if (room)
            room = admit(l, c);
        else
            list_add_tail(&q->waiting, &c->queued);
    }
    mutex_unlock(&q->lock);
    if (room)
        waitq_wake(&l->inet.socket.queue, LX_POLLIN | LX_POLLRDNORM);
    return open ? 0 : -ECONNREFUSED;
}

void tcp_listen_forget(struct tcp_conn *c)
{
    struct tcp_sock *l;
    bool linked = false;

    /* The listener cannot go while the namespace's lock keeps its claim in the table. */
    rwlock_read(&c->ns->lock);
    l = c->listener;
    if (l) {
        mutex_lock(&l->listen.lock);
        linked = list_linked(&c->queued) && c->end[0].state != LX_TCP_ESTABLISHED;
        if (linked) {
            list_del(&c->queued);
            c->listener = NULL;
        }
        mutex_unlock(&l->listen.lock);
    }
    rwlock_unlock(&c->ns->lock);
    if (linked)
        tcp_conn_put(c);
}

/* --- listen(2) --- */

static void set_open(struct tcp_sock *t, bool open)
{
    mutex_lock(&t->listen.lock);
    t->listen.open = open;
    mutex_unlock(&t->listen.lock);
}

static int start_locked(struct tcp_sock *t, u32 backlog)
{
    struct inet_sock *s = &t->inet;
    int rc = 0;

    if (t->conn)
        return -EINVAL;
    if (!t->listening) {
        rc = inet_autobind_locked(s, NULL);
        if (rc < 0)
            return rc == -EAGAIN ? -EADDRINUSE : rc;
        set_open(t, true);
        rwlock_write(&s->ns->lock);
        rc = inet_port_listen(s->bind);
        rwlock_unlock(&s->ns->lock);
    }
    if (rc < 0) {
        set_open(t, false);
        return rc;
    }
    t->listening = true;
    s->socket.opt.flags |= SOCKET_ACCEPTCONN;
    mutex_lock(&t->listen.lock);
    t->listen.backlog = min_of(backlog, (u32)s->ns->set.somaxconn);
    mutex_unlock(&t->listen.lock);
    return 0;
}

int tcp_listen(struct socket *sock, int backlog)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    int rc;

    mutex_lock(&sock->lock);
    rc = start_locked(t, (u32)backlog);
    mutex_unlock(&sock->lock);
    return rc;
}

/* take_queues() - empty both into `out`; the claim on the port listens no more. */
static void take_queues(struct tcp_sock *t, struct list_node *ready, struct list_node *waiting)
{
    struct tcp_conn *c;

    rwlock_write(&t->inet.ns->lock);
    if (t->inet.bind && t->inet.bind->listening)
        inet_port_unlisten(t->inet.bind);
    mutex_lock(&t->listen.lock);
    t->listen.open = false;
    t->listen.nready = 0;
    list_splice_tail(ready, &t->listen.ready);
    list_splice_tail(waiting, &t->listen.waiting);
    list_for_each(c, ready, queued)
        c->listener = NULL;
    list_for_each(c, waiting, queued)
        c->listener = NULL;
    mutex_unlock(&t->listen.lock);
    rwlock_unlock(&t->inet.ns->lock);
}

void tcp_listen_stop(struct tcp_sock *t)
{
    struct list_node ready, waiting;
    struct tcp_conn *c;

    list_init(&ready);
    list_init(&waiting);
    take_queues(t, &ready, &waiting);
    while ((c = list_first(&ready, struct tcp_conn, queued))) {
        list_del(&c->queued);
        tcp_conn_release(c, 1, TCP_ABORT);
        tcp_conn_put(c);
    }
    while ((c = list_first(&waiting, struct tcp_conn, queued))) {
        list_del(&c->queued);
        tcp_conn_refuse(c, ECONNREFUSED);
        tcp_conn_put(c);
    }
}

/* --- accept(2) --- */

/* take_ready() - the first established connection, its reference with it, or NULL. `moved`: NULL
 * before; one that waited for room has come in, a reference. */
static struct tcp_conn *take_ready(struct tcp_sock *t, struct tcp_conn **moved)
{
    struct tcp_listen *q = &t->listen;
    struct tcp_conn *c, *next;

    mutex_lock(&q->lock);
    c = list_first(&q->ready, struct tcp_conn, queued);
    if (c) {
        list_del(&c->queued);
        c->listener = NULL;
        q->nready--;
        while (!*moved && (next = list_first(&q->waiting, struct tcp_conn, queued))) {
            list_del(&next->queued);
            if (admit(t, next))
                *moved = tcp_conn_get(next);
        }
    }
    mutex_unlock(&q->lock);
    return c;
}

static bool is_open(struct tcp_sock *t)
{
    bool open;

    mutex_lock(&t->listen.lock);
    open = t->listen.open;
    mutex_unlock(&t->listen.lock);
    return open;
}

/* tell_moved() - a client whose attempt waited is connected now. */
static void tell_moved(struct tcp_conn *c)
{
    struct tcp_wake w = {0};

    if (!c)
        return;
    tcp_conn_lock(c);
    tcp_wake_add(&w, c, 0, LX_POLLOUT | LX_POLLWRNORM);
    tcp_conn_unlock(c);
    tcp_conn_settle(c);
    tcp_wake_run(&w);
    tcp_conn_put(c);
}

/* graft() - the new socket becomes end 1 of the connection, whose reference it takes. */
static void graft(struct tcp_sock *t, struct tcp_conn *c)
{
    struct inet_sock *s = &t->inet;

    rwlock_write(&s->ns->lock);
    tcp_conn_lock(c);
    c->end[1].sock = t;
    s->bind = take(c->end[1].bind);
    if (s->bind)
        s->bind->sock = s;
    s->local = c->end[1].tuple.local;
    s->peer = c->end[1].tuple.peer;
    tcp_conn_unlock(c);
    rwlock_unlock(&s->ns->lock);
    t->conn = c;
    t->side = 1;
}

/* inherit() - an accepted socket has its listener's options. */
static void inherit(struct tcp_sock *t, struct tcp_sock *from)
{
    u32 sndbuf = tcp_sndbuf_connected(t->inet.ns);

    mutex_lock(&from->inet.socket.lock);
    t->inet.socket.opt = from->inet.socket.opt;
    t->inet.ip = from->inet.ip;
    t->tcp = from->tcp;
    t->sndbuf_set = from->sndbuf_set;
    t->rcvbuf_set = from->rcvbuf_set;
    mutex_unlock(&from->inet.socket.lock);
    t->inet.socket.opt.flags &= ~(u32)SOCKET_ACCEPTCONN;
    if (!t->sndbuf_set)
        t->inet.socket.opt.sndbuf = sndbuf;
}

int tcp_accept(struct socket *sock, bool nonblock, struct socket **out)
{
    struct tcp_sock *t = tcp_sock_of(sock), *child;
    struct tcp_conn *c = NULL, *moved = NULL;
    u64 deadline = socket_deadline(sock, false);
    int rc = 0;

    if (!is_open(t))
        return -EINVAL;
    child = tcp_sock_new(sock->net, sock->family);
    if (!child)
        return -ENOMEM;
    c = take_ready(t, &moved);
    if (!c && nonblock)
        rc = -EAGAIN;
    else if (!c)
        rc = socket_wait(sock, LX_POLLIN, deadline,
                         (c = take_ready(t, &moved)) != NULL || !is_open(t));
    if (!c) {
        socket_put(&child->inet.socket);
        return rc < 0 ? rc : -EINVAL;
    }
    inherit(child, t);
    tell_moved(moved);
    graft(child, c);
    tcp_size_buffers(child);
    *out = &child->inet.socket;
    return 0;
}
