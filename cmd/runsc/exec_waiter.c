/*
 * The waiter: what callers know as the pid of an exec'd process. It sits in the container's cgroup,
 * relays the signals that it can catch, and exits with the process's status when that has ended.
 * It leads the session of the process's terminal on the host, if there is one, and so is told of new
 * sizes. If it is killed itself, its connection closes and the Sentry kills the process. It is a fork and
 * not a new program: it shares its pages with every other runsc.
 */
#include "cmd/runsc/exec_waiter.h"

#include "cmd/runsc/cgroup.h"
#include "cmd/runsc/console.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/signal_relay.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Descriptors of a waiter. */
enum { WAITER_SOCK = 3, WAITER_RELAY = 4, WAITER_TERMINAL = 5, WAITER_END = 6 };

#define EXIT_LOST 128

/* arrange_fds() - /dev/null, the connection, the signals, the terminal, and nothing else. */
static int arrange_fds(int sock, int relay, int terminal)
{
    int null = host_file_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
    const int from[WAITER_END] = {null, null, null, sock, relay, terminal < 0 ? null : terminal};
    int high[WAITER_END];

    for (int i = 0; i < WAITER_END; i++) {
        high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, WAITER_END);
        if (high[i] < 0)
            return -EBADF;
    }
    for (int i = 0; i < WAITER_END; i++)
        if (host_file_dup(high[i], i) < 0)
            return -EBADF;
    return host_process_close_from(WAITER_END);
}

static _Noreturn void run_waiter(const struct container *c, int sock, int relay, s64 pid,
                                 int terminal)
{
    int status;

    prctl(PR_SET_NAME, "runsc-exec");
    host_process_session();
    if (arrange_fds(sock, relay, terminal) || host_process_chdir("/"))
        _exit(EXIT_LOST);
    if (terminal >= 0) {
        console_lead(WAITER_TERMINAL);
        host_process_kill(getpid(), SIGWINCH); /* one may have come before */
    }
    cgroup_enter(c, getpid(), NULL); /* it may be going away; then so is the process */
    malloc_trim(0);
    status = signal_relay_wait(c, WAITER_SOCK, WAITER_RELAY, pid, terminal >= 0);
    /* a sandbox that has gone took the process with it by SIGKILL */
    _exit(status >= 0 ? status : EXIT_LOST + SIGKILL);
}

pid_t exec_waiter_start(const struct container *c, int sock, s64 pid, int terminal)
{
    auto_fd int relay = signal_relay_open(); /* here: a signal may come as soon as there is a pid */
    pid_t waiter;

    if (relay < 0)
        return error_errno(relay, "can't relay signals");
    waiter = host_process_clone(0);
    if (waiter == 0)
        run_waiter(c, sock, relay, pid, terminal);
    return waiter < 0 ? error_errno(waiter, "can't make the process that waits") : waiter;
}
