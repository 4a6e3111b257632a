/* /proc/PID/status: a process in words. */
#include "fs/proc/proc_pid_view.h"

#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/usage.h"

#include <errno.h>

#define KB 1024u

static const char *state_name(char state)
{
    switch (state) {
    case 'R': return "running";
    case 'S': return "sleeping";
    case 'T': return "stopped";
    case 't': return "tracing stop";
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

/* show_ns_sessions() - the group and session of the process, numbered the same way. */
static void show_ns_sessions(struct proc_text *out, struct task *t, const struct pid_ns *ns)
{
    struct pid *pgrp = NULL, *session = NULL;

    pid_lock();
    if (t->tg->pgrp) {
        pgrp = pid_get(t->tg->pgrp->pid);
        session = pid_get(t->tg->pgrp->session->pid);
    }
    pid_unlock();
    show_ns_pids(out, "NSpgid", pgrp, ns);
    show_ns_pids(out, "NSsid", session, ns);
    pid_put(pgrp);
    pid_put(session);
}

static void show_memory(struct proc_text *out, const struct proc_sizes *z)
{
    const struct {
        const char *name;
        u64 bytes;
    } rows[] = {
        {"VmPeak:", z->peak},
        {"VmSize:", z->total},
        {"VmLck:", z->locked},
        {"VmPin:", 0},
        {"VmHWM:", max_of(z->high, z->resident)},
        {"VmRSS:", z->resident},
        {"RssAnon:", z->anon},
        {"RssFile:", z->file},
        {"RssShmem:", z->shmem},
        {"VmData:", z->data},
        {"VmStk:", z->stack},
        {"VmExe:", z->text},
        {"VmLib:", z->lib},
        {"VmPTE:", z->page_tables},
        {"VmSwap:", z->swap},
        {"HugetlbPages:", 0},
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
    u32 cpus = min_of(container_cpus(t->tg->container), SCHED_CPU_WORDS * 64u);
    struct task_sched sched;

    mutex_lock(&t->lock);
    sched = t->sched;
    mutex_unlock(&t->lock);
    for (u32 i = 0; !sched.pinned && i < SCHED_CPU_WORDS; i++)
        sched.affinity[i] = UINT64_MAX;
    proc_puts(out, "Cpus_allowed:\t");
    proc_put_cpu_mask(out, sched.affinity, cpus);
    proc_puts(out, "Cpus_allowed_list:\t");
    proc_put_cpu_list(out, sched.affinity, cpus);
}

static void show_status(struct proc_text *out, const struct proc_node *n, struct task *t,
                        const struct proc_view *v)
{
    struct fs_context *fs = proc_fs(n);
    struct fdtable *files = proc_files(n);
    struct proc_sizes z;

    proc_sizes_take(&z, n, PROC_SIZES_STATUS);
    proc_puts(out, "Name:\t");
    proc_put_escaped(out, v->comm, "\n\\");
    if (fs)
        proc_printf(out, "\nUmask:\t%04o", fs->umask);
    proc_printf(out, "\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
                v->state, state_name(v->state), v->tgid, v->pid, v->ppid, v->tracer);
    show_ids(out, t);
    proc_printf(out, "FDSize:\t%u\n", files ? files->nslots : 0);
    show_groups(out, t);
    show_ns_pids(out, "NStgid", t->tg->pid, n->ns);
    show_ns_pids(out, "NSpid", t->pid, n->ns);
    show_ns_sessions(out, t, n->ns);
    show_memory(out, &z);
    proc_printf(out, "CoreDumping:\t0\nTHP_enabled:\t%d\n", !atomic_load(&t->tg->thp_disabled));
    proc_printf(out, "Threads:\t%u\nSigQ:\t%u/%lu\n", v->threads, v->nqueued,
                (long)v->sigqueue_max);
    proc_printf(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\n",
                (long)v->pending, (long)v->group_pending, (long)v->blocked, (long)v->ignored);
    proc_printf(out, "SigCgt:\t%016lx\n", (long)v->caught);
    show_capabilities(out, t);
    show_seccomp(out, t);
    proc_puts(out, "Speculation_Store_Bypass:\tunknown\n");
    show_cpus(out, t);
    proc_puts(out, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
    proc_printf(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                (long)z.voluntary, (long)z.involuntary);
    fs_context_put(fs);
    fdtable_put(files);
}

int proc_show_pid_status(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    struct proc_view v;
    int rc = t ? proc_view_take(&v, n) : -ESRCH;

    if (rc == 0)
        show_status(out, n, t, &v);
    task_put(t);
    return rc;
}
