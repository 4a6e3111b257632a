/*
 * A process that has ended: its children's new parent, orphaned process groups, what its parent is
 * told, and reaping. All of it under the pid lock, as Linux does it under tasklist_lock: _exit(2),
 * wait(2), setpgid(2), prctl(2) (PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG).
 */
#include "sentry/kernel/task_zombie.h"

#include "sentry/abi/lx_mm.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#define NS_PER_TICK (NS_PER_SEC / LX_USER_HZ)

bool thread_group_zombie_locked(struct thread_group *tg)
{
    return tg->dead;
}

/* --- telling the parent --- */

/* child_info() - SIGCHLD's siginfo, as `parent` sees its child or tracee. No group's lock held. */
static struct lx_siginfo child_info(struct task *child, struct thread_group *parent, int signo,
                                    int code, int status)
{
    struct lx_siginfo info = {.signo = signo, .code = code};
    struct cred *of = task_cred_of(child), *to = task_cred_of(parent->leader);
    u64 utime, stime;

    thread_group_times(child->tg, &utime, &stime);
    info.chld.pid = pid_nr(child->pid, parent->pid->ns);
    info.chld.uid = uid_from_kuid(to->user_ns, of->uid);
    info.chld.status = status;
    info.chld.utime = (s64)(utime / NS_PER_TICK);
    info.chld.stime = (s64)(stime / NS_PER_TICK);
    cred_put(of);
    cred_put(to);
    return info;
}

static struct lx_sigaction chld_action_locked(struct thread_group *parent)
{
    struct lx_sigaction sa;

    mutex_lock(&parent->sighand->lock);
    sa = parent->sighand->action[LX_SIGCHLD - 1];
    mutex_unlock(&parent->sighand->lock);
    return sa;
}

void thread_group_notify_locked(struct thread_group *to, struct task *of, int code, int status)
{
    struct lx_siginfo info = child_info(of, to, LX_SIGCHLD, code, status);
    struct lx_sigaction sa;

    mutex_lock(&to->lock);
    sa = chld_action_locked(to);
    if (sa.handler != LX_SIG_IGN && !(sa.flags & LX_SA_NOCLDSTOP))
        signal_send_group_locked(to, &info);
    mutex_unlock(&to->lock);
    waitq_wake_all(&to->child_wait, 0);
}

void thread_group_notify_parent_locked(struct thread_group *tg, int code, int status)
{
    if (tg->parent)
        thread_group_notify_locked(tg->parent, tg->leader, code, status);
}

bool thread_group_ignores_children(struct thread_group *tg)
{
    struct lx_sigaction sa;

    mutex_lock(&tg->lock);
    sa = chld_action_locked(tg);
    mutex_unlock(&tg->lock);
    return sa.handler == LX_SIG_IGN || (sa.flags & LX_SA_NOCLDWAIT);
}

/* exit_info() - SIGCHLD's siginfo for an exit with wait status `status`. */
static struct lx_siginfo exit_info(struct task *of, struct thread_group *to, int signo, u32 status)
{
    u32 killed = status & 0x7f;

    return child_info(of, to, signo, killed ? LX_CLD_KILLED : LX_CLD_EXITED,
                      (int)(killed ? killed : status >> 8 & 0xff));
}

void thread_group_notify_zombie_locked(struct task *t)
{
    struct thread_group *to = t->tracee->tracer->tg;
    u32 status = t == t->tg->leader ? t->tg->exit_status : t->exit_status;
    struct lx_siginfo info = exit_info(t, to, LX_SIGCHLD, status);

    mutex_lock(&to->lock);
    if (chld_action_locked(to).handler != LX_SIG_IGN)
        signal_send_group_locked(to, &info);
    mutex_unlock(&to->lock);
    waitq_wake_all(&to->child_wait, 0);
}

/* notify_exit_locked() - a zombie's parent gets its signal. Return: nobody will wait for it. */
static bool notify_exit_locked(struct thread_group *tg)
{
    struct thread_group *parent = tg->parent;
    struct pid_ns *ns = parent->pid->ns;
    int signo = tg->exit_signal;
    struct lx_siginfo info;
    struct lx_sigaction sa;
    bool ignored, reap;

    /* After an exec the parent may not expect what its old program asked for. */
    if (signo != LX_SIGCHLD && tg->parent_exec_id != parent->exec_id)
        signo = LX_SIGCHLD;
    info = exit_info(tg->leader, parent, signo, tg->exit_status);
    mutex_lock(&parent->lock);
    sa = chld_action_locked(parent);
    ignored = signo == LX_SIGCHLD && sa.handler == LX_SIG_IGN;
    reap = ignored || (signo == LX_SIGCHLD && (sa.flags & LX_SA_NOCLDWAIT));
    reap = reap && !task_traced(tg->leader);
    if (signo > 0 && signo <= LX_NSIG && !ignored)
        signal_send_group_locked(parent, &info);
    mutex_unlock(&parent->lock);
    waitq_wake_all(&parent->child_wait, 0);
    return reap || (ns->dying && ns->init == parent);
}

/* --- process groups and sessions --- */

/* hang_up_locked() - SIGHUP, then SIGCONT so that it is seen. */
static void hang_up_locked(struct process_group *pg)
{
    struct lx_siginfo hup = siginfo_kernel(LX_SIGHUP), cont = siginfo_kernel(LX_SIGCONT);

    signal_send_pgrp_locked(pg, &hup);
    signal_send_pgrp_locked(pg, &cont);
}

/* check_orphaned_locked() - tg, or its parent, has ended: if that has orphaned tg's process group
 * and a member is stopped, nobody could continue it (POSIX, "Consequences of Process Termination").
 */
static void check_orphaned_locked(struct thread_group *tg, const struct thread_group *parent,
                                  const struct thread_group *but)
{
    struct process_group *pg = tg->pgrp;

    if (!parent || !parent->pgrp || parent->pgrp == pg || parent->pgrp->session != pg->session)
        return;
    if (pgrp_orphaned_locked(pg, but) && pgrp_has_stopped_locked(pg))
        hang_up_locked(pg);
}

/* session_end_locked() - a session's leader has ended: its terminal's foreground is hung up. */
static void session_end_locked(struct thread_group *tg)
{
    struct session *s = tg->pid->session;

    if (!s || s->leader != tg)
        return;
    ctty_leader_ended_locked(tg);
    s->leader = NULL;
}

/* --- children --- */

/* send_death_signal_locked() - PR_SET_PDEATHSIG of each of the child's tasks, as if the parent's
 * task `from` had used kill(2): it needs the permission. */
static void send_death_signal_locked(struct task *from, struct thread_group *child)
{
    struct process_group *ours = from->tg->pgrp, *its = child->pgrp;
    bool same_session = ours && its && ours->session == its->session;
    struct lx_siginfo info;
    struct task *t;

    if (child->dead)
        return;
    info = siginfo_user(from, child->leader, 0, LX_SI_USER);
    mutex_lock(&child->lock);
    list_for_each(t, &child->tasks, in_group) {
        info.signo = t->parent_death_signal;
        if (info.signo > 0 && info.signo <= LX_NSIG &&
            signal_may_send(from->cred, t, info.signo, same_session))
            signal_send_group_locked(child, &info);
    }
    mutex_unlock(&child->lock);
}

void task_children_orphaned_locked(struct task *t)
{
    struct thread_group *child;

    list_for_each(child, &t->tg->children, sibling) {
        if (child->forker != t->obj.id)
            continue;
        child->forker = 0;
        send_death_signal_locked(t, child);
    }
}

/* find_reaper() - who adopts tg's children: the nearest living subreaper above, else the init of
 * the pid namespace; NULL if that is tg itself or gone. */
static struct thread_group *find_reaper(const struct thread_group *tg)
{
    struct thread_group *init = tg->pid->ns->init, *p;

    if (init == tg)
        return NULL;
    for (p = tg->parent; p && p != init; p = p->parent)
        if (p->is_subreaper && !p->dead && p->pid->ns == tg->pid->ns)
            return p;
    return init && !init->dead ? init : NULL;
}

/* adopt_children_locked() - the children of a group whose last task is `last`. */
static void adopt_children_locked(struct task *last, struct list_node *reaped)
{
    struct thread_group *tg = last->tg;
    struct thread_group *reaper = find_reaper(tg), *child, *tmp;

    list_for_each_safe(child, tmp, &tg->children, sibling) {
        list_del(&child->sibling);
        child->parent = reaper;
        child->forker = 0;
        child->exit_signal = LX_SIGCHLD;
        if (reaper)
            list_add_tail(&reaper->children, &child->sibling);
        send_death_signal_locked(last, child);
        check_orphaned_locked(child, tg, NULL);
        if (child->dead && !reaper)
            thread_group_reap_locked(child, reaped);
        else if (child->dead && !trace_foreign_locked(child->leader))
            thread_group_tell_exit_locked(child, reaped);
    }
}

/* --- the end --- */

bool thread_group_die_locked(struct task *last, struct list_node *reaped)
{
    struct thread_group *tg = last->tg;
    struct pid_ns *ns = tg->pid->ns;

    tg->dead = true;
    pid_set_fate_locked(tg->pid, PID_DEAD);
    adopt_children_locked(last, reaped);
    check_orphaned_locked(tg, tg->parent, tg);
    session_end_locked(tg);
    if (ns->init == tg)
        ns->init = NULL;
    if (!tg->parent)
        return true;
    if (trace_foreign_locked(tg->leader))
        thread_group_notify_zombie_locked(tg->leader);
    else
        thread_group_tell_exit_locked(tg, reaped);
    return false;
}

void thread_group_tell_exit_locked(struct thread_group *tg, struct list_node *reaped)
{
    if (notify_exit_locked(tg))
        thread_group_reap_locked(tg, reaped);
}

/* leave_namespaces_locked() - one group less; an init that waits for the last looks again. */
static void leave_namespaces_locked(struct pid_ns *ns)
{
    for (; ns; ns = ns->parent) {
        ns->groups--;
        if (ns->dying && ns->init)
            waitq_wake_all(&ns->init->child_wait, 0);
    }
}

void thread_group_reap_locked(struct thread_group *tg, struct list_node *reaped)
{
    struct task *leader = tg->leader;

    trace_forget_locked(leader);
    list_del(&tg->sibling);
    tg->parent = NULL;
    tg->pid->tg = NULL;
    ctty_drop_locked(tg);
    pgrp_leave_locked(tg);
    pid_release_locked(tg->pid);
    pid_set_fate_locked(tg->pid, PID_REAPED);
    tg->reaped = true;
    atomic_store(&leader->state, TASK_DEAD);
    task_count_release(tg->container, leader->cred->uid);
    leave_namespaces_locked(tg->pid->ns);
    list_add_tail(reaped, &tg->sibling);
}

void thread_group_free_list(struct list_node *reaped)
{
    while (!list_empty(reaped)) {
        struct thread_group *tg = list_first(reaped, struct thread_group, sibling);
        struct task *leader;

        list_del(&tg->sibling);
        mutex_lock(&tg->lock);
        leader = tg->leader;
        tg->leader = NULL;
        mutex_unlock(&tg->lock);
        task_put(leader);
    }
}

/* --- times --- */

void task_account(struct task *t, bool last, struct plat_usage *out)
{
    struct thread_group *tg = t->tg;

    *out = (struct plat_usage){0};
    if (t->thread)
        task_platform(t)->usage(t->thread, out);
    mutex_lock(&tg->lock);
    tg->max_rss_kb = max_of(tg->max_rss_kb, (u32)out->max_rss_kb);
    t->min_flt = out->minor_faults;
    t->maj_flt = out->major_faults;
    if (last) {
        tg->min_flt += t->min_flt;
        tg->maj_flt += t->maj_flt;
        t->min_flt = t->maj_flt = 0;
    }
    mutex_unlock(&tg->lock);
}

void task_times(struct task *t, u64 *utime_ns, u64 *stime_ns)
{
    *utime_ns = t->utime_ns;
    *stime_ns = t->stime_ns;
    if (t->thread)
        task_platform(t)->times(t->thread, utime_ns, stime_ns);
}

void thread_group_times_locked(struct thread_group *tg, u64 *utime_ns, u64 *stime_ns)
{
    struct task *t;

    *utime_ns = tg->dead_utime_ns;
    *stime_ns = tg->dead_stime_ns;
    list_for_each(t, &tg->tasks, in_group) {
        u64 u, s;

        task_times(t, &u, &s);
        *utime_ns += u;
        *stime_ns += s;
    }
}

void thread_group_times(struct thread_group *tg, u64 *utime_ns, u64 *stime_ns)
{
    mutex_lock(&tg->lock);
    thread_group_times_locked(tg, utime_ns, stime_ns);
    mutex_unlock(&tg->lock);
}
