/* epoll_create(2), epoll_ctl(2), epoll_wait(2) and their variants. */
#include "fs/epoll/epoll.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/syscalls/sigmask.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_MS      1000000ull
#define EVENTS_MAX     (INT32_MAX / (s32)sizeof(struct lx_epoll_event))
#define EVENTS_AT_ONCE 4096u /* room for these whatever is watched: more may be when the wait ends */

static s64 create(struct task *t, u32 flags)
{
    struct file *f;
    int rc;

    if (flags & ~LX_O_CLOEXEC)
        return -EINVAL;
    rc = epoll_open(task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, flags);
}

s64 sys_epoll_create(struct task *t, const u64 a[6])
{
    return (s32)a[0] <= 0 ? -EINVAL : create(t, 0);
}

s64 sys_epoll_create1(struct task *t, const u64 a[6])
{
    return create(t, (u32)a[0]);
}

static s64 control(struct file *ep, struct file *target, int fd, s32 op,
                   const struct lx_epoll_event *ev)
{
    if (!target->ops->poll)
        return -EPERM;
    if (ep == target || !epoll_is(ep))
        return -EINVAL;
    switch (op) {
    case LX_EPOLL_CTL_ADD: return epoll_watch(ep, target, fd, ev);
    case LX_EPOLL_CTL_MOD: return epoll_change(ep, target, fd, ev);
    case LX_EPOLL_CTL_DEL: return epoll_unwatch(ep, target, fd);
    default: return -EINVAL;
    }
}

s64 sys_epoll_ctl(struct task *t, const u64 a[6])
{
    struct lx_epoll_event ev = {0};
    auto_put(file) struct file *ep = NULL;
    auto_put(file) struct file *target = NULL;
    s64 rc;

    if ((s32)a[1] != LX_EPOLL_CTL_DEL && usermem_get(t->mm, &ev, a[3]) < 0)
        return -EFAULT;
    rc = arg_fd(t, a[0], &ep);
    if (rc == 0)
        rc = arg_fd(t, a[2], &target);
    return rc < 0 ? rc : control(ep, target, (s32)a[2], (s32)a[1], &ev);
}

/* tell() - as many events as the guest's array takes; those behind a fault are not lost.
 * Return: how many, -EFAULT. */
static s64 tell(struct task *t, struct file *ep, struct epoll_batch *b, u64 uevents)
{
    struct uio_vec vec;
    struct uio to;
    ssize_t n;

    uio_user(&to, &vec, t->mm, uevents, b->n * sizeof(b->events[0]));
    n = b->n ? uio_to(&to, b->events, b->n * sizeof(b->events[0])) : 0;
    n = max_of(n, (ssize_t)0) / (ssize_t)sizeof(b->events[0]);
    if (b->n && n == 0)
        n = -EFAULT;
    epoll_batch_end(ep, b, (u32)max_of(n, (ssize_t)0));
    return n;
}

/* wait_events() - collect events to the guest's array; `deadline` 0: don't wait. */
static s64 wait_events(struct task *t, const u64 a[6], u64 deadline)
{
    auto_put(file) struct file *ep = NULL;
    struct epoll_batch b;
    u32 max;
    s64 n, told;

    if ((s32)a[2] <= 0 || (s32)a[2] > EVENTS_MAX)
        return -EINVAL;
    n = arg_fd(t, a[0], &ep);
    if (n < 0)
        return n;
    if (!epoll_is(ep))
        return -EINVAL;
    max = min_of((u32)a[2], max_of(epoll_watches(ep), EVENTS_AT_ONCE));
    if (epoll_batch_init(&b, max) < 0)
        return -ENOMEM;
    n = epoll_collect(ep, &b, deadline);
    told = tell(t, ep, &b, a[1]);
    if (n >= 0)
        n = told;
    return n == -ERESTARTSYS ? -EINTR : n;
}

static u64 ms_deadline(s32 ms)
{
    if (ms < 0)
        return DEADLINE_NEVER;
    return ms ? deadline_in((u64)ms * NS_PER_MS) : 0;
}

s64 sys_epoll_wait(struct task *t, const u64 a[6])
{
    return wait_events(t, a, ms_deadline((s32)a[3]));
}

/* masked_wait() - wait with the mask of the fifth and sixth argument. */
static s64 masked_wait(struct task *t, const u64 a[6], u64 deadline)
{
    s64 rc = sigmask_swap(t, a[4], a[5]);

    if (rc < 0)
        return rc;
    rc = wait_events(t, a, deadline);
    sigmask_unswap(t, rc == -EINTR);
    return rc;
}

s64 sys_epoll_pwait(struct task *t, const u64 a[6])
{
    return masked_wait(t, a, ms_deadline((s32)a[3]));
}

s64 sys_epoll_pwait2(struct task *t, const u64 a[6])
{
    u64 ns, deadline = DEADLINE_NEVER;
    int rc;

    if (a[3]) {
        rc = arg_timespec(t, a[3], &ns);
        if (rc < 0)
            return rc;
        deadline = ns ? deadline_in(ns) : 0;
    }
    return masked_wait(t, a, deadline);
}
