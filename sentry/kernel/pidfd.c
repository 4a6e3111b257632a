/*
 * Process descriptors. One holds its struct pid, which outlives the process and never comes to mean
 * another; the pid's state and queue tell when the process has ended and when it has been reaped.
 */
#include "sentry/kernel/pidfd.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/pid.h"

static u32 pidfd_poll(struct file *f)
{
    switch (atomic_load(&((struct pid *)f->private)->fate)) {
    case PID_ALIVE: return 0;
    case PID_DEAD: return LX_POLLIN | LX_POLLRDNORM;
    default: return LX_POLLIN | LX_POLLRDNORM | LX_POLLHUP;
    }
}

static struct waitq *pidfd_queue(struct file *f)
{
    return &((struct pid *)f->private)->fate_wait;
}

static void pidfd_release(struct file *f)
{
    pid_put(f->private);
}

static const struct file_ops pidfd_ops = {
    .poll = pidfd_poll,
    .queue = pidfd_queue,
    .release = pidfd_release,
};

int pidfd_file(struct pid *pid, u32 flags, const struct cred *cred, struct file **out)
{
    int rc = file_new_anon(&pidfd_ops, "anon_inode:[pidfd]", 0600, cred,
                           LX_O_RDWR | (flags & LX_PIDFD_NONBLOCK), pid_get(pid), out);

    if (rc < 0)
        pid_put(pid);
    return rc;
}

struct pid *pidfd_pid(const struct file *f)
{
    return f->ops == &pidfd_ops ? f->private : NULL;
}
