/* prctl(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/syscalls/sys_seccomp.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <string.h>

enum {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG = 2,
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8,
    PR_GET_TIMING = 13,
    PR_SET_TIMING = 14,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_CAPBSET_READ = 23,
    PR_CAPBSET_DROP = 24,
    PR_GET_TSC = 25,
    PR_SET_TSC = 26,
    PR_GET_SECUREBITS = 27,
    PR_SET_SECUREBITS = 28,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_MCE_KILL = 33,
    PR_MCE_KILL_GET = 34,
    PR_SET_MM = 35,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_GET_CHILD_SUBREAPER = 37,
    PR_GET_SECCOMP = 21,
    PR_SET_SECCOMP = 22,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_GET_TID_ADDRESS = 40,
    PR_SET_THP_DISABLE = 41,
    PR_GET_THP_DISABLE = 42,
    PR_CAP_AMBIENT = 47,
    PR_GET_SPECULATION_CTRL = 52,
    PR_SET_SPECULATION_CTRL = 53,
    PR_SET_IO_FLUSHER = 57,
    PR_GET_IO_FLUSHER = 58,
    PR_SET_SYSCALL_USER_DISPATCH = 59,
    PR_GET_AUXV = 0x41555856,

    TSC_ENABLE = 1,
    MCE_KILL_CLEAR = 0,
    MCE_KILL_SET = 1,
    MCE_KILL_DEFAULT = 2,

    AMBIENT_IS_SET = 1,
    AMBIENT_RAISE = 2,
    AMBIENT_LOWER = 3,
    AMBIENT_CLEAR_ALL = 4,

    DEFAULT_SLACK_NS = 50000,
};

static s64 put_int(struct task *t, u64 uaddr, s32 v)
{
    return usermem_put(t->mm, uaddr, &v);
}

/* edit_cred() - a private copy, for task_set_cred(). */
static struct cred *edit_cred(struct task *t)
{
    return cred_dup(t->cred);
}

static s64 set_pdeathsig(struct task *t, const u64 a[6])
{
    if (a[1] > LX_NSIG)
        return -EINVAL;
    t->parent_death_signal = (s32)a[1];
    return 0;
}

static s64 set_dumpable(struct task *t, const u64 a[6])
{
    if (a[1] > 1)
        return -EINVAL;
    t->mm->dumpable = (u32)a[1];
    return 0;
}

static s64 set_name(struct task *t, const u64 a[6])
{
    char name[16] = {0};
    ssize_t n = usermem_string(t->mm, name, a[1], sizeof(name));

    if (n == -EFAULT)
        return -EFAULT;
    name[15] = 0;
    mutex_lock(&t->lock);
    memcpy(t->comm, name, sizeof(t->comm));
    mutex_unlock(&t->lock);
    return 0;
}

static s64 set_keepcaps(struct task *t, const u64 a[6])
{
    struct cred *c;

    if (a[1] > 1)
        return -EINVAL;
    if (t->cred->securebits & (LX_SECBIT_KEEP_CAPS << 1))
        return -EPERM;
    c = edit_cred(t);
    if (!c)
        return -ENOMEM;
    c->securebits = a[1] ? c->securebits | LX_SECBIT_KEEP_CAPS
                         : c->securebits & ~LX_SECBIT_KEEP_CAPS;
    task_set_cred(t, c);
    return 0;
}

static s64 set_securebits(struct task *t, const u64 a[6])
{
    u32 old = t->cred->securebits, fresh = (u32)a[1];
    u32 locked = (old & LX_SECURE_ALL_LOCKS) >> 1;
    struct cred *c;

    if ((locked & (old ^ fresh)) || (old & LX_SECURE_ALL_LOCKS & ~fresh) ||
        (a[1] & ~(u64)(LX_SECURE_ALL_BITS | LX_SECURE_ALL_LOCKS)) ||
        !cred_ns_capable(t->cred, LX_CAP_SETPCAP))
        return -EPERM;
    c = edit_cred(t);
    if (!c)
        return -ENOMEM;
    c->securebits = fresh;
    task_set_cred(t, c);
    return 0;
}

static s64 drop_bounding(struct task *t, const u64 a[6])
{
    struct cred *c;

    if (!cred_ns_capable(t->cred, LX_CAP_SETPCAP))
        return -EPERM;
    if (a[1] > LX_CAP_LAST)
        return -EINVAL;
    c = edit_cred(t);
    if (!c)
        return -ENOMEM;
    c->cap_bounding &= ~(1ull << a[1]);
    task_set_cred(t, c);
    return 0;
}

static s64 set_no_new_privs(struct task *t, const u64 a[6])
{
    struct cred *c;

    if (a[1] != 1 || a[2] || a[3] || a[4])
        return -EINVAL;
    c = edit_cred(t);
    if (!c)
        return -ENOMEM;
    c->no_new_privs = true;
    task_set_cred(t, c);
    return 0;
}

static s64 set_ambient(struct task *t, u64 what, u64 cap)
{
    struct cred *c;
    u64 bit = 1ull << cap;

    if (what == AMBIENT_RAISE && (!(t->cred->cap_permitted & bit) ||
                                  !(t->cred->cap_inheritable & bit) ||
                                  (t->cred->securebits & LX_SECBIT_NO_CAP_AMBIENT_RAISE)))
        return -EPERM;
    c = edit_cred(t);
    if (!c)
        return -ENOMEM;
    c->cap_ambient = what == AMBIENT_RAISE ? c->cap_ambient | bit : c->cap_ambient & ~bit;
    if (what == AMBIENT_CLEAR_ALL)
        c->cap_ambient = 0;
    task_set_cred(t, c);
    return 0;
}

static s64 ambient(struct task *t, const u64 a[6])
{
    if (a[1] == AMBIENT_CLEAR_ALL)
        return a[2] || a[3] || a[4] ? -EINVAL : set_ambient(t, a[1], 0);
    if (a[3] || a[4] || a[2] > LX_CAP_LAST)
        return -EINVAL;
    if (a[1] == AMBIENT_IS_SET)
        return !!(t->cred->cap_ambient & (1ull << a[2]));
    if (a[1] != AMBIENT_RAISE && a[1] != AMBIENT_LOWER)
        return -EINVAL;
    return set_ambient(t, a[1], a[2]);
}

static s64 set_subreaper(struct task *t, bool on)
{
    pid_lock();
    t->tg->is_subreaper = on;
    pid_unlock();
    return 0;
}

/* mce_kill() - how a task hears of broken memory, which the host never reports: kept and told. */
static s64 mce_kill(struct task *t, const u64 a[6])
{
    if (a[3] || a[4])
        return -EINVAL;
    if (a[1] == MCE_KILL_CLEAR && !a[2])
        t->mce_kill = 0;
    else if (a[1] == MCE_KILL_SET && a[2] <= MCE_KILL_DEFAULT)
        t->mce_kill = a[2] == MCE_KILL_DEFAULT ? 0 : (u8)(a[2] + 1);
    else
        return -EINVAL;
    return 0;
}

static s64 mce_kill_get(const struct task *t, const u64 a[6])
{
    if (a[1] || a[2] || a[3] || a[4])
        return -EINVAL;
    return t->mce_kill ? t->mce_kill - 1 : MCE_KILL_DEFAULT;
}

/* set_mm() - the layout of a program in memory is as exec made it. */
static s64 set_mm(struct task *t, const u64 a[6])
{
    if (a[4])
        return -EINVAL;
    return cred_capable(t->cred, LX_CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
}

/* thp_disable() - the host's huge pages come as the host likes: kept and told. */
static s64 thp_disable(struct task *t, const u64 a[6], bool set)
{
    if (a[2] || a[3] || a[4] || (!set && a[1]))
        return -EINVAL;
    if (!set)
        return atomic_load(&t->tg->thp_disabled);
    atomic_store(&t->tg->thp_disabled, a[1] != 0);
    return 0;
}

/* speculation() - nothing that a guest could switch. */
static s64 speculation(const u64 a[6], bool set)
{
    return (!set && a[2]) || a[3] || a[4] ? -EINVAL : -ENODEV;
}

static s64 io_flusher(struct task *t, const u64 a[6], bool set)
{
    if (!cred_capable(t->cred, LX_CAP_SYS_RESOURCE))
        return -EPERM;
    if (a[2] || a[3] || a[4] || a[1] > set)
        return -EINVAL;
    if (!set)
        return t->io_flusher;
    t->io_flusher = a[1];
    return 0;
}

/* get_auxv() - Return: its whole length, of which `a[2]` bytes at most are copied. */
static s64 get_auxv(struct task *t, const u64 a[6])
{
    size_t len = min_of(t->mm->nauxv, (u32)ARRAY_SIZE(t->mm->auxv)) * sizeof(u64);

    if (a[3] || a[4])
        return -EINVAL;
    if (usermem_out(t->mm, a[1], t->mm->auxv, min_of(a[2], (u64)len)) < 0)
        return -EFAULT;
    return (s64)len;
}

/* machine_prctl() - options about the machine and what it does for a process. */
static s64 machine_prctl(struct task *t, const u64 a[6])
{
    switch ((s32)a[0]) {
    case PR_SET_TIMING: return a[1] ? -EINVAL : 0;
    case PR_GET_TSC: return put_int(t, a[1], TSC_ENABLE);
    case PR_SET_TSC: return (s32)a[1] == TSC_ENABLE ? 0 : -EINVAL; /* it can't be taken away */
    case PR_MCE_KILL: return mce_kill(t, a);
    case PR_MCE_KILL_GET: return mce_kill_get(t, a);
    case PR_SET_MM: return set_mm(t, a);
    case PR_SET_THP_DISABLE: return thp_disable(t, a, true);
    case PR_GET_THP_DISABLE: return thp_disable(t, a, false);
    case PR_GET_SPECULATION_CTRL: return speculation(a, false);
    case PR_SET_SPECULATION_CTRL: return speculation(a, true);
    case PR_SET_IO_FLUSHER: return io_flusher(t, a, true);
    case PR_GET_IO_FLUSHER: return io_flusher(t, a, false);
    case PR_SET_SYSCALL_USER_DISPATCH: return user_dispatch_set(t, a);
    case PR_GET_AUXV: return get_auxv(t, a);
    default: return -EINVAL;
    }
}

s64 sys_prctl(struct task *t, const u64 a[6])
{
    switch ((s32)a[0]) {
    case PR_SET_PDEATHSIG:
        return set_pdeathsig(t, a);
    case PR_GET_PDEATHSIG:
        return put_int(t, a[1], t->parent_death_signal);
    case PR_GET_DUMPABLE:
        return t->mm->dumpable;
    case PR_SET_DUMPABLE:
        return set_dumpable(t, a);
    case PR_GET_KEEPCAPS:
        return !!(t->cred->securebits & LX_SECBIT_KEEP_CAPS);
    case PR_SET_KEEPCAPS:
        return set_keepcaps(t, a);
    case PR_GET_TIMING:
        return 0;
    case PR_SET_NAME:
        return set_name(t, a);
    case PR_GET_NAME:
        return usermem_out(t->mm, a[1], t->comm, sizeof(t->comm));
    case PR_CAPBSET_READ:
        return a[1] > LX_CAP_LAST ? -EINVAL : !!(t->cred->cap_bounding & (1ull << a[1]));
    case PR_CAPBSET_DROP:
        return drop_bounding(t, a);
    case PR_GET_SECUREBITS:
        return t->cred->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(t, a);
    case PR_SET_TIMERSLACK:
        t->timer_slack_ns = a[1] ? (u32)min_of(a[1], (u64)UINT32_MAX) : DEFAULT_SLACK_NS;
        return 0;
    case PR_GET_TIMERSLACK:
        return t->timer_slack_ns ? t->timer_slack_ns : DEFAULT_SLACK_NS;
    case PR_SET_CHILD_SUBREAPER:
        return set_subreaper(t, a[1]);
    case PR_GET_CHILD_SUBREAPER:
        return put_int(t, a[1], t->tg->is_subreaper);
    case PR_GET_SECCOMP:
        return t->seccomp_mode;
    case PR_SET_SECCOMP:
        return seccomp_prctl(t, a);
    case PR_SET_NO_NEW_PRIVS:
        return set_no_new_privs(t, a);
    case PR_GET_NO_NEW_PRIVS:
        return a[1] || a[2] || a[3] || a[4] ? -EINVAL : t->cred->no_new_privs;
    case PR_GET_TID_ADDRESS:
        return usermem_put(t->mm, a[1], &t->clear_child_tid);
    case PR_CAP_AMBIENT:
        return ambient(t, a);
    default:
        return machine_prctl(t, a);
    }
}
