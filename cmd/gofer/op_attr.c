/*
 * The gofer's operations on attributes and contents: SETATTR, STATFS, FSYNC, FALLOCATE and extended
 * attributes. What the Sentry holds a descriptor of it does itself.
 */
#include "cmd/gofer/host_path.h"
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int set_size(struct job *j, const struct spot *s, u64 size)
{
    struct proto_attr attr;
    int fd, r;

    if (size > INT64_MAX)
        return -EINVAL;
    fd = spot_open_file(j->g, s, PROTO_OPEN_WRITE, &attr);
    if (fd < 0)
        return fd;
    r = host_ftruncate(fd, size);
    host_close(fd);
    return r;
}

static int set_mode(const struct spot *s, u32 mode)
{
    struct proto_attr attr;
    int fd, r;

    r = host_stat(s->dirfd, s->name, &attr);
    if (r < 0)
        return r;
    if (S_ISLNK(attr.mode))
        return -EOPNOTSUPP;
    if (!S_ISREG(attr.mode) && !S_ISDIR(attr.mode))
        return s->name[0] ? host_chmod_special(s->dirfd, s->name, mode) : -EOPNOTSUPP;
    fd = spot_open_any(s);
    if (fd < 0)
        return fd;
    r = host_chmod_fd(fd, mode);
    host_close(fd);
    return r;
}

static int set_times(const struct job *j, const struct spot *s, u64 valid)
{
    struct proto_times t;
    struct timespec ts[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};

    if (j->req.data_len != sizeof(t))
        return -EINVAL;
    memcpy(&t, j->data, sizeof(t));
    if (t.atime_nsec >= 1000000000 || t.mtime_nsec >= 1000000000)
        return -EINVAL;
    if (valid & PROTO_SET_ATIME_NOW)
        ts[0].tv_nsec = UTIME_NOW;
    else if (valid & PROTO_SET_ATIME)
        ts[0] = (struct timespec){.tv_sec = t.atime, .tv_nsec = t.atime_nsec};
    if (valid & PROTO_SET_MTIME_NOW)
        ts[1].tv_nsec = UTIME_NOW;
    else if (valid & PROTO_SET_MTIME)
        ts[1] = (struct timespec){.tv_sec = t.mtime, .tv_nsec = t.mtime_nsec};
    return host_utimens(s->dirfd, s->name, ts);
}

int op_setattr(struct job *j)
{
    const u64 times = PROTO_SET_ATIME | PROTO_SET_MTIME | PROTO_SET_ATIME_NOW | PROTO_SET_MTIME_NOW;
    const struct spot *s = &j->spot[0];
    u64 valid = j->req.arg[0];
    int r = 0, err;

    if (valid & ~(u64)PROTO_SET_ALL)
        return -EINVAL;
    if (valid & PROTO_SET_SIZE)
        r = set_size(j, s, j->req.arg[4]);
    if (r == 0 && (valid & (PROTO_SET_UID | PROTO_SET_GID)))
        r = host_chown(s->dirfd, s->name, valid & PROTO_SET_UID ? (u32)j->req.arg[2] : UINT32_MAX,
                       valid & PROTO_SET_GID ? (u32)j->req.arg[3] : UINT32_MAX);
    /* After chown, which clears set-id bits. */
    if (r == 0 && (valid & PROTO_SET_MODE))
        r = set_mode(s, (u32)j->req.arg[1] & 07777);
    if (r == 0 && (valid & times))
        r = set_times(j, s, valid);
    err = spot_attr(j, s);
    return r < 0 ? r : err;
}

int op_statfs(struct job *j)
{
    const struct spot *s = &j->spot[0];
    struct proto_statfs out;
    struct statfs st;
    int fd = s->dirfd, r;

    if (s->name[0])
        fd = host_openat(s->dirfd, s->name, O_PATH, 0);
    if (fd < 0)
        return fd;
    r = host_statfs(fd, &st);
    if (fd != s->dirfd)
        host_close(fd);
    if (r < 0)
        return r;
    out = (struct proto_statfs){.type = (u64)st.f_type,
                                .bsize = (u64)st.f_bsize,
                                .blocks = st.f_blocks,
                                .bfree = st.f_bfree,
                                .bavail = st.f_bavail,
                                .files = st.f_files,
                                .ffree = st.f_ffree,
                                .namelen = (u64)st.f_namelen};
    memcpy(j->w->out, &out, sizeof(out));
    j->reply.data_len = sizeof(out);
    return 0;
}

int op_fsync(struct job *j)
{
    int fd = spot_open_any(&j->spot[0]), r;

    if (fd < 0)
        return fd;
    if (j->req.arg[0] & PROTO_SYNC_ALL)
        r = host_syncfs(fd);
    else
        r = host_fsync(fd, j->req.arg[0] & PROTO_SYNC_DATA);
    host_close(fd);
    return r;
}

int op_fallocate(struct job *j)
{
    int fd = spot_open_file(j->g, &j->spot[0], PROTO_OPEN_WRITE, &j->reply.attr), r;

    if (fd < 0)
        return fd;
    if (j->req.arg[0] > INT32_MAX || j->req.arg[1] > INT64_MAX || j->req.arg[2] > INT64_MAX)
        r = -EINVAL;
    else
        r = host_fallocate(fd, (int)j->req.arg[0], j->req.arg[1], j->req.arg[2]);
    if (r == 0)
        r = host_stat(fd, "", &j->reply.attr);
    if (r == 0)
        j->reply.flags |= PROTO_HAS_ATTR;
    host_close(fd);
    return r;
}

/* Room for the name of an extended attribute (XATTR_NAME_MAX) and its NUL. */
enum { XATTR_NAME_BYTES = 256 };

/* xattr_name() - take the name out of the data's first `len` bytes. */
static int xattr_name(const struct job *j, u64 len, char *name)
{
    if (len > j->req.data_len)
        return -EINVAL;
    if (len == 0 || len >= XATTR_NAME_BYTES)
        return -ERANGE;
    if (memchr(j->data, '\0', len))
        return -EINVAL;
    memcpy(name, j->data, len);
    name[len] = '\0';
    return 0;
}

/* xattr_answer() - a size, or that many bytes in w->out. */
static int xattr_answer(struct job *j, ssize_t n, u64 cap)
{
    if (n < 0)
        return (int)n;
    j->reply.arg[0] = (u64)n;
    j->reply.data_len = cap ? (u32)n : 0;
    return 0;
}

int op_getxattr(struct job *j)
{
    u64 cap = min_of(j->req.arg[0], (u64)LIMIT_XATTR_BYTES);
    char name[XATTR_NAME_BYTES];
    int fd, r = xattr_name(j, j->req.data_len, name);
    ssize_t n;

    if (r < 0)
        return r;
    fd = spot_open_any(&j->spot[0]);
    if (fd < 0)
        return fd;
    n = host_fgetxattr(fd, name, j->w->out, cap);
    host_close(fd);
    return xattr_answer(j, n, cap);
}

int op_setxattr(struct job *j)
{
    char name[XATTR_NAME_BYTES];
    u64 len = j->req.arg[1];
    int fd, r = xattr_name(j, len, name);

    if (r < 0)
        return r;
    if (j->req.data_len - len > LIMIT_XATTR_BYTES)
        return -E2BIG;
    fd = spot_open_any(&j->spot[0]);
    if (fd < 0)
        return fd;
    r = host_fsetxattr(fd, name, j->data + len, j->req.data_len - len, (int)j->req.arg[0]);
    host_close(fd);
    return r;
}

int op_listxattr(struct job *j)
{
    u64 cap = min_of(j->req.arg[0], (u64)LIMIT_XATTR_BYTES);
    int fd = spot_open_any(&j->spot[0]);
    ssize_t n;

    if (fd < 0)
        return fd;
    n = host_flistxattr(fd, (char *)j->w->out, cap);
    host_close(fd);
    return xattr_answer(j, n, cap);
}

int op_delxattr(struct job *j)
{
    char name[XATTR_NAME_BYTES];
    int fd, r = xattr_name(j, j->req.data_len, name);

    if (r < 0)
        return r;
    fd = spot_open_any(&j->spot[0]);
    if (fd < 0)
        return fd;
    r = host_fremovexattr(fd, name);
    host_close(fd);
    return r;
}
