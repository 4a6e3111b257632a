/* Signal actions, masks and waiting: sigaction(2), sigprocmask(2), sigaltstack(2), sigwaitinfo(2). */
#include "sentry/kernel/container.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

enum { SIGSET_BYTES = 8 };
#define UNBLOCKABLE (sigbit(LX_SIGKILL) | sigbit(LX_SIGSTOP))

static bool valid_signal(s32 signo)
{
    return signo >= 1 && signo <= LX_NSIG;
}

static bool ignores(const struct lx_sigaction *sa, int signo)
{
    static const u64 by_default = 1ull << (LX_SIGCONT - 1) | 1ull << (LX_SIGCHLD - 1) |
                                  1ull << (LX_SIGWINCH - 1) | 1ull << (LX_SIGURG - 1);

    return sa->handler == LX_SIG_IGN ||
           (sa->handler == LX_SIG_DFL && (by_default & sigbit(signo)));
}

s64 sys_rt_sigaction(struct task *t, const u64 a[6])
{
    struct sighand *sh = t->tg->sighand;
    struct lx_sigaction fresh, old;
    s32 signo = (s32)a[0];

    if (a[3] != SIGSET_BYTES)
        return -EINVAL;
    if (a[1] && usermem_get(t->mm, &fresh, a[1]) < 0)
        return -EFAULT;
    if (!valid_signal(signo) || (a[1] && (sigbit(signo) & UNBLOCKABLE)))
        return -EINVAL;
    mutex_lock(&t->tg->lock);
    mutex_lock(&sh->lock);
    old = sh->action[signo - 1];
    if (a[1]) {
        fresh.mask &= ~UNBLOCKABLE;
        sh->action[signo - 1] = fresh;
    }
    mutex_unlock(&sh->lock);
    /* What is ignored from now on is not pending any more. */
    if (a[1] && ignores(&fresh, signo))
        signal_drop_locked(t->tg, sigbit(signo));
    else if (a[1] && ignores(&old, signo))
        posix_timer_heeded_locked(t->tg, signo);
    mutex_unlock(&t->tg->lock);
    return a[2] ? usermem_put(t->mm, a[2], &old) : 0;
}

s64 sys_rt_sigprocmask(struct task *t, const u64 a[6])
{
    u64 set, old = t->blocked;

    if (a[3] != SIGSET_BYTES)
        return -EINVAL;
    if (a[1]) {
        if (usermem_get(t->mm, &set, a[1]) < 0)
            return -EFAULT;
        switch ((s32)a[0]) {
        case LX_SIG_BLOCK:
            signal_set_blocked(t, old | set);
            break;
        case LX_SIG_UNBLOCK:
            signal_set_blocked(t, old & ~set);
            break;
        case LX_SIG_SETMASK:
            signal_set_blocked(t, set);
            break;
        default:
            return -EINVAL;
        }
    }
    return a[2] ? usermem_put(t->mm, a[2], &old) : 0;
}

s64 sys_rt_sigpending(struct task *t, const u64 a[6])
{
    u64 set;

    if (a[1] > SIGSET_BYTES)
        return -EINVAL;
    mutex_lock(&t->tg->lock);
    set = (t->pending.set | t->tg->pending.set) & t->blocked;
    mutex_unlock(&t->tg->lock);
    return usermem_out(t->mm, a[0], &set, a[1]);
}

/* sleep_for_signal() - until one is deliverable; its handler sees the mask of before. */
static s64 sleep_for_signal(struct task *t)
{
    sleeper_arm(&t->sleeper);
    while (!signal_pending(t)) {
        sleeper_sleep(&t->sleeper, DEADLINE_NEVER);
        sleeper_arm(&t->sleeper);
    }
    return -ERESTARTNOHAND;
}

s64 sys_rt_sigsuspend(struct task *t, const u64 a[6])
{
    u64 set;

    if (a[1] != SIGSET_BYTES)
        return -EINVAL;
    if (usermem_get(t->mm, &set, a[0]) < 0)
        return -EFAULT;
    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    signal_set_blocked(t, set);
    return sleep_for_signal(t);
}

s64 sys_pause(struct task *t, const u64 a[6])
{
    return sleep_for_signal(t);
}

s64 sys_rt_sigreturn(struct task *t, const u64 a[6])
{
    struct arch_regs *r;

    if (sigframe_pop(t) < 0) {
        struct lx_siginfo segv = siginfo_kernel(LX_SIGSEGV);

        signal_force(t, &segv);
    }
    t->syscall_nr = -1;
    t->restart.fn = NULL; /* what the handler interrupted has ended */
    r = t->tg->container->platform->regs(t->thread);
    return (s64)r->rax;
}

/* dequeue() - one of `set` for sigtimedwait(); none: say that any of them wakes this task. */
static int dequeue(struct task *t, u64 set, struct lx_siginfo *info)
{
    int signo;

    mutex_lock(&t->tg->lock);
    signo = signal_dequeue_locked(t, set, info);
    t->sigwait_set = signo ? 0 : set;
    signal_recompute_locked(t);
    mutex_unlock(&t->tg->lock);
    return signo;
}

s64 sys_rt_sigtimedwait(struct task *t, const u64 a[6])
{
    struct lx_siginfo info;
    u64 set, ns, deadline = DEADLINE_NEVER;
    int signo, err = 0;

    if (a[3] != SIGSET_BYTES)
        return -EINVAL;
    if (usermem_get(t->mm, &set, a[0]) < 0)
        return -EFAULT;
    if (a[2]) {
        err = arg_timespec(t, a[2], &ns);
        if (err < 0)
            return err;
        deadline = host_monotonic() + min_of(ns, DEADLINE_NEVER / 4);
    }
    set &= ~UNBLOCKABLE;
    for (;;) {
        sleeper_arm(&t->sleeper);
        signo = dequeue(t, set, &info);
        if (signo || err < 0)
            break;
        err = sleeper_sleep(&t->sleeper, deadline);
    }
    mutex_lock(&t->tg->lock);
    t->sigwait_set = 0;
    signal_recompute_locked(t);
    mutex_unlock(&t->tg->lock);
    if (!signo)
        return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
    if (a[1] && usermem_put(t->mm, a[1], &info) < 0)
        return -EFAULT;
    return signo;
}

static bool on_stack(const struct sigaltstack_state *s, u64 sp)
{
    return s->size && !(s->flags & LX_SS_AUTODISARM) && sp > s->sp && sp - s->sp <= s->size;
}

s64 sys_sigaltstack(struct task *t, const u64 a[6])
{
    struct arch_regs *r = t->tg->container->platform->regs(t->thread);
    struct sigaltstack_state *now = &t->altstack;
    struct lx_stack fresh, old = {
        .sp = now->sp,
        .flags = now->size ? (on_stack(now, r->rsp) ? LX_SS_ONSTACK : 0) : LX_SS_DISABLE,
        .size = now->size,
    };
    u32 mode;

    old.flags |= (s32)(now->flags & LX_SS_AUTODISARM);
    if (a[0]) {
        if (usermem_get(t->mm, &fresh, a[0]) < 0)
            return -EFAULT;
        if (on_stack(now, r->rsp))
            return -EPERM;
        mode = (u32)fresh.flags & ~LX_SS_AUTODISARM;
        if (mode != LX_SS_DISABLE && mode != LX_SS_ONSTACK && mode != 0)
            return -EINVAL;
        if (mode == LX_SS_DISABLE) {
            *now = (struct sigaltstack_state){0};
        } else {
            if (fresh.size < LX_MINSIGSTKSZ)
                return -ENOMEM;
            *now = (struct sigaltstack_state){fresh.sp, fresh.size,
                                              (u32)fresh.flags & LX_SS_AUTODISARM};
        }
    }
    return a[1] ? usermem_put(t->mm, a[1], &old) : 0;
}
