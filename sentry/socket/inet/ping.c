/* Ping sockets (icmp(7)): an echo request to an address of this host is answered at once. */
#include "sentry/socket/inet/udp.h"

#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

enum { ICMP_ECHO = 8, ICMP_ECHOREPLY = 0, ICMP6_ECHO = 128, ICMP6_ECHOREPLY = 129 };

/* struct icmphdr of an echo, which both versions share. */
struct echo {
    u8 type, code;
    u16 checksum, id, sequence; /* network order */
};

static u16 checksum(const u8 *data, u32 len)
{
    u32 sum = 0;

    for (u32 i = 0; i + 1 < len; i += 2)
        sum += (u32)data[i] | (u32)data[i + 1] << 8;
    if (len & 1)
        sum += data[len - 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

int ping_answer(struct udp_sock *u, struct udp_packet *p)
{
    bool six = u->inet.table == INET_PING6;
    struct inet_endpoint from = p->from;
    struct echo e;

    if (p->len < sizeof(e))
        return -EINVAL;
    memcpy(&e, p->data, sizeof(e));
    if (e.type != (six ? ICMP6_ECHO : ICMP_ECHO) || e.code)
        return -EINVAL;
    e.type = six ? ICMP6_ECHOREPLY : ICMP_ECHOREPLY;
    e.id = __builtin_bswap16(u->inet.local.port);
    e.checksum = 0;
    memcpy(p->data, &e, sizeof(e));
    e.checksum = checksum(p->data, p->len);
    memcpy(p->data, &e, sizeof(e));
    p->from = p->to;
    p->from.port = 0;
    p->to = from;
    (void)udp_deliver(u, p);
    return 0;
}

/* may_ping() - is one of the task's groups in ping_group_range? */
static bool may_ping(struct inet_ns *ns)
{
    const struct cred *c = task_cred(current);
    u64 range = ns->set.ping_groups;
    u32 low = (u32)range, high = (u32)(range >> 32);

    if (c->egid >= low && c->egid <= high)
        return true;
    for (u32 i = 0; i < c->ngroups; i++) {
        if (c->groups[i] >= low && c->groups[i] <= high)
            return true;
    }
    return false;
}

int ping_create(struct net_ns *net, u16 family, struct socket **out)
{
    struct inet_ns *ns = inet_ns_of(net);

    if (!ns)
        return -ENOMEM;
    if (!may_ping(ns))
        return -EACCES;
    return udp_create(net, family, family == LX_AF_INET ? LX_IPPROTO_ICMP : LX_IPPROTO_ICMPV6, out);
}
