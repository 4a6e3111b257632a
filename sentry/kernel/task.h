/*
 * Tasks and thread groups: the processes of a container.
 *
 * A task is what Linux calls one: a schedulable thread with a tid. A thread group is a process.
 * Links between them and pids:
 *   task -> tg            a reference, for the task's life
 *   tg -> tasks           list, borrowed; guarded by tg->lock
 *   tg -> parent          borrowed: a parent re-parents its children before it is freed; guarded by
 *                         the pid lock (pid_lock()), as are children, process groups and sessions
 *   tg -> leader          a reference, kept as the zombie until it is reaped
 *
 * A task's own fields without a lock are used by its own step() alone ("own"). What others read is
 * atomic or guarded by the lock above it.
 *
 * current is set on entry of task_step() on whichever thread the platform has.
 */
#pragma once

#include "platform/platform.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"
#include "sentry/cred/cred.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/mm/mm.h"
#include "sentry/time/timer.h"
#include "sentry/wait/wait.h"

struct container;
struct exec_request;
struct fdtable;
struct fs_context;
struct nsproxy;
struct session;

/* Why a task must look before it goes back to guest code; bits of task->work. */
enum {
    TASK_WORK_SIGNAL = 1u << 0, /* a signal may be deliverable, or the group stops or exits */
    TASK_WORK_STOP = 1u << 1,   /* task_stop_all() */
};

/* How far a task has come; task->state, atomic. */
enum task_state { TASK_NEW, TASK_RUNNING, TASK_STOPPED, TASK_ZOMBIE, TASK_DEAD };

/* What restart_syscall(2) continues: set by a handler that returns -ERESTART_RESTARTBLOCK. */
struct restart_block {
    s64 (*fn)(struct task *t, struct restart_block *rb);
    u64 deadline; /* monotonic ns */
    uaddr_t uaddr;
    u64 arg[4];
};

struct task {
    struct obj obj;
    struct sleeper sleeper;
    _Atomic(u32) work;  /* TASK_WORK_* */
    _Atomic(u32) state; /* enum task_state */
    struct thread_group *tg; /* a reference */
    struct pid *pid;         /* a reference: the tid */
    struct list_node in_group; /* tg->tasks; guarded by tg->lock */

    struct plat_thread *thread; /* own, while it runs; tg->lock for interrupt by others */
    struct mm *mm;              /* own writes under task->lock; a reference; NULL once exited */
    struct fdtable *files;      /* the same */
    struct fs_context *fs;      /* the same */
    struct nsproxy *ns;         /* the same */

    struct mutex lock; /* TASK class */
    struct cred *cred;   /* and below: guarded by lock; own reads without it */
    char comm[16];

    struct sigpending pending; /* guarded by tg->lock, as is blocked for other tasks */
    u64 blocked;               /* own writes under tg->lock */
    u64 saved_blocked;         /* own: restored at return if restore_blocked */
    bool restore_blocked;
    u64 sigwait_set;           /* guarded by tg->lock: sigtimedwait() consumes these */
    struct sigaltstack_state altstack; /* own */

    uaddr_t clear_child_tid, set_child_tid; /* own */
    uaddr_t robust_list;
    u64 robust_len;
    struct restart_block restart;
    s64 syscall_nr; /* own: system call being served, -1 outside of one */
    s32 parent_death_signal;
    u32 exit_status;         /* wait status; valid from TASK_ZOMBIE on */
    struct vfork *vfork;     /* own: who waits for this task's exec or exit; NULL */
    struct exec_request *boot; /* own: what the first step() of an init or exec'd task loads */
    u64 utime_ns, stime_ns;
    u64 start_time;          /* monotonic ns */
    u32 personality;
    u32 timer_slack_ns;
    bool is_leader;
};
OBJ_REFS(task)

struct thread_group {
    struct obj obj;
    struct container *container; /* a reference */
    struct pid *pid;             /* a reference: the tgid */

    /* guarded by the pid lock */
    struct thread_group *parent; /* NULL: the container's init, or a process of runsc exec */
    struct list_node children, sibling;
    struct process_group *pgrp; /* a reference */
    struct list_node in_pgrp;
    bool did_exec, is_subreaper, dead, reaped;
    struct waitq child_wait; /* this process's wait4(); woken on any child's change of state */

    struct mutex lock; /* TGROUP class */
    struct list_node tasks; /* and below: guarded by lock */
    u32 ntasks;
    struct task *leader; /* a reference */
    struct sighand *sighand; /* a reference */
    struct sigpending pending;
    bool exiting;    /* group exit: every task leaves at its next boundary */
    u32 exit_status; /* wait status of the group once exiting */
    struct task *exec_task; /* de_thread in progress: all others must go */
    enum { GROUP_RUNNING, GROUP_STOPPING, GROUP_STOPPED } stop;
    u32 stop_signo, stop_pending; /* how many tasks have still to stop */
    bool stop_unreported, cont_unreported; /* for waitid() */
    struct waitq stop_wait; /* stopped tasks, and tasks that wait for their group, sleep here */
    s32 exit_signal;        /* to the parent; 0: none, -1: thread */

    struct rlimit_pair limits[RLIMIT_COUNT];
    struct file *exe; /* a reference */
    struct timer itimer_real;
    u64 itimer_interval;
    u64 child_utime_ns, child_stime_ns; /* of reaped descendants */
    u64 dead_utime_ns, dead_stime_ns;   /* of exited tasks */
    u64 min_flt, maj_flt;
    u32 max_rss_kb, child_max_rss_kb;
    struct list_node posix_timers;
    s32 oom_score_adj;
};
OBJ_REFS(thread_group)

extern _Thread_local struct task *current;

/* task_step() - the platform's upcall; see platform.h. */
enum plat_action task_step(void *cookie, struct plat_thread *th, const struct plat_stop *stop);

/* task_set_dispatch() - boot's hook: what serves system calls (sentry/syscalls). */
void task_set_dispatch(s64 (*dispatch)(struct task *t, s64 nr, const u64 args[6]));

/* task_notify() - make the task look at task->work soon: ends an interruptible sleep and gets it
 * out of guest code. tg->lock held. */
void task_notify_locked(struct task *t, bool kill);

/* task_exit() - the calling task leaves at the end of this step. `status` is a wait status. */
void task_exit(struct task *t, u32 status);
/* group_exit() - the whole group leaves with `status` (the first caller's counts). */
void group_exit(struct thread_group *tg, u32 status);
void group_exit_locked(struct thread_group *tg, u32 status);

/* task_clone() - clone(2) for the calling task. Return: the child's tid, or negative errno. */
struct clone_args {
    u64 flags; /* LX_CLONE_* without the signal */
    u32 exit_signal;
    uaddr_t stack, stack_size; /* clone3 gives both; clone: stack_size 0, stack is the pointer */
    uaddr_t parent_tid, child_tid, pidfd, tls;
    uaddr_t set_tid;
    u64 set_tid_size;
};
s64 task_clone(struct task *t, const struct clone_args *args);

/* task_exec() - execve(2) for the calling task; strings are taken over. */
struct exec_strings;
struct path;
int task_exec(struct task *t, const struct path *start, const char *filename, u32 walk_flags,
              struct exec_strings *argv, struct exec_strings *envp);

/* task_cred() - the calling task's credentials, borrowed. task_cred_of(): any task's, a reference.
 * task_set_cred() - replace the calling task's (taken). */
static inline const struct cred *task_cred(const struct task *t)
{
    return t->cred;
}
struct cred *task_cred_of(struct task *t);
void task_set_cred(struct task *t, struct cred *fresh);

/* task_stop_all() - bring every task of a container to its boundary, invisibly; resume ends it. */
void task_stop_all(struct container *c);
void task_resume_all(struct container *c);

/* task_rlimit() - the calling task's current soft limit. */
u64 task_rlimit(const struct task *t, int which);
