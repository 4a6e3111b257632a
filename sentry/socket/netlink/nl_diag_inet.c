/* sock_diag(7) of IPv4 and IPv6: all sockets that a filter lets through, or the one that is named. */
#include "sentry/socket/netlink/nl_diag.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

enum { CAP_NET_ADMIN = 12 };

/* A request, taken apart. */
struct inet_question {
    struct lx_inet_diag_req q;
    enum inet_table table;
    const u8 *filter; /* checked; NULL: none */
    u32 filter_len;
    bool admin;
};

static void put_half(const struct inet_endpoint *e, u16 family, u16 *port, u32 addr[4])
{
    *port = __builtin_bswap16(e->port);
    if (family == LX_AF_INET)
        memcpy(addr, e->addr.b + 12, 4);
    else
        memcpy(addr, e->addr.b, 16);
}

static bool asked(const struct inet_question *w, u32 attr)
{
    return w->q.ext & (1u << (attr - 1));
}

static void put_memory(struct nl_answer *a, const struct inet_question *w, const struct inet_row *r)
{
    u32 info[4] = {r->received, r->sent, 0, r->sent};
    u32 words[LX_SK_MEMINFO_WORDS] = {
        [LX_SK_MEMINFO_RMEM_ALLOC] = r->received, [LX_SK_MEMINFO_RCVBUF] = r->rcvbuf,
        [LX_SK_MEMINFO_WMEM_ALLOC] = r->sent, [LX_SK_MEMINFO_SNDBUF] = r->sndbuf,
        [LX_SK_MEMINFO_DROPS] = r->drops};

    if (r->state == LX_TCP_LISTEN) /* its numbers are of connections */
        memset(info, 0, sizeof(info));
    if (asked(w, LX_INET_DIAG_MEMINFO))
        nl_attr(a, LX_INET_DIAG_MEMINFO, info, sizeof(info));
    if (asked(w, LX_INET_DIAG_SKMEMINFO))
        nl_attr(a, LX_INET_DIAG_SKMEMINFO, words, sizeof(words));
}

static void put_attributes(struct nl_answer *a, const struct inet_question *w,
                           const struct inet_row *r)
{
    bool six = r->family == LX_AF_INET6;

    nl_attr_u8(a, LX_INET_DIAG_SHUTDOWN, r->shutdown);
    if (asked(w, LX_INET_DIAG_TOS))
        nl_attr_u8(a, LX_INET_DIAG_TOS, r->tos);
    if (six && asked(w, LX_INET_DIAG_TCLASS))
        nl_attr_u8(a, LX_INET_DIAG_TCLASS, r->tclass);
    if (six && (r->state == LX_TCP_LISTEN || r->state == LX_TCP_CLOSE))
        nl_attr_u8(a, LX_INET_DIAG_SKV6ONLY, r->v6only);
    if (w->admin)
        nl_attr_u32(a, LX_INET_DIAG_MARK, r->mark);
    put_memory(a, w, r);
    if (w->table != INET_TCP)
        return;
    if (asked(w, LX_INET_DIAG_INFO))
        nl_attr(a, LX_INET_DIAG_INFO, &r->info, sizeof(r->info));
    if (asked(w, LX_INET_DIAG_CONG))
        nl_attr_text(a, LX_INET_DIAG_CONG, r->congestion);
}

static void put_row(struct nl_answer *a, const struct inet_question *w, const struct inet_row *r,
                    u16 flags)
{
    struct lx_inet_diag_msg m = {.family = (u8)r->family, .state = r->state, .timer = r->timer,
                                 .expires = r->timer_ms, .rqueue = r->received, .wqueue = r->sent,
                                 .inode = (u32)r->ino};

    m.uid = uid_from_kuid(task_cred(current)->user_ns, r->uid);
    put_half(&r->local, r->family, &m.id.sport, m.id.src);
    put_half(&r->peer, r->family, &m.id.dport, m.id.dst);
    m.id.cookie[0] = (u32)r->cookie;
    m.id.cookie[1] = (u32)(r->cookie >> 32);
    nl_begin(a, a->request->type, flags);
    nl_put(a, &m, sizeof(m));
    if (r->state != LX_TCP_TIME_WAIT)
        put_attributes(a, w, r);
    nl_end(a);
}

static int table_of(u32 protocol)
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

/* read_filter() - from the attributes behind a request. Return: 0, -EINVAL, -EPERM. */
static int read_filter(struct nl_answer *a, struct nl_attrs *attrs, struct inet_question *out)
{
    const struct lx_nlattr *filter = attrs->attr[LX_INET_DIAG_REQ_BYTECODE];

    out->admin = cred_has_cap(task_cred(current), a->sock->socket.net->user_ns, CAP_NET_ADMIN);
    if (!filter)
        return 0;
    out->filter = (const u8 *)(filter + 1);
    out->filter_len = filter->len - (u32)sizeof(*filter);
    return nl_filter_check(out->filter, out->filter_len, out->admin);
}

static bool is_wanted(const struct inet_question *w, const struct inet_row *r)
{
    const struct lx_inet_diag_sockid *id = &w->q.id;

    return (!w->q.family || r->family == w->q.family) && w->q.states & (1u << r->state) &&
           (!id->sport || id->sport == __builtin_bswap16(r->local.port)) &&
           (!id->dport || id->dport == __builtin_bswap16(r->peer.port)) &&
           (!w->filter || nl_filter_run(w->filter, w->filter_len, r));
}

/* is_named() - by both its addresses; or, `listens`, by the port that it listens on. */
static bool is_named(const struct inet_question *w, const struct inet_row *r, bool listens)
{
    const struct lx_inet_diag_sockid *id = &w->q.id;
    u32 bytes = r->family == LX_AF_INET ? 4 : 16, src[4] = {0}, dst[4] = {0};
    u16 sport, dport;

    put_half(&r->local, r->family, &sport, src);
    put_half(&r->peer, r->family, &dport, dst);
    if (r->family != w->q.family || sport != id->sport)
        return false;
    if (listens && (r->state == LX_TCP_LISTEN || r->state == LX_TCP_CLOSE))
        return inet_addr_is_any(&r->local.addr) || memcmp(src, id->src, bytes) == 0;
    return dport == id->dport && memcmp(src, id->src, bytes) == 0 &&
           memcmp(dst, id->dst, bytes) == 0;
}

/* answer_one() - the socket that the request names. Return: 0, -ENOENT (of another cookie, too). */
static int answer_one(struct nl_answer *a, const struct inet_question *w,
                      const struct inet_row *rows, ssize_t n)
{
    for (int listens = 0; listens < 2; listens++) {
        for (ssize_t i = 0; i < n; i++) {
            if (!is_named(w, &rows[i], listens))
                continue;
            if (!nl_diag_is(w->q.id.cookie, rows[i].cookie))
                return -ENOENT;
            put_row(a, w, &rows[i], 0);
            return 0;
        }
    }
    return -ENOENT;
}

static bool is_dump(const struct nl_answer *a)
{
    return (a->request->flags & LX_NLM_F_DUMP) == LX_NLM_F_DUMP;
}

/* answer() - a request that was taken apart. Return: 0, -ENOENT, -ENOMEM. */
static int answer(struct nl_answer *a, const struct inet_question *w)
{
    auto_free struct inet_row *rows = NULL;
    ssize_t n = inet_rows(a->ns, w->table, &rows);

    if (n < 0)
        return (int)n;
    if (!is_dump(a))
        return answer_one(a, w, rows, n);
    for (ssize_t i = 0; i < n; i++) {
        if (is_wanted(w, &rows[i]))
            put_row(a, w, &rows[i], LX_NLM_F_MULTI);
    }
    return 0;
}

int nl_diag_inet(struct nl_answer *a, const void *body, u32 len)
{
    struct inet_question w = {0};
    struct nl_attrs attrs;
    int rc;

    if (len < sizeof(w.q))
        return -EINVAL;
    memcpy(&w.q, body, sizeof(w.q));
    rc = nl_parse((const u8 *)body + sizeof(w.q), len - (u32)sizeof(w.q), &attrs);
    rc = rc < 0 ? rc : read_filter(a, &attrs, &w);
    if (rc < 0)
        return rc;
    rc = table_of(nl_u32(&attrs, LX_INET_DIAG_REQ_PROTOCOL, w.q.protocol));
    if (rc < 0 && is_dump(a)) {
        a->done = rc; /* a dump that has begun says at its end that it failed */
        return 0;
    }
    w.table = (enum inet_table)rc;
    return rc < 0 ? rc : answer(a, &w);
}

int nl_diag_tcp(struct nl_answer *a, const void *body, u32 len)
{
    struct inet_question w = {.table = INET_TCP};
    struct lx_tcpdiag_req old;
    struct nl_attrs attrs;
    int rc;

    if (len < sizeof(old))
        return -EINVAL;
    memcpy(&old, body, sizeof(old));
    w.q = (struct lx_inet_diag_req){.family = is_dump(a) ? LX_AF_UNSPEC : old.family,
                                    .ext = old.ext, .states = old.states, .id = old.id};
    rc = nl_parse((const u8 *)body + sizeof(old), len - (u32)sizeof(old), &attrs);
    rc = rc < 0 ? rc : read_filter(a, &attrs, &w);
    return rc < 0 ? rc : answer(a, &w);
}
