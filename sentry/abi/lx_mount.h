/* Guest ABI: mount(2), umount2(2), statfs(2)'s flags, magic numbers of file systems. */
#pragma once

#include "sentry/base/types.h"

#define LX_MS_RDONLY      (1u << 0)
#define LX_MS_NOSUID      (1u << 1)
#define LX_MS_NODEV       (1u << 2)
#define LX_MS_NOEXEC      (1u << 3)
#define LX_MS_SYNCHRONOUS (1u << 4)
#define LX_MS_REMOUNT     (1u << 5)
#define LX_MS_MANDLOCK    (1u << 6)
#define LX_MS_DIRSYNC     (1u << 7)
#define LX_MS_NOSYMFOLLOW (1u << 8)
#define LX_MS_NOATIME     (1u << 10)
#define LX_MS_NODIRATIME  (1u << 11)
#define LX_MS_BIND        (1u << 12)
#define LX_MS_MOVE        (1u << 13)
#define LX_MS_REC         (1u << 14)
#define LX_MS_SILENT      (1u << 15)
#define LX_MS_POSIXACL    (1u << 16)
#define LX_MS_UNBINDABLE  (1u << 17)
#define LX_MS_PRIVATE     (1u << 18)
#define LX_MS_SLAVE       (1u << 19)
#define LX_MS_SHARED      (1u << 20)
#define LX_MS_RELATIME    (1u << 21)
#define LX_MS_I_VERSION   (1u << 23)
#define LX_MS_STRICTATIME (1u << 24)
#define LX_MS_LAZYTIME    (1u << 25)
#define LX_MS_MGC_VAL     0xc0ed0000u
#define LX_MS_MGC_MSK     0xffff0000u

#define LX_MS_PROPAGATION (LX_MS_SHARED | LX_MS_PRIVATE | LX_MS_SLAVE | LX_MS_UNBINDABLE)

/* Those that belong to a mount, and those that belong to its super. */
#define LX_MS_MOUNT_FLAGS                                                                          \
    (LX_MS_RDONLY | LX_MS_NOSUID | LX_MS_NODEV | LX_MS_NOEXEC | LX_MS_NOATIME | LX_MS_NODIRATIME | \
     LX_MS_RELATIME | LX_MS_STRICTATIME | LX_MS_NOSYMFOLLOW)
#define LX_MS_SUPER_FLAGS \
    (LX_MS_RDONLY | LX_MS_SYNCHRONOUS | LX_MS_MANDLOCK | LX_MS_DIRSYNC | LX_MS_LAZYTIME)

#define LX_MNT_FORCE       1u
#define LX_MNT_DETACH      2u
#define LX_MNT_EXPIRE      4u
#define LX_UMOUNT_NOFOLLOW 8u

#define LX_ST_RDONLY      0x0001u
#define LX_ST_NOSUID      0x0002u
#define LX_ST_NODEV       0x0004u
#define LX_ST_NOEXEC      0x0008u
#define LX_ST_SYNCHRONOUS 0x0010u
#define LX_ST_VALID       0x0020u
#define LX_ST_MANDLOCK    0x0040u
#define LX_ST_NOATIME     0x0400u
#define LX_ST_NODIRATIME  0x0800u
#define LX_ST_RELATIME    0x1000u
#define LX_ST_NOSYMFOLLOW 0x2000u

enum {
    LX_TMPFS_MAGIC = 0x01021994,
    LX_RAMFS_MAGIC = 0x858458f6,
    LX_PROC_SUPER_MAGIC = 0x9fa0,
    LX_SYSFS_MAGIC = 0x62656572,
    LX_DEVPTS_SUPER_MAGIC = 0x1cd1,
    LX_PIPEFS_MAGIC = 0x50495045,
    LX_SOCKFS_MAGIC = 0x534f434b,
    LX_ANON_INODE_FS_MAGIC = 0x09041934,
    LX_CGROUP_SUPER_MAGIC = 0x27e0eb,
    LX_CGROUP2_SUPER_MAGIC = 0x63677270,
    LX_MQUEUE_MAGIC = 0x19800202,
    LX_EXT4_SUPER_MAGIC = 0xef53,
    LX_OVERLAYFS_SUPER_MAGIC = 0x794c7630,
    LX_V9FS_MAGIC = 0x01021997,
    LX_NSFS_MAGIC = 0x6e736673,
};
