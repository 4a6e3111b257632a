/*
 * Limits and timers on CPU time: RLIMIT_CPU, ITIMER_VIRTUAL, ITIMER_PROF, POSIX timers. A process that has one of
 * them has a timer, armed for when its tasks could reach it at the earliest, all running all the
 * time. Only a task itself can read its clock, so the timer sends all of them to look; a task that
 * sleeps in a call looks when it goes back to guest code. Each look arms the timer anew: while
 * nobody runs guest code nothing wakes up.
 */
#include "sentry/kernel/cpu_limit.h"

#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/task_priv.h"

enum { LOOK_MIN_NS = 10000000 };

static bool is_limited(const struct rlimit_pair *limit)
{
    return limit->soft != RLIM_NONE || limit->hard != RLIM_NONE;
}

/* to_ns() - a limit in seconds; one of 0 is taken as 1, as Linux does. */
static u64 to_ns(u64 seconds)
{
    u64 ns;

    return __builtin_mul_overflow(max_of(seconds, (u64)1), NS_PER_SEC, &ns) ? UINT64_MAX : ns;
}

static u64 left_of(u64 when, u64 used)
{
    return when > used ? when - used : 0;
}

/* left_locked() - CPU time to the next limit or timer; UINT64_MAX: there is none. */
static u64 left_locked(const struct thread_group *tg, u64 utime, u64 stime)
{
    const struct rlimit_pair *limit = &tg->limits[LX_RLIMIT_CPU];
    u64 left = UINT64_MAX;

    if (is_limited(limit))
        left = left_of(min_of(to_ns(limit->soft), to_ns(limit->hard)), utime + stime);
    if (tg->cpu_itimer[CPU_ITIMER_VIRTUAL].when)
        left = min_of(left, left_of(tg->cpu_itimer[CPU_ITIMER_VIRTUAL].when, utime));
    if (tg->cpu_itimer[CPU_ITIMER_PROF].when)
        left = min_of(left, left_of(tg->cpu_itimer[CPU_ITIMER_PROF].when, utime + stime));
    return left;
}

/* arm_locked() - look again when the next of them may have been reached. tg->lock held. */
static void arm_locked(struct thread_group *tg, u64 utime, u64 stime)
{
    u64 left = left_locked(tg, utime, stime), tasks = max_of((u32)tg->ntasks, 1u);
    u64 wait = left == UINT64_MAX ? left : left / tasks, when;

    wait = min_of(wait, posix_timer_cpu_wait_locked(tg, utime, stime));
    if (wait == UINT64_MAX || !tg->nlive || tg->exiting)
        return;
    wait = max_of(wait, (u64)LOOK_MIN_NS);
    if (!__builtin_add_overflow(host_monotonic(), wait, &when))
        timer_arm(&tg->cpu_timer, when);
}

/* expire_locked() - one interval timer: its signal, and the next period. */
static void expire_locked(struct thread_group *tg, struct cpu_itimer *it, u64 used, int signo)
{
    struct lx_siginfo info = siginfo_kernel(signo);

    if (!it->when || used < it->when)
        return;
    it->when = it->interval ? used + it->interval : 0;
    signal_send_group_locked(tg, &info);
}

void cpu_limit_start_locked(struct thread_group *tg)
{
    arm_locked(tg, tg->dead_utime_ns, tg->dead_stime_ns);
}

void cpu_limit_arm_locked(struct thread_group *tg)
{
    u64 utime, stime;

    thread_group_times_locked(tg, &utime, &stime);
    arm_locked(tg, utime, stime);
}

void cpu_limit_fire(struct timer *timer)
{
    struct thread_group *tg = container_of(timer, struct thread_group, cpu_timer);
    struct task *t;

    mutex_lock(&tg->lock);
    list_for_each(t, &tg->tasks, in_group) {
        atomic_fetch_or(&t->work, TASK_WORK_CPU);
        if (t->thread)
            task_platform(t)->interrupt(t->thread);
    }
    mutex_unlock(&tg->lock);
}

void cpu_limit_check(struct task *t)
{
    struct thread_group *tg = t->tg;
    struct rlimit_pair *limit = &tg->limits[LX_RLIMIT_CPU];
    u64 utime, stime, used;

    task_times(t, &utime, &stime);
    thread_group_times(tg, &utime, &stime);
    used = utime + stime;
    mutex_lock(&tg->lock);
    if (limit->hard != RLIM_NONE && used >= to_ns(limit->hard)) {
        group_exit_locked(tg, LX_SIGKILL);
    } else if (limit->soft != RLIM_NONE && used >= to_ns(limit->soft)) {
        struct lx_siginfo info = siginfo_kernel(LX_SIGXCPU);

        limit->soft = used / NS_PER_SEC + 1;
        signal_send_group_locked(tg, &info);
    }
    expire_locked(tg, &tg->cpu_itimer[CPU_ITIMER_VIRTUAL], utime, LX_SIGVTALRM);
    expire_locked(tg, &tg->cpu_itimer[CPU_ITIMER_PROF], used, LX_SIGPROF);
    posix_timer_cpu_fire_locked(tg);
    arm_locked(tg, utime, stime);
    mutex_unlock(&tg->lock);
}

void cpu_itimer_swap(struct task *t, int which, u64 value, u64 interval, bool set, u64 *old_value,
                     u64 *old_interval)
{
    struct thread_group *tg = t->tg;
    struct cpu_itimer *it = &tg->cpu_itimer[which];
    u64 utime, stime, used;

    task_times(t, &utime, &stime);
    thread_group_times(tg, &utime, &stime);
    used = which == CPU_ITIMER_VIRTUAL ? utime : utime + stime;
    mutex_lock(&tg->lock);
    *old_value = it->when ? max_of(left_of(it->when, used), (u64)1) : 0;
    *old_interval = it->interval;
    if (set) {
        *it = (struct cpu_itimer){value ? used + value : 0, value ? interval : 0};
        arm_locked(tg, utime, stime);
    }
    mutex_unlock(&tg->lock);
}
