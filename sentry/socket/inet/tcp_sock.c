/* TCP sockets: creation, readiness, ioctls, the table of operations. See tcp_loop.h. */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <stdlib.h>

enum { READABLE = LX_POLLIN | LX_POLLRDNORM, WRITABLE = LX_POLLOUT | LX_POLLWRNORM };

/* poll_conn() - what a connection is ready for; both flows locked. */
static u32 poll_conn(struct tcp_sock *t, struct tcp_conn *c, u8 side)
{
    struct tcp_flow *in = tcp_in(c, side), *out = tcp_out(c, side);
    struct tcp_end *e = &c->end[side];
    bool oob_inline = t->inet.socket.opt.flags & SOCKET_OOBINLINE;
    u32 events = 0;

    if (e->state == LX_TCP_SYN_SENT)
        return 0;
    if (e->shut == TCP_SHUT_BOTH || e->state == LX_TCP_CLOSE)
        events |= LX_POLLHUP;
    if (e->shut & TCP_SHUT_RCV)
        events |= READABLE | LX_POLLRDHUP;
    if (tcp_flow_readable(in, oob_inline) >= max_of(t->inet.socket.opt.rcvlowat, 1u))
        events |= READABLE;
    if (e->shut & TCP_SHUT_SND || tcp_flow_writable(out))
        events |= WRITABLE;
    else
        out->nospace = true;
    if (in->urgent == TCP_URG_VALID)
        events |= LX_POLLPRI;
    return events;
}

static u32 poll_listener(struct tcp_sock *t)
{
    u32 events;

    mutex_lock(&t->listen.lock);
    events = list_empty(&t->listen.ready) ? 0 : READABLE;
    mutex_unlock(&t->listen.lock);
    return events;
}

static u32 tcp_poll(struct socket *sock)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    u8 side;
    struct tcp_conn *c = tcp_conn_of(t, &side);
    u32 events;

    if (c) {
        tcp_conn_lock(c);
        events = poll_conn(t, c, side);
        tcp_conn_unlock(c);
        tcp_conn_put(c);
    } else {
        events = t->listening ? poll_listener(t) : WRITABLE | LX_POLLHUP;
    }
    return events | (sock->error ? LX_POLLERR : 0);
}

/* --- ioctl(2) --- */

/* received() - SIOCINQ: up to the urgent byte if that is ahead. */
static u64 received(struct tcp_conn *c, u8 side, bool oob_inline)
{
    struct tcp_flow *in = tcp_in(c, side);
    u64 n;

    mutex_lock(&in->lock);
    n = tcp_flow_received(in);
    if (!oob_inline && in->urgent != TCP_URG_NONE && in->urgent_at >= in->read)
        n = min_of(n, in->urgent_at - in->read);
    mutex_unlock(&in->lock);
    return n;
}

static u64 unacked(struct tcp_conn *c, u8 side)
{
    struct tcp_flow *out = tcp_out(c, side);
    u64 n;

    mutex_lock(&out->lock);
    n = tcp_flow_unacked(out);
    mutex_unlock(&out->lock);
    return n;
}

static bool at_mark(struct tcp_conn *c, u8 side)
{
    struct tcp_flow *in = tcp_in(c, side);
    bool at;

    mutex_lock(&in->lock);
    at = in->urgent != TCP_URG_NONE && in->urgent_at == in->read;
    mutex_unlock(&in->lock);
    return at;
}

static s64 conn_ioctl(struct tcp_sock *t, struct tcp_conn *c, u8 side, u32 cmd)
{
    if (!c)
        return 0;
    if (cmd == LX_SIOCATMARK)
        return at_mark(c, side);
    if (cmd == LX_SIOCINQ)
        return (s64)received(c, side, t->inet.socket.opt.flags & SOCKET_OOBINLINE);
    return (s64)unacked(c, side);
}

static s64 tcp_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    struct tcp_conn *c;
    s32 value;
    u8 side;

    if (cmd != LX_SIOCATMARK && cmd != LX_SIOCINQ && cmd != LX_SIOCOUTQ && cmd != LX_SIOCOUTQNSD)
        return inet_dev_ioctl(sock, mm, cmd, arg);
    if (t->listening && cmd != LX_SIOCATMARK)
        return -EINVAL;
    c = tcp_conn_of(t, &side);
    value = (s32)conn_ioctl(t, c, side, cmd);
    tcp_conn_put(c);
    return usermem_put(mm, arg, &value);
}

/* getname() - the peer's name goes with the connection. */
static int tcp_getname(struct socket *sock, bool peer, struct socket_addr *out)
{
    enum lx_tcp_state state = tcp_state(tcp_sock_of(sock));

    if (peer && (state == LX_TCP_CLOSE || state == LX_TCP_SYN_SENT || state == LX_TCP_LISTEN))
        return -ENOTCONN;
    return inet_getname(sock, peer, out);
}

static const struct socket_ops tcp_ops = {
    .bind = inet_bind_addr,
    .connect = tcp_connect,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .getname = tcp_getname,
    .sendmsg = tcp_sendmsg,
    .recvmsg = tcp_recvmsg,
    .shutdown = tcp_shutdown,
    .setsockopt = tcp_setsockopt,
    .getsockopt = tcp_getsockopt,
    .option_changed = tcp_option_changed,
    .poll = tcp_poll,
    .ioctl = tcp_ioctl,
    .release = tcp_release,
};

static void tcp_sock_free(struct obj *o)
{
    struct tcp_sock *t = container_of(o, struct tcp_sock, inet.socket.obj);

    /* One that never had a file was not released. */
    tcp_release(&t->inet.socket, true);
    inet_sock_destroy(&t->inet);
    mutex_destroy(&t->listen.lock);
    free(t);
}

static struct obj_type tcp_type = {.name = "tcp_sock", .free = tcp_sock_free};

struct tcp_sock *tcp_sock_new(struct net_ns *net, u16 family)
{
    struct tcp_sock *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    mutex_init(&t->listen.lock, LOCK_TCP_LISTEN);
    list_init(&t->listen.ready);
    list_init(&t->listen.waiting);
    if (inet_sock_init(&t->inet, &tcp_type, &tcp_ops, net, family, LX_SOCK_STREAM, LX_IPPROTO_TCP,
                       INET_TCP) < 0) {
        free(t);
        return NULL;
    }
    t->inet.socket.opt.sndbuf = t->inet.ns->set.wmem[1];
    t->inet.socket.opt.rcvbuf = t->inet.ns->set.rmem[1];
    tcp_options_init(t);
    return t;
}

int tcp_create(struct net_ns *net, u16 family, struct socket **out)
{
    struct tcp_sock *t = tcp_sock_new(net, family);

    if (!t)
        return -ENOMEM;
    *out = &t->inet.socket;
    return 0;
}
