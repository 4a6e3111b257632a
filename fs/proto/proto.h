/*
 * The gofer protocol: what the Sentry asks of the process that holds a container's files, and what
 * it answers. Layouts only; channel.h carries them.
 *
 * NAMES    A request names a file by a *target*: a handle and a path below it. A handle is a number
 *          that the gofer gave out: a directory, or a file that is kept although it has no name. The
 *          path is zero or more components, each ended by a NUL; a component is 1 to 255 bytes, is
 *          not "." or ".." and has no '/'. The gofer resolves one component after the other and
 *          follows no symbolic link: links are the Sentry's business. So a file that the Sentry
 *          merely knows of costs the gofer nothing, and opening a cold path is one request.
 * EXPECT   With expect_ino set, a target 0 that turns out to be another inode is -ESTALE.
 * ANSWERS  `status` is 0 or a negative errno. `attr` is the file of target 0 (or the one that was
 *          made) after the operation, if PROTO_HAS_ATTR is set. A descriptor (PROTO_HAS_FD) comes
 *          over the channel's socket, marked with slot and sequence number, before the answer does.
 *          Only descriptors of regular files are ever donated.
 * TRUST    Each side takes the other for hostile: it copies a header once, checks it, then clamps
 *          every length by its own constants. Handles are checked against the gofer's table. There
 *          are no pointers here.
 *
 *   op        target 0     target 1    args                        data            answer
 *   ATTACH    -            -           0 mount index               -               attr, handle
 *   WALK      the file     -           0 PROTO_OPEN_*, or 0        -               attr; data: a proto_attr
 *             for each component that was reached, then, if the last of them is a symbolic link,
 *             its text (arg 0: how long). With WANT_HANDLE a directory's handle; with arg 0 a
 *             regular file's descriptor, if it can be opened like that. A status of -ENOENT or
 *             -ENOTDIR comes with the attributes of what was there.
 *   OPEN      the file     -           0 PROTO_OPEN_*              -               attr, descriptor
 *   CREATE    the new one  -           0 mode 1 uid 2 gid          -               attr; S_IFREG: a
 *             TMPFILE: in it           3 rdev 4 PROTO_OPEN_*                       descriptor; directory,
 *                                                                                  TMPFILE: a handle
 *   SYMLINK   the new one  -           1 uid 2 gid                 link's target   attr
 *   LINK      the old one  new name    -                           -               attr
 *   REMOVE    the file     -           0 1: a directory            -               attr as it is after;
 *             KEEP: a handle to the file, which lives on without a name
 *   RENAME    the file     new name    0 renameat2's flags         -               attr
 *   READLINK  the link     -           -                           -               attr, data
 *   SETATTR   the file     -           0 PROTO_SET_* 1 mode 2 uid  proto_times     attr
 *                                      3 gid 4 size
 *   READDIR   directory    -           0 1: with attributes        -               data: proto_dirent;
 *             or stream                                            MORE: handle is a stream to go on with,
 *             which the gofer closes by itself after the last part
 *   STATFS    the file     -           -                           -               data: proto_statfs
 *   FSYNC     the file     -           0 PROTO_SYNC_*              -
 *   FALLOCATE the file     -           0 mode 1 offset 2 length    -               attr
 *   GETXATTR  the file     -           0 size of the buffer        name            arg 0 size; data
 *   SETXATTR  the file     -           0 flags 1 length of name    name, value
 *   LISTXATTR the file     -           0 size of the buffer        -               arg 0 size; data
 *   DELXATTR  the file     -           -                           name
 *   RELEASE   -            -           -                           handles (u64)   arg 0: how many were known
 *   CONNECT   the socket   -           -                           -               -EOPNOTSUPP: reserved
 */
#pragma once

#include "sentry/base/limits.h"
#include "sentry/base/types.h"

#include <assert.h>

#define PROTO_VERSION 1

/* The container's root; other mounts are numbered by the boot message. */
#define PROTO_MOUNT_ROOT UINT32_MAX

#define PROTO_PATH_MAX LIMIT_PATH /* bytes of one target's path with its NULs */
#define PROTO_NAME_MAX LIMIT_NAME
/* Bytes beside the paths, in either direction: an attribute and its name. */
#define PROTO_DATA_MAX (LIMIT_XATTR_BYTES + 512)
/* Handles in one RELEASE. */
#define PROTO_RELEASE_MAX 512

enum proto_op {
    PROTO_ATTACH = 1,
    PROTO_WALK,
    PROTO_OPEN,
    PROTO_CREATE,
    PROTO_SYMLINK,
    PROTO_LINK,
    PROTO_REMOVE,
    PROTO_RENAME,
    PROTO_READLINK,
    PROTO_SETATTR,
    PROTO_READDIR,
    PROTO_STATFS,
    PROTO_FSYNC,
    PROTO_FALLOCATE,
    PROTO_GETXATTR,
    PROTO_SETXATTR,
    PROTO_LISTXATTR,
    PROTO_DELXATTR,
    PROTO_RELEASE,
    PROTO_CONNECT,
    PROTO_OPS,
};

/* proto_request.flags */
enum {
    PROTO_WANT_HANDLE = 1u << 0, /* answer with a handle to the file */
    PROTO_KEEP = 1u << 1,        /* REMOVE: the same, to a file that loses its name */
    PROTO_TMPFILE = 1u << 2,     /* CREATE: a file without a name in the directory (O_TMPFILE) */
};

/* FSYNC: not the times; or all of the file system that the file is on. */
enum { PROTO_SYNC_DATA = 1u << 0, PROTO_SYNC_ALL = 1u << 1 };

/* OPEN's and CREATE's rights. */
enum { PROTO_OPEN_READ = 1u << 0, PROTO_OPEN_WRITE = 1u << 1 };

enum {
    PROTO_SET_MODE = 1u << 0,
    PROTO_SET_UID = 1u << 1,
    PROTO_SET_GID = 1u << 2,
    PROTO_SET_SIZE = 1u << 3,
    PROTO_SET_ATIME = 1u << 4,
    PROTO_SET_MTIME = 1u << 5,
    PROTO_SET_ATIME_NOW = 1u << 6,
    PROTO_SET_MTIME_NOW = 1u << 7,
    PROTO_SET_ALL = (1u << 8) - 1,
};

/* proto_reply.flags */
enum {
    PROTO_HAS_ATTR = 1u << 0,
    PROTO_HAS_HANDLE = 1u << 1,
    PROTO_HAS_FD = 1u << 2,
    PROTO_MORE = 1u << 3,
};

struct proto_target {
    u64 handle;
    u32 path_len; /* of its components, each with a NUL */
    u32 pad;
};

struct proto_request {
    u32 op, flags;
    u32 seq, data_len;
    struct proto_target target[2];
    u64 expect_dev, expect_ino; /* 0: whatever it is */
    u64 arg[6];
    /* follow: target 0's path, target 1's path, data_len bytes */
};
static_assert(sizeof(struct proto_request) == 112, "layout");

struct proto_attr {
    u64 dev, ino, size, blocks; /* dev: the gofer's own number, an identity and no more */
    u32 mode, nlink, uid, gid;
    u32 blksize, rdev_major, rdev_minor, has_btime;
    s64 atime, mtime, ctime, btime;
    u32 atime_nsec, mtime_nsec, ctime_nsec, btime_nsec;
};
static_assert(sizeof(struct proto_attr) == 112, "layout");

struct proto_reply {
    s32 status;
    u32 seq, flags, data_len;
    u64 handle;
    u64 arg[1];
    struct proto_attr attr;
    /* follow: data_len bytes */
};
static_assert(sizeof(struct proto_reply) == 144, "layout");

/* A directory's entry: this header, the name without NUL, padding to 8 bytes. */
struct proto_dirent {
    u16 len;     /* of the name */
    u8 type;     /* DT_* */
    u8 has_attr; /* 1: a proto_attr follows this header, then the name */
    u32 pad;
    u64 ino;
};
static_assert(sizeof(struct proto_dirent) == 16, "layout");

struct proto_times {
    s64 atime, mtime;
    u32 atime_nsec, mtime_nsec;
};
static_assert(sizeof(struct proto_times) == 24, "layout");

struct proto_statfs {
    u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen;
};

/* proto_dirent_bytes() - what an entry takes in the data. */
static inline u32 proto_dirent_bytes(u32 name_len, bool attr)
{
    u32 n = (u32)sizeof(struct proto_dirent) + name_len;

    if (attr)
        n += (u32)sizeof(struct proto_attr);
    return (n + 7) & ~7u;
}

/* proto_name_ok() - may these `len` bytes be one component? */
bool proto_name_ok(const char *name, u32 len);
/* proto_path_ok() - are these `len` bytes components as described above? Return: how many there
 * are, or -EINVAL, -ENAMETOOLONG. */
int proto_path_ok(const char *path, u32 len);
/* proto_request_check() - is the header possible at all, with `total` bytes after it? Return: 0,
 * -EINVAL. */
int proto_request_check(const struct proto_request *req, u32 total);
/* proto_dirent_next() - read the entry at *pos of `len` bytes of data. *name borrows from `data`.
 * Return: 1 and *pos advanced, 0 at the end, -EIO if it is malformed. */
int proto_dirent_next(const u8 *data, u32 len, u32 *pos, struct proto_dirent *entry,
                      struct proto_attr *attr, const char **name);
