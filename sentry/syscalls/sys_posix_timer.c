/* timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2). */
#include "sentry/kernel/posix_timer.h"

#include "sentry/abi/lx_time.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_timer_create(struct task *t, const u64 a[6])
{
    struct lx_sigevent event;
    s32 id;

    if (a[1] && usermem_get(t->mm, &event, a[1]) < 0)
        return -EFAULT;
    id = posix_timer_create(t, (s32)a[0], a[1] ? &event : NULL);
    if (id < 0)
        return id;
    if (usermem_put(t->mm, a[2], &id) < 0) {
        posix_timer_delete(t, id);
        return -EFAULT;
    }
    return 0;
}

static int put_spec(struct task *t, u64 uaddr, const struct posix_timer_spec *s)
{
    struct lx_itimerspec v = {
        .interval = {(s64)(s->interval / NS_PER_SEC), (s64)(s->interval % NS_PER_SEC)},
        .value = {(s64)(s->value / NS_PER_SEC), (s64)(s->value % NS_PER_SEC)},
    };

    return usermem_put(t->mm, uaddr, &v);
}

static bool is_time(const struct lx_timespec *ts)
{
    return ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < (s64)NS_PER_SEC;
}

s64 sys_timer_settime(struct task *t, const u64 a[6])
{
    struct posix_timer_spec set, old;
    struct lx_itimerspec v;
    int rc;

    if (!a[2])
        return -EINVAL;
    if (usermem_get(t->mm, &v, a[2]) < 0)
        return -EFAULT;
    if (!is_time(&v.interval) || !is_time(&v.value))
        return -EINVAL;
    set.value = time_saturate(v.value.sec, v.value.nsec);
    set.interval = time_saturate(v.interval.sec, v.interval.nsec);
    rc = posix_timer_swap(t, (s32)a[0], &set, a[1] & LX_TIMER_ABSTIME, &old);
    return rc < 0 || !a[3] ? rc : put_spec(t, a[3], &old);
}

s64 sys_timer_gettime(struct task *t, const u64 a[6])
{
    struct posix_timer_spec now;
    int rc = posix_timer_swap(t, (s32)a[0], NULL, false, &now);

    return rc < 0 ? rc : put_spec(t, a[1], &now);
}

s64 sys_timer_getoverrun(struct task *t, const u64 a[6])
{
    return posix_timer_overrun(t, (s32)a[0]);
}

s64 sys_timer_delete(struct task *t, const u64 a[6])
{
    return posix_timer_delete(t, (s32)a[0]);
}
