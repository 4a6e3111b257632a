/* Clocks and sleeping: clock_gettime(2), gettimeofday(2), nanosleep(2), clock_nanosleep(2). */
#include "sentry/abi/lx_time.h"
#include "sentry/kernel/clock.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_clock_gettime(struct task *t, const u64 a[6])
{
    u64 ns;
    int rc = clock_read(t, (s32)a[0], &ns);

    return rc < 0 ? rc : put_timespec(t, a[1], ns);
}

s64 sys_clock_getres(struct task *t, const u64 a[6])
{
    u64 ns;
    int rc = clock_resolution(t, (s32)a[0], &ns);

    return rc < 0 || !a[1] ? rc : put_timespec(t, a[1], ns);
}

s64 sys_gettimeofday(struct task *t, const u64 a[6])
{
    u64 ns = host_clock(CLOCK_REALTIME);
    struct lx_timeval tv = {(s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000)};
    struct lx_timezone tz = {0, 0};

    if (a[0] && usermem_put(t->mm, a[0], &tv) < 0)
        return -EFAULT;
    return a[1] ? usermem_put(t->mm, a[1], &tz) : 0;
}

s64 sys_time(struct task *t, const u64 a[6])
{
    s64 now = (s64)(host_clock(CLOCK_REALTIME) / NS_PER_SEC);

    if (a[0] && usermem_put(t->mm, a[0], &now) < 0)
        return -EFAULT;
    return now;
}

/* The host's clock is nobody's to set, whatever capabilities he has in the sandbox; what could not
 * be set anywhere is refused as on Linux. */
s64 sys_settimeofday(struct task *t, const u64 a[6])
{
    struct lx_timeval tv;

    if (a[0] && usermem_get(t->mm, &tv, a[0]) < 0)
        return -EFAULT;
    if (a[0] && (tv.usec < 0 || tv.usec > 1000000))
        return -EINVAL;
    return -EPERM;
}

s64 sys_clock_settime(struct task *t, const u64 a[6])
{
    u64 ns;
    int rc;

    if ((s32)a[0] != LX_CLOCK_REALTIME)
        return -EINVAL;
    rc = arg_timespec(t, a[1], &ns);
    return rc < 0 ? rc : -EPERM;
}

s64 sys_adjtimex(struct task *t, const u64 a[6])
{
    return -EPERM;
}

s64 sys_clock_adjtime(struct task *t, const u64 a[6])
{
    return -EPERM;
}

/* sleep_until() - Return: 0 when the time has come, -ERESTARTSYS. */
static s64 sleep_until(u64 deadline)
{
    struct waitq nobody;
    int rc;

    waitq_init(&nobody);
    rc = wait_event(&nobody, 0, deadline, false);
    waitq_destroy(&nobody);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/* sleep_relative() - the rest of a relative sleep; what is left goes to rb->uaddr if that is set. */
static s64 sleep_relative(struct task *t, struct restart_block *rb)
{
    s64 rc = sleep_until(rb->deadline);
    u64 now = host_monotonic();

    if (rc == 0)
        return 0;
    if (rb->deadline <= now)
        return 0;
    if (rb->uaddr && put_timespec(t, rb->uaddr, rb->deadline - now) < 0)
        return -EFAULT;
    return -ERESTART_RESTARTBLOCK;
}

static s64 sleep_for(struct task *t, u64 ns, u64 urem)
{
    struct restart_block rb = {.fn = sleep_relative, .deadline = deadline_in(ns), .uaddr = urem};
    s64 rc = sleep_relative(t, &rb);

    if (rc == -ERESTART_RESTARTBLOCK)
        t->restart = rb;
    return rc;
}

s64 sys_nanosleep(struct task *t, const u64 a[6])
{
    u64 ns;
    int rc = arg_timespec(t, a[0], &ns);

    return rc < 0 ? rc : sleep_for(t, ns, a[1]);
}

/* can_sleep_on() - Return: 0, -EOPNOTSUPP for a clock that is only to be read, -EINVAL. */
static int can_sleep_on(s32 clock)
{
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_MONOTONIC:
    case LX_CLOCK_BOOTTIME:
    case LX_CLOCK_TAI: return 0;
    case LX_CLOCK_PROCESS_CPUTIME_ID:
    case LX_CLOCK_THREAD_CPUTIME_ID:
    case LX_CLOCK_MONOTONIC_RAW:
    case LX_CLOCK_REALTIME_COARSE:
    case LX_CLOCK_MONOTONIC_COARSE:
    case LX_CLOCK_REALTIME_ALARM:
    case LX_CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
    default: return -EINVAL;
    }
}

s64 sys_clock_nanosleep(struct task *t, const u64 a[6])
{
    s32 clock = (s32)a[0];
    u64 ns;
    s64 rc = can_sleep_on(clock);

    if (rc == 0)
        rc = arg_timespec(t, a[2], &ns);
    if (rc < 0)
        return rc;
    if (!(a[1] & LX_TIMER_ABSTIME))
        return sleep_for(t, ns, a[3]);
    rc = sleep_until(clock_deadline(clock, ns));
    return rc == -ERESTARTSYS ? -ERESTARTNOHAND : rc;
}
