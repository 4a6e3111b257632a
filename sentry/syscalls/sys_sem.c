/* System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2). */
#include "sentry/ipc/sem.h"

#include "sentry/abi/lx_time.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

#define FAST_OPS 8u

s64 sys_semget(struct task *t, const u64 a[6])
{
    return sem_get(t, (s32)a[0], (s32)a[1], (u32)a[2]);
}

/* operate() - `deadline` is settled when the operations are in. */
static s64 operate(struct task *t, s32 id, uaddr_t uops, u32 n, const struct lx_timespec *timeout)
{
    struct lx_sembuf fast[FAST_OPS], *ops = fast;
    auto_free struct lx_sembuf *more = NULL;
    u64 deadline = DEADLINE_NEVER;

    if (n > ipc_ns_limits(t->ns->ipc).semopm)
        return -E2BIG;
    if (!n)
        return -EINVAL;
    if (n > FAST_OPS) {
        ops = more = malloc(n * sizeof(*ops));
        if (!ops)
            return -ENOMEM;
    }
    if (usermem_in(t->mm, ops, uops, n * sizeof(*ops)) < 0)
        return -EFAULT;
    if (id < 0)
        return -EINVAL;
    if (timeout) {
        if (timeout->sec < 0 || timeout->nsec < 0 || timeout->nsec >= (s64)NS_PER_SEC)
            return -EINVAL;
        deadline = deadline_in(time_saturate(timeout->sec, timeout->nsec));
    }
    return sem_operate(t, id, ops, n, deadline);
}

s64 sys_semop(struct task *t, const u64 a[6])
{
    return operate(t, (s32)a[0], a[1], (u32)a[2], NULL);
}

s64 sys_semtimedop(struct task *t, const u64 a[6])
{
    struct lx_timespec timeout;

    if (a[3] && usermem_get(t->mm, &timeout, a[3]) < 0)
        return -EFAULT;
    return operate(t, (s32)a[0], a[1], (u32)a[2], a[3] ? &timeout : NULL);
}

/* --- semctl --- */

/* put_info() - IPC_INFO, SEM_INFO. */
static s64 put_info(struct task *t, bool used, uaddr_t to)
{
    struct ipc_ns *ns = t->ns->ipc;
    struct ipc_limits l = ipc_ns_limits(ns);
    struct lx_seminfo info = {
        .map = (s32)l.semmns,
        .mni = (s32)l.semmni,
        .mns = (s32)l.semmns,
        .mnu = (s32)l.semmns,
        .msl = (s32)l.semmsl,
        .opm = (s32)l.semopm,
        .ume = (s32)l.semopm,
        .usz = 20,
        .vmx = SEM_VALUE_MAX,
        .aem = SEM_VALUE_MAX,
    };
    s32 last = ipc_last_index(ns, IPC_SEM);

    if (used) {
        mutex_lock(&ns->table[IPC_SEM].lock);
        info.usz = (s32)ns->table[IPC_SEM].in_use;
        info.aem = (s32)ns->table[IPC_SEM].total;
        mutex_unlock(&ns->table[IPC_SEM].lock);
    }
    return usermem_put(t->mm, to, &info) < 0 ? -EFAULT : last;
}

static s64 put_stat(struct task *t, s32 id, enum ipc_stat how, uaddr_t to)
{
    struct lx_semid_ds ds;
    s64 r = sem_stat(t, id, how, &ds);

    if (r < 0)
        return r;
    return usermem_put(t->mm, to, &ds) < 0 ? -EFAULT : r;
}

static s64 set_perm(struct task *t, s32 id, uaddr_t from)
{
    struct lx_semid_ds ds;

    if (usermem_get(t->mm, &ds, from) < 0)
        return -EFAULT;
    return sem_set_perm(t, id, &ds);
}

static s64 get_all(struct task *t, s32 id, uaddr_t to)
{
    auto_free u16 *values = NULL;
    u32 n;
    int err = sem_get_all(t, id, &values, &n);

    return err ? err : usermem_out(t->mm, to, values, n * sizeof(*values));
}

static s64 set_all(struct task *t, s32 id, uaddr_t from)
{
    auto_free u16 *values = NULL;
    u32 n;
    int err = sem_count(t, id, &n);

    if (err)
        return err;
    values = malloc(n * sizeof(*values));
    if (!values)
        return -ENOMEM;
    if (usermem_in(t->mm, values, from, n * sizeof(*values)) < 0)
        return -EFAULT;
    return sem_set_all(t, id, values, n);
}

s64 sys_semctl(struct task *t, const u64 a[6])
{
    s32 id = (s32)a[0], num = (s32)a[1], cmd = (s32)a[2];

    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case LX_IPC_INFO:
    case LX_SEM_INFO: return put_info(t, cmd == LX_SEM_INFO, a[3]);
    case LX_IPC_STAT: return put_stat(t, id, IPC_STAT_ID, a[3]);
    case LX_SEM_STAT: return put_stat(t, id, IPC_STAT_SLOT, a[3]);
    case LX_SEM_STAT_ANY: return put_stat(t, id, IPC_STAT_SLOT_ANY, a[3]);
    case LX_SEM_GETVAL:
    case LX_SEM_GETPID:
    case LX_SEM_GETNCNT:
    case LX_SEM_GETZCNT: return sem_ask(t, id, num, (u32)cmd);
    case LX_SEM_GETALL: return get_all(t, id, a[3]);
    case LX_SEM_SETVAL: return sem_set_value(t, id, num, (s32)a[3]);
    case LX_SEM_SETALL: return set_all(t, id, a[3]);
    case LX_IPC_SET: return set_perm(t, id, a[3]);
    case LX_IPC_RMID: return sem_remove(t, id);
    default: return -EINVAL;
    }
}
