/* host_* wrappers about guest host processes: kill, reap, copies, tracing. See host_fd.h. */
#pragma once

#include "platform/arch.h"
#include "sentry/base/types.h"

/* host_guest_kill() - SIGKILL to a host process whose pid is pinned (not reaped). */
void host_guest_kill(int pid);
/* host_guest_reap() - wait for its end and release the pid. */
void host_guest_reap(int pid);
/* host_guest_is_thread() - is tid a thread of tgid? */
bool host_guest_is_thread(int tgid, int tid);
/* host_guest_interrupt() - the signal that takes a running thread out of guest code. */
void host_guest_interrupt(int tgid, int tid);
#define HOST_GUEST_INTERRUPT_SIGNAL 23 /* SIGURG: ignored where nobody traces */

/* host_guest_copy_in(), host_guest_copy_out() - process_vm_*. Return: bytes, -EFAULT, -ESRCH. */
ssize_t host_guest_copy_in(int pid, void *dst, uaddr_t src, size_t len);
ssize_t host_guest_copy_out(int pid, uaddr_t dst, const void *src, size_t len);

/* host_ptrace() - a request; Return: 0 or -errno. */
long host_ptrace(int request, int tid, u64 addr, void *data);

/* What waiting for a traced thread found. */
struct host_stop {
    bool dead;
    int status; /* stop: signal | event << 8; dead: wait status */
};
/* host_guest_wait() - until `tid` stops or dies; its pid stays pinned. Return: 0, -ECHILD. */
int host_guest_wait(int tid, struct host_stop *stop);
