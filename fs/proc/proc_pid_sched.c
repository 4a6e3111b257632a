/*
 * /proc/PID: how a process runs: its personality, timer slack, time on CPUs, children, input and
 * output.
 */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_cred.h"

#include <errno.h>
#include <stdatomic.h>

#define DEFAULT_SLACK_NS 50000u
#define CHILDREN_AT_ONCE 512u

int proc_show_pid_personality(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);

    if (!t)
        return -ESRCH;
    proc_printf(out, "%08x\n", atomic_load(&t->personality));
    task_put(t);
    return 0;
}

/* --- timerslack_ns: one's own, or with CAP_SYS_NICE anybody's --- */

static bool may_slack(struct task *t)
{
    struct cred *c;
    bool ok;

    if (!current || t == current)
        return true;
    c = task_cred_of(t);
    ok = cred_has_cap(task_cred(current), c->user_ns, LX_CAP_SYS_NICE);
    cred_put(c);
    return ok;
}

int proc_show_pid_timerslack(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    u32 ns;

    if (!t)
        return -ESRCH;
    if (!may_slack(t)) {
        task_put(t);
        return -EPERM;
    }
    ns = atomic_load(&t->timer_slack_ns);
    proc_printf(out, "%u\n", ns ? ns : DEFAULT_SLACK_NS);
    task_put(t);
    return 0;
}

int proc_store_pid_timerslack(const struct proc_node *n, const struct cred *opener,
                              const char *text, size_t len)
{
    struct task *t;
    u64 ns;
    int rc = proc_parse_u64(text, 10, &ns);

    if (rc < 0)
        return rc;
    t = proc_task(n);
    if (!t)
        return -ESRCH;
    rc = may_slack(t) ? 0 : -EPERM;
    if (rc == 0)
        atomic_store(&t->timer_slack_ns, ns ? (u32)min_of(ns, (u64)UINT32_MAX) : 0);
    task_put(t);
    return rc;
}

/* proc_show_pid_schedstat() - time on CPUs in ns. What it waited for one, and how often it came to
 * one, the host doesn't say. */
int proc_show_pid_schedstat(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    u64 u, s;

    if (!t)
        return -ESRCH;
    mutex_lock(&t->tg->lock);
    task_times(t, &u, &s);
    mutex_unlock(&t->tg->lock);
    task_put(t);
    proc_printf(out, "%lu 0 0\n", (unsigned long)(u + s));
    return 0;
}

/* proc_show_tid_children() - the processes that a thread made and that are still its children. */
int proc_show_tid_children(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    s32 numbers[CHILDREN_AT_ONCE];
    struct thread_group *child;
    u32 count = 0;

    if (!t)
        return -ESRCH;
    pid_lock();
    list_for_each(child, &t->tg->children, sibling) {
        bool mine = child->forker == t->obj.id || (!child->forker && t == t->tg->leader);

        if (mine && count < CHILDREN_AT_ONCE)
            numbers[count++] = pid_nr(child->pid, n->ns);
    }
    pid_unlock();
    for (u32 i = 0; i < count; i++)
        proc_printf(out, "%d ", numbers[i]);
    task_put(t);
    return 0;
}

/* --- input and output --- */

static void add_group(struct io_count *sum, struct thread_group *tg)
{
    struct task *t;

    io_count_add(sum, &tg->io);
    mutex_lock(&tg->lock);
    list_for_each(t, &tg->tasks, in_group)
        io_count_add(sum, &t->io);
    mutex_unlock(&tg->lock);
}

/* proc_show_pid_io() - what calls moved. What of it reached a disk is the host's affair. */
int proc_show_pid_io(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    struct io_count sum = {0};

    if (!t)
        return -ESRCH;
    if (n->thread)
        io_count_add(&sum, &t->io);
    else
        add_group(&sum, t->tg);
    task_put(t);
    proc_printf(out, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", (long)sum.rchar,
                (long)sum.wchar, (long)sum.syscr, (long)sum.syscw);
    proc_puts(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}

/* proc_show_pid_wchan() - a symbol of the kernel that Linux, too, mostly hides. */
int proc_show_pid_wchan(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0");
    return 0;
}

/* proc_show_pid_stack() - for who administers the machine, which nobody in a container does. */
int proc_show_pid_stack(const struct proc_node *n, struct proc_text *out)
{
    return -EPERM;
}
