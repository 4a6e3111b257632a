/* NETLINK_SOCK_DIAG (sock_diag(7)): the IPv4 and IPv6 sockets of the namespace, for `ss`. */
#include "sentry/socket/netlink/netlink_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/inet/inet_row.h"

#include <errno.h>
#include <string.h>

static void put_half(const struct inet_endpoint *e, u16 family, u16 *port, u32 addr[4])
{
    *port = __builtin_bswap16(e->port);
    if (family == LX_AF_INET)
        memcpy(addr, e->addr.b + 12, 4);
    else
        memcpy(addr, e->addr.b, 16);
}

static void put_row(struct nl_answer *a, const struct inet_row *r, u16 type)
{
    struct lx_inet_diag_msg m = {.family = (u8)r->family, .state = r->state, .timer = r->timer,
                                 .expires = r->timer_ms, .rqueue = r->received, .wqueue = r->sent,
                                 .inode = (u32)r->ino};

    /* A listener's queues stand the other way round: ready connections, and room for them. */
    m.uid = uid_from_kuid(task_cred(current)->user_ns, r->uid);
    put_half(&r->local, r->family, &m.id.sport, m.id.src);
    put_half(&r->peer, r->family, &m.id.dport, m.id.dst);
    m.id.cookie[0] = (u32)r->cookie;
    m.id.cookie[1] = (u32)(r->cookie >> 32);
    nl_begin(a, type, LX_NLM_F_MULTI);
    nl_put(a, &m, sizeof(m));
    nl_end(a);
}

static int table_of(u8 protocol)
{
    switch (protocol) {
    case LX_IPPROTO_TCP:
        return INET_TCP;
    case LX_IPPROTO_UDP:
        return INET_UDP;
    case LX_IPPROTO_UDPLITE:
        return INET_UDPLITE;
    default:
        return -ENOENT;
    }
}

int nl_diag(struct nl_answer *a, const void *body, u32 len)
{
    struct lx_inet_diag_req q;
    auto_free struct inet_row *rows = NULL;
    ssize_t n;
    int table;

    if (a->request->type != LX_SOCK_DIAG_BY_FAMILY)
        return -EINVAL;
    if (len < 2)
        return -EINVAL;
    memset(&q, 0, sizeof(q));
    memcpy(&q, body, min_of(len, (u32)sizeof(q)));
    if (q.family != LX_AF_INET && q.family != LX_AF_INET6)
        return -ENOENT;
    if ((a->request->flags & LX_NLM_F_DUMP) != LX_NLM_F_DUMP || len < sizeof(q))
        return -EOPNOTSUPP;
    table = table_of(q.protocol);
    if (table < 0)
        return table;
    n = inet_rows(a->ns, (enum inet_table)table, &rows);
    for (ssize_t i = 0; i < n; i++) {
        if (rows[i].family == q.family && q.states & (1u << rows[i].state))
            put_row(a, &rows[i], LX_SOCK_DIAG_BY_FAMILY);
    }
    return n < 0 ? (int)n : 0;
}
