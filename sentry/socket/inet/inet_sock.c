/*
 * What sockets of IPv4 and IPv6 have in common: creation, names, ports.
 *
 * A socket's port is a claim in its namespace's table (inet_port.h). socket.lock is taken first, then
 * the namespace's; a bind fails or is whole.
 */
#include "sentry/socket/inet/inet_sock.h"

#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_NET_BIND_SERVICE = 10, CAP_NET_RAW = 13 };

bool inet_capable(const struct inet_sock *s, int cap)
{
    return cred_has_cap(current->cred, s->socket.net->user_ns, cap);
}

int inet_sock_init(struct inet_sock *s, struct obj_type *type, const struct socket_ops *ops,
                   struct net_ns *net, u16 family, u16 sock_type, u32 protocol,
                   enum inet_table table)
{
    s->ns = inet_ns_of(net);
    if (!s->ns)
        return -ENOMEM;
    socket_init(&s->socket, type, ops, net, family, sock_type, protocol);
    s->table = table;
    list_init(&s->in_ns);
    list_init(&s->groups);
    s->local.addr = s->peer.addr = family == LX_AF_INET ? inet_addr_any4 : inet_addr_any6;
    inet_options_init(s);
    rwlock_write(&s->ns->lock);
    list_add(&s->ns->socks[table], &s->in_ns);
    rwlock_unlock(&s->ns->lock);
    s->ns->sockets[table]++;
    return 0;
}

void inet_sock_destroy(struct inet_sock *s)
{
    rwlock_write(&s->ns->lock);
    list_del(&s->in_ns);
    if (s->bind)
        inet_port_release(s->ns, s->bind);
    rwlock_unlock(&s->ns->lock);
    free(s->bind);
    s->ns->sockets[s->table]--;
    inet_groups_free(s);
    socket_destroy(&s->socket);
}

/* --- ports --- */

static struct inet_bind *bind_new(struct inet_sock *s, const struct inet_addr *addr)
{
    struct inet_bind *b = calloc(1, sizeof(*b));
    u32 flags = s->socket.opt.flags;

    if (!b)
        return NULL;
    list_init(&b->node);
    b->addr = *addr;
    b->uid = s->socket.uid;
    b->reuseaddr = flags & SOCKET_REUSEADDR;
    b->reuseport = flags & SOCKET_REUSEPORT;
    b->v6only = s->ip.v6only;
    b->sock = s;
    return b;
}

/* claim() - port `number`, or any for 0; with `peer` one for a connection. */
static int claim(struct inet_sock *s, const struct inet_addr *addr, u16 number,
                 const struct inet_endpoint *peer)
{
    struct inet_bind *b = bind_new(s, addr);
    int rc;

    if (!b)
        return -ENOMEM;
    rwlock_write(&s->ns->lock);
    rc = number ? inet_port_bind(s->ns, s->table, number, b)
                : inet_port_pick(s->ns, s->table, b, s->ip.port_range, peer);
    if (!rc) {
        s->bind = b;
        s->local.addr = *addr;
        s->local.port = inet_bind_number(b);
    }
    rwlock_unlock(&s->ns->lock);
    if (rc < 0)
        free(b);
    return rc;
}

int inet_autobind_locked(struct inet_sock *s, const struct inet_endpoint *peer)
{
    int rc;

    if (s->bind)
        return 0;
    rc = claim(s, &s->local.addr, 0, peer);
    if (rc == -EADDRINUSE)
        return peer ? -EADDRNOTAVAIL : -EAGAIN;
    return rc;
}

void inet_unbind_locked(struct inet_sock *s)
{
    struct inet_bind *b;

    rwlock_write(&s->ns->lock);
    b = s->bind;
    s->bind = NULL;
    if (b)
        inet_port_release(s->ns, b);
    rwlock_unlock(&s->ns->lock);
    free(b);
    s->local.port = 0;
    s->bound_port = false;
}

/* --- bind(2) --- */

/* check_addr4() - may this IPv4 address be bound? */
static int check_addr4(struct inet_sock *s, const struct inet_addr *a)
{
    bool stream = s->table == INET_TCP;
    u32 addr = __builtin_bswap32(inet_addr_to4(a));
    struct inet_route route;

    if (!addr || s->ip.freebind || s->ip.transparent || s->ns->set.nonlocal_bind)
        return 0;
    if (inet_addr_is_multicast(a) || addr == UINT32_MAX)
        return stream ? -EADDRNOTAVAIL : 0;
    if (inet_ns_route(s->ns, a, &route) < 0)
        return -EADDRNOTAVAIL;
    if (route.type == INET_ROUTE_BROADCAST)
        return stream ? -EADDRNOTAVAIL : 0;
    return route.type == INET_ROUTE_LOCAL ? 0 : -EADDRNOTAVAIL;
}

static int check_addr6(struct inet_sock *s, const struct inet_endpoint *e)
{
    const struct inet_addr *a = &e->addr;

    if (inet_addr_is4(a))
        return s->ip.v6only ? -EINVAL : check_addr4(s, a);
    if (inet_addr_is_multicast(a))
        return s->table == INET_TCP ? -EINVAL : 0;
    if (inet_addr_is_any(a))
        return 0;
    if (inet_addr_is_linklocal6(a) && !e->scope)
        return -EINVAL;
    if (s->ip.freebind6 || s->ip.freebind || s->ip.transparent || s->ns->set.nonlocal_bind6)
        return 0;
    return inet_ns_is_local(s->ns, a) ? 0 : -EADDRNOTAVAIL;
}

/* bind_endpoint() - the address of a bind(2); an old program may leave the family of 0.0.0.0 out. */
static int bind_endpoint(const struct socket_addr *addr, u16 family, struct inet_endpoint *out)
{
    struct socket_addr a = *addr;

    if (family == LX_AF_INET && a.len >= sizeof(a.in) && a.family == LX_AF_UNSPEC && !a.in.addr)
        a.family = LX_AF_INET;
    return inet_endpoint_of(&a, family, out);
}

static int bind_locked(struct inet_sock *s, const struct inet_endpoint *e)
{
    int rc;

    if (s->bind || s->peer.port)
        return -EINVAL;
    if (!e->port && s->ip.bind_no_port) {
        s->local.addr = e->addr;
    } else {
        rc = claim(s, &e->addr, e->port, NULL);
        if (rc < 0)
            return rc;
    }
    s->local.scope = e->scope;
    s->bound_addr = !inet_addr_is_any(&e->addr);
    s->bound_port = e->port != 0;
    return 0;
}

int inet_bind_addr(struct socket *sock, const struct socket_addr *addr)
{
    struct inet_sock *s = inet_sock_of(sock);
    struct inet_endpoint e;
    int rc = bind_endpoint(addr, sock->family, &e);

    if (rc < 0)
        return rc;
    rc = sock->family == LX_AF_INET ? check_addr4(s, &e.addr) : check_addr6(s, &e);
    if (rc < 0)
        return rc;
    if (e.port && e.port < s->ns->set.unprivileged_port && !inet_capable(s, CAP_NET_BIND_SERVICE))
        return -EACCES;
    mutex_lock(&sock->lock);
    rc = bind_locked(s, &e);
    mutex_unlock(&sock->lock);
    return rc;
}

/* --- where things go --- */

int inet_source(struct inet_sock *s, const struct inet_endpoint *dst, struct inet_addr *source)
{
    struct inet_route route;
    int rc;

    rc = inet_ns_route(s->ns, &dst->addr, &route);
    if (rc < 0)
        return rc;
    *source = s->local.addr;
    if (inet_addr_is_any(source))
        *source = inet_addr_is_any(&route.source) ? dst->addr : route.source;
    else if (inet_addr_is4(source) != inet_addr_is4(&dst->addr))
        return inet_addr_is4(source) ? -ENETUNREACH : -EINVAL;
    return 0;
}

int inet_resolve(struct inet_sock *s, const struct socket_addr *addr, struct inet_endpoint *dst,
                 struct inet_addr *source)
{
    u16 family = s->socket.family;
    int rc;

    /* An IPv6 datagram socket takes IPv4 names too, as sendto(2) does there. */
    if (family == LX_AF_INET6 && addr->family == LX_AF_INET && s->table != INET_TCP) {
        if (s->ip.v6only)
            return -ENETUNREACH;
        family = LX_AF_INET;
    }
    rc = inet_endpoint_of(addr, family, dst);
    if (rc < 0)
        return rc;
    if (inet_addr_equal(&dst->addr, &inet_addr_any4))
        dst->addr = inet_addr_lo4;
    else if (inet_addr_is_any(&dst->addr))
        dst->addr = inet_addr_is4(&s->local.addr) && s->bound_addr ? inet_addr_lo4 : inet_addr_lo6;
    if (s->socket.family == LX_AF_INET6 && s->ip.v6only && inet_addr_is4(&dst->addr))
        return -ENETUNREACH;
    if (inet_addr_is_linklocal6(&dst->addr) && !dst->scope)
        return -EINVAL;
    return inet_source(s, dst, source);
}

int inet_getname(struct socket *sock, bool peer, struct socket_addr *out)
{
    struct inet_sock *s = inet_sock_of(sock);
    struct inet_endpoint e;

    mutex_lock(&sock->lock);
    e = peer ? s->peer : s->local;
    mutex_unlock(&sock->lock);
    if (peer && !e.port)
        return -ENOTCONN;
    inet_endpoint_to(&e, sock->family, out);
    return 0;
}

void inet_option_changed(struct socket *sock, int name)
{
    struct inet_sock *s = inet_sock_of(sock);

    if (name != LX_SO_REUSEADDR && name != LX_SO_REUSEPORT)
        return;
    rwlock_write(&s->ns->lock);
    if (s->bind) {
        s->bind->reuseaddr = sock->opt.flags & SOCKET_REUSEADDR;
        s->bind->reuseport = sock->opt.flags & SOCKET_REUSEPORT;
    }
    rwlock_unlock(&s->ns->lock);
}

/* --- socket(2) --- */

static int create_raw(struct net_ns *net)
{
    /* There is no link to write packets to: not even CAP_NET_RAW is enough. */
    (void)net;
    return -EPERM;
}

static int create_dgram(struct net_ns *net, u16 family, u32 protocol, struct socket **out)
{
    u32 ping = family == LX_AF_INET ? LX_IPPROTO_ICMP : LX_IPPROTO_ICMPV6;

    if (protocol == 0 || protocol == LX_IPPROTO_UDP || protocol == LX_IPPROTO_UDPLITE)
        return udp_create(net, family, protocol ? protocol : LX_IPPROTO_UDP, out);
    if (protocol == ping)
        return ping_create(net, family, out);
    return -EPROTONOSUPPORT;
}

static int create(struct net_ns *net, u16 family, u16 type, int protocol, struct socket **out)
{
    if (protocol < 0 || protocol >= LX_IPPROTO_MAX)
        return -EINVAL;
    switch (type) {
    case LX_SOCK_STREAM:
        return protocol == 0 || protocol == LX_IPPROTO_TCP ? tcp_create(net, family, out)
                                                           : -EPROTONOSUPPORT;
    case LX_SOCK_DGRAM:
        return create_dgram(net, family, (u32)protocol, out);
    case LX_SOCK_RAW:
        return protocol ? create_raw(net) : -EPROTONOSUPPORT;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

static int create4(struct net_ns *net, u16 type, int protocol, struct socket **out)
{
    return create(net, LX_AF_INET, type, protocol, out);
}

static int create6(struct net_ns *net, u16 type, int protocol, struct socket **out)
{
    return create(net, LX_AF_INET6, type, protocol, out);
}

const struct socket_family inet_family = {.family = LX_AF_INET, .create = create4};
const struct socket_family inet6_family = {.family = LX_AF_INET6, .create = create6};
