/* Host calls on names, for the gofer; see host_path.h. */
#include "cmd/gofer/host_path.h"

#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* result() - libc's convention to ours. */
static inline ssize_t result(ssize_t r)
{
    return r < 0 ? -errno : r;
}

/* host-calls(gofer): openat — the container's files, one component at a time */
int host_openat(int dirfd, const char *name, int flags, u32 mode)
{
    const int always = O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;

    if (!(flags & O_PATH))
        flags |= O_NONBLOCK;
    return (int)result(openat(dirfd, name, flags | always, (mode_t)mode));
}

int host_dup(int fd)
{
    return host_fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* host-calls(gofer): statx — attributes with the time of birth */
int host_stat(int dirfd, const char *name, struct proto_attr *out)
{
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] ? 0 : AT_EMPTY_PATH);
    struct statx sx;

    if (statx(dirfd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &sx) < 0)
        return -errno;
    *out = (struct proto_attr){
        .dev = (u64)sx.stx_dev_major << 32 | sx.stx_dev_minor,
        .ino = sx.stx_ino,
        .size = sx.stx_size,
        .blocks = sx.stx_blocks,
        .mode = sx.stx_mode,
        .nlink = sx.stx_nlink,
        .uid = sx.stx_uid,
        .gid = sx.stx_gid,
        .blksize = sx.stx_blksize,
        .rdev_major = sx.stx_rdev_major,
        .rdev_minor = sx.stx_rdev_minor,
        .has_btime = (sx.stx_mask & STATX_BTIME) != 0,
        .atime = sx.stx_atime.tv_sec,
        .mtime = sx.stx_mtime.tv_sec,
        .ctime = sx.stx_ctime.tv_sec,
        .btime = sx.stx_btime.tv_sec,
        .atime_nsec = sx.stx_atime.tv_nsec,
        .mtime_nsec = sx.stx_mtime.tv_nsec,
        .ctime_nsec = sx.stx_ctime.tv_nsec,
        .btime_nsec = sx.stx_btime.tv_nsec,
    };
    return 0;
}

/* host-calls(gofer): mkdirat mknodat symlinkat linkat unlinkat renameat2 readlinkat — names of the
 * container's files */
int host_mkdirat(int dirfd, const char *name, u32 mode)
{
    return (int)result(mkdirat(dirfd, name, (mode_t)mode));
}

int host_mknodat(int dirfd, const char *name, u32 mode, u32 rdev_major, u32 rdev_minor)
{
    return (int)result(mknodat(dirfd, name, (mode_t)mode, makedev(rdev_major, rdev_minor)));
}

int host_symlinkat(const char *target, int dirfd, const char *name)
{
    return (int)result(symlinkat(target, dirfd, name));
}

int host_linkat(int olddir, const char *oldname, int newdir, const char *newname)
{
    return (int)result(linkat(olddir, oldname, newdir, newname, oldname[0] ? 0 : AT_EMPTY_PATH));
}

int host_unlinkat(int dirfd, const char *name, bool dir)
{
    return (int)result(unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0));
}

int host_renameat(int olddir, const char *oldname, int newdir, const char *newname, u32 flags)
{
    return (int)result(syscall(SYS_renameat2, olddir, oldname, newdir, newname, flags));
}

ssize_t host_readlinkat(int dirfd, const char *name, char *buf, size_t cap)
{
    return result(readlinkat(dirfd, name, buf, cap));
}

/* host-calls(gofer): fchownat fchmod fchmodat utimensat — attributes of the container's files */
int host_chown(int dirfd, const char *name, u32 uid, u32 gid)
{
    return (int)result(
        fchownat(dirfd, name, uid, gid, name[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH));
}

int host_chmod_fd(int fd, u32 mode)
{
    return (int)result(fchmod(fd, (mode_t)mode));
}

int host_chmod_special(int dirfd, const char *name, u32 mode)
{
    return (int)result(fchmodat(dirfd, name, (mode_t)mode, 0));
}

int host_utimens(int dirfd, const char *name, const struct timespec ts[2])
{
    return (int)result(utimensat(dirfd, name, ts, name[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH));
}

/* host-calls(gofer): fstatfs syncfs getdents64 — directories and file systems */
int host_statfs(int fd, struct statfs *out)
{
    return (int)result(fstatfs(fd, out));
}

int host_syncfs(int fd)
{
    return (int)result(syncfs(fd));
}

ssize_t host_getdents(int fd, void *buf, size_t len)
{
    return result(syscall(SYS_getdents64, fd, buf, len));
}

/* host-calls(gofer): fgetxattr fsetxattr flistxattr fremovexattr — extended attributes */
ssize_t host_fgetxattr(int fd, const char *name, void *buf, size_t cap)
{
    return result(fgetxattr(fd, name, buf, cap));
}

int host_fsetxattr(int fd, const char *name, const void *value, size_t len, int flags)
{
    return (int)result(fsetxattr(fd, name, value, len, flags));
}

ssize_t host_flistxattr(int fd, char *buf, size_t cap)
{
    return result(flistxattr(fd, buf, cap));
}

int host_fremovexattr(int fd, const char *name)
{
    return (int)result(fremovexattr(fd, name));
}

/* host-calls(gofer): ftruncate fallocate fsync fdatasync — files for which the Sentry has no descriptor */

/* host-calls(gofer): setfsuid setfsgid — new files belong to the guest's user */
int host_set_fsids(u32 uid, u32 gid)
{
    setfsuid(uid);
    setfsgid(gid);
    /* Both answer the old id and never an error: ask again. */
    if ((u32)setfsuid(UINT32_MAX) != uid || (u32)setfsgid(UINT32_MAX) != gid)
        return -EINVAL;
    return 0;
}
