/* inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2). */
#include "fs/inotify/inotify.h"
#include "sentry/abi/lx_inotify.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_inotify_init1(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[0];
    struct file *f;
    int rc;

    if (flags & ~(u32)(LX_IN_CLOEXEC | LX_IN_NONBLOCK))
        return -EINVAL;
    rc = inotify_open(flags, task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, flags);
}

s64 sys_inotify_init(struct task *t, const u64 a[6])
{
    const u64 args[6] = {0};

    return sys_inotify_init1(t, args);
}

/* watch_path() - the object at `upath`, which the caller must be able to read. */
static s64 watch_path(struct task *t, struct file *f, u64 upath, u32 mask)
{
    u32 walk_flags =
        (mask & LX_IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & LX_IN_ONLYDIR ? WALK_DIRECTORY : 0);
    struct path p;
    s64 rc = at_resolve(t, (u64)LX_AT_FDCWD, upath, walk_flags, &p);

    if (rc < 0)
        return rc;
    rc = vfs_permission(&p, task_cred(t), MAY_READ);
    if (rc == 0)
        rc = inotify_add(f, p.dentry->inode, mask);
    path_put(&p);
    return rc;
}

s64 sys_inotify_add_watch(struct task *t, const u64 a[6])
{
    u32 mask = (u32)a[2];
    struct file *f;
    s64 rc;

    if ((mask & ~LX_IN_VALID) || !mask)
        return -EINVAL;
    rc = arg_fd(t, a[0], &f);
    if (rc < 0)
        return rc;
    if (((mask & LX_IN_MASK_ADD) && (mask & LX_IN_MASK_CREATE)) || !inotify_is(f))
        rc = -EINVAL;
    else
        rc = watch_path(t, f, a[1], mask);
    file_put(f);
    return rc;
}

s64 sys_inotify_rm_watch(struct task *t, const u64 a[6])
{
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = inotify_is(f) ? inotify_remove(f, (s32)a[1]) : -EINVAL;
    file_put(f);
    return rc;
}
