/* Making, copying and closing descriptors: open(2), openat2(2), close(2), dup(2), umask(2). */
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

#define OPEN_HOW_FIRST         24u /* bytes of the first version of struct open_how */
#define LX_CLOSE_RANGE_UNSHARE 2u
#define LX_CLOSE_RANGE_CLOEXEC 4u
#define PATH_FLAGS             (LX_O_DIRECTORY | LX_O_NOFOLLOW | LX_O_PATH | LX_O_CLOEXEC)

/* open_flags() - check and complete what an open asks for. Return: 0, -EINVAL. */
static int open_flags(u32 *flags, u32 *mode)
{
    if (*flags & LX_O_PATH) {
        *flags &= PATH_FLAGS;
    } else if (*flags & LX_O_TMPFILE_) {
        if ((*flags & LX_O_TMPFILE) != LX_O_TMPFILE || (*flags & LX_O_CREAT) ||
            !(*flags & (LX_O_WRONLY | LX_O_RDWR)))
            return -EINVAL;
    }
    if (!(*flags & LX_O_PATH))
        *flags |= LX_O_LARGEFILE;
    if (!(*flags & (LX_O_CREAT | LX_O_TMPFILE_)))
        *mode = 0;
    return 0;
}

static s64 do_open(struct task *t, u64 dirfd, u64 upath, u32 flags, u32 mode, u32 walk_flags)
{
    struct at_walk w;
    struct file *f;
    s64 rc = open_flags(&flags, &mode);

    if (rc == 0)
        rc = at_begin(t, &w, dirfd, upath, false);
    if (rc < 0)
        return rc;
    if (!(flags & LX_O_NOFOLLOW))
        walk_flags |= WALK_FOLLOW;
    if (walk_flags & (WALK_BENEATH | WALK_IN_ROOT))
        rc = at_scope(t, &w, dirfd);
    if (rc == 0 && !fd_available(t->files, task_rlimit(t, LX_RLIMIT_NOFILE)))
        rc = -EMFILE;
    if (rc == 0)
        rc = vfs_open(&w.ctx, at_from(&w), w.path, flags, mode & ~fs_context_umask(t->fs), walk_flags, &f);
    at_end(&w);
    return rc < 0 ? rc : install_fd(t, f, flags);
}

s64 sys_open(struct task *t, const u64 a[6])
{
    return do_open(t, (u64)LX_AT_FDCWD, a[0], (u32)a[1] & LX_O_VALID, (u32)a[2] & LX_S_IALLUGO, 0);
}

s64 sys_openat(struct task *t, const u64 a[6])
{
    return do_open(t, a[0], a[1], (u32)a[2] & LX_O_VALID, (u32)a[3] & LX_S_IALLUGO, 0);
}

s64 sys_creat(struct task *t, const u64 a[6])
{
    return do_open(t, (u64)LX_AT_FDCWD, a[0], LX_O_CREAT | LX_O_WRONLY | LX_O_TRUNC,
                   (u32)a[1] & LX_S_IALLUGO, 0);
}

/* how_check() - openat2(2)'s stricter rules. */
static int how_check(const struct lx_open_how *how)
{
    u64 known = LX_RESOLVE_NO_XDEV | LX_RESOLVE_NO_MAGICLINKS | LX_RESOLVE_NO_SYMLINKS |
                LX_RESOLVE_BENEATH | LX_RESOLVE_IN_ROOT | LX_RESOLVE_CACHED;

    if ((how->flags & ~(u64)LX_O_VALID) || (how->resolve & ~known))
        return -EINVAL;
    if ((how->resolve & LX_RESOLVE_BENEATH) && (how->resolve & LX_RESOLVE_IN_ROOT))
        return -EINVAL;
    if (how->mode & ~(u64)LX_S_IALLUGO)
        return -EINVAL;
    if (how->mode && !(how->flags & (LX_O_CREAT | LX_O_TMPFILE_)))
        return -EINVAL;
    if ((how->flags & LX_O_PATH) && (how->flags & ~(u64)PATH_FLAGS))
        return -EINVAL;
    return how->resolve & LX_RESOLVE_CACHED ? -EAGAIN : 0;
}

static u32 how_walk_flags(u64 resolve)
{
    return (resolve & LX_RESOLVE_NO_XDEV ? WALK_NO_XDEV : 0) |
           (resolve & LX_RESOLVE_NO_MAGICLINKS ? WALK_NO_MAGIC : 0) |
           (resolve & LX_RESOLVE_NO_SYMLINKS ? WALK_NO_SYMLINKS : 0) |
           (resolve & LX_RESOLVE_BENEATH ? WALK_BENEATH : 0) |
           (resolve & LX_RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0);
}

s64 sys_openat2(struct task *t, const u64 a[6])
{
    struct lx_open_how how;
    int rc;

    if (a[3] < OPEN_HOW_FIRST)
        return -EINVAL;
    rc = arg_struct(t, a[2], a[3], &how, sizeof(how));
    if (rc == 0)
        rc = how_check(&how);
    if (rc < 0)
        return rc;
    return do_open(t, a[0], a[1], (u32)how.flags, (u32)how.mode, how_walk_flags(how.resolve));
}

s64 sys_close(struct task *t, const u64 a[6])
{
    return fd_close(t->files, (s32)a[0]);
}

s64 sys_close_range(struct task *t, const u64 a[6])
{
    u32 first = (u32)a[0], last = (u32)a[1], flags = (u32)a[2];
    struct fdtable *fresh, *old;

    if ((flags & ~(LX_CLOSE_RANGE_UNSHARE | LX_CLOSE_RANGE_CLOEXEC)) || first > last)
        return -EINVAL;
    if (flags & LX_CLOSE_RANGE_UNSHARE) {
        fresh = fdtable_dup(t->files);
        if (!fresh)
            return -ENOMEM;
        mutex_lock(&t->lock);
        old = t->files;
        t->files = fresh;
        mutex_unlock(&t->lock);
        fdtable_put(old);
    }
    return fd_close_range(t->files, first, last, flags & LX_CLOSE_RANGE_CLOEXEC);
}

s64 sys_dup(struct task *t, const u64 a[6])
{
    struct file *f;
    s64 rc = arg_fd_path(t, a[0], &f);

    return rc < 0 ? rc : install_fd(t, f, 0);
}

/* dup_to() - dup2(2) and dup3(2) once both numbers differ. */
static s64 dup_to(struct task *t, u64 from, u64 to, u32 flags)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);
    struct file *f;
    s64 rc;

    if ((u32)to >= limit)
        return -EBADF;
    rc = arg_fd_path(t, from, &f);
    if (rc < 0)
        return rc;
    rc = fd_replace(t->files, f, (s32)to, limit, flags & LX_O_CLOEXEC);
    if (rc < 0)
        file_put(f);
    return rc;
}

s64 sys_dup2(struct task *t, const u64 a[6])
{
    if ((u32)a[0] != (u32)a[1])
        return dup_to(t, a[0], a[1], 0);
    return fd_cloexec(t->files, (s32)a[0]) < 0 ? -EBADF : (s64)(u32)a[0];
}

s64 sys_dup3(struct task *t, const u64 a[6])
{
    if (((u32)a[2] & ~LX_O_CLOEXEC) || (u32)a[0] == (u32)a[1])
        return -EINVAL;
    return dup_to(t, a[0], a[1], (u32)a[2]);
}

s64 sys_umask(struct task *t, const u64 a[6])
{
    u32 old;

    mutex_lock(&t->fs->lock);
    old = t->fs->umask;
    t->fs->umask = (u32)a[0] & 0777;
    mutex_unlock(&t->fs->lock);
    return old;
}
