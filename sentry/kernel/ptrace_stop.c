/*
 * A tracee's stops, and what its tracer does with a stopped one; see ptrace.h.
 *
 * stopped is set and cleared by the tracee alone, under its tg->lock. The tracer sets resumed, held
 * and call; the tracee looks at them each time it wakes, and leaves the stop when it is resumed or
 * killed, is not held and has no call to carry out.
 */
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>

/* --- stopping --- */

/* killed_locked() - is it to leave rather than to stop? tg->lock held. */
static bool killed_locked(const struct task *t)
{
    const struct thread_group *tg = t->tg;

    return atomic_load(&t->sleeper.killed) || (tg->exec_task && tg->exec_task != t);
}

/* tell() - SIGCHLD for the tracer, and for the parent that a group stop is complete. pid lock held. */
static void tell_locked(struct task *t, struct task *tracer, int why, u32 code, bool group_stopped)
{
    thread_group_notify_locked(tracer->tg, t, why, (int)(code & 0x7f));
    if (group_stopped && tracer->tg != t->tg->parent)
        thread_group_notify_parent_locked(t->tg, LX_CLD_STOPPED, (int)t->tg->stop_signo);
}

/* publish() - Return: it has stopped; false: it is not traced, or has been killed. */
static bool publish(struct task *t, u32 code, int why, const struct lx_siginfo *info, u64 message)
{
    struct tracee *p = t->tracee;
    struct thread_group *tg = t->tg;
    bool group_stopped;

    pid_lock();
    mutex_lock(&tg->lock);
    if (!p->tracer || killed_locked(t)) {
        trace_leave_locked(t);
        mutex_unlock(&tg->lock);
        pid_unlock();
        return false;
    }
    group_stopped = why == LX_CLD_STOPPED && group_stop_count_locked(t);
    p->code = code;
    p->has_info = info;
    if (info)
        p->info = *info;
    p->message = message;
    p->inject = 0;
    p->resumed = p->listening = p->trapping = false;
    if (why == LX_CLD_STOPPED)
        p->trap = false;
    p->stopped = p->unreported = true;
    atomic_store(&t->state, TASK_TRACED);
    waitq_wake_all(&p->wait, 0);
    mutex_unlock(&tg->lock);
    tell_locked(t, p->tracer, why, code, group_stopped);
    pid_unlock();
    return true;
}

/* answer_call() - tg->lock held on entry and exit, but not while it runs. */
static void answer_call(struct task *t)
{
    struct tracee *p = t->tracee;

    mutex_unlock(&t->tg->lock);
    p->call(t, p->call_arg);
    mutex_lock(&t->tg->lock);
    __atomic_store_n(&p->call, NULL, __ATOMIC_RELEASE);
    waitq_wake_all(&p->wait, 0);
}

/* due() - has a stopped tracee anything to do? `killed`: it wants to leave. */
static bool due(struct tracee *p, bool killed)
{
    bool yes;

    mutex_lock(&p->task->tg->lock);
    yes = p->call || ((p->resumed || killed) && !p->held);
    mutex_unlock(&p->task->tg->lock);
    return yes;
}

/* stay() - until it may leave the stop. Return: the signal it was resumed with. */
static u32 stay(struct task *t)
{
    struct tracee *p = t->tracee;
    struct mutex *lock = &t->tg->lock;
    bool killed = false;
    u32 signo;

    for (;;) {
        if (wait_event_killable(&p->wait, 0, DEADLINE_NEVER, due(p, killed)) < 0) {
            /* Remembered here, so that it can sleep for as long as its tracer holds it. */
            killed = true;
            atomic_store(&t->sleeper.killed, false);
        }
        mutex_lock(lock);
        if (p->call)
            answer_call(t);
        if ((p->resumed || killed) && !p->held)
            break;
        mutex_unlock(lock);
    }
    signo = p->resumed ? p->inject : 0;
    p->stopped = p->unreported = p->listening = false;
    atomic_store(&t->state, TASK_RUNNING);
    if (killed)
        atomic_store(&t->sleeper.killed, true);
    signal_recompute_locked(t);
    mutex_unlock(lock);
    return signo;
}

/* stop() - Return: the signal that the tracer resumed it with, or `unstopped` if it did not stop. */
static u32 stop(struct task *t, u32 code, int why, const struct lx_siginfo *info, u64 message,
                u32 unstopped)
{
    return publish(t, code, why, info, message) ? stay(t) : unstopped;
}

/* own_info() - the siginfo of a stop that no signal is behind. */
static struct lx_siginfo own_info(struct task *t, u32 signo, u32 code)
{
    struct lx_siginfo info = siginfo_user(t, t, (int)signo, (int)code);

    info.rt.pid = pid_nr(t->pid, t->pid->ns);
    return info;
}

/* notify() - stop for an event or a trap. Return: as stop(). */
static u32 notify(struct task *t, u32 code, u64 message)
{
    struct lx_siginfo info = own_info(t, LX_SIGTRAP, code);

    return stop(t, code, LX_CLD_TRAPPED, &info, message, 0);
}

/* --- signals --- */

/* tracer_info() - who injects a signal other than the one that was stopped for is its sender. */
static struct lx_siginfo tracer_info(struct task *t, u32 signo)
{
    struct lx_siginfo info = {.signo = (s32)signo, .code = LX_SI_USER};

    pid_lock();
    if (t->tracee->tracer)
        info = siginfo_user(t->tracee->tracer, t, (s32)signo, LX_SI_USER);
    pid_unlock();
    return info;
}

int trace_signal(struct task *t, int signo, struct lx_siginfo *info)
{
    struct tracee *p = t->tracee;
    bool blocked;
    u32 got;

    if (!task_traced(t))
        return signo;
    /* Whatever the tracer makes of it: a SIGCONT that comes meanwhile undoes it. */
    mutex_lock(&t->tg->lock);
    t->stop_dequeued = true;
    mutex_unlock(&t->tg->lock);
    if (!publish(t, (u32)signo, LX_CLD_TRAPPED, info, 0))
        return signo;
    got = stay(t);
    if (!got)
        return 0;
    mutex_lock(&t->tg->lock);
    *info = p->info;
    blocked = t->blocked & sigbit((int)got);
    mutex_unlock(&t->tg->lock);
    if ((u32)info->signo != got)
        *info = tracer_info(t, got);
    if (!blocked)
        return (int)got;
    signal_send_task(t, info);
    return 0;
}

/* --- traps --- */

void trace_trap_set_locked(struct task *t)
{
    if (task_traced(t))
        t->tracee->trap = true;
}

/* stop_anew_locked() - one that listens leaves its stop, for the trap that is set. tg->lock held. */
static void stop_anew_locked(struct tracee *p)
{
    if (!p->listening)
        return;
    p->listening = false;
    p->resumed = true;
    p->inject = 0;
    waitq_wake_all(&p->wait, 0);
}

void trace_continued_locked(struct task *t)
{
    struct tracee *p = t->tracee;

    if (!task_traced(t))
        return;
    p->trap = p->seized || p->trapping;
    stop_anew_locked(p);
}

void trace_leave_locked(struct task *t)
{
    struct tracee *p = t->tracee;

    if (!p)
        return;
    p->trap = p->trapping = false;
    waitq_wake_all(&p->wait, 0);
}

bool trace_trap_locked(const struct task *t)
{
    return task_traced(t) && t->tracee->trap;
}

void trace_trap(struct task *t)
{
    struct thread_group *tg = t->tg;
    struct tracee *p = t->tracee;
    u32 signo, last;
    bool seized;

    mutex_lock(&tg->lock);
    seized = p->seized;
    last = tg->stop_signo;
    signo = tg->stop == GROUP_RUNNING ? LX_SIGTRAP : last;
    if (!seized && !last)
        p->trap = false;
    mutex_unlock(&tg->lock);
    if (seized) {
        u32 code = signo | LX_PTRACE_EVENT_STOP << 8;
        struct lx_siginfo info = own_info(t, signo, code);

        stop(t, code, LX_CLD_STOPPED, &info, 0, 0);
    } else if (last) {
        stop(t, last, LX_CLD_STOPPED, NULL, 0, 0);
    }
}

/* --- events --- */

bool trace_event_wanted(const struct task *t, u32 event)
{
    return task_traced(t) && (t->tracee->options & 1u << event);
}

void trace_event(struct task *t, u32 event, u64 message)
{
    notify(t, LX_SIGTRAP | event << 8, message);
}

void trace_event_pid(struct task *t, u32 event, const struct pid *pid)
{
    const struct task *tracer;
    s32 nr = 0;

    pid_lock();
    tracer = trace_tracer_locked(t);
    if (tracer)
        nr = pid_was_nr(pid, tracer->pid->ns);
    pid_unlock();
    if (tracer)
        trace_event(t, event, (u64)nr);
}

void trace_exec(struct task *t, const struct pid *old)
{
    if (trace_event_wanted(t, LX_PTRACE_EVENT_EXEC))
        trace_event_pid(t, LX_PTRACE_EVENT_EXEC, old);
    else if (task_traced(t) && !t->tracee->seized)
        signal_raise(t, LX_SIGTRAP);
}

/* --- system calls and steps --- */

/* report_syscall() - a stop at entry or exit. */
static void report_syscall(struct task *t, u64 message)
{
    u32 good = t->tracee->options & LX_PTRACE_O_TRACESYSGOOD ? 0x80 : 0;
    u32 signo = notify(t, LX_SIGTRAP | good, message);

    if (signo) {
        struct lx_siginfo info = siginfo_kernel((int)signo);

        signal_send_task(t, &info);
    }
}

bool trace_syscall_entry(struct task *t)
{
    struct tracee *p = t->tracee;
    enum trace_mode mode = p->mode;

    if (!task_traced(t) || mode == TRACE_CONT)
        return true;
    report_syscall(t, LX_PTRACE_EVENTMSG_SYSCALL_ENTRY);
    return mode != TRACE_SYSEMU && !atomic_load(&t->sleeper.killed);
}

void trace_syscall_exit(struct task *t)
{
    struct lx_siginfo trap = {.signo = LX_SIGTRAP};

    if (!task_traced(t))
        return;
    if (t->tracee->mode == TRACE_SYSCALL)
        report_syscall(t, LX_PTRACE_EVENTMSG_SYSCALL_EXIT);
    else if (t->tracee->mode == TRACE_CONT && t->tracee->step)
        signal_force(t, &trap);
}

void trace_handler(struct task *t)
{
    if (task_traced(t) && t->tracee->step)
        notify(t, LX_SIGTRAP, 0);
}

void trace_step_enter(struct task *t)
{
    if (!t->tracee->step_flag)
        return;
    t->tracee->step_flag = false;
    arch_regs_set_step(task_platform(t)->regs(t->thread), false);
}

void trace_step_leave(struct task *t)
{
    struct arch_regs *regs = task_platform(t)->regs(t->thread);

    if (!task_traced(t) || !t->tracee->step || arch_regs_step(regs))
        return;
    t->tracee->step_flag = true;
    arch_regs_set_step(regs, true);
}

/* --- the tracer's side --- */

int trace_hold(struct task *t, struct task *target, bool any)
{
    struct tracee *p = target->tracee;
    int err = -ESRCH;

    if (!p || p->tracer != t)
        return -ESRCH;
    mutex_lock(&target->tg->lock);
    if (any) {
        err = 0;
    } else if (p->tracer == t && p->stopped && !p->listening && !p->resumed &&
               !atomic_load(&target->sleeper.killed)) {
        p->held = true;
        err = 0;
    }
    mutex_unlock(&target->tg->lock);
    return err;
}

void trace_release(struct task *target)
{
    struct tracee *p = target->tracee;

    mutex_lock(&target->tg->lock);
    p->held = false;
    waitq_wake_all(&p->wait, 0);
    mutex_unlock(&target->tg->lock);
}

void trace_call(struct task *target, void (*fn)(struct task *, void *), void *arg)
{
    struct tracee *p = target->tracee;
    bool killed = false;

    mutex_lock(&target->tg->lock);
    p->call_arg = arg;
    p->call = fn;
    waitq_wake_all(&p->wait, 0);
    mutex_unlock(&target->tg->lock);
    /* It comes soon: the tracee is held and does nothing else. */
    while (wait_event_killable(&p->wait, 0, DEADLINE_NEVER,
                               !__atomic_load_n(&p->call, __ATOMIC_ACQUIRE)) < 0) {
        killed = true;
        atomic_store(&sleeper_current->killed, false);
    }
    if (killed)
        atomic_store(&sleeper_current->killed, true);
}

void trace_resume(struct task *target, enum trace_mode mode, bool step, u32 signo)
{
    struct tracee *p = target->tracee;

    mutex_lock(&target->tg->lock);
    p->mode = mode;
    p->step = step;
    p->inject = signo;
    p->resumed = true;
    p->held = false;
    waitq_wake_all(&p->wait, 0);
    mutex_unlock(&target->tg->lock);
}

int trace_interrupt(struct task *target)
{
    struct tracee *p = target->tracee;
    int err = -EIO;

    mutex_lock(&target->tg->lock);
    if (p->seized) {
        p->trap = true;
        stop_anew_locked(p);
        task_notify_locked(target, false);
        err = 0;
    }
    mutex_unlock(&target->tg->lock);
    return err;
}

int trace_listen(struct task *target)
{
    struct tracee *p = target->tracee;
    struct thread_group *tg = target->tg;
    int err = -EIO;

    mutex_lock(&tg->lock);
    if (p->seized && p->code >> 8 == LX_PTRACE_EVENT_STOP) {
        p->listening = true;
        if (p->trap)
            stop_anew_locked(p); /* a change that came since the stop is told at once */
        err = 0;
    }
    mutex_unlock(&tg->lock);
    return err;
}
