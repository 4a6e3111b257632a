/* Datagram sockets: creation, connect, shutdown, options, readiness. See udp.h. */
#include "sentry/socket/inet/udp.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <stdlib.h>

static int disconnect(struct udp_sock *u)
{
    struct inet_sock *s = &u->inet;
    struct inet_addr any = s->socket.family == LX_AF_INET ? inet_addr_any4 : inet_addr_any6;

    mutex_lock(&s->socket.lock);
    s->peer = (struct inet_endpoint){.addr = any};
    if (!s->bound_addr) {
        s->local.addr = any;
        rwlock_write(&s->ns->lock);
        if (s->bind)
            s->bind->addr = any;
        rwlock_unlock(&s->ns->lock);
    }
    if (!s->bound_port)
        inet_unbind_locked(s);
    mutex_unlock(&s->socket.lock);
    s->socket.error = 0;
    return 0;
}

static int udp_connect(struct socket *sock, const struct socket_addr *addr, bool nonblock)
{
    struct udp_sock *u = udp_sock_of(sock);
    struct inet_sock *s = &u->inet;
    struct inet_endpoint dst;
    struct inet_addr source;
    struct inet_route route;
    int rc;

    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == LX_AF_UNSPEC)
        return disconnect(u);
    rc = inet_resolve(s, addr, &dst, &source);
    if (rc < 0)
        return rc;
    if (inet_ns_route(s->ns, &dst.addr, &route) == 0 && route.type == INET_ROUTE_BROADCAST &&
        !(sock->opt.flags & SOCKET_BROADCAST))
        return -EACCES;
    mutex_lock(&sock->lock);
    s->local.addr = source;
    rc = inet_autobind_locked(s, NULL);
    if (!rc) {
        rwlock_write(&s->ns->lock);
        s->bind->addr = source;
        s->peer = dst;
        rwlock_unlock(&s->ns->lock);
    }
    mutex_unlock(&sock->lock);
    return rc;
}

/* shutdown() - of an unconnected socket too, though it says ENOTCONN: readers wake up. */
static int udp_shutdown(struct socket *sock, int how)
{
    struct udp_sock *u = udp_sock_of(sock);

    if (how < LX_SHUT_RD || how > LX_SHUT_RDWR)
        return -EINVAL;
    u->shut |= (u8)(how + 1);
    waitq_wake_all(&sock->queue, LX_POLLIN | LX_POLLRDNORM | LX_POLLRDHUP | LX_POLLHUP | LX_POLLOUT);
    return u->inet.peer.port ? 0 : -ENOTCONN;
}

static u32 udp_poll(struct socket *sock)
{
    struct udp_sock *u = udp_sock_of(sock);
    u32 events = LX_POLLOUT | LX_POLLWRNORM;
    u8 shut = u->shut;

    mutex_lock(&u->queue_lock);
    if (!list_empty(&u->packets))
        events |= LX_POLLIN | LX_POLLRDNORM;
    if (u->nerrors)
        events |= LX_POLLERR;
    mutex_unlock(&u->queue_lock);
    if (sock->error)
        events |= LX_POLLERR;
    if (shut & 1)
        events |= LX_POLLIN | LX_POLLRDNORM | LX_POLLRDHUP;
    return shut == 3 ? events | LX_POLLHUP : events;
}

static s64 udp_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg)
{
    s32 value = 0;
    bool any;

    if (cmd == LX_SIOCINQ)
        value = (s32)udp_first_len(udp_sock_of(sock), &any);
    else if (cmd != LX_SIOCOUTQ)
        return inet_dev_ioctl(sock, mm, cmd, arg);
    return usermem_put(mm, arg, &value);
}

/* --- options of IPPROTO_UDP --- */

static s32 *udp_option(struct udp_sock *u, int name)
{
    switch (name) {
    case LX_UDP_GRO:
        return &u->gro;
    case LX_UDP_NO_CHECK6_TX:
        return &u->no_check6_tx;
    case LX_UDP_NO_CHECK6_RX:
        return &u->no_check6_rx;
    default:
        return NULL;
    }
}

static bool has_udp_options(const struct udp_sock *u, int level)
{
    return level == LX_SOL_UDP && (u->inet.table == INET_UDP || u->inet.table == INET_UDPLITE);
}

/* Datagrams put together of several calls (UDP_CORK) or cut into several (UDP_SEGMENT) are not built:
 * only their being off can be set. */
static int udp_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len)
{
    struct udp_sock *u = udp_sock_of(sock);
    s32 *kept = udp_option(u, name), v;

    if (!has_udp_options(u, level))
        return inet_setsockopt(sock, level, name, value, len);
    if (inet_option_int(value, len, &v) < 0)
        return -EINVAL;
    if ((name == LX_UDP_CORK || name == LX_UDP_SEGMENT) && !v)
        return 0;
    if (!kept)
        return -ENOPROTOOPT;
    *kept = v != 0;
    return 0;
}

static int udp_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len)
{
    struct udp_sock *u = udp_sock_of(sock);
    s32 *kept = udp_option(u, name);

    if (!has_udp_options(u, level))
        return inet_getsockopt(sock, level, name, value, len);
    if (name == LX_UDP_CORK || name == LX_UDP_SEGMENT || name == LX_UDP_ENCAP)
        return inet_option_put(value, len, 0);
    return kept ? inet_option_put(value, len, *kept) : -ENOPROTOOPT;
}

/* release() - no datagram finds the socket any more. */
static void udp_release(struct socket *sock, bool nonblock)
{
    mutex_lock(&sock->lock);
    inet_unbind_locked(inet_sock_of(sock));
    mutex_unlock(&sock->lock);
}

static const struct socket_ops udp_ops = {
    .bind = inet_bind_addr,
    .connect = udp_connect,
    .getname = inet_getname,
    .sendmsg = udp_sendmsg,
    .recvmsg = udp_recvmsg,
    .shutdown = udp_shutdown,
    .setsockopt = udp_setsockopt,
    .getsockopt = udp_getsockopt,
    .option_changed = inet_option_changed,
    .poll = udp_poll,
    .ioctl = udp_ioctl,
    .release = udp_release,
};

static void udp_free(struct obj *o)
{
    struct udp_sock *u = container_of(o, struct udp_sock, inet.socket.obj);

    inet_sock_destroy(&u->inet);
    udp_queue_free(u);
    mutex_destroy(&u->queue_lock);
    free(u);
}

static struct obj_type udp_type = {.name = "udp_sock", .free = udp_free};

static enum inet_table table_of(u32 protocol)
{
    switch (protocol) {
    case LX_IPPROTO_ICMP:
        return INET_PING;
    case LX_IPPROTO_ICMPV6:
        return INET_PING6;
    case LX_IPPROTO_UDPLITE:
        return INET_UDPLITE;
    default:
        return INET_UDP;
    }
}

int udp_create(struct net_ns *net, u16 family, u32 protocol, struct socket **out)
{
    struct udp_sock *u = calloc(1, sizeof(*u));

    if (!u)
        return -ENOMEM;
    mutex_init(&u->queue_lock, LOCK_INET_QUEUE);
    list_init(&u->packets);
    list_init(&u->errors);
    if (inet_sock_init(&u->inet, &udp_type, &udp_ops, net, family, LX_SOCK_DGRAM, protocol,
                       table_of(protocol)) < 0) {
        free(u);
        return -ENOMEM;
    }
    *out = &u->inet.socket;
    return 0;
}
