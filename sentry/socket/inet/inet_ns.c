/* Interfaces, addresses and routes of a network namespace; see inet_ns.h. */
#include "sentry/socket/inet/inet_ns.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/socket/inet/inet_member.h"
#include "sentry/socket/inet/inet_route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_list_of(struct list_node *head, size_t offset)
{
    while (!list_empty(head)) {
        struct list_node *n = head->next;

        list_del(n);
        free((char *)n - offset);
    }
}

static void inet_ns_free(struct obj *o)
{
    struct inet_ns *ns = container_of(o, struct inet_ns, obj);

    free_list_of(&ns->routes, offsetof(struct inet_route, node));
    free_list_of(&ns->addrs, offsetof(struct inet_ifaddr, node));
    free_list_of(&ns->devs, offsetof(struct inet_dev, node));
    inet_members_free(ns);
    hash_free(&ns->ports);
    hash_free(&ns->tuples);
    rwlock_destroy(&ns->lock);
    free(ns);
}

static struct obj_type inet_ns_type = {.name = "inet_ns", .free = inet_ns_free};

static int add_addr(struct inet_ns *ns, struct inet_dev *dev, struct inet_addr addr, u8 prefix)
{
    struct inet_ifaddr *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    a->dev = dev;
    a->addr = addr;
    a->prefix = prefix;
    a->scope = LX_RT_SCOPE_HOST;
    list_add_tail(&ns->addrs, &a->node);
    return 0;
}

static int add_route(struct inet_ns *ns, const struct inet_route *route)
{
    struct inet_route *r = malloc(sizeof(*r));

    if (!r)
        return -ENOMEM;
    *r = *route;
    list_add_tail(&ns->routes, &r->node);
    return 0;
}

/* lo_routes4() - what Linux puts into table local when lo comes up. */
static int lo_routes4(struct inet_ns *ns, struct inet_dev *lo)
{
    struct inet_route r = {.dev = lo, .table = LX_RT_TABLE_LOCAL, .type = INET_ROUTE_LOCAL,
                           .scope = LX_RT_SCOPE_HOST, .source = inet_addr_lo4,
                           .gateway = inet_addr_any4};
    int rc;

    r.dst = inet_addr_of4(__builtin_bswap32(0x7f000000));
    r.prefix = 8;
    rc = add_route(ns, &r);
    r.dst = inet_addr_lo4;
    r.prefix = 32;
    rc = rc < 0 ? rc : add_route(ns, &r);
    r.dst = inet_addr_of4(__builtin_bswap32(0x7fffffff));
    r.type = INET_ROUTE_BROADCAST;
    r.scope = LX_RT_SCOPE_LINK;
    return rc < 0 ? rc : add_route(ns, &r);
}

/* drop_family() - a device's routes and addresses; with `only6` those of IPv6. ns->lock held. */
static void drop_family(struct inet_ns *ns, const struct inet_dev *dev, bool only6)
{
    struct inet_route *r, *next;
    struct inet_ifaddr *a, *after;

    list_for_each_safe(r, next, &ns->routes, node) {
        if (r->dev != dev || (only6 && inet_addr_is4(&r->dst)))
            continue;
        list_del(&r->node);
        free(r);
    }
    list_for_each_safe(a, after, &ns->addrs, node) {
        if (a->dev != dev || (only6 && inet_addr_is4(&a->addr)))
            continue;
        list_del(&a->node);
        free(a);
    }
}

static int lo_up6_locked(struct inet_ns *ns, struct inet_dev *lo)
{
    struct inet_route r = {.dev = lo, .table = LX_RT_TABLE_LOCAL, .type = INET_ROUTE_LOCAL,
                           .scope = LX_RT_SCOPE_UNIVERSE, .dst = inet_addr_lo6,
                           .source = inet_addr_lo6, .gateway = inet_addr_any6, .prefix = 128};
    int rc = add_addr(ns, lo, inet_addr_lo6, 128);

    return rc < 0 ? rc : add_route(ns, &r);
}

static int lo_up_locked(struct inet_ns *ns, struct inet_dev *lo)
{
    int rc = add_addr(ns, lo, inet_addr_lo4, 8);

    rc = rc < 0 ? rc : lo_routes4(ns, lo);
    if (rc == 0 && !ns->set.disable_ipv6)
        rc = lo_up6_locked(ns, lo);
    rc = rc < 0 ? rc : inet_members_up_locked(ns, lo->index);
    if (rc < 0) {
        drop_family(ns, lo, false);
        return rc;
    }
    lo->flags |= LX_IFF_UP | LX_IFF_RUNNING | LX_IFF_LOWER_UP;
    return 0;
}

int inet_dev_set_up(struct inet_ns *ns, struct inet_dev *dev, bool up)
{
    int rc = 0;

    rwlock_write(&ns->lock);
    if (up && !(dev->flags & LX_IFF_UP)) {
        rc = lo_up_locked(ns, dev);
    } else if (!up && dev->flags & LX_IFF_UP) {
        drop_family(ns, dev, false);
        inet_members_down_locked(ns, dev->index);
        dev->flags &= ~(u32)(LX_IFF_UP | LX_IFF_RUNNING | LX_IFF_LOWER_UP);
    }
    rwlock_unlock(&ns->lock);
    return rc;
}

int inet_ns_disable_ipv6(struct inet_ns *ns, bool disable)
{
    struct inet_dev *lo = inet_dev_find(ns, INET_LO_INDEX);
    int rc = 0;

    rwlock_write(&ns->lock);
    if (ns->set.disable_ipv6 != disable && lo->flags & LX_IFF_UP) {
        if (!disable)
            rc = lo_up6_locked(ns, lo);
        if (disable || rc < 0)
            drop_family(ns, lo, true);
    }
    if (rc == 0)
        ns->set.disable_ipv6 = disable;
    rwlock_unlock(&ns->lock);
    return rc;
}

static struct inet_dev *lo_new(void)
{
    struct inet_dev *lo = calloc(1, sizeof(*lo));

    if (!lo)
        return NULL;
    lo->index = INET_LO_INDEX;
    lo->mtu = INET_LO_MTU;
    lo->type = LX_ARPHRD_LOOPBACK;
    lo->flags = LX_IFF_LOOPBACK;
    lo->hwaddr_len = 6;
    memcpy(lo->name, "lo", sizeof("lo"));
    return lo;
}

static void init_settings(struct inet_ns *ns)
{
    struct inet_settings *s = &ns->set;

    s->port_range = 60999u << 16 | 32768;
    s->unprivileged_port = 1024;
    s->ping_groups = (u64)INT32_MAX << 32; /* everybody may ping, as Docker sets it */
    s->somaxconn = LIMIT_SOMAXCONN;
    s->default_ttl = 64;
    s->fin_timeout = 60;
    s->syn_retries = 6;
    s->keepalive_time = 7200;
    s->keepalive_intvl = 75;
    s->keepalive_probes = 9;
    s->rmem[0] = s->wmem[0] = 4096;
    s->rmem[1] = 131072;
    s->rmem[2] = 6291456;
    s->wmem[1] = 16384;
    s->wmem[2] = 4194304;
}

static struct obj *inet_ns_make(struct net_ns *net)
{
    struct inet_ns *ns = calloc(1, sizeof(*ns));
    struct inet_dev *lo;

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &inet_ns_type);
    rwlock_init(&ns->lock, LOCK_INET_PORTS);
    list_init(&ns->devs);
    list_init(&ns->addrs);
    list_init(&ns->routes);
    list_init(&ns->members);
    for (u32 i = 0; i < INET_TABLES; i++)
        list_init(&ns->socks[i]);
    init_settings(ns);
    lo = lo_new();
    if (lo)
        list_add_tail(&ns->devs, &lo->node);
    if (!lo || inet_members_init_locked(ns, lo->index) < 0 ||
        (net->lo_up && lo_up_locked(ns, lo) < 0)) {
        obj_put_(&ns->obj);
        return NULL;
    }
    return &ns->obj;
}

struct inet_ns *inet_ns_of(struct net_ns *net)
{
    struct obj *o = net_ns_state(net, NET_STATE_INET, inet_ns_make);

    return o ? container_of(o, struct inet_ns, obj) : NULL;
}

/* Interfaces are never removed, and their names never change: found ones need no lock. */
struct inet_dev *inet_dev_find(struct inet_ns *ns, u32 index)
{
    struct inet_dev *d, *found = NULL;

    rwlock_read(&ns->lock);
    list_for_each(d, &ns->devs, node) {
        if (d->index == index)
            found = d;
    }
    rwlock_unlock(&ns->lock);
    return found;
}

struct inet_dev *inet_dev_named(struct inet_ns *ns, const char *name)
{
    struct inet_dev *d, *found = NULL;

    rwlock_read(&ns->lock);
    list_for_each(d, &ns->devs, node) {
        if (!strncmp(d->name, name, LX_IFNAMSIZ))
            found = d;
    }
    rwlock_unlock(&ns->lock);
    return found;
}

static bool covers(const struct inet_route *r, const struct inet_addr *a)
{
    u32 bits = inet_addr_is4(&r->dst) ? r->prefix + 96u : r->prefix;

    if (inet_addr_is4(&r->dst) != inet_addr_is4(a))
        return false;
    if (memcmp(r->dst.b, a->b, bits / 8))
        return false;
    return bits % 8 == 0 || !((r->dst.b[bits / 8] ^ a->b[bits / 8]) >> (8 - bits % 8));
}

static const struct inet_route *best_route(const struct inet_ns *ns, const struct inet_addr *a)
{
    const struct inet_route *r, *best = NULL;

    list_for_each(r, &ns->routes, node) {
        if (covers(r, a) && (!best || r->prefix > best->prefix))
            best = r;
    }
    return best;
}

bool inet_ns_is_local(struct inet_ns *ns, const struct inet_addr *addr)
{
    const struct inet_route *r;
    bool local;

    rwlock_read(&ns->lock);
    r = best_route(ns, addr);
    local = r && r->type == INET_ROUTE_LOCAL;
    rwlock_unlock(&ns->lock);
    return local;
}

int inet_ns_route(struct inet_ns *ns, const struct inet_addr *dst, struct inet_route *out)
{
    const struct inet_route *r;

    rwlock_read(&ns->lock);
    r = best_route(ns, dst);
    if (r)
        *out = *r;
    rwlock_unlock(&ns->lock);
    if (!r && !inet_addr_is4(dst) && ns->set.disable_ipv6)
        return -EADDRNOTAVAIL;
    return r ? 0 : -ENETUNREACH;
}
