#include "tests/guest/pty.h"

int master, slave;
char pty_name[32];

int open_master(void)
{
    int unlock = 0, n = -1, fd = (int)REQUIRE_OK(SYS(open, "/dev/ptmx", O_RDWR | O_NOCTTY));

    REQUIRE_OK(SYS(ioctl, fd, TIOCSPTLCK, &unlock));
    REQUIRE_OK(SYS(ioctl, fd, TIOCGPTN, &n));
    snprintf(pty_name, sizeof(pty_name), "/dev/pts/%d", n);
    return fd;
}

void open_pair(void)
{
    master = open_master();
    slave = (int)REQUIRE_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
}

void set_raw(void)
{
    struct termios t;

    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    t.c_iflag = t.c_oflag = t.c_lflag = 0;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
}

void nonblock(int fd)
{
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK));
}

const char *drain(int fd)
{
    static char buf[65536];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0;

    while (SYS(poll, &p, 1, 100) == 1 && (p.revents & POLLIN)) {
        long got = SYS(read, fd, buf + n, sizeof(buf) - 1 - n);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    buf[n] = 0;
    return buf;
}
