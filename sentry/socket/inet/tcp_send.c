/*
 * Sending on a connection: reserve room, copy from the guest into a block of one's own under no lock,
 * link the block, wake the reader; see tcp_loop.h.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"
#include "sentry/mm/usermem.h"

#include <errno.h>

/* One sendmsg. */
struct sending {
    struct tcp_sock *t;
    struct tcp_conn *c;
    u8 side;
    bool oob;
};

static struct tcp_flow *flow_of(struct sending *s)
{
    return tcp_out(s->c, s->side);
}

/* may_send() - Return: 0, -EPIPE: this half is shut. Flow's lock held. */
static int may_send(struct sending *s)
{
    enum lx_tcp_state state = s->c->end[s->side].state;

    return state == LX_TCP_ESTABLISHED || state == LX_TCP_CLOSE_WAIT ? 0 : -EPIPE;
}

/* reserve() - how many bytes there is room for; notes that somebody waits if there is none. */
static ssize_t reserve(struct sending *s, struct tcp_block **spare, u64 want)
{
    struct tcp_flow *f = flow_of(s);
    ssize_t room;

    mutex_lock(&f->lock);
    room = may_send(s);
    if (!room) {
        room = (ssize_t)min_of(tcp_flow_room(f), (u64)TCP_BLOCK);
        f->nospace = !room;
        if (room && spare)
            *spare = tcp_block_spare(f, (u32)min_of(want, (u64)room));
    }
    mutex_unlock(&f->lock);
    return room;
}

/* mark_urgent() - the last byte of what was put is urgent. Return: was there none before? */
static bool mark_urgent(struct tcp_flow *f, u8 byte)
{
    f->urgent_at = f->written - 1;
    f->urgent_byte = byte;
    f->urgent = TCP_URG_VALID;
    return true;
}

/* answer_gone() - nobody is there who could read it. Both flows locked. */
static void answer_gone(struct sending *s, struct tcp_wake *w)
{
    tcp_reset_locked(s->c, tcp_peer(s->c, s->side), w);
}

/* reset_by_peer() - the block met a closed socket: the bytes are gone, and so is the connection. */
static void reset_by_peer(struct sending *s)
{
    struct tcp_wake w = {0};

    tcp_conn_lock(s->c);
    answer_gone(s, &w);
    tcp_conn_unlock(s->c);
    tcp_conn_settle(s->c);
    tcp_wake_run(&w);
}

/* commit() - the block goes to the peer. Return: 0, -EPIPE (the block is freed). */
static int commit(struct sending *s, struct tcp_block *b, bool urgent)
{
    struct tcp_flow *f = flow_of(s);
    u8 peer = tcp_peer(s->c, s->side), last = b->data[b->off + b->len - 1];
    struct tcp_wake w = {0};
    bool gone = false;
    int rc;

    mutex_lock(&f->lock);
    rc = may_send(s);
    gone = !rc && f->gone;
    if (!rc && !gone) {
        tcp_flow_put(f, b);
        f->last_sent = host_monotonic();
        if (urgent)
            mark_urgent(f, last);
        tcp_wake_add(&w, s->c, peer,
                     LX_POLLIN | LX_POLLRDNORM | (urgent ? LX_POLLPRI : 0));
    }
    mutex_unlock(&f->lock);
    if (rc < 0 || gone)
        tcp_block_drop(b);
    if (gone)
        reset_by_peer(s);
    tcp_wake_run(&w);
    return rc;
}

/* send_some() - one block's worth. Return: bytes, -EAGAIN: no room, -EPIPE, -EFAULT, -ENOMEM. */
static ssize_t send_some(struct sending *s, struct uio *data)
{
    struct tcp_block *b = NULL;
    ssize_t n = reserve(s, &b, data->left);
    u64 before = data->left;
    int rc;

    if (n < 0)
        return n;
    if (!n)
        return -EAGAIN;
    n = (ssize_t)min_of((u64)n, data->left);
    if (!b)
        b = tcp_block_new((u32)n);
    if (!b)
        return -ENOMEM;
    n = uio_from(data, b->data, (size_t)n);
    if (n <= 0) {
        tcp_block_drop(b);
        return n ? n : -EFAULT;
    }
    b->len = (u32)n;
    rc = commit(s, b, s->oob && (u64)n == before);
    return rc < 0 ? rc : n;
}

static int wait_room(struct sending *s, u64 deadline)
{
    struct socket *sock = &s->t->inet.socket;

    return socket_wait(sock, LX_POLLOUT | LX_POLLERR | LX_POLLHUP, deadline,
                       reserve(s, NULL, 0) != 0 || sock->error);
}

/* send_all() - blocks until all is sent, or may not. Return: bytes, errno if none. */
static ssize_t send_all(struct sending *s, struct socket_msg *m)
{
    struct socket *sock = &s->t->inet.socket;
    u64 deadline = socket_deadline(sock, true);
    ssize_t done = 0, n = 0;

    while (m->data->left) {
        n = sock->error ? socket_error(sock) : send_some(s, m->data);
        if (n >= 0) {
            done += n;
            continue;
        }
        if (n != -EAGAIN || m->flags & LX_MSG_DONTWAIT)
            break;
        n = wait_room(s, deadline);
        if (n < 0)
            break;
    }
    return done ? done : n;
}

/* fast_open() - sendto(2) with MSG_FASTOPEN connects first. Return: 0 or errno. */
static int fast_open(struct socket *sock, struct socket_msg *m)
{
    if (!m->name.len)
        return -EINVAL;
    return tcp_connect(sock, &m->name, m->flags & LX_MSG_DONTWAIT);
}

/* wait_connected() - of a socket whose connect(2) is under way. */
static int wait_connected(struct tcp_sock *t, struct socket_msg *m)
{
    struct socket *sock = &t->inet.socket;

    if (tcp_state(t) != LX_TCP_SYN_SENT)
        return 0;
    if (m->flags & LX_MSG_DONTWAIT)
        return -EAGAIN;
    return socket_wait(sock, LX_POLLOUT | LX_POLLERR | LX_POLLHUP, socket_deadline(sock, true),
                       tcp_state(t) != LX_TCP_SYN_SENT);
}

ssize_t tcp_sendmsg(struct socket *sock, struct socket_msg *m)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    struct sending s = {.t = t, .oob = m->flags & LX_MSG_OOB};
    ssize_t rc = 0;

    if (m->flags & LX_MSG_FASTOPEN)
        rc = fast_open(sock, m);
    if (!rc)
        rc = wait_connected(t, m);
    if (rc < 0)
        return rc;
    s.c = tcp_conn_of(t, &s.side);
    if (!s.c)
        return sock->error ? socket_error(sock) : -EPIPE;
    if (sock->error)
        rc = socket_error(sock);
    else
        rc = reserve(&s, NULL, 0);
    if (rc >= 0)
        rc = send_all(&s, m);
    tcp_conn_put(s.c);
    return rc;
}
