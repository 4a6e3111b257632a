/* sock_diag(7) of AF_UNIX: all sockets in some states, or the one of an inode number. */
#include "sentry/socket/netlink/nl_diag.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/unix_row.h"

#include <errno.h>
#include <string.h>

static void put_name(struct nl_answer *a, const struct unix_addr *addr)
{
    u32 len = addr->len - (u32)sizeof(addr->un.family);

    nl_attr(a, LX_UNIX_DIAG_NAME, addr->un.path, min_of(len, (u32)LX_UNIX_PATH_MAX));
}

enum { WAITING_MAX = NL_MESSAGE / 2 / sizeof(u32) }; /* that many are told of in one message */

/* put_waiting() - who waits to be accepted. Return: 0, -ENOMEM. */
static int put_waiting(struct nl_answer *a, struct unix_socket *u)
{
    auto_free u32 *inos = NULL;
    ssize_t n = unix_waiting(u, &inos);

    if (n > 0)
        nl_attr(a, LX_UNIX_DIAG_ICONS, inos, min_of((u32)n, (u32)WAITING_MAX) * (u32)sizeof(*inos));
    return n < 0 ? (int)n : 0;
}

static void put_memory(struct nl_answer *a, const struct unix_row *r)
{
    u32 words[LX_SK_MEMINFO_WORDS] = {
        [LX_SK_MEMINFO_RMEM_ALLOC] = r->state == LX_TCP_LISTEN ? 0 : r->received,
        [LX_SK_MEMINFO_RCVBUF] = r->rcvbuf, [LX_SK_MEMINFO_WMEM_ALLOC] = r->wmem,
        [LX_SK_MEMINFO_SNDBUF] = r->sndbuf};

    nl_attr(a, LX_UNIX_DIAG_MEMINFO, words, sizeof(words));
}

static int put_attributes(struct nl_answer *a, struct unix_socket *u, const struct unix_row *r,
                          u32 show)
{
    u32 node[2] = {(u32)r->path_ino, r->path_dev}, queues[2] = {r->received, r->sent};
    int rc = 0;

    if (show & LX_UDIAG_SHOW_NAME && r->addr)
        put_name(a, r->addr);
    if (show & LX_UDIAG_SHOW_VFS && r->path_ino)
        nl_attr(a, LX_UNIX_DIAG_VFS, node, sizeof(node));
    if (show & LX_UDIAG_SHOW_PEER && r->peer)
        nl_attr_u32(a, LX_UNIX_DIAG_PEER, (u32)r->peer);
    if (show & LX_UDIAG_SHOW_ICONS && r->state == LX_TCP_LISTEN)
        rc = put_waiting(a, u);
    if (show & LX_UDIAG_SHOW_RQLEN)
        nl_attr(a, LX_UNIX_DIAG_RQLEN, queues, sizeof(queues));
    if (show & LX_UDIAG_SHOW_MEMINFO)
        put_memory(a, r);
    nl_attr_u8(a, LX_UNIX_DIAG_SHUTDOWN, r->shutdown);
    if (show & LX_UDIAG_SHOW_UID)
        nl_attr_u32(a, LX_UNIX_DIAG_UID, uid_from_kuid(task_cred(current)->user_ns, r->uid));
    return rc;
}

static int put_socket(struct nl_answer *a, struct unix_socket *u, const struct unix_row *r,
                      const struct lx_unix_diag_req *q, u16 flags)
{
    struct lx_unix_diag_msg m = {.family = LX_AF_UNIX, .type = (u8)r->type, .state = r->state,
                                 .ino = (u32)r->ino,
                                 .cookie = {(u32)r->cookie, (u32)(r->cookie >> 32)}};
    int rc;

    nl_begin(a, LX_SOCK_DIAG_BY_FAMILY, flags);
    nl_put(a, &m, sizeof(m));
    rc = put_attributes(a, u, r, q->show);
    nl_end(a);
    return rc;
}

/* answer() - those that the request means. Return: how many, -ESTALE, -ENOMEM. */
static int answer(struct nl_answer *a, const struct lx_unix_diag_req *q, struct unix_socket **socks,
                  ssize_t n)
{
    bool dump = (a->request->flags & LX_NLM_F_DUMP) == LX_NLM_F_DUMP;
    int count = 0, rc = 0;

    for (ssize_t i = 0; i < n && rc >= 0; i++) {
        struct unix_row r;

        /* Connections that nobody accepted have no number yet, and are their listener's to tell. */
        if (!unix_row(socks[i], &r) || !r.ino)
            continue;
        if (dump ? !(q->states & (1u << r.state)) : (u32)r.ino != q->ino)
            continue;
        if (!dump && !nl_diag_is(q->cookie, r.cookie))
            return -ESTALE;
        rc = put_socket(a, socks[i], &r, q, dump ? LX_NLM_F_MULTI : 0);
        count++;
    }
    return rc < 0 ? rc : count;
}

int nl_diag_unix(struct nl_answer *a, const void *body, u32 len)
{
    struct lx_unix_diag_req q;
    struct unix_socket **socks;
    ssize_t n;
    int rc;

    if (len < sizeof(q))
        return -EINVAL;
    memcpy(&q, body, sizeof(q));
    if ((a->request->flags & LX_NLM_F_DUMP) != LX_NLM_F_DUMP && !q.ino)
        return -EINVAL;
    n = unix_socks(a->sock->socket.net, &socks);
    if (n < 0)
        return (int)n;
    rc = answer(a, &q, socks, n);
    unix_socks_put(socks, n);
    if (rc < 0)
        return rc;
    return rc || (a->request->flags & LX_NLM_F_DUMP) == LX_NLM_F_DUMP ? 0 : -ENOENT;
}
