/*
 * NETLINK_ROUTE (rtnetlink(7)): what `ip`, getifaddrs(3), getaddrinfo(3), Go and Java ask. Links,
 * addresses, routes and rules of the namespace are told; of changes only lo's going up or down is
 * possible, for who has CAP_NET_ADMIN over the namespace.
 */
#include "sentry/socket/netlink/netlink_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/inet/inet_route.h"

#include <errno.h>
#include <string.h>

enum { CAP_NET_ADMIN = 12, TXQLEN = 1000, GSO_MAX = 65536, ADDR_BYTES4 = 4, ADDR_BYTES6 = 16 };
enum { RULE_LOCAL = 0, RULE_MAIN = 32766, RULE_DEFAULT = 32767, RULE_UNICAST = 1 };
#define FOREVER UINT32_MAX

static bool is_dump(const struct nl_answer *a)
{
    return (a->request->flags & LX_NLM_F_DUMP) == LX_NLM_F_DUMP;
}

static u16 multi(const struct nl_answer *a)
{
    return is_dump(a) ? LX_NLM_F_MULTI : 0;
}

/* family_of() - what a request is about: its first byte. */
static u8 family_of(const void *body, u32 len)
{
    return len ? *(const u8 *)body : LX_AF_UNSPEC;
}

static bool wanted(u8 family, const struct inet_addr *a)
{
    return family == LX_AF_UNSPEC || (family == LX_AF_INET) == inet_addr_is4(a);
}

static void put_addr(struct nl_answer *a, u16 type, const struct inet_addr *addr)
{
    if (inet_addr_is4(addr))
        nl_attr(a, type, addr->b + 12, ADDR_BYTES4);
    else
        nl_attr(a, type, addr->b, ADDR_BYTES6);
}

/* --- links --- */

/* put_stats() - rtnl_link_stats64, and its 32-bit form: on loopback nothing is ever a packet. */
static void put_stats(struct nl_answer *a)
{
    static const u64 stats[25];
    static const u32 small[24];

    nl_attr(a, LX_IFLA_STATS64, stats, sizeof(stats));
    nl_attr(a, LX_IFLA_STATS, small, sizeof(small));
}

static void put_link(struct nl_answer *a, const struct inet_dev *d)
{
    bool up = d->flags & LX_IFF_UP;
    struct lx_ifinfomsg info = {.type = (u16)d->type, .index = (s32)d->index, .flags = d->flags};

    nl_begin(a, LX_RTM_NEWLINK, multi(a));
    nl_put(a, &info, sizeof(info));
    nl_attr_text(a, LX_IFLA_IFNAME, d->name);
    nl_attr_u32(a, LX_IFLA_TXQLEN, TXQLEN);
    nl_attr_u8(a, LX_IFLA_OPERSTATE, up ? LX_OPER_UNKNOWN : LX_OPER_DOWN);
    nl_attr_u8(a, LX_IFLA_LINKMODE, 0);
    nl_attr_u32(a, LX_IFLA_MTU, d->mtu);
    nl_attr_u32(a, LX_IFLA_MIN_MTU, 0);
    nl_attr_u32(a, LX_IFLA_MAX_MTU, 0);
    nl_attr_u32(a, LX_IFLA_GROUP, 0);
    nl_attr_u32(a, LX_IFLA_PROMISCUITY, 0);
    nl_attr_u32(a, LX_IFLA_NUM_TX_QUEUES, 1);
    nl_attr_u32(a, LX_IFLA_NUM_RX_QUEUES, 1);
    nl_attr_u32(a, LX_IFLA_GSO_MAX_SIZE, GSO_MAX);
    nl_attr_u8(a, LX_IFLA_CARRIER, 1);
    nl_attr_text(a, LX_IFLA_QDISC, up ? "noqueue" : "noop");
    nl_attr(a, LX_IFLA_ADDRESS, d->hwaddr, d->hwaddr_len);
    nl_attr(a, LX_IFLA_BROADCAST, d->hwaddr, d->hwaddr_len);
    put_stats(a);
    nl_end(a);
}

/* link_of() - the interface that a request names by index or name; NULL: none. */
static struct inet_dev *link_of(struct nl_answer *a, const void *body, u32 len, int *err)
{
    struct lx_ifinfomsg info;
    struct nl_attrs attrs;
    struct inet_dev *d;
    char name[LX_IFNAMSIZ] = {0};
    const struct lx_nlattr *at;

    *err = -EINVAL;
    if (len < sizeof(info))
        return NULL;
    memcpy(&info, body, sizeof(info));
    if (nl_parse((const u8 *)body + sizeof(info), len - (u32)sizeof(info), &attrs) < 0)
        return NULL;
    at = attrs.attr[LX_IFLA_IFNAME];
    if (info.index <= 0 && !at)
        return NULL;
    if (at)
        memcpy(name, at + 1, min_of((size_t)at->len - sizeof(*at), sizeof(name) - 1));
    *err = -ENODEV;
    d = info.index > 0 ? inet_dev_find(a->ns, (u32)info.index) : inet_dev_named(a->ns, name);
    return d;
}

static int get_link(struct nl_answer *a, const void *body, u32 len)
{
    struct inet_dev *d;
    int err;

    if (!is_dump(a)) {
        d = link_of(a, body, len, &err);
        if (!d)
            return err;
        put_link(a, d);
        return 0;
    }
    for (u32 i = INET_LO_INDEX; (d = inet_dev_find(a->ns, i)); i++)
        put_link(a, d);
    return 0;
}

/* set_link() - lo up or down; nothing else of a link can be changed. */
static int set_link(struct nl_answer *a, const void *body, u32 len)
{
    struct lx_ifinfomsg info;
    struct inet_dev *d;
    int err;

    d = link_of(a, body, len, &err);
    if (!d)
        return err == -ENODEV ? -EOPNOTSUPP : err;
    memcpy(&info, body, sizeof(info));
    if (len > sizeof(info) + 32)
        return -EOPNOTSUPP;
    if (!((info.change ? info.change : UINT32_MAX) & LX_IFF_UP))
        return 0;
    return inet_dev_set_up(a->ns, d, info.flags & LX_IFF_UP);
}

/* --- addresses --- */

static void put_ifaddr(struct nl_answer *a, const struct inet_ifaddr *i)
{
    bool four = inet_addr_is4(&i->addr);
    struct lx_ifaddrmsg msg = {.family = four ? LX_AF_INET : LX_AF_INET6, .prefixlen = i->prefix,
                               .flags = LX_IFA_F_PERMANENT, .scope = i->scope,
                               .index = i->dev->index};
    u32 cache[4] = {FOREVER, FOREVER, 0, 0};

    nl_begin(a, LX_RTM_NEWADDR, multi(a));
    nl_put(a, &msg, sizeof(msg));
    put_addr(a, LX_IFA_ADDRESS, &i->addr);
    if (four) {
        put_addr(a, LX_IFA_LOCAL, &i->addr);
        nl_attr_text(a, LX_IFA_LABEL, i->dev->name);
    }
    nl_attr_u32(a, LX_IFA_FLAGS, LX_IFA_F_PERMANENT);
    nl_attr(a, LX_IFA_CACHEINFO, cache, sizeof(cache));
    nl_end(a);
}

static int get_addr(struct nl_answer *a, const void *body, u32 len)
{
    u8 family = family_of(body, len);
    struct lx_ifaddrmsg want = {0};
    struct inet_ifaddr *i;

    if (!is_dump(a))
        return -EOPNOTSUPP;
    if (a->sock->strict && len < sizeof(want))
        return -EINVAL;
    if (a->sock->strict)
        memcpy(&want, body, sizeof(want));
    rwlock_read(&a->ns->lock);
    list_for_each(i, &a->ns->addrs, node) {
        if (wanted(family, &i->addr) && (!want.index || want.index == i->dev->index))
            put_ifaddr(a, i);
    }
    rwlock_unlock(&a->ns->lock);
    return 0;
}

/* --- routes --- */

static void put_route(struct nl_answer *a, const struct inet_route *r, const struct inet_addr *dst,
                      u8 prefix)
{
    bool four = inet_addr_is4(&r->dst);
    struct lx_rtmsg msg = {.family = four ? LX_AF_INET : LX_AF_INET6, .dst_len = prefix,
                           .table = r->table, .protocol = LX_RTPROT_KERNEL, .scope = r->scope,
                           .type = (u8)r->type};
    u32 cache[8] = {0};

    nl_begin(a, LX_RTM_NEWROUTE, multi(a));
    nl_put(a, &msg, sizeof(msg));
    nl_attr_u32(a, LX_RTA_TABLE, r->table);
    put_addr(a, LX_RTA_DST, dst);
    if (four)
        put_addr(a, LX_RTA_PREFSRC, &r->source);
    else
        nl_attr_u32(a, LX_RTA_PRIORITY, 0);
    nl_attr_u32(a, LX_RTA_OIF, r->dev->index);
    if (!four) {
        nl_attr(a, LX_RTA_CACHEINFO, cache, sizeof(cache));
        nl_attr_u8(a, LX_RTA_PREF, 0);
    }
    nl_end(a);
}

/* find_route() - `ip route get`: the way to one address. */
static int find_route(struct nl_answer *a, const void *body, u32 len)
{
    struct lx_rtmsg msg;
    struct nl_attrs attrs;
    struct inet_addr dst = inet_addr_any4;
    struct inet_route r;
    u32 bytes;
    const void *p;

    if (len < sizeof(msg))
        return -EINVAL;
    memcpy(&msg, body, sizeof(msg));
    if (nl_parse((const u8 *)body + sizeof(msg), len - (u32)sizeof(msg), &attrs) < 0)
        return -EINVAL;
    if (msg.family != LX_AF_INET && msg.family != LX_AF_INET6)
        return -EOPNOTSUPP;
    bytes = msg.family == LX_AF_INET ? ADDR_BYTES4 : ADDR_BYTES6;
    p = nl_payload(&attrs, LX_RTA_DST, bytes);
    if (!p)
        return -EINVAL;
    memcpy(dst.b + sizeof(dst.b) - bytes, p, bytes);
    if (inet_ns_route(a->ns, &dst, &r) < 0)
        return -ENETUNREACH;
    put_route(a, &r, &dst, (u8)(bytes * 8));
    return 0;
}

static int get_route(struct nl_answer *a, const void *body, u32 len)
{
    u8 family = family_of(body, len);
    struct lx_rtmsg want = {0};
    struct inet_route *r;

    if (!is_dump(a))
        return find_route(a, body, len);
    if (a->sock->strict && len >= sizeof(want))
        memcpy(&want, body, sizeof(want));
    rwlock_read(&a->ns->lock);
    list_for_each(r, &a->ns->routes, node) {
        if (wanted(family, &r->dst) && (!want.table || want.table == r->table))
            put_route(a, r, &r->dst, r->prefix);
    }
    rwlock_unlock(&a->ns->lock);
    return 0;
}

/* --- rules --- */

static void put_rule(struct nl_answer *a, u8 family, u32 priority, u8 table)
{
    struct lx_rtmsg msg = {.family = family, .table = table, .type = RULE_UNICAST};

    nl_begin(a, LX_RTM_NEWRULE, multi(a));
    nl_put(a, &msg, sizeof(msg));
    nl_attr_u32(a, LX_FRA_TABLE, table);
    nl_attr_u32(a, LX_FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
    nl_attr_u8(a, LX_FRA_PROTOCOL, LX_RTPROT_KERNEL);
    if (priority)
        nl_attr_u32(a, LX_FRA_PRIORITY, priority);
    nl_end(a);
}

static int get_rule(struct nl_answer *a, const void *body, u32 len)
{
    u8 family = family_of(body, len);

    if (!is_dump(a))
        return -EOPNOTSUPP;
    if (family != LX_AF_INET6) {
        put_rule(a, LX_AF_INET, RULE_LOCAL, LX_RT_TABLE_LOCAL);
        put_rule(a, LX_AF_INET, RULE_MAIN, LX_RT_TABLE_MAIN);
        put_rule(a, LX_AF_INET, RULE_DEFAULT, LX_RT_TABLE_DEFAULT);
    }
    if (family != LX_AF_INET) {
        put_rule(a, LX_AF_INET6, RULE_LOCAL, LX_RT_TABLE_LOCAL);
        put_rule(a, LX_AF_INET6, RULE_MAIN, LX_RT_TABLE_MAIN);
    }
    return 0;
}

/* --- dispatch --- */

static bool is_question(u16 type)
{
    return (type & 3) == 2; /* NEW, DEL, GET, SET stand in this order */
}

static bool may_change(const struct nl_answer *a)
{
    return cred_has_cap(task_cred(current), a->sock->socket.net->user_ns, CAP_NET_ADMIN);
}

int nl_route(struct nl_answer *a, const void *body, u32 len)
{
    u16 type = a->request->type;

    if (type > LX_RTM_MAX)
        return -EOPNOTSUPP;
    if (!len)
        return 0;
    if (!is_question(type) && !may_change(a))
        return -EPERM;
    switch (type) {
    case LX_RTM_GETLINK:
        return get_link(a, body, len);
    case LX_RTM_NEWLINK:
    case LX_RTM_SETLINK:
        return set_link(a, body, len);
    case LX_RTM_GETADDR:
        return get_addr(a, body, len);
    case LX_RTM_GETROUTE:
        return get_route(a, body, len);
    case LX_RTM_GETRULE:
        return get_rule(a, body, len);
    case LX_RTM_GETNEIGH:
    case LX_RTM_GETQDISC:
    case LX_RTM_GETADDRLABEL:
        return is_dump(a) ? 0 : -EOPNOTSUPP; /* lo has none of these */
    default:
        return -EOPNOTSUPP;
    }
}
