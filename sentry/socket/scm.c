/* Control messages (cmsg(3)): taking what was sent apart, putting together what is received. */
#include "sentry/socket/socket.h"

#include "sentry/base/host_thread.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <string.h>

enum { CMSG_MOST = LX_SCM_MAX_FD * sizeof(s32) }; /* the longest that is ever put */

static u32 cmsg_align(u32 n)
{
    return (n + 7) & ~7u;
}

int cmsg_next(const struct socket_control *c, u32 *at, struct cmsg *out)
{
    struct lx_cmsghdr h;

    if (*at > c->len || c->len - *at < sizeof(h))
        return 0;
    memcpy(&h, c->data + *at, sizeof(h));
    if (h.len < sizeof(h) || h.len > c->len - *at)
        return -EINVAL;
    out->level = h.level;
    out->type = h.type;
    out->data = c->data + *at + sizeof(h);
    out->len = (u32)h.len - (u32)sizeof(h);
    *at += min_of(cmsg_align((u32)h.len), c->len - *at);
    return 1;
}

void cmsg_put(struct socket_msg *m, int level, int type, const void *data, u32 len)
{
    struct socket_control *c = &m->control;
    struct lx_cmsghdr h = {.len = sizeof(h) + len, .level = level, .type = type};
    u32 room = c->cap - c->len;
    u8 out[sizeof(h) + CMSG_MOST];

    if (room < sizeof(h)) {
        m->out_flags |= LX_MSG_CTRUNC;
        return;
    }
    if (h.len > room) {
        m->out_flags |= LX_MSG_CTRUNC;
        h.len = room;
    }
    memcpy(out, &h, sizeof(h));
    memcpy(out + sizeof(h), data, h.len - sizeof(h));
    if (usermem_out(current->mm, c->to + c->len, out, h.len) == 0)
        c->len += min_of(cmsg_align((u32)h.len), room);
}

void cmsg_put_timestamp(struct socket *s, struct socket_msg *m, u64 ns)
{
    bool fresh = socket_flag(s, SOCKET_TIMESTAMP_NEW);
    s64 at[2] = {(s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC)};

    if (socket_flag(s, SOCKET_TIMESTAMPNS)) {
        cmsg_put(m, LX_SOL_SOCKET, fresh ? LX_SO_TIMESTAMPNS_NEW : LX_SO_TIMESTAMPNS_OLD, at,
                 sizeof(at));
    } else if (socket_flag(s, SOCKET_TIMESTAMP)) {
        at[1] /= 1000;
        cmsg_put(m, LX_SOL_SOCKET, fresh ? LX_SO_TIMESTAMP_NEW : LX_SO_TIMESTAMP_OLD, at,
                 sizeof(at));
    }
}
