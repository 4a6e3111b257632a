/* capget(2), capset(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* check_header() - the version decides how many words follow. Return: 1 or 2 words, -EINVAL (the
 * preferred version is written back), -EFAULT. */
static int check_header(struct task *t, u64 uheader, struct lx_cap_header *h)
{
    u32 preferred = LX_CAPABILITY_VERSION_3;

    if (usermem_get(t->mm, h, uheader) < 0)
        return -EFAULT;
    switch (h->version) {
    case LX_CAPABILITY_VERSION_1:
        return 1;
    case LX_CAPABILITY_VERSION_2:
    case LX_CAPABILITY_VERSION_3:
        return 2;
    default:
        return usermem_put(t->mm, uheader, &preferred) < 0 ? -EFAULT : -EINVAL;
    }
}

s64 sys_capget(struct task *t, const u64 a[6])
{
    struct lx_cap_data data[2] = {{0}};
    struct lx_cap_header h;
    struct task *of;
    struct cred *c;
    int words = check_header(t, a[0], &h);

    if (words < 0)
        return !a[1] && words == -EINVAL ? 0 : words;
    if (h.pid < 0)
        return -EINVAL;
    of = h.pid ? pid_find_task(t->pid->ns, h.pid) : task_get(t);
    if (!of)
        return -ESRCH;
    c = task_cred_of(of);
    task_put(of);
    for (int i = 0; i < 2; i++)
        data[i] = (struct lx_cap_data){(u32)(c->cap_effective >> 32 * i),
                                       (u32)(c->cap_permitted >> 32 * i),
                                       (u32)(c->cap_inheritable >> 32 * i)};
    cred_put(c);
    if (!a[1])
        return 0;
    return usermem_out(t->mm, a[1], data, (size_t)words * sizeof(data[0]));
}

/* may_set() - the rules of capset(2). */
static bool may_set(const struct cred *old, u64 effective, u64 permitted, u64 inheritable)
{
    if (!cred_ns_capable(old, LX_CAP_SETPCAP) &&
        (inheritable & ~(old->cap_inheritable | old->cap_permitted)))
        return false;
    if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
        return false;
    return !(permitted & ~old->cap_permitted) && !(effective & ~permitted);
}

s64 sys_capset(struct task *t, const u64 a[6])
{
    struct lx_cap_data data[2] = {{0}};
    struct lx_cap_header h;
    u64 set[3] = {0};
    struct cred *c;
    int words = check_header(t, a[0], &h);

    if (words < 0)
        return words;
    if (h.pid && h.pid != pid_nr(t->pid, t->pid->ns))
        return -EPERM;
    if (usermem_in(t->mm, data, a[1], (size_t)words * sizeof(data[0])) < 0)
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        set[0] |= (u64)data[i].effective << 32 * i;
        set[1] |= (u64)data[i].permitted << 32 * i;
        set[2] |= (u64)data[i].inheritable << 32 * i;
    }
    for (int i = 0; i < 3; i++)
        set[i] &= CAP_FULL;
    if (!may_set(t->cred, set[0], set[1], set[2]))
        return -EPERM;
    c = cred_dup(t->cred);
    if (!c)
        return -ENOMEM;
    c->cap_effective = set[0];
    c->cap_permitted = set[1];
    c->cap_inheritable = set[2];
    c->cap_ambient &= set[1] & set[2];
    task_set_cred(t, c);
    return 0;
}
