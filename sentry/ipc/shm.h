/* System V shared memory (shmget(2), shmop(2), shmctl(2)). */
#pragma once

#include "sentry/ipc/ipc.h"
#include "sentry/mm/mappable.h"

/* shm_get() - shmget(2). Return: the id, or its errno. */
s64 shm_get(struct task *t, s32 key, u64 size, u32 flags);
/* shm_attach() - shmat(2). Return: 0 and *out, or its errno. */
int shm_attach(struct task *t, s32 id, uaddr_t addr, u32 flags, uaddr_t *out);
/* shm_detach() - shmdt(2). */
int shm_detach(struct task *t, uaddr_t addr);
/* shm_stat() - IPC_STAT, SHM_STAT, SHM_STAT_ANY. Return: as ipc_begin_stat(). */
s64 shm_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_shmid_ds *out);
int shm_set(struct task *t, s32 id, const struct lx_shmid_ds *in);
int shm_remove(struct task *t, s32 id);
/* shm_lock() - SHM_LOCK, SHM_UNLOCK: counted and shown, not pinned, as mlock(2). */
int shm_lock(struct task *t, s32 id, bool on);
/* shm_resident() - pages that the segment in a slot has in memory. */
u64 shm_resident(struct ipc_ns *ns, s32 index);
/* shm_totals() - SHM_INFO. */
void shm_totals(struct ipc_ns *ns, struct lx_shm_info *out);

/* --- for the files of this folder --- */

struct shm {
    struct ipc_object o;
    u64 size;
    s32 name;                 /* the key it was made with, for /proc/PID/maps */
    struct mappable *memory;  /* a reference */
    struct mappable mappable; /* the segment, as VMAs know it */
    u32 nattch;               /* and below: guarded by o.lock; each VMA counts */
    s64 atime, dtime;
    struct pid *creator, *last; /* references */
};

extern const struct mappable_ops shm_segment_ops;
/* shm_hold_locked() - one VMA more, or a caller that is about to attach. Return: 0, -EIDRM.
 * shm_let_go(): one fewer; the last of a removed segment frees it. */
int shm_hold_locked(struct shm *s);
void shm_let_go(struct shm *s);
