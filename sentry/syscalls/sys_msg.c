/* System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
#include "sentry/ipc/msg.h"

#include "sentry/base/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_msgget(struct task *t, const u64 a[6])
{
    return msg_get(t, (s32)a[0], (u32)a[1]);
}

s64 sys_msgsnd(struct task *t, const u64 a[6])
{
    u64 len = a[2];
    struct msg *m;
    s64 type;
    int err;

    if (usermem_get(t->mm, &type, a[1]) < 0)
        return -EFAULT;
    if (len > ipc_ns_limits(t->ns->ipc).msgmax || (s32)a[0] < 0 || type < 1)
        return -EINVAL;
    m = msg_new(type, len);
    if (!m)
        return -ENOMEM;
    err = len ? usermem_in(t->mm, m->text, a[1] + sizeof(type), len) : 0;
    if (!err)
        err = msg_send(t, (s32)a[0], m, (u32)a[3]);
    if (err)
        msg_free(m);
    return err;
}

s64 sys_msgrcv(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[4];
    u64 cap = a[2], len;
    struct msg *m;
    s64 r;

    if ((s32)a[0] < 0 || (s64)cap < 0)
        return -EINVAL;
    if ((flags & LX_MSG_COPY) && ((flags & LX_MSG_EXCEPT) || !(flags & LX_IPC_NOWAIT)))
        return -EINVAL;
    r = msg_receive(t, (s32)a[0], cap, (s64)a[3], flags, &m);
    if (r)
        return r;
    len = min_of(m->len, cap);
    if (usermem_put(t->mm, a[1], &m->type) < 0 ||
        (len && usermem_out(t->mm, a[1] + sizeof(m->type), m->text, len) < 0))
        r = -EFAULT; /* the message is lost, as on Linux */
    else
        r = (s64)len;
    msg_free(m);
    return r;
}

/* --- msgctl --- */

/* put_info() - IPC_INFO, MSG_INFO. */
static s64 put_info(struct task *t, bool used, uaddr_t to)
{
    struct ipc_limits l = ipc_ns_limits(t->ns->ipc);
    struct lx_msginfo info = {
        .pool = (s32)(l.msgmni * (u64)l.msgmnb / 1024),
        .map = (s32)l.msgmnb,
        .max = (s32)l.msgmax,
        .mnb = (s32)l.msgmnb,
        .mni = (s32)l.msgmni,
        .ssz = 16,
        .tql = (s32)l.msgmnb,
        .seg = 0xffff,
    };
    s32 last = ipc_last_index(t->ns->ipc, IPC_MSG);

    if (used)
        msg_totals(t->ns->ipc, &info);
    return usermem_put(t->mm, to, &info) < 0 ? -EFAULT : last;
}

static s64 put_stat(struct task *t, s32 id, enum ipc_stat how, uaddr_t to)
{
    struct lx_msqid_ds ds;
    s64 r = msg_stat(t, id, how, &ds);

    if (r < 0)
        return r;
    return usermem_put(t->mm, to, &ds) < 0 ? -EFAULT : r;
}

static s64 set(struct task *t, s32 id, uaddr_t from)
{
    struct lx_msqid_ds ds;

    if (usermem_get(t->mm, &ds, from) < 0)
        return -EFAULT;
    return msg_set(t, id, &ds);
}

s64 sys_msgctl(struct task *t, const u64 a[6])
{
    s32 id = (s32)a[0], cmd = (s32)a[1];

    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case LX_IPC_INFO:
    case LX_MSG_INFO: return put_info(t, cmd == LX_MSG_INFO, a[2]);
    case LX_IPC_STAT: return put_stat(t, id, IPC_STAT_ID, a[2]);
    case LX_MSG_STAT: return put_stat(t, id, IPC_STAT_SLOT, a[2]);
    case LX_MSG_STAT_ANY: return put_stat(t, id, IPC_STAT_SLOT_ANY, a[2]);
    case LX_IPC_SET: return set(t, id, a[2]);
    case LX_IPC_RMID: return msg_remove(t, id);
    default: return -EINVAL;
    }
}
