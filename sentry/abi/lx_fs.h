/*
 * Guest ABI of files: open flags, modes, stat, dirents, fcntl, locks, xattrs (open(2), stat(2),
 * statx(2), fcntl(2), getdents(2), rename(2), fallocate(2), xattr(7)). Mounts, readiness bits and
 * ioctls have headers of their own, included here.
 */
#pragma once

#include "sentry/abi/lx_ioctl.h"
#include "sentry/abi/lx_mount.h"
#include "sentry/abi/lx_poll.h"
#include "sentry/base/types.h"

#if defined(__x86_64__)
#include "sentry/abi/x86_64/lx_fs_arch.h"
#else
#error "sentry/abi: no file ABI for this architecture"
#endif

/* --- open(2) --- */
#define LX_O_ACCMODE  00000003u
#define LX_O_RDONLY   00000000u
#define LX_O_WRONLY   00000001u
#define LX_O_RDWR     00000002u
#define LX_O_CREAT    00000100u
#define LX_O_EXCL     00000200u
#define LX_O_NOCTTY   00000400u
#define LX_O_TRUNC    00001000u
#define LX_O_APPEND   00002000u
#define LX_O_NONBLOCK 00004000u
#define LX_O_DSYNC    00010000u
#define LX_O_ASYNC    00020000u /* FASYNC */
#define LX_O_NOATIME  01000000u
#define LX_O_CLOEXEC  02000000u
#define LX_O_SYNC     (04000000u | LX_O_DSYNC)
#define LX_O_PATH     010000000u
#define LX_O_TMPFILE_ 020000000u /* alone; the guest's flag has O_DIRECTORY with it */
#define LX_O_TMPFILE  (LX_O_TMPFILE_ | LX_O_DIRECTORY)
#define LX_O_VALID                                                                            \
    (LX_O_ACCMODE | LX_O_CREAT | LX_O_EXCL | LX_O_NOCTTY | LX_O_TRUNC | LX_O_APPEND |         \
     LX_O_NONBLOCK | LX_O_SYNC | LX_O_ASYNC | LX_O_DIRECT | LX_O_LARGEFILE | LX_O_DIRECTORY | \
     LX_O_NOFOLLOW | LX_O_NOATIME | LX_O_CLOEXEC | LX_O_PATH | LX_O_TMPFILE_)
/* What fcntl(F_SETFL) may change. */
#define LX_O_SETFL (LX_O_APPEND | LX_O_NONBLOCK | LX_O_DIRECT | LX_O_NOATIME)

/* openat2(2) */
struct lx_open_how {
    u64 flags, mode, resolve;
};
_Static_assert(sizeof(struct lx_open_how) == 24, "struct open_how");
#define LX_RESOLVE_NO_XDEV       0x01u
#define LX_RESOLVE_NO_MAGICLINKS 0x02u
#define LX_RESOLVE_NO_SYMLINKS   0x04u
#define LX_RESOLVE_BENEATH       0x08u
#define LX_RESOLVE_IN_ROOT       0x10u
#define LX_RESOLVE_CACHED        0x20u

/* --- modes --- */
#define LX_S_IFMT      0170000u
#define LX_S_IFSOCK    0140000u
#define LX_S_IFLNK     0120000u
#define LX_S_IFREG     0100000u
#define LX_S_IFBLK     0060000u
#define LX_S_IFDIR     0040000u
#define LX_S_IFCHR     0020000u
#define LX_S_IFIFO     0010000u
#define LX_S_ISUID     0004000u
#define LX_S_ISGID     0002000u
#define LX_S_ISVTX     0001000u
#define LX_S_IRWXU     0000700u
#define LX_S_IRUSR     0000400u
#define LX_S_IWUSR     0000200u
#define LX_S_IXUSR     0000100u
#define LX_S_IRWXG     0000070u
#define LX_S_IRGRP     0000040u
#define LX_S_IWGRP     0000020u
#define LX_S_IXGRP     0000010u
#define LX_S_IRWXO     0000007u
#define LX_S_IROTH     0000004u
#define LX_S_IWOTH     0000002u
#define LX_S_IXOTH     0000001u
#define LX_S_IXUGO     0000111u
#define LX_S_IALLUGO   0007777u
#define LX_S_ISREG(m)  (((m)&LX_S_IFMT) == LX_S_IFREG)
#define LX_S_ISDIR(m)  (((m)&LX_S_IFMT) == LX_S_IFDIR)
#define LX_S_ISLNK(m)  (((m)&LX_S_IFMT) == LX_S_IFLNK)
#define LX_S_ISCHR(m)  (((m)&LX_S_IFMT) == LX_S_IFCHR)
#define LX_S_ISBLK(m)  (((m)&LX_S_IFMT) == LX_S_IFBLK)
#define LX_S_ISFIFO(m) (((m)&LX_S_IFMT) == LX_S_IFIFO)
#define LX_S_ISSOCK(m) (((m)&LX_S_IFMT) == LX_S_IFSOCK)

/* --- *at() --- */
#define LX_AT_FDCWD            (-100)
#define LX_AT_SYMLINK_NOFOLLOW 0x100u
#define LX_AT_EACCESS          0x200u
#define LX_AT_REMOVEDIR        0x200u
#define LX_AT_SYMLINK_FOLLOW   0x400u
#define LX_AT_NO_AUTOMOUNT     0x800u
#define LX_AT_EMPTY_PATH       0x1000u
#define LX_AT_STATX_FORCE_SYNC 0x2000u
#define LX_AT_STATX_DONT_SYNC  0x4000u
#define LX_AT_STATX_SYNC_TYPE  0x6000u
#define LX_AT_RECURSIVE        0x8000u

enum { LX_F_OK = 0, LX_X_OK = 1, LX_W_OK = 2, LX_R_OK = 4 };
enum { LX_RENAME_NOREPLACE = 1, LX_RENAME_EXCHANGE = 2, LX_RENAME_WHITEOUT = 4 };
enum { LX_SEEK_SET, LX_SEEK_CUR, LX_SEEK_END, LX_SEEK_DATA, LX_SEEK_HOLE };

/* utimensat(2) */
#define LX_UTIME_NOW  ((1l << 30) - 1l)
#define LX_UTIME_OMIT ((1l << 30) - 2l)

/* --- getdents64(2): reclen is a multiple of 8; the name ends with a NUL --- */
struct lx_dirent64 {
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type; /* LX_DT_* */
    char name[];
} __attribute__((packed));
_Static_assert(offsetof(struct lx_dirent64, name) == 19, "struct linux_dirent64");

enum {
    LX_DT_UNKNOWN = 0,
    LX_DT_FIFO = 1,
    LX_DT_CHR = 2,
    LX_DT_DIR = 4,
    LX_DT_BLK = 6,
    LX_DT_REG = 8,
    LX_DT_LNK = 10,
    LX_DT_SOCK = 12,
    LX_DT_WHT = 14,
};
#define LX_DT_OF_MODE(m) (((m)&LX_S_IFMT) >> 12)

/* --- statx(2) --- */
struct lx_statx_time {
    s64 sec;
    u32 nsec;
    s32 pad;
};

struct lx_statx {
    u32 mask, blksize;
    u64 attributes;
    u32 nlink, uid, gid;
    u16 mode, pad0;
    u64 ino, size, blocks, attributes_mask;
    struct lx_statx_time atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor;
    u64 mnt_id;
    u32 dio_mem_align, dio_offset_align;
    u64 spare[12];
};
_Static_assert(sizeof(struct lx_statx) == 256, "struct statx");
_Static_assert(offsetof(struct lx_statx, atime) == 64, "struct statx");
_Static_assert(offsetof(struct lx_statx, mnt_id) == 144, "struct statx");

enum {
    LX_STATX_TYPE = 0x1,
    LX_STATX_MODE = 0x2,
    LX_STATX_NLINK = 0x4,
    LX_STATX_UID = 0x8,
    LX_STATX_GID = 0x10,
    LX_STATX_ATIME = 0x20,
    LX_STATX_MTIME = 0x40,
    LX_STATX_CTIME = 0x80,
    LX_STATX_INO = 0x100,
    LX_STATX_SIZE = 0x200,
    LX_STATX_BLOCKS = 0x400,
    LX_STATX_BASIC_STATS = 0x7ff,
    LX_STATX_BTIME = 0x800,
    LX_STATX_MNT_ID = 0x1000,
};
#define LX_STATX_RESERVED        0x80000000u
#define LX_STATX_ATTR_MOUNT_ROOT 0x2000u

/* dev_t as stat(2) shows it, and the 32-bit form of mknod(2). */
static inline u64 lx_makedev(u32 major, u32 minor)
{
    return ((u64)(major & 0xfffff000u) << 32) | ((u64)(major & 0xfffu) << 8) |
           ((u64)(minor & 0xffffff00u) << 12) | (minor & 0xffu);
}

static inline u32 lx_major(u64 dev)
{
    return (u32)((dev >> 8) & 0xfffu) | (u32)((dev >> 32) & 0xfffff000u);
}

static inline u32 lx_minor(u64 dev)
{
    return (u32)(dev & 0xffu) | (u32)((dev >> 12) & 0xffffff00u);
}

/* --- fcntl(2) --- */
enum {
    LX_F_DUPFD = 0,
    LX_F_GETFD = 1,
    LX_F_SETFD = 2,
    LX_F_GETFL = 3,
    LX_F_SETFL = 4,
    LX_F_GETLK = 5,
    LX_F_SETLK = 6,
    LX_F_SETLKW = 7,
    LX_F_SETOWN = 8,
    LX_F_GETOWN = 9,
    LX_F_SETSIG = 10,
    LX_F_GETSIG = 11,
    LX_F_SETOWN_EX = 15,
    LX_F_GETOWN_EX = 16,
    LX_F_GETOWNER_UIDS = 17,
    LX_F_OFD_GETLK = 36,
    LX_F_OFD_SETLK = 37,
    LX_F_OFD_SETLKW = 38,
    LX_F_SETLEASE = 1024,
    LX_F_GETLEASE = 1025,
    LX_F_NOTIFY = 1026,
    LX_F_DUPFD_CLOEXEC = 1030,
    LX_F_SETPIPE_SZ = 1031,
    LX_F_GETPIPE_SZ = 1032,
    LX_F_ADD_SEALS = 1033,
    LX_F_GET_SEALS = 1034,
};
#define LX_FD_CLOEXEC 1u

#define LX_DN_MULTISHOT 0x80000000u

enum { LX_F_RDLCK = 0, LX_F_WRLCK = 1, LX_F_UNLCK = 2 };
enum { LX_LOCK_SH = 1, LX_LOCK_EX = 2, LX_LOCK_NB = 4, LX_LOCK_UN = 8 };
enum { LX_F_OWNER_TID = 0, LX_F_OWNER_PID = 1, LX_F_OWNER_PGRP = 2 };

struct lx_flock {
    int16_t type, whence;
    s64 start, len;
    s32 pid;
};
_Static_assert(sizeof(struct lx_flock) == 32, "struct flock");
_Static_assert(offsetof(struct lx_flock, pid) == 24, "struct flock");

struct lx_f_owner_ex {
    s32 type, pid;
};

/* memfd_create(2) and its seals */
enum {
    LX_MFD_CLOEXEC = 1,
    LX_MFD_ALLOW_SEALING = 2,
    LX_MFD_HUGETLB = 4,
    LX_MFD_NOEXEC_SEAL = 8,
    LX_MFD_EXEC = 16,
};
#define LX_MFD_HUGE_BITS 0xfc000000u /* log2 of the size of a huge page */
enum { LX_MFD_NAME_MAX = 249 };
enum {
    LX_F_SEAL_SEAL = 1,
    LX_F_SEAL_SHRINK = 2,
    LX_F_SEAL_GROW = 4,
    LX_F_SEAL_WRITE = 8,
    LX_F_SEAL_FUTURE_WRITE = 16,
    LX_F_SEAL_EXEC = 32,
    LX_F_SEAL_ALL = 63,
};

/* --- fallocate(2), sync_file_range(2), posix_fadvise(2), xattr(7) --- */
enum {
    LX_FALLOC_FL_KEEP_SIZE = 0x01,
    LX_FALLOC_FL_PUNCH_HOLE = 0x02,
    LX_FALLOC_FL_COLLAPSE_RANGE = 0x08,
    LX_FALLOC_FL_ZERO_RANGE = 0x10,
    LX_FALLOC_FL_INSERT_RANGE = 0x20,
    LX_FALLOC_FL_UNSHARE_RANGE = 0x40,
};
enum { LX_SYNC_FILE_RANGE_VALID = 7 };
enum { LX_FADV_LAST = 5 };
enum { LX_XATTR_CREATE = 1, LX_XATTR_REPLACE = 2 };
enum { LX_XATTR_NAME_MAX = 255, LX_XATTR_LIST_MAX = 65536 };

/* preadv2(2) */
enum {
    LX_RWF_HIPRI = 1,
    LX_RWF_DSYNC = 2,
    LX_RWF_SYNC = 4,
    LX_RWF_NOWAIT = 8,
    LX_RWF_APPEND = 16,
};
enum { LX_PIPE_BUF = 4096 };
