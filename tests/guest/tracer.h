/* What the tests of ptrace(2) share: a child that is traced, and its stops. */
#ifndef TESTS_GUEST_TRACER_H
#define TESTS_GUEST_TRACER_H

#include "tests/guest/guest.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* PT(CONT, pid, addr, data): the bare call */
#define PT(request, pid, addr, data) SYS(ptrace, PTRACE_##request, pid, addr, data)

/* The wait status of a stop for a signal, or for a PTRACE_EVENT_*. */
#define STOPPED(signo)      (((signo) << 8) | 0x7f)
#define EVENT(signo, event) (((event) << 16) | STOPPED(signo))

/* tracer_next_stop() - wait for the tracee. Return: its wait status */
int tracer_next_stop(pid_t pid);

/* tracer_fork() - a child that is our tracee and has stopped by SIGSTOP. Return: as fork */
pid_t tracer_fork(void);

/* tracer_run_to() - from stop to stop by PTRACE_SYSCALL until one is about call `nr`; its registers.
 * The options have PTRACE_O_TRACESYSGOOD. */
void tracer_run_to(pid_t pid, long nr, struct user_regs_struct *regs);

/* TRACED_CHILD(pid) { … }: as IN_CHILD, once it is a stopped tracee */
#define TRACED_CHILD(pid) for ((pid) = tracer_fork(); guest_is_zero(pid); guest_finish())

#endif
