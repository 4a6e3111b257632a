/* timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). */
#include "fs/timerfd/timerfd.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_time.h"
#include "sentry/base/clean.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_timerfd_create(struct task *t, const u64 a[6])
{
    s32 clock = (s32)a[0];
    u32 flags = (u32)a[1];
    struct file *f;
    int rc;

    if (flags & ~(u32)(LX_TFD_CLOEXEC | LX_TFD_NONBLOCK))
        return -EINVAL;
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_MONOTONIC:
    case LX_CLOCK_BOOTTIME: break;
    case LX_CLOCK_REALTIME_ALARM:
    case LX_CLOCK_BOOTTIME_ALARM:
        if (!cred_capable(task_cred(t), LX_CAP_WAKE_ALARM))
            return -EPERM;
        break;
    default: return -EINVAL;
    }
    rc = timerfd_open(clock, flags, task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, flags);
}

/* arg_timerfd() - the description of an argument that must be a timer. */
static int arg_timerfd(struct task *t, u64 fd, struct file **out)
{
    int rc = arg_fd(t, fd, out);

    return rc < 0 || timerfd_is(*out) ? rc : -EINVAL;
}

static int put_spec(struct task *t, u64 uaddr, const struct timerfd_spec *s)
{
    int rc = put_timespec(t, uaddr, s->interval);

    return rc < 0 ? rc : put_timespec(t, uaddr + sizeof(struct lx_timespec), s->value);
}

s64 sys_timerfd_settime(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1];
    auto_put(file) struct file *f = NULL;
    struct timerfd_spec spec, old;
    int rc = arg_timespec(t, a[2], &spec.interval);

    if (rc == 0)
        rc = arg_timespec(t, a[2] + sizeof(struct lx_timespec), &spec.value);
    if (rc == 0 && (flags & ~(u32)(LX_TFD_TIMER_ABSTIME | LX_TFD_TIMER_CANCEL_ON_SET)))
        rc = -EINVAL;
    if (rc == 0)
        rc = arg_timerfd(t, a[0], &f);
    if (rc == 0)
        rc = timerfd_set(f, flags & LX_TFD_TIMER_ABSTIME, &spec, &old);
    return rc < 0 || !a[3] ? rc : put_spec(t, a[3], &old);
}

s64 sys_timerfd_gettime(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct timerfd_spec spec;
    int rc = arg_timerfd(t, a[0], &f);

    if (rc < 0)
        return rc;
    timerfd_get(f, &spec);
    return put_spec(t, a[1], &spec);
}
