/* The working directory and the root: getcwd(2), chdir(2), chroot(2). */
#include "fs/vfs/file.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNREACHABLE "(unreachable)"

s64 sys_getcwd(struct task *t, const u64 a[6])
{
    size_t prefix = strlen(UNREACHABLE);
    auto_free char *buf = malloc(LIMIT_PATH + prefix);
    bool unreachable = false;
    struct walk_ctx ctx;
    const char *from;
    s64 n;

    if (!buf)
        return -ENOMEM;
    fs_context_walk(t, &ctx);
    n = ctx.cwd.dentry->unhashed
            ? -ENOENT
            : vfs_path_string(&ctx.cwd, &ctx.root, buf + prefix, LIMIT_PATH, false, &unreachable);
    fs_context_walk_end(&ctx);
    if (n < 0)
        return n == -ERANGE ? -ENAMETOOLONG : n;
    from = buf + prefix;
    if (unreachable) {
        memcpy(buf, UNREACHABLE, prefix);
        from = buf;
        n += (s64)prefix;
    }
    if ((u64)n > a[1])
        return -ERANGE;
    return usermem_out(t->mm, a[0], from, (size_t)n) < 0 ? -EFAULT : n;
}

/* enter() - may the task make this directory its own? `p` is borrowed. */
static int enter(struct task *t, const struct path *p, bool root)
{
    int rc = vfs_permission(p, task_cred(t), MAY_EXEC);

    if (rc < 0)
        return rc;
    if (root && !cred_ns_capable(task_cred(t), LX_CAP_SYS_CHROOT))
        return -EPERM;
    if (root)
        fs_context_set_root(t->fs, p);
    else
        fs_context_set_cwd(t->fs, p);
    return 0;
}

static s64 enter_path(struct task *t, u64 upath, bool root)
{
    struct path p;
    s64 rc = at_resolve(t, (u64)LX_AT_FDCWD, upath, WALK_FOLLOW | WALK_DIRECTORY, &p);

    if (rc < 0)
        return rc;
    rc = enter(t, &p, root);
    path_put(&p);
    return rc;
}

s64 sys_chdir(struct task *t, const u64 a[6])
{
    return enter_path(t, a[0], false);
}

s64 sys_chroot(struct task *t, const u64 a[6])
{
    return enter_path(t, a[0], true);
}

s64 sys_fchdir(struct task *t, const u64 a[6])
{
    struct file *f;
    s64 rc = arg_fd_path(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = LX_S_ISDIR(f->inode->mode) ? enter(t, &f->path, false) : -ENOTDIR;
    file_put(f);
    return rc;
}
