/*
 * eventfd(2). The counter stands under one lock; a write that would overflow it waits for a read,
 * a read of zero waits for a write.
 */
#include "fs/eventfd/eventfd.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_epoll.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct mutex lock;
    u64 count; /* guarded by lock */
    bool semaphore;
    struct waitq queue;
};

/* try_take() - what a read gets. Return: is there anything? */
static bool try_take(struct eventfd *e, u64 *value)
{
    bool got;

    mutex_lock(&e->lock);
    got = e->count != 0;
    if (got) {
        *value = e->semaphore ? 1 : e->count;
        e->count -= *value;
    }
    mutex_unlock(&e->lock);
    return got;
}

static bool try_add(struct eventfd *e, u64 value)
{
    bool fits;

    mutex_lock(&e->lock);
    fits = value <= COUNT_MAX - min_of(e->count, COUNT_MAX);
    if (fits)
        e->count += value;
    mutex_unlock(&e->lock);
    return fits;
}

static ssize_t eventfd_read(struct file *f, struct uio *to, s64 *pos)
{
    struct eventfd *e = f->private;
    u64 value;
    int rc;

    if (to->left < sizeof(value))
        return -EINVAL;
    if (!try_take(e, &value)) {
        if (f->flags & LX_O_NONBLOCK)
            return -EAGAIN;
        rc = wait_event(&e->queue, LX_POLLIN, DEADLINE_NEVER, try_take(e, &value));
        if (rc < 0)
            return rc;
    }
    waitq_wake(&e->queue, LX_POLLOUT | LX_POLLWRNORM);
    return uio_to(to, &value, sizeof(value));
}

static ssize_t eventfd_write(struct file *f, struct uio *from, s64 *pos)
{
    struct eventfd *e = f->private;
    ssize_t n;
    u64 value;
    int rc;

    if (from->left < sizeof(value))
        return -EINVAL;
    n = uio_from(from, &value, sizeof(value));
    if (n < (ssize_t)sizeof(value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    if (!try_add(e, value)) {
        if (f->flags & LX_O_NONBLOCK)
            return -EAGAIN;
        rc = wait_event(&e->queue, LX_POLLOUT, DEADLINE_NEVER, try_add(e, value));
        if (rc < 0)
            return rc;
    }
    if (value)
        waitq_wake(&e->queue, LX_POLLIN | LX_POLLRDNORM);
    return n;
}

static u32 eventfd_poll(struct file *f)
{
    struct eventfd *e = f->private;
    u32 events = 0;

    mutex_lock(&e->lock);
    if (e->count)
        events |= LX_POLLIN | LX_POLLRDNORM;
    if (e->count < COUNT_MAX)
        events |= LX_POLLOUT | LX_POLLWRNORM;
    mutex_unlock(&e->lock);
    return events;
}

static struct waitq *eventfd_queue(struct file *f)
{
    return &((struct eventfd *)f->private)->queue;
}

static void eventfd_free(struct eventfd *e)
{
    waitq_destroy(&e->queue);
    mutex_destroy(&e->lock);
    free(e);
}

static void eventfd_release(struct file *f)
{
    eventfd_free(f->private);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .queue = eventfd_queue,
    .release = eventfd_release,
};

int eventfd_open(u32 initval, u32 flags, const struct cred *cred, struct file **out)
{
    struct eventfd *e = calloc(1, sizeof(*e));
    int rc;

    if (!e)
        return -ENOMEM;
    mutex_init(&e->lock, LOCK_PIPE);
    waitq_init(&e->queue);
    e->count = initval;
    e->semaphore = flags & LX_EFD_SEMAPHORE;
    rc = file_new_anon(&eventfd_ops, "anon_inode:[eventfd]", 0600, cred,
                       LX_O_RDWR | (flags & LX_O_NONBLOCK), e, out);
    if (rc < 0)
        eventfd_free(e);
    return rc;
}

bool eventfd_count(struct file *f, u64 *count)
{
    struct eventfd *e = f->private;

    if (f->ops != &eventfd_ops)
        return false;
    mutex_lock(&e->lock);
    *count = e->count;
    mutex_unlock(&e->lock);
    return true;
}
