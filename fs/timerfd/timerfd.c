/*
 * timerfd_create(2). One heap timer a descriptor, armed for the next expiry; expiries that pass
 * unread are counted from the clock when somebody looks, so an unread periodic timer costs nothing:
 * it fires once, wakes, and is armed again by the read.
 *
 * All times are kept as monotonic ones: CLOCK_REALTIME is converted when the timer is set.
 */
#include "fs/timerfd/timerfd.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_time.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/clock.h"
#include "sentry/time/timer.h"

#include <errno.h>
#include <stdlib.h>

struct timerfd {
    struct timer timer;
    s32 clock;
    struct mutex lock;
    u64 next;     /* and below: guarded by lock. Next expiry not yet counted; 0: not armed */
    u64 interval; /* 0: once */
    u64 ticks;    /* expiries that were not read */
    struct waitq queue;
};

/* count_locked() - add the expiries up to now to ticks and move `next` past them. */
static void count_locked(struct timerfd *t)
{
    u64 now = host_monotonic(), n = 1;

    if (!t->next || now < t->next)
        return;
    if (!t->interval) {
        t->next = 0;
    } else {
        n += (now - t->next) / t->interval;
        if (__builtin_add_overflow(t->next, n * t->interval, &t->next))
            t->next = DEADLINE_NEVER;
    }
    t->ticks += n;
}

static void timerfd_fire(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);

    waitq_wake(&t->queue, LX_POLLIN | LX_POLLRDNORM);
}

/* rearm_locked() - the heap timer fires at `next`. */
static int rearm_locked(struct timerfd *t)
{
    return t->next ? timer_arm(&t->timer, t->next) : 0;
}

/* try_take() - Return: expiries since the last read; the timer is armed for the next one. */
static u64 try_take(struct timerfd *t)
{
    u64 ticks;

    mutex_lock(&t->lock);
    count_locked(t);
    ticks = t->ticks;
    t->ticks = 0;
    if (ticks)
        rearm_locked(t); /* it was armed before, so the heap has room */
    mutex_unlock(&t->lock);
    return ticks;
}

static ssize_t timerfd_read(struct file *f, struct uio *to, s64 *pos)
{
    struct timerfd *t = f->private;
    u64 ticks;
    int rc;

    if (to->left < sizeof(ticks))
        return -EINVAL;
    ticks = try_take(t);
    if (!ticks) {
        if (f->flags & LX_O_NONBLOCK)
            return -EAGAIN;
        rc = wait_event(&t->queue, LX_POLLIN, DEADLINE_NEVER, (ticks = try_take(t)) != 0);
        if (rc < 0)
            return rc;
    }
    return uio_to(to, &ticks, sizeof(ticks));
}

static u32 timerfd_poll(struct file *f)
{
    struct timerfd *t = f->private;
    u32 events;

    mutex_lock(&t->lock);
    count_locked(t);
    events = t->ticks ? LX_POLLIN | LX_POLLRDNORM : 0;
    mutex_unlock(&t->lock);
    return events;
}

static struct waitq *timerfd_queue(struct file *f)
{
    return &((struct timerfd *)f->private)->queue;
}

static s64 timerfd_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct timerfd *t = f->private;
    u64 ticks;

    if (cmd != LX_TFD_IOC_SET_TICKS)
        return -ENOTTY;
    if (usermem_get(mm, &ticks, arg) < 0)
        return -EFAULT;
    if (!ticks)
        return -EINVAL;
    mutex_lock(&t->lock);
    count_locked(t);
    t->ticks = ticks;
    mutex_unlock(&t->lock);
    waitq_wake(&t->queue, LX_POLLIN | LX_POLLRDNORM);
    return 0;
}

static void timerfd_free(struct timerfd *t)
{
    timer_cancel(&t->timer, true);
    waitq_destroy(&t->queue);
    mutex_destroy(&t->lock);
    free(t);
}

static void timerfd_release(struct file *f)
{
    timerfd_free(f->private);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .queue = timerfd_queue,
    .ioctl = timerfd_ioctl,
    .release = timerfd_release,
};

int timerfd_open(s32 clock, u32 flags, const struct cred *cred, struct file **out)
{
    struct timerfd *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    timer_init(&t->timer, timerfd_fire);
    mutex_init(&t->lock, LOCK_PIPE);
    waitq_init(&t->queue);
    t->clock = clock;
    rc = file_new_anon(&timerfd_ops, "anon_inode:[timerfd]", 0600, cred,
                       LX_O_RDWR | (flags & LX_O_NONBLOCK), t, out);
    if (rc < 0)
        timerfd_free(t);
    return rc;
}

bool timerfd_is(struct file *f)
{
    return f->ops == &timerfd_ops;
}

static void get_locked(struct timerfd *t, struct timerfd_spec *out)
{
    u64 now = host_monotonic();

    count_locked(t);
    /* A periodic timer's next expiry may be this very instant: armed timers never read as 0. */
    out->value = t->next ? max_of(t->next - min_of(now, t->next), (u64)1) : 0;
    out->interval = t->interval;
}

int timerfd_set(struct file *f, bool absolute, const struct timerfd_spec *spec,
                struct timerfd_spec *old)
{
    struct timerfd *t = f->private;
    u64 next = 0;
    int rc = 0;

    if (spec->value && absolute)
        next = max_of(clock_deadline(t->clock, spec->value), (u64)1);
    else if (spec->value && __builtin_add_overflow(host_monotonic(), spec->value, &next))
        next = DEADLINE_NEVER;
    mutex_lock(&t->lock);
    get_locked(t, old);
    if (next)
        rc = timer_arm(&t->timer, next);
    else
        timer_cancel(&t->timer, false);
    if (rc == 0) {
        t->next = next;
        t->interval = spec->interval;
        t->ticks = 0;
    }
    mutex_unlock(&t->lock);
    return rc;
}

void timerfd_get(struct file *f, struct timerfd_spec *out)
{
    struct timerfd *t = f->private;

    mutex_lock(&t->lock);
    get_locked(t, out);
    mutex_unlock(&t->lock);
}
