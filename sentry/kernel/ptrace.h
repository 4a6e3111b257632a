/*
 * ptrace(2): one task, the tracer, is told of what others, its tracees, do, and stops them, looks
 * into them and runs them on.
 *
 * Links. A tracee knows its tracer and is on the tracer's list, both borrowed and guarded by the pid
 * lock: a tracer lets go of all when it leaves, a tracee takes itself off when it is reaped. A
 * traced thread that has left stays, as a leader would, until its tracer has waited for it.
 * What a tracee keeps for all this (struct tracee) is made when it is first traced and lives as long
 * as the task, so that an untraced task pays one load of a pointer for each event.
 *
 * Stops. A tracee stops in its own step, between one thing and the next (ptrace_stop.c): at a
 * signal before it is acted on, at entry and exit of a system call, at fork, exec, exit, and where it
 * was told to. It publishes the stop under its tg->lock, tells the tracer, and sleeps on tracee->wait
 * until it is resumed or killed. Between trace_hold() and trace_release() it stays stopped, even
 * if it is killed, so that the tracer may read and write its registers; for what only the tracee's
 * own thread can do (extended state, memory that its own protection forbids) trace_call() runs a
 * function there. Those functions are short and don't sleep on anything that a guest holds.
 *
 * A tracee takes part in a group stop by a stop of its own that it is resumed from by its tracer
 * alone, so `tg->stop` says nothing about whether a traced task runs.
 *
 * Locks: pid lock, then the tracee's tg->lock. Never two groups' locks at once.
 */
#pragma once

#include "sentry/abi/lx_ptrace.h"
#include "sentry/abi/lx_signal.h"
#include "sentry/kernel/task.h"

/* How far a resumed tracee runs. */
enum trace_mode { TRACE_CONT, TRACE_SYSCALL, TRACE_SYSEMU };

struct tracee {
    _Atomic(struct task *)
        tracer;            /* borrowed, NULL: nobody. Changed under the pid lock and tg->lock */
    struct task *task;     /* whose this is */
    struct list_node node; /* tracer->tracees; guarded by the pid lock */
    _Atomic(u32) options;  /* LX_PTRACE_O_*; changed like tracer */
    atomic_bool seized;    /* the same */
    _Atomic(enum trace_mode) mode; /* changed like tracer, or while it is stopped */
    atomic_bool step;              /* the same: one instruction */

    bool trap; /* and below: guarded by tg->lock. It is to stop at its next boundary */
    bool stopped;
    bool listening; /* PTRACE_LISTEN: stopped, but wait(2) does not see it as a tracee's stop */
    bool held;
    bool resumed;
    bool unreported; /* wait(2) has not yet been told of the stop */
    atomic_bool trapping; /* somebody waits in PTRACE_ATTACH for its first stop */
    bool has_info;   /* `info` is this stop's */
    u32 code;        /* what it stopped for: signal, with LX_PTRACE_EVENT_* << 8 */
    u32 inject;      /* signal that it was resumed with */
    struct lx_siginfo info;
    u64 message; /* PTRACE_GETEVENTMSG */
    void (*call)(struct task *tracee, void *arg);
    void *call_arg;
    struct waitq wait; /* the stopped tracee, and who waits for it to stop or for its call */

    bool step_flag; /* own: TF stands in its registers for us, not for the guest */
};

/* task_traced() - is anybody tracing it? Of another task: true for a moment only, without a lock. */
static inline bool task_traced(const struct task *t)
{
    const struct tracee *p = t->tracee;

    return unlikely(p) && p->tracer;
}

/* --- links (ptrace_link.c) --- */

/* trace_attach() - PTRACE_ATTACH, or PTRACE_SEIZE with its options. The calling task is the tracer.
 * Return: 0, -EPERM, -ESRCH, -ENOMEM, -ERESTARTNOINTR. */
int trace_attach(struct task *t, struct task *target, bool seize, u32 options);
/* trace_traceme() - the calling task's parent becomes its tracer. Return: 0, -EPERM, -ENOMEM. */
int trace_traceme(struct task *t);
/* trace_detach() - PTRACE_DETACH of a tracee that is held: it runs on with `signo`. */
void trace_detach(struct task *t, struct task *target, u32 signo);
/* trace_prepare_child() - allocate what trace_inherit_locked() needs. Return: 0, -ENOMEM. */
int trace_prepare_child(struct task *child);
/* trace_inherit_locked() - a new task is traced by its parent's tracer. pid lock held, no tg->lock. */
void trace_inherit_locked(struct task *parent, struct task *child);
/* trace_unlink_locked() - nobody traces it any more: it runs on. pid lock held, not its tg->lock. */
void trace_unlink_locked(struct task *target);
/* trace_let_go_locked() - a tracer leaves and detaches from all its tracees. Of zombies among them, a
 * thread is put on `threads` (trace_free_threads()), a process whose parent does not wait on `reaped`
 * (thread_group_free_list()). pid lock held. */
void trace_let_go_locked(struct task *t, struct list_node *threads, struct list_node *reaped);
/* trace_reap_thread_locked() - a thread's zombie is gone: its number is free. pid lock held. */
void trace_reap_thread_locked(struct task *target, struct list_node *threads);
void trace_free_threads(struct list_node *threads);
/* trace_forget_locked() - a zombie that its tracer has not waited for goes nevertheless: the tracer
 * looks again whom it has. pid lock held. */
void trace_forget_locked(struct task *target);
/* trace_tracer_locked() - who traces it, borrowed; NULL: nobody. pid lock held. */
struct task *trace_tracer_locked(const struct task *target);
/* trace_foreign_locked() - is it traced by a group other than its parent's? pid lock held. */
bool trace_foreign_locked(const struct task *target);
/* trace_incapable() - is t traced by somebody who may not have what an exec would give it? */
bool trace_incapable(struct task *t, const struct user_ns *ns);
void trace_free(struct task *t);

/* --- the tracee's side (ptrace_stop.c); each returns at once if it is not traced --- */

/* trace_signal() - a signal was taken: the tracer decides. Return: the signal to act on, with *info
 * its siginfo; 0: none. */
int trace_signal(struct task *t, int signo, struct lx_siginfo *info);
/* trace_trap_locked() - must it stop now because it was told to? tg->lock held. trace_trap() - do. */
bool trace_trap_locked(const struct task *t);
void trace_trap(struct task *t);
/* trace_trap_set_locked() - it shall, at its next boundary; the caller notifies it. tg->lock held. */
void trace_trap_set_locked(struct task *t);
/* trace_continued_locked() - SIGCONT: one that listens stops anew. tg->lock held. */
void trace_continued_locked(struct task *t);
/* trace_leave_locked() - it leaves its group and will not stop again. tg->lock held. */
void trace_leave_locked(struct task *t);
/* trace_event_wanted() - has the tracer set the option of LX_PTRACE_EVENT_*? */
bool trace_event_wanted(const struct task *t, u32 event);
/* trace_event() - stop for an event whose option is set. trace_event_pid() - its message is a pid,
 * as the tracer's namespace has it. */
void trace_event(struct task *t, u32 event, u64 message);
void trace_event_pid(struct task *t, u32 event, const struct pid *pid);
/* trace_exec() - stop for an exec, or a SIGTRAP as of old; `old` is the tid that the task had. */
void trace_exec(struct task *t, const struct pid *old);
/* trace_syscall_entry() - before a system call. Return: false: it is not made, rax is its result.
 * trace_syscall_exit() - after it, or after none. */
bool trace_syscall_entry(struct task *t);
void trace_syscall_exit(struct task *t);
/* trace_handler() - a signal frame was pushed: who steps stops before the first instruction. */
void trace_handler(struct task *t);
/* trace_step_enter(), trace_step_leave() - take TF out of the registers, put it in. */
void trace_step_enter(struct task *t);
void trace_step_leave(struct task *t);

/* --- the tracer's side --- */

/* trace_hold() - the calling task's tracee stays stopped until trace_release(). `any`: it need not
 * be stopped, and is not held. Return: 0, -ESRCH: not our tracee, or it runs. */
int trace_hold(struct task *t, struct task *target, bool any);
void trace_release(struct task *target);
/* trace_call() - run fn(target, arg) on a held tracee's own thread. */
void trace_call(struct task *target, void (*fn)(struct task *, void *), void *arg);
/* trace_resume() - a held tracee runs on; it is released. */
void trace_resume(struct task *target, enum trace_mode mode, bool step, u32 signo);
/* trace_interrupt() - PTRACE_INTERRUPT of a seized tracee. trace_listen() - PTRACE_LISTEN of a held
 * one. Return: 0, -EIO. */
int trace_interrupt(struct task *target);
int trace_listen(struct task *target);

/* --- memory (ptrace_mem.c) --- */

/* trace_force() - copy from or to a held tracee's memory whatever its protection. Return: 0, -EFAULT. */
int trace_force(struct task *target, uaddr_t addr, void *buf, size_t len, bool write);
/* trace_access() - for the calling task, as /proc/PID/mem: what the protection of `mm` forbids is
 * forced if that is its own memory or a stopped tracee's. Return: bytes, -EIO if none. */
ssize_t trace_access(struct task *t, struct mm *mm, uaddr_t addr, void *buf, size_t len,
                     bool write);

/* --- registers (x86_64/ptrace_regs.c); the tracee is held --- */

/* trace_peek_user(), trace_poke_user() - a word of struct user. Return: 0, -EIO. */
int trace_peek_user(struct task *target, u64 offset, u64 *word);
int trace_poke_user(struct task *target, u64 offset, u64 word);
/* trace_get_regs(), trace_set_regs() - general registers, of which the first `len` bytes are set.
 * Return: 0, -EIO: a value that the CPU would not take. */
void trace_get_regs(struct task *target, struct arch_regs *out);
int trace_set_regs(struct task *target, const struct arch_regs *in, u32 len);
/* trace_get_fpu(), trace_set_fpu() - extended state as XSAVE has it; FXSAVE is its beginning.
 * Return: 0 or negative errno. */
int trace_get_fpu(struct task *target, void *buf, u32 cap, u32 *len);
int trace_set_fpu(struct task *target, const void *buf, u32 len);
