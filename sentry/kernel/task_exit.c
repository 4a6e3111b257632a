/*
 * The end of a task. task_exit() and group_exit() only mark it; task_leave(), at the end of its last
 * step, gives up what it holds, takes it out of its group and, if it was the last, makes the group a
 * zombie (task_zombie.c).
 *
 * Memory and files go first, outside all locks, since closing a file may take long. Then one section
 * under the pid lock and tg->lock unlinks the task, so that nobody sees half of it. The leader of a
 * group stays its leader, and its pid stays found, until the whole group is reaped.
 */
#include "sentry/ipc/sem.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"
#include "sentry/kernel/task_zombie.h"

#include <errno.h>

void task_exit(struct task *t, u32 status)
{
    t->exit_status = status;
    t->leaving = true;
}

void group_kill_others_locked(struct thread_group *tg, const struct task *but)
{
    struct task *t;

    tg->stop = GROUP_RUNNING;
    tg->stop_pending = 0;
    list_for_each(t, &tg->tasks, in_group) {
        if (t != but)
            task_notify_locked(t, t != current);
    }
    waitq_wake_all(&tg->stop_wait, 0);
}

void group_exit_locked(struct thread_group *tg, u32 status)
{
    if (tg->exiting)
        return;
    tg->exiting = true;
    tg->exit_status = status;
    group_kill_others_locked(tg, NULL);
}

void group_exit(struct thread_group *tg, u32 status)
{
    mutex_lock(&tg->lock);
    group_exit_locked(tg, status);
    mutex_unlock(&tg->lock);
}

/* --- what a task holds --- */

void task_release_mm(struct task *t)
{
    static const u32 zero = 0;
    struct mm *mm = t->mm;

    futex_exit_robust_list(t);
    futex_pi_exit(t, false);
    /* Nobody is told through memory that nobody shares (set_tid_address(2)). */
    if (t->clear_child_tid && atomic_load(&mm->obj.count) > 1) {
        if (usermem_put(mm, t->clear_child_tid, &zero) == 0)
            futex_wake_addr(mm, t->clear_child_tid, 1);
    }
    t->clear_child_tid = t->set_child_tid = t->robust_list = 0;
}

static void release_mm(struct task *t)
{
    struct mm *mm = t->mm;

    if (mm)
        task_release_mm(t);
    futex_pi_exit(t, true);
    if (!mm)
        return;
    mutex_lock(&t->lock);
    t->mm = NULL;
    mutex_unlock(&t->lock);
    vfork_done(t);
    mm_put(mm);
}

static void release_files(struct task *t)
{
    struct fdtable *files = t->files;
    struct fs_context *fs = t->fs;
    struct nsproxy *ns = t->ns;

    mutex_lock(&t->lock);
    t->files = NULL;
    t->fs = NULL;
    t->ns = NULL;
    mutex_unlock(&t->lock);
    fdtable_put(files);
    fs_context_put(fs);
    nsproxy_put(ns);
}

/* --- the last task of a group --- */

/* pid_ns_alone() - is one process left in the namespace? */
static bool pid_ns_alone(struct pid_ns *ns)
{
    bool alone;

    pid_lock();
    alone = ns->groups == 1;
    pid_unlock();
    return alone;
}

void pid_ns_kill_locked(struct pid_ns *ns, const struct container *c,
                        const struct thread_group *but)
{
    struct lx_siginfo info = siginfo_kernel(LX_SIGKILL);
    struct hash_node *n;
    u32 i;

    hash_for_each(&ns->by_number, i, n) {
        struct thread_group *tg = container_of(n, struct pid_number, node)->pid->tg;

        if (tg && tg != but && (!c || tg->container == c))
            signal_send_group(tg, &info);
    }
}

/* pid_ns_shutdown() - an init ends: nobody in its namespace outlives it (pid_namespaces(7)). The
 * wait ends because every other process has been killed; nothing can interrupt it. */
static void pid_ns_shutdown(struct task *t)
{
    struct thread_group *tg = t->tg, *child, *tmp;
    struct pid_ns *ns = tg->pid->ns;
    struct list_node reaped = LIST_INIT(reaped);

    pid_lock();
    ns->dying = true;
    list_for_each_safe(child, tmp, &tg->children, sibling) {
        if (thread_group_zombie_locked(child))
            thread_group_reap_locked(child, &reaped);
    }
    pid_ns_kill_locked(ns, NULL, tg);
    pid_unlock();
    thread_group_free_list(&reaped);
    do {
        atomic_store(&t->sleeper.killed, false);
    } while (wait_event_killable(&tg->child_wait, 0, DEADLINE_NEVER, pid_ns_alone(ns)) < 0);
}

/* finish_group() - what ends with a process rather than with its tasks. */
static void finish_group(struct task *t)
{
    struct thread_group *tg = t->tg;
    struct file *exe;

    mutex_lock(&tg->lock);
    exe = tg->exe;
    tg->exe = NULL;
    tg->itimer_deadline = 0; /* else it might arm itself once more */
    mutex_unlock(&tg->lock);
    timer_cancel(&tg->itimer_real, true);
    timer_cancel(&tg->cpu_timer, true);
    posix_timer_delete_all(tg);
    file_put(exe);
    if (tg->pid->ns->init == tg)
        pid_ns_shutdown(t);
}

/* begin_leaving() - no more than one task of a group finds itself the last. */
static bool begin_leaving(struct task *t)
{
    struct thread_group *tg = t->tg;
    bool last;

    mutex_lock(&tg->lock);
    last = --tg->nlive == 0;
    mutex_unlock(&tg->lock);
    return last;
}

/* --- out of the group --- */

/* leave_stop_locked() - a task that leaves has no part in a stop. Return: it was all it waited for. */
static bool leave_stop_locked(struct task *t)
{
    return t->tg->ntasks && group_stop_count_locked(t);
}

/* unlink_locked() - pid lock and tg->lock held. Return: a group stop is complete now. */
static bool unlink_locked(struct task *t, u64 utime, u64 stime)
{
    struct thread_group *tg = t->tg;
    bool stopped;

    list_del(&t->in_group);
    tg->ntasks--;
    t->thread = NULL;
    t->utime_ns = utime;
    t->stime_ns = stime;
    tg->dead_utime_ns += utime;
    io_count_add(&tg->io, &t->io);
    tg->dead_stime_ns += stime;
    sigpending_clear(&t->pending);
    atomic_store(&t->state, t == tg->leader || task_traced(t) ? TASK_ZOMBIE : TASK_DEAD);
    trace_leave_locked(t);
    stopped = leave_stop_locked(t);
    signal_retarget_locked(tg, t, tg->pending.set);
    if (!tg->ntasks && !tg->exiting)
        tg->exit_status = tg->leader->exit_status;
    waitq_wake_all(&tg->stop_wait, 0);
    return stopped;
}

/* What a task leaves behind that has to be freed without locks. */
struct remains {
    struct list_node groups, threads; /* reaped */
    bool kept; /* itself, until its tracer has waited for it */
};

/* leave_group() - Return: the group is a zombie without a parent, which its container reaps. */
static bool leave_group(struct task *t, struct remains *r)
{
    struct thread_group *tg = t->tg;
    struct plat_usage usage;
    bool orphan = false, stopped;

    task_account(t, true, &usage);
    pid_lock();
    trace_let_go_locked(t, &r->threads, &r->groups);
    mutex_lock(&tg->lock);
    stopped = unlink_locked(t, usage.user_ns, usage.system_ns);
    mutex_unlock(&tg->lock);
    if (stopped)
        thread_group_notify_parent_locked(tg, LX_CLD_STOPPED, (int)tg->stop_signo);
    r->kept = t != tg->leader && task_traced(t);
    if (r->kept) {
        thread_group_notify_zombie_locked(t);
    } else if (t != tg->leader) {
        pid_release_locked(t->pid);
        task_count_release(tg->container, t->cred->uid);
    }
    if (tg->ntasks)
        task_children_orphaned_locked(t);
    else
        orphan = thread_group_die_locked(t, &r->groups);
    pid_unlock();
    return orphan;
}

void task_leave(struct task *t)
{
    struct thread_group *tg = thread_group_get(t->tg);
    struct remains r = {LIST_INIT(r.groups), LIST_INIT(r.threads), false};

    if (trace_event_wanted(t, LX_PTRACE_EVENT_EXIT))
        trace_event(t, LX_PTRACE_EVENT_EXIT, t->exit_status);
    if (t->boot)
        exec_request_finish(t, -ESRCH);
    release_mm(t);
    sem_exit(t);
    release_files(t);
    if (begin_leaving(t))
        finish_group(t);
    if (leave_group(t, &r))
        container_group_ended(tg->container, tg);
    thread_group_free_list(&r.groups);
    trace_free_threads(&r.threads);
    if (!r.kept)
        task_put(t);
    thread_group_put(tg);
}
