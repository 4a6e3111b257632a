/*
 * Delivery: what a task does about signals on its way back to guest code.
 *
 * The order is Linux's: tell the parent of a stop or continue, leave if the group exits, stop if it
 * stops, then take signals one by one; each handler's frame is pushed before the next signal is
 * looked at, so that the last one taken runs first. An interrupted system call is restarted or
 * turned into EINTR by the first handler's SA_RESTART, or restarted if no handler runs.
 */
#include "sentry/kernel/container.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>

#define SYS_RESTART_SYSCALL 219

#define DEFAULT_IGNORED                                                                            \
    (sigbit(LX_SIGCONT) | sigbit(LX_SIGCHLD) | sigbit(LX_SIGWINCH) | sigbit(LX_SIGURG))
#define DEFAULT_STOP                                                                               \
    (sigbit(LX_SIGSTOP) | sigbit(LX_SIGTSTP) | sigbit(LX_SIGTTIN) | sigbit(LX_SIGTTOU))

static struct arch_regs *regs_of(struct task *t)
{
    return t->tg->container->platform->regs(t->thread);
}

/* settle_restart() - settle an interrupted call: `sa` is the handler that runs, NULL: none. */
static void settle_restart(struct task *t, const struct lx_sigaction *sa)
{
    struct arch_regs *r = regs_of(t);
    s64 nr = t->syscall_nr;

    t->syscall_nr = -1;
    if (nr < 0)
        return;
    switch (-(s64)r->rax) {
    case ERESTARTNOINTR:
        arch_syscall_rewind(r, (u64)nr);
        break;
    case ERESTARTSYS:
        if (sa && !(sa->flags & LX_SA_RESTART))
            arch_syscall_return(r, -EINTR);
        else
            arch_syscall_rewind(r, (u64)nr);
        break;
    case ERESTARTNOHAND:
        if (sa)
            arch_syscall_return(r, -EINTR);
        else
            arch_syscall_rewind(r, (u64)nr);
        break;
    case ERESTART_RESTARTBLOCK:
        if (sa)
            arch_syscall_return(r, -EINTR);
        else
            arch_syscall_rewind(r, SYS_RESTART_SYSCALL);
        break;
    default:
        break;
    }
}

/* notify_parent() - pass on what was recorded under tg->lock (which is not held here). */
static void notify_parent(struct thread_group *tg)
{
    u32 notify;
    u32 signo;

    pid_lock();
    mutex_lock(&tg->lock);
    notify = tg->notify;
    tg->notify = 0;
    signo = tg->stop_signo;
    mutex_unlock(&tg->lock);
    if (notify & GROUP_NOTIFY_STOPPED)
        thread_group_notify_parent_locked(tg, LX_CLD_STOPPED, (int)signo);
    if (notify & GROUP_NOTIFY_CONTINUED)
        thread_group_notify_parent_locked(tg, LX_CLD_CONTINUED, LX_SIGCONT);
    pid_unlock();
}

/* group_stop_begin() - a stop signal is acted on: ask every task to stop. Orphaned groups are not
 * stopped from the terminal. Neither lock is held. */
static void group_stop_begin(struct task *t, int signo)
{
    struct thread_group *tg = t->tg;
    struct task *other;
    bool orphaned = false;

    if (signo != LX_SIGSTOP) {
        pid_lock();
        orphaned = pgrp_orphaned_locked(tg->pgrp, NULL);
        pid_unlock();
        if (orphaned)
            return;
    }
    mutex_lock(&tg->lock);
    /* A SIGCONT that came meanwhile has won. */
    if (t->stop_dequeued && tg->stop == GROUP_RUNNING && !tg->exiting && !tg->exec_task) {
        tg->stop = GROUP_STOPPING;
        tg->stop_signo = (u32)signo;
        tg->stop_pending = tg->ntasks;
        list_for_each(other, &tg->tasks, in_group) {
            other->stop_due = true;
            trace_trap_set_locked(other);
            task_notify_locked(other, false);
        }
        atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
    }
    mutex_unlock(&tg->lock);
}

bool group_stop_count_locked(struct task *t)
{
    struct thread_group *tg = t->tg;

    if (!t->stop_due)
        return false;
    t->stop_due = false;
    if (tg->stop != GROUP_STOPPING || (tg->stop_pending && --tg->stop_pending))
        return false;
    tg->stop = GROUP_STOPPED;
    tg->stop_unreported = true;
    return true;
}

bool task_must_stop_locked(const struct task *t)
{
    return task_traced(t) ? trace_trap_locked(t) : t->tg->stop != GROUP_RUNNING;
}

/* stop_over() - may a stopped task look again? */
static bool stop_over(struct task *t)
{
    struct thread_group *tg = t->tg;
    bool over;

    if (likely(!task_traced(t)))
        return atomic_load(&tg->stop) == GROUP_RUNNING;
    mutex_lock(&tg->lock);
    over = tg->stop == GROUP_RUNNING || trace_trap_locked(t);
    mutex_unlock(&tg->lock);
    return over;
}

/* group_stop_wait_locked() - this task's part of a group stop; tg->lock held on entry and exit. */
static void group_stop_wait_locked(struct task *t)
{
    struct thread_group *tg = t->tg;
    bool last = group_stop_count_locked(t);

    if (last)
        tg->notify |= GROUP_NOTIFY_STOPPED;
    atomic_store(&t->state, TASK_STOPPED);
    mutex_unlock(&tg->lock);
    if (last)
        notify_parent(tg);
    wait_event_killable(&tg->stop_wait, 0, DEADLINE_NEVER, stop_over(t));
    mutex_lock(&tg->lock);
    atomic_store(&t->state, TASK_RUNNING);
}

/* act_default() - a signal without a handler. */
static void act_default(struct task *t, int signo)
{
    struct thread_group *tg = t->tg;

    if (sigbit(signo) & DEFAULT_IGNORED)
        return;
    if (tg->unkillable && signo != LX_SIGKILL && signo != LX_SIGSTOP)
        return;
    if (sigbit(signo) & DEFAULT_STOP) {
        group_stop_begin(t, signo);
        return;
    }
    /* No core file is ever written, so the status has no core bit. */
    group_exit(tg, (u32)signo);
}

/* run_handler() - push the frame of `sa` and change the mask; a stack that can't take it is fatal. */
static void run_handler(struct task *t, const struct lx_sigaction *sa,
                        const struct lx_siginfo *info)
{
    u64 old = t->restore_blocked ? t->saved_blocked : t->blocked;
    u64 mask = t->blocked | sa->mask;

    settle_restart(t, sa);
    t->restore_blocked = false;
    if (!(sa->flags & LX_SA_NODEFER))
        mask |= sigbit(info->signo);
    if (sigframe_push(t, sa, info, old) < 0) {
        struct lx_siginfo segv = siginfo_kernel(LX_SIGSEGV);

        if (info->signo == LX_SIGSEGV) {
            mutex_lock(&t->tg->sighand->lock);
            t->tg->sighand->action[LX_SIGSEGV - 1].handler = LX_SIG_DFL;
            mutex_unlock(&t->tg->sighand->lock);
        }
        signal_force(t, &segv);
        return;
    }
    signal_set_blocked(t, mask);
    if (unlikely(t->tracee))
        trace_handler(t);
}

/* take_action() - copy the action of signo out, with SA_RESETHAND's effect. */
static struct lx_sigaction take_action(struct thread_group *tg, int signo)
{
    struct sighand *sh = tg->sighand;
    struct lx_sigaction sa;

    mutex_lock(&sh->lock);
    sa = sh->action[signo - 1];
    if (sa.handler > LX_SIG_IGN && (sa.flags & LX_SA_RESETHAND))
        sh->action[signo - 1].handler = LX_SIG_DFL;
    mutex_unlock(&sh->lock);
    return sa;
}

/* next_work() - under tg->lock: what comes first. Return: a signal number, 0: nothing is left,
 * -1: look again, -2: leave. */
static int next_work(struct task *t, struct lx_siginfo *info)
{
    struct thread_group *tg = t->tg;
    int signo;

    mutex_lock(&tg->lock);
    if (tg->notify) {
        mutex_unlock(&tg->lock);
        notify_parent(tg);
        return -1;
    }
    if (tg->exiting || (tg->exec_task && tg->exec_task != t)) {
        u32 status = tg->exiting ? tg->exit_status : LX_SIGKILL;

        mutex_unlock(&tg->lock);
        task_exit(t, status);
        return -2;
    }
    if (task_must_stop_locked(t)) {
        bool trap = trace_trap_locked(t);

        if (!trap)
            group_stop_wait_locked(t);
        mutex_unlock(&tg->lock);
        if (trap)
            trace_trap(t);
        return -1;
    }
    signo = signal_dequeue_locked(t, ~t->blocked, info);
    if (!signo)
        signal_recompute_locked(t);
    else
        t->stop_dequeued = sigbit(signo) & DEFAULT_STOP;
    mutex_unlock(&tg->lock);
    return signo;
}

void signal_deliver(struct task *t)
{
    struct lx_siginfo info;
    int signo;

    while ((signo = next_work(t, &info)) != 0) {
        struct lx_sigaction sa;

        if (signo == -2)
            return;
        if (signo == -1)
            continue;
        if (unlikely(t->tracee)) {
            signo = trace_signal(t, signo, &info);
            if (!signo)
                continue;
        }
        sa = take_action(t->tg, signo);
        if (sa.handler == LX_SIG_IGN)
            continue;
        if (sa.handler == LX_SIG_DFL)
            act_default(t, signo);
        else
            run_handler(t, &sa, &info);
    }
    settle_restart(t, NULL);
    if (t->restore_blocked) {
        t->restore_blocked = false;
        signal_set_blocked(t, t->saved_blocked);
        if (signal_pending(t))
            signal_deliver(t);
    }
}
