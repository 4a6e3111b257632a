/* Asking about files: stat(2), statx(2), access(2), readlink(2), statfs(2). */
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define STAT_FLAGS \
    (LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH | LX_AT_STATX_SYNC_TYPE)

/* A file's attributes with what stat(2) adds from its super and mount. */
struct stat_result {
    struct attr attr;
    u32 dev_major, dev_minor, mount_id;
    bool mount_root;
};

static int stat_path(const struct path *p, struct stat_result *r)
{
    int rc = vfs_getattr(p, &r->attr);

    if (rc < 0)
        return rc;
    r->dev_major = p->dentry->super->dev_major;
    r->dev_minor = p->dentry->super->dev_minor;
    r->mount_id = p->mount->id;
    r->mount_root = p->mount->root == p->dentry;
    return 0;
}

static int stat_fd(struct task *t, u64 fd, struct stat_result *r)
{
    struct file *f;
    int rc = arg_fd_path(t, fd, &f);

    if (rc < 0)
        return rc;
    rc = stat_path(&f->path, r);
    file_put(f);
    return rc;
}

/* stat_at() - the object of an *at call. */
static int stat_at(struct task *t, u64 dirfd, u64 upath, u32 flags, struct stat_result *r)
{
    u32 walk_flags = (flags & LX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
                     (flags & LX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
    struct path p;
    int rc = at_resolve(t, dirfd, upath, walk_flags, &p);

    if (rc < 0)
        return rc;
    rc = stat_path(&p, r);
    path_put(&p);
    return rc;
}

static int put_stat(struct task *t, u64 uaddr, const struct stat_result *r)
{
    const struct user_ns *ns = task_cred(t)->user_ns;
    const struct attr *at = &r->attr;
    struct lx_stat st = {
        .dev = lx_makedev(r->dev_major, r->dev_minor),
        .ino = at->ino,
        .nlink = at->nlink,
        .mode = at->mode,
        .uid = uid_from_kuid(ns, at->uid),
        .gid = gid_from_kgid(ns, at->gid),
        .rdev = lx_makedev(at->rdev_major, at->rdev_minor),
        .size = (s64)at->size,
        .blksize = at->blksize,
        .blocks = (s64)at->blocks,
        .atime = at->atime.sec,
        .atime_nsec = at->atime.nsec,
        .mtime = at->mtime.sec,
        .mtime_nsec = at->mtime.nsec,
        .ctime = at->ctime.sec,
        .ctime_nsec = at->ctime.nsec,
    };

    return usermem_put(t->mm, uaddr, &st);
}

static s64 do_stat(struct task *t, u64 dirfd, u64 upath, u64 ustat, u32 flags)
{
    struct stat_result r;
    int rc;

    if (flags & ~STAT_FLAGS)
        return -EINVAL;
    rc = stat_at(t, dirfd, upath, flags, &r);
    return rc < 0 ? rc : put_stat(t, ustat, &r);
}

s64 sys_stat(struct task *t, const u64 a[6])
{
    return do_stat(t, (u64)LX_AT_FDCWD, a[0], a[1], 0);
}

s64 sys_lstat(struct task *t, const u64 a[6])
{
    return do_stat(t, (u64)LX_AT_FDCWD, a[0], a[1], LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_newfstatat(struct task *t, const u64 a[6])
{
    return do_stat(t, a[0], a[1], a[2], (u32)a[3]);
}

s64 sys_fstat(struct task *t, const u64 a[6])
{
    struct stat_result r;
    int rc = stat_fd(t, a[0], &r);

    return rc < 0 ? rc : put_stat(t, a[1], &r);
}

static struct lx_statx_time statx_time(const struct lx_time *t)
{
    return (struct lx_statx_time){.sec = t->sec, .nsec = t->nsec};
}

static int put_statx(struct task *t, u64 uaddr, const struct stat_result *r)
{
    const struct user_ns *ns = task_cred(t)->user_ns;
    const struct attr *at = &r->attr;
    struct lx_statx sx = {
        .mask = LX_STATX_BASIC_STATS | LX_STATX_MNT_ID | (at->has_btime ? LX_STATX_BTIME : 0),
        .blksize = at->blksize,
        .attributes = r->mount_root ? LX_STATX_ATTR_MOUNT_ROOT : 0,
        .attributes_mask = LX_STATX_ATTR_MOUNT_ROOT,
        .nlink = at->nlink,
        .uid = uid_from_kuid(ns, at->uid),
        .gid = gid_from_kgid(ns, at->gid),
        .mode = (u16)at->mode,
        .ino = at->ino,
        .size = at->size,
        .blocks = at->blocks,
        .atime = statx_time(&at->atime),
        .mtime = statx_time(&at->mtime),
        .ctime = statx_time(&at->ctime),
        .rdev_major = at->rdev_major,
        .rdev_minor = at->rdev_minor,
        .dev_major = r->dev_major,
        .dev_minor = r->dev_minor,
        .mnt_id = r->mount_id,
    };

    if (at->has_btime)
        sx.btime = statx_time(&at->btime);
    return usermem_put(t->mm, uaddr, &sx);
}

s64 sys_statx(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[2];
    struct stat_result r;
    int rc;

    if ((flags & ~STAT_FLAGS) || (flags & LX_AT_STATX_SYNC_TYPE) == LX_AT_STATX_SYNC_TYPE ||
        ((u32)a[3] & LX_STATX_RESERVED))
        return -EINVAL;
    rc = stat_at(t, a[0], a[1], flags, &r);
    return rc < 0 ? rc : put_statx(t, a[4], &r);
}

/* real_cred() - access(2) asks with the real ids: a copy with those as fs ids, and with the
 * capabilities that this user would have. Return: a new reference or NULL. */
static struct cred *real_cred(const struct cred *c)
{
    struct cred *r = cred_dup(c);

    if (!r)
        return NULL;
    r->fsuid = c->uid;
    r->fsgid = c->gid;
    if (!(c->securebits & LX_SECBIT_NO_SETUID_FIXUP))
        r->cap_effective = c->uid == uid_to_kuid(c->user_ns, 0) ? c->cap_permitted : 0;
    return r;
}

static s64 do_access(struct task *t, u64 dirfd, u64 upath, u64 mode, u32 flags)
{
    auto_put(cred) struct cred *real = NULL;
    struct at_walk w;
    struct path p;
    int rc;

    if ((mode & ~7ull) || (flags & ~(LX_AT_EACCESS | LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)))
        return -EINVAL;
    real = flags & LX_AT_EACCESS ? cred_get((struct cred *)task_cred(t)) : real_cred(task_cred(t));
    if (!real)
        return -ENOMEM;
    rc = at_begin(t, &w, dirfd, upath, flags & LX_AT_EMPTY_PATH);
    if (rc < 0)
        return rc;
    w.ctx.cred = real;
    rc = walk(&w.ctx, at_from(&w), w.path,
              (flags & LX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
                  (flags & LX_AT_EMPTY_PATH ? WALK_EMPTY : 0),
              &p);
    at_end(&w);
    if (rc < 0)
        return rc;
    /* R_OK, W_OK and X_OK are MAY_READ, MAY_WRITE and MAY_EXEC. */
    rc = mode ? vfs_permission(&p, real, (u32)mode) : 0;
    path_put(&p);
    return rc;
}

s64 sys_access(struct task *t, const u64 a[6])
{
    return do_access(t, (u64)LX_AT_FDCWD, a[0], (u32)a[1], 0);
}

s64 sys_faccessat(struct task *t, const u64 a[6])
{
    return do_access(t, a[0], a[1], (u32)a[2], 0);
}

s64 sys_faccessat2(struct task *t, const u64 a[6])
{
    return do_access(t, a[0], a[1], (u32)a[2], (u32)a[3]);
}

/* find_link() - the symbolic link of a readlink call; "" names dirfd itself (O_PATH | O_NOFOLLOW). */
static int find_link(struct task *t, u64 dirfd, u64 upath, struct path *out)
{
    struct at_walk w;
    struct path p;
    int rc = at_begin(t, &w, dirfd, upath, true);

    if (rc < 0)
        return rc;
    rc = walk(&w.ctx, at_from(&w), w.path, WALK_EMPTY, &p);
    if (rc == 0 && !LX_S_ISLNK(p.dentry->inode->mode)) {
        rc = w.path[0] ? -EINVAL : -ENOENT;
        path_put(&p);
    }
    at_end(&w);
    if (rc == 0)
        *out = p;
    return rc;
}

static s64 do_readlink(struct task *t, u64 dirfd, u64 upath, u64 ubuf, u64 size)
{
    auto_free char *buf = NULL;
    struct path p;
    s64 n;

    if ((s32)size <= 0)
        return -EINVAL;
    n = find_link(t, dirfd, upath, &p);
    if (n < 0)
        return n;
    buf = malloc(LIMIT_PATH);
    n = buf ? vfs_readlink(&p, buf, min_of((size_t)(s32)size, (size_t)LIMIT_PATH)) : -ENOMEM;
    path_put(&p);
    if (n > 0 && usermem_out(t->mm, ubuf, buf, (size_t)n) < 0)
        n = -EFAULT;
    return n;
}

s64 sys_readlink(struct task *t, const u64 a[6])
{
    return do_readlink(t, (u64)LX_AT_FDCWD, a[0], a[1], a[2]);
}

s64 sys_readlinkat(struct task *t, const u64 a[6])
{
    return do_readlink(t, a[0], a[1], a[2], a[3]);
}

/* statfs_flags() - what statfs(2) says of a mount. */
static u32 statfs_flags(const struct path *p)
{
    static const struct {
        u32 mount, statfs;
    } map[] = {
        {LX_MS_RDONLY, LX_ST_RDONLY},
        {LX_MS_NOSUID, LX_ST_NOSUID},
        {LX_MS_NODEV, LX_ST_NODEV},
        {LX_MS_NOEXEC, LX_ST_NOEXEC},
        {LX_MS_SYNCHRONOUS, LX_ST_SYNCHRONOUS},
        {LX_MS_MANDLOCK, LX_ST_MANDLOCK},
        {LX_MS_NOATIME, LX_ST_NOATIME},
        {LX_MS_NODIRATIME, LX_ST_NODIRATIME},
        {LX_MS_RELATIME, LX_ST_RELATIME},
        {LX_MS_NOSYMFOLLOW, LX_ST_NOSYMFOLLOW},
    };
    u32 flags = p->mount->flags | (p->dentry->super->mount_flags & LX_MS_SUPER_FLAGS);
    u32 out = LX_ST_VALID;

    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        if (flags & map[i].mount)
            out |= map[i].statfs;
    return out;
}

static s64 do_statfs(struct task *t, const struct path *p, u64 uaddr)
{
    struct super *sb = p->dentry->super;
    struct statfs_info i = {.type = sb->magic, .bsize = GUEST_PAGE_SIZE, .namelen = LIMIT_NAME};
    struct lx_statfs out;
    int rc = sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, &i) : 0;

    if (rc < 0)
        return rc;
    out = (struct lx_statfs){
        .type = (s64)i.type,
        .bsize = (s64)i.bsize,
        .blocks = i.blocks,
        .bfree = i.bfree,
        .bavail = i.bavail,
        .files = i.files,
        .ffree = i.ffree,
        .fsid = {(s32)sb->dev_minor, (s32)sb->dev_major},
        .namelen = (s64)i.namelen,
        .frsize = (s64)i.bsize,
        .flags = statfs_flags(p),
    };
    return usermem_put(t->mm, uaddr, &out);
}

s64 sys_statfs(struct task *t, const u64 a[6])
{
    struct path p;
    s64 rc = at_resolve(t, (u64)LX_AT_FDCWD, a[0], WALK_FOLLOW, &p);

    if (rc < 0)
        return rc;
    rc = do_statfs(t, &p, a[1]);
    path_put(&p);
    return rc;
}

s64 sys_fstatfs(struct task *t, const u64 a[6])
{
    struct file *f;
    s64 rc = arg_fd_path(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = do_statfs(t, &f->path, a[1]);
    file_put(f);
    return rc;
}
