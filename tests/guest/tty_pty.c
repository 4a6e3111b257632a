/* Pseudo-terminals: names, opening and closing, hangups, packet mode, readiness (pty(7)). */
#include "tests/guest/pty.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define DEVPTS_MAGIC 0x1cd1
#define HUNG_UP (POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM)

enum { CAP_SYS_ADMIN = 21, CAP_SYS_TTY_CONFIG = 26 };

static int ready(int fd)
{
    struct pollfd p = {.fd = fd,
                       .events = POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM};

    return SYS(poll, &p, 1, 0) == 1 ? p.revents : 0;
}

static const char *link_of(int fd)
{
    static char buf[128];
    char path[64];
    long n;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = SYS(readlink, path, buf, sizeof(buf) - 1);
    buf[n < 0 ? 0 : n] = 0;
    return buf;
}

TEST(names, "open fstat stat statfs")
{
    struct statfs fs;
    struct stat st, again;
    int n = -1;

    open_pair();
    EXPECT_OK(SYS(fstat, slave, &st));
    EXPECT_EQ(st.st_mode & S_IFMT, S_IFCHR);
    EXPECT_EQ(major(st.st_rdev), 136);
    EXPECT_OK(SYS(ioctl, master, TIOCGPTN, &n));
    EXPECT_EQ(minor(st.st_rdev), n);
    EXPECT_EQ(st.st_ino, n + 3);
    EXPECT_EQ(st.st_nlink, 1);
    EXPECT_OK(SYS(stat, pty_name, &again));
    EXPECT_EQ(again.st_ino, st.st_ino);
    EXPECT_EQ(again.st_dev, st.st_dev);
    EXPECT_STREQ(link_of(slave), pty_name);
    EXPECT_OK(SYS(fstat, master, &st));
    EXPECT_EQ(major(st.st_rdev), 5);
    EXPECT_EQ(minor(st.st_rdev), 2);
    EXPECT_OK(SYS(statfs, "/dev/pts", &fs));
    EXPECT_EQ(fs.f_type, DEVPTS_MAGIC);
    SYS(close, master);
    EXPECT_ERRNO(SYS(stat, pty_name, &st), ENOENT);
    EXPECT_OK(SYS(fstat, slave, &st));
    EXPECT_EQ(st.st_nlink, 0);
    EXPECT(strstr(link_of(slave), " (deleted)"));
}

TEST(attributes_stay, "chmod chown")
{
    struct stat st;

    open_pair();
    if (SYS(chown, pty_name, 0, 5) < 0)
        SKIP("chown needs privilege");
    EXPECT_OK(SYS(chmod, pty_name, 0622));
    SYS(close, slave);
    EXPECT_OK(SYS(stat, pty_name, &st));
    EXPECT_EQ(st.st_mode & 07777, 0622);
    EXPECT_EQ(st.st_gid, 5);
}

TEST(locked, "open:EIO ioctl ioctl:EIO")
{
    int fd = (int)REQUIRE_OK(SYS(open, "/dev/ptmx", O_RDWR | O_NOCTTY)), n = -1, locked = -1;

    EXPECT_OK(SYS(ioctl, fd, TIOCGPTN, &n));
    EXPECT_OK(SYS(ioctl, fd, TIOCGPTLCK, &locked));
    EXPECT_EQ(locked, 1);
    snprintf(pty_name, sizeof(pty_name), "/dev/pts/%d", n);
    EXPECT_ERRNO(SYS(open, pty_name, O_RDWR | O_NOCTTY), EIO);
    EXPECT_ERRNO(SYS(ioctl, fd, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
    locked = 0;
    EXPECT_OK(SYS(ioctl, fd, TIOCSPTLCK, &locked));
    EXPECT_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
}

TEST(peer, "ioctl fcntl")
{
    master = open_master();
    slave = (int)EXPECT_OK(SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_STREQ(link_of(slave), pty_name);
    EXPECT_EQ(SYS(fcntl, slave, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, slave, F_GETFL) & (O_ACCMODE | O_NOCTTY), O_RDWR);
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
    EXPECT_STREQ(drain(master), "x");
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCGPTPEER, O_RDWR), EIO);
}

TEST(lowest_number, "open")
{
    int a = open_master(), b, n = -1, m = -1;

    EXPECT_OK(SYS(ioctl, a, TIOCGPTN, &n));
    b = open_master();
    SYS(close, a);
    a = open_master();
    EXPECT_OK(SYS(ioctl, a, TIOCGPTN, &m));
    EXPECT_EQ(n, m);
    SYS(close, a);
    SYS(close, b);
}

TEST(before_the_slave, "write poll read")
{
    char buf[8];

    master = open_master();
    EXPECT_EQ(SYS(write, master, "abc\n", 4), 4);
    guest_sleep_ms(20);
    EXPECT_EQ(ready(master) & POLLHUP, 0);
    slave = (int)REQUIRE_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY | O_NONBLOCK));
    EXPECT_EQ(SYS(read, slave, buf, 8), 4);
    EXPECT_STREQ(drain(master), "abc\r\n");
}

TEST(slave_closed, "read:EIO poll write")
{
    char buf[8];

    open_pair();
    EXPECT_EQ(SYS(write, slave, "xy", 2), 2);
    SYS(close, slave);
    guest_sleep_ms(20);
    EXPECT_EQ(ready(master), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP);
    EXPECT_EQ(SYS(read, master, buf, 8), 2);
    EXPECT_ERRNO(SYS(read, master, buf, 8), EIO);
    EXPECT_EQ(ready(master), POLLOUT | POLLWRNORM | POLLHUP);
    slave = (int)REQUIRE_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
    EXPECT_EQ(ready(master), POLLOUT | POLLWRNORM);
    EXPECT_EQ(SYS(write, slave, "z", 1), 1);
    EXPECT_STREQ(drain(master), "z");
}

TEST(master_closed, "read write:EIO ioctl:EIO,ENOTTY poll open:ENOENT")
{
    struct termios t;
    char buf[8];
    int n = 0;

    open_pair();
    EXPECT_EQ(SYS(write, master, "abc\n", 4), 4);
    SYS(close, master);
    EXPECT_EQ(ready(slave), HUNG_UP);
    EXPECT_EQ(SYS(read, slave, buf, 8), 0);
    EXPECT_ERRNO(SYS(write, slave, "a", 1), EIO);
    EXPECT_ERRNO(SYS(ioctl, slave, TCGETS, &t), EIO);
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCSPGRP, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCGWINSZ, buf), EIO);
    EXPECT_ERRNO(SYS(open, pty_name, O_RDWR), ENOENT);
}

/* closer() - close the master from a child after a while. */
static pid_t closer(void)
{
    pid_t pid = guest_fork();

    if (pid == 0) {
        SYS(close, slave);
        guest_sleep_ms(100);
        SYS(close, master);
        guest_finish();
    }
    SYS(close, master);
    return pid;
}

TEST(hangup_ends_a_read, "read:EIO")
{
    char buf[8];
    pid_t pid;

    open_pair();
    pid = closer();
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EIO);
    EXPECT_EQ(SYS(read, slave, buf, 8), 0);
    EXPECT_CHILD_OK(pid);
}

TEST(hangup_ends_a_write, "write:EIO")
{
    static char text[65536];
    pid_t pid;

    open_pair();
    pid = closer();
    EXPECT_LT(SYS(write, slave, text, sizeof(text)), (long)sizeof(text));
    EXPECT_ERRNO(SYS(write, slave, text, sizeof(text)), EIO);
    EXPECT_CHILD_OK(pid);
}

TEST(hangup_ends_a_poll, "poll epoll_wait")
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    struct pollfd p;
    pid_t pid;
    int ep;

    open_pair();
    ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, slave, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
    pid = closer();
    p = (struct pollfd){.fd = slave, .events = POLLPRI};
    EXPECT_EQ(SYS(poll, &p, 1, 5000), 1);
    EXPECT_EQ(p.revents & POLLHUP, POLLHUP);
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 1000), 1);
    EXPECT_EQ(ev.events & EPOLLHUP, EPOLLHUP);
    EXPECT_CHILD_OK(pid);
}

TEST(readers_are_woken, "poll epoll_wait read")
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET}, got;
    struct pollfd p;
    char buf[8];
    pid_t pid;
    int ep;

    open_pair();
    ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, slave, &ev));
    IN_CHILD(pid)
    {
        guest_sleep_ms(50);
        EXPECT_EQ(SYS(write, master, "a\n", 2), 2);
    }
    p = (struct pollfd){.fd = slave, .events = POLLIN};
    EXPECT_EQ(SYS(poll, &p, 1, 5000), 1);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 1000), 1);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 20), 0); /* no new edge */
    EXPECT_EQ(SYS(read, slave, buf, 8), 2);
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        guest_sleep_ms(50);
        EXPECT_EQ(SYS(write, slave, "bc", 2), 2);
    }
    drain(master);
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        guest_sleep_ms(50);
        EXPECT_EQ(SYS(write, slave, "de", 2), 2);
    }
    EXPECT_EQ(SYS(read, master, buf, 8), 2);
    EXPECT_CHILD_OK(pid);
}

/* packet() - one read of the master in packet mode: what the status byte is, or -1. */
static int packet(char *data, size_t size)
{
    char buf[64];
    long n = SYS(read, master, buf, sizeof(buf));

    if (n < 1)
        return -1;
    n = n - 1 < (long)size - 1 ? n - 1 : (long)size - 1;
    memcpy(data, buf + 1, (size_t)n);
    data[n] = 0;
    return buf[0];
}

TEST(packet_mode, "ioctl read poll")
{
    struct termios t;
    char data[64];
    int on = 1;

    open_pair();
    nonblock(master);
    EXPECT_OK(SYS(ioctl, master, TIOCPKT, &on));
    on = 0;
    EXPECT_OK(SYS(ioctl, master, TIOCGPKT, &on));
    EXPECT_EQ(on, 1);
    EXPECT_EQ(SYS(write, slave, "a\n", 2), 2);
    guest_sleep_ms(20);
    EXPECT_EQ(packet(data, 64), TIOCPKT_DATA);
    EXPECT_STREQ(data, "a\r\n");
    EXPECT_OK(SYS(ioctl, slave, TCFLSH, TCIFLUSH));
    EXPECT_EQ(ready(master) & (POLLPRI | POLLIN), POLLPRI | POLLIN);
    EXPECT_EQ(packet(data, 64), TIOCPKT_FLUSHREAD);
    EXPECT_OK(SYS(ioctl, slave, TCFLSH, TCOFLUSH));
    EXPECT_EQ(packet(data, 64), TIOCPKT_FLUSHWRITE);
    EXPECT_OK(SYS(ioctl, slave, TCXONC, TCOOFF));
    EXPECT_EQ(packet(data, 64), TIOCPKT_STOP);
    EXPECT_OK(SYS(ioctl, slave, TCXONC, TCOON));
    EXPECT_EQ(packet(data, 64), TIOCPKT_START);
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    t.c_iflag &= ~(tcflag_t)IXON;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
    EXPECT_EQ(packet(data, 64), TIOCPKT_NOSTOP);
    t.c_iflag |= IXON;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
    EXPECT_EQ(packet(data, 64), TIOCPKT_DOSTOP);
    EXPECT_EQ(SYS(write, master, "\003", 1), 1);
    guest_sleep_ms(20);
    EXPECT_EQ(packet(data, 64), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    EXPECT_EQ(packet(data, 64), TIOCPKT_DATA);
    EXPECT_STREQ(data, "^C");
    EXPECT_OK(SYS(ioctl, slave, TCXONC, TCIOFF));
    EXPECT_EQ(packet(data, 64), TIOCPKT_DATA);
    EXPECT_STREQ(data, "\023");
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCPKT, &on), ENOTTY);
}

TEST(exclusive, "ioctl open")
{
    pid_t pid;
    int n = -1;

    open_pair();
    EXPECT_OK(SYS(ioctl, slave, TIOCGEXCL, &n));
    EXPECT_EQ(n, 0);
    EXPECT_OK(SYS(ioctl, slave, TIOCEXCL));
    EXPECT_OK(SYS(ioctl, slave, TIOCGEXCL, &n));
    EXPECT_EQ(n, 1);
    if (guest_has_cap(CAP_SYS_ADMIN))
        EXPECT_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
    EXPECT_OK(SYS(chmod, pty_name, 0666));
    IN_CHILD(pid)
    {
        if (SYS(setuid, 4321) == 0)
            EXPECT_ERRNO(SYS(open, pty_name, O_RDWR | O_NOCTTY), EBUSY);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(ioctl, slave, TIOCNXCL));
    EXPECT_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
}

TEST(device_number, "ioctl")
{
    unsigned int dev = 0;
    struct stat st;

    open_pair();
    EXPECT_OK(SYS(fstat, slave, &st));
    EXPECT_OK(SYS(ioctl, slave, TIOCGDEV, &dev));
    EXPECT_EQ(dev, st.st_rdev);
    EXPECT_OK(SYS(ioctl, master, TIOCGDEV, &dev));
    EXPECT_EQ(dev, st.st_rdev);
}

TEST(vhangup_by_ioctl, "ioctl read:EAGAIN write:EIO")
{
    char buf[8];
    int other;

    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("TIOCVHANGUP needs CAP_SYS_ADMIN");
    open_pair();
    other = (int)REQUIRE_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
    EXPECT_OK(SYS(ioctl, slave, TIOCVHANGUP));
    EXPECT_EQ(SYS(read, other, buf, 8), 0);
    EXPECT_ERRNO(SYS(write, slave, buf, 1), EIO);
    nonblock(master);
    EXPECT_ERRNO(SYS(read, master, buf, 8), EAGAIN); /* as long as the dead ones are open */
    EXPECT_EQ(ready(other), HUNG_UP);
    /* it can be opened again */
    slave = (int)REQUIRE_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
    EXPECT_STREQ(drain(master), "x");
}

TEST(own_instance, "mount umount2")
{
    struct stat st;
    int fd;

    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("mount needs CAP_SYS_ADMIN");
    guest_scratch();
    EXPECT_OK(SYS(mkdir, "pts", 0755));
    EXPECT_ERRNO(SYS(mount, "devpts", "pts", "devpts", 0, "mode=9"), EINVAL);
    if (SYS(mount, "devpts", "pts", "devpts", 0, "newinstance,gid=7,mode=620,ptmxmode=0666") < 0)
        SKIP("mount: %s", strerror(errno));
    EXPECT_OK(SYS(stat, "pts", &st));
    EXPECT_EQ(st.st_ino, 1);
    EXPECT_EQ(st.st_mode, S_IFDIR | 0755);
    EXPECT_OK(SYS(stat, "pts/ptmx", &st));
    EXPECT_EQ(st.st_ino, 2);
    EXPECT_EQ(st.st_mode, S_IFCHR | 0666);
    EXPECT_EQ(st.st_rdev, makedev(5, 2));
    fd = (int)REQUIRE_OK(SYS(open, "pts/ptmx", O_RDWR | O_NOCTTY));
    EXPECT_OK(SYS(stat, "pts/0", &st));
    EXPECT_EQ(st.st_mode, S_IFCHR | 0620);
    EXPECT_EQ(st.st_gid, 7);
    EXPECT_ERRNO(SYS(umount2, "pts", 0), EBUSY);
    SYS(close, fd);
    EXPECT_ERRNO(SYS(stat, "pts/0", &st), ENOENT);
    EXPECT_ERRNO(SYS(open, "pts/x", O_RDWR | O_CREAT, 0600), EACCES);
    EXPECT_OK(SYS(umount2, "pts", 0));
}

TEST(peer_is_of_the_same_instance, "ioctl:ENODEV mount unshare")
{
    int first, other, unlock = 0;

    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("mount needs CAP_SYS_ADMIN");
    if (SYS(unshare, CLONE_NEWNS) < 0 || SYS(mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        SKIP("unshare: %s", strerror(errno));
    first = open_master();
    if (SYS(mount, "devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=666") < 0)
        SKIP("mount: %s", strerror(errno));
    other = (int)REQUIRE_OK(SYS(open, "/dev/pts/ptmx", O_RDWR | O_NOCTTY));
    EXPECT_OK(SYS(ioctl, other, TIOCSPTLCK, &unlock));
    EXPECT_ERRNO(SYS(ioctl, first, TIOCGPTPEER, O_RDWR | O_NOCTTY), ENODEV);
    EXPECT_OK(SYS(umount2, "/dev/pts", MNT_DETACH));
    EXPECT_OK(SYS(ioctl, first, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    SYS(close, other);
}

TEST(instance_is_bounded, "mount open:ENOSPC")
{
    int fd;

    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("mount needs CAP_SYS_ADMIN");
    guest_scratch();
    EXPECT_OK(SYS(mkdir, "pts", 0755));
    if (SYS(mount, "devpts", "pts", "devpts", 0, "newinstance,ptmxmode=666,max=1") < 0)
        SKIP("mount: %s", strerror(errno));
    fd = (int)REQUIRE_OK(SYS(open, "pts/ptmx", O_RDWR | O_NOCTTY));
    EXPECT_ERRNO(SYS(open, "pts/ptmx", O_RDWR | O_NOCTTY), ENOSPC);
    SYS(close, fd);
    fd = (int)EXPECT_OK(SYS(open, "pts/ptmx", O_RDWR | O_NOCTTY));
    SYS(close, fd);
    EXPECT_OK(SYS(umount2, "pts", 0));
}

TEST(ptmx_beside_nothing, "mknod open:ENOENT,ENODEV,EIO")
{
    guest_scratch();
    if (SYS(mknod, "ptmx", S_IFCHR | 0666, makedev(5, 2)) < 0)
        SKIP("mknod needs CAP_MKNOD");
    if (SYS(open, "ptmx", O_RDWR | O_NOCTTY) < 0 && errno == EACCES)
        SKIP("devices can't be opened here");
    EXPECT_ERRNO(SYS(open, "ptmx", O_RDWR | O_NOCTTY), ENOENT);
    EXPECT_OK(SYS(mkdir, "pts", 0755));
    EXPECT_ERRNO(SYS(open, "ptmx", O_RDWR | O_NOCTTY), ENODEV);
    EXPECT_OK(SYS(mknod, "pts0", S_IFCHR | 0666, makedev(136, 0)));
    EXPECT_ERRNO(SYS(open, "pts0", O_RDWR | O_NOCTTY), EIO);
}

/* churn() - open, use and close ptys. */
static void churn(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        char buf[16];
        int m = open_master(), s = (int)SYS(open, pty_name, O_RDWR | O_NOCTTY);

        if (s < 0)
            continue; /* the number is another process's by now: its lock */
        SYS(write, s, "hello\n", 6);
        if (i % 2)
            SYS(close, m);
        SYS(read, i % 2 ? s : m, buf, sizeof(buf));
        SYS(close, s);
        if (!(i % 2))
            SYS(close, m);
    }
}

TEST_SLOW(many_at_once, 60, "open close read write")
{
    pid_t pid[4];

    for (int i = 0; i < 4; i++) {
        IN_CHILD(pid[i])
            churn(100);
    }
    for (int i = 0; i < 4; i++)
        EXPECT_CHILD_OK(pid[i]);
}

/* A reader, a writer and who hangs them up, again and again: nobody may be left asleep. */
TEST_SLOW(hangup_race, 60, "read write close")
{
    for (int round = 0; round < 50; round++) {
        pid_t reader, writer;

        open_pair();
        IN_CHILD(reader)
        {
            char buf[64];

            SYS(close, master);
            while (SYS(read, slave, buf, sizeof(buf)) > 0)
                ;
        }
        IN_CHILD(writer)
        {
            char buf[512] = {0};

            SYS(close, master);
            while (SYS(write, slave, buf, sizeof(buf)) > 0)
                ;
        }
        SYS(write, master, "x\n", 2);
        guest_sleep_ms((unsigned int)round % 4);
        SYS(close, master);
        SYS(close, slave);
        EXPECT_CHILD_OK(reader);
        EXPECT_CHILD_OK(writer);
    }
}
