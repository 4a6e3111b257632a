/* futex(2), set_robust_list(2), get_robust_list(2). */
#include "sentry/kernel/futex.h"

#include "sentry/abi/lx_time.h"
#include "sentry/kernel/clock.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

enum {
    OP_WAIT,
    OP_WAKE,
    OP_FD,
    OP_REQUEUE,
    OP_CMP_REQUEUE,
    OP_WAKE_OP,
    OP_LOCK_PI,
    OP_UNLOCK_PI,
    OP_TRYLOCK_PI,
    OP_WAIT_BITSET,
    OP_WAKE_BITSET,
    OP_WAIT_REQUEUE_PI,
    OP_CMP_REQUEUE_PI,
    OP_LOCK_PI2,
    OP_PRIVATE = 128,
    OP_CLOCK_REALTIME = 256,
    OP_MASK = ~(OP_PRIVATE | OP_CLOCK_REALTIME),
};

static s64 restart_wait(struct task *t, struct restart_block *rb)
{
    int err = futex_wait(t, rb->uaddr, (u32)rb->arg[0], (u32)rb->arg[1], rb->arg[2], rb->deadline);

    return err == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : err;
}

/* deadline_of() - the monotonic deadline of a wait: relative for WAIT, absolute for the others. */
static int deadline_of(struct task *t, u32 op, u64 utime, u64 *deadline)
{
    u64 ns;
    int err;

    *deadline = DEADLINE_NEVER;
    if (!utime)
        return 0;
    err = arg_timespec(t, utime, &ns);
    if (err < 0)
        return err;
    if ((op & OP_MASK) == OP_WAIT) {
        u64 now = host_monotonic();

        *deadline = ns > DEADLINE_NEVER - now ? DEADLINE_NEVER : now + ns;
    } else {
        bool real = (op & OP_CLOCK_REALTIME) || (op & OP_MASK) == OP_LOCK_PI;

        *deadline = clock_deadline(real ? LX_CLOCK_REALTIME : LX_CLOCK_MONOTONIC, ns);
    }
    return 0;
}

static s64 do_wait(struct task *t, u32 op, const u64 a[6], u32 bitset)
{
    bool shared = !(op & OP_PRIVATE);
    u64 deadline;
    int err = deadline_of(t, op, a[3], &deadline);

    if (err < 0)
        return err;
    err = futex_wait(t, a[0], (u32)a[2], bitset, shared, deadline);
    if (err != -ERESTARTSYS || deadline == DEADLINE_NEVER)
        return err;
    t->restart = (struct restart_block){
        .fn = restart_wait, .uaddr = a[0], .deadline = deadline, .arg = {(u32)a[2], bitset, shared}};
    return -ERESTART_RESTARTBLOCK;
}

static s64 do_lock_pi(struct task *t, u32 op, const u64 a[6], bool try_only)
{
    u64 deadline = DEADLINE_NEVER;
    int err = try_only ? 0 : deadline_of(t, op, a[3], &deadline);

    return err < 0 ? err : futex_lock_pi(t, a[0], !(op & OP_PRIVATE), deadline, try_only);
}

static s64 do_wait_requeue_pi(struct task *t, u32 op, const u64 a[6])
{
    u64 deadline;
    int err = deadline_of(t, op, a[3], &deadline);

    return err < 0 ? err
                   : futex_wait_requeue_pi(t, a[0], (u32)a[2], FUTEX_MATCH_ANY, !(op & OP_PRIVATE),
                                           deadline, a[4]);
}

/* takes_realtime() - may the operation be told which clock its time-out is of? */
static bool takes_realtime(u32 op)
{
    return op == OP_WAIT_BITSET || op == OP_WAIT_REQUEUE_PI || op == OP_LOCK_PI2;
}

s64 sys_futex(struct task *t, const u64 a[6])
{
    u32 op = (u32)a[1];
    bool shared = !(op & OP_PRIVATE);
    s32 n = (s32)a[2], n2 = (s32)a[3];

    if ((op & OP_CLOCK_REALTIME) && !takes_realtime(op & OP_MASK))
        return -ENOSYS;
    switch (op & OP_MASK) {
    case OP_WAIT:
        return do_wait(t, op, a, FUTEX_MATCH_ANY);
    case OP_WAIT_BITSET:
        return do_wait(t, op, a, (u32)a[5]);
    case OP_WAKE:
        return futex_wake(t->mm, a[0], max_of(n, 1), FUTEX_MATCH_ANY, shared);
    case OP_WAKE_BITSET:
        return futex_wake(t->mm, a[0], max_of(n, 1), (u32)a[5], shared);
    case OP_REQUEUE:
        return futex_requeue(t, a[0], a[4], n, n2, shared, false, 0);
    case OP_CMP_REQUEUE:
        return futex_requeue(t, a[0], a[4], n, n2, shared, true, (u32)a[5]);
    case OP_WAKE_OP:
        return futex_wake_op(t, a[0], a[4], n, n2, (u32)a[5], shared);
    case OP_LOCK_PI:
    case OP_LOCK_PI2:
        return do_lock_pi(t, op, a, false);
    case OP_TRYLOCK_PI:
        return do_lock_pi(t, op, a, true);
    case OP_UNLOCK_PI:
        return futex_unlock_pi(t, a[0], shared);
    case OP_WAIT_REQUEUE_PI:
        return do_wait_requeue_pi(t, op, a);
    case OP_CMP_REQUEUE_PI:
        return futex_requeue_pi(t, a[0], a[4], n, n2, shared, (u32)a[5]);
    default:
        return -ENOSYS;
    }
}

enum { ROBUST_HEAD_BYTES = 24 };

s64 sys_set_robust_list(struct task *t, const u64 a[6])
{
    if (a[1] != ROBUST_HEAD_BYTES)
        return -EINVAL;
    t->robust_list = a[0];
    return 0;
}

s64 sys_get_robust_list(struct task *t, const u64 a[6])
{
    u64 head, memory, len = ROBUST_HEAD_BYTES;
    struct task *of = (s32)a[0] ? pid_find_task(t->pid->ns, (s32)a[0]) : task_get(t);
    int err;

    if (!of)
        return -ESRCH;
    do {
        memory = task_mm_id(of);
        err = task_may_access(t, of, true);
        head = of->robust_list;
    } while (task_mm_id(of) != memory);
    task_put(of);
    if (err)
        return err;
    if (usermem_put(t->mm, a[2], &len) < 0)
        return -EFAULT;
    return usermem_put(t->mm, a[1], &head);
}
