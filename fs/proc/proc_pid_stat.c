/* /proc/PID/stat, status, statm, io: a process in numbers. */
#include "fs/proc/proc_priv.h"

#include "sentry/base/host_thread.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/usage.h"

#include <errno.h>
#include <string.h>

#define TICK_NS (NS_PER_SEC / 100) /* USER_HZ */
#define KB      1024u

/* What stat and status are made from; one moment's view. */
struct view {
    s32 pid, tgid, ppid, pgid, sid, tpgid;
    u32 tty;
    char state;
    char comm[16];
    u32 threads;
    s32 exit_signal;
    u64 utime, stime, child_utime, child_stime, start;
    u64 min_flt, maj_flt;
    u64 pending, group_pending, blocked, ignored, caught;
    u32 nqueued;
    u64 sigqueue_max;
    u32 exit_code;
};

static char state_of(struct task *t, struct thread_group *tg)
{
    switch (atomic_load(&t->state)) {
    case TASK_ZOMBIE: return 'Z';
    case TASK_DEAD: return 'X';
    case TASK_STOPPED: return 'T';
    default: break;
    }
    if (tg->stop == GROUP_STOPPED)
        return 'T';
    return atomic_load(&t->in_step) && t != current && sleeper_sleeps(&t->sleeper) ? 'S' : 'R';
}

/* view_tree() - what the pid lock guards. */
static void view_tree(struct view *v, const struct proc_node *n, struct thread_group *tg)
{
    struct pid_ns *ns = n->ns;

    pid_lock();
    v->pid = pid_nr(n->pid, ns);
    v->tgid = pid_nr(tg->pid, ns);
    v->ppid = tg->parent ? pid_nr(tg->parent->pid, ns) : 0;
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

static void view_signals(struct view *v, struct task *t, struct thread_group *tg)
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

/* view_take() - Return: 0, -ESRCH. */
static int view_take(struct view *v, const struct proc_node *n)
{
    struct thread_group *tg = proc_group(n);
    struct task *t = proc_task(n);
    int rc = -ESRCH;

    *v = (struct view){0};
    if (tg && t) {
        view_tree(v, n, tg);
        view_signals(v, t, tg);
        mutex_lock(&t->lock);
        memcpy(v->comm, t->comm, sizeof(v->comm));
        mutex_unlock(&t->lock);
        v->comm[15] = 0;
        v->start = t->start_time;
        if (n->thread) {
            mutex_lock(&tg->lock);
            task_times(t, &v->utime, &v->stime);
            mutex_unlock(&tg->lock);
        } else {
            thread_group_times(tg, &v->utime, &v->stime);
        }
        rc = 0;
    }
    task_put(t);
    thread_group_put(tg);
    return rc;
}

/* What of an address space the numbers tell. Resident: what is mapped and accessible but for the
 * untouched part of stacks; only the host knows how much of it is really there. */
struct sizes {
    u64 total, resident, shared, text, data, stack, locked, peak;
    uaddr_t start_code, end_code, stack_top, start_data, end_data, brk_start;
    uaddr_t arg_start, arg_end, env_start, env_end;
};

static void sizes_take(struct sizes *z, const struct proc_node *n)
{
    struct mm *mm = proc_mm(n);

    *z = (struct sizes){0};
    if (!mm)
        return;
    rwlock_read(&mm->lock);
    z->total = mm->total_bytes;
    z->peak = max_of(mm->peak_bytes, mm->total_bytes);
    z->data = mm->data_bytes;
    z->stack = mm->stack_bytes;
    z->locked = mm->locked_bytes;
    for (struct vma *v = mm_first_locked(mm); v; v = mm_next_locked(v)) {
        u64 len = v->end - v->start;

        if (!v->prot || (v->flags & (VMA_GROWSDOWN | VMA_NORESERVE)))
            continue;
        z->resident += len;
        if (v->mappable)
            z->shared += len;
    }
    z->text = mm->end_code - mm->start_code;
    z->start_code = mm->start_code;
    z->end_code = mm->end_code;
    z->start_data = mm->start_data;
    z->end_data = mm->end_data;
    z->brk_start = mm->brk_start;
    z->stack_top = mm->stack_top;
    z->arg_start = mm->arg_start;
    z->arg_end = mm->arg_end;
    z->env_start = mm->env_start;
    z->env_end = mm->env_end;
    rwlock_unlock(&mm->lock);
    mm_put(mm);
}

int proc_show_pid_stat(const struct proc_node *n, struct proc_text *out)
{
    bool inspect = proc_may_inspect(n) == 0;
    struct sizes z;
    struct view v;
    int rc = view_take(&v, n);

    if (rc < 0)
        return rc;
    sizes_take(&z, n);
    if (!inspect)
        z.start_code = z.end_code = z.stack_top = z.start_data = z.end_data = z.brk_start =
            z.arg_start = z.arg_end = z.env_start = z.env_end = 0;
    proc_printf(out, "%d (%s) %c %d %d %d %u %d 0 %lu 0 %lu 0 %lu %lu %lu %lu 20 0 %u 0 %lu", v.pid,
                v.comm, v.state, v.ppid, v.pgid, v.sid, v.tty, v.tpgid, (long)v.min_flt,
                (long)v.maj_flt, (long)(v.utime / TICK_NS), (long)(v.stime / TICK_NS),
                (long)(v.child_utime / TICK_NS), (long)(v.child_stime / TICK_NS), v.threads,
                (long)(v.start / TICK_NS));
    proc_printf(out, " %lu %lu %lu %lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0",
                (long)z.total, (long)(z.resident >> GUEST_PAGE_SHIFT), (long)RLIM_NONE,
                (long)z.start_code, (long)z.end_code, (long)z.stack_top, (long)v.pending,
                (long)v.blocked, (long)v.ignored, (long)v.caught,
                n->thread && v.pid != v.tgid ? -1 : v.exit_signal);
    proc_printf(out, " %lu %lu %lu %lu %lu %lu %lu %u\n", (long)z.start_data, (long)z.end_data,
                (long)z.brk_start, (long)z.arg_start, (long)z.arg_end, (long)z.env_start,
                (long)z.env_end, inspect ? v.exit_code : 0);
    return 0;
}

int proc_show_pid_statm(const struct proc_node *n, struct proc_text *out)
{
    struct sizes z;

    sizes_take(&z, n);
    proc_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", (long)(z.total >> GUEST_PAGE_SHIFT),
                (long)(z.resident >> GUEST_PAGE_SHIFT), (long)(z.shared >> GUEST_PAGE_SHIFT),
                (long)(page_up(z.text) >> GUEST_PAGE_SHIFT),
                (long)((z.data + z.stack) >> GUEST_PAGE_SHIFT));
    return 0;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R': return "running";
    case 'S': return "sleeping";
    case 'T': return "stopped";
    case 'Z': return "zombie";
    default: return "dead";
    }
}

static void show_ids(struct proc_text *out, struct task *t)
{
    struct cred *c = task_cred_of(t);
    const struct user_ns *ns = current ? task_cred(current)->user_ns : c->user_ns;

    proc_printf(out, "Uid:\t%u\t%u\t%u\t%u\n", uid_from_kuid(ns, c->uid),
                uid_from_kuid(ns, c->euid), uid_from_kuid(ns, c->suid),
                uid_from_kuid(ns, c->fsuid));
    proc_printf(out, "Gid:\t%u\t%u\t%u\t%u\n", gid_from_kgid(ns, c->gid),
                gid_from_kgid(ns, c->egid), gid_from_kgid(ns, c->sgid),
                gid_from_kgid(ns, c->fsgid));
    cred_put(c);
}

static void show_groups(struct proc_text *out, struct task *t)
{
    struct cred *c = task_cred_of(t);
    const struct user_ns *ns = current ? task_cred(current)->user_ns : c->user_ns;

    proc_puts(out, "Groups:\t");
    for (u32 i = 0; i < c->ngroups; i++)
        proc_printf(out, "%u ", gid_from_kgid(ns, c->groups[i]));
    proc_puts(out, "\n");
    cred_put(c);
}

/* show_ns_pids() - the process's numbers from the reader's namespace inwards. */
static void show_ns_pids(struct proc_text *out, const char *name, const struct pid *p,
                         const struct pid_ns *ns)
{
    proc_printf(out, "%s:", name);
    for (u32 i = ns->level; p && i <= p->level; i++)
        proc_printf(out, "\t%d", p->numbers[i].nr);
    proc_puts(out, "\n");
}

static void show_memory(struct proc_text *out, const struct sizes *z)
{
    const struct {
        const char *name;
        u64 bytes;
    } rows[] = {
        {"VmPeak:", z->peak},
        {"VmSize:", z->total},
        {"VmLck:", z->locked},
        {"VmPin:", 0},
        {"VmHWM:", z->resident},
        {"VmRSS:", z->resident},
        {"RssAnon:", z->resident - min_of(z->shared, z->resident)},
        {"RssFile:", z->shared},
        {"RssShmem:", 0},
        {"VmData:", z->data},
        {"VmStk:", z->stack},
        {"VmExe:", z->text},
        {"VmLib:", 0},
        {"VmPTE:", 0},
        {"VmSwap:", 0},
    };

    if (!z->total)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        proc_printf(out, "%s\t%8lu kB\n", rows[i].name, (long)(rows[i].bytes / KB));
}

static void show_seccomp(struct proc_text *out, struct task *t)
{
    u32 filters;

    mutex_lock(&t->tg->lock);
    filters = t->seccomp ? t->seccomp->depth : 0;
    mutex_unlock(&t->tg->lock);
    proc_printf(out, "Seccomp:\t%u\nSeccomp_filters:\t%u\n", seccomp_mode(&t->seccomp_mode),
                filters);
}

static void show_capabilities(struct proc_text *out, struct task *t)
{
    struct cred *c = task_cred_of(t);

    proc_printf(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n",
                (long)c->cap_inheritable, (long)c->cap_permitted, (long)c->cap_effective,
                (long)c->cap_bounding);
    proc_printf(out, "CapAmb:\t%016lx\nNoNewPrivs:\t%d\n", (long)c->cap_ambient, c->no_new_privs);
    cred_put(c);
}

/* show_cpus() - the CPUs that a task may run on, as a mask and as a list. */
static void show_cpus(struct proc_text *out, struct task *t)
{
    u32 cpus = container_cpus(t->tg->container);

    proc_puts(out, "Cpus_allowed:\t");
    for (u32 word = (cpus + 31) / 32; word-- > 0;) {
        u32 bits = cpus - word * 32 >= 32 ? UINT32_MAX : (1u << (cpus - word * 32)) - 1;

        proc_printf(out, word ? "%x," : "%x", bits);
    }
    if (cpus > 1)
        proc_printf(out, "\nCpus_allowed_list:\t0-%u\n", cpus - 1);
    else
        proc_puts(out, "\nCpus_allowed_list:\t0\n");
}

static void show_status(struct proc_text *out, const struct proc_node *n, struct task *t,
                        const struct view *v)
{
    struct fs_context *fs = proc_fs(n);
    struct fdtable *files = proc_files(n);
    struct sizes z;

    proc_puts(out, "Name:\t");
    proc_put_escaped(out, v->comm, "\n\\");
    if (fs)
        proc_printf(out, "\nUmask:\t%04o", fs->umask);
    proc_printf(out, "\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
                v->state, state_name(v->state), v->tgid, v->pid, v->ppid);
    show_ids(out, t);
    proc_printf(out, "FDSize:\t%u\n", files ? files->nslots : 0);
    show_groups(out, t);
    show_ns_pids(out, "NStgid", t->tg->pid, n->ns);
    show_ns_pids(out, "NSpid", t->pid, n->ns);
    sizes_take(&z, n);
    show_memory(out, &z);
    proc_printf(out, "Threads:\t%u\nSigQ:\t%u/%lu\n", v->threads, v->nqueued,
                (long)v->sigqueue_max);
    proc_printf(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\n",
                (long)v->pending, (long)v->group_pending, (long)v->blocked, (long)v->ignored);
    proc_printf(out, "SigCgt:\t%016lx\n", (long)v->caught);
    show_capabilities(out, t);
    show_seccomp(out, t);
    proc_puts(out, "Speculation_Store_Bypass:\tunknown\n");
    show_cpus(out, t);
    proc_puts(out, "Mems_allowed:\t1\nMems_allowed_list:\t0\n"
                   "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
    fs_context_put(fs);
    fdtable_put(files);
}

int proc_show_pid_status(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    struct view v;
    int rc = t ? view_take(&v, n) : -ESRCH;

    if (rc == 0)
        show_status(out, n, t, &v);
    task_put(t);
    return rc;
}

/* proc_show_pid_io() - nothing counts these, and zero is what Linux shows a process that did none. */
int proc_show_pid_io(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
                   "cancelled_write_bytes: 0\n");
    return 0;
}

/* proc_show_pid_wchan() - a symbol of the kernel that Linux, too, mostly hides. */
int proc_show_pid_wchan(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0");
    return 0;
}
