/* signalfd(2). */
#include "fs/signalfd/signalfd.h"
#include "sentry/base/clean.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_signalfd4(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *old = NULL;
    u32 flags = (u32)a[3];
    struct file *f;
    u64 mask, was;
    int rc;

    if (a[2] != sizeof(mask))
        return -EINVAL;
    if (usermem_get(t->mm, &mask, a[1]) < 0)
        return -EFAULT;
    if (flags & ~(u32)(LX_SFD_CLOEXEC | LX_SFD_NONBLOCK))
        return -EINVAL;
    mask &= ~(sigbit(LX_SIGKILL) | sigbit(LX_SIGSTOP));
    if ((s32)a[0] == -1) {
        rc = signalfd_open(mask, flags, task_cred(t), &f);
        return rc < 0 ? rc : install_fd(t, f, flags);
    }
    rc = arg_fd(t, a[0], &old);
    if (rc < 0)
        return rc;
    if (!signalfd_mask(old, &was))
        return -EINVAL;
    signalfd_set_mask(old, mask);
    return (s32)a[0];
}

s64 sys_signalfd(struct task *t, const u64 a[6])
{
    const u64 args[6] = {a[0], a[1], a[2], 0};

    return sys_signalfd4(t, args);
}
