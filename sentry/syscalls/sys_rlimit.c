/* getrlimit(2), setrlimit(2), prlimit64(2), getrusage(2), times(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/cpu_limit.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* change_locked() - set a limit by the rules of setrlimit(2). tg->lock held. */
static int change_locked(struct task *t, struct thread_group *tg, u32 which,
                         const struct rlimit_pair *fresh)
{
    struct rlimit_pair *now = &tg->limits[which];

    if (fresh->soft > fresh->hard)
        return -EINVAL;
    if (which == LX_RLIMIT_NOFILE && fresh->hard > LIMIT_NOFILE)
        return -EPERM;
    if (fresh->hard > now->hard && !cred_capable(t->cred, LX_CAP_SYS_RESOURCE))
        return -EPERM;
    *now = *fresh;
    if (which == LX_RLIMIT_CPU)
        cpu_limit_start_locked(tg);
    return 0;
}

static int limit_call(struct task *t, struct thread_group *tg, u32 which,
                      const struct rlimit_pair *fresh, struct rlimit_pair *old)
{
    int err = 0;

    mutex_lock(&tg->lock);
    *old = tg->limits[which];
    if (fresh)
        err = change_locked(t, tg, which, fresh);
    mutex_unlock(&tg->lock);
    return err;
}

/* may_limit() - prlimit(2)'s permission over another process. */
static bool may_limit(struct task *t, struct task *of)
{
    const struct cred *c = t->cred;
    struct cred *o;
    bool ok;

    if (of->tg == t->tg)
        return true;
    o = task_cred_of(of);
    ok = (c->uid == o->euid && c->uid == o->suid && c->uid == o->uid && c->gid == o->egid &&
          c->gid == o->sgid && c->gid == o->gid) ||
         cred_has_cap(c, o->user_ns, LX_CAP_SYS_RESOURCE);
    cred_put(o);
    return ok;
}

s64 sys_prlimit64(struct task *t, const u64 a[6])
{
    struct rlimit_pair fresh, old;
    struct task *of;
    int err;

    if ((u32)a[1] >= RLIMIT_COUNT)
        return -EINVAL;
    if (a[2] && usermem_get(t->mm, &fresh, a[2]) < 0)
        return -EFAULT;
    of = (s32)a[0] ? pid_find_task(t->pid->ns, (s32)a[0]) : task_get(t);
    if (!of)
        return -ESRCH;
    err = may_limit(t, of) ? limit_call(t, of->tg, (u32)a[1], a[2] ? &fresh : NULL, &old) : -EPERM;
    task_put(of);
    if (err < 0)
        return err;
    return a[3] ? usermem_put(t->mm, a[3], &old) : 0;
}

s64 sys_getrlimit(struct task *t, const u64 a[6])
{
    const u64 args[6] = {0, a[0], 0, a[1]};

    return a[1] ? sys_prlimit64(t, args) : ((u32)a[0] >= RLIMIT_COUNT ? -EINVAL : -EFAULT);
}

s64 sys_setrlimit(struct task *t, const u64 a[6])
{
    const u64 args[6] = {0, a[0], a[1], 0};

    return a[1] ? sys_prlimit64(t, args) : -EFAULT;
}

enum { WHO_SELF = 0, WHO_CHILDREN = -1, WHO_THREAD = 1 };

s64 sys_getrusage(struct task *t, const u64 a[6])
{
    struct lx_rusage ru = {0};
    s32 who = (s32)a[0];
    u64 utime, stime;

    switch (who) {
    case WHO_SELF:
    case WHO_CHILDREN:
        thread_group_rusage(t->tg, who == WHO_SELF, who == WHO_CHILDREN, &ru);
        break;
    case WHO_THREAD:
        thread_group_rusage(t->tg, true, false, &ru);
        task_times(t, &utime, &stime);
        ru.utime.sec = (s64)(utime / NS_PER_SEC);
        ru.utime.usec = (s64)(utime % NS_PER_SEC / 1000);
        ru.stime.sec = (s64)(stime / NS_PER_SEC);
        ru.stime.usec = (s64)(stime % NS_PER_SEC / 1000);
        break;
    default:
        return -EINVAL;
    }
    return usermem_put(t->mm, a[1], &ru);
}

enum { TICK_NS = 10000000 }; /* sysconf(_SC_CLK_TCK) is 100 */

s64 sys_times(struct task *t, const u64 a[6])
{
    u64 utime, stime;
    s64 tms[4];

    thread_group_times(t->tg, &utime, &stime);
    tms[0] = (s64)(utime / TICK_NS);
    tms[1] = (s64)(stime / TICK_NS);
    tms[2] = (s64)(t->tg->child_utime_ns / TICK_NS);
    tms[3] = (s64)(t->tg->child_stime_ns / TICK_NS);
    if (a[0] && usermem_put(t->mm, a[0], &tms) < 0)
        return -EFAULT;
    return (s64)(host_monotonic() / TICK_NS);
}
