/* Names in directories: getdents(2), mkdir(2), unlink(2), rename(2), link(2), symlink(2), mknod(2). */
#include "fs/vfs/file.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIR_BYTES   65536u /* of entries gathered by one call at most */
#define DIRENT_HEAD 19u    /* bytes before the name in struct linux_dirent64 */
#define OLD_HEAD    18u    /* in struct linux_dirent, whose type is its last byte */

/* Entries as they are gathered for one call. */
struct dirents {
    struct dir_emit emit;
    struct task *t;
    uaddr_t to; /* the guest's buffer */
    u8 *buf;
    size_t len, cap;
    bool old;  /* getdents(2)'s layout */
    bool full; /* an entry did not fit */
};

static bool emit_dirent(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type,
                        s64 next_pos)
{
    struct dirents *d = container_of(e, struct dirents, emit);
    /* name, NUL, and in the old layout the type */
    size_t reclen = (size_t)(d->old ? OLD_HEAD + 2 : DIRENT_HEAD + 1) + len;
    u8 *p = d->buf + d->len;

    reclen = (reclen + 7) & ~(size_t)7;
    if (reclen > d->cap - d->len) {
        d->full = true;
        return false;
    }
    memset(p, 0, reclen);
    memcpy(p, &ino, 8);
    memcpy(p + 8, &next_pos, 8);
    memcpy(p + 16, &(u16){(u16)reclen}, 2);
    p[d->old ? reclen - 1 : 18] = (u8)type;
    memcpy(p + (d->old ? OLD_HEAD : DIRENT_HEAD), name, len);
    d->len += reclen;
    return true;
}

/* put_dirents() - all is gathered: to the guest, before the position moves on. */
static int put_dirents(struct dir_emit *e)
{
    struct dirents *d = container_of(e, struct dirents, emit);

    if (!d->len)
        return d->full ? -EINVAL : 0;
    return usermem_out(d->t->mm, d->to, d->buf, d->len);
}

static s64 do_getdents(struct task *t, const u64 a[6], bool old)
{
    struct dirents d = {
        .emit = {.emit = emit_dirent, .finish = put_dirents}, .t = t, .to = a[1], .old = old};
    auto_put(file) struct file *f = NULL;
    auto_free u8 *buf = NULL;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    d.cap = min_of((u32)a[2], DIR_BYTES);
    d.buf = buf = malloc(d.cap ? d.cap : 1);
    if (!buf)
        return -ENOMEM;
    rc = file_readdir(f, &d.emit);
    return rc < 0 ? rc : (s64)d.len;
}

s64 sys_getdents(struct task *t, const u64 a[6])
{
    return do_getdents(t, a, true);
}

s64 sys_getdents64(struct task *t, const u64 a[6])
{
    return do_getdents(t, a, false);
}

static s64 do_mkdir(struct task *t, u64 dirfd, u64 upath, u64 mode)
{
    struct at_walk w;
    s64 rc = at_begin(t, &w, dirfd, upath, false);

    if (rc < 0)
        return rc;
    rc = vfs_mkdir(&w.ctx, at_from(&w), w.path, (u32)mode & 01777 & ~fs_context_umask(t->fs));
    at_end(&w);
    return rc;
}

s64 sys_mkdir(struct task *t, const u64 a[6])
{
    return do_mkdir(t, (u64)LX_AT_FDCWD, a[0], a[1]);
}

s64 sys_mkdirat(struct task *t, const u64 a[6])
{
    return do_mkdir(t, a[0], a[1], a[2]);
}

static s64 do_mknod(struct task *t, u64 dirfd, u64 upath, u32 mode, u32 dev)
{
    u32 type = mode & LX_S_IFMT;
    struct at_walk w;
    s64 rc;

    if (type == 0)
        type = LX_S_IFREG;
    if (type == LX_S_IFDIR)
        return -EPERM;
    if (type != LX_S_IFREG && type != LX_S_IFIFO && type != LX_S_IFSOCK && type != LX_S_IFCHR &&
        type != LX_S_IFBLK)
        return -EINVAL;
    rc = at_begin(t, &w, dirfd, upath, false);
    if (rc < 0)
        return rc;
    mode &= LX_S_IALLUGO & ~fs_context_umask(t->fs);
    rc = vfs_mknod(&w.ctx, at_from(&w), w.path, type | mode, lx_major(dev), lx_minor(dev));
    at_end(&w);
    return rc;
}

s64 sys_mknod(struct task *t, const u64 a[6])
{
    return do_mknod(t, (u64)LX_AT_FDCWD, a[0], (u32)a[1], (u32)a[2]);
}

s64 sys_mknodat(struct task *t, const u64 a[6])
{
    return do_mknod(t, a[0], a[1], (u32)a[2], (u32)a[3]);
}

static s64 do_unlink(struct task *t, u64 dirfd, u64 upath, bool dir)
{
    struct at_walk w;
    s64 rc = at_begin(t, &w, dirfd, upath, false);

    if (rc < 0)
        return rc;
    rc = vfs_unlink(&w.ctx, at_from(&w), w.path, dir);
    at_end(&w);
    return rc;
}

s64 sys_unlink(struct task *t, const u64 a[6])
{
    return do_unlink(t, (u64)LX_AT_FDCWD, a[0], false);
}

s64 sys_rmdir(struct task *t, const u64 a[6])
{
    return do_unlink(t, (u64)LX_AT_FDCWD, a[0], true);
}

s64 sys_unlinkat(struct task *t, const u64 a[6])
{
    if ((u32)a[2] & ~LX_AT_REMOVEDIR)
        return -EINVAL;
    return do_unlink(t, a[0], a[1], a[2] & LX_AT_REMOVEDIR);
}

static s64 do_rename(struct task *t, u64 from_fd, u64 from, u64 to_fd, u64 to, u32 flags)
{
    struct at_walk w, v;
    s64 rc;

    if ((flags & ~(u32)(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE | LX_RENAME_WHITEOUT)) ||
        ((flags & LX_RENAME_EXCHANGE) && (flags & ~(u32)LX_RENAME_EXCHANGE)))
        return -EINVAL;
    rc = at_begin(t, &w, from_fd, from, false);
    if (rc < 0)
        return rc;
    rc = at_begin(t, &v, to_fd, to, false);
    if (rc == 0) {
        rc = vfs_rename(&w.ctx, at_from(&w), w.path, at_from(&v), v.path, flags);
        at_end(&v);
    }
    at_end(&w);
    return rc;
}

s64 sys_rename(struct task *t, const u64 a[6])
{
    return do_rename(t, (u64)LX_AT_FDCWD, a[0], (u64)LX_AT_FDCWD, a[1], 0);
}

s64 sys_renameat(struct task *t, const u64 a[6])
{
    return do_rename(t, a[0], a[1], a[2], a[3], 0);
}

s64 sys_renameat2(struct task *t, const u64 a[6])
{
    return do_rename(t, a[0], a[1], a[2], a[3], (u32)a[4]);
}

static s64 do_link(struct task *t, u64 from_fd, u64 from, u64 to_fd, u64 to, u32 flags)
{
    u32 walk_flags = (flags & LX_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
                     (flags & LX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
    struct at_walk w;
    struct path old;
    s64 rc;

    if (flags & ~(LX_AT_SYMLINK_FOLLOW | LX_AT_EMPTY_PATH))
        return -EINVAL;
    if ((flags & LX_AT_EMPTY_PATH) && !cred_capable(task_cred(t), LX_CAP_DAC_READ_SEARCH))
        return -ENOENT;
    rc = at_resolve(t, from_fd, from, walk_flags, &old);
    if (rc < 0)
        return rc;
    rc = at_begin(t, &w, to_fd, to, false);
    if (rc == 0) {
        rc = vfs_link(&w.ctx, &old, at_from(&w), w.path);
        at_end(&w);
    }
    path_put(&old);
    return rc;
}

s64 sys_link(struct task *t, const u64 a[6])
{
    return do_link(t, (u64)LX_AT_FDCWD, a[0], (u64)LX_AT_FDCWD, a[1], 0);
}

s64 sys_linkat(struct task *t, const u64 a[6])
{
    return do_link(t, a[0], a[1], a[2], a[3], (u32)a[4]);
}

static s64 do_symlink(struct task *t, u64 utarget, u64 dirfd, u64 upath)
{
    auto_free char *target = NULL;
    struct at_walk w;
    s64 rc = arg_path(t, utarget, &target);

    if (rc < 0)
        return rc;
    if (!target[0])
        return -ENOENT;
    rc = at_begin(t, &w, dirfd, upath, false);
    if (rc < 0)
        return rc;
    rc = vfs_symlink(&w.ctx, target, at_from(&w), w.path);
    at_end(&w);
    return rc;
}

s64 sys_symlink(struct task *t, const u64 a[6])
{
    return do_symlink(t, a[0], (u64)LX_AT_FDCWD, a[1]);
}

s64 sys_symlinkat(struct task *t, const u64 a[6])
{
    return do_symlink(t, a[0], a[1], a[2]);
}
