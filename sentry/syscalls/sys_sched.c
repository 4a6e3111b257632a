/* Scheduling: sched(7), sched_setaffinity(2), getpriority(2), getcpu(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_system.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/sched.h"
#include "sentry/kernel/usage.h"
#include "sentry/syscalls/sched_call.h"

#include <errno.h>
#include <string.h>

#define PRIORITY_MAX 99
#define RR_SLICE_NS  100000000u

s64 sys_sched_yield(struct task *t, const u64 a[6])
{
    host_sched_yield();
    return 0;
}

struct task *sched_arg_task(struct task *t, u64 pid)
{
    return (s32)pid ? pid_find_task(t->pid->ns, (s32)pid) : task_get(t);
}

/* may_change() - sched_setscheduler(2): the same user, or CAP_SYS_NICE over him. */
static bool may_change(struct task *t, struct task *other)
{
    struct cred *c = task_cred_of(other);
    const struct cred *me = task_cred(t);
    bool ok =
        me->euid == c->uid || me->euid == c->euid || cred_has_cap(me, c->user_ns, LX_CAP_SYS_NICE);

    cred_put(c);
    return ok;
}

/* --- affinity --- */

/* machine_mask() - every CPU that the container sees. */
static void machine_mask(struct task *t, u64 mask[SCHED_CPU_WORDS])
{
    u32 n = container_cpus(t->tg->container);

    memset(mask, 0, SCHED_CPU_WORDS * sizeof(u64));
    for (u32 i = 0; i < n && i < SCHED_CPU_WORDS * 64; i++)
        mask[i / 64] |= 1ull << i % 64;
}

s64 sys_sched_getaffinity(struct task *t, const u64 a[6])
{
    u64 mask[SCHED_CPU_WORDS];
    u32 bytes = (u32)a[1], words = (container_cpus(t->tg->container) + 63) / 64;
    struct task *other;

    if (bytes < words * sizeof(u64) || bytes % sizeof(u64))
        return -EINVAL;
    other = sched_arg_task(t, a[0]);
    if (!other)
        return -ESRCH;
    machine_mask(t, mask);
    mutex_lock(&other->lock);
    if (other->sched.pinned)
        memcpy(mask, other->sched.affinity, sizeof(mask));
    mutex_unlock(&other->lock);
    task_put(other);
    bytes = min_of(bytes, (u32)sizeof(mask));
    return usermem_out(t->mm, a[2], mask, bytes) < 0 ? -EFAULT : (s64)bytes;
}

s64 sys_sched_setaffinity(struct task *t, const u64 a[6])
{
    u64 mask[SCHED_CPU_WORDS] = {0}, all[SCHED_CPU_WORDS];
    struct task *other;
    bool any = false;

    if (usermem_in(t->mm, mask, a[2], min_of((u64)(u32)a[1], (u64)sizeof(mask))) < 0)
        return -EFAULT;
    other = sched_arg_task(t, a[0]);
    if (!other)
        return -ESRCH;
    if (!may_change(t, other)) {
        task_put(other);
        return -EPERM;
    }
    machine_mask(t, all);
    for (u32 i = 0; i < SCHED_CPU_WORDS; i++) {
        mask[i] &= all[i];
        any |= mask[i] != 0;
    }
    if (any) {
        mutex_lock(&other->lock);
        memcpy(other->sched.affinity, mask, sizeof(mask));
        other->sched.pinned = true;
        mutex_unlock(&other->lock);
    }
    task_put(other);
    return any ? 0 : -EINVAL;
}

s64 sys_getcpu(struct task *t, const u64 a[6])
{
    u32 cpu = host_cpu() % container_cpus(t->tg->container), node = 0;

    if (a[0] && usermem_put(t->mm, a[0], &cpu) < 0)
        return -EFAULT;
    return a[1] ? usermem_put(t->mm, a[1], &node) : 0;
}

/* --- policies --- */

/* policy_check() - does the priority suit the policy? Return: 0, -EINVAL. */
static int policy_check(u32 policy, s32 priority)
{
    switch (policy) {
    case LX_SCHED_OTHER:
    case LX_SCHED_BATCH:
    case LX_SCHED_IDLE: return priority == 0 ? 0 : -EINVAL;
    case LX_SCHED_FIFO:
    case LX_SCHED_RR: return priority >= 1 && priority <= PRIORITY_MAX ? 0 : -EINVAL;
    default: return -EINVAL;
    }
}

s64 sched_check(struct task *t, struct task *other, u32 policy, s32 priority)
{
    s64 rc = policy_check(policy, priority);

    if (rc == 0 && !may_change(t, other))
        rc = -EPERM;
    if (rc == 0 && priority && !cred_capable(task_cred(t), LX_CAP_SYS_NICE) &&
        (u64)priority > task_rlimit(t, LX_RLIMIT_RTPRIO))
        rc = -EPERM;
    return rc;
}

/* set_policy() - `policy` with its flag, or POLICY_KEEP to change the priority alone. */
#define POLICY_KEEP UINT32_MAX
static s64 set_policy(struct task *t, u64 pid, u32 policy, u64 uparam)
{
    bool reset = policy != POLICY_KEEP && (policy & LX_SCHED_RESET_ON_FORK);
    struct task *other;
    s32 priority;
    s64 rc;

    if (!uparam || (s32)pid < 0)
        return -EINVAL;
    if (usermem_get(t->mm, &priority, uparam) < 0)
        return -EFAULT;
    other = sched_arg_task(t, pid);
    if (!other)
        return -ESRCH;
    if (policy == POLICY_KEEP)
        policy = other->sched.policy;
    else
        policy &= ~(u32)LX_SCHED_RESET_ON_FORK;
    rc = sched_check(t, other, policy, priority);
    if (rc == 0) {
        mutex_lock(&other->lock);
        other->sched.policy = policy;
        other->sched.priority = (u32)priority;
        other->sched.reset_on_fork = reset;
        mutex_unlock(&other->lock);
    }
    task_put(other);
    return rc;
}

s64 sys_sched_setscheduler(struct task *t, const u64 a[6])
{
    return (s32)a[1] < 0 ? -EINVAL : set_policy(t, a[0], (u32)a[1], a[2]);
}

s64 sys_sched_setparam(struct task *t, const u64 a[6])
{
    return set_policy(t, a[0], POLICY_KEEP, a[1]);
}

/* get_sched() - a copy of a task's attributes. Return: 0, -EINVAL, -ESRCH. */
static s64 get_sched(struct task *t, u64 pid, struct task_sched *out)
{
    struct task *other;

    if ((s32)pid < 0)
        return -EINVAL;
    other = sched_arg_task(t, pid);
    if (!other)
        return -ESRCH;
    mutex_lock(&other->lock);
    *out = other->sched;
    mutex_unlock(&other->lock);
    task_put(other);
    return 0;
}

s64 sys_sched_getscheduler(struct task *t, const u64 a[6])
{
    struct task_sched s;
    s64 rc = get_sched(t, a[0], &s);

    if (rc < 0)
        return rc;
    return s.policy | (s.reset_on_fork ? LX_SCHED_RESET_ON_FORK : 0);
}

s64 sys_sched_getparam(struct task *t, const u64 a[6])
{
    struct task_sched s;
    s64 rc = a[1] ? get_sched(t, a[0], &s) : -EINVAL;

    return rc < 0 ? rc : usermem_put(t->mm, a[1], &s.priority);
}

s64 sys_sched_get_priority_max(struct task *t, const u64 a[6])
{
    switch ((s32)a[0]) {
    case LX_SCHED_FIFO:
    case LX_SCHED_RR: return PRIORITY_MAX;
    case LX_SCHED_OTHER:
    case LX_SCHED_BATCH:
    case LX_SCHED_IDLE:
    case LX_SCHED_DEADLINE: return 0;
    default: return -EINVAL;
    }
}

s64 sys_sched_get_priority_min(struct task *t, const u64 a[6])
{
    s64 max = sys_sched_get_priority_max(t, a);

    return max > 0 ? 1 : max;
}

s64 sys_sched_rr_get_interval(struct task *t, const u64 a[6])
{
    struct task_sched s;
    s64 rc = get_sched(t, a[0], &s);

    if (rc < 0)
        return rc;
    return put_timespec(t, a[1], s.policy == LX_SCHED_RR ? RR_SLICE_NS : 0);
}

/* --- nice values and I/O priorities --- */

typedef s64 set_fn(struct task *t, struct task *other, s64 so_far, s32 value);

/* get_nice() - the highest priority of all, as 20 - nice. */
static s64 get_nice(struct task *t, struct task *other, s64 so_far, s32 value)
{
    s64 mine = 20 - other->sched.nice;

    return max_of(so_far, mine);
}

static s64 set_nice(struct task *t, struct task *other, s64 so_far, s32 value)
{
    struct cred *c = task_cred_of(other);
    const struct cred *me = task_cred(t);
    bool owner = me->euid == c->uid || me->euid == c->euid;
    bool can = cred_has_cap(me, c->user_ns, LX_CAP_SYS_NICE);
    s64 rc = so_far == -ESRCH ? 0 : so_far;

    cred_put(c);
    if (!owner && !can)
        return -EPERM;
    if (value < other->sched.nice && !can && (u64)(20 - value) > task_rlimit(other, LX_RLIMIT_NICE))
        return -EACCES;
    mutex_lock(&other->lock);
    other->sched.nice = value;
    mutex_unlock(&other->lock);
    return rc;
}

/* in_set() - does a process belong to what (which, who) names? */
static bool in_set(struct task *t, struct task *leader, u32 which, u64 who)
{
    struct thread_group *tg = leader->tg;
    struct cred *c;
    u32 kuid;
    bool in;

    if (which == LX_PRIO_PGRP) {
        pid_lock();
        in = tg->pgrp &&
             ((s32)who ? pid_nr(tg->pgrp->pid, t->pid->ns) == (s32)who : tg->pgrp == t->tg->pgrp);
        pid_unlock();
        return in;
    }
    kuid = (u32)who ? uid_to_kuid(task_cred(t)->user_ns, (u32)who) : task_cred(t)->uid;
    c = task_cred_of(leader);
    in = c->uid == kuid;
    cred_put(c);
    return in;
}

/* leader_of() - a process's first thread: a new reference, or NULL. */
static struct task *leader_of(struct pid_ns *ns, s32 nr)
{
    struct thread_group *tg = pid_find_group(ns, nr);
    struct task *leader = NULL;

    if (!tg)
        return NULL;
    mutex_lock(&tg->lock);
    leader = task_get(tg->leader);
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    return leader;
}

/* each_in_set() - call fn for the leader of every process of a group or user. */
static s64 each_in_set(struct task *t, u32 which, u64 who, set_fn *fn, s32 value)
{
    s64 rc = -ESRCH;

    for (s32 nr = 0; (nr = pid_next_group(t->pid->ns, nr + 1)) > 0;) {
        struct task *leader = leader_of(t->pid->ns, nr);

        if (leader && in_set(t, leader, which, who))
            rc = fn(t, leader, rc, value);
        task_put(leader);
    }
    return rc;
}

static s64 priority_call(struct task *t, u64 which, u64 who, set_fn *fn, s32 value)
{
    struct task *other;
    s64 rc = -ESRCH;

    if ((s32)which < LX_PRIO_PROCESS || (s32)which > LX_PRIO_USER)
        return -EINVAL;
    if ((s32)which != LX_PRIO_PROCESS)
        return each_in_set(t, (u32)which, who, fn, value);
    other = sched_arg_task(t, who);
    if (other)
        rc = fn(t, other, rc, value);
    task_put(other);
    return rc;
}

s64 sys_getpriority(struct task *t, const u64 a[6])
{
    return priority_call(t, a[0], a[1], get_nice, 0);
}

s64 sys_setpriority(struct task *t, const u64 a[6])
{
    s32 nice = (s32)a[2];

    nice = min_of(nice, SCHED_NICE_MAX);
    return priority_call(t, a[0], a[1], set_nice, max_of(nice, SCHED_NICE_MIN));
}

/* io_priority() - what counts for a task that has set none comes from its nice value. */
static u32 io_priority(const struct task_sched *s)
{
    u32 class = LX_IOPRIO_CLASS_BE;

    if (s->ioprio >> LX_IOPRIO_CLASS_SHIFT != LX_IOPRIO_CLASS_NONE)
        return s->ioprio;
    if (s->policy == LX_SCHED_IDLE)
        class = LX_IOPRIO_CLASS_IDLE;
    else if (s->policy == LX_SCHED_FIFO || s->policy == LX_SCHED_RR)
        class = LX_IOPRIO_CLASS_RT;
    return class << LX_IOPRIO_CLASS_SHIFT | (u32)(s->nice + 20) / 5;
}

/* get_ioprio() - the best of all; a lone process tells what it has set, even if that is nothing. */
static s64 get_ioprio(struct task *t, struct task *other, s64 so_far, s32 which)
{
    s64 mine = which == LX_IOPRIO_WHO_PROCESS ? other->sched.ioprio : io_priority(&other->sched);

    return so_far < 0 ? mine : min_of(so_far, mine);
}

static s64 set_ioprio(struct task *t, struct task *other, s64 so_far, s32 value)
{
    struct cred *c = task_cred_of(other);
    const struct cred *me = task_cred(t);
    bool ok =
        c->uid == me->euid || c->uid == me->uid || cred_has_cap(me, c->user_ns, LX_CAP_SYS_NICE);

    cred_put(c);
    if (!ok)
        return -EPERM;
    mutex_lock(&other->lock);
    other->sched.ioprio = (u32)value;
    mutex_unlock(&other->lock);
    return so_far == -ESRCH ? 0 : so_far;
}

/* ioprio_check() - may the caller ask for this class and level at all? */
static int ioprio_check(struct task *t, u32 value)
{
    const struct cred *me = task_cred(t);

    switch ((value & 0xffff) >> LX_IOPRIO_CLASS_SHIFT) {
    case LX_IOPRIO_CLASS_RT:
        return cred_has_cap(me, me->user_ns, LX_CAP_SYS_ADMIN) ||
                       cred_has_cap(me, me->user_ns, LX_CAP_SYS_NICE)
                   ? 0
                   : -EPERM;
    case LX_IOPRIO_CLASS_BE:
    case LX_IOPRIO_CLASS_IDLE: return 0;
    case LX_IOPRIO_CLASS_NONE: return value & LX_IOPRIO_LEVEL_MASK ? -EINVAL : 0;
    default: return -EINVAL;
    }
}

/* ioprio_call() - as priority_call(); its three kinds of set are numbered from 1. */
static s64 ioprio_call(struct task *t, u64 which, u64 who, set_fn *fn, s32 value)
{
    if ((s32)which < LX_IOPRIO_WHO_PROCESS || (s32)which > LX_IOPRIO_WHO_USER)
        return -EINVAL;
    return priority_call(t, (u64)(s32)which - LX_IOPRIO_WHO_PROCESS, who, fn, value);
}

s64 sys_ioprio_get(struct task *t, const u64 a[6])
{
    return ioprio_call(t, a[0], a[1], get_ioprio, (s32)a[0]);
}

s64 sys_ioprio_set(struct task *t, const u64 a[6])
{
    int rc = ioprio_check(t, (u32)a[2]);

    return rc < 0 ? rc : ioprio_call(t, a[0], a[1], set_ioprio, (s32)(a[2] & 0xffff));
}
