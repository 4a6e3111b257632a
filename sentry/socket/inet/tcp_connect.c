/*
 * connect(2): the handshake of a connection that stays in the sandbox, done by the connecting task.
 *
 * What can fail is done first: addresses, port, tuples in the tables. Then the listener is offered the
 * connection, which is established at once, or waits for room. A connect that may not sleep reports
 * -EINPROGRESS even where all is done, as Linux does: the next call, or poll, tells how it went.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/net_ns.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND 1000000000ull

/* disconnect() - connect(2) to AF_UNSPEC: back to a fresh socket, with its port if it was named. */
static int disconnect(struct tcp_sock *t)
{
    struct socket *sock = &t->inet.socket;
    struct tcp_conn *c;
    bool keep, listening;

    mutex_lock(&sock->lock);
    c = take(t->conn);
    keep = t->inet.bound_port;
    listening = t->listening;
    t->listening = t->connecting = false;
    t->shut = 0;
    sock->opt.flags &= ~(u32)SOCKET_ACCEPTCONN;
    mutex_unlock(&sock->lock);
    if (listening)
        tcp_listen_stop(t);
    if (c)
        tcp_conn_release(c, t->side, TCP_ABORT | (keep ? TCP_KEEP_PORT : 0));
    mutex_lock(&sock->lock);
    t->inet.peer = (struct inet_endpoint){.addr = sock->family == LX_AF_INET ? inet_addr_any4
                                                                             : inet_addr_any6};
    if (!t->inet.bound_addr)
        t->inet.local.addr = t->inet.peer.addr;
    if (!keep && t->inet.bind)
        inet_unbind_locked(&t->inet);
    if (!keep)
        t->inet.local.port = 0;
    mutex_unlock(&sock->lock);
    sock->error = 0;
    tcp_conn_put(c);
    waitq_wake_all(&sock->queue, LX_POLLIN | LX_POLLOUT | LX_POLLHUP);
    return 0;
}

/* start_timer() - an attempt gives up after 1 + 2 + 4 … seconds, TCP_SYNCNT doublings. */
static void start_timer(struct tcp_sock *t, struct tcp_conn *c)
{
    u32 tries = t->tcp.syncnt ? (u32)t->tcp.syncnt : t->inet.ns->set.syn_retries;
    u64 seconds = (2ull << min_of(tries, 7u)) - 1;

    tcp_conn_get(c);
    if (timer_arm(&c->timer, host_monotonic() + seconds * SECOND) < 0)
        tcp_conn_put(c);
}

/* enter_tables() - both ends of the new connection, and a claim for the server's on its port.
 * `l` is what listens, NULL: nobody, or the socket itself. ns->lock held. */
static int enter_tables(struct tcp_conn *c, const struct inet_bind *l)
{
    struct tcp_end *server = &c->end[1], *client = &c->end[0];
    int rc;

    tcp_conn_evict(c->ns, &client->tuple.local, &client->tuple.peer, SECOND);
    rc = inet_tuple_add(c->ns, &client->tuple);
    if (rc < 0 || !l)
        return rc;
    tcp_conn_evict(c->ns, &server->tuple.local, &server->tuple.peer, 0);
    rc = inet_tuple_add(c->ns, &server->tuple);
    if (rc < 0) {
        inet_tuple_del(c->ns, &client->tuple);
        return rc;
    }
    server->bind->addr = server->tuple.local.addr;
    inet_port_share(server->bind, l);
    return 0;
}

/* reach() - find who listens, and take the connection into the tables. *listener: a new reference,
 * or NULL for nobody. Return: 0, -EADDRNOTAVAIL, -ENOMEM. */
static int reach(struct tcp_conn *c, struct tcp_sock **listener)
{
    struct inet_endpoint *local = &c->end[0].tuple.local, *peer = &c->end[0].tuple.peer;
    struct inet_bind *b = NULL;
    int rc;

    *listener = NULL;
    rwlock_write(&c->ns->lock);
    if (!c->self)
        b = inet_find_listener(c->ns, peer, inet_tuple_hash(local, peer) >> 7);
    if (b && b->sock && obj_get_unless_zero(&b->sock->socket.obj))
        *listener = container_of(b->sock, struct tcp_sock, inet);
    rc = enter_tables(c, *listener ? b : NULL);
    rwlock_unlock(&c->ns->lock);
    return rc;
}

/* prepare() - the connection object with its addresses. */
static struct tcp_conn *prepare(struct tcp_sock *t, const struct inet_endpoint *dst)
{
    struct inet_sock *s = &t->inet;
    bool self = dst->port == s->local.port && inet_addr_equal(&dst->addr, &s->local.addr);
    struct tcp_conn *c = tcp_conn_new(s->socket.net, self);

    if (!c)
        return NULL;
    c->end[1].bind = calloc(1, sizeof(*c->end[1].bind));
    if (!c->end[1].bind) {
        tcp_conn_put(c);
        return NULL;
    }
    list_init(&c->end[1].bind->node);
    c->end[0].tuple.local = c->end[1].tuple.peer = s->local;
    c->end[0].tuple.peer = c->end[1].tuple.local = *dst;
    c->end[0].sock = t;
    c->end[0].state = LX_TCP_SYN_SENT;
    return c;
}

/* attach() - the socket has the connection from now on. socket.lock held. */
static void attach(struct tcp_sock *t, struct tcp_conn *c, const struct inet_endpoint *dst)
{
    t->conn = tcp_conn_get(c);
    t->side = 0;
    t->connecting = true;
    t->inet.peer = *dst;
    if (!t->sndbuf_set)
        t->inet.socket.opt.sndbuf = tcp_sndbuf_connected(t->inet.ns);
}

/* begin_locked() - everything before the handshake; *out: a new reference. socket.lock held. */
static int begin_locked(struct tcp_sock *t, struct inet_endpoint *dst, struct inet_addr *source,
                        struct tcp_conn **out, struct tcp_sock **listener)
{
    struct inet_sock *s = &t->inet;
    struct inet_addr before = s->local.addr;
    struct tcp_conn *c;
    int rc;

    s->local.addr = *source;
    rc = inet_autobind_locked(s, dst);
    if (rc < 0) {
        s->local.addr = before;
        return rc;
    }
    c = prepare(t, dst);
    rc = c ? reach(c, listener) : -ENOMEM;
    if (rc < 0) {
        tcp_conn_put(c);
        s->local.addr = before;
        if (!s->bound_port)
            inet_unbind_locked(s);
        return rc;
    }
    rwlock_write(&s->ns->lock);
    s->bind->addr = *source;
    rwlock_unlock(&s->ns->lock);
    attach(t, c, dst);
    *out = c;
    return 0;
}

/* shake() - the handshake: SYN, SYN-ACK, ACK, or a reset. */
static void shake(struct tcp_sock *t, struct tcp_conn *c, struct tcp_sock *listener)
{
    t->inet.ns->count.tcp_active++;
    tcp_size_buffers(t);
    if (c->self) {
        tcp_conn_lock(c);
        c->end[0].state = LX_TCP_ESTABLISHED;
        tcp_conn_unlock(c);
        return;
    }
    start_timer(t, c);
    if (!listener || tcp_listen_offer(listener, c) < 0)
        tcp_conn_refuse(c, ECONNREFUSED);
    else if (c->end[0].state == LX_TCP_ESTABLISHED)
        tcp_conn_settle(c); /* the attempt's timer goes; the peer may have come further by now */
}

/* begin() - an attempt. Return: 0: it is under way or done. */
static int begin(struct tcp_sock *t, const struct socket_addr *addr)
{
    struct socket *sock = &t->inet.socket;
    struct inet_endpoint dst;
    struct inet_addr source;
    struct tcp_sock *listener = NULL;
    struct tcp_conn *c = NULL;
    int rc = inet_resolve(&t->inet, addr, &dst, &source);

    if (rc < 0)
        return rc;
    if (inet_addr_is_multicast(&dst.addr))
        return -ENETUNREACH;
    mutex_lock(&sock->lock);
    if (t->conn || t->listening)
        rc = t->connecting ? -EALREADY : -EISCONN;
    else
        rc = begin_locked(t, &dst, &source, &c, &listener);
    mutex_unlock(&sock->lock);
    if (!rc) {
        shake(t, c, listener);
        waitq_wake_all(&sock->queue, LX_POLLOUT | LX_POLLWRNORM); /* who watched it unconnected */
    }
    if (listener)
        socket_put(&listener->inet.socket);
    tcp_conn_put(c);
    return rc;
}

/* outcome() - an attempt has ended: what the call says. A failed one leaves a socket that may try
 * again. */
static int outcome(struct tcp_sock *t)
{
    struct socket *sock = &t->inet.socket;
    int rc;

    if (tcp_state(t) != LX_TCP_CLOSE) {
        mutex_lock(&sock->lock);
        t->connecting = false;
        mutex_unlock(&sock->lock);
        return 0;
    }
    rc = socket_error(sock);
    disconnect(t);
    return rc ? rc : -ECONNABORTED;
}

static int progress(struct tcp_sock *t, bool nonblock, int busy)
{
    struct socket *sock = &t->inet.socket;
    int rc;

    if (nonblock)
        return busy;
    rc = socket_wait(sock, LX_POLLOUT | LX_POLLERR | LX_POLLHUP, socket_deadline(sock, true),
                     tcp_state(t) != LX_TCP_SYN_SENT);
    if (rc < 0)
        return rc == -EAGAIN ? -EINPROGRESS : rc;
    return outcome(t);
}

int tcp_connect(struct socket *sock, const struct socket_addr *addr, bool nonblock)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    bool connecting, taken;
    int rc;

    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == LX_AF_UNSPEC)
        return disconnect(t);
    mutex_lock(&sock->lock);
    connecting = t->connecting;
    taken = t->conn || t->listening;
    mutex_unlock(&sock->lock);
    if (connecting)
        return tcp_state(t) == LX_TCP_SYN_SENT ? progress(t, nonblock, -EALREADY) : outcome(t);
    if (taken)
        return -EISCONN;
    rc = begin(t, addr);
    return rc < 0 ? rc : progress(t, nonblock, -EINPROGRESS);
}
