/* Who traces whom: attach, detach, what forks inherit, and what is left when either side goes. */
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"
#include "sentry/kernel/task_zombie.h"

#include <errno.h>
#include <stdlib.h>

/* tracee_of() - what a task keeps as a tracee, made at first. Return: NULL: no memory. */
static struct tracee *tracee_of(struct task *t)
{
    struct tracee *p = t->tracee, *other = NULL;

    if (p)
        return p;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->task = t;
    list_init(&p->node);
    waitq_init(&p->wait);
    if (atomic_compare_exchange_strong(&t->tracee, &other, p))
        return p;
    waitq_destroy(&p->wait);
    free(p);
    return other;
}

void trace_free(struct task *t)
{
    if (!t->tracee)
        return;
    waitq_destroy(&t->tracee->wait);
    free(t->tracee);
}

/* --- attach --- */

/* link_locked() - pid lock and the target's tg->lock held. */
static void link_locked(struct task *tracer, struct tracee *p, bool seize, u32 options)
{
    p->seized = seize;
    p->options = options;
    p->mode = TRACE_CONT;
    p->step = p->trap = p->unreported = p->listening = false;
    p->message = 0;
    list_add_tail(&tracer->tracees, &p->node);
    tracer->tg->ntracees++;
    atomic_store(&p->tracer, tracer);
}

/* living_locked() - is it a task that has not left its group? pid lock held. */
static bool living_locked(const struct task *t)
{
    return atomic_load(&t->state) < TASK_ZOMBIE;
}

/* stop_at_once_locked() - what makes a fresh tracee stop: a SIGSTOP, or for one that is stopped with
 * its group already, a trap. tg->lock held. */
static void stop_at_once_locked(struct task *target, struct tracee *p)
{
    struct lx_siginfo stop = siginfo_kernel(LX_SIGSTOP);

    if (!p->seized)
        signal_send_task_locked(target, &stop);
    if (atomic_load(&target->state) == TASK_STOPPED) {
        p->trap = p->trapping = true;
        task_notify_locked(target, false);
        waitq_wake_all(&target->tg->stop_wait, 0);
    }
}

/* attach_locked() - pid lock held. Return: 0, -EAGAIN: it executes a program, -EPERM. */
static int attach_locked(struct task *t, struct task *target, struct tracee *p, bool seize,
                         u32 options)
{
    struct thread_group *tg = target->tg;
    int err = 0;

    mutex_lock(&tg->lock);
    if (tg->execs)
        err = -EAGAIN;
    else if (!living_locked(target) || p->tracer || task_may_access(t, target, true) < 0)
        err = -EPERM;
    if (!err) {
        link_locked(t, p, seize, options);
        stop_at_once_locked(target, p);
    }
    mutex_unlock(&tg->lock);
    return err;
}

int trace_attach(struct task *t, struct task *target, bool seize, u32 options)
{
    struct thread_group *tg = target->tg;
    struct tracee *p;
    int err;

    if (tg == t->tg)
        return -EPERM;
    err = task_may_access(t, target, true);
    if (err)
        return err;
    p = tracee_of(target);
    if (!p)
        return -ENOMEM;
    do {
        /* Whom a program with more rights than we have is being loaded for, is judged afterwards. */
        if (wait_event(&tg->stop_wait, 0, DEADLINE_NEVER, !atomic_load(&tg->execs)) < 0)
            return -ERESTARTNOINTR;
        pid_lock();
        err = attach_locked(t, target, p, seize, options);
        pid_unlock();
    } while (err == -EAGAIN);
    if (!err)
        wait_event_killable(&p->wait, 0, DEADLINE_NEVER,
                            !p->trapping);
    return err;
}

/* parent_task_locked() - the task of the parent that made t's process, or another of it. */
static struct task *parent_task_locked(const struct task *t)
{
    struct thread_group *parent = t->tg->parent;
    struct task *other;

    if (!parent)
        return NULL;
    list_for_each(other, &parent->tasks, in_group)
        if (other->obj.id == t->tg->forker)
            return other;
    if (living_locked(parent->leader))
        return parent->leader;
    return list_empty(&parent->tasks) ? NULL : list_first(&parent->tasks, struct task, in_group);
}

int trace_traceme(struct task *t)
{
    struct tracee *p = tracee_of(t);
    struct task *tracer;
    int err = -EPERM;

    if (!p)
        return -ENOMEM;
    pid_lock();
    tracer = parent_task_locked(t);
    if (!p->tracer && tracer && task_may_be_traced_by(t, tracer)) {
        mutex_lock(&t->tg->lock);
        link_locked(tracer, p, false, 0);
        mutex_unlock(&t->tg->lock);
        err = 0;
    }
    pid_unlock();
    return err;
}

int trace_prepare_child(struct task *child)
{
    return tracee_of(child) ? 0 : -ENOMEM;
}

void trace_inherit_locked(struct task *parent, struct task *child)
{
    struct tracee *from = parent->tracee, *p = child->tracee;
    struct lx_siginfo stop = siginfo_kernel(LX_SIGSTOP);

    if (!p || !from->tracer)
        return;
    mutex_lock(&child->tg->lock);
    link_locked(from->tracer, p, from->seized, from->options);
    if (p->seized)
        p->trap = true;
    else
        signal_send_task_locked(child, &stop);
    atomic_fetch_or(&child->work, TASK_WORK_SIGNAL);
    mutex_unlock(&child->tg->lock);
}

/* --- detach --- */

void trace_unlink_locked(struct task *target)
{
    struct tracee *p = target->tracee;
    struct thread_group *tg = target->tg;

    if (!p || !p->tracer)
        return;
    mutex_lock(&tg->lock);
    list_del(&p->node);
    p->tracer->tg->ntracees--;
    atomic_store(&p->tracer, NULL);
    p->trap = p->listening = false;
    p->trapping = p->step = false;
    p->options = 0;
    if (p->stopped && !p->resumed) {
        p->resumed = true;
        p->inject = p->unreported ? p->code : 0; /* a signal that nobody has heard of is not lost */
    }
    if (living_locked(target))
        task_notify_locked(target, false);
    waitq_wake_all(&p->wait, 0);
    mutex_unlock(&tg->lock);
}

void trace_detach(struct task *t, struct task *target, u32 signo)
{
    struct tracee *p = target->tracee;

    pid_lock();
    if (p->tracer == t) {
        mutex_lock(&target->tg->lock);
        p->resumed = true;
        p->inject = signo;
        mutex_unlock(&target->tg->lock);
        trace_unlink_locked(target);
    }
    pid_unlock();
    trace_release(target);
}

struct task *trace_tracer_locked(const struct task *target)
{
    const struct tracee *p = target->tracee;

    return p ? p->tracer : NULL;
}

void trace_forget_locked(struct task *target)
{
    struct task *tracer = trace_tracer_locked(target);

    if (!tracer)
        return;
    trace_unlink_locked(target);
    waitq_wake_all(&tracer->tg->child_wait, 0);
}

bool trace_foreign_locked(const struct task *target)
{
    const struct task *tracer = trace_tracer_locked(target);

    return tracer && tracer->tg != target->tg->parent;
}

void trace_reap_thread_locked(struct task *target, struct list_node *threads)
{
    trace_unlink_locked(target);
    pid_release_locked(target->pid);
    task_count_release(target->tg->container, target->cred->uid);
    atomic_store(&target->state, TASK_DEAD);
    list_add_tail(threads, &target->tracee->node);
}

void trace_free_threads(struct list_node *threads)
{
    while (!list_empty(threads)) {
        struct tracee *p = list_first(threads, struct tracee, node);

        list_del(&p->node);
        task_put(p->task);
    }
}

/* let_go_locked() - one tracee of a tracer that leaves. */
static void let_go_locked(struct task *t, struct task *target, struct list_node *threads,
                          struct list_node *reaped)
{
    struct lx_siginfo kill = siginfo_kernel(LX_SIGKILL);
    bool foreign = trace_foreign_locked(target);
    struct thread_group *tg = target->tg;

    if (target->tracee->options & LX_PTRACE_O_EXITKILL)
        signal_send_group(tg, &kill);
    trace_unlink_locked(target);
    if (living_locked(target))
        return;
    if (target != tg->leader)
        trace_reap_thread_locked(target, threads);
    else if (tg->dead && tg->parent && (foreign || thread_group_ignores_children(t->tg)))
        thread_group_tell_exit_locked(tg, reaped);
}

void trace_let_go_locked(struct task *t, struct list_node *threads, struct list_node *reaped)
{
    while (!list_empty(&t->tracees))
        let_go_locked(t, list_first(&t->tracees, struct tracee, node)->task, threads, reaped);
}

bool trace_incapable(struct task *t, const struct user_ns *ns)
{
    struct cred *c = NULL;
    bool incapable;

    if (!task_traced(t))
        return false;
    pid_lock();
    if (trace_tracer_locked(t))
        c = task_cred_of(trace_tracer_locked(t));
    pid_unlock();
    incapable = c && !cred_has_cap(c, ns, LX_CAP_SYS_PTRACE);
    cred_put(c);
    return incapable;
}
