/* Multicast groups that sockets have joined (ip(7), ipv6(7)). On lo nobody else is told of them; the
 * namespace knows them all (inet_member.h). Lock order: socket.lock, then the namespace's. */
#include "sentry/socket/inet/inet_sock.h"

#include "sentry/base/limits.h"
#include "sentry/socket/inet/inet_member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* struct group_req: an index, then a sockaddr_storage at 8. */
enum { GROUP_REQ_ADDR = 8, GROUP_REQ_SIZE = 136 };

static struct inet_group *find(struct inet_sock *s, const struct inet_addr *addr, u32 dev)
{
    struct inet_group *g;

    list_for_each(g, &s->groups, node) {
        if (inet_addr_equal(&g->addr, addr) && (!dev || g->dev == dev))
            return g;
    }
    return NULL;
}

bool inet_group_joined(struct inet_sock *s, const struct inet_addr *group, u32 dev)
{
    bool joined;

    mutex_lock(&s->socket.lock);
    joined = find(s, group, dev) != NULL;
    mutex_unlock(&s->socket.lock);
    return joined;
}

static void leave(struct inet_sock *s, struct inet_group *g)
{
    rwlock_write(&s->ns->lock);
    inet_member_drop_locked(s->ns, &g->addr, g->dev);
    rwlock_unlock(&s->ns->lock);
    list_del(&g->node);
    s->ngroups--;
    free(g);
}

void inet_groups_free(struct inet_sock *s)
{
    struct inet_group *g;

    while ((g = list_first(&s->groups, struct inet_group, node)))
        leave(s, g);
}

static int join_locked(struct inet_sock *s, const struct inet_addr *addr, u32 dev)
{
    struct inet_group *g;
    int rc;

    if (find(s, addr, dev))
        return -EADDRINUSE;
    if (s->ngroups >= LIMIT_IP_GROUPS)
        return -ENOBUFS;
    g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOBUFS;
    rwlock_write(&s->ns->lock);
    rc = inet_member_add_locked(s->ns, addr, dev);
    rwlock_unlock(&s->ns->lock);
    if (rc < 0) {
        free(g);
        return -ENOBUFS;
    }
    g->addr = *addr;
    g->dev = dev;
    list_add_tail(&s->groups, &g->node);
    s->ngroups++;
    return 0;
}

static int leave_locked(struct inet_sock *s, const struct inet_addr *addr, u32 dev)
{
    struct inet_group *g = find(s, addr, dev);

    if (!g)
        return -EADDRNOTAVAIL;
    leave(s, g);
    return 0;
}

static int change(struct inet_sock *s, const struct inet_addr *addr, u32 dev, bool join)
{
    int rc;

    if (!inet_addr_is_multicast(addr))
        return -EINVAL;
    mutex_lock(&s->socket.lock);
    rc = join ? join_locked(s, addr, dev) : leave_locked(s, addr, dev);
    mutex_unlock(&s->socket.lock);
    return rc;
}

/* device4() - the interface that an ip_mreq(n) means: its index, its address, or by route. */
static int device4(struct inet_sock *s, const struct lx_ip_mreqn *m, u32 *out)
{
    struct inet_addr a = inet_addr_of4(m->address), group = inet_addr_of4(m->multiaddr);
    struct inet_route route;

    *out = (u32)m->ifindex;
    if (m->ifindex)
        return inet_dev_find(s->ns, *out) ? 0 : -ENODEV;
    if (m->address && inet_ns_is_local(s->ns, &a)) {
        *out = INET_LO_INDEX;
        return 0;
    }
    if (m->address || inet_ns_route(s->ns, &group, &route) < 0)
        return -ENODEV;
    *out = route.dev->index;
    return 0;
}

static int option4(struct inet_sock *s, const void *value, u32 len, bool join)
{
    struct lx_ip_mreqn m = {0};
    struct inet_addr group;
    u32 dev = 0;
    int rc;

    if (s->table == INET_TCP)
        return -EPROTO;
    if (len < 8)
        return -EINVAL;
    memcpy(&m, value, min_of(len, (u32)sizeof(m)));
    if (len < sizeof(m))
        m.ifindex = 0;
    group = inet_addr_of4(m.multiaddr);
    if (!inet_addr_is_multicast(&group))
        return join ? -EINVAL : -EADDRNOTAVAIL;
    rc = device4(s, &m, &dev);
    if (rc < 0)
        return rc;
    return change(s, &group, dev, join);
}

static int option6(struct inet_sock *s, const struct inet_addr *group, u32 dev, bool join)
{
    if (s->table == INET_TCP)
        return -EPROTO;
    if (!inet_addr_is_multicast(group) || inet_addr_is4(group))
        return -EINVAL;
    if (!dev)
        dev = INET_LO_INDEX;
    if (!inet_dev_find(s->ns, dev))
        return -ENODEV;
    return change(s, group, dev, join);
}

static int option_mreq6(struct inet_sock *s, const void *value, u32 len, bool join)
{
    struct lx_ipv6_mreq m;
    struct inet_addr group;

    if (len < sizeof(m))
        return -EINVAL;
    memcpy(&m, value, sizeof(m));
    memcpy(group.b, m.multiaddr, sizeof(group.b));
    return option6(s, &group, m.ifindex, join);
}

/* option_req() - MCAST_JOIN_GROUP and its opposite, of both levels. */
static int option_req(struct inet_sock *s, const void *value, u32 len, bool join)
{
    struct socket_addr a = {0};
    struct inet_endpoint e;
    u32 dev;
    int rc;

    if (len < GROUP_REQ_SIZE)
        return -EINVAL;
    memcpy(&dev, value, sizeof(dev));
    memcpy(a.bytes, (const u8 *)value + GROUP_REQ_ADDR, sizeof(struct lx_sockaddr_in6));
    a.len = sizeof(struct lx_sockaddr_in6);
    rc = inet_endpoint_of(&a, a.family == LX_AF_INET ? LX_AF_INET : LX_AF_INET6, &e);
    if (rc < 0)
        return rc;
    if (!inet_addr_is4(&e.addr))
        return option6(s, &e.addr, dev, join);
    if (!dev || !inet_dev_find(s->ns, dev))
        return -ENODEV;
    return change(s, &e.addr, dev, join);
}

int inet_group_option(struct inet_sock *s, int level, int name, const void *value, u32 len)
{
    if (name == LX_MCAST_JOIN_GROUP || name == LX_MCAST_LEAVE_GROUP)
        return option_req(s, value, len, name == LX_MCAST_JOIN_GROUP);
    if (level == LX_SOL_IP && (name == LX_IP_ADD_MEMBERSHIP || name == LX_IP_DROP_MEMBERSHIP))
        return option4(s, value, len, name == LX_IP_ADD_MEMBERSHIP);
    if (level == LX_SOL_IPV6 &&
        (name == LX_IPV6_ADD_MEMBERSHIP || name == LX_IPV6_DROP_MEMBERSHIP))
        return option_mreq6(s, value, len, name == LX_IPV6_ADD_MEMBERSHIP);
    return -ENOPROTOOPT;
}
