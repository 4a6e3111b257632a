/*
 * Options of IPPROTO_IP and IPPROTO_IPV6: a table for those that are a number, code for the rest.
 * Groups are in inet_group.c.
 */
#include "sentry/socket/inet/inet_sock.h"

#include "sentry/kernel/net_ns.h"

#include <errno.h>
#include <string.h>

enum { CAP_NET_ADMIN = 12, CAP_NET_RAW = 13 };
enum { PMTUDISC_WANT = 1, PMTUDISC_OMIT = 5 };

enum {
    OPT_BOOL = 1u << 0,   /* any number but 0 is 1 */
    OPT_SIX = 1u << 1,    /* only on an AF_INET6 socket */
    OPT_DGRAM = 1u << 2,  /* not on a stream */
    OPT_ADMIN = 1u << 3,  /* setting it needs CAP_NET_ADMIN or CAP_NET_RAW */
    OPT_TTL = 1u << 4,    /* -1 reads as the default */
    OPT_DEFAULT = 1u << 5, /* -1 stands for the smallest value */
    OPT_NONE = 1u << 6,   /* known to read, not to set */
};

struct option {
    u16 level, name;
    u16 offset; /* in struct inet_options */
    u16 flags;
    s32 min, max;
};

#define ROW(level, name, field, min, max, flags)                                                   \
    {LX_SOL_##level, LX_##name, offsetof(struct inet_options, field), flags, min, max}
#define FLAG(level, name, field, flags) ROW(level, name, field, INT32_MIN, INT32_MAX, OPT_BOOL | (flags))

static const struct option options[] = {
    ROW(IP, IP_TOS, tos, INT32_MIN, INT32_MAX, 0),
    ROW(IP, IP_TTL, ttl, -1, 255, OPT_TTL),
    ROW(IP, IP_MINTTL, min_ttl, 0, 255, 0),
    ROW(IP, IP_MTU_DISCOVER, pmtu_discover, 0, PMTUDISC_OMIT, 0),
    ROW(IP, IP_MULTICAST_TTL, mc_ttl, -1, 255, OPT_DGRAM | OPT_DEFAULT),
    FLAG(IP, IP_MULTICAST_LOOP, mc_loop, 0),
    ROW(IP, IP_MULTICAST_ALL, mc_all, 0, 1, 0),
    FLAG(IP, IP_PKTINFO, pktinfo, 0),
    FLAG(IP, IP_RECVERR, recverr, 0),
    FLAG(IP, IP_RECVTTL, recvttl, 0),
    FLAG(IP, IP_RECVTOS, recvtos, 0),
    FLAG(IP, IP_RECVOPTS, recvopts, 0),
    FLAG(IP, IP_RETOPTS, retopts, 0),
    FLAG(IP, IP_RECVORIGDSTADDR, recvorigdst, 0),
    FLAG(IP, IP_FREEBIND, freebind, 0),
    FLAG(IP, IP_TRANSPARENT, transparent, OPT_ADMIN),
    FLAG(IP, IP_BIND_ADDRESS_NO_PORT, bind_no_port, 0),
    ROW(IP, IP_RECVERR_RFC4884, recverr_rfc4884, 0, 1, 0),
    FLAG(IPV6, IPV6_V6ONLY, v6only, OPT_SIX),
    ROW(IPV6, IPV6_UNICAST_HOPS, hops, -1, 255, OPT_SIX | OPT_TTL),
    ROW(IPV6, IPV6_MULTICAST_HOPS, mc_hops6, -1, 255, OPT_SIX | OPT_DGRAM | OPT_DEFAULT),
    ROW(IPV6, IPV6_MULTICAST_LOOP, mc_loop6, 0, 1, OPT_SIX),
    ROW(IPV6, IPV6_MULTICAST_ALL, mc_all6, 0, 1, OPT_SIX),
    ROW(IPV6, IPV6_MTU_DISCOVER, pmtu_discover6, 0, PMTUDISC_OMIT, OPT_SIX),
    FLAG(IPV6, IPV6_RECVERR, recverr6, OPT_SIX),
    FLAG(IPV6, IPV6_RECVPKTINFO, recvpktinfo6, OPT_SIX),
    FLAG(IPV6, IPV6_RECVHOPLIMIT, recvhoplimit, OPT_SIX),
    FLAG(IPV6, IPV6_RECVTCLASS, recvtclass, OPT_SIX),
    ROW(IPV6, IPV6_TCLASS, tclass, -1, 255, OPT_SIX | OPT_DEFAULT),
    FLAG(IPV6, IPV6_DONTFRAG, dontfrag, OPT_SIX),
    FLAG(IPV6, IPV6_AUTOFLOWLABEL, autoflowlabel, OPT_SIX),
    FLAG(IPV6, IPV6_FLOWINFO_SEND, flowinfo_send, OPT_SIX),
    ROW(IPV6, IPV6_MINHOPCOUNT, min_hops, 0, 255, OPT_SIX),
    FLAG(IPV6, IPV6_TRANSPARENT, transparent6, OPT_SIX | OPT_ADMIN),
    FLAG(IPV6, IPV6_FREEBIND, freebind6, OPT_SIX),
    ROW(IPV6, IPV6_ADDR_PREFERENCES, addr_preferences, 0, 0, OPT_SIX | OPT_NONE),
};

void inet_options_init(struct inet_sock *s)
{
    s->ip = (struct inet_options){.ttl = -1, .pmtu_discover = PMTUDISC_WANT, .mc_ttl = 1,
                                  .mc_loop = 1, .mc_all = 1, .hops = -1, .mc_hops6 = 1,
                                  .mc_loop6 = 1, .mc_all6 = 1, .pmtu_discover6 = PMTUDISC_WANT,
                                  .autoflowlabel = 1, .v6only = s->ns->set.bindv6only != 0};
}

int inet_option_int(const void *value, u32 len, s32 *out)
{
    if (len < sizeof(*out))
        return -EINVAL;
    memcpy(out, value, sizeof(*out));
    return 0;
}

int inet_option_put(void *value, u32 *len, s32 v)
{
    u32 n = min_of(*len, (u32)sizeof(v));

    memcpy(value, &v, n);
    *len = n;
    return 0;
}

static const struct option *find(int level, int name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (options[i].level == level && options[i].name == name)
            return &options[i];
    }
    return NULL;
}

static s32 *field(struct inet_sock *s, const struct option *o)
{
    return (s32 *)(void *)((char *)&s->ip + o->offset);
}

/* ip_value() - IPPROTO_IP takes an int or one byte (ip(7)); no bytes at all are 0. */
static void ip_value(const void *value, u32 len, s32 *out)
{
    *out = 0;
    if (len >= sizeof(*out))
        memcpy(out, value, sizeof(*out));
    else if (len)
        *out = *(const u8 *)value;
}

/* check() - is the number one that the option takes? It may be changed to what is kept. */
static int check(struct inet_sock *s, const struct option *o, s32 *v)
{
    bool stream = s->table == INET_TCP;

    if (o->flags & OPT_NONE)
        return -EINVAL;
    if (o->flags & OPT_DGRAM && stream)
        return o->level == LX_SOL_IP ? -EINVAL : -ENOPROTOOPT;
    if (o->flags & OPT_ADMIN && *v && !inet_capable(s, CAP_NET_ADMIN) &&
        !inet_capable(s, CAP_NET_RAW))
        return -EPERM;
    if (o->flags & OPT_BOOL)
        *v = *v != 0;
    if (*v < o->min || *v > o->max)
        return -EINVAL;
    if (o->level == LX_SOL_IP && o->name == LX_IP_TTL && *v == 0)
        return -EINVAL;
    if (o->flags & OPT_DEFAULT && *v == -1)
        *v = o->name == LX_IPV6_TCLASS && o->level == LX_SOL_IPV6 ? 0 : 1;
    if (o->level == LX_SOL_IP && o->name == LX_IP_TOS)
        *v &= stream ? 0xfc | (s->ip.tos & 3) : 0xff;
    if (o->level == LX_SOL_IPV6 && o->name == LX_IPV6_V6ONLY && s->bind)
        return -EINVAL;
    return 0;
}

static int set_number(struct inet_sock *s, const struct option *o, const void *value, u32 len)
{
    s32 v;
    int rc = 0;

    if (o->level == LX_SOL_IP)
        ip_value(value, len, &v);
    else
        rc = inet_option_int(value, len, &v);
    if (rc < 0)
        return rc;
    mutex_lock(&s->socket.lock);
    rc = check(s, o, &v);
    if (!rc)
        *field(s, o) = v;
    mutex_unlock(&s->socket.lock);
    return rc;
}

/* set_if() - IP_MULTICAST_IF: an address, with ip_mreqn an index too. */
static int set_mc_if(struct inet_sock *s, const void *value, u32 len)
{
    struct lx_ip_mreqn m = {0};

    if (s->table == INET_TCP)
        return -EINVAL;
    if (len >= sizeof(m))
        memcpy(&m, value, sizeof(m));
    else if (len >= 8)
        memcpy(&m, value, 8);
    else if (len >= 4)
        memcpy(&m.address, value, 4);
    else
        return -EINVAL;
    if (m.ifindex && !inet_dev_find(s->ns, (u32)m.ifindex))
        return -EADDRNOTAVAIL;
    if (!m.ifindex && m.address) {
        struct inet_addr a = inet_addr_of4(m.address);

        if (!inet_ns_is_local(s->ns, &a))
            return -EADDRNOTAVAIL;
        m.ifindex = INET_LO_INDEX;
    }
    s->ip.mc_index = m.ifindex;
    s->ip.mc_addr = m.address;
    return 0;
}

static int set_mc_if6(struct inet_sock *s, const void *value, u32 len)
{
    s32 index;
    int rc = inet_option_int(value, len, &index);

    if (rc < 0)
        return rc;
    if (s->table == INET_TCP)
        return -ENOPROTOOPT;
    if (index && !inet_dev_find(s->ns, (u32)index))
        return -ENODEV;
    s->ip.mc_index6 = index;
    return 0;
}

/* set_unicast_if() - the index comes in network order. */
static int set_unicast_if(struct inet_sock *s, int level, const void *value, u32 len)
{
    s32 v;
    u32 index;

    if (inet_option_int(value, len, &v) < 0)
        return -EINVAL;
    index = __builtin_bswap32((u32)v);
    if (index && !inet_dev_find(s->ns, index))
        return -EADDRNOTAVAIL;
    *(level == LX_SOL_IP ? &s->ip.unicast_index : &s->ip.unicast_index6) = (s32)index;
    return 0;
}

static int set_port_range(struct inet_sock *s, const void *value, u32 len)
{
    s32 v;
    u32 low, high;

    if (len != sizeof(v) || inet_option_int(value, len, &v) < 0)
        return -EINVAL;
    low = (u32)v & 0xffff;
    high = (u32)v >> 16;
    if (low && high && low > high)
        return -EINVAL;
    s->ip.port_range = (u32)v;
    return 0;
}

static int set_ip(struct inet_sock *s, int name, const void *value, u32 len)
{
    switch (name) {
    case LX_IP_MULTICAST_IF:
        return set_mc_if(s, value, len);
    case LX_IP_UNICAST_IF:
        return set_unicast_if(s, LX_SOL_IP, value, len);
    case LX_IP_LOCAL_PORT_RANGE:
        return set_port_range(s, value, len);
    case LX_IP_OPTIONS:
        return len ? -EINVAL : 0; /* nothing here reads a packet's options: none can be set */
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ipv6(struct inet_sock *s, int name, const void *value, u32 len)
{
    switch (name) {
    case LX_IPV6_MULTICAST_IF:
        return set_mc_if6(s, value, len);
    case LX_IPV6_UNICAST_IF:
        return set_unicast_if(s, LX_SOL_IPV6, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

int inet_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len)
{
    struct inet_sock *s = inet_sock_of(sock);
    const struct option *o = find(level, name);
    int rc;

    if (level == LX_SOL_IPV6 && sock->family != LX_AF_INET6)
        return -ENOPROTOOPT;
    if (level != LX_SOL_IP && level != LX_SOL_IPV6)
        return -ENOPROTOOPT;
    if (o)
        return set_number(s, o, value, len);
    rc = inet_group_option(s, level, name, value, len);
    if (rc != -ENOPROTOOPT)
        return rc;
    return level == LX_SOL_IP ? set_ip(s, name, value, len) : set_ipv6(s, name, value, len);
}

/* --- reading --- */

/* put_ip() - IPPROTO_IP gives one byte to who has room for less than an int, if it fits. */
static int put_ip(void *value, u32 *len, s32 v)
{
    if (*len >= sizeof(v) || !*len || v < 0 || v > 255)
        return inet_option_put(value, len, v);
    *(u8 *)value = (u8)v;
    *len = 1;
    return 0;
}

static int get_number(struct inet_sock *s, const struct option *o, void *value, u32 *len)
{
    s32 v = *field(s, o);

    if (o->flags & OPT_TTL && v == -1)
        v = (s32)s->ns->set.default_ttl;
    return o->level == LX_SOL_IP ? put_ip(value, len, v) : inet_option_put(value, len, v);
}

static int get_ip(struct inet_sock *s, int name, void *value, u32 *len)
{
    switch (name) {
    case LX_IP_MTU:
        return s->peer.port ? put_ip(value, len, INET_LO_MTU) : -ENOTCONN;
    case LX_IP_MULTICAST_IF:
        return inet_option_put(value, len, (s32)s->ip.mc_addr);
    case LX_IP_UNICAST_IF:
        return inet_option_put(value, len, (s32)__builtin_bswap32((u32)s->ip.unicast_index));
    case LX_IP_LOCAL_PORT_RANGE:
        return inet_option_put(value, len, (s32)s->ip.port_range);
    case LX_IP_OPTIONS:
        *len = 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_ipv6(struct inet_sock *s, int name, void *value, u32 *len)
{
    switch (name) {
    case LX_IPV6_MTU:
        return s->peer.port ? inet_option_put(value, len, INET_LO_MTU) : -ENOTCONN;
    case LX_IPV6_MULTICAST_IF:
        return inet_option_put(value, len, s->ip.mc_index6);
    case LX_IPV6_UNICAST_IF:
        return inet_option_put(value, len, (s32)__builtin_bswap32((u32)s->ip.unicast_index6));
    default:
        return -ENOPROTOOPT;
    }
}

int inet_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len)
{
    struct inet_sock *s = inet_sock_of(sock);
    const struct option *o = find(level, name);

    if (level == LX_SOL_IPV6 && sock->family != LX_AF_INET6)
        return -ENOPROTOOPT;
    if (level != LX_SOL_IP && level != LX_SOL_IPV6)
        return -ENOPROTOOPT;
    if (o)
        return get_number(s, o, value, len);
    return level == LX_SOL_IP ? get_ip(s, name, value, len) : get_ipv6(s, name, value, len);
}
