/*
 * Running guest code until it traps; see thread.c.
 *
 * Interrupts. interrupt() sets th->interrupt, then looks at th->run; ptrace_run() sets th->run, then
 * looks at th->interrupt. Both are sequentially consistent, so at least one of the two sees the
 * other: either the thread does not start to run, or it is sent the interrupt signal, which stops
 * it at once or at its next instruction. A signal that comes late (the thread has stopped by itself
 * meanwhile) is swallowed at the next stop, since th->interrupt is clear by then.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "sentry/base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80, EVENT_STOP = SIGTRAP | PTRACE_EVENT_STOP << 8 };

int ptrace_wait(struct plat_thread *th)
{
    struct host_stop stop;
    int err = host_guest_wait(th->tid, &stop);

    if (err < 0 || stop.dead) {
        th->dead = true;
        th->dead_status = err < 0 ? 0 : stop.status;
        if (!th->leader && err == 0)
            host_guest_reap(th->tid);
        return -ESRCH;
    }
    return stop.status;
}

int ptrace_attach(struct plat_thread *th)
{
    struct notify *n = th->mm->zygote->notify;
    long err = host_ptrace(PTRACE_SEIZE, th->tid, 0,
                           (void *)(uintptr_t)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD));

    if (err == 0) {
        th->seized = true;
        err = host_ptrace(PTRACE_INTERRUPT, th->tid, 0, NULL);
    }
    if (err == 0)
        err = notify_attached(n, th->tid);
    if (err == 0)
        err = ptrace_wait(th) < 0 ? -ESRCH : 0;
    notify_detached(n, th->tid);
    if (err < 0) {
        if (!th->dead)
            host_guest_kill(th->mm->pid);
        th->dead = true;
    }
    return (int)err;
}

/* resume() - write the registers back and run guest code. Return: false: it is dead. */
static bool resume(struct plat_thread *th)
{
    if (th->regs_dirty && th->regs_known) {
        if (host_ptrace(PTRACE_SETREGS, th->tid, 0, &th->regs) == -EIO) {
            /* A selector or base that the host refuses: flat ones fault where Linux would. */
            th->regs.ds = th->regs.es = th->regs.fs = th->regs.gs = 0;
            th->regs.cs = 0x33;
            th->regs.ss = 0x2b;
            if (th->regs.fs_base >= PLAT_TASK_SIZE)
                th->regs.fs_base = 0;
            if (th->regs.gs_base >= PLAT_TASK_SIZE)
                th->regs.gs_base = 0;
            host_ptrace(PTRACE_SETREGS, th->tid, 0, &th->regs);
        }
        th->regs_dirty = false;
    }
    th->regs_known = false;
    return host_ptrace(PTRACE_SYSEMU, th->tid, 0, NULL) == 0;
}

static void stop_dead(struct plat_thread *th, struct plat_stop *stop)
{
    *stop = (struct plat_stop){.event = PLAT_DEAD, .wait_status = th->dead_status};
}

/* classify() - turn a ptrace stop into an event. Return: false: nothing for the kernel, run on. */
static bool classify(struct plat_thread *th, int status, struct plat_stop *stop)
{
    if (host_ptrace(PTRACE_GETREGS, th->tid, 0, &th->regs) < 0)
        return false; /* killed meanwhile: the next wait says so */
    th->regs_known = true;
    th->regs_dirty = false;
    if (likely(status == SYSCALL_STOP)) {
        if (unlikely(ptrace_foreign_entry(th, stop)))
            return true;
        *stop = (struct plat_stop){.event = PLAT_SYSCALL};
        return true;
    }
    if (status == EVENT_STOP || status == HOST_GUEST_INTERRUPT_SIGNAL)
        return false;
    return ptrace_fault(th, status, stop);
}

void ptrace_run(struct plat_thread *th, struct plat_stop *stop)
{
    for (;;) {
        int status;

        if (th->dead) {
            stop_dead(th, stop);
            return;
        }
        atomic_store(&th->run, RUN_GUEST);
        if (atomic_load(&th->interrupt)) {
            atomic_store(&th->run, RUN_STOPPED);
            atomic_store(&th->interrupt, false);
            stop->event = PLAT_INTERRUPT;
            return;
        }
        resume(th); /* a failure shows as the death that the wait reports */
        status = ptrace_wait(th);
        atomic_store(&th->run, RUN_STOPPED);
        if (status < 0)
            continue;
        if (classify(th, status, stop))
            return;
    }
}

void ptrace_interrupt(struct plat_thread *th)
{
    if (atomic_exchange(&th->interrupt, true))
        return;
    if (atomic_load(&th->run) == RUN_GUEST)
        host_guest_interrupt(th->mm->pid, th->tid);
}
