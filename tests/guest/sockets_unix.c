/*
 * AF_UNIX: names, connections, streams, datagrams and records, their ends, readiness, back-pressure.
 */
#include "sockets.h"

#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#define ANY 0xffff

static int a, b;

static void pair(int type)
{
    unix_pair(type, &a, &b);
}

static int new_socket(int type)
{
    return (int)REQUIRE_OK(SYS(socket, AF_UNIX, type, 0));
}

/* name() - an address; "@x" is abstract. Return: its length */
static socklen_t name(struct sockaddr_un *un, const char *path)
{
    memset(un, 0, sizeof(*un));
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path));
    if (path[0] != '@')
        return sizeof(*un);
    /* Other runs of this test have names of their own. */
    snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "%s.%d", path + 1, getpid());
    un->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(un->sun_path + 1));
}

static long bind_to(int fd, const char *path)
{
    struct sockaddr_un un;
    socklen_t len = name(&un, path);

    return SYS(bind, fd, &un, len);
}

static long connect_to(int fd, const char *path)
{
    struct sockaddr_un un;
    socklen_t len = name(&un, path);

    return SYS(connect, fd, &un, len);
}

static int listener(int type, const char *path, int backlog)
{
    int fd = new_socket(type);

    REQUIRE_OK(bind_to(fd, path));
    REQUIRE_OK(SYS(listen, fd, backlog));
    return fd;
}

static int polled(int fd)
{
    struct pollfd p = {.fd = fd, .events = (short)ANY};

    EXPECT(poll(&p, 1, 0) >= 0);
    return p.revents;
}

/* WR: what a socket that can be written says; RD: one that can be read. */
#define WR (POLLOUT | POLLWRNORM | POLLWRBAND)
#define RD (POLLIN | POLLRDNORM)

TEST(stream_pair, "socketpair read write")
{
    char buf[16] = "";

    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(write, a, "hello", 5), 5);
    EXPECT_EQ(SYS(write, a, "there", 5), 5);
    EXPECT_EQ(SYS(read, b, buf, 3), 3);
    EXPECT_EQ(SYS(read, b, buf + 3, 10), 7);
    EXPECT_STREQ(buf, "hellothere");
    EXPECT_EQ(SYS(write, b, "x", 1), 1);
    EXPECT_EQ(SYS(read, a, buf, 10), 1);
    EXPECT_EQ(SYS(close, a), 0);
    EXPECT_EQ(SYS(read, b, buf, 10), 0);
}

TEST(dgram_pair, "socketpair sendto recvfrom")
{
    struct sockaddr_un from;
    socklen_t len = sizeof(from);
    char buf[16] = "";

    pair(SOCK_DGRAM);
    EXPECT_EQ(SYS(sendto, a, "hello", 5, 0, NULL, 0), 5);
    EXPECT_EQ(SYS(sendto, a, "there", 5, 0, NULL, 0), 5);
    EXPECT_EQ(SYS(recvfrom, b, buf, 3, 0, &from, &len), 3);
    EXPECT_EQ(len, 0);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, 0, NULL, NULL), 5);
    EXPECT_EQ(memcmp(buf, "there", 5), 0);
}

TEST(seqpacket_pair, "socketpair sendto recvfrom")
{
    char buf[16] = "";

    pair(SOCK_SEQPACKET);
    EXPECT_EQ(SYS(write, a, "hello", 5), 5);
    EXPECT_EQ(SYS(write, a, "", 0), 0);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_TRUNC, NULL, NULL), 5);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_DONTWAIT, NULL, NULL), 0);
    EXPECT_ERRNO(SYS(recvfrom, b, buf, 2, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}

TEST(names_of_paths, "bind getsockname bind:EADDRINUSE,ENOENT,EINVAL,ENOTDIR umask")
{
    struct sockaddr_un un;
    socklen_t len = sizeof(un);
    struct stat st;
    int s;

    guest_scratch();
    s = new_socket(SOCK_STREAM);
    umask(027);
    EXPECT_OK(bind_to(s, "sock"));
    EXPECT_OK(stat("sock", &st));
    EXPECT_EQ(st.st_mode, S_IFSOCK | 0750);
    EXPECT_OK(SYS(getsockname, s, &un, &len));
    EXPECT_EQ(len, offsetof(struct sockaddr_un, sun_path) + 5);
    EXPECT_STREQ(un.sun_path, "sock");
    EXPECT_ERRNO(bind_to(s, "sock"), EADDRINUSE);
    EXPECT_ERRNO(bind_to(s, "other"), EINVAL);
    EXPECT_ERRNO(SYS(access, "other", F_OK), ENOENT);
    s = new_socket(SOCK_STREAM);
    EXPECT_ERRNO(bind_to(s, "sock"), EADDRINUSE);
    EXPECT_ERRNO(bind_to(s, "no/sock"), ENOENT);
    EXPECT_ERRNO(bind_to(s, "sock/sock"), ENOTDIR);
    EXPECT_ERRNO(bind_to(s, "."), EADDRINUSE);
    EXPECT_ERRNO(bind_to(s, "dir/"), ENOENT);
    EXPECT_ERRNO(SYS(open, "sock", O_RDWR, 0), ENXIO);
    EXPECT_OK(SYS(open, "sock", O_PATH, 0));
}

TEST(path_of_108_bytes, "bind getsockname connect")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX}, got;
    char longer[sizeof(un) + 8];
    socklen_t len = sizeof(longer);
    int s = new_socket(SOCK_DGRAM), c = new_socket(SOCK_DGRAM);

    guest_scratch();
    memset(un.sun_path, 'p', sizeof(un.sun_path));
    memset(longer, 0x55, sizeof(longer));
    EXPECT_OK(SYS(bind, s, &un, sizeof(un)));
    EXPECT_OK(SYS(getsockname, s, longer, &len));
    EXPECT_EQ(len, sizeof(un) + 1);
    EXPECT_EQ(longer[sizeof(un) - 1], 'p');
    EXPECT_EQ(longer[sizeof(un)], 0);
    EXPECT_OK(SYS(connect, c, &un, sizeof(un)));
    len = sizeof(got);
    EXPECT_OK(SYS(getpeername, c, &got, &len));
    EXPECT_EQ(len, sizeof(un) + 1);
}

TEST(names_abstract, "bind connect bind:EADDRINUSE getsockname")
{
    int s = new_socket(SOCK_STREAM), t = new_socket(SOCK_STREAM), d = new_socket(SOCK_DGRAM);
    struct sockaddr_un un, got;
    socklen_t len = sizeof(got), n = name(&un, "@name");

    EXPECT_OK(SYS(bind, s, &un, n));
    EXPECT_ERRNO(SYS(bind, t, &un, n), EADDRINUSE);
    EXPECT_OK(SYS(bind, d, &un, n)); /* names are by type */
    EXPECT_OK(SYS(getsockname, s, &got, &len));
    EXPECT_EQ(len, n);
    EXPECT_MEMEQ(&got, &un, n);
    EXPECT_ERRNO(SYS(connect, t, &un, n), ECONNREFUSED); /* it does not listen */
    EXPECT_ERRNO(SYS(connect, t, &un, n - 1), ECONNREFUSED);
    close(s);
    EXPECT_OK(SYS(bind, t, &un, n));
}

TEST(autobind, "bind getsockname")
{
    int s = new_socket(SOCK_STREAM), t = new_socket(SOCK_STREAM);
    struct sockaddr_un un = {.sun_family = AF_UNIX}, other;
    socklen_t len = sizeof(un);

    EXPECT_OK(SYS(bind, s, &un, sizeof(sa_family_t)));
    EXPECT_OK(SYS(getsockname, s, &un, &len));
    EXPECT_EQ(len, sizeof(sa_family_t) + 6);
    EXPECT_EQ(un.sun_path[0], 0);
    EXPECT_EQ(strspn(un.sun_path + 1, "0123456789abcdef"), 5);
    EXPECT_OK(SYS(bind, s, &un, sizeof(sa_family_t)));
    EXPECT_OK(SYS(bind, t, &un, sizeof(sa_family_t)));
    len = sizeof(other);
    EXPECT_OK(SYS(getsockname, t, &other, &len));
    EXPECT_NE(memcmp(&un, &other, len), 0);
}

TEST(bad_addresses,
     "bind:EINVAL connect:EINVAL,ENOENT,ECONNREFUSED,EACCES,EPROTOTYPE,ELOOP,ENAMETOOLONG")
{
    struct sockaddr_un un = {.sun_family = AF_INET, .sun_path = "x"};
    int s = new_socket(SOCK_STREAM), d = new_socket(SOCK_DGRAM), l;

    guest_scratch();
    EXPECT_ERRNO(SYS(bind, s, &un, sizeof(un)), EINVAL);
    EXPECT_ERRNO(SYS(connect, s, &un, sizeof(un)), EINVAL);
    un.sun_family = AF_UNIX;
    EXPECT_ERRNO(SYS(bind, s, &un, 1), EINVAL);
    EXPECT_ERRNO(SYS(bind, s, &un, sizeof(un) + 1), EINVAL);
    EXPECT_ERRNO(SYS(connect, s, &un, 2), EINVAL);
    EXPECT_ERRNO(connect_to(s, "nothing"), ENOENT);
    guest_make_file("file", "");
    EXPECT_ERRNO(connect_to(s, "file"), ECONNREFUSED);
    EXPECT_ERRNO(connect_to(s, "."), ECONNREFUSED);
    l = listener(SOCK_STREAM, "sock", 1);
    EXPECT_ERRNO(connect_to(d, "sock"), EPROTOTYPE);
    close(l);
    EXPECT_ERRNO(connect_to(s, "sock"), ECONNREFUSED); /* a stale name */
    REQUIRE_OK(unlink("sock"));
    REQUIRE_OK(mknod("node", S_IFSOCK | 0600, 0));
    EXPECT_ERRNO(connect_to(s, "node"), ECONNREFUSED);
    REQUIRE_OK(symlink("loop", "loop"));
    EXPECT_ERRNO(connect_to(s, "loop"), ELOOP);
    EXPECT_ERRNO(bind_to(s, "loop"), EADDRINUSE);
    listener(SOCK_STREAM, "mine", 1);
    REQUIRE_OK(chmod("mine", 0555));
    REQUIRE_OK(chmod(".", 0755));
    REQUIRE_OK(SYS(setresuid, 4321, 4321, 4321));
    EXPECT_ERRNO(connect_to(s, "mine"), EACCES);
    EXPECT_ERRNO(bind_to(new_socket(SOCK_STREAM), "new"), EACCES);
}

TEST(links_and_renames, "connect rename link unlink")
{
    guest_scratch();
    listener(SOCK_STREAM, "one", 10);
    REQUIRE_OK(symlink("one", "soft"));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM), "soft"));
    EXPECT_OK(link("one", "hard"));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM), "hard"));
    REQUIRE_OK(rename("one", "two"));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM), "two"));
    EXPECT_ERRNO(connect_to(new_socket(SOCK_STREAM), "one"), ENOENT);
    REQUIRE_OK(unlink("two"));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM), "hard"));
    REQUIRE_OK(unlink("hard"));
    listener(SOCK_STREAM, "one", 1);
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM), "one"));
}

TEST(connect_and_accept, "listen connect accept accept4 getpeername getsockname")
{
    int l = listener(SOCK_STREAM, "@l", 5), c = new_socket(SOCK_STREAM), s;
    struct sockaddr_un un, want;
    socklen_t len, n = name(&want, "@l");
    char buf[8] = "";

    EXPECT_EQ(polled(l), 0);
    REQUIRE_OK(bind_to(c, "@client"));
    EXPECT_OK(SYS(connect, c, &want, n));
    EXPECT_EQ(polled(l), RD);
    EXPECT_EQ(polled(c), WR);
    EXPECT_EQ(SYS(write, c, "early", 5), 5); /* before anybody accepts */
    len = sizeof(un);
    s = (int)REQUIRE_OK(SYS(accept4, l, &un, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
    EXPECT_EQ(SYS(fcntl, s, F_GETFL), O_RDWR | O_NONBLOCK);
    EXPECT_EQ(SYS(fcntl, s, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(len, name(&want, "@client"));
    EXPECT_MEMEQ(&un, &want, len);
    EXPECT_EQ(SYS(read, s, buf, 8), 5);
    EXPECT_STREQ(buf, "early");
    len = sizeof(un);
    EXPECT_OK(SYS(getsockname, s, &un, &len));
    EXPECT_EQ(len, name(&want, "@l"));
    EXPECT_MEMEQ(&un, &want, len);
    len = sizeof(un);
    EXPECT_OK(SYS(getpeername, c, &un, &len));
    EXPECT_MEMEQ(&un, &want, len);
    EXPECT_ERRNO(SYS(connect, c, &want, n), EISCONN);
    EXPECT_ERRNO(SYS(read, s, buf, 8), EAGAIN);
    EXPECT_EQ(polled(l), 0);
}

TEST(states, "listen:EINVAL,EOPNOTSUPP connect:EINVAL accept:EINVAL,EOPNOTSUPP sendto:ENOTCONN "
             "recvfrom:EINVAL,ENOTCONN getpeername:ENOTCONN shutdown:EINVAL")
{
    int s = new_socket(SOCK_STREAM), d = new_socket(SOCK_DGRAM), q = new_socket(SOCK_SEQPACKET), l;
    struct sockaddr_un un;
    socklen_t len = sizeof(un);
    char c;

    EXPECT_ERRNO(SYS(listen, s, 1), EINVAL); /* it has no name */
    EXPECT_ERRNO(SYS(listen, d, 1), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(accept, s, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(accept, d, NULL, NULL), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(sendto, s, "x", 1, 0, NULL, 0), ENOTCONN);
    EXPECT_ERRNO(SYS(sendto, d, "x", 1, 0, NULL, 0), ENOTCONN);
    EXPECT_ERRNO(SYS(sendto, q, "x", 1, 0, NULL, 0), ENOTCONN);
    EXPECT_ERRNO(SYS(recvfrom, s, &c, 1, 0, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(recvfrom, q, &c, 1, 0, NULL, NULL), ENOTCONN);
    EXPECT_ERRNO(SYS(getpeername, s, &un, &len), ENOTCONN);
    EXPECT_ERRNO(SYS(shutdown, s, 3), EINVAL);
    EXPECT_ERRNO(SYS(shutdown, s, -1), EINVAL);
    EXPECT_OK(SYS(shutdown, s, SHUT_RDWR));
    l = listener(SOCK_STREAM, "@l", 1);
    EXPECT_OK(SYS(listen, l, 4));
    EXPECT_ERRNO(connect_to(l, "@l"), EINVAL);
    EXPECT_ERRNO(SYS(sendto, l, "x", 1, 0, NULL, 0), ENOTCONN);
    EXPECT_ERRNO(SYS(recvfrom, l, &c, 1, 0, NULL, NULL), EINVAL);
    pair(SOCK_STREAM);
    len = name(&un, "@l");
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, &un, len), EISCONN);
    EXPECT_ERRNO(SYS(sendto, new_socket(SOCK_STREAM), "x", 1, 0, &un, len), EOPNOTSUPP);
    REQUIRE_OK(bind_to(a, "@a"));
    EXPECT_ERRNO(SYS(listen, a, 1), EINVAL);
    EXPECT_ERRNO(SYS(accept, a, NULL, NULL), EINVAL);
}

TEST(poll_of_fresh_ones, "poll")
{
    EXPECT_EQ(polled(new_socket(SOCK_STREAM)), WR | POLLHUP);
    EXPECT_EQ(polled(new_socket(SOCK_DGRAM)), WR);
    EXPECT_EQ(polled(new_socket(SOCK_SEQPACKET)), WR | POLLHUP);
    pair(SOCK_STREAM);
    EXPECT_EQ(polled(a), WR);
}

TEST(backlog, "connect:EAGAIN listen")
{
    int l = listener(SOCK_STREAM, "@l", 1), made = 0;

    for (int i = 0; i < 5; i++) {
        int c = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
        long rc = connect_to(c, "@l");

        made += rc == 0;
        EXPECT(rc == 0 || errno == EAGAIN);
    }
    EXPECT_EQ(made, 2);
    REQUIRE_OK(SYS(listen, l, 3));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM | SOCK_NONBLOCK), "@l"));
    REQUIRE_OK(SYS(accept, l, NULL, NULL));
    EXPECT_OK(connect_to(new_socket(SOCK_STREAM | SOCK_NONBLOCK), "@l"));
}

TEST(backlog_blocks, "connect accept")
{
    int l = listener(SOCK_STREAM, "@l", 0);
    struct timeval tv = {0, 50000};
    struct sockaddr_un un;
    socklen_t len = name(&un, "@l");
    int c = new_socket(SOCK_STREAM);
    pid_t child;

    REQUIRE_OK(SYS(connect, new_socket(SOCK_STREAM), &un, len));
    REQUIRE_OK(SYS(setsockopt, c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
    EXPECT_ERRNO(SYS(connect, c, &un, len), EAGAIN);
    child = guest_fork();
    if (child == 0) {
        EXPECT_OK(SYS(connect, new_socket(SOCK_STREAM), &un, len));
        guest_finish();
    }
    guest_sleep_ms(50);
    EXPECT_OK(SYS(accept, l, NULL, NULL));
    EXPECT_OK(SYS(accept, l, NULL, NULL));
    EXPECT_EQ(guest_wait(child), 0);
}

TEST(backlog_refused_while_waiting, "connect:ECONNREFUSED")
{
    int l = listener(SOCK_STREAM, "@l", 0);
    struct sockaddr_un un;
    socklen_t len = name(&un, "@l");
    pid_t child;

    REQUIRE_OK(SYS(connect, new_socket(SOCK_STREAM), &un, len));
    child = guest_fork();
    if (child == 0) {
        close(l);
        EXPECT_ERRNO(SYS(connect, new_socket(SOCK_STREAM), &un, len), ECONNREFUSED);
        guest_finish();
    }
    guest_sleep_ms(50);
    close(l);
    EXPECT_EQ(guest_wait(child), 0);
}

TEST(connect_interrupted, "connect:EINTR accept:EINTR")
{
    int l = listener(SOCK_STREAM, "@l", 0);
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EINTR);
    while (connect_to(new_socket(SOCK_STREAM), "@l") != 0 && errno == EINTR)
        ;
    EXPECT_ERRNO(connect_to(new_socket(SOCK_STREAM), "@l"), EINTR);
    guest_end(pest);
}

TEST(listener_closes, "close")
{
    int l = listener(SOCK_STREAM, "@l", 5), c = new_socket(SOCK_STREAM);
    char buf[4];

    REQUIRE_OK(connect_to(c, "@l"));
    close(l);
    EXPECT_EQ(polled(c), RD | WR | POLLHUP | POLLERR | POLLRDHUP);
    EXPECT_ERRNO(SYS(read, c, buf, 4), ECONNRESET);
    EXPECT_EQ(SYS(read, c, buf, 4), 0);
    EXPECT_ERRNO(connect_to(new_socket(SOCK_STREAM), "@l"), ECONNREFUSED);
}

TEST(listener_shut_down, "shutdown accept:EINVAL connect:ECONNREFUSED")
{
    int l = listener(SOCK_STREAM, "@l", 5);

    REQUIRE_OK(connect_to(new_socket(SOCK_STREAM), "@l"));
    EXPECT_OK(SYS(shutdown, l, SHUT_RD));
    EXPECT_ERRNO(connect_to(new_socket(SOCK_STREAM), "@l"), ECONNREFUSED);
    EXPECT_OK(SYS(accept, l, NULL, NULL));
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EINVAL);
}

TEST(shutdown_of_streams, "shutdown sendto:EPIPE poll")
{
    char c;

    guest_on_signal(SIGPIPE, guest_count_signal, 0);
    pair(SOCK_STREAM);
    EXPECT_OK(SYS(shutdown, a, SHUT_WR));
    EXPECT_EQ(polled(a), WR);
    EXPECT_EQ(polled(b), RD | WR | POLLRDHUP);
    EXPECT_ERRNO(SYS(write, a, "x", 1), EPIPE);
    EXPECT_EQ(SYS(read, b, &c, 1), 0);
    EXPECT_EQ(SYS(write, b, "y", 1), 1);
    EXPECT_OK(SYS(shutdown, a, SHUT_RD));
    EXPECT_EQ(polled(a), RD | WR | POLLRDHUP | POLLHUP);
    EXPECT_EQ(polled(b), RD | WR | POLLRDHUP | POLLHUP);
    EXPECT_EQ(SYS(read, a, &c, 1), 1);
    EXPECT_EQ(SYS(read, a, &c, 1), 0);
    EXPECT_ERRNO(SYS(write, b, "y", 1), EPIPE);
    EXPECT_EQ(guest_signals, 2);
}

TEST(close_with_unread, "close recvfrom:ECONNRESET sendto:EPIPE")
{
    char c;
    int value = -1;
    socklen_t len = sizeof(value);

    signal(SIGPIPE, SIG_IGN);
    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(write, a, "x", 1), 1);
    EXPECT_EQ(SYS(write, b, "y", 1), 1);
    close(b);
    EXPECT_EQ(polled(a), RD | WR | POLLERR | POLLHUP | POLLRDHUP);
    EXPECT_EQ(SYS(read, a, &c, 1), 1);
    EXPECT_ERRNO(SYS(read, a, &c, 1), ECONNRESET);
    EXPECT_EQ(SYS(read, a, &c, 1), 0);
    EXPECT_ERRNO(SYS(write, a, "x", 1), EPIPE);
    EXPECT_OK(SYS(getsockopt, a, SOL_SOCKET, SO_ERROR, &value, &len));
    EXPECT_EQ(value, 0);
}

TEST(dgram_ends, "close sendto:ECONNREFUSED,ENOTCONN,EPIPE shutdown")
{
    char c;

    pair(SOCK_DGRAM);
    close(b);
    EXPECT_EQ(polled(a), WR);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, NULL, 0), ECONNREFUSED);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, NULL, 0), ENOTCONN);
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    pair(SOCK_DGRAM);
    EXPECT_OK(SYS(shutdown, a, SHUT_RD));
    EXPECT_EQ(polled(a), RD | WR | POLLRDHUP);
    EXPECT_ERRNO(SYS(sendto, b, "x", 1, 0, NULL, 0), EPIPE);
    EXPECT_EQ(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), 0);
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}

TEST(seqpacket_ends, "close sendto:EPIPE,ECONNRESET recvfrom")
{
    char c;

    pair(SOCK_SEQPACKET);
    EXPECT_EQ(SYS(write, a, "x", 1), 1);
    close(b);
    EXPECT_EQ(polled(a), RD | WR | POLLERR | POLLHUP | POLLRDHUP);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, NULL, 0), ECONNRESET);
    EXPECT_EQ(SYS(recvfrom, a, &c, 1, MSG_DONTWAIT, NULL, NULL), 0);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, 0, NULL, 0), EPIPE);
}

TEST(dgram_names, "sendto recvfrom connect sendto:EPERM,ECONNREFUSED,ENOENT")
{
    int s = new_socket(SOCK_DGRAM), c = new_socket(SOCK_DGRAM), x = new_socket(SOCK_DGRAM);
    struct sockaddr_un un, from;
    socklen_t len = sizeof(from), n = name(&un, "@s");
    char buf[8] = "";

    REQUIRE_OK(bind_to(s, "@s"));
    REQUIRE_OK(bind_to(c, "@c"));
    EXPECT_EQ(SYS(sendto, c, "hi", 2, 0, &un, n), 2);
    EXPECT_EQ(SYS(recvfrom, s, buf, 8, 0, &from, &len), 2);
    EXPECT_EQ(len, name(&un, "@c"));
    EXPECT_MEMEQ(&from, &un, len);
    /* Once connected it hears its peer only. */
    EXPECT_OK(connect_to(s, "@c"));
    n = name(&un, "@s");
    EXPECT_ERRNO(SYS(sendto, x, "x", 1, 0, &un, n), EPERM);
    EXPECT_ERRNO(SYS(connect, x, &un, n), EPERM);
    EXPECT_EQ(SYS(sendto, c, "ok", 2, 0, &un, n), 2);
    un.sun_family = AF_UNSPEC;
    EXPECT_OK(SYS(connect, s, &un, sizeof(sa_family_t)));
    EXPECT_ERRNO(SYS(getpeername, s, &un, &len), ENOTCONN);
    n = name(&un, "@nobody");
    EXPECT_ERRNO(SYS(sendto, x, "x", 1, 0, &un, n), ECONNREFUSED);
    guest_scratch();
    n = name(&un, "nothing");
    EXPECT_ERRNO(SYS(sendto, x, "x", 1, 0, &un, n), ENOENT);
    EXPECT_ERRNO(SYS(connect, x, &un, 1), EINVAL);
}

TEST(dgram_queue_length, "sendto:EAGAIN poll")
{
    int s = new_socket(SOCK_DGRAM), c = new_socket(SOCK_DGRAM | SOCK_NONBLOCK), n = 0;
    char buf[8];

    REQUIRE_OK(bind_to(s, "@s"));
    REQUIRE_OK(connect_to(c, "@s"));
    EXPECT_EQ(polled(c), WR);
    while (SYS(sendto, c, "x", 1, 0, NULL, 0) == 1)
        n++;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(n, 11);
    EXPECT_EQ(polled(c), 0);
    EXPECT_EQ(SYS(recvfrom, s, buf, 8, 0, NULL, NULL), 1);
    EXPECT_EQ(polled(c), WR);
    EXPECT_EQ(SYS(sendto, c, "x", 1, 0, NULL, 0), 1);
}

TEST(dgram_waits_for_room, "sendto poll epoll_wait")
{
    int s = new_socket(SOCK_DGRAM), c = new_socket(SOCK_DGRAM), ep;
    struct epoll_event ev = {.events = EPOLLOUT | EPOLLET}, got;
    struct pollfd p = {.fd = c, .events = POLLOUT};
    char buf[8];
    pid_t child;

    REQUIRE_OK(bind_to(s, "@s"));
    REQUIRE_OK(connect_to(c, "@s"));
    for (int i = 0; i < 11; i++)
        REQUIRE_OK(SYS(sendto, c, "x", 1, 0, NULL, 0));
    ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, c, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 0);
    child = guest_fork();
    if (child == 0) {
        guest_sleep_ms(40);
        EXPECT_EQ(SYS(recvfrom, s, buf, 8, 0, NULL, NULL), 1);
        guest_sleep_ms(40);
        EXPECT_EQ(SYS(recvfrom, s, buf, 8, 0, NULL, NULL), 1);
        guest_finish();
    }
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 5000), 1);
    EXPECT_EQ(poll(&p, 1, 5000), 1);
    EXPECT_EQ(SYS(sendto, c, "x", 1, 0, NULL, 0), 1);
    EXPECT_EQ(SYS(sendto, c, "y", 1, 0, NULL, 0), 1); /* waits for the second */
    EXPECT_EQ(guest_wait(child), 0);
}

TEST(message_sizes, "sendto:EMSGSIZE sendto recvfrom")
{
    static char block[300000];
    int size = 0, sndbuf = 20000;
    socklen_t len = sizeof(size);

    pair(SOCK_DGRAM | SOCK_NONBLOCK);
    REQUIRE_OK(SYS(setsockopt, a, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)));
    REQUIRE_OK(SYS(getsockopt, a, SOL_SOCKET, SO_SNDBUF, &size, &len));
    EXPECT_ERRNO(SYS(sendto, a, block, size - 31, 0, NULL, 0), EMSGSIZE);
    EXPECT_EQ(SYS(sendto, a, block, size - 32, 0, NULL, 0), size - 32);
    EXPECT_EQ(SYS(recvfrom, b, block, sizeof(block), 0, NULL, NULL), size - 32);
    pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
    EXPECT_ERRNO(SYS(sendto, a, block, 212992, 0, NULL, 0), EMSGSIZE);
}

TEST(back_pressure, "write:EAGAIN read poll")
{
    static char block[65536];
    long total = 0, n;
    int out = 0;

    pair(SOCK_STREAM | SOCK_NONBLOCK);
    while ((n = SYS(write, a, block, sizeof(block))) > 0)
        total += n;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GT(total, 100000);
    EXPECT_LT(total, 300000);
    EXPECT_EQ(polled(a), 0);
    EXPECT_OK(SYS(ioctl, a, TIOCOUTQ, &out));
    EXPECT_GE(out, total);
    while ((n = SYS(read, b, block, 10000)) > 0)
        total -= n;
    EXPECT_EQ(total, 0);
    EXPECT_EQ(polled(a), WR);
    EXPECT_OK(SYS(ioctl, a, TIOCOUTQ, &out));
    EXPECT_EQ(out, 0);
}

TEST(small_writes_count, "write:EAGAIN poll")
{
    int writes = 0, reads = 0;
    char c;

    pair(SOCK_STREAM | SOCK_NONBLOCK);
    while (SYS(write, a, "x", 1) == 1)
        writes++;
    EXPECT_GE(writes, 200);
    EXPECT_LE(writes, 400);
    while (!(polled(a) & POLLOUT) && SYS(read, b, &c, 1) == 1)
        reads++;
    EXPECT_GT(reads, 1);
    EXPECT_LE(reads, writes);
}

TEST(blocked_writer, "write read")
{
    static char block[1 << 20];
    long total = 0, n;
    pid_t child;

    pair(SOCK_STREAM);
    child = guest_fork();
    if (child == 0) {
        close(b);
        EXPECT_EQ(SYS(write, a, block, sizeof(block)), sizeof(block));
        guest_finish();
    }
    close(a);
    while ((n = SYS(read, b, block, 50000)) > 0)
        total += n;
    EXPECT_EQ(total, sizeof(block));
    EXPECT_EQ(guest_wait(child), 0);
}

TEST(writer_interrupted, "write:EINTR")
{
    static char block[1 << 20];
    pid_t pest;
    long n;

    pair(SOCK_STREAM);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    n = SYS(write, a, block, sizeof(block));
    EXPECT(n > 0 && n < (long)sizeof(block)); /* what was written counts */
    EXPECT_ERRNO(SYS(write, a, block, sizeof(block)), EINTR);
    guest_end(pest);
}

TEST(reader_interrupted, "recvfrom:EINTR recvmsg:EINTR")
{
    struct iovec v;
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
    char buf[4];
    pid_t pest;

    v = (struct iovec){buf, 4};
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pair(SOCK_STREAM);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 4, 0, NULL, NULL), EINTR);
    EXPECT_ERRNO(SYS(recvmsg, a, &h, 0), EINTR);
    pair(SOCK_DGRAM);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 4, 0, NULL, NULL), EINTR);
    guest_end(pest);
}

TEST(reader_restarted, "recvfrom accept")
{
    int l = listener(SOCK_STREAM, "@l", 1);
    struct sockaddr_un un;
    socklen_t len = name(&un, "@l");
    char buf[4];
    pid_t pest, child;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pair(SOCK_DGRAM);
    pest = guest_pester(SIGUSR1, 10);
    child = guest_fork();
    if (child == 0) {
        guest_sleep_ms(100);
        EXPECT_EQ(SYS(write, b, "x", 1), 1);
        guest_sleep_ms(100);
        EXPECT_OK(SYS(connect, new_socket(SOCK_STREAM), &un, len));
        guest_finish();
    }
    EXPECT_EQ(SYS(recvfrom, a, buf, 4, 0, NULL, NULL), 1);
    EXPECT_OK(SYS(accept, l, NULL, NULL));
    guest_end(pest);
    guest_wait(child);
}

TEST(wait_all, "recvfrom")
{
    char buf[16] = "";
    pid_t child;

    pair(SOCK_STREAM);
    child = guest_fork();
    if (child == 0) {
        EXPECT_EQ(SYS(write, a, "abc", 3), 3);
        guest_sleep_ms(40);
        EXPECT_EQ(SYS(write, a, "defg", 4), 4);
        guest_finish();
    }
    EXPECT_EQ(SYS(recvfrom, b, buf, 6, MSG_WAITALL, NULL, NULL), 6);
    EXPECT_STREQ(buf, "abcdef");
    EXPECT_EQ(guest_wait(child), 0);
    EXPECT_EQ(SYS(recvfrom, b, buf, 6, MSG_WAITALL | MSG_DONTWAIT, NULL, NULL), 1);
    close(a);
    EXPECT_EQ(SYS(recvfrom, b, buf, 6, MSG_WAITALL, NULL, NULL), 0);
}

TEST(low_water, "setsockopt recvfrom")
{
    int four = 4;
    char buf[16] = "";
    pid_t child;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(setsockopt, b, SOL_SOCKET, SO_RCVLOWAT, &four, sizeof(four)));
    child = guest_fork();
    if (child == 0) {
        EXPECT_EQ(SYS(write, a, "ab", 2), 2);
        guest_sleep_ms(40);
        EXPECT_EQ(SYS(write, a, "cd", 2), 2);
        guest_finish();
    }
    EXPECT_EQ(SYS(read, b, buf, 16), 4);
    EXPECT_EQ(guest_wait(child), 0);
}

TEST(peeking, "recvfrom setsockopt")
{
    char buf[16];
    int off = 0, got = -5;
    socklen_t len = sizeof(got);

    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(write, a, "abc", 3), 3);
    EXPECT_EQ(SYS(write, a, "def", 3), 3);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_PEEK, NULL, NULL), 6);
    EXPECT_EQ(memcmp(buf, "abcdef", 6), 0);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    REQUIRE_OK(SYS(setsockopt, b, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    EXPECT_EQ(memcmp(buf, "cd", 2), 0);
    EXPECT_EQ(SYS(read, b, buf, 3), 3);
    EXPECT_EQ(memcmp(buf, "abc", 3), 0);
    EXPECT_OK(SYS(getsockopt, b, SOL_SOCKET, SO_PEEK_OFF, &got, &len));
    EXPECT_EQ(got, 1);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_PEEK, NULL, NULL), 2);
    EXPECT_EQ(memcmp(buf, "ef", 2), 0);
    EXPECT_ERRNO(SYS(recvfrom, b, buf, 16, MSG_PEEK | MSG_DONTWAIT, NULL, NULL), EAGAIN);
    pair(SOCK_DGRAM);
    REQUIRE_OK(SYS(setsockopt, b, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
    EXPECT_EQ(SYS(write, a, "abc", 3), 3);
    EXPECT_EQ(SYS(write, a, "def", 3), 3);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 1);
    EXPECT_EQ(buf[0], 'c');
    EXPECT_EQ(SYS(recvfrom, b, buf, 2, MSG_PEEK, NULL, NULL), 2);
    EXPECT_EQ(memcmp(buf, "de", 2), 0);
    EXPECT_EQ(SYS(read, b, buf, 16), 3);
    EXPECT_EQ(memcmp(buf, "abc", 3), 0);
}

TEST(interface_ioctls, "ioctl ioctl:ENODEV,ENOTTY")
{
    int fds[] = {(int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, 0)), (int)REQUIRE_OK(SYS(socket, AF_NETLINK, SOCK_RAW, 0))};

    for (int i = 0; i < 2; i++) {
        struct ifreq r = {.ifr_name = "lo"};

        EXPECT_OK(SYS(ioctl, fds[i], SIOCGIFINDEX, &r));
        EXPECT_EQ(r.ifr_ifindex, 1);
        memset(r.ifr_name, 0, sizeof(r.ifr_name));
        EXPECT_OK(SYS(ioctl, fds[i], SIOCGIFNAME, &r));
        EXPECT_EQ(strcmp(r.ifr_name, "lo"), 0);
        EXPECT_ERRNO(SYS(ioctl, fds[i], SIOCGIFADDR, &r), ENOTTY);
        memcpy(r.ifr_name, "nosuch", 7);
        EXPECT_ERRNO(SYS(ioctl, fds[i], SIOCGIFINDEX, &r), ENODEV);
    }
}

TEST(urgent_data, "sendto recvfrom recvfrom:EINVAL sendto:EOPNOTSUPP ioctl")
{
    char buf[16] = "";
    int mark = -1;

    pair(SOCK_STREAM);
    EXPECT_ERRNO(SYS(sendto, a, "", 0, MSG_OOB, NULL, 0), EOPNOTSUPP);
    if (SYS(sendto, a, "hello", 5, MSG_OOB, NULL, 0) == -1 && errno == EOPNOTSUPP)
        SKIP("this kernel has no MSG_OOB on AF_UNIX");
    EXPECT_EQ(polled(b), RD | WR | POLLPRI);
    EXPECT_EQ(SYS(write, a, "world", 5), 5);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_PEEK, NULL, NULL), 4);
    EXPECT_EQ(SYS(read, b, buf, 16), 4);
    EXPECT_STREQ(buf, "hell");
    EXPECT_OK(SYS(ioctl, b, SIOCATMARK, &mark));
    EXPECT_EQ(mark, 1);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_OOB | MSG_PEEK, NULL, NULL), 1);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_OOB, NULL, NULL), 1);
    EXPECT_EQ(buf[0], 'o');
    EXPECT_ERRNO(SYS(recvfrom, b, buf, 16, MSG_OOB, NULL, NULL), EINVAL);
    EXPECT_EQ(SYS(read, b, buf, 16), 5);
    EXPECT_OK(SYS(ioctl, b, SIOCATMARK, &mark));
    EXPECT_EQ(mark, 0);
    /* One that nobody takes is lost when what follows is read. */
    EXPECT_EQ(SYS(sendto, a, "ab", 2, MSG_OOB, NULL, 0), 2);
    EXPECT_EQ(SYS(write, a, "cd", 2), 2);
    EXPECT_EQ(SYS(read, b, buf, 16), 1);
    EXPECT_EQ(SYS(read, b, buf, 16), 2);
    EXPECT_EQ(memcmp(buf, "cd", 2), 0);
    /* A second one makes the first ordinary. */
    EXPECT_EQ(SYS(sendto, a, "ab", 2, MSG_OOB, NULL, 0), 2);
    EXPECT_EQ(SYS(sendto, a, "cd", 2, MSG_OOB, NULL, 0), 2);
    EXPECT_EQ(SYS(recvfrom, b, buf, 16, MSG_OOB, NULL, NULL), 1);
    EXPECT_EQ(buf[0], 'd');
    EXPECT_EQ(SYS(read, b, buf, 16), 3);
    EXPECT_EQ(memcmp(buf, "abc", 3), 0);
    pair(SOCK_DGRAM);
    EXPECT_ERRNO(SYS(sendto, a, "x", 1, MSG_OOB, NULL, 0), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 1, MSG_OOB, NULL, NULL), EOPNOTSUPP);
}

TEST(urgent_in_line, "sendto recvfrom:EINVAL")
{
    char buf[16] = "";
    int one = 1;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(setsockopt, b, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)));
    if (SYS(sendto, a, "ab", 2, MSG_OOB, NULL, 0) == -1 && errno == EOPNOTSUPP)
        SKIP("this kernel has no MSG_OOB on AF_UNIX");
    EXPECT_EQ(SYS(write, a, "cd", 2), 2);
    EXPECT_ERRNO(SYS(recvfrom, b, buf, 16, MSG_OOB, NULL, NULL), EINVAL);
    EXPECT_EQ(SYS(read, b, buf, 16), 1);
    EXPECT_EQ(SYS(read, b, buf, 16), 3);
    EXPECT_STREQ(buf, "bcd");
}

TEST(edge_triggered, "epoll_wait")
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET}, got;
    int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    char c;

    pair(SOCK_STREAM);
    REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, b, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 1);
    EXPECT_EQ(got.events, EPOLLOUT);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 0);
    EXPECT_EQ(SYS(write, a, "x", 1), 1);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 1);
    EXPECT_EQ(got.events, EPOLLIN | EPOLLOUT);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 0);
    EXPECT_EQ(SYS(write, a, "y", 1), 1); /* more data is a new edge */
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 1);
    EXPECT_EQ(SYS(read, b, &c, 1), 1);
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 0);
    EXPECT_EQ(SYS(read, b, &c, 1), 1);
    EXPECT_OK(SYS(shutdown, a, SHUT_WR));
    EXPECT_EQ(SYS(epoll_wait, ep, &got, 1, 0), 1);
    EXPECT_EQ(got.events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

/* --- one thread blocks, another ends what it waits for --- */

static void *shut_later(void *fd)
{
    guest_sleep_ms(50);
    EXPECT_OK(SYS(shutdown, (int)(intptr_t)fd, SHUT_RDWR));
    return NULL;
}

static void *close_later(void *fd)
{
    guest_sleep_ms(50);
    EXPECT_OK(SYS(close, (int)(intptr_t)fd));
    return NULL;
}

TEST(race_shutdown_wakes, "shutdown recvfrom accept:EINVAL")
{
    int l = listener(SOCK_STREAM, "@l", 1);
    pthread_t t;
    char c;

    pair(SOCK_STREAM);
    REQUIRE(pthread_create(&t, NULL, shut_later, (void *)(intptr_t)a) == 0);
    EXPECT_EQ(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), 0);
    pthread_join(t, NULL);
    REQUIRE(pthread_create(&t, NULL, shut_later, (void *)(intptr_t)l) == 0);
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EINVAL);
    pthread_join(t, NULL);
}

TEST(race_close_peer_wakes, "close recvfrom write:EPIPE")
{
    static char block[1 << 20];
    pthread_t t;
    char c;

    signal(SIGPIPE, SIG_IGN);
    pair(SOCK_STREAM);
    REQUIRE(pthread_create(&t, NULL, close_later, (void *)(intptr_t)b) == 0);
    EXPECT_EQ(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), 0);
    pthread_join(t, NULL);
    pair(SOCK_STREAM);
    while (SYS(sendto, a, block, 1000, MSG_DONTWAIT, NULL, 0) > 0)
        ;
    REQUIRE(pthread_create(&t, NULL, close_later, (void *)(intptr_t)b) == 0);
    EXPECT(SYS(write, a, block, sizeof(block)) == -1 && (errno == EPIPE || errno == ECONNRESET));
    pthread_join(t, NULL);
}

TEST(race_close_own, "close recvfrom")
{
    pthread_t t;
    char c = 0;

    /* The call holds the description: a close elsewhere doesn't end it, the peer's data does. */
    pair(SOCK_STREAM);
    REQUIRE(pthread_create(&t, NULL, close_later, (void *)(intptr_t)a) == 0);
    if (guest_fork() == 0) {
        close(a);
        guest_sleep_ms(150);
        EXPECT_EQ(SYS(write, b, "z", 1), 1);
        guest_finish();
    }
    EXPECT_EQ(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), 1);
    EXPECT_EQ(c, 'z');
    pthread_join(t, NULL);
}

TEST(race_connect_and_close, "connect close accept")
{
    unsigned long n = guest_operations(300);

    for (unsigned long i = 0; i < n; i++) {
        int l = listener(SOCK_STREAM | SOCK_NONBLOCK, "@l", 3);
        struct sockaddr_un un;
        socklen_t len = name(&un, "@l");
        pid_t child = i % 50 ? 0 : guest_fork();

        if (i % 50 == 0 && child == 0) {
            for (int k = 0; k < 200; k++) {
                int c = new_socket(SOCK_STREAM | SOCK_NONBLOCK);

                EXPECT(SYS(connect, c, &un, len) == 0 || errno == ECONNREFUSED || errno == EAGAIN);
                close(c);
            }
            guest_finish();
        }
        close((int)SYS(accept, l, NULL, NULL));
        close(l);
        if (child)
            EXPECT_EQ(guest_wait(child), 0);
    }
}

/* The reader of race_readers_and_faults: takes bytes one by one, often where there is no memory. */
struct taker {
    int fd;
    char *bad;
    unsigned seen[256], total;
};

static void *take_bytes(void *arg)
{
    struct taker *t = arg;
    unsigned char c[2];

    for (unsigned i = 0;; i++) {
        long n = i % 2 ? SYS(recvfrom, t->fd, t->bad - 1, 2, 0, NULL, NULL)
                       : SYS(recvfrom, t->fd, c, 1 + i % 4 / 2, 0, NULL, NULL);
        const unsigned char *at = i % 2 ? (unsigned char *)t->bad - 1 : c;

        if (n == 0)
            return NULL;
        for (long k = 0; k < n; k++) {
            t->seen[at[k]]++;
            t->total++;
        }
    }
}

TEST(race_readers_and_faults, "recvfrom recvfrom:EFAULT")
{
    unsigned long rounds = guest_operations(40);
    struct taker t[2] = {{0}};
    unsigned char all[256];
    pthread_t th[2];

    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    pair(SOCK_STREAM);
    for (int i = 0; i < 2; i++) {
        t[i].fd = b;
        t[i].bad = guest_bad_page();
        REQUIRE(pthread_create(&th[i], NULL, take_bytes, &t[i]) == 0);
    }
    for (unsigned long i = 0; i < rounds; i++)
        EXPECT_EQ(SYS(write, a, all, sizeof(all)), 256);
    close(a);
    for (int i = 0; i < 2; i++)
        pthread_join(th[i], NULL);
    for (int i = 0; i < 256; i++)
        EXPECT_EQ(t[0].seen[i] + t[1].seen[i], rounds);
}
