/* Attributes of files: chmod(2), chown(2), utimensat(2), truncate(2) and their relatives. */
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

#define MODE_BITS 07777u

/* set_path() - change attributes of what an *at call names. */
static s64 set_path(struct task *t, u64 dirfd, u64 upath, u32 walk_flags, const struct setattr *s)
{
    struct path p;
    int err = at_resolve(t, dirfd, upath, walk_flags, &p);

    if (err < 0)
        return err;
    err = vfs_setattr(&p, task_cred(t), s);
    path_put(&p);
    return err;
}

static s64 set_fd(struct task *t, u64 fd, const struct setattr *s)
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, fd, &f);

    return err < 0 ? err : vfs_setattr(&f->path, task_cred(t), s);
}

static u32 follow_unless(u64 flags, u32 nofollow)
{
    return (flags & nofollow ? 0 : WALK_FOLLOW) | (flags & LX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

static struct setattr mode_of(u64 mode)
{
    return (struct setattr){.valid = SET_MODE, .mode = (u32)mode & MODE_BITS};
}

s64 sys_chmod(struct task *t, const u64 a[6])
{
    struct setattr s = mode_of(a[1]);

    return set_path(t, (u64)LX_AT_FDCWD, a[0], WALK_FOLLOW, &s);
}

s64 sys_fchmod(struct task *t, const u64 a[6])
{
    struct setattr s = mode_of(a[1]);

    return set_fd(t, a[0], &s);
}

s64 sys_fchmodat(struct task *t, const u64 a[6])
{
    struct setattr s = mode_of(a[2]);

    return set_path(t, a[0], a[1], WALK_FOLLOW, &s);
}

s64 sys_fchmodat2(struct task *t, const u64 a[6])
{
    struct setattr s = mode_of(a[2]);

    if (a[3] & ~(u64)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))
        return -EINVAL;
    return set_path(t, a[0], a[1], follow_unless(a[3], LX_AT_SYMLINK_NOFOLLOW), &s);
}

/* owner_of() - the ids as kids; -1 leaves one. Return: 0, -EINVAL (not mapped). */
static int owner_of(struct task *t, u64 uid, u64 gid, struct setattr *s)
{
    const struct user_ns *ns = task_cred(t)->user_ns;

    *s = (struct setattr){0};
    if ((u32)uid != ID_INVALID) {
        s->valid |= SET_UID;
        s->uid = uid_to_kuid(ns, (u32)uid);
    }
    if ((u32)gid != ID_INVALID) {
        s->valid |= SET_GID;
        s->gid = gid_to_kgid(ns, (u32)gid);
    }
    if (((s->valid & SET_UID) && s->uid == ID_INVALID) ||
        ((s->valid & SET_GID) && s->gid == ID_INVALID))
        return -EINVAL;
    return 0;
}

static s64 chown_path(struct task *t, u64 dirfd, u64 upath, u64 uid, u64 gid, u32 walk_flags)
{
    struct setattr s;

    return owner_of(t, uid, gid, &s) < 0 ? -EINVAL : set_path(t, dirfd, upath, walk_flags, &s);
}

s64 sys_chown(struct task *t, const u64 a[6])
{
    return chown_path(t, (u64)LX_AT_FDCWD, a[0], a[1], a[2], WALK_FOLLOW);
}

s64 sys_lchown(struct task *t, const u64 a[6])
{
    return chown_path(t, (u64)LX_AT_FDCWD, a[0], a[1], a[2], 0);
}

s64 sys_fchown(struct task *t, const u64 a[6])
{
    struct setattr s;

    return owner_of(t, a[1], a[2], &s) < 0 ? -EINVAL : set_fd(t, a[0], &s);
}

s64 sys_fchownat(struct task *t, const u64 a[6])
{
    if (a[4] & ~(u64)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))
        return -EINVAL;
    return chown_path(t, a[0], a[1], a[2], a[3], follow_unless(a[4], LX_AT_SYMLINK_NOFOLLOW));
}

/* read_time() - one of the two times of utimensat(2). Return: 0, -EINVAL. */
static int read_time(s64 sec, s64 nsec, u32 set, u32 now, struct lx_time *out, struct setattr *s)
{
    if (nsec == LX_UTIME_OMIT)
        return 0;
    if (nsec == LX_UTIME_NOW) {
        s->valid |= now;
        return 0;
    }
    if (nsec < 0 || nsec >= 1000000000)
        return -EINVAL;
    s->valid |= set;
    *out = (struct lx_time){sec, (u32)nsec};
    return 0;
}

static const struct setattr both_now = {.valid = SET_ATIME_NOW | SET_MTIME_NOW};

s64 sys_utimensat(struct task *t, const u64 a[6])
{
    struct setattr s = {0};
    s64 ts[4];

    if (a[2]) {
        if (usermem_get(t->mm, &ts, a[2]) < 0)
            return -EFAULT;
        if (read_time(ts[0], ts[1], SET_ATIME, SET_ATIME_NOW, &s.atime, &s) < 0 ||
            read_time(ts[2], ts[3], SET_MTIME, SET_MTIME_NOW, &s.mtime, &s) < 0)
            return -EINVAL;
        if (!s.valid)
            return 0;
    } else {
        s = both_now;
    }
    if (!a[1] && (s32)a[0] != LX_AT_FDCWD)
        return a[3] ? -EINVAL : set_fd(t, a[0], &s);
    if (a[3] & ~(u64)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))
        return -EINVAL;
    return set_path(t, a[0], a[1], follow_unless(a[3], LX_AT_SYMLINK_NOFOLLOW), &s);
}

/* set_micros() - utimes(2)'s two struct timeval; NULL: now. */
static s64 set_micros(struct task *t, u64 dirfd, u64 upath, u64 utv)
{
    struct setattr s = both_now;
    s64 tv[4];

    if (utv) {
        if (usermem_get(t->mm, &tv, utv) < 0)
            return -EFAULT;
        if (tv[1] < 0 || tv[1] >= 1000000 || tv[3] < 0 || tv[3] >= 1000000)
            return -EINVAL;
        s = (struct setattr){.valid = SET_ATIME | SET_MTIME,
                             .atime = {tv[0], (u32)tv[1] * 1000},
                             .mtime = {tv[2], (u32)tv[3] * 1000}};
    }
    if (!upath && (s32)dirfd != LX_AT_FDCWD)
        return set_fd(t, dirfd, &s);
    return set_path(t, dirfd, upath, WALK_FOLLOW, &s);
}

s64 sys_utimes(struct task *t, const u64 a[6])
{
    return set_micros(t, (u64)LX_AT_FDCWD, a[0], a[1]);
}

s64 sys_futimesat(struct task *t, const u64 a[6])
{
    return set_micros(t, a[0], a[1], a[2]);
}

s64 sys_utime(struct task *t, const u64 a[6])
{
    struct setattr s = both_now;
    s64 times[2];

    if (a[1]) {
        if (usermem_get(t->mm, &times, a[1]) < 0)
            return -EFAULT;
        s = (struct setattr){
            .valid = SET_ATIME | SET_MTIME, .atime = {times[0], 0}, .mtime = {times[1], 0}};
    }
    return set_path(t, (u64)LX_AT_FDCWD, a[0], WALK_FOLLOW, &s);
}

s64 sys_truncate(struct task *t, const u64 a[6])
{
    struct setattr s = {.valid = SET_SIZE, .size = a[1]};
    struct path p;
    int err;

    if ((s64)a[1] < 0)
        return -EINVAL;
    err = at_resolve(t, (u64)LX_AT_FDCWD, a[0], WALK_FOLLOW, &p);
    if (err < 0)
        return err;
    switch (p.dentry->inode->mode & LX_S_IFMT) {
    case LX_S_IFREG:
        err = vfs_permission(&p, task_cred(t), MAY_WRITE);
        break;
    case LX_S_IFDIR:
        err = -EISDIR;
        break;
    default:
        err = -EINVAL;
    }
    if (!err)
        err = vfs_setattr(&p, task_cred(t), &s);
    path_put(&p);
    return err;
}

s64 sys_ftruncate(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    int err;

    if ((s64)a[1] < 0)
        return -EINVAL;
    err = arg_fd(t, a[0], &f);
    return err < 0 ? err : file_truncate(f, a[1]);
}

s64 sys_fallocate(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, a[0], &f);

    return err < 0 ? err : file_fallocate(f, (s32)a[1], (s64)a[2], (s64)a[3]);
}
