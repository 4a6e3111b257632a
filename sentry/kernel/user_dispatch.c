/* Syscall user dispatch; see user_dispatch.h. */
#include "sentry/kernel/user_dispatch.h"

#include "sentry/abi/lx_seccomp.h"
#include "sentry/kernel/task_priv.h"
#include "sentry/mm/usermem.h"

#include <errno.h>

enum { DISPATCH_OFF, DISPATCH_ON };               /* the option */
enum { SELECTOR_ALLOW = 0, SELECTOR_BLOCK = 1 }; /* the byte */

s64 user_dispatch_set(struct task *t, const u64 a[6])
{
    u64 offset = a[2], len = a[3], selector = a[4];

    if (a[1] == DISPATCH_OFF) {
        if (offset || len || selector)
            return -EINVAL;
        t->dispatch = (struct user_dispatch){0};
        return 0;
    }
    if (a[1] != DISPATCH_ON || (offset && offset + len <= offset))
        return -EINVAL;
    if ((s64)selector < 0) /* no address of a program */
        return -EFAULT;
    t->dispatch = (struct user_dispatch){true, offset, len, selector};
    return 0;
}

/* die() - whatever the process does with the signal. */
static void die(struct task *t, u32 signo)
{
    group_exit(t->tg, signo);
    task_exit(t, signo);
}

bool user_dispatch_catches(struct task *t)
{
    const struct user_dispatch *d = &t->dispatch;
    struct arch_regs *regs = task_platform(t)->regs(t->thread);
    uaddr_t ip = arch_syscall_ip(regs);
    struct lx_siginfo info = {.signo = LX_SIGSYS, .code = LX_SYS_USER_DISPATCH};
    u8 selector = SELECTOR_BLOCK;

    if (ip - d->offset < d->len)
        return false;
    if (d->selector && usermem_in(t->mm, &selector, d->selector, 1) < 0) {
        die(t, LX_SIGSEGV);
        return true;
    }
    if (selector == SELECTOR_ALLOW)
        return false;
    if (selector != SELECTOR_BLOCK) {
        die(t, LX_SIGSYS);
        return true;
    }
    info.sys.call_addr = ip;
    info.sys.syscall = (s32)arch_syscall_nr(regs);
    info.sys.arch = ARCH_AUDIT;
    signal_force(t, &info);
    /* The handler finds the registers as before the call. */
    arch_syscall_return(regs, arch_syscall_nr(regs));
    return true;
}
