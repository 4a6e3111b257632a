/* Host calls about guest host processes; see host_guest.h. */
#include "platform/host_guest.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* host-calls(sentry): kill tgkill — end and interrupt guest processes; identity check with signal 0 */
void host_guest_kill(int pid)
{
    kill(pid, SIGKILL);
}

bool host_guest_is_thread(int tgid, int tid)
{
    return syscall(SYS_tgkill, tgid, tid, 0) == 0;
}

void host_guest_interrupt(int tgid, int tid)
{
    syscall(SYS_tgkill, tgid, tid, HOST_GUEST_INTERRUPT_SIGNAL);
}

/* host-calls(sentry): wait4 waitid — stops and ends of guest processes */
void host_guest_reap(int pid)
{
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
}

int host_guest_wait(int tid, struct host_stop *stop)
{
    siginfo_t si = {0};

    /* WNOWAIT: the end of a leader must not free its pid, for others still hold it. A stop that is
     * not consumed goes away when the thread is resumed. */
    while (waitid(P_PID, (id_t)tid, &si, WSTOPPED | WEXITED | WNOWAIT | __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    stop->dead = si.si_code == CLD_EXITED || si.si_code == CLD_KILLED || si.si_code == CLD_DUMPED;
    stop->status = si.si_status;
    if (si.si_code == CLD_EXITED)
        stop->status <<= 8;
    return 0;
}

/* host-calls(sentry): process_vm_readv process_vm_writev — guest memory */
ssize_t host_guest_copy_in(int pid, void *dst, uaddr_t src, size_t len)
{
    struct iovec local = {dst, len}, remote = {(void *)(uintptr_t)src, len};
    ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

    if (n < 0)
        return errno == ESRCH ? -ESRCH : -EFAULT;
    return n == 0 && len ? -EFAULT : n;
}

ssize_t host_guest_copy_out(int pid, uaddr_t dst, const void *src, size_t len)
{
    struct iovec local = {(void *)(uintptr_t)src, len}, remote = {(void *)(uintptr_t)dst, len};
    ssize_t n = process_vm_writev(pid, &local, 1, &remote, 1, 0);

    if (n < 0)
        return errno == ESRCH ? -ESRCH : -EFAULT;
    return n == 0 && len ? -EFAULT : n;
}

/* host-calls(sentry): ptrace — run guest threads */
long host_ptrace(int request, int tid, u64 addr, void *data)
{
    long r = syscall(SYS_ptrace, request, tid, addr, data);

    return r < 0 ? -errno : r;
}
