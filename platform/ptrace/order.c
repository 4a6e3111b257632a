/*
 * Ordered operations: a stopped guest thread runs a piece of the stub and is stopped again by the
 * int3 at its end. It runs under PTRACE_CONT, so a host call in it is executed, as far as the guest
 * filter lets it through or the listener, asked by the filter, finds it in its table of orders.
 *
 * The stub is read-execute and can't be changed by the guest (the filter refuses every call on its
 * range), so other threads of the same process can't divert the order; they can only make it slow
 * (by holding the host's mmap lock) or die with it.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "zygote_image.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

enum { EFLAGS_PLAIN = 0x202 };

/* save_regs() - make sure that th->regs holds the guest's registers before they are replaced. */
static int save_regs(struct plat_thread *th)
{
    long err;

    th->regs_dirty = true;
    if (th->regs_known)
        return 0;
    err = host_ptrace(PTRACE_GETREGS, th->tid, 0, &th->regs);
    th->regs_known = err == 0;
    return (int)err;
}

/* run_to_int3() - Return: 0 when the int3 was reached, -EFAULT, -EPERM (the filter refused). */
static int run_to_int3(struct plat_thread *th)
{
    for (;;) {
        int stop;

        if (host_ptrace(PTRACE_CONT, th->tid, 0, NULL) < 0) {
            stop = ptrace_wait(th);
            if (stop < 0)
                return stop;
            continue;
        }
        stop = ptrace_wait(th);
        if (stop < 0)
            return stop;
        switch (stop) {
        case SIGTRAP:
            return 0;
        case SIGSEGV:
        case SIGBUS:
            return -EFAULT;
        case SIGSYS:
            log_warning("the guest filter refused an ordered call of thread %d", th->tid);
            return -EPERM;
        default:
            break; /* an interrupt: th->interrupt remembers it */
        }
    }
}

int ptrace_order(struct plat_thread *th, const struct order *o, s64 *result)
{
    struct arch_regs r;
    struct notify_order n = {.tgid = th->mm->pid, .tid = th->tid, .nr = o->nr,
                             .add_fd = o->add_fd};
    long err = th->dead ? -ESRCH : save_regs(th);

    if (err < 0)
        return (int)err;
    r = th->regs;
    r.rip = o->entry;
    r.orig_rax = (u64)-1;
    r.rax = (u64)o->nr;
    r.rdi = o->args[0], r.rsi = o->args[1], r.rdx = o->args[2];
    r.r10 = o->args[3], r.r8 = o->args[4], r.r9 = o->args[5];
    r.eflags = EFLAGS_PLAIN;
    err = host_ptrace(PTRACE_SETREGS, th->tid, 0, &r);
    if (!err && o->by_notify) {
        __builtin_memcpy(n.args, o->args, sizeof(n.args));
        err = notify_order_begin(th->mm->zygote->notify, &n);
    }
    if (err < 0)
        return (int)err;
    err = run_to_int3(th);
    if (o->by_notify)
        notify_order_end(th->mm->zygote->notify, &n);
    if (!err)
        err = host_ptrace(PTRACE_GETREGS, th->tid, 0, &r);
    if (!err)
        *result = (s64)r.rax;
    return (int)err;
}

s64 ptrace_order_call(struct plat_thread *th, s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    struct order o = {.entry = ADDR_stub_order, .nr = nr, .args = {a, b, c, d, e, f}, .add_fd = -1};
    s64 result;
    int err = ptrace_order(th, &o, &result);

    return err < 0 ? err : result;
}

int ptrace_atomic(struct plat_thread *th, uaddr_t addr, enum plat_atomic_op op, u32 arg,
                  u32 expect, u32 *old)
{
    static const u64 entries[] = {
        [PLAT_ATOMIC_XCHG] = ADDR_stub_atomic_xchg, [PLAT_ATOMIC_ADD] = ADDR_stub_atomic_add,
        [PLAT_ATOMIC_OR] = ADDR_stub_atomic_or,     [PLAT_ATOMIC_ANDN] = ADDR_stub_atomic_andn,
        [PLAT_ATOMIC_XOR] = ADDR_stub_atomic_xor,   [PLAT_ATOMIC_CMPXCHG] = ADDR_stub_atomic_cmpxchg,
    };
    struct order o = {.entry = entries[op], .nr = expect, .args = {addr, arg}, .add_fd = -1};
    s64 result;
    int err;

    if ((addr & 3) || addr >= PLAT_TASK_SIZE)
        return -EFAULT;
    err = ptrace_order(th, &o, &result);
    if (err < 0)
        return err;
    *old = (u32)result;
    return 0;
}
