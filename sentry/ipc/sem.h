/*
 * System V semaphores (semget(2), semop(2), semctl(2)).
 *
 * A set's lock guards its values, its sleepers and every process's adjustments of it. A call that
 * can't be done at once sleeps in the set's queue; whoever changes a value does what has become
 * possible on the sleepers' behalf, in the order in which they came, and wakes them with the result.
 *
 * Adjustments (SEM_UNDO) belong to a process, or to those that share them by CLONE_SYSVSEM: a list of
 * one record for each set, which the set links too, so that SETVAL and removal find it.
 */
#pragma once

#include "sentry/ipc/ipc.h"

struct sem {
    s32 value;
    struct pid *pid; /* who changed it last; a reference */
};

struct sem_set {
    struct ipc_object o;
    u32 n;
    s64 otime;                 /* and below: guarded by o.lock */
    struct list_node sleepers; /* sem_sleeper.w.node, oldest first */
    struct list_node undos;    /* sem_undo.in_set */
    struct sem sems[];
};

/* One process's adjustments of one set. */
struct sem_undo {
    struct list_node in_list; /* guarded by the list's lock */
    struct list_node in_set;  /* and below: guarded by the set's lock */
    struct sem_set *set;      /* a reference, kept when the set is removed; never changes */
    s16 adjust[];
};

struct sem_undo_list {
    struct obj obj;
    struct mutex lock;
    struct list_node undos; /* guarded by lock */
};
OBJ_REFS(sem_undo_list)

/* A call that sleeps; its parts live in the sleeper's handler. */
struct sem_sleeper {
    struct ipc_waiter w;
    const struct lx_sembuf *ops;
    u32 nops;
    const struct lx_sembuf *blocking; /* the operation that can't be done */
    struct sem_undo *undo;
    struct pid *pid; /* borrowed from the task */
    bool alters;
};

/* sem_get() - semget(2). sem_operate() - semtimedop(2) after its arguments are copied in; `deadline`
 * in monotonic ns. Return: 0, or its errno. */
s64 sem_get(struct task *t, s32 key, s32 n, u32 flags);
int sem_operate(struct task *t, s32 id, const struct lx_sembuf *ops, u32 nops, u64 deadline);

/* semctl(2) by command. sem_stat() - as shm_stat(). */
s64 sem_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_semid_ds *out);
int sem_set_perm(struct task *t, s32 id, const struct lx_semid_ds *in);
int sem_remove(struct task *t, s32 id);
/* sem_ask() - GETVAL, GETPID, GETNCNT, GETZCNT. */
s64 sem_ask(struct task *t, s32 id, s32 num, u32 cmd);
int sem_set_value(struct task *t, s32 id, s32 num, s32 value);
/* sem_get_all() - the values in *out, which the caller frees; *n of them. */
int sem_get_all(struct task *t, s32 id, u16 **out, u32 *n);
/* sem_count() - how many values SETALL takes. sem_set_all() - `n` of them, as sem_count() said. */
int sem_count(struct task *t, s32 id, u32 *n);
int sem_set_all(struct task *t, s32 id, const u16 *values, u32 n);

/* --- adjustments (sem_undo.c) --- */
/* sem_undo_list_of() - the calling task's list, made if need be; borrowed. NULL: out of memory. */
struct sem_undo_list *sem_undo_list_of(struct task *t);
/* sem_undo_id() - which list a task has; 0: none yet. Locks: takes task->lock. */
u64 sem_undo_id(struct task *t);
/* sem_undo_find() - the calling task's record of a set, made if need be, its list too. Return: 0 and
 * *out, borrowed: it stays while the task is in its call. -ENOMEM, -ENOSPC. */
int sem_undo_find(struct task *t, struct sem_set *set, struct sem_undo **out);
/* sem_exit() - the calling task leaves its list; the last one's leaving carries it out. */
void sem_exit(struct task *t);

/* --- operations (sem_op.c), with the set's lock held --- */

/* sem_try_locked() - all operations or none. Return: 0 done, 1 must sleep (*blocking), errno. */
int sem_try_locked(struct sem_set *set, const struct sem_sleeper *s,
                   const struct lx_sembuf **blocking);
/* sem_changed_locked() - values have changed: do what sleepers wait for. */
void sem_changed_locked(struct sem_set *set);
/* sem_pid_locked() - who changed a semaphore last. */
void sem_pid_locked(struct sem *sem, struct pid *pid);

#define SEM_VALUE_MAX 32767
