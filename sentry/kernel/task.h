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
#include "sentry/kernel/io_count.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/sched.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/user_dispatch.h"
#include "sentry/mm/mm.h"
#include "sentry/time/timer.h"
#include "sentry/wait/wait.h"

struct container;
struct ctty;
struct exec_request;
struct fdtable;
struct fs_context;
struct nsproxy;
struct pi_waiter;
struct seccomp_filter;
struct sem_undo_list;
struct session;
struct tracee;

/* Why a task must look before it goes back to guest code; bits of task->work. */
enum {
    TASK_WORK_SIGNAL = 1u << 0, /* a signal may be deliverable, or the group stops or exits */
    TASK_WORK_STOP = 1u << 1,   /* task_stop_all() */
    TASK_WORK_MM = 1u << 2,     /* a forked child carries out MADV_DONTFORK and so on */
    TASK_WORK_CPU = 1u << 3,    /* RLIMIT_CPU may have been reached */
};

enum { GROUP_NOTIFY_STOPPED = 1u << 0, GROUP_NOTIFY_CONTINUED = 1u << 1 };

enum group_stop { GROUP_RUNNING, GROUP_STOPPING, GROUP_STOPPED };

/* How far a task has come; task->state, atomic. */
enum task_state { TASK_NEW, TASK_RUNNING, TASK_STOPPED, TASK_TRACED, TASK_ZOMBIE, TASK_DEAD };

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
    _Atomic(u32) work;         /* TASK_WORK_* */
    _Atomic(u32) state;        /* enum task_state */
    struct thread_group *tg;   /* a reference */
    struct pid *pid;           /* a reference: the tid */
    struct list_node in_group; /* tg->tasks; guarded by tg->lock */

    struct plat_thread *thread; /* own, while it runs; tg->lock for interrupt by others */
    struct mm *mm;              /* own writes under task->lock; a reference; NULL once exited */
    struct fdtable *files;      /* the same */
    struct fs_context *fs;      /* the same */
    struct nsproxy *ns;         /* the same */

    struct mutex lock; /* TASK class */
    struct cred *cred; /* and below: guarded by lock; own reads without it */
    char comm[16];
    struct task_sched sched;

    struct sigpending pending; /* guarded by tg->lock, as is blocked for other tasks */
    u64 blocked;               /* own writes under tg->lock */
    u64 saved_blocked;         /* own: restored at return if restore_blocked */
    bool restore_blocked;
    u64 sigwait_set;    /* guarded by tg->lock: sigtimedwait() consumes these */
    bool stop_dequeued; /* guarded by tg->lock: a stop signal was taken, no SIGCONT since */
    bool stop_due;      /* guarded by tg->lock: the group's stop still waits for it */
    struct sigaltstack_state altstack; /* own */
    struct user_dispatch dispatch;     /* own: not inherited */
    struct plat_fault fault;           /* own: the last fault, for frames */

    uaddr_t clear_child_tid, set_child_tid; /* own */
    uaddr_t robust_list;
    u64 robust_len;
    struct list_node pi_held;  /* and next two: guarded by the PI lock; see futex_pi.c */
    struct pi_waiter *pi_wait; /* borrowed: the futex that it waits for */
    bool futex_exited;         /* owns no futex any more */
    struct restart_block restart;
    s64 syscall_nr;                   /* own: system call being served, -1 outside of one */
    _Atomic(s32) parent_death_signal; /* own writes */
    u32 exit_status;                  /* wait status; valid from TASK_ZOMBIE on */
    struct vfork *vfork;       /* own: who waits for this task's exec or exit; a reference; NULL */
    struct exec_request *boot; /* own: what the first step() of an init or exec'd task loads */
    u64 utime_ns, stime_ns;
    u64 min_flt, maj_flt;           /* of this program; see task_account() */
    u64 start_time;                 /* monotonic ns */
    u32 seccomp_mode;               /* read without a lock; written under tg->lock: see seccomp.h */
    struct seccomp_filter *seccomp; /* the same; a reference */
    atomic_bool must_drop_privs;    /* set under tg->lock: before its next call, no_new_privs */
    struct sem_undo_list *sem_undo; /* own writes under task->lock; a reference, or NULL */
    _Atomic(struct tracee *) tracee; /* set once, when it is first traced; see ptrace.h */
    struct list_node tracees;       /* struct tracee: whom it traces; guarded by the pid lock */
    struct io_count io;             /* own writes */
    _Atomic(u32) personality;       /* own writes */
    _Atomic(u32) timer_slack_ns;
    u8 mce_kill;           /* own: prctl(PR_MCE_KILL) plus one; 0: as the system has it */
    bool io_flusher;       /* own: prctl(PR_SET_IO_FLUSHER) */
    bool leaving;          /* own: task_exit() was called */
    bool nproc_exceeded;   /* own: set*uid(2) went over RLIMIT_NPROC: execve(2) will fail */
    _Atomic(bool) in_step; /* served by the Sentry; else its guest code may be running */
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
    struct ctty *tty;         /* controlling terminal, a reference; see ctty.h */
    struct pid *tty_old_pgrp; /* a leader's whose terminal hung up: its foreground, a reference */
    u64 forker; /* id of the parent's task that made it (__WNOTHREAD); 0: one that is gone */
    u64 exec_id, parent_exec_id; /* changes with each exec; the parent's when this was made */
    u32 group_signals; /* signals sent to it as a member of a process group: a fork notices */
    bool did_exec, is_subreaper, dead, reaped;
    u32 ntracees; /* of all its tasks */
    struct waitq child_wait; /* this process's wait4(); woken on any child's change of state */

    struct mutex lock;       /* TGROUP class */
    struct list_node tasks;  /* and below: guarded by lock */
    _Atomic(u32) ntasks;     /* on the list; read like `stop` */
    u32 nlive;               /* of them, those that have not begun to leave */
    struct task *leader;     /* a reference */
    struct sighand *sighand; /* a reference */
    struct sigpending pending;
    bool exiting;                  /* group exit: every task leaves at its next boundary */
    u32 exit_status;               /* wait status of the group once exiting */
    struct task *exec_task;        /* de_thread in progress: all others must go */
    _Atomic(u32) execs; /* tasks that are executing a program: nobody attaches; read like `stop` */
    _Atomic(enum group_stop) stop; /* who waits for it to change reads it without the lock */
    u32 stop_signo, stop_pending;  /* how many tasks have still to stop */
    bool stop_unreported, cont_unreported; /* for waitid() */
    u32 notify;               /* GROUP_NOTIFY_*: what the parent has still to be told */
    bool unkillable;          /* a pid namespace's init: default actions do nothing to it */
    struct waitq stop_wait;   /* stopped tasks, and tasks that wait for their group, sleep here */
    struct waitq signal_wait; /* signalfd's readers and pollers */
    s32 exit_signal;          /* to the parent; 0: none, -1: thread */

    struct rlimit_pair limits[RLIMIT_COUNT];
    struct file *exe; /* a reference */
    struct timer itimer_real;
    u64 itimer_deadline; /* monotonic ns; 0: off */
    u64 itimer_interval;
    struct timer cpu_timer; /* RLIMIT_CPU and the next two */
    struct cpu_itimer {
        u64 when, interval; /* in ns of CPU time; when 0: off */
    } cpu_itimer[2];        /* ITIMER_VIRTUAL (user time), ITIMER_PROF (user and system) */
    u64 child_utime_ns, child_stime_ns; /* of reaped descendants */
    u64 dead_utime_ns, dead_stime_ns;   /* of exited tasks */
    u64 min_flt, maj_flt;               /* of exited tasks and earlier programs */
    u64 exec_min_flt, exec_maj_flt;     /* of earlier programs */
    u64 child_min_flt, child_maj_flt;
    u32 max_rss_kb, child_max_rss_kb;
    struct list_node posix_timers; /* see posix_timer.c */
    s32 next_timer_id;
    s32 oom_score_adj;
    atomic_bool thp_disabled; /* prctl(PR_SET_THP_DISABLE) */
    struct io_count io;       /* of exited tasks and of reaped children; atomic */
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
/* group_kill_others_locked() - every task but `but` is to leave: at exit and exec. */
void group_kill_others_locked(struct thread_group *tg, const struct task *but);

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

/* task_exec() - execve(2) for the calling task: run `file` (borrowed, from vfs_open_exec()),
 * which was named `filename`. Strings are taken over. Return: 0, or its errno. */
struct exec_strings;
struct file;
int task_exec(struct task *t, struct file *file, const char *filename, struct exec_strings *argv,
              struct exec_strings *envp);

/* task_wait() - wait4(2) and waitid(2). */
struct lx_rusage;
struct wait_request {
    enum { WAIT_ANY, WAIT_PID, WAIT_PGRP, WAIT_PIDFD } which;
    s32 nr; /* WAIT_PID, WAIT_PGRP: as the caller's pid namespace has it; WAIT_PGRP 0: its own */
    const struct pid *pidfd; /* WAIT_PIDFD: borrowed */
    u32 options;             /* LX_W* */
    /* what was found; pid 0: nothing (WNOHANG) */
    s32 pid;
    bool trapped;             /* its stop is for us as its tracer */
    u32 uid, status;          /* wait status */
    struct lx_rusage *rusage; /* NULL: not wanted */
};
/* Return: 0, -ECHILD, -ERESTARTSYS. */
int task_wait(struct task *t, struct wait_request *w);

/* task_leave() - the last part of the calling task's life; its step() then returns PLAT_EXIT. */
void task_leave(struct task *t);
/* task_alloc() - a task, nothing linked: the last reference undoes it. The reference in *out is
 * that of the running task, which task_leave() drops. thread_group_alloc() - the same for a group. */
int task_alloc(struct thread_group *tg, struct pid *pid, struct task **out);
int thread_group_alloc(struct container *c, struct pid *pid, struct thread_group **out);
/* task_link_locked() - into its group; the first is its leader. pid lock and tg->lock held. */
void task_link_locked(struct task *t);
/* thread_group_reap_locked() - a zombie is gone for good: its pid is free. pid lock held; what it
 * holds is dropped by thread_group_free_list() after that lock is released. */
void thread_group_reap_locked(struct thread_group *tg, struct list_node *reaped);
void thread_group_free_list(struct list_node *reaped);
/* thread_group_notify_locked() - SIGCHLD for `to` and a wake-up of its wait(2): its child or tracee
 * `of` has stopped or continued. pid lock held. ..._parent_locked(): tg's parent, about its leader. */
void thread_group_notify_locked(struct thread_group *to, struct task *of, int code, int status);
void thread_group_notify_parent_locked(struct thread_group *tg, int code, int status);
/* thread_group_zombie_locked() - has every task of it left? pid lock held. */
bool thread_group_zombie_locked(struct thread_group *tg);
/* task_count_charge() - one more task of the container and of cred's uid, which may have `nproc`
 * (RLIMIT_NPROC). Return: 0, -EAGAIN. */
int task_count_charge(struct container *c, const struct cred *cred, u64 nproc);
void task_count_release(struct container *c, u32 uid);
/* task_count_move() - a task changes its uid. Return: how many tasks `to` has now. */
u32 task_count_move(u32 from, u32 to);
u32 task_count_of(u32 uid);
/* task_count_signal() - one more queued signal of uid. Return: false: it has `limit` already. */
bool task_count_signal(u32 uid, u64 limit);
void task_count_signal_release(u32 uid);
/* task_count_mqueue() - `bytes` more for message queues of uid. Return: 0, -EMFILE (it would have more
 * than `limit`), -ENOMEM. */
int task_count_mqueue(u32 uid, u64 bytes, u64 limit);
void task_count_mqueue_release(u32 uid, u64 bytes);

/* task_account() - read what the calling task has used: its CPU times in *out, memory and faults
 * into its group. `last`: of this program; faults are counted to the group for good. */
void task_account(struct task *t, bool last, struct plat_usage *out);
/* thread_group_times() - CPU time of all its tasks, of those gone too. task_times(): of one. */
void thread_group_times(struct thread_group *tg, u64 *utime_ns, u64 *stime_ns);
void thread_group_times_locked(struct thread_group *tg, u64 *utime_ns, u64 *stime_ns);
void task_times(struct task *t, u64 *utime_ns, u64 *stime_ns);
/* thread_group_rusage() - what getrusage(2) says of its own tasks (`self`), of its reaped
 * descendants (`children`), or of both. */
void thread_group_rusage(struct thread_group *tg, bool self, bool children, struct lx_rusage *out);

/* task_may_be_traced_by() - by its own wish (PTRACE_TRACEME)? */
bool task_may_be_traced_by(struct task *t, struct task *tracer);

/* task_cred() - the calling task's credentials, borrowed. task_cred_of(): any task's, a reference.
 * task_set_cred() - replace the calling task's (taken). */
static inline const struct cred *task_cred(const struct task *t)
{
    return t->cred;
}
struct cred *task_cred_of(struct task *t);
void task_set_cred(struct task *t, struct cred *fresh);

/* task_may_access() - may the calling task look into `t` (ptrace(2))? `real`: by its real ids, as to
 * attach; else by its file system ids. Return: 0, -EPERM. task_dumpable(): may others of the same
 * user? A process without memory: yes. */
int task_may_access(struct task *from, struct task *t, bool real);
bool task_dumpable(struct task *t);
/* task_mm() - its address space: a new reference; NULL: it has none. task_mm_id(): its object's id, 0
 * for none. An exec changes it before the rest, so what is judged and taken while it stays the same
 * is one program's (task_access.c). */
struct mm *task_mm(struct task *t);
u64 task_mm_id(struct task *t);

/* task_own_mm() - the calling task's memory, which checks against its limits as they are now. */
struct mm *task_own_mm(struct task *t);
/* task_fault_in() - usermem_set_fault_in()'s: a stack of the calling task may grow there. */
bool task_fault_in(struct mm *mm, uaddr_t addr);

/* task_stop_all() - bring every task of a container to its boundary, invisibly; resume ends it.
 * When it returns no guest code runs; handlers that sleep go on sleeping. */
void task_stop_all(struct container *c);
void task_resume_all(struct container *c);

/* task_rlimit() - the calling task's current soft limit. */
u64 task_rlimit(const struct task *t, int which);
