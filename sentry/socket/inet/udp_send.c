/* Sending datagrams: where to, from what address, to which sockets; see udp.h. */
#include "sentry/socket/inet/udp.h"

#include "sentry/mm/usermem.h"
#include "sentry/socket/inet/inet_member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ICMP_UNREACH = 3, ICMP_PORT = 3, ICMP6_UNREACH = 1, ICMP6_PORT = 4 };
enum { FANOUT_MAX = 64 };

/* One datagram on its way. */
struct udp_out {
    struct udp_sock *u;
    struct inet_endpoint dst;
    struct inet_addr source;
    struct inet_route route;
    s32 ttl, tos;
};

/* --- control messages of the sender --- */

static int put_ttl(struct udp_out *o, const struct cmsg *c, s32 low)
{
    s32 v;

    if (c->len != sizeof(v))
        return -EINVAL;
    memcpy(&v, c->data, sizeof(v));
    if (v < low || v > 255)
        return -EINVAL;
    o->ttl = v;
    return 0;
}

static int put_tos(struct udp_out *o, const struct cmsg *c)
{
    s32 v;

    if (c->len == sizeof(v))
        memcpy(&v, c->data, sizeof(v));
    else if (c->len == 1)
        v = *c->data;
    else
        return -EINVAL;
    if (v < 0 || v > 255)
        return -EINVAL;
    o->tos = v;
    return 0;
}

/* put_tclass() - -1, in setsockopt(2) the default, passes here too and goes out as 255. */
static int put_tclass(struct udp_out *o, const struct cmsg *c)
{
    s32 v;

    if (c->len != sizeof(v))
        return -EINVAL;
    memcpy(&v, c->data, sizeof(v));
    if (v < -1 || v > 255)
        return -EINVAL;
    o->tos = v;
    return 0;
}

static int put_source4(struct udp_out *o, const struct cmsg *c)
{
    struct lx_in_pktinfo info;

    if (c->len != sizeof(info))
        return -EINVAL;
    memcpy(&info, c->data, sizeof(info));
    if (info.spec_dst)
        o->source = inet_addr_of4(info.spec_dst);
    if (info.spec_dst && !inet_ns_is_local(o->u->inet.ns, &o->source))
        return -EINVAL;
    return 0;
}

static int put_source6(struct udp_out *o, const struct cmsg *c)
{
    struct lx_in6_pktinfo info;
    struct inet_addr a;

    if (c->len < sizeof(info))
        return -EINVAL;
    memcpy(&info, c->data, sizeof(info));
    memcpy(a.b, info.addr, sizeof(a.b));
    if (inet_addr_is_any(&a))
        return 0;
    if (!inet_ns_is_local(o->u->inet.ns, &a))
        return -EINVAL;
    o->source = a;
    return 0;
}

static int put_control(struct udp_out *o, const struct cmsg *c)
{
    if (c->level == LX_SOL_IP) {
        switch (c->type) {
        case LX_IP_TTL:
            return put_ttl(o, c, 1);
        case LX_IP_TOS:
            return put_tos(o, c);
        case LX_IP_PKTINFO:
            return put_source4(o, c);
        default:
            return -EINVAL;
        }
    }
    if (c->level != LX_SOL_IPV6)
        return c->level == LX_SOL_SOCKET || c->level == LX_SOL_UDP ? -EINVAL : 0;
    switch (c->type) {
    case LX_IPV6_HOPLIMIT:
        return put_ttl(o, c, -1);
    case LX_IPV6_TCLASS:
        return put_tclass(o, c);
    case LX_IPV6_PKTINFO:
        return put_source6(o, c);
    default:
        return -EINVAL;
    }
}

static int read_control(struct udp_out *o, const struct socket_control *control)
{
    struct cmsg c;
    u32 at = 0;
    int rc;

    while ((rc = cmsg_next(control, &at, &c)) > 0) {
        rc = put_control(o, &c);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* --- who gets it --- */

/* score() - how well a socket's claim fits: one that is connected to the sender fits best. */
static u32 score(const struct inet_bind *b, const struct udp_packet *p)
{
    u32 s = inet_bind_score(b, &p->to.addr);
    const struct inet_sock *i = b->sock;

    if (!s || !i)
        return 0;
    if (!i->peer.port)
        return s;
    if (i->peer.port != p->from.port || !inet_addr_equal(&i->peer.addr, &p->from.addr))
        return 0;
    return s + 8;
}

/* find_one() - the socket that a datagram is for, a new reference; NULL: nobody. Of several that share
 * the port by SO_REUSEPORT the addresses choose one; else the last that came. */
static struct udp_sock *find_one(struct inet_ns *ns, enum inet_table table,
                                 const struct udp_packet *p)
{
    struct inet_port *port = inet_find_port(ns, table, p->to.port);
    struct inet_bind *b, *best = NULL;
    u64 spread = inet_tuple_hash(&p->from, &p->to) >> 7;
    u32 top = 0, same = 0;

    if (!port)
        return NULL;
    list_for_each(b, &port->binds, node) {
        u32 s = score(b, p);

        if (!s || s < top)
            continue;
        same = s > top ? 1 : same + 1;
        if (s > top || !b->reuseport || spread % same == 0)
            best = b;
        top = s;
    }
    if (!best || !obj_get_unless_zero(&best->sock->socket.obj))
        return NULL;
    return container_of(best->sock, struct udp_sock, inet);
}

/* find_group() - all sockets that a multicast or broadcast datagram is for; new references. */
static u32 find_group(struct inet_ns *ns, enum inet_table table, const struct udp_packet *p,
                      struct udp_sock **out, u32 cap)
{
    struct inet_port *port = inet_find_port(ns, table, p->to.port);
    struct inet_bind *b;
    u32 n = 0;

    if (!port)
        return 0;
    list_for_each(b, &port->binds, node) {
        if (n < cap && score(b, p) && obj_get_unless_zero(&b->sock->socket.obj))
            out[n++] = container_of(b->sock, struct udp_sock, inet);
    }
    return n;
}

static void count_in(struct inet_ns *ns, const struct udp_packet *p, bool fits)
{
    bool four = inet_addr_is4(&p->to.addr);

    if (fits)
        four ? ns->count.udp_in++ : ns->count.udp6_in++;
    else
        four ? ns->count.udp_full++ : ns->count.udp6_full++;
}

/* in_group() - a multicast datagram is for who joined the group, and with IP_MULTICAST_ALL (which is
 * the default) for anyone, as long as somebody of the namespace joined it. */
static bool in_group(struct udp_sock *u, const struct udp_packet *p)
{
    const struct inet_options *o = &u->inet.ip;

    return !inet_addr_is_multicast(&p->to.addr) ||
           (inet_addr_is4(&p->to.addr) ? o->mc_all : o->mc_all6) ||
           inet_group_joined(&u->inet, &p->to.addr, 0);
}

static void send_group(struct udp_sock *u, struct udp_packet *p)
{
    struct udp_sock *to[FANOUT_MAX];
    struct inet_ns *ns = u->inet.ns;
    u32 n = 0;

    rwlock_read(&ns->lock);
    if (!inet_addr_is_multicast(&p->to.addr) || inet_member_any_locked(ns, &p->to.addr))
        n = find_group(ns, u->inet.table, p, to, FANOUT_MAX);
    rwlock_unlock(&ns->lock);
    p->count++; /* each gets a copy */
    for (u32 i = 0; i < n; i++) {
        if (in_group(to[i], p))
            count_in(ns, p, udp_deliver(to[i], p));
        socket_put(&to[i]->inet.socket);
    }
    p->count--;
}

static void refuse(struct udp_sock *u, struct udp_packet *p)
{
    struct inet_counters *count = &u->inet.ns->count;

    if (inet_addr_is4(&p->to.addr)) {
        count->udp_no_ports++;
        udp_fail(u, p, ECONNREFUSED, ICMP_UNREACH, ICMP_PORT);
    } else {
        count->udp6_no_ports++;
        udp_fail(u, p, ECONNREFUSED, ICMP6_UNREACH, ICMP6_PORT);
    }
}

static void send_one(struct udp_sock *u, struct udp_packet *p)
{
    struct inet_ns *ns = u->inet.ns;
    struct udp_sock *to;

    rwlock_read(&ns->lock);
    to = find_one(ns, u->inet.table, p);
    rwlock_unlock(&ns->lock);
    if (!to) {
        refuse(u, p);
        return;
    }
    count_in(ns, p, udp_deliver(to, p));
    socket_put(&to->inet.socket);
}

/* --- sendmsg(2) --- */

/* route_group() - multicast goes out of the interface that IP_MULTICAST_IF names. */
static int route_group(struct udp_out *o)
{
    struct inet_sock *s = &o->u->inet;
    bool four = inet_addr_is4(&o->dst.addr);
    u32 dev = (u32)(four ? s->ip.mc_index : s->ip.mc_index6);

    if (!dev)
        dev = o->dst.scope;
    if (!dev && inet_ns_route(s->ns, &o->dst.addr, &o->route) < 0)
        return -ENETUNREACH;
    if (inet_addr_is_any(&o->source))
        o->source = four ? inet_addr_lo4 : inet_addr_lo6;
    o->ttl = four ? s->ip.mc_ttl : s->ip.mc_hops6;
    return 0;
}

static bool is_broadcast(const struct udp_out *o)
{
    return o->route.type == INET_ROUTE_BROADCAST;
}

/* aim() - destination, source and route of the datagram. */
static int aim(struct udp_out *o, const struct socket_msg *m)
{
    struct inet_sock *s = &o->u->inet;
    struct socket_addr name = m->name;
    int rc;

    if (!name.len) {
        mutex_lock(&s->socket.lock);
        o->dst = s->peer;
        o->source = s->local.addr;
        mutex_unlock(&s->socket.lock);
        if (!o->dst.port)
            return -EDESTADDRREQ;
    } else {
        /* An IPv4 socket takes AF_UNSPEC for its own family. */
        if (s->socket.family == LX_AF_INET && name.family == LX_AF_UNSPEC)
            name.family = LX_AF_INET;
        rc = inet_resolve(s, &name, &o->dst, &o->source);
        if (rc == -ENETUNREACH && inet_addr_is_multicast(&o->dst.addr))
            rc = 0;
        if (rc < 0)
            return rc;
        if (!o->dst.port && s->table != INET_PING && s->table != INET_PING6)
            return -EINVAL;
    }
    if (inet_addr_is_multicast(&o->dst.addr))
        return route_group(o);
    rc = inet_ns_route(s->ns, &o->dst.addr, &o->route);
    if (rc < 0)
        return rc;
    if (is_broadcast(o) && !(s->socket.opt.flags & SOCKET_BROADCAST))
        return -EACCES;
    return 0;
}

static int check(struct udp_sock *u, const struct socket_msg *m)
{
    u64 max = u->inet.socket.family == LX_AF_INET ? UDP_MAX : UDP_MAX6;

    /* Datagrams put together of several calls are not built. */
    if (m->flags & (LX_MSG_OOB | LX_MSG_MORE))
        return -EOPNOTSUPP;
    if (m->data->left > max)
        return -EMSGSIZE;
    if (u->inet.socket.error)
        return socket_error(&u->inet.socket);
    return u->shut & 2 ? -EPIPE : 0;
}

/* fill() - the datagram, copied from the guest. Return: 0, -EFAULT. */
static int fill(struct udp_out *o, struct udp_packet *p, struct uio *data)
{
    struct inet_sock *s = &o->u->inet;

    if (p->len && uio_from(data, p->data, p->len) != (ssize_t)p->len)
        return -EFAULT;
    p->from.addr = o->source;
    p->from.port = s->local.port;
    p->from.scope = 0;
    p->to = o->dst;
    p->ttl = (u8)(o->ttl > 0 ? (u32)o->ttl : o->u->inet.ns->set.default_ttl);
    p->tos = (u8)o->tos;
    return 0;
}

static int autobind(struct inet_sock *s)
{
    int rc;

    mutex_lock(&s->socket.lock);
    rc = inet_autobind_locked(s, NULL);
    mutex_unlock(&s->socket.lock);
    return rc;
}

static int dispatch(struct udp_out *o, struct udp_packet *p)
{
    struct inet_sock *s = &o->u->inet;

    if (s->table == INET_PING || s->table == INET_PING6)
        return ping_answer(o->u, p);
    inet_addr_is4(&p->to.addr) ? s->ns->count.udp_out++ : s->ns->count.udp6_out++;
    if (inet_addr_is_multicast(&p->to.addr) || is_broadcast(o)) {
        if (is_broadcast(o) || s->ip.mc_loop)
            send_group(o->u, p);
        return 0;
    }
    send_one(o->u, p);
    return 0;
}

ssize_t udp_sendmsg(struct socket *sock, struct socket_msg *m)
{
    struct udp_sock *u = udp_sock_of(sock);
    struct inet_sock *s = &u->inet;
    struct udp_out o = {.u = u};
    struct udp_packet *p;
    ssize_t rc = check(u, m);

    if (rc < 0)
        return rc;
    o.ttl = sock->family == LX_AF_INET ? s->ip.ttl : s->ip.hops;
    o.tos = sock->family == LX_AF_INET ? s->ip.tos : s->ip.tclass;
    rc = aim(&o, m);
    rc = rc < 0 ? rc : read_control(&o, &m->control);
    rc = rc < 0 ? rc : autobind(s);
    if (rc < 0)
        return rc;
    p = udp_packet_new((u32)m->data->left);
    if (!p)
        return -ENOMEM;
    rc = fill(&o, p, m->data);
    if (!rc)
        rc = m->flags & LX_MSG_PROBE ? 0 : dispatch(&o, p);
    if (!rc)
        rc = (ssize_t)p->len;
    udp_packet_put(p);
    return rc;
}
