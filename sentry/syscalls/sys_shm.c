/* System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include "sentry/ipc/shm.h"

#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_shmget(struct task *t, const u64 a[6])
{
    return shm_get(t, (s32)a[0], a[1], (u32)a[2]);
}

s64 sys_shmat(struct task *t, const u64 a[6])
{
    uaddr_t out;
    int err;

    task_own_mm(t);
    err = shm_attach(t, (s32)a[0], a[1], (u32)a[2], &out);
    return err ? err : (s64)out;
}

s64 sys_shmdt(struct task *t, const u64 a[6])
{
    return shm_detach(t, a[0]);
}

/* put_limits() - IPC_INFO. */
static s64 put_limits(struct task *t, uaddr_t to)
{
    struct ipc_limits l = ipc_ns_limits(t->ns->ipc);
    struct lx_shminfo info = {
        .max = l.shmmax, .min = 1, .mni = l.shmmni, .seg = l.shmmni, .all = l.shmall};
    s32 last = ipc_last_index(t->ns->ipc, IPC_SHM);

    return usermem_put(t->mm, to, &info) < 0 ? -EFAULT : last;
}

static s64 put_totals(struct task *t, uaddr_t to)
{
    struct lx_shm_info info;
    s32 last = ipc_last_index(t->ns->ipc, IPC_SHM);

    shm_totals(t->ns->ipc, &info);
    return usermem_put(t->mm, to, &info) < 0 ? -EFAULT : last;
}

static s64 put_stat(struct task *t, s32 id, enum ipc_stat how, uaddr_t to)
{
    struct lx_shmid_ds ds;
    s64 r = shm_stat(t, id, how, &ds);

    if (r < 0)
        return r;
    return usermem_put(t->mm, to, &ds) < 0 ? -EFAULT : r;
}

static s64 set(struct task *t, s32 id, uaddr_t from)
{
    struct lx_shmid_ds ds;

    if (usermem_get(t->mm, &ds, from) < 0)
        return -EFAULT;
    return shm_set(t, id, &ds);
}

s64 sys_shmctl(struct task *t, const u64 a[6])
{
    s32 id = (s32)a[0], cmd = (s32)a[1];

    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case LX_IPC_INFO: return put_limits(t, a[2]);
    case LX_SHM_INFO: return put_totals(t, a[2]);
    case LX_IPC_STAT: return put_stat(t, id, IPC_STAT_ID, a[2]);
    case LX_SHM_STAT: return put_stat(t, id, IPC_STAT_SLOT, a[2]);
    case LX_SHM_STAT_ANY: return put_stat(t, id, IPC_STAT_SLOT_ANY, a[2]);
    case LX_IPC_SET: return set(t, id, a[2]);
    case LX_IPC_RMID: return shm_remove(t, id);
    case LX_SHM_LOCK:
    case LX_SHM_UNLOCK: return shm_lock(t, id, cmd == LX_SHM_LOCK);
    default: return -EINVAL;
    }
}
