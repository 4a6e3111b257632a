/* Scheduling attributes in one piece: sched_setattr(2), sched_getattr(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_system.h"
#include "sentry/kernel/sched.h"
#include "sentry/syscalls/sched_call.h"

#include <errno.h>

#define ATTR_SIZE_VER0 48u
#define FLAG_RESET_ON_FORK 0x01ull
#define FLAG_KEEP_POLICY   0x08ull
#define FLAG_KEEP_PARAMS   0x10ull
#define FLAG_ALL           (FLAG_RESET_ON_FORK | 0x06ull | FLAG_KEEP_POLICY | FLAG_KEEP_PARAMS)

/* read_attr() - the caller's structure, of any version. Return: 0, -EFAULT, -E2BIG (it is told how
 * big ours is). */
static int read_attr(struct task *t, u64 uaddr, struct lx_sched_attr *out)
{
    u32 size, ours = sizeof(*out);
    int rc;

    if (usermem_get(t->mm, &size, uaddr) < 0)
        return -EFAULT;
    size = size ? size : ATTR_SIZE_VER0;
    rc = size < ATTR_SIZE_VER0 || size > GUEST_PAGE_SIZE
             ? -E2BIG
             : arg_struct(t, uaddr, size, out, sizeof(*out));
    if (rc == -E2BIG && usermem_put(t->mm, uaddr, &ours) < 0)
        return -EFAULT;
    return rc;
}

/* may_be_nicer() - sched(7), "The nice value": who may lower another's. */
static bool may_be_nicer(struct task *t, struct task *other, s32 nice)
{
    struct cred *c = task_cred_of(other);
    bool ok = nice >= other->sched.nice || cred_has_cap(task_cred(t), c->user_ns, LX_CAP_SYS_NICE) ||
              (u64)(20 - nice) <= task_rlimit(other, LX_RLIMIT_NICE);

    cred_put(c);
    return ok;
}

static s64 set_attr(struct task *t, struct task *other, const struct lx_sched_attr *a)
{
    u32 policy = a->flags & FLAG_KEEP_POLICY ? other->sched.policy : a->policy;
    u32 priority = a->flags & FLAG_KEEP_PARAMS ? other->sched.priority : a->priority;
    bool nice = !(a->flags & FLAG_KEEP_PARAMS) && !priority;
    s64 rc = priority > INT32_MAX || (a->flags & ~FLAG_ALL)
                 ? -EINVAL
                 : sched_check(t, other, policy, (s32)priority);

    if (rc == 0 && nice && !may_be_nicer(t, other, a->nice))
        rc = -EPERM;
    if (rc < 0)
        return rc;
    mutex_lock(&other->lock);
    other->sched.policy = policy;
    other->sched.priority = priority;
    other->sched.reset_on_fork = a->flags & FLAG_RESET_ON_FORK;
    if (nice)
        other->sched.nice = a->nice;
    mutex_unlock(&other->lock);
    return 0;
}

s64 sys_sched_setattr(struct task *t, const u64 a[6])
{
    struct lx_sched_attr attr;
    struct task *other;
    s64 rc;

    if (!a[1] || (s32)a[0] < 0 || (u32)a[2])
        return -EINVAL;
    rc = read_attr(t, a[1], &attr);
    if (rc < 0)
        return rc;
    if ((s32)attr.policy < 0)
        return -EINVAL;
    attr.nice = min_of(attr.nice, SCHED_NICE_MAX);
    attr.nice = max_of(attr.nice, SCHED_NICE_MIN);
    other = sched_arg_task(t, a[0]);
    rc = other ? set_attr(t, other, &attr) : -ESRCH;
    task_put(other);
    return rc;
}

s64 sys_sched_getattr(struct task *t, const u64 a[6])
{
    struct lx_sched_attr attr = {0};
    u32 size = (u32)a[2];
    struct task *other;

    if (!a[1] || (s32)a[0] < 0 || size < ATTR_SIZE_VER0 || size > GUEST_PAGE_SIZE || (u32)a[3])
        return -EINVAL;
    other = sched_arg_task(t, a[0]);
    if (!other)
        return -ESRCH;
    mutex_lock(&other->lock);
    attr.policy = other->sched.policy;
    attr.flags = other->sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
    attr.priority = other->sched.priority;
    attr.nice = other->sched.priority ? 0 : other->sched.nice;
    mutex_unlock(&other->lock);
    task_put(other);
    attr.size = min_of(size, (u32)sizeof(attr));
    attr.util_max = 1024;
    return usermem_out(t->mm, a[1], &attr, attr.size) < 0 ? -EFAULT : 0;
}
