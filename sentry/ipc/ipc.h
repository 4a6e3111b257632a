/*
 * System V IPC (sysvipc(7)): namespaces, their tables of objects, and what shared memory, semaphore
 * sets and message queues have in common.
 *
 * A namespace has one table for each kind. A table holds a reference on each of its objects; a
 * call finds an object by id under the table's lock, takes a reference and then the object's own
 * lock. An object that was removed meanwhile says so (`removed`): EIDRM.
 */
#pragma once

#include "sentry/abi/lx_ipc.h"
#include "sentry/base/hash.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

struct cred;
struct mm;
struct pid;
struct pid_ns;
struct plat_thread;
struct task;
struct user_ns;

/* A namespace's limits; each is what /proc/sys/kernel shows and takes. */
struct ipc_limits {
    u64 shmmax, shmall;
    u32 shmmni, semmsl, semmns, semopm, semmni, msgmax, msgmnb, msgmni;
    /* of POSIX message queues: /proc/sys/fs/mqueue */
    u32 mq_queues_max, mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default;
};

enum ipc_kind { IPC_SHM, IPC_SEM, IPC_MSG, IPC_KINDS };

struct ipc_table {
    struct mutex lock;
    struct ipc_object **slots; /* and below: guarded by lock */
    u32 nslots;                /* allocated */
    u32 in_use;
    s32 last; /* the slot that was taken last, -1: none yet */
    u32 seq;
    struct hash keys;
    u64 total; /* shm: pages; sem: semaphores */
};

struct ipc_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
    struct ipc_table table[IPC_KINDS];
    struct mutex lock;
    struct ipc_limits limits; /* and below: guarded by lock */
    struct obj *mqueue;       /* what keeps the POSIX message queues; NULL: none yet */
    void (*mqueue_gone)(struct obj *mqueue); /* the namespace goes: takes the reference */
};
OBJ_REFS(ipc_ns)

struct ipc_object {
    struct obj obj;
    struct ipc_ns *ns; /* borrowed: it outlives its tables' objects */
    enum ipc_kind kind;
    s32 id;
    struct hash_node by_key; /* guarded by the table's lock, as is key when it changes */
    s32 key;
    u64 charge; /* what it adds to its table's total, set by make() */
    struct mutex lock;
    bool removed;                   /* and below: guarded by lock */
    u32 uid, gid, cuid, cgid, mode; /* kuids */
    s64 ctime;
};
OBJ_REFS(ipc_object)

/* ipc_ns_new() - Linux's default limits, nothing in it. Return: a new reference or NULL. */
struct ipc_ns *ipc_ns_new(struct user_ns *user_ns);
/* ipc_ns_limits() - as they are now. ipc_ns_set_limits(): all at once, checked by the caller. */
struct ipc_limits ipc_ns_limits(struct ipc_ns *ns);
void ipc_ns_set_limits(struct ipc_ns *ns, const struct ipc_limits *l);

/* ipc_ns_mqueue() - ns->mqueue, which stays as long as ns. ipc_ns_keep_mqueue(): it is `mqueue` (taken)
 * from now on, unless there is one. Return: the one that is kept. */
struct obj *ipc_ns_mqueue(struct ipc_ns *ns);
struct obj *ipc_ns_keep_mqueue(struct ipc_ns *ns, struct obj *mqueue, void (*gone)(struct obj *));

/* --- tables (ipc_ids.c) --- */

/* ipc_get() - shmget(2), semget(2), msgget(2): find or make. `flags`: LX_IPC_*, permissions. */
struct ipc_get {
    s32 key;
    u32 flags;
    u64 size; /* bytes of memory, or semaphores */
    /* make() - a new object in *out, with its own fields set. Table lock held. */
    int (*make)(struct ipc_ns *ns, const struct ipc_get *get, struct ipc_object **out);
    /* fits() - is an old one what the caller wants? Return: 0, errno. NULL: always. */
    int (*fits)(struct ipc_object *o, const struct ipc_get *get);
};
/* Return: the id, or the call's errno. */
s64 ipc_get_id(struct task *t, enum ipc_kind kind, const struct ipc_get *get);
/* ipc_object_init() - the common part of a fresh object that `t` makes. */
void ipc_object_init(struct ipc_object *o, struct obj_type *type, struct ipc_ns *ns,
                     enum ipc_kind kind);
/* ipc_find() - by id: a new reference, or NULL. ipc_find_index(): by slot, or by
 * an id whose sequence number doesn't count. */
struct ipc_object *ipc_find(struct ipc_ns *ns, enum ipc_kind kind, s32 id);
struct ipc_object *ipc_find_index(struct ipc_ns *ns, enum ipc_kind kind, s32 index);
/* ipc_next() - the object in the lowest slot ≥ *index, which becomes the one behind it: a new
 * reference, or NULL. */
struct ipc_object *ipc_next(struct ipc_ns *ns, enum ipc_kind kind, u32 *index);
/* ipc_last_index() - the highest slot in use, 0 if there is none. */
s32 ipc_last_index(struct ipc_ns *ns, enum ipc_kind kind);
/* ipc_remove_locked() - out of its table; the table's reference is the caller's now. Locks of table
 * and object held. ipc_hide_locked() - only its key is given up. */
void ipc_remove_locked(struct ipc_object *o);
void ipc_hide_locked(struct ipc_object *o);
struct ipc_table *ipc_table_of(const struct ipc_object *o);

/* --- calls on one object; each finds it by id: -EINVAL, then says who may not, then -EIDRM --- */

/* ipc_begin() - whoever has the rights of `mode`. Return: 0 and *out, with its lock held and a
 * reference, until ipc_end(). */
int ipc_begin(struct task *t, enum ipc_kind kind, s32 id, u32 mode, struct ipc_object **out);
/* ipc_begin_owner() - its owner, as for IPC_SET. */
int ipc_begin_owner(struct task *t, enum ipc_kind kind, s32 id, struct ipc_object **out);
/* ipc_begin_stat() - IPC_STAT; by slot: SHM_STAT and its like; and with no rights, SHM_STAT_ANY.
 * Return: as ipc_begin(), by slot the object's id. */
enum ipc_stat { IPC_STAT_ID, IPC_STAT_SLOT, IPC_STAT_SLOT_ANY };
s64 ipc_begin_stat(struct task *t, enum ipc_kind kind, s32 id, enum ipc_stat how,
                   struct ipc_object **out);
void ipc_end(struct ipc_object *o);
/* ipc_set_perm() - IPC_SET where there is no more to it. */
int ipc_set_perm(struct task *t, enum ipc_kind kind, s32 id, const struct lx_ipc_perm *perm);
/* ipc_remove() - IPC_RMID. shut_locked(): with the locks of table and object held, does what the kind
 * needs and ipc_remove_locked(); or, if it may have to stay, ipc_hide_locked(). Return: it is gone. */
int ipc_remove(struct task *t, enum ipc_kind kind, s32 id,
               bool (*shut_locked)(struct ipc_object *o));

/* ipc_may_locked() - has the calling task the rights of `mode` (any of 0777)? Return: 0, -EACCES. */
int ipc_may_locked(const struct task *t, const struct ipc_object *o, u32 mode);
/* ipc_owner_locked() - may it change or remove the object? Return: 0, -EPERM. */
int ipc_owner_locked(const struct task *t, const struct ipc_object *o);
/* ipc_set_perm_locked() - IPC_SET. Return: 0, -EINVAL. */
int ipc_set_perm_locked(struct task *t, struct ipc_object *o, const struct lx_ipc_perm *perm);
/* ipc_show_perm_locked() - as the calling task's user namespace sees it. */
void ipc_show_perm_locked(const struct task *t, const struct ipc_object *o,
                          struct lx_ipc_perm *perm);
/* ipc_now() - the time in seconds. */
s64 ipc_now(void);
/* ipc_set_pid() - remember the calling process in *slot, a reference. */
void ipc_set_pid(struct pid **slot);

/* --- sleeping (ipc_wait.c) --- */

/* One sleeper, on a list of an object; everything but `done` is guarded by the object's lock. */
struct ipc_waiter {
    struct list_node node;
    struct sleeper *sleeper;
    atomic_bool done;
    int result;
};
void ipc_waiter_init(struct ipc_waiter *w);
/* ipc_wake_locked() - off its list, with this result. */
void ipc_wake_locked(struct ipc_waiter *w, int result);
/* ipc_wait() - sleep until woken; no lock held. Afterwards the object's lock is taken again.
 * Return: 0 (w->result says what), -ETIMEDOUT, -ERESTARTSYS (it is on no list any more). */
int ipc_wait(struct ipc_waiter *w, struct mutex *lock, u64 deadline);
