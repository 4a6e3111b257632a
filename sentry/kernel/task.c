/*
 * Tasks and thread groups as objects, and task_step(), where every event of a guest task arrives.
 *
 * A step serves one event (system call, fault, interrupt), then does what task->work asks for until
 * nothing is left, then goes back to guest code or, once task->leaving is set, ends the task. Only
 * here does a task stop for task_stop_all(), take signals and leave, so that a handler never sees
 * its task half gone.
 *
 * in_step and work are the two sides of one handshake: who wants the task to look sets work and
 * then interrupts; the task clears in_step and then looks at work once more before it goes.
 */
#include "sentry/kernel/task.h"

#include "sentry/ipc/sem.h"
#include "sentry/kernel/cpu_limit.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/itimer.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>

_Thread_local struct task *current;

static s64 no_dispatch(struct task *t, s64 nr, const u64 args[6])
{
    (void)t;
    (void)nr;
    (void)args;
    return -ENOSYS;
}

static s64 (*dispatch)(struct task *t, s64 nr, const u64 args[6]) = no_dispatch;

void task_set_dispatch(s64 (*fn)(struct task *t, s64 nr, const u64 args[6]))
{
    dispatch = fn;
}

/* --- objects --- */

static void task_free(struct obj *o)
{
    struct task *t = container_of(o, struct task, obj);

    exec_request_put(t->boot);
    vfork_put(t->vfork);
    sem_exit(t);
    seccomp_filter_put(t->seccomp);
    mm_put(t->mm);
    fdtable_put(t->files);
    fs_context_put(t->fs);
    nsproxy_put(t->ns);
    cred_put(t->cred);
    sigpending_clear(&t->pending);
    trace_free(t);
    mutex_destroy(&t->lock);
    pid_put(t->pid);
    thread_group_put(t->tg);
    free(t);
}

static struct obj_type task_type = {.name = "task", .free = task_free};

int task_alloc(struct thread_group *tg, struct pid *pid, struct task **out)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    obj_init(&t->obj, &task_type);
    sleeper_init(&t->sleeper);
    t->sleeper.settles = true;
    mutex_init(&t->lock, LOCK_TASK);
    sigpending_init(&t->pending);
    list_init(&t->in_group);
    list_init(&t->pi_held);
    list_init(&t->tracees);
    t->tg = thread_group_get(tg);
    t->pid = pid_get(pid);
    t->syscall_nr = -1;
    t->start_time = host_monotonic();
    *out = t;
    return 0;
}

static void thread_group_free(struct obj *o)
{
    struct thread_group *tg = container_of(o, struct thread_group, obj);

    sigpending_clear(&tg->pending);
    sighand_put(tg->sighand);
    file_put(tg->exe);
    pid_put(tg->pid);
    waitq_destroy(&tg->child_wait);
    waitq_destroy(&tg->stop_wait);
    waitq_destroy(&tg->signal_wait);
    mutex_destroy(&tg->lock);
    container_put(tg->container);
    free(tg);
}

static struct obj_type thread_group_type = {.name = "thread_group", .free = thread_group_free};

int thread_group_alloc(struct container *c, struct pid *pid, struct thread_group **out)
{
    struct thread_group *tg = calloc(1, sizeof(*tg));

    if (!tg)
        return -ENOMEM;
    obj_init(&tg->obj, &thread_group_type);
    tg->container = container_get(c);
    tg->pid = pid_get(pid);
    list_init(&tg->children);
    list_init(&tg->sibling);
    list_init(&tg->in_pgrp);
    list_init(&tg->tasks);
    list_init(&tg->posix_timers);
    timer_init(&tg->itimer_real, itimer_fire);
    timer_init(&tg->cpu_timer, cpu_limit_fire);
    waitq_init(&tg->child_wait);
    waitq_init(&tg->stop_wait);
    waitq_init(&tg->signal_wait);
    mutex_init(&tg->lock, LOCK_TGROUP);
    sigpending_init(&tg->pending);
    tg->exit_signal = LX_SIGCHLD;
    *out = tg;
    return 0;
}

void task_link_locked(struct task *t)
{
    struct thread_group *tg = t->tg;

    list_add_tail(&tg->tasks, &t->in_group);
    tg->ntasks++;
    tg->nlive++;
    t->pid->task = t;
    if (!tg->leader) {
        tg->leader = task_get(t);
        t->pid->tg = tg;
        for (struct pid_ns *ns = t->pid->ns; ns; ns = ns->parent)
            ns->groups++;
    }
    atomic_store(&t->state, TASK_RUNNING);
    cpu_limit_start_locked(tg);
    if (tg->container->stop_tasks)
        atomic_fetch_or(&t->work, TASK_WORK_STOP);
    signal_recompute_locked(t);
}

/* --- credentials, limits --- */

struct cred *task_cred_of(struct task *t)
{
    struct cred *c;

    mutex_lock(&t->lock);
    c = cred_get(t->cred);
    mutex_unlock(&t->lock);
    return c;
}

/* caps_within() - are the capabilities of `fresh` no more than those of `old`? Who makes a user
 * namespace owns all that he has in it. */
static bool caps_within(const struct cred *old, const struct cred *fresh)
{
    const struct user_ns *ns = fresh->user_ns;

    if (ns == old->user_ns)
        return !(fresh->cap_permitted & ~old->cap_permitted);
    for (; ns->parent; ns = ns->parent)
        if (ns->parent == old->user_ns && ns->owner_uid == old->euid)
            return true;
    return false;
}

bool cred_gained(const struct cred *old, const struct cred *fresh)
{
    return old->euid != fresh->euid || old->egid != fresh->egid || old->fsuid != fresh->fsuid ||
           old->fsgid != fresh->fsgid || !caps_within(old, fresh);
}

void task_set_cred(struct task *t, struct cred *fresh)
{
    struct cred *old = t->cred;

    if (cred_gained(old, fresh)) {
        if (t->mm)
            __atomic_store_n(&t->mm->dumpable, 0, __ATOMIC_RELAXED);
        t->parent_death_signal = 0;
    }
    if (old->uid != fresh->uid)
        t->nproc_exceeded =
            task_count_move(old->uid, fresh->uid) > task_rlimit(t, LX_RLIMIT_NPROC) && fresh->uid;
    mutex_lock(&t->lock);
    t->cred = fresh;
    mutex_unlock(&t->lock);
    cred_put(old);
}

u64 task_rlimit(const struct task *t, int which)
{
    return __atomic_load_n(&t->tg->limits[which].soft, __ATOMIC_RELAXED);
}

/* --- steps --- */

static bool is_restart_code(s64 result)
{
    return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
           result == -ERESTART_RESTARTBLOCK;
}

/* traced_exit() - Return: the call's result, as the tracer has left it. */
static s64 traced_exit(struct task *t)
{
    trace_syscall_exit(t);
    return arch_syscall_result(task_platform(t)->regs(t->thread));
}

/* traced_entry() - the tracer may have changed the call. Return: false: it is not made. */
static bool traced_entry(struct task *t, struct arch_regs *regs)
{
    bool make = trace_syscall_entry(t);

    t->syscall_nr = arch_syscall_nr(regs);
    if (make && t->syscall_nr != -1)
        return true;
    if (make)
        traced_exit(t);
    t->syscall_nr = -1;
    return false;
}

/* step_syscall() - `vsyscall`: from the vsyscall page, where a bad pointer is a fault. */
static void step_syscall(struct task *t, bool vsyscall)
{
    const struct platform_ops *ops = task_platform(t);
    struct arch_regs *regs = ops->regs(t->thread);
    u64 args[6];
    s64 result = -ENOSYS;

    t->syscall_nr = -1;
    if (unlikely(t->dispatch.on) && user_dispatch_catches(t))
        return;
    t->syscall_nr = arch_syscall_nr(regs);
    if (unlikely(t->tracee) && !traced_entry(t, regs))
        return;
    arch_syscall_args(regs, args);
    if (likely(!seccomp_mode(&t->seccomp_mode)) || seccomp_allows(t, &t->syscall_nr, args, &result))
        result = dispatch(t, t->syscall_nr, args);
    if (t->leaving)
        return;
    /* After execve the registers are another thread's. */
    arch_syscall_return(ops->regs(t->thread), result);
    if (unlikely(t->tracee))
        result = traced_exit(t);
    if (t->syscall_nr >= 0 && is_restart_code(result))
        atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
    else
        t->syscall_nr = -1;
    if (t->restore_blocked)
        atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
    if (unlikely(vsyscall) && result == -EFAULT) {
        struct lx_siginfo segv = siginfo_kernel(LX_SIGSEGV);

        signal_force(t, &segv);
    }
}

/* step_dead() - the host process is gone (out of memory, or it broke the protocol). */
static void step_dead(struct task *t)
{
    group_exit(t->tg, LX_SIGKILL);
    task_exit(t, t->tg->exit_status);
}

/* stop_here() - task_stop_all()'s pause, ended by task_resume_all() or death. */
static void stop_here(struct task *t)
{
    struct container *c = t->tg->container;

    if (wait_event_killable(&c->changed, 0, DEADLINE_NEVER,
                            !(atomic_load(&t->work) & TASK_WORK_STOP)) < 0)
        atomic_fetch_and(&t->work, ~(u32)TASK_WORK_STOP);
}

static void step_work(struct task *t)
{
    u32 work;

    while (!t->leaving && (work = atomic_load(&t->work)) != 0) {
        if (work & TASK_WORK_MM) {
            atomic_fetch_and(&t->work, ~(u32)TASK_WORK_MM);
            if (mm_fork_fixup(t->mm, t->thread) < 0)
                group_exit(t->tg, LX_SIGKILL);
        } else if (work & TASK_WORK_STOP) {
            stop_here(t);
        } else if (work & TASK_WORK_CPU) {
            atomic_fetch_and(&t->work, ~(u32)TASK_WORK_CPU);
            cpu_limit_check(t);
        } else {
            signal_deliver(t);
        }
    }
}

static void step_enter(struct task *t)
{
    current = t;
    sleeper_current = &t->sleeper;
    atomic_store(&t->in_step, true);
    if (unlikely(t->tracee))
        trace_step_enter(t);
    if (unlikely(atomic_load(&t->work) & TASK_WORK_STOP))
        waitq_wake_all(&t->tg->container->changed, 0);
}

/* step_leave() - all work done? Return: true if the task may go back to guest code. */
static bool step_leave(struct task *t)
{
    atomic_store(&t->in_step, false);
    if (likely(!atomic_load(&t->work)))
        return true;
    atomic_store(&t->in_step, true);
    return false;
}

enum plat_action task_step(void *cookie, struct plat_thread *th, const struct plat_stop *stop)
{
    struct task *t = cookie;
    bool leaving;

    (void)th;
    step_enter(t);
    switch (stop->event) {
    case PLAT_SYSCALL: step_syscall(t, stop->vsyscall); break;
    case PLAT_FAULT: task_fault(t, &stop->fault); break;
    case PLAT_INTERRUPT:
        if (unlikely(t->boot))
            task_boot(t);
        break;
    case PLAT_DEAD: step_dead(t); break;
    }
    do {
        wait_settle();
        step_work(t);
        wait_settle(); /* before it is asked whether all work is done */
        leaving = t->leaving;
    } while (!leaving && !step_leave(t));
    if (leaving) {
        t->sleeper.settles = false;
        task_leave(t);
    } else if (unlikely(t->tracee)) {
        trace_step_leave(t);
    }
    current = NULL;
    sleeper_current = NULL;
    return leaving ? PLAT_EXIT : PLAT_RESUME;
}
