/*
 * Sending signals: what a signal does the moment it is sent (stop and continue cancel each other,
 * ignored ones are dropped, SIGKILL ends the group), queueing, and choosing the task that takes it.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>

#define STOP_SIGNALS                                                                               \
    (sigbit(LX_SIGSTOP) | sigbit(LX_SIGTSTP) | sigbit(LX_SIGTTIN) | sigbit(LX_SIGTTOU))
#define DEFAULT_IGNORED                                                                            \
    (sigbit(LX_SIGCONT) | sigbit(LX_SIGCHLD) | sigbit(LX_SIGWINCH) | sigbit(LX_SIGURG))
/* Left to delivery, which may have a core to write. */
#define CORE_SIGNALS                                                                               \
    (sigbit(LX_SIGQUIT) | sigbit(LX_SIGILL) | sigbit(LX_SIGTRAP) | sigbit(LX_SIGABRT) |            \
     sigbit(LX_SIGFPE) | sigbit(LX_SIGSEGV) | sigbit(LX_SIGBUS) | sigbit(LX_SIGSYS) |              \
     sigbit(LX_SIGXCPU) | sigbit(LX_SIGXFSZ))

void task_notify_locked(struct task *t, bool kill)
{
    atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
    sleeper_interrupt(&t->sleeper, kill);
    if (t->thread && t != current)
        t->tg->container->platform->interrupt(t->thread);
}

/* drop_signals() - forget pending signals of `set`. */
static void drop_signals(struct sigpending *p, u64 set)
{
    struct sigqueue *q, *tmp;

    if (!(p->set & set))
        return;
    list_for_each_safe(q, tmp, &p->queue, node) {
        if (!(sigbit(q->info.signo) & set))
            continue;
        list_del(&q->node);
        p->queued--;
        sigqueue_free(q);
    }
    p->set &= ~set;
}

void signal_drop_locked(struct thread_group *tg, u64 set)
{
    struct task *t;

    drop_signals(&tg->pending, set);
    list_for_each(t, &tg->tasks, in_group)
        drop_signals(&t->pending, set);
}

/* group_continue_locked() - SIGCONT's effect, whatever becomes of the signal itself. */
static void group_continue_locked(struct thread_group *tg)
{
    struct task *t;

    signal_drop_locked(tg, STOP_SIGNALS);
    list_for_each(t, &tg->tasks, in_group) {
        t->stop_dequeued = false;
        trace_continued_locked(t);
    }
    if (tg->stop == GROUP_RUNNING)
        return;
    /* If it never stopped whole, the parent is told that it stopped, then that it goes on. */
    tg->notify |= tg->stop == GROUP_STOPPED ? GROUP_NOTIFY_CONTINUED
                                            : GROUP_NOTIFY_STOPPED | GROUP_NOTIFY_CONTINUED;
    tg->cont_unreported = true;
    tg->stop_unreported = false;
    tg->stop = GROUP_RUNNING;
    tg->stop_pending = 0;
    list_for_each(t, &tg->tasks, in_group)
        task_notify_locked(t, false);
    waitq_wake_all(&tg->stop_wait, 0);
}

static u64 handler_of(struct thread_group *tg, int signo)
{
    u64 h;

    mutex_lock(&tg->sighand->lock);
    h = tg->sighand->action[signo - 1].handler;
    mutex_unlock(&tg->sighand->lock);
    return h;
}

/* ignored_locked() - would it be thrown away at delivery? Then it is not even queued. */
static bool from_outside(const struct thread_group *tg)
{
    return current && !pid_nr(current->tg->pid, tg->pid->ns);
}

static bool ignored_locked(struct thread_group *tg, struct task *t, const struct lx_siginfo *info)
{
    int signo = info->signo;
    u64 handler, blocked = t ? t->blocked : tg->leader->blocked;

    if (signo == LX_SIGKILL || signo == LX_SIGSTOP) {
        /* The init of a pid namespace gets these from outside of it only. */
        return tg->unkillable && info->code != LX_SI_KERNEL && !from_outside(tg);
    }
    if (blocked & sigbit(signo))
        return false;
    if (task_traced(t ? t : tg->leader))
        return false; /* its tracer sees all */
    handler = handler_of(tg, signo);
    if (handler == LX_SIG_IGN)
        return true;
    if (handler != LX_SIG_DFL)
        return false;
    return tg->unkillable || (sigbit(signo) & DEFAULT_IGNORED);
}

/* sigqueue_new() - room for one more, counted for t's user. A standard signal that the kernel or
 * kill(2) sends needs no room by RLIMIT_SIGPENDING. Return: NULL if there is none. */
static struct sigqueue *sigqueue_new(struct task *t, const struct lx_siginfo *info)
{
    bool free_of_limit = info->signo < LX_SIGRTMIN && info->code >= 0;
    u64 limit = min_of(task_rlimit(t, LX_RLIMIT_SIGPENDING), (u64)LIMIT_SIGQUEUE);
    struct sigqueue *q = calloc(1, sizeof(*q));
    struct cred *cred;

    if (!q)
        return NULL;
    cred = task_cred_of(t);
    q->uid = cred->uid;
    cred_put(cred);
    if (task_count_signal(q->uid, free_of_limit ? UINT32_MAX : limit))
        return q;
    free(q);
    return NULL;
}

/* enqueue() - for `t`, or its group (then t is the leader): in an entry of its own, or in `ready`.
 * tg->lock held. */
static int enqueue(struct sigpending *p, struct task *t, const struct lx_siginfo *info,
                   struct sigqueue *ready)
{
    struct sigqueue *q = ready;

    if (!q && info->signo < LX_SIGRTMIN && (p->set & sigbit(info->signo)))
        return 0; /* a standard signal is pending once */
    if (!q)
        q = sigqueue_new(t, info);
    if (q) {
        if (!ready)
            q->info = *info;
        list_add_tail(&p->queue, &q->node);
        p->queued++;
    } else if (info->signo >= LX_SIGRTMIN && info->code != LX_SI_USER) {
        return -EAGAIN;
    }
    p->set |= sigbit(info->signo);
    return 0;
}

/* wants_signal() - would the task take it now? A stopped one leaves all but SIGKILL pending. */
static bool wants_signal(const struct task *t, int signo)
{
    if (atomic_load(&t->state) >= TASK_STOPPED)
        return false;
    return !(t->blocked & sigbit(signo)) || (t->sigwait_set & sigbit(signo));
}

/* find_taker_locked() - the task of the group that takes a shared signal; NULL: none yet. */
static struct task *find_taker_locked(struct thread_group *tg, int signo)
{
    struct task *t;

    if (tg->leader && wants_signal(tg->leader, signo))
        return tg->leader;
    list_for_each(t, &tg->tasks, in_group) {
        if (wants_signal(t, signo))
            return t;
    }
    return NULL;
}

void signal_retarget_locked(struct thread_group *tg, const struct task *but, u64 set)
{
    struct task *t;

    set &= tg->pending.set;
    if (!set)
        return;
    list_for_each(t, &tg->tasks, in_group) {
        if (t != but && (set & ~t->blocked))
            task_notify_locked(t, false);
    }
}

/* is_fatal_locked() - will its default action end the group? Then it does so at once, whatever
 * its tasks sleep in. A signal that may be waited for is left to be taken. */
static bool is_fatal_locked(struct thread_group *tg, const struct task *t, int signo)
{
    u64 bit = sigbit(signo);

    if (((STOP_SIGNALS | DEFAULT_IGNORED | CORE_SIGNALS) & bit) || tg->unkillable)
        return false;
    if (t->blocked & bit || (t->sigwait_set & bit) || task_traced(t))
        return false;
    return handler_of(tg, signo) == LX_SIG_DFL;
}

/* send_locked() - to `t`, or to the group if NULL; `ready`: see enqueue(). tg->lock held. */
static int send_locked(struct thread_group *tg, struct task *t, const struct lx_siginfo *info,
                       struct sigqueue *ready)
{
    int signo = info->signo, err;

    if (tg->exiting && signo == LX_SIGKILL)
        group_kill_others_locked(tg, NULL); /* one may stop for its tracer on its way out */
    if (tg->exiting || list_empty(&tg->tasks))
        return 0;
    if (signo == LX_SIGCONT)
        group_continue_locked(tg);
    else if (sigbit(signo) & STOP_SIGNALS)
        signal_drop_locked(tg, sigbit(LX_SIGCONT));
    if (ignored_locked(tg, t, info))
        return 0;
    if (signo == LX_SIGKILL) {
        group_exit_locked(tg, LX_SIGKILL);
        return 0;
    }
    err = enqueue(t ? &t->pending : &tg->pending, t ? t : tg->leader, info, ready);
    if (err < 0)
        return err;
    if (!t)
        t = find_taker_locked(tg, signo);
    else if (!wants_signal(t, signo))
        t = NULL;
    if (t && is_fatal_locked(tg, t, signo))
        group_exit_locked(tg, (u32)signo);
    else if (t)
        task_notify_locked(t, false);
    waitq_wake(&tg->signal_wait, 0);
    return 0;
}

int signal_send_task_locked(struct task *t, const struct lx_siginfo *info)
{
    return send_locked(t->tg, t, info, NULL);
}

int signal_send_task(struct task *t, const struct lx_siginfo *info)
{
    int err;

    mutex_lock(&t->tg->lock);
    err = signal_send_task_locked(t, info);
    mutex_unlock(&t->tg->lock);
    return err;
}

int signal_send_group_locked(struct thread_group *tg, const struct lx_siginfo *info)
{
    return send_locked(tg, NULL, info, NULL);
}

void signal_send_queued_locked(struct thread_group *tg, struct task *t, struct sigqueue *q)
{
    send_locked(tg, t, &q->info, q);
}

int signal_send_group(struct thread_group *tg, const struct lx_siginfo *info)
{
    int err;

    mutex_lock(&tg->lock);
    err = send_locked(tg, NULL, info, NULL);
    mutex_unlock(&tg->lock);
    return err;
}

int signal_send_pgrp_locked(struct process_group *pg, const struct lx_siginfo *info)
{
    struct thread_group *tg;
    int ret = -ESRCH;

    list_for_each(tg, &pg->members, in_pgrp) {
        int err = signal_send_group(tg, info);

        __atomic_add_fetch(&tg->group_signals, 1, __ATOMIC_RELEASE);
        if (ret == -ESRCH || err == 0)
            ret = err;
    }
    return ret;
}

void signal_force(struct task *t, const struct lx_siginfo *info)
{
    struct thread_group *tg = t->tg;
    struct lx_sigaction *sa;
    u64 bit = sigbit(info->signo);

    mutex_lock(&tg->lock);
    mutex_lock(&tg->sighand->lock);
    sa = &tg->sighand->action[info->signo - 1];
    if ((t->blocked & bit) || sa->handler == LX_SIG_IGN) {
        sa->handler = LX_SIG_DFL;
        t->blocked &= ~bit;
    }
    if (sa->handler == LX_SIG_DFL && !task_traced(t))
        tg->unkillable = false; /* even an init dies of its own fault */
    mutex_unlock(&tg->sighand->lock);
    if (enqueue(&t->pending, t, info, NULL) == 0)
        atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
    signal_recompute_locked(t);
    mutex_unlock(&tg->lock);
}

struct lx_siginfo siginfo_kernel(int signo)
{
    return (struct lx_siginfo){.signo = signo, .code = LX_SI_KERNEL};
}

struct lx_siginfo siginfo_user(struct task *from, struct task *to, int signo, int code)
{
    struct lx_siginfo info = {.signo = signo, .code = code};
    struct cred *seen_by = task_cred_of(to ? to : from);

    info.rt.pid = pid_nr(from->tg->pid, (to ? to : from)->tg->pid->ns);
    info.rt.uid = uid_from_kuid(seen_by->user_ns, from->cred->uid);
    cred_put(seen_by);
    return info;
}

void signal_raise(struct task *t, int signo)
{
    struct lx_siginfo info = siginfo_user(t, t, signo, LX_SI_USER);

    signal_send_task(t, &info);
}

bool signal_may_send(const struct cred *from, struct task *to, int signo, bool same_session)
{
    struct cred *target = task_cred_of(to);
    bool ok = from->euid == target->suid || from->euid == target->uid ||
              from->uid == target->suid || from->uid == target->uid ||
              cred_has_cap(from, target->user_ns, LX_CAP_KILL) ||
              (signo == LX_SIGCONT && same_session);

    cred_put(target);
    return ok;
}
