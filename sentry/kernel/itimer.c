/*
 * ITIMER_REAL. The timer belongs to the thread group and is cancelled before the group is freed.
 * Its state (deadline, interval) is guarded by tg->lock; it fires on the timer thread, which sends
 * SIGALRM to the group and arms it again, so that a slow process gets one signal and not a queue.
 *
 * A fire() that is under way when the timer is set or switched off finds a deadline that is not yet
 * reached, or none, and does nothing: no SIGALRM comes after a setitimer(2) that ended it.
 */
#include "sentry/kernel/itimer.h"

#include "sentry/kernel/task.h"

void itimer_fire(struct timer *timer)
{
    struct thread_group *tg = container_of(timer, struct thread_group, itimer_real);
    struct lx_siginfo info = siginfo_kernel(LX_SIGALRM);
    u64 now = host_monotonic(), interval;

    mutex_lock(&tg->lock);
    interval = tg->itimer_interval;
    if (tg->itimer_deadline && tg->itimer_deadline <= now) {
        /* Missed periods are left out, the phase is kept. */
        if (interval) {
            tg->itimer_deadline += ((now - tg->itimer_deadline) / interval + 1) * interval;
            timer_arm(timer, tg->itimer_deadline);
        } else {
            tg->itimer_deadline = 0;
        }
        signal_send_group_locked(tg, &info);
    }
    mutex_unlock(&tg->lock);
}

static u64 left_locked(const struct thread_group *tg)
{
    u64 now = host_monotonic();

    if (!tg->itimer_deadline)
        return 0;
    return tg->itimer_deadline > now ? tg->itimer_deadline - now : 1;
}

void itimer_get(struct thread_group *tg, u64 *value, u64 *interval)
{
    mutex_lock(&tg->lock);
    *value = left_locked(tg);
    *interval = tg->itimer_interval;
    mutex_unlock(&tg->lock);
}

void itimer_set(struct thread_group *tg, u64 value, u64 interval, u64 *old_value,
                u64 *old_interval)
{
    u64 now = host_monotonic();

    mutex_lock(&tg->lock);
    *old_value = left_locked(tg);
    *old_interval = tg->itimer_interval;
    timer_cancel(&tg->itimer_real, false);
    tg->itimer_interval = value ? interval : 0;
    tg->itimer_deadline = 0;
    if (value) {
        tg->itimer_deadline = min_of(value, DEADLINE_NEVER - 1 - now) + now;
        timer_arm(&tg->itimer_real, tg->itimer_deadline);
    }
    mutex_unlock(&tg->lock);
}
