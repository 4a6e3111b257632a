/*
 * The queue of an instance and its reader. An event that equals the last one in the queue is not
 * added. A full queue gets one LX_IN_Q_OVERFLOW, and takes no more until something was read. All
 * queues of a sandbox together are bounded too.
 */
#include "fs/inotify/inotify_priv.h"

#include "fs/vfs/file.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(u32) nqueued; /* of all instances */

/* padded() - what a name takes in a read: with a NUL, and a multiple of the event's own size. */
static u32 padded(u32 len)
{
    u32 unit = sizeof(struct lx_inotify_event);

    return len ? (len + 1 + unit - 1) / unit * unit : 0;
}

static size_t size_of(const struct inotify_event *e)
{
    return sizeof(struct lx_inotify_event) + padded(e->len);
}

static bool same(const struct inotify_event *old, s32 wd, const struct notify_event *e)
{
    return old->wd == wd && old->mask == e->mask && !(old->mask & LX_IN_IGNORED) &&
           old->len == e->len && !memcmp(old->name, e->name ? e->name : "", e->len);
}

static struct inotify_event *event_new(s32 wd, const struct notify_event *e)
{
    struct inotify_event *fresh = malloc(sizeof(*fresh) + e->len);

    if (!fresh)
        return NULL;
    fresh->wd = wd;
    fresh->mask = e->mask;
    fresh->cookie = e->cookie;
    fresh->len = e->len;
    if (e->len)
        memcpy(fresh->name, e->name, e->len);
    return fresh;
}

static void push_locked(struct inotify *g, struct inotify_event *e)
{
    list_add_tail(&g->events, &e->node);
    g->nevents++;
    atomic_fetch_add_explicit(&nqueued, 1, memory_order_relaxed);
}

/* add_locked() - Return: is there anything new to read? */
static bool add_locked(struct inotify *g, s32 wd, const struct notify_event *e)
{
    static const struct notify_event overflow = {.mask = LX_IN_Q_OVERFLOW};
    struct inotify_event *fresh = NULL;

    if (g->overflowed)
        return false;
    if (g->nevents && same(list_entry(g->events.prev, struct inotify_event, node), wd, e))
        return false;
    if (g->nevents < LIMIT_INOTIFY_EVENTS &&
        atomic_load_explicit(&nqueued, memory_order_relaxed) < LIMIT_INOTIFY_EVENTS_ALL)
        fresh = event_new(wd, e);
    if (!fresh) {
        fresh = event_new(-1, &overflow);
        g->overflowed = fresh != NULL;
    }
    if (fresh)
        push_locked(g, fresh);
    return fresh != NULL;
}

void inotify_queue(struct inotify *g, s32 wd, const struct notify_event *e)
{
    bool fresh;

    mutex_lock(&g->lock);
    fresh = add_locked(g, wd, e);
    mutex_unlock(&g->lock);
    if (fresh)
        waitq_wake(&g->queue, LX_POLLIN | LX_POLLRDNORM);
}

static void unqueue_locked(struct inotify *g, struct inotify_event *e)
{
    list_del(&e->node);
    g->nevents--;
    atomic_fetch_sub_explicit(&nqueued, 1, memory_order_relaxed);
    if (e->mask & LX_IN_Q_OVERFLOW)
        g->overflowed = false;
}

void inotify_queue_free(struct inotify *g)
{
    struct inotify_event *e, *tmp;

    list_for_each_safe(e, tmp, &g->events, node) {
        unqueue_locked(g, e);
        free(e);
    }
}

/* take() - the oldest event if it fits. Return: false: there is none; *err: it does not fit. */
static bool take(struct inotify *g, u64 room, struct inotify_event **out, int *err)
{
    struct inotify_event *e;
    bool any;

    mutex_lock(&g->lock);
    any = g->nevents > 0;
    *err = 0;
    *out = NULL;
    if (any) {
        e = list_entry(g->events.next, struct inotify_event, node);
        if (size_of(e) > room) {
            *err = -EINVAL;
        } else {
            unqueue_locked(g, e);
            *out = e;
        }
    }
    mutex_unlock(&g->lock);
    return any;
}

/* put() - copy one out; it is gone, whether that works or not. */
static ssize_t put(struct uio *to, struct inotify_event *e)
{
    u8 buf[sizeof(struct lx_inotify_event) + LIMIT_NAME + 1 + sizeof(struct lx_inotify_event)] = {
        0};
    struct lx_inotify_event out = {e->wd, e->mask, e->cookie, padded(e->len)};
    size_t size = size_of(e);
    ssize_t n;

    memcpy(buf, &out, sizeof(out));
    memcpy(buf + sizeof(out), e->name, e->len);
    free(e);
    n = uio_to(to, buf, size);
    return n == (ssize_t)size ? n : -EFAULT;
}

static ssize_t inotify_read(struct file *f, struct uio *to, s64 *pos)
{
    struct inotify *g = f->private;
    struct inotify_event *e;
    ssize_t done = 0, n;
    int err;

    for (;;) {
        if (!take(g, to->left, &e, &err)) {
            if (done)
                return done;
            if (f->flags & LX_O_NONBLOCK)
                return -EAGAIN;
            n = wait_event(&g->queue, LX_POLLIN, DEADLINE_NEVER, take(g, to->left, &e, &err));
            if (n < 0)
                return n;
        }
        n = err ? err : put(to, e);
        if (n < 0)
            return done ? done : n;
        done += n;
    }
}

static u32 inotify_poll(struct file *f)
{
    struct inotify *g = f->private;
    u32 events;

    mutex_lock(&g->lock);
    events = g->nevents ? LX_POLLIN | LX_POLLRDNORM : 0;
    mutex_unlock(&g->lock);
    return events;
}

static struct waitq *inotify_waitq(struct file *f)
{
    return &((struct inotify *)f->private)->queue;
}

static s64 inotify_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct inotify *g = f->private;
    struct inotify_event *e;
    u64 size = 0;
    s32 shown;

    if (cmd != LX_FIONREAD)
        return -ENOTTY;
    mutex_lock(&g->lock);
    list_for_each(e, &g->events, node)
        size += size_of(e);
    mutex_unlock(&g->lock);
    shown = (s32)size;
    return usermem_put(mm, arg, &shown);
}

static void inotify_release(struct file *f)
{
    struct inotify *g = f->private;

    inotify_free_watches(g);
    inotify_queue_free(g);
    inotify_user_uncharge(g->user, INOTIFY_INSTANCE);
    inotify_user_put(g->user);
    waitq_destroy(&g->queue);
    mutex_destroy(&g->lock);
    free(g);
}

const struct file_ops inotify_file_ops = {
    .async = FILE_ASYNC_STREAM,
    .read = inotify_read,
    .poll = inotify_poll,
    .queue = inotify_waitq,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
};
