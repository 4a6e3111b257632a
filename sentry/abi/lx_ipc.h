/* Guest ABI: System V IPC (sysvipc(7), shmctl(2), semctl(2), msgctl(2)). */
#pragma once

#include "sentry/base/types.h"

#define LX_IPC_PRIVATE 0
#define LX_IPC_CREAT   01000u
#define LX_IPC_EXCL    02000u
#define LX_IPC_NOWAIT  04000u

enum { LX_IPC_RMID, LX_IPC_SET, LX_IPC_STAT, LX_IPC_INFO };
enum { LX_SHM_LOCK = 11, LX_SHM_UNLOCK, LX_SHM_STAT, LX_SHM_INFO, LX_SHM_STAT_ANY };
enum {
    LX_SEM_GETPID = 11,
    LX_SEM_GETVAL,
    LX_SEM_GETALL,
    LX_SEM_GETNCNT,
    LX_SEM_GETZCNT,
    LX_SEM_SETVAL,
    LX_SEM_SETALL,
    LX_SEM_STAT,
    LX_SEM_INFO,
    LX_SEM_STAT_ANY,
};
enum { LX_MSG_STAT = 11, LX_MSG_INFO, LX_MSG_STAT_ANY };

struct lx_ipc_perm {
    s32 key;
    u32 uid, gid, cuid, cgid, mode;
    u16 seq, pad;
    u32 pad2;
    u64 unused[2];
};
_Static_assert(sizeof(struct lx_ipc_perm) == 48, "struct ipc64_perm");

/* --- shared memory --- */

#define LX_SHM_RDONLY    010000u
#define LX_SHM_RND       020000u
#define LX_SHM_REMAP     040000u
#define LX_SHM_EXEC      0100000u
#define LX_SHM_HUGETLB   04000u
#define LX_SHM_NORESERVE 010000u
/* In shm_perm.mode. */
#define LX_SHM_DEST   01000u
#define LX_SHM_LOCKED 02000u

struct lx_shmid_ds {
    struct lx_ipc_perm perm;
    u64 segsz;
    s64 atime, dtime, ctime;
    s32 cpid, lpid;
    u64 nattch, unused[2];
};
_Static_assert(sizeof(struct lx_shmid_ds) == 112, "struct shmid64_ds");

struct lx_shminfo {
    u64 max, min, mni, seg, all, unused[4];
};

struct lx_shm_info {
    s32 used_ids;
    u32 pad;
    u64 tot, rss, swp, swap_attempts, swap_successes;
};
_Static_assert(sizeof(struct lx_shm_info) == 48, "struct shm_info");

/* --- semaphores --- */

#define LX_SEM_UNDO 0x1000u

struct lx_sembuf {
    u16 num;
    s16 op;
    u16 flags;
};

struct lx_semid_ds {
    struct lx_ipc_perm perm;
    s64 otime;
    u64 unused1;
    s64 ctime;
    u64 unused2, nsems, unused3[2];
};
_Static_assert(sizeof(struct lx_semid_ds) == 104, "struct semid64_ds");

struct lx_seminfo {
    s32 map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem;
};

/* --- messages --- */

#define LX_MSG_NOERROR 010000u
#define LX_MSG_EXCEPT  020000u
#define LX_MSG_COPY    040000u

struct lx_msqid_ds {
    struct lx_ipc_perm perm;
    s64 stime, rtime, ctime;
    u64 cbytes, qnum, qbytes;
    s32 lspid, lrpid;
    u64 unused[2];
};
_Static_assert(sizeof(struct lx_msqid_ds) == 120, "struct msqid64_ds");

struct lx_msginfo {
    s32 pool, map, max, mnb, mni, ssz, tql;
    u16 seg, pad;
};

/* --- POSIX message queues --- */

#define LX_MQ_PRIO_MAX 32768u

struct lx_mq_attr {
    s64 flags, maxmsg, msgsize, curmsgs, reserved[4];
};
_Static_assert(sizeof(struct lx_mq_attr) == 64, "struct mq_attr");
