/*
 * clone(2): a further task of the caller's group, or a new process.
 *
 * Checked first, then everything that can fail is made (pid, objects, the host's thread), then the
 * child is linked under the pid lock and its group's lock, which can't fail but for one reason: the
 * group has begun to exit, to exec or to stop, or a signal came for the caller's process group and
 * the child would miss it. Then all is undone and the call is restarted, which takes the signal
 * first.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/base/clean.h"
#include "sentry/ipc/sem.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- CLONE_VFORK --- */

static void vfork_free(struct obj *o)
{
    struct vfork *v = container_of(o, struct vfork, obj);

    waitq_destroy(&v->done_wait);
    free(v);
}

static struct obj_type vfork_type = {.name = "vfork", .free = vfork_free};

static struct vfork *vfork_new(void)
{
    struct vfork *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    obj_init(&v->obj, &vfork_type);
    waitq_init(&v->done_wait);
    return v;
}

void vfork_done(struct task *t)
{
    if (!t->vfork)
        return;
    atomic_store(&t->vfork->done, true);
    waitq_wake_all(&t->vfork->done_wait, 0);
    t->vfork = vfork_put(t->vfork);
}

/* --- checks --- */

static int check_flags(const struct task *t, const struct clone_args *a)
{
    u64 flags = a->flags;

    if ((flags & LX_CLONE_FS) && (flags & (LX_CLONE_NEWNS | LX_CLONE_NEWUSER)))
        return -EINVAL;
    if ((flags & LX_CLONE_THREAD) && !(flags & LX_CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & LX_CLONE_SIGHAND) && !(flags & LX_CLONE_VM))
        return -EINVAL;
    if ((flags & LX_CLONE_PARENT) && t->tg->unkillable)
        return -EINVAL; /* an init's siblings would have no parent in their namespace */
    if ((flags & LX_CLONE_THREAD) && (flags & (LX_CLONE_NEWUSER | LX_CLONE_NEWPID)))
        return -EINVAL;
    if ((flags & LX_CLONE_THREAD) && t->ns->pid_for_children != t->pid->ns)
        return -EINVAL;
    if ((flags & LX_CLONE_NEWIPC) && (flags & LX_CLONE_SYSVSEM))
        return -EINVAL;
    if (flags & LX_CLONE_NEWTIME)
        return -EINVAL; /* as a kernel without time namespaces */
    if ((flags & LX_CLONE_PIDFD) && (flags & (LX_CLONE_DETACHED | LX_CLONE_THREAD)))
        return -EINVAL;
    if ((flags & LX_CLONE_INTO_CGROUP) || a->set_tid_size)
        return -EINVAL;
    return 0;
}

/* check_signals() - what is pending is taken before the fork. *group_signals: see check_late(). */
static int check_signals(struct task *t, u32 *group_signals)
{
    struct thread_group *tg = t->tg;
    bool pending;

    mutex_lock(&tg->lock);
    signal_recompute_locked(t);
    pending = signal_pending(t);
    mutex_unlock(&tg->lock);
    *group_signals = __atomic_load_n(&tg->group_signals, __ATOMIC_ACQUIRE);
    return pending ? -ERESTARTNOINTR : 0;
}

/* check_late_locked() - may the child still be linked? pid lock and parent group's lock held. */
static int check_late_locked(struct task *t, struct task *child, const struct clone_args *a,
                             u32 group_signals)
{
    const struct pid_ns *ns = child->pid->ns;
    struct thread_group *tg = t->tg;

    if (tg->exiting || tg->exec_task)
        return -ERESTARTNOINTR;
    if ((a->flags & LX_CLONE_THREAD) && task_must_stop_locked(t))
        return -ERESTARTNOINTR;
    if (tg->group_signals != group_signals && signal_pending(t))
        return -ERESTARTNOINTR;
    /* The first process of a pid namespace is its init, or there is none. */
    if (ns->dying || (!ns->init && pid_nr(child->pid, ns) != 1))
        return -ENOMEM;
    return 0;
}

/* --- making --- */

/* copy_sighand() - for a new group. Return: a new reference, or NULL. */
static struct sighand *copy_sighand(struct task *t, u64 flags)
{
    struct sighand *from = t->tg->sighand, *sh;

    if (flags & LX_CLONE_SIGHAND)
        return sighand_get(from);
    mutex_lock(&from->lock);
    sh = sighand_new(from);
    mutex_unlock(&from->lock);
    if (sh && (flags & LX_CLONE_CLEAR_SIGHAND))
        sighand_exec(sh);
    return sh;
}

/* copy_group() - a new process' group, not linked. */
static int copy_group(struct task *t, const struct clone_args *a, struct pid *pid,
                      struct thread_group **out)
{
    struct thread_group *from = t->tg, *tg;
    int err = thread_group_alloc(from->container, pid, &tg);

    if (err)
        return err;
    tg->sighand = copy_sighand(t, a->flags);
    if (!tg->sighand) {
        thread_group_put(tg);
        return -ENOMEM;
    }
    tg->exit_signal = (s32)a->exit_signal;
    mutex_lock(&from->lock);
    memcpy(tg->limits, from->limits, sizeof(tg->limits));
    tg->exe = file_get(from->exe);
    tg->oom_score_adj = from->oom_score_adj;
    atomic_init(&tg->thp_disabled, atomic_load(&from->thp_disabled));
    mutex_unlock(&from->lock);
    *out = tg;
    return 0;
}

/* copy_own() - what the child takes from the calling task without sharing or host calls. */
static void copy_own(struct task *t, struct task *child, const struct clone_args *a)
{
    memcpy(child->comm, t->comm, sizeof(child->comm));
    child->blocked = t->blocked;
    if ((a->flags & (LX_CLONE_VM | LX_CLONE_VFORK)) != LX_CLONE_VM)
        child->altstack = t->altstack;
    if (a->flags & LX_CLONE_CHILD_SETTID)
        child->set_child_tid = a->child_tid;
    if (a->flags & LX_CLONE_CHILD_CLEARTID)
        child->clear_child_tid = a->child_tid;
    child->mce_kill = t->mce_kill;
    child->io_flusher = t->io_flusher;
    child->personality = t->personality;
    child->timer_slack_ns = t->timer_slack_ns;
    child->fault = t->fault;
    child->sched = t->sched;
    if (t->sched.reset_on_fork) {
        child->sched.policy = child->sched.priority = 0;
        child->sched.nice = max_of(child->sched.nice, 0);
        child->sched.reset_on_fork = false;
    }
}

static int copy_files(struct task *t, struct task *child, u64 flags)
{
    child->files = flags & LX_CLONE_FILES ? fdtable_get(t->files) : fdtable_dup(t->files);
    return child->files ? 0 : -ENOMEM;
}

/* copy_sem_undo() - CLONE_SYSVSEM: what either takes is given back when both are gone. */
static int copy_sem_undo(struct task *t, struct task *child, u64 flags)
{
    if (!(flags & LX_CLONE_SYSVSEM))
        return 0;
    child->sem_undo = sem_undo_list_get(sem_undo_list_of(t));
    return child->sem_undo ? 0 : -ENOMEM;
}

static bool has_fork_advice(struct mm *mm)
{
    for (struct vma *v = mm_first_locked(mm); v; v = mm_next_locked(v))
        if (v->flags & (VMA_DONTFORK | VMA_WIPEONFORK))
            return true;
    return false;
}

/* copy_mm() - the host's thread and the address space it runs in. On failure child->thread tells
 * whether there is one to discard. */
static int copy_mm(struct task *t, struct task *child, const struct clone_args *a)
{
    const struct platform_ops *ops = task_platform(t);
    struct arch_regs regs = *ops->regs(t->thread);
    int err;

    arch_regs_clone(&regs, a->stack);
    if (a->flags & LX_CLONE_SETTLS)
        arch_regs_set_tls(&regs, a->tls);
    if (a->flags & LX_CLONE_VM) {
        child->mm = mm_get(t->mm);
        return ops->thread_clone(t->thread, &regs, child, &child->thread);
    }
    /* Table and memory are copied at the same moment, whatever other threads map meanwhile. */
    rwlock_write(&t->mm->lock);
    err = ops->thread_fork(t->thread, &regs, child, &child->thread);
    if (!err)
        err = mm_fork_locked(t->mm, child->thread, &child->mm);
    rwlock_unlock(&t->mm->lock);
    if (!err && has_fork_advice(child->mm))
        atomic_fetch_or(&child->work, TASK_WORK_MM);
    return err;
}

/* What the child is, before it has a number: which namespaces it is in decides about that. */
struct child_place {
    struct cred *cred; /* references */
    struct fs_context *fs;
    struct nsproxy *ns;
};

static void place_drop(struct child_place *p)
{
    cred_put(p->cred);
    fs_context_put(p->fs);
    nsproxy_put(p->ns);
}

static int place_make(struct task *t, u64 flags, struct child_place *p)
{
    int err = ns_clone_cred(t, flags, &p->cred);

    if (err)
        return err;
    p->fs = flags & LX_CLONE_FS ? fs_context_get(t->fs) : fs_context_dup(t->fs);
    return p->fs ? ns_make(t, flags, p->cred, p->fs, &p->ns) : -ENOMEM;
}

/* place_take() - the references become the child's. */
static void place_take(struct child_place *p, struct task *child)
{
    child->cred = take(p->cred);
    child->fs = take(p->fs);
    child->ns = take(p->ns);
}

/* make_child() - everything but linking. `event`: of clone_event(). On failure nothing is left but
 * the charge. */
static int make_child(struct task *t, const struct clone_args *a, u32 event,
                      struct child_place *place, struct task **out)
{
    struct thread_group *tg = NULL;
    struct task *child = NULL;
    struct pid *pid;
    int err = pid_alloc(place->ns->pid_for_children, &pid);

    if (err)
        return err;
    if (a->flags & LX_CLONE_THREAD)
        tg = thread_group_get(t->tg);
    else
        err = copy_group(t, a, pid, &tg);
    if (!err)
        err = task_alloc(tg, pid, &child);
    if (!err) {
        place_take(place, child);
        copy_own(t, child, a);
        err = copy_files(t, child, a->flags);
    }
    if (!err)
        err = copy_sem_undo(t, child, a->flags);
    if (!err && (event || ((a->flags & LX_CLONE_PTRACE) && task_traced(t))))
        err = trace_prepare_child(child);
    if (!err)
        err = copy_mm(t, child, a);
    if (err) {
        pid_lock();
        pid_release_locked(pid);
        pid_unlock();
        if (child && child->thread)
            task_platform(t)->thread_discard(child->thread);
        task_put(child);
    } else {
        *out = child;
    }
    thread_group_put(tg);
    pid_put(pid);
    return err;
}

static void discard_child(struct task *child)
{
    pid_lock();
    pid_release_locked(child->pid);
    pid_unlock();
    task_platform(child)->thread_discard(child->thread);
    task_put(child);
}

/* --- linking --- */

/* link_group_locked() - a new process into the tree. pid lock held, no group's lock. */
static void link_group_locked(struct task *t, struct thread_group *tg, u64 flags)
{
    struct thread_group *parent = t->tg;

    tg->forker = t->obj.id;
    if (flags & LX_CLONE_PARENT) {
        tg->forker = t->tg->forker;
        tg->exit_signal = t->tg->exit_signal;
        parent = t->tg->parent;
    }
    tg->parent = parent;
    if (parent) {
        tg->parent_exec_id = parent->exec_id;
        list_add_tail(&parent->children, &tg->sibling);
    }
    pgrp_join_locked(tg, t->tg->pgrp);
    ctty_inherit_locked(tg, t->tg);
    if (!tg->pid->ns->init) {
        tg->pid->ns->init = tg;
        tg->unkillable = true;
    }
}

static int link_child(struct task *t, struct task *child, const struct clone_args *a,
                      u32 group_signals)
{
    struct thread_group *tg = child->tg;
    int err;

    pid_lock();
    mutex_lock(&t->tg->lock);
    err = check_late_locked(t, child, a, group_signals);
    if (!err)
        seccomp_inherit_locked(t, child);
    if (!err && tg == t->tg)
        task_link_locked(child);
    mutex_unlock(&t->tg->lock);
    if (!err && tg != t->tg) {
        mutex_lock(&tg->lock);
        task_link_locked(child);
        mutex_unlock(&tg->lock);
        link_group_locked(t, tg, a->flags);
    }
    if (!err && unlikely(child->tracee))
        trace_inherit_locked(t, child);
    pid_unlock();
    return err;
}

/* open_pidfd() - CLONE_PIDFD: a descriptor of the child for the caller. Return: its number, errno. */
static int open_pidfd(struct task *t, struct task *child, uaddr_t uaddr)
{
    struct file *f;
    s32 fd;
    int err = pidfd_file(child->pid, 0, task_cred(t), &f);

    if (err)
        return err;
    fd = fd_install(t->files, f, 0, task_rlimit(t, LX_RLIMIT_NOFILE), true);
    if (fd < 0) {
        file_put(f);
        return fd;
    }
    if (usermem_put(t->mm, uaddr, &fd) == 0)
        return fd;
    fd_close(t->files, fd);
    return -EFAULT;
}

/* tell_tids() - CLONE_PARENT_SETTID and CLONE_CHILD_SETTID; a bad address is nobody's error. */
static void tell_tids(struct task *t, struct task *child, const struct clone_args *a, s32 nr)
{
    s32 own = pid_nr(child->pid, child->pid->ns);

    if (a->flags & LX_CLONE_PARENT_SETTID)
        usermem_put(t->mm, a->parent_tid, &nr);
    if (a->flags & LX_CLONE_CHILD_SETTID)
        usermem_put(child->mm, a->child_tid, &own);
}

/* clone_event() - the event that the caller's tracer wants to hear of (ptrace(2)); 0: none. */
static u32 clone_event(const struct task *t, const struct clone_args *a)
{
    u32 event = LX_PTRACE_EVENT_FORK;

    if (likely(!t->tracee) || (a->flags & LX_CLONE_UNTRACED))
        return 0;
    if (a->flags & LX_CLONE_VFORK)
        event = LX_PTRACE_EVENT_VFORK;
    else if (a->exit_signal != LX_SIGCHLD)
        event = LX_PTRACE_EVENT_CLONE;
    return trace_event_wanted(t, event) ? event : 0;
}

/* start_child() - let it run; with `v` wait until it has left our memory. `child` is borrowed only
 * until it runs. */
static void start_child(struct task *t, struct task *child, struct vfork *v, u32 event)
{
    const struct platform_ops *ops = task_platform(child);
    struct plat_thread *th = child->thread;
    struct pid *pid = t->tracee ? pid_get(child->pid) : NULL;

    if (atomic_load(&child->work))
        ops->interrupt(th);
    ops->thread_start(th);
    if (event)
        trace_event_pid(t, event, pid);
    if (v && wait_event_killable(&v->done_wait, 0, DEADLINE_NEVER, atomic_load(&v->done)) == 0 &&
        trace_event_wanted(t, LX_PTRACE_EVENT_VFORK_DONE))
        trace_event_pid(t, LX_PTRACE_EVENT_VFORK_DONE, pid);
    pid_put(pid);
}

s64 task_clone(struct task *t, const struct clone_args *a)
{
    struct container *c = t->tg->container;
    u32 uid = t->cred->uid, group_signals, event = clone_event(t, a);
    struct child_place place = {0};
    struct vfork *v = NULL;
    struct task *child;
    s32 nr, pidfd;
    int err = check_flags(t, a);

    if (!err)
        err = check_signals(t, &group_signals);
    if (!err)
        err = task_count_charge(c, t->cred, task_rlimit(t, LX_RLIMIT_NPROC));
    if (err)
        return err;
    if (a->flags & LX_CLONE_VFORK) {
        v = vfork_new();
        err = v ? 0 : -ENOMEM;
    }
    if (!err)
        err = place_make(t, a->flags, &place);
    if (!err)
        err = make_child(t, a, event, &place, &child);
    place_drop(&place);
    if (!err) {
        child->vfork = vfork_get(v);
        nr = pid_nr(child->pid, t->pid->ns);
        pidfd = a->flags & LX_CLONE_PIDFD ? open_pidfd(t, child, a->pidfd) : -1;
        err = a->flags & LX_CLONE_PIDFD && pidfd < 0 ? pidfd : 0;
        if (!err)
            err = link_child(t, child, a, group_signals);
        if (err && pidfd >= 0)
            fd_close(t->files, pidfd);
        if (err)
            discard_child(child);
    }
    if (err) {
        vfork_put(v);
        task_count_release(c, uid);
        return err;
    }
    tell_tids(t, child, a, nr);
    start_child(t, child, v, event);
    vfork_put(v);
    return nr;
}
