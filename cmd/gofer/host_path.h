/*
 * host_* wrappers that only the gofer uses: calls on names and on what they lead to. None follows a
 * symbolic link; negative errno. See sentry/base/host_fd.h.
 */
#pragma once

#include "fs/proto/proto.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

/* host_openat() - open `name` in `dirfd` with O_NOFOLLOW, O_CLOEXEC, O_NOCTTY and O_NONBLOCK. */
int host_openat(int dirfd, const char *name, int flags, u32 mode);
int host_dup(int fd);
/* host_stat() - attributes of `name` in `dirfd`; "": of the descriptor itself, also an O_PATH one. */
int host_stat(int dirfd, const char *name, struct proto_attr *out);
int host_mkdirat(int dirfd, const char *name, u32 mode);
int host_mknodat(int dirfd, const char *name, u32 mode, u32 rdev_major, u32 rdev_minor);
int host_symlinkat(const char *target, int dirfd, const char *name);
/* host_linkat() - "" as the old name: the descriptor itself. */
int host_linkat(int olddir, const char *oldname, int newdir, const char *newname);
int host_unlinkat(int dirfd, const char *name, bool dir);
int host_renameat(int olddir, const char *oldname, int newdir, const char *newname, u32 flags);
ssize_t host_readlinkat(int dirfd, const char *name, char *buf, size_t cap);
/* host_chown() - an id of UINT32_MAX stays; "": the descriptor itself. */
int host_chown(int dirfd, const char *name, u32 uid, u32 gid);
/* host_chmod_fd() - of a descriptor that is not O_PATH. */
int host_chmod_fd(int fd, u32 mode);
/* host_chmod_special() - of a FIFO, socket or device, which can't be opened for it. The caller has
 * seen that it is no symbolic link; if one takes its place now, it leads to a file of this
 * container, for the gofer has no others. */
int host_chmod_special(int dirfd, const char *name, u32 mode);
int host_utimens(int dirfd, const char *name, const struct timespec ts[2]);
int host_statfs(int fd, struct statfs *out);
int host_syncfs(int fd);
ssize_t host_getdents(int fd, void *buf, size_t len);
ssize_t host_fgetxattr(int fd, const char *name, void *buf, size_t cap);
int host_fsetxattr(int fd, const char *name, const void *value, size_t len, int flags);
ssize_t host_flistxattr(int fd, char *buf, size_t cap);
int host_fremovexattr(int fd, const char *name);
/* host_set_fsids() - whom files that this thread makes from now on belong to. -EINVAL: not mapped. */
int host_set_fsids(u32 uid, u32 gid);
