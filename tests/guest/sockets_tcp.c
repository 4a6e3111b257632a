/* TCP on loopback: connect and accept, states and half-closes, resets, back-pressure, urgent data. */
#include "sockets.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int tcp(void)
{
    return (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
}

static int bind_to(int fd, uint32_t host, int port)
{
    struct sockaddr_in a = addr4(host, port);

    return (int)SYS(bind, fd, &a, sizeof(a));
}

static int connect_to(int fd, uint32_t host, int port)
{
    struct sockaddr_in a = addr4(host, port);

    return (int)SYS(connect, fd, &a, sizeof(a));
}

static int listener(int backlog)
{
    int l = tcp();

    REQUIRE_OK(bind_to(l, LO, 0));
    REQUIRE_OK(SYS(listen, l, backlog));
    return l;
}

/* a connection: c connected, s accepted */
struct pair {
    int l, c, s;
};

static struct pair connected(void)
{
    struct pair p = {.l = listener(8)};

    p.c = tcp();
    REQUIRE_OK(connect_to(p.c, LO, port_of(p.l)));
    p.s = (int)REQUIRE_OK(SYS(accept4, p.l, NULL, NULL, 0));
    return p;
}

static int events_of(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};

    EXPECT_OK(SYS(poll, &p, 1, wait_ms));
    return p.revents;
}

static int state_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    EXPECT_OK(SYS(getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    return info.tcpi_state;
}

enum { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT,
       LAST_ACK, LISTEN, CLOSING };

static void send_text(int fd, const char *text)
{
    EXPECT_EQ(SYS(sendto, fd, text, strlen(text), MSG_NOSIGNAL, NULL, 0), strlen(text));
}

static void expect_text(int fd, const char *text)
{
    char buf[256] = {0};
    ssize_t n = SYS(recvfrom, fd, buf, sizeof(buf) - 1, 0, NULL, NULL);

    EXPECT_EQ(n, strlen(text));
    EXPECT_STREQ(buf, text);
}

static void nonblock(int fd)
{
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK));
}

/* --- socket, bind, names --- */

TEST(socket_kinds, "socket socket:EPROTONOSUPPORT,EINVAL,EAFNOSUPPORT")
{
    EXPECT_OK(SYS(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP));
    EXPECT_OK(SYS(socket, AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_STREAM, 99999), EINVAL);
    EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_STREAM, -1), EINVAL);
    EXPECT_ERRNO(SYS(socket, 99, SOCK_STREAM, 0), EAFNOSUPPORT);
}

TEST(bind_names, "bind getsockname bind:EINVAL,EADDRNOTAVAIL,EAFNOSUPPORT,EADDRINUSE")
{
    int a = tcp(), b = tcp(), port;
    struct sockaddr_in name = addr4(LO, 0);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    EXPECT_ERRNO(SYS(bind, a, &name, 8), EINVAL);
    EXPECT_ERRNO(SYS(bind, a, &six, sizeof(six)), EAFNOSUPPORT);
    EXPECT_ERRNO(bind_to(a, 0xc0000201, 0), EADDRNOTAVAIL); /* 192.0.2.1 */
    EXPECT_OK(bind_to(a, LO, 0));
    port = port_of(a);
    EXPECT_GT(port, 1023);
    EXPECT_ERRNO(bind_to(a, LO, 0), EINVAL);
    EXPECT_ERRNO(bind_to(b, LO, port), EADDRINUSE);
    EXPECT_ERRNO(bind_to(b, 0, port), EADDRINUSE);
    EXPECT_OK(bind_to(b, 0x7f000002, port)); /* another address of 127/8 */
    name.sin_family = AF_UNSPEC;
    name.sin_addr.s_addr = 0;
    EXPECT_OK(SYS(bind, tcp(), &name, sizeof(name)));
}

TEST(bind_reuseaddr, "bind")
{
    int a = tcp(), b = tcp(), port;

    EXPECT_OK(bind_to(a, LO, 0));
    port = port_of(a);
    EXPECT_OK(set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_ERRNO(bind_to(b, LO, port), EADDRINUSE);
    EXPECT_OK(set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_OK(bind_to(b, LO, port));
    EXPECT_OK(SYS(listen, a, 1));
    EXPECT_ERRNO(SYS(listen, b, 1), EADDRINUSE);
}

TEST(bind_reuseport, "bind")
{
    int a = tcp(), b = tcp(), n[2] = {0, 0};

    EXPECT_OK(set(a, SOL_SOCKET, SO_REUSEPORT, 1));
    EXPECT_OK(set(b, SOL_SOCKET, SO_REUSEPORT, 1));
    EXPECT_OK(bind_to(a, LO, 0));
    EXPECT_OK(bind_to(b, LO, port_of(a)));
    EXPECT_OK(SYS(listen, a, 100));
    EXPECT_OK(SYS(listen, b, 100));
    for (int i = 0; i < 64; i++)
        EXPECT_OK(connect_to(tcp(), LO, port_of(a)));
    nonblock(a);
    nonblock(b);
    while (SYS(accept, a, NULL, NULL) >= 0)
        n[0]++;
    while (SYS(accept, b, NULL, NULL) >= 0)
        n[1]++;
    EXPECT_EQ(n[0] + n[1], 64);
    EXPECT_GT(n[0], 0);
    EXPECT_GT(n[1], 0);
}

TEST(bind_privileged, "bind:EACCES")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        int fd = tcp();

        if (SYS(getuid) == 0)
            EXPECT_OK(SYS(setresuid, 1000, 1000, 1000));
        EXPECT_ERRNO(bind_to(fd, LO, 81), EACCES);
    }
    EXPECT_CHILD_OK(pid);
}

/* --- connect --- */

TEST(connect_errors, "connect:ECONNREFUSED,EINVAL,EAFNOSUPPORT,EISCONN,EBADF,ENOTSOCK")
{
    int a = tcp(), port;
    struct pair p = connected();
    struct sockaddr_in name = addr4(LO, 1);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    EXPECT_OK(bind_to(a, LO, 0));
    port = port_of(a);
    EXPECT_ERRNO(connect_to(tcp(), LO, port), ECONNREFUSED);
    EXPECT_ERRNO(SYS(connect, tcp(), &name, 8), EINVAL);
    EXPECT_ERRNO(SYS(connect, tcp(), &six, sizeof(six)), EAFNOSUPPORT);
    EXPECT_ERRNO(connect_to(p.c, LO, port_of(p.l)), EISCONN);
    EXPECT_ERRNO(connect_to(p.l, LO, port), EISCONN);
    EXPECT_ERRNO(SYS(connect, 999, &name, sizeof(name)), EBADF);
    EXPECT_ERRNO(SYS(connect, 0, &name, sizeof(name)), ENOTSOCK);
}

TEST(connect_again_after_refusal, "connect")
{
    int fd = tcp(), l = listener(1), dead = tcp();

    EXPECT_OK(bind_to(dead, LO, 0));
    EXPECT_ERRNO(connect_to(fd, LO, port_of(dead)), ECONNREFUSED);
    EXPECT_OK(connect_to(fd, LO, port_of(l)));
}

TEST(connect_nonblocking, "connect:EINPROGRESS")
{
    int fd = tcp(), l = listener(1), dead = tcp();

    nonblock(fd);
    EXPECT_ERRNO(connect_to(fd, LO, port_of(l)), EINPROGRESS);
    WAIT_UNTIL(events_of(fd, 100) & POLLOUT);
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
    EXPECT_OK(connect_to(fd, LO, port_of(l)));
    EXPECT_ERRNO(connect_to(fd, LO, port_of(l)), EISCONN);
    fd = tcp();
    nonblock(fd);
    EXPECT_OK(bind_to(dead, LO, 0));
    EXPECT_ERRNO(connect_to(fd, LO, port_of(dead)), EINPROGRESS);
    WAIT_UNTIL(events_of(fd, 100) & POLLERR);
    EXPECT_EQ(events_of(fd, 100), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST(connect_backlog_full, "connect:EINPROGRESS,EALREADY")
{
    int l = listener(0), a = tcp(), b = tcp();

    EXPECT_OK(connect_to(a, LO, port_of(l)));
    nonblock(b);
    EXPECT_ERRNO(connect_to(b, LO, port_of(l)), EINPROGRESS);
    EXPECT_EQ(state_of(b), SYN_SENT);
    EXPECT_ERRNO(connect_to(b, LO, port_of(l)), EALREADY);
    EXPECT_EQ(events_of(b, 50), 0);
    EXPECT_OK(SYS(accept, l, NULL, NULL));
    WAIT_UNTIL(events_of(b, 100) & POLLOUT);
    EXPECT_EQ(state_of(b), ESTABLISHED);
}

static void *close_it(void *arg)
{
    int fd = *(int *)arg;

    EXPECT_OK(SYS(close, fd));
    return NULL;
}

/* An attempt that is given up while accept makes room for it is no connection, or one that ends. */
TEST(connect_given_up, "close accept4:EAGAIN")
{
    for (int i = 0; i < 200; i++) {
        int l = listener(0), first = tcp(), second = tcp(), fd;
        pthread_t th;

        REQUIRE_OK(connect_to(first, LO, port_of(l)));
        nonblock(second);
        EXPECT_ERRNO(connect_to(second, LO, port_of(l)), EINPROGRESS);
        REQUIRE(pthread_create(&th, NULL, close_it, &second) == 0);
        close((int)EXPECT_OK(SYS(accept4, l, NULL, NULL, 0)));
        pthread_join(th, NULL);
        nonblock(l);
        fd = (int)SYS(accept4, l, NULL, NULL, 0);
        if (fd >= 0)
            EXPECT(events_of(fd, 5000) & POLLIN);
        else
            EXPECT_EQ(errno, EAGAIN);
        close(fd);
        close(first);
        close(l);
    }
}

TEST(connect_self, "connect")
{
    int fd = tcp();
    char buf[8];

    EXPECT_OK(bind_to(fd, LO, 0));
    EXPECT_OK(connect_to(fd, LO, port_of(fd)));
    EXPECT_EQ(state_of(fd), ESTABLISHED);
    EXPECT_EQ(SYS(write, fd, "self", 4), 4);
    EXPECT_EQ(SYS(read, fd, buf, 8), 4);
    EXPECT_MEMEQ(buf, "self", 4);
    EXPECT_OK(SYS(shutdown, fd, SHUT_WR));
    EXPECT_EQ(SYS(read, fd, buf, 8), 0);
}

TEST(connect_any_address, "connect getpeername")
{
    int l = tcp(), c = tcp();
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    EXPECT_OK(bind_to(l, 0, 0));
    EXPECT_OK(SYS(listen, l, 4));
    EXPECT_OK(connect_to(c, 0, port_of(l)));
    EXPECT_OK(SYS(getpeername, c, &a, &len));
    EXPECT_EQ(ntohl(a.sin_addr.s_addr), LO);
    c = tcp();
    EXPECT_OK(connect_to(c, 0x7f010203, port_of(l)));
    len = sizeof(a);
    EXPECT_OK(SYS(getsockname, c, &a, &len));
    EXPECT_EQ(ntohl(a.sin_addr.s_addr), LO);
}

TEST(connect_disconnect, "connect")
{
    struct pair p = connected();
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    char c;

    EXPECT_OK(SYS(connect, p.c, &none, sizeof(none)));
    EXPECT_ERRNO(SYS(getpeername, p.c, &a, &len), ENOTCONN);
    EXPECT_ERRNO(SYS(read, p.s, &c, 1), ECONNRESET);
    EXPECT_OK(connect_to(p.c, LO, port_of(p.l)));
}

TEST(connect_interrupted, "connect:EINTR")
{
    int l = listener(0), a = tcp(), b = tcp();
    pid_t pest;

    EXPECT_OK(connect_to(a, LO, port_of(l)));
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(connect_to(b, LO, port_of(l)), EINTR);
    guest_end(pest);
    EXPECT_EQ(state_of(b), SYN_SENT);
}

/* --- listen, accept --- */

TEST(listen_errors, "listen listen:EINVAL,EBADF,ENOTSOCK")
{
    struct pair p = connected();
    int fd = tcp();

    EXPECT_ERRNO(SYS(listen, p.c, 1), EINVAL);
    EXPECT_ERRNO(SYS(listen, 999, 1), EBADF);
    EXPECT_ERRNO(SYS(listen, 0, 1), ENOTSOCK);
    EXPECT_OK(SYS(listen, fd, -1)); /* unbound: gets a port */
    EXPECT_GT(port_of(fd), 0);
    EXPECT_OK(SYS(listen, fd, 5)); /* again */
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    EXPECT_EQ(state_of(fd), LISTEN);
}

TEST(accept_errors, "accept accept4 accept:EINVAL,EAGAIN,EBADF,ENOTSOCK accept4:EINVAL")
{
    int l = listener(1), fd = tcp();
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    EXPECT_ERRNO(SYS(accept, fd, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(accept, 999, NULL, NULL), EBADF);
    EXPECT_ERRNO(SYS(accept, 0, NULL, NULL), ENOTSOCK);
    EXPECT_ERRNO(SYS(accept4, l, NULL, NULL, 12345), EINVAL);
    nonblock(l);
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EAGAIN);
    EXPECT_EQ(events_of(l, 0), 0);
    EXPECT_OK(connect_to(fd, LO, port_of(l)));
    EXPECT_EQ(events_of(l, 1000), POLLIN);
    EXPECT_OK(SYS(accept, l, &a, &len));
    EXPECT_EQ(len, sizeof(a));
    EXPECT_EQ(ntohs(a.sin_port), port_of(fd));
}

TEST(accept_interrupted, "accept:EINTR")
{
    int l = listener(1);
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EINTR);
    guest_end(pest);
}

TEST(accept_timeout, "accept:EAGAIN")
{
    int l = listener(1);
    struct timeval tv = {.tv_usec = 30000};

    EXPECT_OK(SYS(setsockopt, l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EAGAIN);
}

TEST(accept_inherits, "accept")
{
    int l = tcp(), c = tcp(), s;

    EXPECT_OK(set(l, IPPROTO_TCP, TCP_NODELAY, 1));
    EXPECT_OK(set(l, SOL_SOCKET, SO_KEEPALIVE, 1));
    EXPECT_OK(set(l, SOL_SOCKET, SO_RCVBUF, 20000));
    EXPECT_OK(SYS(listen, l, 1));
    EXPECT_OK(connect_to(c, LO, port_of(l)));
    s = (int)REQUIRE_OK(SYS(accept4, l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    EXPECT_EQ(get(s, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(get(s, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(get(s, SOL_SOCKET, SO_RCVBUF), 40000);
    EXPECT_EQ(get(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    EXPECT_EQ(SYS(fcntl, s, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_EQ(SYS(fcntl, s, F_GETFD), FD_CLOEXEC);
}

static void *shut_later(void *arg)
{
    guest_sleep_ms(50);
    SYS(shutdown, *(int *)arg, SHUT_RDWR);
    return NULL;
}

static void *accept_one(void *arg)
{
    return (void *)SYS(accept, *(int *)arg, NULL, NULL);
}

TEST(accept_inherits_what_is_set_meanwhile, "accept setsockopt")
{
    int l = listener(1), c = tcp();
    struct sockaddr_in a = addr4(LO, port_of(l));
    void *fd;
    pthread_t th;

    REQUIRE(pthread_create(&th, NULL, accept_one, &l) == 0);
    guest_sleep_ms(20);
    EXPECT_OK(set(l, IPPROTO_TCP, TCP_NODELAY, 1));
    EXPECT_OK(SYS(connect, c, &a, sizeof(a)));
    pthread_join(th, &fd);
    EXPECT_EQ(get((int)(long)fd, IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST(accept_shutdown_by_another, "accept:EINVAL shutdown")
{
    int l = listener(1);
    pthread_t th;

    pthread_create(&th, NULL, shut_later, &l);
    EXPECT_ERRNO(SYS(accept, l, NULL, NULL), EINVAL);
    pthread_join(th, NULL);
    EXPECT_OK(SYS(listen, l, 1));
}

TEST(listener_closed, "close")
{
    int l = listener(4), c = tcp();
    char b;

    EXPECT_OK(connect_to(c, LO, port_of(l)));
    EXPECT_OK(SYS(close, l));
    EXPECT_ERRNO(SYS(read, c, &b, 1), ECONNRESET);
}

/* --- data --- */

TEST(data_both_ways, "sendto recvfrom read write readv writev")
{
    struct pair p = connected();
    struct iovec iov[2] = {{.iov_base = (void *)"ab", .iov_len = 2},
                           {.iov_base = (void *)"cd", .iov_len = 2}};
    char buf[8];

    send_text(p.c, "hello");
    expect_text(p.s, "hello");
    EXPECT_EQ(SYS(writev, p.s, iov, 2), 4);
    expect_text(p.c, "abcd");
    send_text(p.c, "one");
    send_text(p.c, "two");
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 6, MSG_WAITALL, NULL, NULL), 6);
    EXPECT_MEMEQ(buf, "onetwo", 6);
    EXPECT_EQ(SYS(write, p.c, "", 0), 0);
}

TEST(data_flags, "recvfrom")
{
    struct pair p = connected();
    char buf[16];

    EXPECT_ERRNO(SYS(recvfrom, p.s, buf, 4, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    send_text(p.c, "abcdef");
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 16, MSG_PEEK, NULL, NULL), 6);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 4, MSG_PEEK, NULL, NULL), 4);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 2, 0, NULL, NULL), 2);
    EXPECT_MEMEQ(buf, "ab", 2);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 2, MSG_TRUNC, NULL, NULL), 2);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 16, 0, NULL, NULL), 2);
    EXPECT_MEMEQ(buf, "ef", 2);
}

struct later {
    int fd;
    const char *text;
    int times;
};

static void *send_later(void *arg)
{
    struct later *l = arg;

    for (int i = 0; i < l->times; i++) {
        guest_sleep_ms(20);
        SYS(write, l->fd, l->text, strlen(l->text));
    }
    return NULL;
}

TEST(data_waitall, "recvfrom")
{
    struct pair p = connected();
    struct later l = {p.c, "abc", 3};
    char buf[16];
    pthread_t th;

    pthread_create(&th, NULL, send_later, &l);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 9, MSG_WAITALL, NULL, NULL), 9);
    pthread_join(th, NULL);
    EXPECT_MEMEQ(buf, "abcabcabc", 9);
}

TEST(data_rcvlowat, "recvfrom poll")
{
    struct pair p = connected();

    EXPECT_OK(set(p.s, SOL_SOCKET, SO_RCVLOWAT, 5));
    send_text(p.c, "abc");
    EXPECT_EQ(events_of(p.s, 50) & POLLIN, 0);
    send_text(p.c, "de");
    EXPECT_EQ(events_of(p.s, 1000) & POLLIN, POLLIN);
    expect_text(p.s, "abcde");
}

TEST(data_bad_pointers, "recvfrom:EFAULT sendto:EFAULT")
{
    struct pair p = connected();
    char *bad = guest_bad_page();

    EXPECT_ERRNO(SYS(sendto, p.c, bad, 8, 0, NULL, 0), EFAULT);
    send_text(p.c, "keep");
    EXPECT_ERRNO(SYS(recvfrom, p.s, bad, 4, 0, NULL, NULL), EFAULT);
    expect_text(p.s, "keep");
}

TEST(data_interrupted, "recvfrom:EINTR sendto:EINTR")
{
    struct pair p = connected();
    char buf[65536] = {0};
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(recvfrom, p.s, buf, 1, 0, NULL, NULL), EINTR);
    guest_end(pest);
    while (SYS(sendto, p.c, buf, sizeof(buf), MSG_DONTWAIT, NULL, 0) > 0)
        ;
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(sendto, p.c, buf, sizeof(buf), 0, NULL, 0), EINTR);
    guest_end(pest);
}

TEST(data_restarted, "recvfrom")
{
    struct pair p = connected();
    struct later l = {p.c, "x", 1};
    pthread_t th;
    pid_t pest;
    char c;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 5);
    guest_sleep_ms(30);
    pthread_create(&th, NULL, send_later, &l);
    EXPECT_EQ(SYS(recvfrom, p.s, &c, 1, 0, NULL, NULL), 1);
    guest_end(pest);
    pthread_join(th, NULL);
    EXPECT_GT(guest_signals, 0);
}

TEST(back_pressure, "sendto poll ioctl")
{
    struct pair p = connected();
    static char buf[65536];
    long sent = 0, got = 0, n;
    int inq = 0, outq = 0;

    nonblock(p.c);
    while ((n = SYS(write, p.c, buf, sizeof(buf))) > 0)
        sent += n;
    EXPECT_EQ(n, -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GT(sent, 65536);
    EXPECT_EQ(events_of(p.c, 0), 0);
    EXPECT_OK(SYS(ioctl, p.s, FIONREAD, &inq));
    EXPECT_OK(SYS(ioctl, p.c, SIOCOUTQ, &outq));
    EXPECT_GT(inq, 0);
    EXPECT_GT(outq, 0);
    nonblock(p.s);
    while ((n = SYS(read, p.s, buf, sizeof(buf))) > 0 || got < sent) {
        if (n > 0)
            got += n;
        else
            guest_sleep_ms(1);
    }
    EXPECT_EQ(got, sent);
    WAIT_UNTIL(events_of(p.c, 100) & POLLOUT);
}

TEST(buffer_sizes, "setsockopt getsockopt")
{
    int fd = tcp(), l = tcp(), s;
    static char buf[65536];
    long sent = 0, n;

    EXPECT_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 16384);
    EXPECT_OK(set(fd, SOL_SOCKET, SO_SNDBUF, 8192));
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 16384);
    EXPECT_OK(set(l, SOL_SOCKET, SO_RCVBUF, 8192));
    EXPECT_OK(SYS(listen, l, 1));
    EXPECT_OK(connect_to(fd, LO, port_of(l)));
    s = (int)REQUIRE_OK(SYS(accept, l, NULL, NULL));
    EXPECT_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 16384);
    nonblock(fd);
    while ((n = SYS(write, fd, buf, 1000)) > 0)
        sent += n;
    EXPECT_LT(sent, 131072);
    EXPECT_EQ(SYS(read, s, buf, 1000), 1000);
}

static void *stream_bytes(void *arg)
{
    static char buf[100000];
    int fd = *(int *)arg;
    unsigned char v = 0;

    for (int i = 0; i < 100; i++) {
        for (size_t j = 0; j < sizeof(buf); j++)
            buf[j] = (char)v++;
        EXPECT_EQ(SYS(write, fd, buf, sizeof(buf)), sizeof(buf));
    }
    EXPECT_OK(SYS(shutdown, fd, SHUT_WR));
    return NULL;
}

TEST(stream_in_order, "read write shutdown")
{
    struct pair p = connected();
    static unsigned char buf[33333];
    unsigned char v = 0;
    long total = 0, n;
    bool right = true;
    pthread_t th;

    pthread_create(&th, NULL, stream_bytes, &p.c);
    while ((n = SYS(read, p.s, buf, sizeof(buf))) > 0) {
        for (long i = 0; i < n; i++)
            right = right && buf[i] == v++;
        total += n;
    }
    pthread_join(th, NULL);
    EXPECT(right);
    EXPECT_EQ(total, 10000000);
}

/* --- closing --- */

TEST(shutdown_write, "shutdown")
{
    struct pair p = connected();
    char c;

    send_text(p.c, "last");
    EXPECT_OK(SYS(shutdown, p.c, SHUT_WR));
    EXPECT_ERRNO(SYS(sendto, p.c, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
    WAIT_UNTIL(state_of(p.s) == CLOSE_WAIT);
    WAIT_UNTIL(state_of(p.c) == FIN_WAIT2); /* the acknowledgement may be delayed */
    EXPECT_EQ(events_of(p.s, 0), POLLIN | POLLOUT | POLLRDHUP);
    expect_text(p.s, "last");
    EXPECT_EQ(SYS(read, p.s, &c, 1), 0);
    send_text(p.s, "answer");
    expect_text(p.c, "answer");
    EXPECT_OK(SYS(close, p.s));
    WAIT_UNTIL(state_of(p.c) == CLOSE);
    EXPECT_EQ(SYS(read, p.c, &c, 1), 0);
    EXPECT_EQ(events_of(p.c, 0), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

TEST(shutdown_read, "shutdown")
{
    struct pair p = connected();
    char c;

    EXPECT_OK(SYS(shutdown, p.s, SHUT_RD));
    EXPECT_EQ(SYS(read, p.s, &c, 1), 0);
    EXPECT_EQ(events_of(p.s, 0), POLLIN | POLLOUT | POLLRDHUP);
    send_text(p.c, "more");
    expect_text(p.s, "more");
    EXPECT_EQ(state_of(p.c), ESTABLISHED);
}

TEST(shutdown_errors, "shutdown:ENOTCONN,EINVAL,EBADF,ENOTSOCK")
{
    struct pair p = connected();

    EXPECT_ERRNO(SYS(shutdown, tcp(), SHUT_RDWR), ENOTCONN);
    EXPECT_ERRNO(SYS(shutdown, p.c, 3), EINVAL);
    EXPECT_ERRNO(SYS(shutdown, 999, 0), EBADF);
    EXPECT_ERRNO(SYS(shutdown, 0, 0), ENOTSOCK);
}

TEST(epipe_raises_sigpipe, "write:EPIPE")
{
    struct pair p = connected();

    guest_on_signal(SIGPIPE, guest_count_signal, 0);
    EXPECT_OK(SYS(shutdown, p.c, SHUT_WR));
    EXPECT_ERRNO(SYS(write, p.c, "x", 1), EPIPE);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_ERRNO(SYS(sendto, p.c, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
    EXPECT_EQ(guest_signals, 1);
}

TEST(close_unread_resets, "close read:ECONNRESET")
{
    struct pair p = connected();
    char c;

    send_text(p.c, "unread");
    WAIT_UNTIL(events_of(p.s, 100) & POLLIN);
    EXPECT_OK(SYS(close, p.s));
    WAIT_UNTIL(state_of(p.c) == CLOSE);
    EXPECT_EQ(events_of(p.c, 0), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    EXPECT_ERRNO(SYS(read, p.c, &c, 1), ECONNRESET);
    EXPECT_EQ(SYS(read, p.c, &c, 1), 0);
    EXPECT_ERRNO(SYS(sendto, p.c, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
}

TEST(write_to_closed, "write:EPIPE")
{
    struct pair p = connected();
    char c;

    EXPECT_OK(SYS(close, p.s));
    WAIT_UNTIL(state_of(p.c) == CLOSE_WAIT);
    EXPECT_EQ(SYS(sendto, p.c, "x", 1, MSG_NOSIGNAL, NULL, 0), 1);
    WAIT_UNTIL(state_of(p.c) == CLOSE);
    EXPECT_ERRNO(SYS(sendto, p.c, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
    EXPECT_EQ(SYS(read, p.c, &c, 1), 0);
}

TEST(linger_zero_resets, "close")
{
    struct pair p = connected();
    struct linger l = {.l_onoff = 1, .l_linger = 0};
    char buf[8];

    send_text(p.c, "data");
    EXPECT_OK(SYS(setsockopt, p.c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    WAIT_UNTIL(events_of(p.s, 100) & POLLIN);
    EXPECT_OK(SYS(close, p.c));
    WAIT_UNTIL(events_of(p.s, 100) & POLLERR);
    EXPECT_EQ(SYS(read, p.s, buf, 8), 4); /* what had come in is still there */
    EXPECT_ERRNO(SYS(read, p.s, buf, 8), ECONNRESET);
}

TEST(linger_waits, "close")
{
    struct pair p = connected();
    struct linger l = {.l_onoff = 1, .l_linger = 1};
    static char buf[65536];
    int64_t start;

    EXPECT_OK(SYS(setsockopt, p.c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    while (SYS(sendto, p.c, buf, sizeof(buf), MSG_DONTWAIT, NULL, 0) > 0)
        ;
    start = guest_now_ns();
    EXPECT_OK(SYS(close, p.c));
    EXPECT_GE(guest_now_ns() - start, 900000000);
}

/* half_closed() - does /proc/net/tcp list an end in FIN_WAIT2 whose peer has this port? */
static bool half_closed(int port)
{
    static char text[200000];
    char part[64];

    snprintf(part, sizeof(part), " 0100007F:%04X 05 ", port);
    REQUIRE(guest_slurp("/proc/self/net/tcp", text, sizeof(text)) > 0);
    return strstr(text, part) != NULL;
}

TEST(linger2_ends_the_half_close, "setsockopt close")
{
    struct pair p = connected();
    int port = port_of(p.l);
    int64_t start = guest_now_ns();

    EXPECT_OK(set(p.c, IPPROTO_TCP, TCP_LINGER2, 1));
    EXPECT_OK(SYS(close, p.c));
    WAIT_UNTIL(half_closed(port) || guest_now_ns() - start > 900000000);
    WAIT_UNTIL(!half_closed(port));
    EXPECT_GE(guest_now_ns() - start, 500000000);
}

TEST(linger2_negative_resets, "setsockopt close sendto:EPIPE")
{
    struct pair p = connected();
    char buf[8];

    EXPECT_OK(set(p.c, IPPROTO_TCP, TCP_LINGER2, -1));
    send_text(p.c, "abc");
    EXPECT_OK(SYS(close, p.c));
    WAIT_UNTIL(state_of(p.s) == CLOSE);
    EXPECT_EQ(SYS(read, p.s, buf, 8), 3); /* what came first is still there, and so is the end */
    EXPECT_EQ(SYS(read, p.s, buf, 8), 0);
    EXPECT_ERRNO(SYS(sendto, p.s, "x", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
}

TEST(time_wait_holds_the_port, "bind:EADDRINUSE")
{
    struct pair p = connected();
    int port = port_of(p.l), fd = tcp();
    char c;

    EXPECT_OK(SYS(close, p.s)); /* the server closes first: TIME_WAIT is its */
    EXPECT_EQ(SYS(read, p.c, &c, 1), 0);
    EXPECT_OK(SYS(close, p.c));
    EXPECT_OK(SYS(close, p.l));
    guest_sleep_ms(20);
    EXPECT_ERRNO(bind_to(fd, LO, port), EADDRINUSE);
    EXPECT_OK(set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_ERRNO(bind_to(fd, LO, port), EADDRINUSE); /* those that wait did not say so */
}

TEST(time_wait_reuse, "bind")
{
    int l = tcp(), c = tcp(), s, port, fd = tcp();
    char b;

    EXPECT_OK(set(l, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_OK(bind_to(l, LO, 0));
    EXPECT_OK(SYS(listen, l, 4));
    port = port_of(l);
    EXPECT_OK(connect_to(c, LO, port));
    s = (int)REQUIRE_OK(SYS(accept, l, NULL, NULL));
    EXPECT_OK(SYS(close, s));
    EXPECT_EQ(SYS(read, c, &b, 1), 0);
    EXPECT_OK(SYS(close, c));
    EXPECT_OK(SYS(close, l));
    EXPECT_ERRNO(bind_to(tcp(), LO, port), EADDRINUSE);
    EXPECT_OK(set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_OK(bind_to(fd, LO, port));
    EXPECT_OK(SYS(listen, fd, 4));
}

static void *read_one(void *arg)
{
    char c;
    long n = SYS(read, *(int *)arg, &c, 1);

    return (void *)n;
}

TEST(read_ends_by_shutdown, "shutdown read")
{
    struct pair p = connected();
    void *result;
    pthread_t th;

    pthread_create(&th, NULL, read_one, &p.s);
    guest_sleep_ms(30);
    EXPECT_OK(SYS(shutdown, p.s, SHUT_RD));
    pthread_join(th, &result);
    EXPECT_EQ((long)result, 0);
    pthread_create(&th, NULL, read_one, &p.c);
    guest_sleep_ms(30);
    EXPECT_OK(SYS(shutdown, p.s, SHUT_WR));
    pthread_join(th, &result);
    EXPECT_EQ((long)result, 0);
}

/* --- urgent data --- */

TEST(urgent_byte, "recvfrom ioctl recvfrom:EINVAL")
{
    struct pair p = connected();
    char buf[8] = {0};
    int mark = -1;

    EXPECT_ERRNO(SYS(recvfrom, p.s, buf, 1, MSG_OOB, NULL, NULL), EINVAL);
    send_text(p.c, "ab");
    EXPECT_EQ(SYS(sendto, p.c, "!", 1, MSG_OOB, NULL, 0), 1);
    send_text(p.c, "cd");
    WAIT_UNTIL(events_of(p.s, 100) & POLLPRI);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 8, 0, NULL, NULL), 2); /* stops at the mark */
    EXPECT_MEMEQ(buf, "ab", 2);
    EXPECT_OK(SYS(ioctl, p.s, SIOCATMARK, &mark));
    EXPECT_EQ(mark, 1);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 1, MSG_OOB | MSG_PEEK, NULL, NULL), 1);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 1, MSG_OOB, NULL, NULL), 1);
    EXPECT_EQ(buf[0], '!');
    EXPECT_ERRNO(SYS(recvfrom, p.s, buf, 1, MSG_OOB, NULL, NULL), EINVAL);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 8, 0, NULL, NULL), 2);
    EXPECT_MEMEQ(buf, "cd", 2);
    EXPECT_OK(SYS(ioctl, p.s, SIOCATMARK, &mark));
    EXPECT_EQ(mark, 0);
}

TEST(urgent_inline, "recvfrom")
{
    struct pair p = connected();
    char buf[8] = {0};

    EXPECT_OK(set(p.s, SOL_SOCKET, SO_OOBINLINE, 1));
    EXPECT_EQ(SYS(sendto, p.c, "x!", 2, MSG_OOB, NULL, 0), 2);
    WAIT_UNTIL(events_of(p.s, 100) & POLLIN);
    EXPECT_ERRNO(SYS(recvfrom, p.s, buf, 1, MSG_OOB, NULL, NULL), EINVAL);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 8, 0, NULL, NULL), 1);
    EXPECT_EQ(SYS(recvfrom, p.s, buf, 8, 0, NULL, NULL), 1);
    EXPECT_EQ(buf[0], '!');
}

/* --- readiness --- */

TEST(poll_fresh, "poll")
{
    struct pair p = connected();

    EXPECT_EQ(events_of(tcp(), 0), POLLOUT | POLLHUP);
    EXPECT_EQ(events_of(p.c, 0), POLLOUT);
    EXPECT_EQ(events_of(p.l, 0), 0);
}

TEST(epoll_edges, "epoll_wait")
{
    struct pair p = connected();
    int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
    char buf[16];

    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, p.s, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
    send_text(p.c, "a");
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 1000), 1);
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
    send_text(p.c, "b"); /* more, though the first is unread */
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 1000), 1);
    EXPECT_EQ(SYS(read, p.s, buf, 16), 2);
    EXPECT_OK(SYS(shutdown, p.c, SHUT_WR));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 1000), 1);
    EXPECT_EQ(ev.events, EPOLLIN | EPOLLRDHUP);
}

/* --- options --- */

TEST(tcp_options, "setsockopt getsockopt setsockopt:EINVAL,ENOPROTOOPT")
{
    int fd = tcp();
    char name[16] = {0};
    socklen_t len = sizeof(name);

    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    EXPECT_OK(set(fd, IPPROTO_TCP, TCP_NODELAY, 5));
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_KEEPINTVL), 75);
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
    EXPECT_OK(set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10));
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 10);
    EXPECT_ERRNO(set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
    EXPECT_ERRNO(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 200), EINVAL);
    EXPECT_OK(set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000));
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 1000);
    EXPECT_ERRNO(set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
    EXPECT_OK(set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5));
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 7);
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
    EXPECT_ERRNO(set(fd, IPPROTO_TCP, TCP_MAXSEG, 10), EINVAL);
    EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_LINGER2), 60);
    EXPECT_OK(SYS(setsockopt, fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    EXPECT_OK(SYS(getsockopt, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    EXPECT_STREQ(name, "reno");
    EXPECT_ERRNO(SYS(setsockopt, fd, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6), ENOENT);
    EXPECT_ERRNO(set(fd, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
    EXPECT_ERRNO(SYS(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, name, 2), EINVAL);
}

TEST(ip_options, "setsockopt getsockopt")
{
    int fd = tcp();
    unsigned char byte = 0;
    socklen_t len = 1;

    EXPECT_EQ(get(fd, IPPROTO_IP, IP_TTL), 64);
    EXPECT_OK(set(fd, IPPROTO_IP, IP_TTL, 10));
    EXPECT_EQ(get(fd, IPPROTO_IP, IP_TTL), 10);
    EXPECT_ERRNO(set(fd, IPPROTO_IP, IP_TTL, 0), EINVAL);
    EXPECT_ERRNO(set(fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
    EXPECT_OK(set(fd, IPPROTO_IP, IP_TTL, -1));
    EXPECT_EQ(get(fd, IPPROTO_IP, IP_TTL), 64);
    EXPECT_OK(SYS(getsockopt, fd, IPPROTO_IP, IP_TTL, &byte, &len));
    EXPECT_EQ(byte, 64);
    EXPECT_OK(set(fd, IPPROTO_IP, IP_TOS, 0x10));
    EXPECT_EQ(get(fd, IPPROTO_IP, IP_TOS), 0x10);
    EXPECT_ERRNO(set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1), EINVAL);
    EXPECT_ERRNO(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    EXPECT_ERRNO(set(fd, IPPROTO_IP, 9999, 1), ENOPROTOOPT);
}

TEST(getpeername_errors, "getpeername getpeername:ENOTCONN,EBADF,ENOTSOCK,EINVAL")
{
    struct pair p = connected();
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    EXPECT_OK(SYS(getpeername, p.c, &a, &len));
    EXPECT_EQ(ntohs(a.sin_port), port_of(p.l));
    EXPECT_ERRNO(SYS(getpeername, tcp(), &a, &len), ENOTCONN);
    EXPECT_ERRNO(SYS(getpeername, p.l, &a, &len), ENOTCONN);
    EXPECT_ERRNO(SYS(getpeername, 999, &a, &len), EBADF);
    EXPECT_ERRNO(SYS(getpeername, 0, &a, &len), ENOTSOCK);
    len = (socklen_t)-1;
    EXPECT_ERRNO(SYS(getpeername, p.c, &a, &len), EINVAL);
}

TEST(sendfile_to_socket, "sendfile")
{
    struct pair p = connected();
    int fd;

    guest_scratch();
    guest_make_file("f", "file content");
    fd = (int)REQUIRE_OK(SYS(open, "f", O_RDONLY));
    EXPECT_EQ(SYS(sendfile, p.c, fd, NULL, 100), 12);
    expect_text(p.s, "file content");
}

TEST(read_unconnected, "read:ENOTCONN write:EPIPE")
{
    char c;

    guest_on_signal(SIGPIPE, guest_count_signal, 0);
    EXPECT_ERRNO(SYS(read, tcp(), &c, 1), ENOTCONN);
    EXPECT_ERRNO(SYS(write, tcp(), &c, 1), EPIPE);
    EXPECT_ERRNO(SYS(sendto, tcp(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0), EPIPE);
}

TEST(interface_ioctls, "ioctl ioctl:ENODEV")
{
    int fd = tcp();
    struct ifreq r = {0};

    memcpy(r.ifr_name, "lo", 3);
    EXPECT_OK(SYS(ioctl, fd, SIOCGIFINDEX, &r));
    EXPECT_EQ(r.ifr_ifindex, 1);
    EXPECT_OK(SYS(ioctl, fd, SIOCGIFFLAGS, &r));
    EXPECT_EQ(r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    EXPECT_OK(SYS(ioctl, fd, SIOCGIFADDR, &r));
    EXPECT_EQ(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr, htonl(LO));
    EXPECT_OK(SYS(ioctl, fd, SIOCGIFMTU, &r));
    EXPECT_EQ(r.ifr_mtu, 65536);
    memcpy(r.ifr_name, "nosuch", 7);
    EXPECT_ERRNO(SYS(ioctl, fd, SIOCGIFFLAGS, &r), ENODEV);
}

TEST(proc_lists_it, "listen")
{
    static char text[200000];
    char line[64];
    int l = listener(3);

    EXPECT_GT(guest_slurp("/proc/self/net/tcp", text, sizeof(text)), 0);
    snprintf(line, sizeof(line), ": 0100007F:%04X 00000000:0000 0A ", port_of(l));
    EXPECT(strstr(text, line) != NULL);
    EXPECT_GT(guest_slurp("/proc/self/net/dev", text, sizeof(text)), 0);
    EXPECT(strstr(text, "    lo: ") != NULL);
}

/* --- many --- */

static volatile bool stop;

static void *serve(void *arg)
{
    int l = *(int *)arg, fd;
    char buf[64];

    while (!stop) {
        fd = (int)SYS(accept, l, NULL, NULL);
        if (fd < 0)
            break;
        long n = SYS(read, fd, buf, sizeof(buf));

        if (n > 0)
            SYS(write, fd, buf, n);
        SYS(close, fd);
    }
    return NULL;
}

TEST(many_connections, "connect accept")
{
    int l = listener(16);
    pthread_t th[2];
    char buf[8];

    for (int i = 0; i < 2; i++)
        pthread_create(&th[i], NULL, serve, &l);
    for (int i = 0; i < 500; i++) {
        int fd = tcp();

        EXPECT_OK(connect_to(fd, LO, port_of(l)));
        EXPECT_EQ(SYS(write, fd, "ping", 4), 4);
        EXPECT_EQ(SYS(read, fd, buf, 8), 4);
        EXPECT_EQ(SYS(read, fd, buf, 8), 0);
        EXPECT_OK(SYS(close, fd));
    }
    stop = true;
    EXPECT_OK(SYS(shutdown, l, SHUT_RDWR));
    for (int i = 0; i < 2; i++)
        pthread_join(th[i], NULL);
}

struct closing {
    int from;
    _Atomic(int) *go;
};

enum { CLOSED_AT_ONCE = 100 };

static void *close_at_once(void *arg)
{
    struct closing *c = arg;

    --*c->go;
    while (*c->go > 0)
        continue;
    EXPECT_OK(SYS(close_range, c->from, c->from + CLOSED_AT_ONCE - 1, 0));
    return NULL;
}

/* Last, as many of them wait then for some time. A checked sandbox looks that nothing is left. */
TEST(ends_close_at_once, "close_range")
{
    NEEDS(close_range);
    for (int round = 0; round < 3; round++) {
        int l = listener(8);
        _Atomic(int) go = 2;
        struct closing ends[2] = {{300, &go}, {600, &go}};
        pthread_t th;

        for (int i = 0; i < CLOSED_AT_ONCE; i++) {
            int c = tcp(), s;

            REQUIRE_OK(connect_to(c, LO, port_of(l)));
            s = (int)REQUIRE_OK(SYS(accept4, l, NULL, NULL, 0));
            REQUIRE_OK(dup2(c, ends[0].from + i));
            REQUIRE_OK(dup2(s, ends[1].from + i));
            close(c);
            close(s);
        }
        close(l);
        REQUIRE(pthread_create(&th, NULL, close_at_once, &ends[0]) == 0);
        close_at_once(&ends[1]);
        pthread_join(th, NULL);
    }
}
