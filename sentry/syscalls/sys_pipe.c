/* pipe(2), pipe2(2). */
#include "fs/pipe/pipe.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* install_both() - descriptors for the two ends, which are taken. Return: 0, -EMFILE, -ENOMEM. */
static int install_both(struct task *t, struct file *ends[2], bool cloexec, s32 fds[2])
{
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);

    fds[0] = fd_install(t->files, ends[0], 0, limit, cloexec);
    if (fds[0] < 0) {
        file_put(ends[0]);
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = fd_install(t->files, ends[1], 0, limit, cloexec);
    if (fds[1] < 0) {
        fd_close(t->files, fds[0]);
        file_put(ends[1]);
        return fds[1];
    }
    return 0;
}

s64 sys_pipe2(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1];
    struct file *ends[2];
    s32 fds[2];
    int err;

    if (flags & ~(u32)(LX_O_CLOEXEC | LX_O_NONBLOCK | LX_O_DIRECT))
        return -EINVAL;
    err = pipe_new(task_cred(t), flags & ~(u32)LX_O_CLOEXEC, &ends[0], &ends[1]);
    if (!err)
        err = install_both(t, ends, flags & LX_O_CLOEXEC, fds);
    if (err < 0)
        return err;
    if (usermem_put(t->mm, a[0], &fds) < 0) {
        fd_close(t->files, fds[0]);
        fd_close(t->files, fds[1]);
        return -EFAULT;
    }
    return 0;
}

s64 sys_pipe(struct task *t, const u64 a[6])
{
    const u64 args[6] = {a[0]};

    return sys_pipe2(t, args);
}
