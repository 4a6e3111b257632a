/* pidfd_open(2), pidfd_getfd(2). */
#include "sentry/kernel/pidfd.h"

#include "sentry/base/clean.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* find_process() - the pid of a process, a new reference. Return: 0, -ESRCH, -EINVAL (a thread). */
static int find_process(struct task *t, s32 nr, struct pid **out)
{
    struct pid *p;
    int rc = 0;

    pid_lock();
    p = pid_find_locked(t->pid->ns, nr);
    if (!p || (!p->tg && !p->task))
        rc = -ESRCH;
    else if (!p->tg)
        rc = -EINVAL;
    else
        *out = pid_get(p);
    pid_unlock();
    return rc;
}

s64 sys_pidfd_open(struct task *t, const u64 a[6])
{
    auto_put(pid) struct pid *pid = NULL;
    u32 flags = (u32)a[1];
    struct file *f;
    int rc;

    if (flags & ~LX_PIDFD_NONBLOCK || (s32)a[0] <= 0)
        return -EINVAL;
    rc = find_process(t, (s32)a[0], &pid);
    if (rc == 0)
        rc = pidfd_file(pid, flags, task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, LX_O_CLOEXEC);
}

/* leader_of() - the first thread of a process that has not been reaped: a new reference, or NULL. */
static struct task *leader_of(struct pid *pid)
{
    struct task *leader = NULL;

    pid_lock();
    if (pid->tg)
        leader = task_get(pid->tg->leader);
    pid_unlock();
    return leader;
}

/* files_of() - a task's descriptors, a new reference; NULL: it has let go of them. */
static struct fdtable *files_of(struct task *t)
{
    struct fdtable *files;

    mutex_lock(&t->lock);
    files = fdtable_get(t->files);
    mutex_unlock(&t->lock);
    return files;
}

/* file_of() - another task's descriptor, as who may attach to it: a new reference. */
static int file_of(struct task *t, struct task *other, s32 fd, struct file **out)
{
    auto_put(fdtable) struct fdtable *files = files_of(other);
    int rc = task_may_access(t, other, true);

    if (rc < 0)
        return rc;
    if (!files)
        return -ESRCH;
    *out = fd_get(files, fd);
    return *out ? 0 : -EBADF;
}

s64 sys_pidfd_getfd(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *pidfd = NULL;
    auto_put(task) struct task *other = NULL;
    auto_put(file) struct file *f = NULL;
    u64 memory;
    int rc;

    if ((u32)a[2])
        return -EINVAL;
    rc = arg_fd(t, a[0], &pidfd);
    if (rc < 0)
        return rc;
    if (!pidfd_pid(pidfd))
        return -EBADF;
    other = leader_of(pidfd_pid(pidfd));
    if (!other)
        return -ESRCH;
    do {
        f = file_put(f);
        memory = task_mm_id(other);
        rc = file_of(t, other, (s32)a[1], &f);
    } while (task_mm_id(other) != memory);
    return rc < 0 ? rc : install_fd(t, take(f), LX_O_CLOEXEC);
}
