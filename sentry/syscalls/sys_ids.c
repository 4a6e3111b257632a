/* Who a task is: getpid(2), gettid(2), getuid(2) and so on, getgroups(2). */
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_getpid(struct task *t, const u64 a[6])
{
    return pid_nr(t->tg->pid, t->pid->ns);
}

s64 sys_gettid(struct task *t, const u64 a[6])
{
    return pid_nr(t->pid, t->pid->ns);
}

s64 sys_getppid(struct task *t, const u64 a[6])
{
    s32 nr;

    pid_lock();
    nr = t->tg->parent ? pid_nr(t->tg->parent->pid, t->pid->ns) : 0;
    pid_unlock();
    return nr;
}

s64 sys_getuid(struct task *t, const u64 a[6])
{
    return uid_from_kuid(t->cred->user_ns, t->cred->uid);
}

s64 sys_geteuid(struct task *t, const u64 a[6])
{
    return uid_from_kuid(t->cred->user_ns, t->cred->euid);
}

s64 sys_getgid(struct task *t, const u64 a[6])
{
    return gid_from_kgid(t->cred->user_ns, t->cred->gid);
}

s64 sys_getegid(struct task *t, const u64 a[6])
{
    return gid_from_kgid(t->cred->user_ns, t->cred->egid);
}

static s64 put_three(struct task *t, const u64 a[6], const u32 id[3])
{
    for (int i = 0; i < 3; i++)
        if (usermem_put(t->mm, a[i], &id[i]) < 0)
            return -EFAULT;
    return 0;
}

s64 sys_getresuid(struct task *t, const u64 a[6])
{
    const struct cred *c = t->cred;
    u32 id[3] = {uid_from_kuid(c->user_ns, c->uid), uid_from_kuid(c->user_ns, c->euid),
                 uid_from_kuid(c->user_ns, c->suid)};

    return put_three(t, a, id);
}

s64 sys_getresgid(struct task *t, const u64 a[6])
{
    const struct cred *c = t->cred;
    u32 id[3] = {gid_from_kgid(c->user_ns, c->gid), gid_from_kgid(c->user_ns, c->egid),
                 gid_from_kgid(c->user_ns, c->sgid)};

    return put_three(t, a, id);
}

s64 sys_getgroups(struct task *t, const u64 a[6])
{
    const struct cred *c = t->cred;
    s32 size = (s32)a[0];

    if (size < 0)
        return -EINVAL;
    if (size && (u32)size < c->ngroups)
        return -EINVAL;
    for (u32 i = 0; size && i < c->ngroups; i++) {
        u32 gid = gid_from_kgid(c->user_ns, c->groups[i]);

        if (usermem_put(t->mm, a[1] + i * sizeof(gid), &gid) < 0)
            return -EFAULT;
    }
    return c->ngroups;
}
