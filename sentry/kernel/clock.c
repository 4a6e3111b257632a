/*
 * Clocks; see clock.h. Monotonic and boot time are the host's in the sandbox's time namespace, so
 * they agree with what the guest reads through the vdso.
 */
#include "sentry/kernel/clock.h"

#include "sentry/abi/lx_time.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/task.h"

#include <errno.h>

#define COARSE_NS 4000000u /* a tick at 250 Hz */

/* host_of() - the host's clock behind one of the guest's fixed ones, or -1. */
static clockid_t host_of(s32 clock)
{
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_REALTIME_ALARM: return CLOCK_REALTIME;
    case LX_CLOCK_MONOTONIC: return CLOCK_MONOTONIC;
    case LX_CLOCK_MONOTONIC_RAW: return CLOCK_MONOTONIC_RAW;
    case LX_CLOCK_REALTIME_COARSE: return CLOCK_REALTIME_COARSE;
    case LX_CLOCK_MONOTONIC_COARSE: return CLOCK_MONOTONIC_COARSE;
    case LX_CLOCK_BOOTTIME:
    case LX_CLOCK_BOOTTIME_ALARM: return CLOCK_BOOTTIME;
    case LX_CLOCK_TAI: return CLOCK_TAI;
    default: return -1;
    }
}

/* cpu_time() - user time alone (VIRT), or with system time (PROF, SCHED). */
static u64 cpu_time(u64 utime, u64 stime, u32 which)
{
    return which == LX_CPUCLOCK_VIRT ? utime : utime + stime;
}

static int thread_clock(struct task *t, u32 which, u64 *ns)
{
    u64 utime, stime;

    mutex_lock(&t->tg->lock);
    task_times(t, &utime, &stime);
    mutex_unlock(&t->tg->lock);
    *ns = cpu_time(utime, stime, which);
    return 0;
}

static int group_clock(struct thread_group *tg, u32 which, u64 *ns)
{
    u64 utime, stime;

    thread_group_times(tg, &utime, &stime);
    *ns = cpu_time(utime, stime, which);
    return 0;
}

/* dynamic_clock() - a negative number: the CPU time of some process or thread. */
static int dynamic_clock(struct task *t, s32 clock, u64 *ns)
{
    u32 which = (u32)clock & LX_CPUCLOCK_WHICH_MASK;
    s32 nr = ~(clock >> 3);
    struct thread_group *tg;
    struct task *other;
    int rc;

    if (which == LX_CLOCKFD)
        return -EINVAL;
    if (clock & LX_CPUCLOCK_PERTHREAD) {
        other = nr ? pid_find_task(t->pid->ns, nr) : task_get(t);
        rc = other && other->tg == t->tg ? thread_clock(other, which, ns) : -EINVAL;
        task_put(other);
        return rc;
    }
    tg = nr ? pid_find_group(t->pid->ns, nr) : thread_group_get(t->tg);
    rc = tg ? group_clock(tg, which, ns) : -EINVAL;
    thread_group_put(tg);
    return rc;
}

int clock_read(struct task *t, s32 clock, u64 *ns)
{
    clockid_t host = host_of(clock);

    if (host >= 0) {
        *ns = host_clock(host);
        return 0;
    }
    if (clock == LX_CLOCK_THREAD_CPUTIME_ID)
        return thread_clock(t, LX_CPUCLOCK_SCHED, ns);
    if (clock == LX_CLOCK_PROCESS_CPUTIME_ID)
        return group_clock(t->tg, LX_CPUCLOCK_SCHED, ns);
    return clock < 0 ? dynamic_clock(t, clock, ns) : -EINVAL;
}

int clock_resolution(struct task *t, s32 clock, u64 *ns)
{
    u64 now;
    int rc = clock_read(t, clock, &now);

    if (rc == 0)
        *ns =
            clock == LX_CLOCK_REALTIME_COARSE || clock == LX_CLOCK_MONOTONIC_COARSE ? COARSE_NS : 1;
    return rc;
}

u64 clock_deadline(s32 clock, u64 ns)
{
    u64 now, at;

    if (clock == LX_CLOCK_MONOTONIC || ns == DEADLINE_NEVER)
        return ns;
    now = host_clock(host_of(clock));
    at = host_monotonic();
    if (ns <= now)
        return at - min_of(at, now - ns);
    return __builtin_add_overflow(at, ns - now, &at) ? DEADLINE_NEVER : at;
}
