/* Guest ABI: memory (mmap(2), mremap(2), madvise(2), msync(2), mlock(2)) and auxv (getauxval(3)). */
#pragma once

#include "sentry/base/types.h"

#define LX_PROT_NONE      0x0u
#define LX_PROT_READ      0x1u
#define LX_PROT_WRITE     0x2u
#define LX_PROT_EXEC      0x4u
#define LX_PROT_SEM       0x8u
#define LX_PROT_GROWSDOWN 0x01000000u
#define LX_PROT_GROWSUP   0x02000000u
#define LX_PROT_RWX       (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC)

#define LX_MAP_SHARED          0x01u
#define LX_MAP_PRIVATE         0x02u
#define LX_MAP_SHARED_VALIDATE 0x03u
#define LX_MAP_TYPE            0x0fu
#define LX_MAP_FIXED           0x10u
#define LX_MAP_ANONYMOUS       0x20u
#define LX_MAP_32BIT           0x40u
#define LX_MAP_ABOVE4G         0x80u
#define LX_MAP_GROWSDOWN       0x000100u
#define LX_MAP_DENYWRITE       0x000800u
#define LX_MAP_EXECUTABLE      0x001000u
#define LX_MAP_LOCKED          0x002000u
#define LX_MAP_NORESERVE       0x004000u
#define LX_MAP_POPULATE        0x008000u
#define LX_MAP_NONBLOCK        0x010000u
#define LX_MAP_STACK           0x020000u
#define LX_MAP_HUGETLB         0x040000u
#define LX_MAP_SYNC            0x080000u
#define LX_MAP_FIXED_NOREPLACE 0x100000u
#define LX_MAP_HUGE_SHIFT      26
#define LX_MAP_HUGE_MASK       0x3fu
/* What MAP_SHARED knew before MAP_SHARED_VALIDATE: the rest is ignored with it, refused with that. */
#define LX_MAP_LEGACY                                                                            \
    (LX_MAP_SHARED | LX_MAP_PRIVATE | LX_MAP_FIXED | LX_MAP_ANONYMOUS | LX_MAP_DENYWRITE |       \
     LX_MAP_EXECUTABLE | LX_MAP_GROWSDOWN | LX_MAP_LOCKED | LX_MAP_NORESERVE | LX_MAP_POPULATE | \
     LX_MAP_NONBLOCK | LX_MAP_STACK | LX_MAP_HUGETLB | LX_MAP_32BIT | LX_MAP_ABOVE4G |           \
     (LX_MAP_HUGE_MASK << LX_MAP_HUGE_SHIFT))

#define LX_MREMAP_MAYMOVE   1u
#define LX_MREMAP_FIXED     2u
#define LX_MREMAP_DONTUNMAP 4u

#define LX_MADV_NORMAL         0
#define LX_MADV_RANDOM         1
#define LX_MADV_SEQUENTIAL     2
#define LX_MADV_WILLNEED       3
#define LX_MADV_DONTNEED       4
#define LX_MADV_FREE           8
#define LX_MADV_REMOVE         9
#define LX_MADV_DONTFORK       10
#define LX_MADV_DOFORK         11
#define LX_MADV_MERGEABLE      12
#define LX_MADV_UNMERGEABLE    13
#define LX_MADV_HUGEPAGE       14
#define LX_MADV_NOHUGEPAGE     15
#define LX_MADV_DONTDUMP       16
#define LX_MADV_DODUMP         17
#define LX_MADV_WIPEONFORK     18
#define LX_MADV_KEEPONFORK     19
#define LX_MADV_COLD           20
#define LX_MADV_PAGEOUT        21
#define LX_MADV_POPULATE_READ  22
#define LX_MADV_POPULATE_WRITE 23
#define LX_MADV_DONTNEED_LOCKED 24
#define LX_MADV_HWPOISON       100
#define LX_MADV_SOFT_OFFLINE   101

#define LX_MS_ASYNC      1
#define LX_MS_INVALIDATE 2
#define LX_MS_SYNC       4

#define LX_MCL_CURRENT   1
#define LX_MCL_FUTURE    2
#define LX_MCL_ONFAULT   4
#define LX_MLOCK_ONFAULT 1u

/* personality(2): what concerns memory */
#define LX_PER_ADDR_NO_RANDOMIZE 0x0040000u
#define LX_PER_READ_IMPLIES_EXEC 0x0400000u

#define LX_MEMBARRIER_CMD_QUERY                                0
#define LX_MEMBARRIER_CMD_GLOBAL                               (1 << 0)
#define LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED                     (1 << 1)
#define LX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED            (1 << 2)
#define LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED                    (1 << 3)
#define LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED           (1 << 4)
#define LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE          (1 << 5)
#define LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE (1 << 6)

enum {
    LX_AT_NULL = 0,
    LX_AT_IGNORE = 1,
    LX_AT_EXECFD = 2,
    LX_AT_PHDR = 3,
    LX_AT_PHENT = 4,
    LX_AT_PHNUM = 5,
    LX_AT_PAGESZ = 6,
    LX_AT_BASE = 7,
    LX_AT_FLAGS = 8,
    LX_AT_ENTRY = 9,
    LX_AT_NOTELF = 10,
    LX_AT_UID = 11,
    LX_AT_EUID = 12,
    LX_AT_GID = 13,
    LX_AT_EGID = 14,
    LX_AT_PLATFORM = 15,
    LX_AT_HWCAP = 16,
    LX_AT_CLKTCK = 17,
    LX_AT_SECURE = 23,
    LX_AT_BASE_PLATFORM = 24,
    LX_AT_RANDOM = 25,
    LX_AT_HWCAP2 = 26,
    LX_AT_RSEQ_FEATURE_SIZE = 27,
    LX_AT_RSEQ_ALIGN = 28,
    LX_AT_EXECFN = 31,
    LX_AT_SYSINFO = 32,
    LX_AT_SYSINFO_EHDR = 33,
    LX_AT_MINSIGSTKSZ = 51,
};

#define LX_USER_HZ 100 /* AT_CLKTCK */
