/* The guest's own seccomp(2); see seccomp.h. */
#include "sentry/kernel/seccomp.h"

#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include "sentry/kernel/seccomp_bpf.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATH_OVERHEAD 4u
#define ERRNO_MAX     4095u

/* --- filters --- */

/* filter_free() - a chain may be long: it is let go in a loop. */
static void filter_free(struct obj *o)
{
    struct seccomp_filter *f = container_of(o, struct seccomp_filter, obj), *prev;

    do {
        prev = f->prev;
        free(f);
        f = prev;
    } while (f && obj_drop_(&f->obj));
}

static struct obj_type filter_type = {.name = "seccomp_filter", .free = filter_free};

int seccomp_filter_new(const struct lx_sock_filter *insns, u32 n, bool log,
                       struct seccomp_filter **out)
{
    struct seccomp_filter *f;
    int err = seccomp_bpf_check(insns, n);

    if (err)
        return err;
    f = malloc(sizeof(*f) + n * sizeof(*insns));
    if (!f)
        return -ENOMEM;
    *f = (struct seccomp_filter){.depth = 1, .path = n, .n = n, .log = log};
    obj_init(&f->obj, &filter_type);
    memcpy(f->insns, insns, n * sizeof(*insns));
    *out = f;
    return 0;
}

/* --- installing --- */

/* can_follow() - is a task's chain a part of ours? */
static bool can_follow(const struct task *other, const struct seccomp_filter *ours)
{
    u32 mode = seccomp_mode(&other->seccomp_mode);

    if (mode != LX_SECCOMP_MODE_FILTER)
        return mode == LX_SECCOMP_MODE_DISABLED;
    while (ours && ours != other->seccomp)
        ours = ours->prev;
    return ours;
}

/* check_sync_locked() - Return: 0, or the tid of who can't follow, or -ESRCH. */
static int check_sync_locked(struct task *t, u32 flags)
{
    struct task *other;

    list_for_each(other, &t->tg->tasks, in_group) {
        if (other == t || can_follow(other, t->seccomp))
            continue;
        if (flags & LX_SECCOMP_FILTER_TSYNC_ESRCH)
            return -ESRCH;
        return pid_nr(other->pid, t->pid->ns);
    }
    return 0;
}

/* publish_locked() - the filter first, then the mode that makes its task look at it. Return: what
 * was there. */
static struct seccomp_filter *publish_locked(struct task *t, struct seccomp_filter *f)
{
    struct seccomp_filter *old = t->seccomp;

    __atomic_store_n(&t->seccomp, f, __ATOMIC_RELEASE);
    __atomic_store_n(&t->seccomp_mode, LX_SECCOMP_MODE_FILTER, __ATOMIC_RELEASE);
    return old;
}

/* sync_locked() - the others follow. What they had is a part of what they get, so it stays. */
static void sync_locked(struct task *t)
{
    struct task *other;

    list_for_each(other, &t->tg->tasks, in_group) {
        if (other == t)
            continue;
        seccomp_filter_put(publish_locked(other, seccomp_filter_get(t->seccomp)));
        if (t->cred->no_new_privs)
            atomic_store(&other->must_drop_privs, true);
    }
}

/* install_locked() - Return: as seccomp_install(); the filter is taken if 0. */
static int install_locked(struct task *t, struct seccomp_filter *f, u32 flags)
{
    int err;

    if (seccomp_mode(&t->seccomp_mode) == LX_SECCOMP_MODE_STRICT)
        return -EINVAL;
    f->prev = t->seccomp; /* the task's reference becomes the chain's */
    if (f->prev) {
        f->depth = f->prev->depth + 1;
        f->path = f->prev->path + PATH_OVERHEAD + f->n;
    }
    err = f->path > LIMIT_SECCOMP_PATH ? -ENOMEM : 0;
    if (!err && (flags & LX_SECCOMP_FILTER_TSYNC))
        err = check_sync_locked(t, flags);
    if (err) {
        f->prev = NULL;
        return err;
    }
    publish_locked(t, f);
    if (flags & LX_SECCOMP_FILTER_TSYNC)
        sync_locked(t);
    return 0;
}

int seccomp_install(struct task *t, struct seccomp_filter *f, u32 flags)
{
    int err;

    mutex_lock(&t->tg->lock);
    err = install_locked(t, f, flags);
    mutex_unlock(&t->tg->lock);
    if (err)
        seccomp_filter_put(f);
    return err;
}

int seccomp_set_strict(struct task *t)
{
    int err = 0;

    mutex_lock(&t->tg->lock);
    if (t->seccomp_mode == LX_SECCOMP_MODE_FILTER)
        err = -EINVAL;
    else
        __atomic_store_n(&t->seccomp_mode, LX_SECCOMP_MODE_STRICT, __ATOMIC_RELEASE);
    mutex_unlock(&t->tg->lock);
    return err;
}

void seccomp_inherit_locked(struct task *parent, struct task *child)
{
    child->seccomp = seccomp_filter_get(parent->seccomp);
    child->seccomp_mode = parent->seccomp_mode;
    child->must_drop_privs = atomic_load(&parent->must_drop_privs);
}

/* --- asking --- */

/* ask() - the strictest verdict of a chain; of equal ones that of the newest filter. */
static u32 ask(const struct seccomp_filter *f, const struct lx_seccomp_data *data,
               const struct seccomp_filter **by)
{
    u32 verdict = LX_SECCOMP_RET_ALLOW;

    for (; f; f = f->prev) {
        u32 got = seccomp_bpf_run(f->insns, data);

        if ((s32)(got & LX_SECCOMP_RET_ACTION) < (s32)(verdict & LX_SECCOMP_RET_ACTION)) {
            verdict = got;
            *by = f;
        }
    }
    return verdict;
}

/* trap() - SIGSYS; registers are as before the call but for the instruction pointer. */
static s64 trap(struct task *t, const struct lx_seccomp_data *data, u32 verdict)
{
    struct lx_siginfo info = {
        .signo = LX_SIGSYS, .error = (s32)(verdict & LX_SECCOMP_RET_DATA), .code = LX_SYS_SECCOMP};

    info.sys.call_addr = data->ip;
    info.sys.syscall = data->nr;
    info.sys.arch = data->arch;
    signal_force(t, &info);
    return data->nr;
}

/* kill_task() - the thread alone, or the process if it is its last. */
static void kill_task(struct task *t, bool process, u32 signo)
{
    struct thread_group *tg = t->tg;
    bool last;

    mutex_lock(&tg->lock);
    last = tg->nlive == 1;
    mutex_unlock(&tg->lock);
    if (process || last)
        group_exit(tg, signo);
    task_exit(t, signo);
}

static bool strict_allows(struct task *t, s64 nr)
{
    if (nr == 0 || nr == 1 || nr == 60 || nr == 15) /* read, write, exit, rt_sigreturn */
        return true;
    kill_task(t, false, LX_SIGKILL);
    return false;
}

/* drop_privs() - another task's TSYNC has given us its no_new_privs. */
static int drop_privs(struct task *t)
{
    struct cred *c = cred_dup(t->cred);

    if (!c)
        return -ENOMEM;
    c->no_new_privs = true;
    task_set_cred(t, c);
    atomic_store(&t->must_drop_privs, false);
    return 0;
}

/* apply() - what the verdict does, TRACE apart. Return: true: the call is made. */
static bool apply(struct task *t, u32 verdict, const struct lx_seccomp_data *data, s64 *result)
{
    switch (verdict & LX_SECCOMP_RET_ACTION) {
    case LX_SECCOMP_RET_ALLOW:
    case LX_SECCOMP_RET_LOG: return true;
    case LX_SECCOMP_RET_ERRNO:
        *result = -(s64)min_of(verdict & LX_SECCOMP_RET_DATA, ERRNO_MAX);
        return false;
    case LX_SECCOMP_RET_TRAP: *result = trap(t, data, verdict); return false;
    case LX_SECCOMP_RET_TRACE:                          /* no tracer wants to know */
    case LX_SECCOMP_RET_USER_NOTIF: /* no listener */ *result = -ENOSYS; return false;
    case LX_SECCOMP_RET_KILL_THREAD: kill_task(t, false, LX_SIGSYS); return false;
    default: kill_task(t, true, LX_SIGSYS); return false;
    }
}

/* ask_about() - the filters' verdict on a call; *data is what they saw. */
static u32 ask_about(struct task *t, s64 nr, const u64 args[6], struct lx_seccomp_data *data)
{
    const struct seccomp_filter *by = NULL;
    u32 verdict;

    *data = (struct lx_seccomp_data){.nr = (s32)nr, .arch = ARCH_AUDIT};
    data->ip = arch_syscall_ip(task_platform(t)->regs(t->thread));
    memcpy(data->args, args, sizeof(data->args));
    verdict = ask(__atomic_load_n(&t->seccomp, __ATOMIC_ACQUIRE), data, &by);
    if (unlikely((verdict & LX_SECCOMP_RET_ACTION) == LX_SECCOMP_RET_LOG) || (by && by->log))
        log_debug("seccomp: call %d of %s: verdict 0x%x", data->nr, t->comm, verdict);
    return verdict;
}

/* ask_tracer() - SECCOMP_RET_TRACE: the tracer may change the call or its result (seccomp(2)).
 * Return: true: a call is to be made, of which the filters are asked once more. */
static bool ask_tracer(struct task *t, u32 verdict, s64 *nr, u64 args[6], s64 *result)
{
    struct arch_regs *regs = task_platform(t)->regs(t->thread);

    trace_event(t, LX_PTRACE_EVENT_SECCOMP, verdict & LX_SECCOMP_RET_DATA);
    *nr = arch_syscall_nr(regs);
    arch_syscall_args(regs, args);
    *result = arch_syscall_result(regs);
    return *nr != -1 && !atomic_load(&t->sleeper.killed);
}

bool seccomp_allows(struct task *t, s64 *nr, u64 args[6], s64 *result)
{
    struct lx_seccomp_data data;
    u32 verdict;

    if (seccomp_mode(&t->seccomp_mode) == LX_SECCOMP_MODE_STRICT)
        return strict_allows(t, *nr);
    if (unlikely(atomic_load(&t->must_drop_privs)) && drop_privs(t) < 0) {
        *result = -ENOMEM;
        return false;
    }
    verdict = ask_about(t, *nr, args, &data);
    if ((verdict & LX_SECCOMP_RET_ACTION) == LX_SECCOMP_RET_TRACE &&
        trace_event_wanted(t, LX_PTRACE_EVENT_SECCOMP)) {
        if (!ask_tracer(t, verdict, nr, args, result))
            return false;
        verdict = ask_about(t, *nr, args, &data);
        if ((verdict & LX_SECCOMP_RET_ACTION) == LX_SECCOMP_RET_TRACE)
            return true;
    }
    return apply(t, verdict, &data, result);
}
