/* seccomp(2), and what prctl(2) has of it. */
#include "sentry/kernel/seccomp.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/sys_seccomp.h"

#include <errno.h>

#define FLAGS_KNOWN                                                                   \
    (LX_SECCOMP_FILTER_TSYNC | LX_SECCOMP_FILTER_LOG | LX_SECCOMP_FILTER_SPEC_ALLOW | \
     LX_SECCOMP_FILTER_TSYNC_ESRCH)

/* read_filter() - copy in, check rights, check the program. */
static int read_filter(struct task *t, uaddr_t uprog, u32 flags, struct seccomp_filter **out)
{
    auto_free struct lx_sock_filter *insns = NULL;
    struct lx_sock_fprog prog;

    if (usermem_get(t->mm, &prog, uprog) < 0)
        return -EFAULT;
    if (!prog.len || prog.len > LIMIT_BPF_INSNS)
        return -EINVAL;
    if (!t->cred->no_new_privs && !cred_ns_capable(task_cred(t), LX_CAP_SYS_ADMIN))
        return -EACCES;
    insns = malloc(prog.len * sizeof(*insns));
    if (!insns)
        return -ENOMEM;
    if (usermem_in(t->mm, insns, prog.filter, prog.len * sizeof(*insns)) < 0)
        return -EFAULT;
    return seccomp_filter_new(insns, prog.len, flags & LX_SECCOMP_FILTER_LOG, out);
}

static s64 set_filter(struct task *t, u32 flags, uaddr_t uprog)
{
    struct seccomp_filter *f;
    int err;

    if (flags & ~FLAGS_KNOWN)
        return -EINVAL;
    err = read_filter(t, uprog, flags, &f);
    return err ? err : seccomp_install(t, f, flags);
}

static s64 set_strict(struct task *t, u32 flags, uaddr_t arg)
{
    return flags || arg ? -EINVAL : seccomp_set_strict(t);
}

static s64 action_available(struct task *t, u32 flags, uaddr_t uaction)
{
    u32 action;

    if (flags)
        return -EINVAL;
    if (usermem_get(t->mm, &action, uaction) < 0)
        return -EFAULT;
    switch (action) {
    case LX_SECCOMP_RET_KILL_PROCESS:
    case LX_SECCOMP_RET_KILL_THREAD:
    case LX_SECCOMP_RET_TRAP:
    case LX_SECCOMP_RET_ERRNO:
    case LX_SECCOMP_RET_TRACE:
    case LX_SECCOMP_RET_LOG:
    case LX_SECCOMP_RET_ALLOW: return 0;
    default: return -EOPNOTSUPP;
    }
}

/* notif_sizes() - as large as the structures of <linux/seccomp.h> are. */
static s64 notif_sizes(struct task *t, u32 flags, uaddr_t to)
{
    static const u16 sizes[3] = {80, 24, sizeof(struct lx_seccomp_data)};

    return flags ? -EINVAL : usermem_put(t->mm, to, &sizes);
}

s64 sys_seccomp(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1];

    switch ((u32)a[0]) {
    case LX_SECCOMP_SET_MODE_STRICT: return set_strict(t, flags, a[2]);
    case LX_SECCOMP_SET_MODE_FILTER: return set_filter(t, flags, a[2]);
    case LX_SECCOMP_GET_ACTION_AVAIL: return action_available(t, flags, a[2]);
    case LX_SECCOMP_GET_NOTIF_SIZES: return notif_sizes(t, flags, a[2]);
    default: return -EINVAL;
    }
}

s64 seccomp_prctl(struct task *t, const u64 a[6])
{
    switch (a[1]) {
    case LX_SECCOMP_MODE_STRICT: return set_strict(t, 0, 0);
    case LX_SECCOMP_MODE_FILTER: return set_filter(t, 0, a[2]);
    default: return -EINVAL;
    }
}
