/*
 * The Sentry as session leader of the host's terminal that is its container's console. All that it
 * wants of it is SIGWINCH; what else a controlling terminal may send is ignored: the terminal is in
 * raw mode, its hangup is seen by who reads it (fs/tty/tty_wire.c). Guests' host processes are in a
 * session of their own.
 */
#include "cmd/sandbox/console.h"

#include "fs/tty/tty.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/control/server.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

int console_take(int fd)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
    sigset_t set;
    int winch;

    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
        return -errno;
    winch = signalfd(-1, &set, SFD_CLOEXEC);
    return winch < 0 ? -errno : winch;
}

static void resized(void)
{
    struct tty *tty = control_console();

    if (tty)
        tty_wire_resized(tty);
    tty_put(tty);
}

static void *watch_thread(void *arg)
{
    int winch = (int)(intptr_t)arg;
    struct signalfd_siginfo info;
    ssize_t n;

    resized(); /* what came before */
    do {
        n = host_read(winch, &info, sizeof(info));
        resized();
    } while (n == (ssize_t)sizeof(info) || n == -EINTR);
    host_close(winch);
    return NULL;
}

int console_watch(int winch)
{
    return host_thread_start("winch", watch_thread, (void *)(intptr_t)winch);
}
