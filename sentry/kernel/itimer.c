/*
 * ITIMER_REAL. The timer belongs to the thread group and is cancelled before the group is freed.
 * Its state (deadline, interval) is guarded by tg->lock; it fires on the timer thread, which sends
 * SIGALRM to the group and arms it again, so that a slow process gets one signal and not a queue.
 */
#include "sentry/kernel/itimer.h"

#include "sentry/kernel/task.h"

void itimer_fire(struct timer *timer)
{
    struct thread_group *tg = container_of(timer, struct thread_group, itimer_real);
    struct lx_siginfo info = siginfo_kernel(LX_SIGALRM);

    mutex_lock(&tg->lock);
    if (tg->itimer_interval) {
        u64 now = host_monotonic(), late = now > timer->when ? now - timer->when : 0;

        /* Missed periods are left out, the phase is kept. */
        timer_arm(timer, timer->when + (late / tg->itimer_interval + 1) * tg->itimer_interval);
    }
    signal_send_group_locked(tg, &info);
    mutex_unlock(&tg->lock);
}

static u64 left_locked(const struct thread_group *tg)
{
    u64 now = host_monotonic();

    if (!tg->itimer_real.at)
        return 0;
    return tg->itimer_real.when > now ? tg->itimer_real.when - now : 1;
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
    if (value)
        timer_arm(&tg->itimer_real, value > DEADLINE_NEVER - 1 - now ? DEADLINE_NEVER - 1
                                                                     : now + value);
    mutex_unlock(&tg->lock);
}
