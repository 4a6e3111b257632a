/*
 * wait4(2) and waitid(2). A look at all children, and at all tracees (ptrace(2)), happens under the
 * pid lock and takes what it finds (reaps the zombie, consumes the stop); copying out comes after,
 * without a lock, and what can't be copied out is gone all the same, as on Linux.
 *
 * A zombie that a process other than its parent traces is the tracer's first: the parent is told of
 * it once the tracer has waited.
 */
#include "sentry/abi/lx_process.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_zombie.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>

struct wait_scan {
    struct task *task;
    struct wait_request *req;
    struct list_node reaped, threads; /* zombies that were taken: groups, and tracees' threads */
    bool candidates; /* there is a child that may yet do what is waited for */
};

/* named() - does the request name this task, a child's leader or a tracee? */
static bool named(const struct wait_scan *s, const struct task *child)
{
    const struct wait_request *req = s->req;
    const struct pid_ns *ns = s->task->pid->ns;
    const struct process_group *pgrp = child->tg->pgrp;

    switch (req->which) {
    case WAIT_PID: return pid_nr(child->pid, ns) == req->nr;
    case WAIT_PIDFD: return child->pid == req->pidfd;
    case WAIT_PGRP:
        return req->nr ? pid_nr(pgrp->pid, ns) == req->nr : pgrp == s->task->tg->pgrp;
    default: return true;
    }
}

/* selected() - is it one of the children that the caller asks about? */
static bool selected(const struct wait_scan *s, const struct thread_group *child)
{
    const struct wait_request *req = s->req;
    bool clone_child = child->exit_signal != LX_SIGCHLD;

    if (!named(s, child->leader))
        return false;
    if ((req->options & LX_WNOTHREAD) && child->forker && child->forker != s->task->obj.id)
        return false;
    return (req->options & LX_WALL) || clone_child == !!(req->options & LX_WCLONE);
}

/* report() - fill in the request about `child`. */
static void report(const struct wait_scan *s, struct task *child, u32 status)
{
    struct wait_request *req = s->req;
    struct cred *cred = task_cred_of(child);

    req->pid = pid_nr(child->pid, s->task->pid->ns);
    req->uid = uid_from_kuid(s->task->cred->user_ns, cred->uid);
    req->status = status;
    req->trapped = false;
    if (req->rusage)
        thread_group_rusage(child->tg, true, true, req->rusage);
    cred_put(cred);
}

/* add_to_parent() - what RUSAGE_CHILDREN counts: the child and what it has reaped itself. */
static void add_to_parent(struct thread_group *parent, struct thread_group *child)
{
    u64 utime, stime;
    u32 rss = max_of(child->max_rss_kb, child->child_max_rss_kb);

    thread_group_times(child, &utime, &stime);
    mutex_lock(&parent->lock);
    parent->child_utime_ns += utime + child->child_utime_ns;
    parent->child_stime_ns += stime + child->child_stime_ns;
    parent->child_min_flt += child->min_flt + child->child_min_flt;
    parent->child_maj_flt += child->maj_flt + child->child_maj_flt;
    parent->child_max_rss_kb = max_of(parent->child_max_rss_kb, rss);
    io_count_add(&parent->io, &child->io);
    mutex_unlock(&parent->lock);
}

static bool take_zombie(struct wait_scan *s, struct thread_group *child)
{
    if (trace_foreign_locked(child->leader)) {
        s->candidates = true; /* once its tracer has let go of it */
        return false;
    }
    if (!(s->req->options & LX_WEXITED))
        return false; /* and it will do nothing else either */
    report(s, child->leader, child->exit_status);
    if (!(s->req->options & LX_WNOWAIT)) {
        add_to_parent(s->task->tg, child);
        thread_group_reap_locked(child, &s->reaped);
    }
    return true;
}

/* take_change() - a stop or continue that nobody has been told of. Return: found. */
static bool take_change(struct wait_scan *s, struct thread_group *child)
{
    bool consume = !(s->req->options & LX_WNOWAIT);
    /* Of our own tracee we see the stops that it makes for us. */
    bool ours = task_traced(child->leader) && !trace_foreign_locked(child->leader);
    u32 status = 0;

    mutex_lock(&child->lock);
    if ((s->req->options & LX_WUNTRACED) && !ours && child->stop == GROUP_STOPPED &&
        child->stop_unreported) {
        status = lx_status_stopped(child->stop_signo);
        child->stop_unreported = !consume;
    } else if ((s->req->options & LX_WCONTINUED) && child->cont_unreported) {
        status = LX_STATUS_CONTINUED;
        child->cont_unreported = !consume;
    }
    mutex_unlock(&child->lock);
    if (status)
        report(s, child->leader, status);
    return status;
}

/* --- tracees --- */

/* take_tracee_zombie() - a tracee that has left: a thread, or the leader of a dead group. */
static bool take_tracee_zombie(struct wait_scan *s, struct task *child)
{
    struct thread_group *tg = child->tg;
    bool leader = child == tg->leader;

    if (leader && tg->parent == s->task->tg)
        return take_zombie(s, tg);
    if (!(s->req->options & LX_WEXITED))
        return false;
    report(s, child, leader || tg->exiting ? tg->exit_status : child->exit_status);
    if (s->req->options & LX_WNOWAIT)
        return true;
    if (leader) {
        trace_unlink_locked(child);
        if (tg->parent)
            thread_group_tell_exit_locked(tg, &s->reaped);
    } else {
        trace_reap_thread_locked(child, &s->threads);
    }
    return true;
}

/* take_trap() - a tracee's stop that its tracer has not been told of. */
static bool take_trap(struct wait_scan *s, struct task *child)
{
    struct tracee *p = child->tracee;
    u32 status = 0;

    mutex_lock(&child->tg->lock);
    if (p->stopped && !p->listening && p->unreported) {
        status = lx_status_stopped(p->code);
        p->unreported = s->req->options & LX_WNOWAIT;
    }
    mutex_unlock(&child->tg->lock);
    if (!status)
        return false;
    report(s, child, status);
    s->req->trapped = true;
    return true;
}

static bool take_tracee(struct wait_scan *s, struct task *child)
{
    if (!named(s, child))
        return false;
    if (child == child->tg->leader ? child->tg->dead : atomic_load(&child->state) >= TASK_ZOMBIE)
        return take_tracee_zombie(s, child);
    s->candidates = true;
    return take_trap(s, child);
}

/* scan_tracees() - of one task of the caller's group. */
static bool scan_tracees(struct wait_scan *s, struct task *tracer)
{
    struct tracee *p, *tmp;

    list_for_each_safe(p, tmp, &tracer->tracees, node)
        if (take_tracee(s, p->task))
            return true;
    return false;
}

/* scan_all_tracees() - of all of them, or with __WNOTHREAD the caller's own. */
static bool scan_all_tracees(struct wait_scan *s)
{
    struct task *t;

    if (likely(!s->task->tg->ntracees))
        return false;
    if (s->req->options & LX_WNOTHREAD)
        return scan_tracees(s, s->task);
    list_for_each(t, &s->task->tg->tasks, in_group)
        if (scan_tracees(s, t))
            return true;
    return false;
}

/* scan() - look once. Return: the wait is over: something was found, or nothing ever can be. */
static bool scan(struct wait_scan *s)
{
    struct thread_group *child;
    bool found = false;

    s->candidates = false;
    pid_lock();
    list_for_each(child, &s->task->tg->children, sibling) {
        if (!selected(s, child))
            continue;
        if (child->dead) {
            found = take_zombie(s, child);
        } else {
            s->candidates = true;
            found = take_change(s, child);
        }
        if (found)
            break;
    }
    found = found || scan_all_tracees(s);
    pid_unlock();
    return found || !s->candidates || (s->req->options & LX_WNOHANG);
}

int task_wait(struct task *t, struct wait_request *req)
{
    struct wait_scan s = {.task = t, .req = req};
    int err;

    list_init(&s.reaped);
    list_init(&s.threads);
    req->pid = 0;
    err = wait_event(&t->tg->child_wait, 0, DEADLINE_NEVER, scan(&s));
    thread_group_free_list(&s.reaped);
    trace_free_threads(&s.threads);
    if (req->pid)
        return 0;
    if (err)
        return err;
    return s.candidates ? 0 : -ECHILD;
}

void thread_group_rusage(struct thread_group *tg, bool self, bool children, struct lx_rusage *out)
{
    u64 utime = 0, stime = 0;
    struct plat_usage usage;
    struct task *t;
    u32 rss = 0;

    if (self && current && current->tg == tg)
        task_account(current, false, &usage);
    if (self)
        thread_group_times(tg, &utime, &stime);
    *out = (struct lx_rusage){0};
    mutex_lock(&tg->lock);
    if (self) {
        rss = tg->max_rss_kb;
        out->minflt = (s64)tg->min_flt;
        out->majflt = (s64)tg->maj_flt;
        list_for_each(t, &tg->tasks, in_group) {
            out->minflt += (s64)t->min_flt;
            out->majflt += (s64)t->maj_flt;
        }
    }
    if (children) {
        out->minflt += (s64)tg->child_min_flt;
        out->majflt += (s64)tg->child_maj_flt;
        utime += tg->child_utime_ns;
        stime += tg->child_stime_ns;
        rss = max_of(rss, tg->child_max_rss_kb);
    }
    mutex_unlock(&tg->lock);
    out->utime.sec = (s64)(utime / NS_PER_SEC);
    out->utime.usec = (s64)(utime % NS_PER_SEC / 1000);
    out->stime.sec = (s64)(stime / NS_PER_SEC);
    out->stime.usec = (s64)(stime % NS_PER_SEC / 1000);
    out->maxrss = rss;
}
