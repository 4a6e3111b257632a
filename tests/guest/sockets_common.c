/*
 * What sockets of every family have, tried on AF_UNIX: making them, options of SOL_SOCKET, errors of
 * descriptors and addresses, many messages at once, files made of sockets.
 */
#include "sockets.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

/* What struct iovec takes for text that is only read. */
#define TEXT(s) ((void *)(uintptr_t)(s))

static int a, b;

static void pair(int type)
{
    unix_pair(type, &a, &b);
}

static int get_int(int fd, int name)
{
    int value = -12345;
    socklen_t len = sizeof(value);

    EXPECT_OK(SYS(getsockopt, fd, SOL_SOCKET, name, &value, &len));
    EXPECT_EQ(len, sizeof(value));
    return value;
}

static void set_int(int fd, int name, int value)
{
    EXPECT_OK(SYS(setsockopt, fd, SOL_SOCKET, name, &value, sizeof(value)));
}

TEST(socket_types, "socket socket:EINVAL,EAFNOSUPPORT,EPROTONOSUPPORT,ESOCKTNOSUPPORT")
{
    EXPECT_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    EXPECT_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, AF_UNIX));
    EXPECT_EQ(get_int((int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_RAW, 0)), SO_TYPE), SOCK_DGRAM);
    EXPECT_EQ(get_int((int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_SEQPACKET, 0)), SO_TYPE),
              SOCK_SEQPACKET);
    EXPECT_ERRNO(SYS(socket, AF_UNIX, SOCK_STREAM, 2), EPROTONOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_UNIX, SOCK_PACKET, 0), ESOCKTNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_UNIX, 11, 0), EINVAL);
    EXPECT_ERRNO(SYS(socket, AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    EXPECT_ERRNO(SYS(socket, 99, SOCK_STREAM | 0x100, 0), EINVAL);
    EXPECT_ERRNO(SYS(socket, 46, SOCK_STREAM, 0), EAFNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, 99, SOCK_STREAM, 0), EAFNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, -1, SOCK_STREAM, 0), EAFNOSUPPORT);
}

TEST(socket_flags, "socket socketpair fcntl")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    EXPECT_EQ(SYS(fcntl, s, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, s, F_GETFL), O_RDWR | O_NONBLOCK);
    pair(SOCK_DGRAM | SOCK_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, b, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, b, F_GETFL), O_RDWR);
}

TEST(socket_emfile, "socket:EMFILE socketpair:EMFILE accept:EMFILE")
{
    struct rlimit low = {0, 100};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int sv[2] = {-7, -7}, s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));

    REQUIRE_OK(SYS(bind, s, &un, 2));
    REQUIRE_OK(SYS(listen, s, 1));
    low.rlim_cur = (rlim_t)s + 1;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &low));
    EXPECT_ERRNO(SYS(socket, AF_UNIX, SOCK_STREAM, 0), EMFILE);
    EXPECT_ERRNO(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, sv), EMFILE);
    EXPECT_ERRNO(SYS(accept, s, NULL, NULL), EMFILE);
    low.rlim_cur++;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &low));
    EXPECT_ERRNO(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, sv), EMFILE);
    EXPECT_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
}

TEST(socketpair_errors, "socketpair:EFAULT,EINVAL,EAFNOSUPPORT,EPROTONOSUPPORT")
{
    int sv[2], next;

    next = (int)REQUIRE_OK(SYS(dup, 0));
    close(next);
    EXPECT_ERRNO(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(socketpair, AF_UNIX, SOCK_STREAM | 0x4000000, 0, sv), EINVAL);
    EXPECT_ERRNO(SYS(socketpair, 99, SOCK_STREAM, 0, sv), EAFNOSUPPORT);
    EXPECT_ERRNO(SYS(socketpair, AF_UNIX, SOCK_STREAM, 77, sv), EPROTONOSUPPORT);
    EXPECT_EQ(SYS(dup, 0), next);
}

TEST(not_a_socket, "bind:ENOTSOCK,EBADF connect:ENOTSOCK,EBADF listen:ENOTSOCK,EBADF "
                   "accept:ENOTSOCK,EBADF accept4:EINVAL getsockname:ENOTSOCK,EBADF "
                   "getpeername:ENOTSOCK,EBADF sendto:ENOTSOCK,EBADF recvfrom:ENOTSOCK,EBADF "
                   "sendmsg:ENOTSOCK,EBADF recvmsg:ENOTSOCK,EBADF shutdown:ENOTSOCK,EBADF "
                   "setsockopt:ENOTSOCK,EBADF getsockopt:ENOTSOCK,EBADF sendmmsg:ENOTSOCK,EBADF "
                   "recvmmsg:ENOTSOCK,EBADF")
{
    int fds[2], errors[2] = {ENOTSOCK, EBADF};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct mmsghdr mm = {0};
    struct msghdr h = {0};
    socklen_t len = sizeof(un);
    char buf[8] = "";

    guest_scratch();
    fds[0] = (int)REQUIRE_OK(SYS(open, "file", O_RDWR | O_CREAT, 0600));
    fds[1] = 500;
    for (int i = 0; i < 2; i++) {
        int fd = fds[i], want = errors[i];

        EXPECT(SYS(bind, fd, &un, len) == -1 && errno == want);
        EXPECT(SYS(connect, fd, &un, len) == -1 && errno == want);
        EXPECT(SYS(listen, fd, 1) == -1 && errno == want);
        EXPECT(SYS(accept, fd, NULL, NULL) == -1 && errno == want);
        EXPECT(SYS(getsockname, fd, &un, &len) == -1 && errno == want);
        EXPECT(SYS(getpeername, fd, &un, &len) == -1 && errno == want);
        EXPECT(SYS(sendto, fd, buf, 1, 0, NULL, 0) == -1 && errno == want);
        EXPECT(SYS(recvfrom, fd, buf, 1, 0, NULL, NULL) == -1 && errno == want);
        EXPECT(SYS(sendmsg, fd, &h, 0) == -1 && errno == want);
        EXPECT(SYS(recvmsg, fd, &h, 0) == -1 && errno == want);
        EXPECT(SYS(sendmmsg, fd, &mm, 1, 0) == -1 && errno == want);
        EXPECT(SYS(recvmmsg, fd, &mm, 1, 0, NULL) == -1 && errno == want);
        EXPECT(SYS(shutdown, fd, SHUT_RD) == -1 && errno == want);
        EXPECT(SYS(setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &fd, 4) == -1 && errno == want);
        EXPECT(SYS(getsockopt, fd, SOL_SOCKET, SO_TYPE, buf, &len) == -1 && errno == want);
    }
    EXPECT_ERRNO(SYS(accept4, fds[0], NULL, NULL, 1), EINVAL);
    EXPECT_ERRNO(SYS(accept4, fds[1], NULL, NULL, 1), EBADF);
    EXPECT_ERRNO(SYS(connect, fds[0], NULL, 200), EINVAL);
}

TEST(o_path_socket, "sendto:EBADF getsockname:EBADF")
{
    int p;

    guest_scratch();
    p = (int)REQUIRE_OK(SYS(open, ".", O_PATH, 0));
    EXPECT_ERRNO(SYS(sendto, p, "x", 1, 0, NULL, 0), EBADF);
    EXPECT_ERRNO(SYS(getsockname, p, NULL, NULL), EBADF);
}

TEST(address_lengths,
     "bind:EINVAL,EFAULT connect:EINVAL,EFAULT getsockname getsockname:EFAULT,EINVAL "
     "sendto:EINVAL,EFAULT")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, 0));
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t len = 1;
    char room[200];

    EXPECT_ERRNO(SYS(bind, s, &un, 129), EINVAL);
    EXPECT_ERRNO(SYS(bind, s, &un, -1), EINVAL);
    EXPECT_ERRNO(SYS(bind, s, guest_bad_page(), 10), EFAULT);
    EXPECT_ERRNO(SYS(connect, s, &un, 129), EINVAL);
    EXPECT_ERRNO(SYS(connect, s, guest_bad_page(), 10), EFAULT);
    EXPECT_ERRNO(SYS(sendto, s, "x", 1, 0, &un, 129), EINVAL);
    EXPECT_ERRNO(SYS(sendto, s, "x", 1, 0, guest_bad_page(), 10), EFAULT);
    memset(room, 0x55, sizeof(room));
    EXPECT_OK(SYS(getsockname, s, room, &len));
    EXPECT_EQ(len, 2);
    EXPECT_EQ(room[0], AF_UNIX);
    EXPECT_EQ(room[1], 0x55);
    len = (socklen_t)-1;
    EXPECT_ERRNO(SYS(getsockname, s, room, &len), EINVAL);
    len = 2;
    EXPECT_ERRNO(SYS(getsockname, s, guest_bad_page(), &len), EFAULT);
    EXPECT_ERRNO(SYS(getsockname, s, room, guest_bad_page()), EFAULT);
    len = 0;
    EXPECT_OK(SYS(getsockname, s, guest_bad_page(), &len));
    EXPECT_EQ(len, 2);
}

TEST(option_switches, "setsockopt getsockopt")
{
    static const int names[] = {SO_REUSEADDR,   SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE,
                                SO_OOBINLINE,   SO_NO_CHECK,  SO_PASSCRED,  SO_TIMESTAMP,
                                SO_TIMESTAMPNS, SO_RXQ_OVFL};
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        EXPECT_EQ(get_int(s, names[i]), 0);
        set_int(s, names[i], 0x100);
        EXPECT_EQ(get_int(s, names[i]), 1);
        set_int(s, names[i], 0);
        EXPECT_EQ(get_int(s, names[i]), 0);
    }
    set_int(s, SO_TIMESTAMP, 1);
    set_int(s, SO_TIMESTAMPNS, 1);
    EXPECT_EQ(get_int(s, SO_TIMESTAMP), 0);
    EXPECT_EQ(get_int(s, SO_TIMESTAMPNS), 1);
}

TEST(option_numbers, "setsockopt getsockopt")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_SEQPACKET, 0));

    EXPECT_EQ(get_int(s, SO_TYPE), SOCK_SEQPACKET);
    EXPECT_EQ(get_int(s, SO_DOMAIN), AF_UNIX);
    EXPECT_EQ(get_int(s, SO_PROTOCOL), 0);
    EXPECT_EQ(get_int(s, SO_ERROR), 0);
    EXPECT_EQ(get_int(s, SO_ACCEPTCONN), 0);
    EXPECT_EQ(get_int(s, SO_SNDBUF), 212992);
    EXPECT_EQ(get_int(s, SO_RCVBUF), 212992);
    EXPECT_EQ(get_int(s, SO_SNDLOWAT), 1);
    EXPECT_EQ(get_int(s, SO_RCVLOWAT), 1);
    set_int(s, SO_RCVLOWAT, 0);
    EXPECT_EQ(get_int(s, SO_RCVLOWAT), 1);
    set_int(s, SO_RCVLOWAT, -5);
    EXPECT_EQ(get_int(s, SO_RCVLOWAT), 0x7fffffff);
    set_int(s, SO_SNDBUF, 1);
    EXPECT_EQ(get_int(s, SO_SNDBUF), 4608);
    set_int(s, SO_RCVBUF, 1);
    EXPECT_EQ(get_int(s, SO_RCVBUF), 2304);
    set_int(s, SO_SNDBUF, 10000);
    EXPECT_EQ(get_int(s, SO_SNDBUF), 20000);
    set_int(s, SO_RCVBUF, 10001);
    EXPECT_EQ(get_int(s, SO_RCVBUF), 20002);
    set_int(s, SO_SNDBUF, -1);
    EXPECT_GE(get_int(s, SO_SNDBUF), 2 * 212992);
    set_int(s, SO_PRIORITY, 6);
    EXPECT_EQ(get_int(s, SO_PRIORITY), 6);
    EXPECT_EQ(get_int(s, SO_PEEK_OFF), -1);
    set_int(s, SO_PEEK_OFF, 5);
    EXPECT_EQ(get_int(s, SO_PEEK_OFF), 5);
}

TEST(option_privileges, "setsockopt:EPERM,EACCES")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0)), one = 1, seven = 7;

    REQUIRE_OK(SYS(setresuid, 4321, 4321, 4321));
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_DEBUG, &one, 4), EACCES);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_PRIORITY, &seven, 4), EPERM);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_MARK, &seven, 4), EPERM);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_SNDBUFFORCE, &seven, 4), EPERM);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_RCVBUFFORCE, &seven, 4), EPERM);
}

TEST(option_timeouts, "setsockopt getsockopt setsockopt:EDOM,EINVAL")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    struct timeval tv = {3, 500000}, got = {-1, -1};
    socklen_t len = sizeof(got);

    EXPECT_OK(SYS(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    EXPECT_EQ(len, sizeof(got));
    EXPECT_EQ(got.tv_sec, 3);
    EXPECT_EQ(got.tv_usec, 500000);
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_SNDTIMEO, &got, &len));
    EXPECT_EQ(got.tv_sec, 0);
    EXPECT_EQ(got.tv_usec, 0);
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, 66, &got, &len));
    EXPECT_EQ(got.tv_sec, 3);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, 8), EINVAL);
    tv.tv_usec = 1000000;
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
    tv.tv_usec = -1;
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), EDOM);
}

TEST(option_linger, "setsockopt getsockopt setsockopt:EINVAL")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    struct linger l = {5, 7}, got;
    socklen_t len = sizeof(got);

    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
    EXPECT_OK(SYS(setsockopt, s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_LINGER, &got, &len));
    EXPECT_EQ(got.l_onoff, 1);
    EXPECT_EQ(got.l_linger, 7);
    l.l_onoff = 0;
    EXPECT_OK(SYS(setsockopt, s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_LINGER, &got, &len));
    EXPECT_EQ(got.l_onoff, 0);
}

TEST(option_errors, "setsockopt:EINVAL,EFAULT,ENOPROTOOPT,EOPNOTSUPP,ENODEV "
                    "getsockopt:EFAULT,EINVAL,ENOPROTOOPT,EOPNOTSUPP,ENOTCONN,ENODATA")
{
    int s = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0)), v = 1;
    char big[200];
    socklen_t len = 4;

    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, &v, 3), EINVAL);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, &v, -1), EINVAL);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), EFAULT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, 9999, NULL, 4), EFAULT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, 9999, NULL, 3), EINVAL);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, 9999, &v, 4), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_TYPE, &v, 4), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_ERROR, &v, 4), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_PEERCRED, &v, 4), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_REUSEPORT, &v, 4), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(setsockopt, s, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6), ENODEV);
    EXPECT_ERRNO(SYS(setsockopt, s, 6, 1, &v, 4), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(getsockopt, s, 6, 1, &v, &len), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_TYPE, NULL, &len), EFAULT);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_TYPE, &v, guest_bad_page()), EFAULT);
    len = (socklen_t)-4;
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_TYPE, &v, &len), EINVAL);
    len = 3;
    v = -1;
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_TYPE, &v, &len));
    EXPECT_EQ(len, 3);
    EXPECT_EQ(v, (int)0xff000001);
    len = sizeof(big);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_PEERNAME, big, &len), ENOTCONN);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_PEERGROUPS, big, &len), ENODATA);
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_PEERSEC, big, &len), ENOPROTOOPT);
    len = 4;
    EXPECT_ERRNO(SYS(getsockopt, s, SOL_SOCKET, SO_COOKIE, big, &len), EINVAL);
    len = 8;
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_COOKIE, big, &len));
}

TEST(receive_timeout, "recvfrom:EAGAIN accept:EAGAIN setsockopt")
{
    struct timeval tv = {0, 60000};
    int64_t start = guest_now_ns();
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    char c;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(setsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), EAGAIN);
    EXPECT_GE(guest_now_ns() - start, 60000000);
    REQUIRE_OK(SYS(bind, l, &un, 2));
    REQUIRE_OK(SYS(listen, l, 1));
    REQUIRE_OK(SYS(setsockopt, l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EAGAIN);
    tv = (struct timeval){-1, 0};
    REQUIRE_OK(SYS(setsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), EAGAIN);
}

TEST(send_timeout, "sendto:EAGAIN setsockopt")
{
    struct timeval tv = {0, 60000};
    static char block[65536];
    int64_t start;
    long n;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(setsockopt, a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
    start = guest_now_ns();
    while ((n = SYS(sendto, a, block, sizeof(block), 0, NULL, 0)) > 0)
        ;
    EXPECT_EQ(n, -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GE(guest_now_ns() - start, 60000000);
}

TEST(timeout_and_signal, "recvfrom:EINTR")
{
    struct timeval tv = {20, 0};
    pid_t pest;
    char c;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(setsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), EINTR);
    guest_end(pest);
}

TEST(sigpipe_rules, "sendto:EPIPE write:EPIPE")
{
    struct iovec v = {TEXT("xy"), 2};

    guest_on_signal(SIGPIPE, guest_count_signal, 0);
    pair(SOCK_STREAM);
    close(b);
    EXPECT_ERRNO(SYS(write, a, "x", 1), EPIPE);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_ERRNO(SYS(writev, a, &v, 1), EPIPE);
    EXPECT_EQ(guest_signals, 2);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, NULL, 0), EPIPE);
    EXPECT_EQ(guest_signals, 3);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
    EXPECT_EQ(guest_signals, 3);
    pair(SOCK_SEQPACKET);
    close(b);
    EXPECT_ERRNO(SYS(write, a, "x", 1), EPIPE);
    pair(SOCK_DGRAM);
    REQUIRE_OK(SYS(shutdown, a, SHUT_WR));
    EXPECT_ERRNO(SYS(write, a, "x", 1), EPIPE);
    EXPECT_EQ(guest_signals, 3);
}

TEST(stat_and_name,
     "fstat readlink open:ENXIO lseek:ESPIPE pread64:ESPIPE fsync:EINVAL ftruncate:EINVAL")
{
    char link[64], name[64] = "", want[64];
    struct stat st, other;

    pair(SOCK_STREAM);
    REQUIRE_OK(fstat(a, &st));
    REQUIRE_OK(fstat(b, &other));
    EXPECT_EQ(st.st_mode, S_IFSOCK | 0777);
    EXPECT_EQ(st.st_size, 0);
    EXPECT_NE(st.st_ino, other.st_ino);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", a);
    snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)st.st_ino);
    REQUIRE_OK(SYS(readlink, link, name, sizeof(name) - 1));
    EXPECT_STREQ(name, want);
    EXPECT_ERRNO(SYS(open, link, O_RDWR, 0), ENXIO);
    EXPECT_ERRNO(SYS(lseek, a, 0, SEEK_SET), ESPIPE);
    EXPECT_ERRNO(SYS(pread64, a, name, 1, 0), ESPIPE);
    EXPECT_ERRNO(SYS(fsync, a), EINVAL);
    EXPECT_ERRNO(SYS(ftruncate, a, 0), EINVAL);
}

TEST(socket_ioctls, "ioctl ioctl:ENOTTY,EOPNOTSUPP")
{
    int n = -1, on = 1;
    char c;

    pair(SOCK_STREAM);
    EXPECT_OK(SYS(ioctl, b, FIONREAD, &n));
    EXPECT_EQ(n, 0);
    EXPECT_EQ(SYS(write, a, "hello", 5), 5);
    EXPECT_OK(SYS(ioctl, b, FIONREAD, &n));
    EXPECT_EQ(n, 5);
    EXPECT_OK(SYS(ioctl, a, TIOCOUTQ, &n));
    EXPECT_GT(n, 5);
    EXPECT_EQ(SYS(read, b, &c, 1), 1);
    EXPECT_OK(SYS(ioctl, b, FIONREAD, &n));
    EXPECT_EQ(n, 4);
    EXPECT_OK(SYS(ioctl, a, FIONBIO, &on));
    EXPECT_ERRNO(SYS(read, a, &c, 1), EAGAIN);
    EXPECT_ERRNO(SYS(ioctl, a, 0x1234, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, a, TCGETS, &n), ENOTTY);
    n = getpid();
    EXPECT_OK(SYS(ioctl, a, FIOSETOWN, &n));
    n = 0;
    EXPECT_OK(SYS(ioctl, a, FIOGETOWN, &n));
    EXPECT_EQ(n, getpid());
    EXPECT_EQ(SYS(fcntl, a, F_GETOWN), getpid());
}

TEST(vectors, "readv writev sendmsg recvmsg")
{
    struct iovec out[3] = {{TEXT("ab"), 2}, {TEXT(""), 0}, {TEXT("cde"), 3}}, in[2];
    struct msghdr h = {.msg_iov = out, .msg_iovlen = 3};
    char x[3] = "", y[8] = "";

    in[0] = (struct iovec){x, 2};
    in[1] = (struct iovec){y, sizeof(y)};
    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(writev, a, out, 3), 5);
    EXPECT_EQ(SYS(readv, b, in, 2), 5);
    EXPECT_STREQ(x, "ab");
    EXPECT_STREQ(y, "cde");
    memset(y, 0, sizeof(y));
    EXPECT_EQ(SYS(sendmsg, a, &h, 0), 5);
    h.msg_iov = in;
    h.msg_iovlen = 2;
    EXPECT_EQ(SYS(recvmsg, b, &h, 0), 5);
    EXPECT_STREQ(y, "cde");
}

TEST(msghdr_errors, "sendmsg:EFAULT,EMSGSIZE,EINVAL,ENOBUFS recvmsg:EFAULT,EMSGSIZE,EINVAL")
{
    struct iovec v = {TEXT("ab"), 2};
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

    pair(SOCK_STREAM);
    EXPECT_ERRNO(SYS(sendmsg, a, guest_bad_page(), 0), EFAULT);
    EXPECT_ERRNO(SYS(recvmsg, a, guest_bad_page(), 0), EFAULT);
    h.msg_iovlen = 1025;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), EMSGSIZE);
    EXPECT_ERRNO(SYS(recvmsg, a, &h, 0), EMSGSIZE);
    h.msg_iovlen = 1;
    v.iov_len = (size_t)-1;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), EINVAL);
    v.iov_len = 2;
    h.msg_name = &v;
    h.msg_namelen = (socklen_t)-1;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), EINVAL);
    EXPECT_ERRNO(SYS(recvmsg, a, &h, 0), EINVAL);
    h.msg_name = NULL;
    EXPECT_EQ(SYS(sendmsg, a, &h, 0), 2);
    h.msg_control = guest_bad_page();
    h.msg_controllen = 24;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), EFAULT);
    h.msg_controllen = (size_t)0x80000000;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), ENOBUFS);
    h.msg_control = &v;
    h.msg_controllen = 16u << 20;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), ENOBUFS);
    v.iov_base = guest_bad_page();
    h.msg_control = NULL;
    h.msg_controllen = 0;
    EXPECT_ERRNO(SYS(sendmsg, a, &h, 0), EFAULT);
    EXPECT_ERRNO(SYS(recvmsg, b, &h, 0), EFAULT);
    EXPECT_ERRNO(SYS(recvfrom, b, guest_bad_page(), 1, 0, NULL, NULL), EFAULT);
    EXPECT_EQ(SYS(recvfrom, b, &v, 4, 0, NULL, NULL), 2);
}

TEST(fault_in_the_middle, "recvfrom sendto recvfrom:EFAULT sendto:EFAULT")
{
    char *bad = guest_bad_page(), buf[16] = "";

    pair(SOCK_STREAM);
    memcpy(bad - 4, "abcd", 4);
    EXPECT_ERRNO(SYS(sendto, a, bad - 2, 4, 0, NULL, 0), EFAULT);
    EXPECT_EQ(SYS(sendto, a, "123456", 6, 0, NULL, 0), 6);
    /* Older kernels say EFAULT and keep all; in any case no byte may be lost. */
    EXPECT_ERRNO(SYS(recvfrom, b, bad, 4, 0, NULL, NULL), EFAULT);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, 0, NULL, NULL), 6);
    EXPECT_STREQ(buf, "123456");
}

TEST(many_messages, "sendmmsg recvmmsg")
{
    struct mmsghdr out[3] = {0}, in[4] = {0};
    struct iovec v[3] = {{TEXT("one"), 3}, {TEXT("three"), 5}, {TEXT(""), 0}}, r[4];
    char bufs[4][8] = {0};

    for (int i = 0; i < 3; i++)
        out[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
    for (int i = 0; i < 4; i++) {
        r[i] = (struct iovec){bufs[i], 8};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &r[i], .msg_iovlen = 1};
    }
    pair(SOCK_DGRAM);
    EXPECT_EQ(SYS(sendmmsg, a, out, 3, 0), 3);
    EXPECT_EQ(out[1].msg_len, 5);
    EXPECT_EQ(SYS(recvmmsg, b, in, 4, MSG_DONTWAIT, NULL), 3);
    EXPECT_EQ(in[0].msg_len, 3);
    EXPECT_EQ(in[1].msg_len, 5);
    EXPECT_EQ(in[2].msg_len, 0);
    EXPECT_STREQ(bufs[1], "three");
    EXPECT_EQ(SYS(sendmmsg, a, out, 2, 0), 2);
    EXPECT_EQ(SYS(recvmmsg, b, in, 4, MSG_WAITFORONE, NULL), 2);
    EXPECT_EQ(SYS(sendmmsg, a, out, 0, 0), 0);
    EXPECT_EQ(SYS(recvmmsg, b, in, 0, 0, NULL), 0);
}

TEST(many_messages_errors, "recvmmsg:EAGAIN,EINVAL,EFAULT sendmmsg:EFAULT,EPIPE")
{
    struct timespec bad = {0, 1000000000};
    struct mmsghdr one = {0};

    pair(SOCK_DGRAM);
    EXPECT_ERRNO(SYS(recvmmsg, b, &one, 1, MSG_DONTWAIT, NULL), EAGAIN);
    EXPECT_ERRNO(SYS(recvmmsg, b, &one, 1, 0, &bad), EINVAL);
    EXPECT_ERRNO(SYS(recvmmsg, b, &one, 1, 0, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(sendmmsg, a, guest_bad_page(), 1, 0), EFAULT);
    REQUIRE_OK(SYS(shutdown, a, SHUT_WR));
    EXPECT_ERRNO(SYS(sendmmsg, a, &one, 1, 0), EPIPE);
}

TEST(recvmmsg_timeout, "recvmmsg")
{
    struct timespec ts = {0, 30000000};
    struct mmsghdr in[2] = {0};
    struct iovec v;
    char buf[8];
    pid_t child;

    pair(SOCK_DGRAM);
    v = (struct iovec){buf, 8};
    in[0].msg_hdr = in[1].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
    child = guest_fork();
    if (child == 0) {
        guest_sleep_ms(60);
        EXPECT_EQ(SYS(write, a, "x", 1), 1);
        guest_finish();
    }
    /* The time is looked at after each message only. */
    EXPECT_EQ(SYS(recvmmsg, b, in, 2, 0, &ts), 1);
    EXPECT_EQ(ts.tv_sec, 0);
    EXPECT_EQ(ts.tv_nsec, 0);
    guest_wait(child);
}

TEST(recvmsg_flags, "recvmsg")
{
    struct iovec v;
    char buf[8];
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_flags = -1};

    v = (struct iovec){buf, 2};
    pair(SOCK_DGRAM);
    EXPECT_EQ(SYS(write, a, "hello", 5), 5);
    EXPECT_EQ(SYS(recvmsg, b, &h, MSG_CMSG_CLOEXEC | MSG_TRUNC | MSG_PEEK), 5);
    EXPECT_EQ(h.msg_flags, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    EXPECT_EQ(SYS(recvmsg, b, &h, 0), 2);
    EXPECT_EQ(h.msg_flags, MSG_TRUNC);
}

TEST(splice_and_sendfile, "splice sendfile")
{
    int pipe_fds[2], f;
    char buf[32] = "";
    off_t off = 1;

    guest_scratch();
    guest_make_file("f", "0123456789");
    f = (int)REQUIRE_OK(SYS(open, "f", O_RDONLY, 0));
    REQUIRE_OK(SYS(pipe, pipe_fds));
    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(sendfile, a, f, &off, 5), 5);
    EXPECT_EQ(SYS(splice, b, NULL, pipe_fds[1], NULL, 100, 0), 5);
    EXPECT_EQ(SYS(splice, pipe_fds[0], NULL, b, NULL, 100, 0), 5);
    EXPECT_EQ(SYS(read, a, buf, sizeof(buf)), 5);
    EXPECT_STREQ(buf, "12345");
}

TEST(empty_messages, "write read sendto recvfrom")
{
    char c;

    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(write, a, "", 0), 0);
    EXPECT_EQ(SYS(read, b, &c, 0), 0);
    /* recv() of nothing waits for something; then it takes nothing. */
    EXPECT_ERRNO(SYS(recvfrom, b, &c, 0, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    EXPECT_EQ(SYS(write, a, "x", 1), 1);
    EXPECT_EQ(SYS(recvfrom, b, &c, 0, 0, NULL, NULL), 0);
    EXPECT_EQ(SYS(recvfrom, b, &c, 1, MSG_DONTWAIT, NULL, NULL), 1);
    pair(SOCK_DGRAM);
    EXPECT_EQ(SYS(write, a, "", 0), 0);
    EXPECT_EQ(SYS(read, b, &c, 0), 0);
    EXPECT_EQ(SYS(recvfrom, b, &c, 1, MSG_DONTWAIT, NULL, NULL), 0);
    EXPECT_ERRNO(SYS(recvfrom, b, &c, 1, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}
