/* eventfd(2). */
#include "fs/eventfd/eventfd.h"
#include "sentry/abi/lx_epoll.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_eventfd2(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1];
    struct file *f;
    int rc;

    if (flags & ~(u32)(LX_EFD_CLOEXEC | LX_EFD_NONBLOCK | LX_EFD_SEMAPHORE))
        return -EINVAL;
    rc = eventfd_open((u32)a[0], flags, task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, flags);
}

s64 sys_eventfd(struct task *t, const u64 a[6])
{
    const u64 args[6] = {a[0], 0};

    return sys_eventfd2(t, args);
}
