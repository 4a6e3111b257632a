/*
 * Faults of guest code, and of copies from and to its memory: either a stack grows there, and what
 * faulted is tried again, or it is a signal, or EFAULT.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task_priv.h"
#include "sentry/mm/mm.h"

struct mm *task_own_mm(struct task *t)
{
    bool may_lock = cred_capable(task_cred(t), LX_CAP_IPC_LOCK);
    u64 memlock = may_lock ? RLIM_NONE : task_rlimit(t, LX_RLIMIT_MEMLOCK);
    struct mm *mm = t->mm;

    atomic_store_explicit(&mm->limit_as, task_rlimit(t, LX_RLIMIT_AS), memory_order_relaxed);
    atomic_store_explicit(&mm->limit_data, task_rlimit(t, LX_RLIMIT_DATA), memory_order_relaxed);
    atomic_store_explicit(&mm->limit_stack, task_rlimit(t, LX_RLIMIT_STACK), memory_order_relaxed);
    atomic_store_explicit(&mm->limit_memlock, memlock, memory_order_relaxed);
    return mm;
}

bool task_fault_in(struct mm *mm, uaddr_t addr)
{
    struct task *t = current;

    return t && t->mm == mm && t->thread && mm_grow(task_own_mm(t), t->thread, addr);
}

void task_fault(struct task *t, const struct plat_fault *fault)
{
    struct lx_siginfo info = {.signo = fault->signo, .code = fault->code};

    if (fault->signo == LX_SIGSEGV && fault->code == LX_SEGV_MAPERR &&
        task_fault_in(t->mm, fault->addr))
        return;
    info.fault.addr = fault->addr;
    t->fault = *fault;
    signal_force(t, &info);
}
