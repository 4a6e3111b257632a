/*
 * Terminals of the host for containers; see console.h. The line discipline that a guest sees is the
 * Sentry's (fs/tty), so the host's is put into raw mode and is no more than the wire.
 *
 * The Sentry gets a description of its own, so that O_NONBLOCK on it is nobody else's business.
 */
#include "cmd/runsc/console.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)

int console_check(const struct console_wish *wish, const char *socket, bool detached)
{
    if (!wish->terminal && *socket)
        return error_set(-EINVAL, "--console-socket is given, but process.terminal is not set");
    if (wish->terminal && detached && !*socket)
        return error_set(-EINVAL, "process.terminal is set: give --console-socket, to which the "
                                  "terminal's master is sent, or run in the foreground");
    return 0;
}

static int set_raw(int fd, struct termios *before)
{
    struct termios raw;

    if (tcgetattr(fd, before) < 0)
        return -errno;
    raw = *before;
    cfmakeraw(&raw);
    return tcsetattr(fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

static int set_size(int fd, const struct console_wish *wish)
{
    struct winsize size = {.ws_row = (unsigned short)wish->rows, .ws_col = (unsigned short)wish->cols};

    if (!wish->rows && !wish->cols)
        return 0;
    return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* send_master() - with its name as the text, as callers expect. Return: 0 or -errno. */
static int send_master(const char *path, int master, const char *name)
{
    auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec iov = {(void *)(uintptr_t)name, strlen(name)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t n;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    memcpy(CMSG_DATA(&control.header), &master, sizeof(master));
    n = host_sendmsg(sock, &msg, 0);
    return n < 0 ? (int)n : 0;
}

/* open_pair() - a pty. Return: 0 and both ends, or -errno. */
static int open_pair(int *master, int *slave, char *name, size_t size)
{
    int unlocked = 0, number;

    *master = host_file_open(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY, 0);
    if (*master < 0)
        return *master;
    if (ioctl(*master, TIOCSPTLCK, &unlocked) < 0 || ioctl(*master, TIOCGPTN, &number) < 0)
        return -errno;
    *slave = ioctl(*master, TIOCGPTPEER, OPEN_FLAGS);
    if (*slave < 0)
        return -errno;
    snprintf(name, size, "/dev/pts/%d", number);
    return 0;
}

static int open_pty(struct console *console, const struct console_wish *wish, const char *socket)
{
    auto_fd int master = -1, slave = -1;
    struct termios before;
    char name[32];
    int r = open_pair(&master, &slave, name, sizeof(name));

    if (!r)
        r = set_raw(slave, &before);
    if (!r)
        r = set_size(slave, wish);
    if (r)
        return error_errno(r, "can't make a terminal");
    r = send_master(socket, master, name);
    if (r)
        return error_errno(r, "can't send the terminal's master to the console socket %s", socket);
    console->fd = take_fd(slave);
    return 0;
}

/* find_own() - this process's terminal, opened anew. Return: it, -ENOTTY or -errno. */
static int find_own(void)
{
    static const int tries[] = {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO};
    char path[32];

    for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
        if (!isatty(tries[i]))
            continue;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", tries[i]);
        return host_file_open(AT_FDCWD, path, OPEN_FLAGS, 0);
    }
    return host_file_open(AT_FDCWD, "/dev/tty", OPEN_FLAGS, 0);
}

static int open_own(struct console *console)
{
    int fd = find_own(), r;

    if (fd < 0)
        return error_errno(fd, "process.terminal is set, but runsc has no terminal itself: give "
                               "--console-socket, or run it in one");
    r = set_raw(fd, &console->before);
    if (r) {
        clean_fd(&fd);
        return error_errno(r, "can't put this terminal into raw mode");
    }
    console->fd = fd;
    console->is_own = true;
    return 0;
}

int console_open(struct console *console, const struct console_wish *wish, const char *socket)
{
    *console = CONSOLE_NONE;
    if (!wish->terminal)
        return 0;
    return *socket ? open_pty(console, wish, socket) : open_own(console);
}

const char *console_name(const struct console *console)
{
    return console->is_own ? "terminal" : "console";
}

void console_lead(int fd)
{
    ioctl(fd, TIOCSCTTY, 0); /* if it can't, new sizes are not told, all else works */
}

void console_close(struct console *console)
{
    if (console->fd < 0)
        return;
    if (console->is_own)
        tcsetattr(console->fd, TCSADRAIN, &console->before);
    clean_fd(&console->fd);
    *console = CONSOLE_NONE;
}
