/* setitimer(2), getitimer(2), alarm(2). */
#include "sentry/kernel/itimer.h"

#include "sentry/kernel/cpu_limit.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

enum { ITIMER_REAL_NR, ITIMER_VIRTUAL_NR, ITIMER_PROF_NR };

struct itimerval {
    s64 interval_sec, interval_usec, value_sec, value_usec;
};

static bool valid(s64 sec, s64 usec)
{
    return sec >= 0 && usec >= 0 && usec < 1000000;
}

static u64 to_ns(s64 sec, s64 usec)
{
    if ((u64)sec > DEADLINE_NEVER / NS_PER_SEC / 2)
        return DEADLINE_NEVER / 2;
    return (u64)sec * NS_PER_SEC + (u64)usec * 1000;
}

static struct itimerval from_ns(u64 value, u64 interval)
{
    /* What is left is rounded up: 0 would say that it is off. */
    u64 us = (value + 999) / 1000;

    return (struct itimerval){(s64)(interval / NS_PER_SEC), (s64)(interval % NS_PER_SEC / 1000),
                              (s64)(us / 1000000), (s64)(us % 1000000)};
}

s64 sys_getitimer(struct task *t, const u64 a[6])
{
    struct itimerval v;
    u64 value, interval;

    if ((u32)a[0] > ITIMER_PROF_NR)
        return -EINVAL;
    if ((s32)a[0] == ITIMER_REAL_NR)
        itimer_get(t->tg, &value, &interval);
    else
        cpu_itimer_swap(t, (s32)a[0] - ITIMER_VIRTUAL_NR, 0, 0, false, &value, &interval);
    v = from_ns(value, interval);
    return usermem_put(t->mm, a[1], &v);
}

s64 sys_setitimer(struct task *t, const u64 a[6])
{
    struct itimerval v = {0}, old;
    u64 value, interval, next, every;

    if (a[1] && usermem_get(t->mm, &v, a[1]) < 0)
        return -EFAULT;
    if (!valid(v.value_sec, v.value_usec) || !valid(v.interval_sec, v.interval_usec) ||
        (u32)a[0] > ITIMER_PROF_NR)
        return -EINVAL;
    next = to_ns(v.value_sec, v.value_usec);
    every = to_ns(v.interval_sec, v.interval_usec);
    if ((s32)a[0] == ITIMER_REAL_NR)
        itimer_set(t->tg, next, every, &value, &interval);
    else
        cpu_itimer_swap(t, (s32)a[0] - ITIMER_VIRTUAL_NR, next, every, true, &value, &interval);
    old = from_ns(value, interval);
    return a[2] ? usermem_put(t->mm, a[2], &old) : 0;
}

s64 sys_alarm(struct task *t, const u64 a[6])
{
    u64 value, interval;

    itimer_set(t->tg, (u64)(u32)a[0] * NS_PER_SEC, 0, &value, &interval);
    if (!value)
        return 0;
    /* Rounded to the nearest second, but never to 0. */
    return (s64)max_of((value + NS_PER_SEC / 2) / NS_PER_SEC, (u64)1);
}
