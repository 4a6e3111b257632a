/* /proc/PID/stat, statm: a process in numbers. */
#include "fs/proc/proc_pid_view.h"

#include "sentry/abi/lx_system.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/usage.h"

#include <errno.h>
#include <string.h>

#define TICK_NS       (NS_PER_SEC / 100) /* USER_HZ */
#define PF_FORKNOEXEC 0x40u
#define PF_RANDOMIZE  0x400000u

static char state_of(struct task *t, struct thread_group *tg)
{
    switch (atomic_load(&t->state)) {
    case TASK_ZOMBIE: return 'Z';
    case TASK_DEAD: return 'X';
    case TASK_STOPPED: return 'T';
    case TASK_TRACED: return 't';
    default: break;
    }
    if (tg->stop == GROUP_STOPPED && !task_traced(t))
        return 'T';
    return atomic_load(&t->in_step) && t != current && sleeper_sleeps(&t->sleeper) ? 'S' : 'R';
}

/* view_tree() - what the pid lock guards. */
static void view_tree(struct proc_view *v, const struct proc_node *n, struct task *t)
{
    struct thread_group *tg = t->tg;
    struct pid_ns *ns = n->ns;
    const struct task *tracer;

    pid_lock();
    v->pid = pid_nr(n->pid, ns);
    v->tgid = pid_nr(tg->pid, ns);
    v->ppid = tg->parent ? pid_nr(tg->parent->pid, ns) : 0;
    tracer = trace_tracer_locked(t);
    v->tracer = tracer ? pid_nr(tracer->pid, ns) : 0;
    if (tg->pgrp) {
        v->pgid = pid_nr(tg->pgrp->pid, ns);
        v->sid = pid_nr(tg->pgrp->session->pid, ns);
    }
    ctty_view_locked(tg, ns, &v->tty, &v->tpgid);
    v->child_utime = tg->child_utime_ns;
    v->child_stime = tg->child_stime_ns;
    v->exit_signal = tg->exit_signal;
    pid_unlock();
}

static void view_signals(struct proc_view *v, struct task *t, struct thread_group *tg)
{
    struct sighand *sh;

    mutex_lock(&tg->lock);
    v->threads = tg->ntasks;
    v->state = state_of(t, tg);
    v->pending = t->pending.set;
    v->blocked = t->blocked;
    v->group_pending = tg->pending.set;
    v->nqueued = tg->pending.queued + t->pending.queued;
    v->sigqueue_max = tg->limits[LX_RLIMIT_SIGPENDING].soft;
    v->min_flt = tg->min_flt;
    v->maj_flt = tg->maj_flt;
    v->exec_min_flt = tg->exec_min_flt;
    v->exec_maj_flt = tg->exec_maj_flt;
    v->child_min_flt = tg->child_min_flt;
    v->child_maj_flt = tg->child_maj_flt;
    v->rss_max = tg->limits[LX_RLIMIT_RSS].soft;
    v->flags = PF_RANDOMIZE | (tg->did_exec ? 0 : PF_FORKNOEXEC);
    v->exit_code = tg->exit_status;
    sh = sighand_get(tg->sighand);
    mutex_unlock(&tg->lock);
    if (!sh)
        return;
    mutex_lock(&sh->lock);
    for (int i = 0; i < LX_NSIG; i++) {
        if (sh->action[i].handler == LX_SIG_IGN)
            v->ignored |= 1ull << i;
        else if (sh->action[i].handler != LX_SIG_DFL)
            v->caught |= 1ull << i;
    }
    mutex_unlock(&sh->lock);
    sighand_put(sh);
}

int proc_view_take(struct proc_view *v, const struct proc_node *n)
{
    struct thread_group *tg = proc_group(n);
    struct task *t = proc_task(n);
    int rc = -ESRCH;

    *v = (struct proc_view){0};
    if (tg && t) {
        view_tree(v, n, t);
        view_signals(v, t, tg);
        mutex_lock(&t->lock);
        memcpy(v->comm, t->comm, sizeof(v->comm));
        v->nice = t->sched.nice;
        v->policy = t->sched.policy;
        v->rt_priority = t->sched.priority;
        mutex_unlock(&t->lock);
        v->comm[15] = 0;
        v->start = t->start_time;
        rc = 0;
    }
    task_put(t);
    thread_group_put(tg);
    return rc;
}

/* add_times() - CPU time: of a process it is the sum of its threads', each asked for its own. */
static void add_times(struct proc_view *v, const struct proc_node *n)
{
    struct thread_group *tg = proc_group(n);
    struct task *t = proc_task(n);

    if (tg && t && n->thread) {
        mutex_lock(&tg->lock);
        task_times(t, &v->utime, &v->stime);
        mutex_unlock(&tg->lock);
    } else if (tg) {
        thread_group_times(tg, &v->utime, &v->stime);
    }
    task_put(t);
    thread_group_put(tg);
}

/* priority() - as the scheduler has it: 20 and nice, or below 0 for real time. */
static s32 priority(const struct proc_view *v)
{
    bool real = v->policy == LX_SCHED_FIFO || v->policy == LX_SCHED_RR;

    return real ? -1 - (s32)v->rt_priority : 20 + v->nice;
}

/* add_faults() - those of the program that runs: the host counts them for a whole process. */
static void add_faults(struct proc_view *v, const struct proc_sizes *z)
{
    v->min_flt = max_of(v->min_flt, v->exec_min_flt + z->min_flt);
    v->maj_flt = max_of(v->maj_flt, v->exec_maj_flt + z->maj_flt);
}

int proc_show_pid_stat(const struct proc_node *n, struct proc_text *out)
{
    bool inspect = proc_may_inspect(n) == 0;
    struct proc_sizes z;
    struct proc_view v;
    int rc = proc_view_take(&v, n);

    if (rc < 0)
        return rc;
    proc_sizes_take(&z, n, PROC_SIZES_STAT);
    add_times(&v, n);
    add_faults(&v, &z);
    if (!inspect)
        z.start_code = z.end_code = z.stack_top = z.start_data = z.end_data = z.brk_start =
            z.arg_start = z.arg_end = z.env_start = z.env_end = 0;
    proc_printf(out, "%d (%s) %c %d %d %d %u %d %u %lu %lu %lu %lu %lu %lu %lu %lu %d %d %u 0 %lu",
                v.pid, v.comm, v.state, v.ppid, v.pgid, v.sid, v.tty, v.tpgid, v.flags,
                (long)v.min_flt, (long)v.child_min_flt, (long)v.maj_flt, (long)v.child_maj_flt,
                (long)(v.utime / TICK_NS), (long)(v.stime / TICK_NS),
                (long)(v.child_utime / TICK_NS), (long)(v.child_stime / TICK_NS), priority(&v),
                v.nice, v.threads, (long)(v.start / TICK_NS));
    proc_printf(out, " %lu %lu %lu %lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d 0 %u %u 0 0 0",
                (long)z.total, (long)(z.resident >> GUEST_PAGE_SHIFT), (long)v.rss_max,
                (long)z.start_code, (long)z.end_code, (long)z.stack_top, (long)v.pending,
                (long)v.blocked, (long)v.ignored, (long)v.caught,
                n->thread && v.pid != v.tgid ? -1 : v.exit_signal, v.rt_priority, v.policy);
    proc_printf(out, " %lu %lu %lu %lu %lu %lu %lu %u\n", (long)z.start_data, (long)z.end_data,
                (long)z.brk_start, (long)z.arg_start, (long)z.arg_end, (long)z.env_start,
                (long)z.env_end, inspect ? v.exit_code : 0);
    return 0;
}

int proc_show_pid_statm(const struct proc_node *n, struct proc_text *out)
{
    struct proc_sizes z;

    proc_sizes_take(&z, n, PROC_SIZES_STATM);
    proc_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", (long)(z.total >> GUEST_PAGE_SHIFT),
                (long)(z.resident >> GUEST_PAGE_SHIFT), (long)(z.shared >> GUEST_PAGE_SHIFT),
                (long)(page_up(z.text) >> GUEST_PAGE_SHIFT),
                (long)((z.data + z.stack) >> GUEST_PAGE_SHIFT));
    return 0;
}
