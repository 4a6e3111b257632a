/* Guest ABI of files, what differs by architecture: x86-64's open flags and struct stat. */
#pragma once

#include "sentry/base/types.h"

#define LX_O_DIRECT    00040000u
#define LX_O_LARGEFILE 00100000u
#define LX_O_DIRECTORY 00200000u
#define LX_O_NOFOLLOW  00400000u

struct lx_stat {
    u64 dev, ino, nlink;
    u32 mode, uid, gid, pad0;
    u64 rdev;
    s64 size, blksize, blocks;
    s64 atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
    s64 unused[3];
};
_Static_assert(sizeof(struct lx_stat) == 144, "struct stat");
_Static_assert(offsetof(struct lx_stat, rdev) == 40, "struct stat");
_Static_assert(offsetof(struct lx_stat, atime) == 72, "struct stat");

struct lx_statfs {
    s64 type, bsize;
    u64 blocks, bfree, bavail, files, ffree;
    s32 fsid[2];
    s64 namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct lx_statfs) == 120, "struct statfs");
_Static_assert(offsetof(struct lx_statfs, namelen) == 64, "struct statfs");
