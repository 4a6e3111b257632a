/* Host calls about processes, for the command line; see host_process.h. */
#include "cmd/runsc/host_process.h"

#include "cmd/runsc/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static int result(long r)
{
    return r < 0 ? -errno : (int)r;
}

pid_t host_process_clone(unsigned long flags)
{
    return result(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0));
}

int host_process_unshare(int flags)
{
    return result(unshare(flags));
}

int host_process_setns(int fd, int type)
{
    return result(setns(fd, type));
}

pid_t host_process_wait(pid_t pid, int *status, bool block)
{
    pid_t r;

    do {
        r = result(waitpid(pid, status, block ? 0 : WNOHANG));
    } while (r == -EINTR);
    return r;
}

int host_process_pidfd(pid_t pid)
{
    return result(syscall(SYS_pidfd_open, pid, 0));
}

int host_process_signal(int pidfd, int signal)
{
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int host_process_kill(pid_t pid, int signal)
{
    return result(kill(pid, signal));
}

int host_process_gone(int pidfd, int timeout_ms)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int r;

    do {
        r = result(poll(&p, 1, timeout_ms));
    } while (r == -EINTR);
    return r > 0 ? 0 : r ? r : -ETIMEDOUT;
}

int host_process_become_root(void)
{
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return -errno;
    return 0;
}

int host_process_exec_fd(int fd, char *const *argv, char *const *envp)
{
    return result(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH));
}

int host_process_exec(const char *path, char *const *argv, char *const *envp)
{
    return result(execve(path, argv, envp));
}

int host_process_close_from(unsigned int first)
{
    return result(syscall(SYS_close_range, first, ~0u, 0));
}

int host_process_session(void)
{
    return result(setsid());
}

int host_process_chdir(const char *path)
{
    return result(chdir(path));
}

int host_process_death_signal(int signal)
{
    return result(prctl(PR_SET_PDEATHSIG, signal));
}

void host_process_reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, i == SIGPIPE ? SIG_IGN : SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* last_monotonic() - of the clocks that share an offset, the one that is behind: none of them may
 * begin below 0. */
static clockid_t last_monotonic(void)
{
    struct timespec adjusted, raw;

    clock_gettime(CLOCK_MONOTONIC, &adjusted);
    clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
    if (raw.tv_sec != adjusted.tv_sec)
        return raw.tv_sec < adjusted.tv_sec ? CLOCK_MONOTONIC_RAW : CLOCK_MONOTONIC;
    return raw.tv_nsec < adjusted.tv_nsec ? CLOCK_MONOTONIC_RAW : CLOCK_MONOTONIC;
}

/* offset() - "<clock> <secs> <nanosecs>" that makes the clock's present value 0. */
static void offset(const char *name, clockid_t clock, char *text, size_t size)
{
    struct timespec now;

    clock_gettime(clock, &now);
    snprintf(text, size, "%s %lld %ld", name, -(long long)now.tv_sec - 1,
             1000000000L - (now.tv_nsec ? now.tv_nsec : 1));
}

int host_process_time_start(void)
{
    char monotonic[64], boottime[64], text[160];
    int r = host_process_unshare(CLONE_NEWTIME);

    if (r)
        return r;
    offset("monotonic", last_monotonic(), monotonic, sizeof(monotonic));
    offset("boottime", CLOCK_BOOTTIME, boottime, sizeof(boottime));
    snprintf(text, sizeof(text), "%s\n%s\n", monotonic, boottime);
    return host_file_put(AT_FDCWD, "/proc/self/timens_offsets", text);
}
