/*
 * Pids, process groups and sessions. A struct pid has a number in its namespace and in every
 * namespace above. One lock guards all tables and the process tree: pid_lock().
 */
#pragma once

#include "sentry/base/hash.h"
#include "sentry/base/list.h"
#include "sentry/base/obj.h"
#include "sentry/wait/wait.h"

struct task;
struct thread_group;
struct user_ns;

#define PIDNS_MAX_LEVEL 32
#define PID_MAX 32768

struct pid_ns {
    struct obj obj;
    struct pid_ns *parent; /* a reference; NULL: a container's */
    struct user_ns *user_ns; /* a reference */
    u32 level;
    struct hash by_number; /* and below: guarded by the pid lock */
    s32 last;              /* where the next search starts */
    u32 count;             /* numbers in use */
    u32 groups;            /* thread groups that have not been reaped, of inner namespaces too */
    struct thread_group *init; /* borrowed; NULL before the first and after the last */
    bool dying;                /* init is gone: no new pids */
};
OBJ_REFS(pid_ns)

struct pid_number {
    struct pid_ns *ns; /* borrowed: pinned through pid->ns */
    s32 nr;
    struct pid *pid;
    struct hash_node node; /* ns->by_number */
};

enum pid_fate { PID_ALIVE, PID_DEAD, PID_REAPED };

struct pid {
    struct obj obj;
    struct pid_ns *ns; /* a reference: the innermost */
    struct task *task;           /* and below: guarded by the pid lock, borrowed; NULL when gone */
    struct thread_group *tg;     /* set while this is a tgid */
    struct process_group *pgrp;  /* set while this is a pgid */
    struct session *session;     /* set while this is a sid */
    _Atomic(u32) fate;           /* enum pid_fate: what has become of the process */
    struct waitq fate_wait;      /* who waits for that: pidfds */
    u32 level;
    struct pid_number numbers[]; /* level + 1 of them, outermost first */
};
OBJ_REFS(pid)

struct session {
    struct obj obj;
    struct pid *pid;           /* a reference */
    struct list_node pgrps;    /* guarded by the pid lock */
    struct thread_group *leader; /* borrowed; NULL when gone */
};
OBJ_REFS(session)

struct process_group {
    struct obj obj;
    struct pid *pid;         /* a reference */
    struct session *session; /* a reference */
    struct list_node in_session;
    struct list_node members; /* thread groups; guarded by the pid lock */
};
OBJ_REFS(process_group)

void pid_lock(void);
void pid_unlock(void);

struct pid_ns *pid_ns_new(struct pid_ns *parent, struct user_ns *user_ns);
/* pid_alloc() - a pid with a fresh number at each level. Return: 0, -EAGAIN, -ENOMEM. */
int pid_alloc(struct pid_ns *ns, struct pid **out);
/* pid_release_locked() - give the numbers back; the object lives until its last reference. */
void pid_release_locked(struct pid *p);
/* pid_set_fate_locked() - tell who watches the process. pid lock held. */
void pid_set_fate_locked(struct pid *p, enum pid_fate fate);
/* pid_nr() - the number as `ns` sees it; 0 if it doesn't. */
s32 pid_nr(const struct pid *p, const struct pid_ns *ns);
/* pid_was_nr() - the same for one that may be gone: the number that it had. NULL: 0. */
s32 pid_was_nr(const struct pid *p, const struct pid_ns *ns);
/* pid_find_locked() - borrowed, or NULL. */
struct pid *pid_find_locked(struct pid_ns *ns, s32 nr);
/* pid_find_task() - the live task with this tid, as a new reference, or NULL. */
struct task *pid_find_task(struct pid_ns *ns, s32 nr);
/* pid_find_group() - the thread group (zombies included) with this pid: a new reference or NULL. */
struct thread_group *pid_find_group(struct pid_ns *ns, s32 nr);

/* pid_next_group() - the lowest number ≥ from of a thread group in ns (zombies included), or -1. */
s32 pid_next_group(struct pid_ns *ns, s32 from);

/* session_new_locked() - setsid(2) for tg: a session and a process group of its own. */
int session_new_locked(struct thread_group *tg);
/* pgrp_move_locked() - put tg into the group `pid` (made if need be) of its own session. */
int pgrp_move_locked(struct thread_group *tg, struct pid *pid);
/* pgrp_join_locked() - at fork: tg joins pg. pgrp_leave_locked(): at exit. */
void pgrp_join_locked(struct thread_group *tg, struct process_group *pg);
void pgrp_leave_locked(struct thread_group *tg);
/* pgrp_orphaned_locked() - no member has a parent in the same session but another group. `but`
 * (may be NULL) is left out of account. */
bool pgrp_orphaned_locked(const struct process_group *pg, const struct thread_group *but);
bool pgrp_has_stopped_locked(const struct process_group *pg);
