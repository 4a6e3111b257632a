/*
 * One thread sleeps in a call on a socket, another ends what it waits for: by shutting the socket down, closing
 * or shutting its peer, closing the descriptor, or killing the process. What is so remains so: whichever comes
 * first, the call's result is the same, so no test waits for the sleep. On each family.
 */
#include "tests/guest/guest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum kind { UNIX_STREAM, UNIX_SEQPACKET, UNIX_DGRAM, TCP4, TCP6, UDP4, KINDS };

static const char *const kind_names[] = {"unix stream", "unix seqpacket", "unix dgram", "tcp", "tcp6", "udp"};

/* --- pairs and listeners of each kind --- */

struct name {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM};

static int make(enum kind k, struct name *bound)
{
    static int number;
    int family = k <= UNIX_DGRAM ? AF_UNIX : k == TCP6 ? AF_INET6 : AF_INET;
    int fd = (int)REQUIRE_OK(SYS(socket, family, types[k], 0));

    if (!bound)
        return fd;
    memset(bound, 0, sizeof(*bound));
    bound->any.sa_family = (sa_family_t)family;
    bound->len = sizeof(bound->in);
    if (family == AF_UNIX) {
        bound->len = (socklen_t)(3 + snprintf(bound->un.sun_path + 1, 64, "races %d %d", getpid(), number++));
    } else if (family == AF_INET) {
        bound->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        bound->in6.sin6_addr = in6addr_loopback;
        bound->len = sizeof(bound->in6);
    }
    REQUIRE_OK(SYS(bind, fd, bound, bound->len));
    REQUIRE_OK(SYS(getsockname, fd, bound, &bound->len));
    return fd;
}

static void make_pair(enum kind k, int fd[2])
{
    struct name a, b;

    if (k <= UNIX_DGRAM) {
        REQUIRE_OK(SYS(socketpair, AF_UNIX, types[k], 0, fd));
    } else if (k == UDP4) {
        fd[0] = make(k, &a);
        fd[1] = make(k, &b);
        REQUIRE_OK(SYS(connect, fd[0], &b, b.len));
        REQUIRE_OK(SYS(connect, fd[1], &a, a.len));
    } else {
        int l = make(k, &a);

        REQUIRE_OK(SYS(listen, l, 1));
        fd[1] = make(k, NULL);
        REQUIRE_OK(SYS(connect, fd[1], &a, a.len));
        fd[0] = (int)REQUIRE_OK(SYS(accept, l, NULL, NULL));
        SYS(close, l);
    }
}

/* --- who sleeps --- */

struct sleeper {
    long (*call)(int fd);
    int fd;
    volatile int tid; /* once it is about to call */
    long result;      /* or -errno */
};

static long do_read(int fd)
{
    char c;

    return SYS(read, fd, &c, 1);
}

/* do_write() - until there is no room, and on until it fails */
static long do_write(int fd)
{
    static const char block[4096];
    long n;

    do
        n = SYS(sendto, fd, block, sizeof(block), MSG_NOSIGNAL, NULL, 0);
    while (n > 0);
    return n;
}

/* do_poll() - until it is shut or has an error; then whether that is so for both directions */
static long do_poll(int fd)
{
    struct pollfd p = {fd, POLLRDHUP, 0};
    long n = SYS(poll, &p, 1, -1);

    return n == 1 ? p.revents & (POLLRDHUP | POLLHUP) : n;
}

static long do_epoll(int fd)
{
    struct epoll_event ev = {EPOLLRDHUP | EPOLLET, {0}}, got;
    int ep = (int)SYS(epoll_create1, 0);
    long n;

    if (SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev) < 0)
        return -1;
    do
        n = SYS(epoll_wait, ep, &got, 1, -1);
    while (n == 1 && !(got.events & (EPOLLRDHUP | EPOLLHUP)));
    SYS(close, ep);
    return n == 1 ? (long)(got.events & (EPOLLRDHUP | EPOLLHUP)) : n;
}

static long do_accept(int fd)
{
    return SYS(accept, fd, NULL, NULL) >= 0 ? 0 : -1;
}

static struct name target; /* of do_connect() */

static long do_connect(int fd)
{
    return SYS(connect, fd, &target, target.len);
}

static void *sleep_in(void *arg)
{
    struct sleeper *s = arg;

    s->tid = (int)SYS(gettid);
    s->result = s->call(s->fd);
    if (s->result < 0)
        s->result = -errno;
    return NULL;
}

/* --- who ends it --- */

static void shut_own(int fd[])
{
    SYS(shutdown, fd[0], SHUT_RDWR);
}

static void close_peer(int fd[])
{
    SYS(close, fd[1]);
    fd[1] = -1;
}

static void shut_peer(int fd[])
{
    SYS(shutdown, fd[1], SHUT_WR);
}

static void delay(int round)
{
    if (round % 4)
        guest_sleep_ms((unsigned)(round % 4) * (unsigned)(round % 4));
}

/* outcome() - of a call on one end of a pair that another thread ends */
static long outcome(enum kind k, long (*call)(int fd), void (*end)(int fd[]), int round)
{
    struct sleeper s = {.call = call};
    pthread_t th;
    int fd[2];

    make_pair(k, fd);
    s.fd = fd[0];
    REQUIRE(pthread_create(&th, NULL, sleep_in, &s) == 0);
    delay(round);
    end(fd);
    pthread_join(th, NULL);
    SYS(close, fd[0]);
    if (fd[1] >= 0)
        SYS(close, fd[1]);
    return s.result;
}

/* expect() - the same outcome, whenever the end comes; `other` may be another, as timing has it */
static void expect(enum kind k, const char *what, long (*call)(int fd), void (*end)(int fd[]), long want,
                   long other)
{
    for (int round = 0; round < 8; round++) {
        long got = outcome(k, call, end, round);

        guest_check(got == want || got == other, __FILE__, __LINE__, "%s: %s: %ld, not %ld", kind_names[k], what,
                    got, want);
    }
}

enum { HUP = POLLRDHUP | POLLHUP };

TEST(shutdown_ends_calls, "shutdown read poll epoll_wait sendto:EPIPE")
{
    for (enum kind k = 0; k < KINDS; k++) {
        expect(k, "read, shutdown", do_read, shut_own, 0, 0);
        if (k != UDP4) /* which never waits for room */
            expect(k, "write, shutdown", do_write, shut_own, -EPIPE, -EPIPE);
        expect(k, "poll, shutdown", do_poll, shut_own, HUP, HUP);
        expect(k, "epoll, shutdown", do_epoll, shut_own, HUP, HUP);
    }
}

TEST(peer_closes, "close read poll epoll_wait sendto:EPIPE,ECONNRESET")
{
    for (enum kind k = 0; k < UDP4; k++) {
        if (k == UNIX_DGRAM)
            continue; /* a datagram socket waits for others than its peer */
        expect(k, "read, close", do_read, close_peer, 0, 0);
        expect(k, "write, close", do_write, close_peer, -ECONNRESET, -EPIPE);
        expect(k, "poll, close", do_poll, close_peer, k >= TCP4 ? POLLRDHUP : HUP, HUP);
        expect(k, "epoll, close", do_epoll, close_peer, k >= TCP4 ? POLLRDHUP : HUP, HUP);
    }
    expect(UNIX_DGRAM, "write, close", do_write, close_peer, -ECONNREFUSED, -ECONNREFUSED);
}

TEST(peer_shuts, "shutdown read poll epoll_wait")
{
    for (enum kind k = 0; k < UDP4; k++) {
        if (k == UNIX_DGRAM)
            continue;
        expect(k, "read, half", do_read, shut_peer, 0, 0);
        expect(k, "poll, half", do_poll, shut_peer, POLLRDHUP, POLLRDHUP);
        expect(k, "epoll, half", do_epoll, shut_peer, POLLRDHUP, POLLRDHUP);
    }
}

/* sleeps() - is the thread in its call? */
static bool sleeps(const struct sleeper *s)
{
    char path[64], text[512];
    const char *at;

    if (!s->tid)
        return false;
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", s->tid);
    REQUIRE(guest_slurp(path, text, sizeof(text)) > 0);
    at = strrchr(text, ')');
    return at && at[2] == 'S';
}

/* A descriptor that is closed is a file that stays while a call is in it. */
TEST(close_does_not_wake, "close read")
{
    for (enum kind k = 0; k < KINDS; k++) {
        struct sleeper s = {.call = do_read};
        pthread_t th;
        int fd[2];

        make_pair(k, fd);
        s.fd = fd[0];
        REQUIRE(pthread_create(&th, NULL, sleep_in, &s) == 0);
        WAIT_UNTIL(sleeps(&s));
        EXPECT_OK(SYS(close, fd[0]));
        guest_sleep_ms(5);
        EXPECT_EQ(SYS(write, fd[1], "x", 1), 1);
        pthread_join(th, NULL);
        guest_check(s.result == 1, __FILE__, __LINE__, "%s: %ld", kind_names[k], s.result);
        SYS(close, fd[1]);
    }
}

TEST(kill_ends_calls, "kill read accept")
{
    static long (*const calls[])(int fd) = {do_read, do_write, do_poll, do_epoll};

    for (enum kind k = 0; k < UDP4; k++) {
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
            int fd[2];
            char c[4096];
            pid_t child;
            long n;

            make_pair(k, fd);
            child = guest_fork();
            if (child == 0) {
                SYS(close, fd[1]);
                calls[i](fd[0]);
                _exit(1);
            }
            SYS(close, fd[0]);
            delay((int)i);
            EXPECT_OK(SYS(kill, child, SIGKILL));
            EXPECT_EQ(guest_wait(child), SIGKILL);
            if (k == UNIX_DGRAM) {
                EXPECT_ERRNO(SYS(sendto, fd[1], "x", 1, MSG_NOSIGNAL, NULL, 0), ECONNREFUSED);
            } else {
                while ((n = SYS(read, fd[1], c, sizeof(c))) > 0)
                    ;
                EXPECT_EQ(n, 0);
            }
            SYS(close, fd[1]);
        }
    }
}

static const enum kind listeners[] = {UNIX_STREAM, UNIX_SEQPACKET, TCP4, TCP6};

TEST(accept_ends, "accept:EINVAL shutdown kill")
{
    for (size_t i = 0; i < 4; i++) {
        for (int round = 0; round < 8; round++) {
            struct sleeper s = {.call = do_accept};
            struct name a;
            pthread_t th;
            pid_t child;

            s.fd = make(listeners[i], &a);
            REQUIRE_OK(SYS(listen, s.fd, 1));
            REQUIRE(pthread_create(&th, NULL, sleep_in, &s) == 0);
            delay(round);
            EXPECT_OK(SYS(shutdown, s.fd, SHUT_RDWR));
            pthread_join(th, NULL);
            EXPECT_EQ(s.result, -EINVAL);
            SYS(close, s.fd);
            s.fd = make(listeners[i], &a);
            REQUIRE_OK(SYS(listen, s.fd, 1));
            child = guest_fork();
            if (child == 0)
                _exit(do_accept(s.fd) == 0);
            SYS(close, s.fd);
            delay(round);
            EXPECT_OK(SYS(kill, child, SIGKILL));
            EXPECT_EQ(guest_wait(child), SIGKILL);
            s.fd = make(listeners[i], NULL);
            EXPECT_ERRNO(SYS(connect, s.fd, &a, a.len), ECONNREFUSED);
            SYS(close, s.fd);
        }
    }
}

/* fill() - a listener, `target`, that has no room for a further connection. Return: the listener */
static int fill(enum kind k, int *client)
{
    int l = make(k, &target);

    REQUIRE_OK(SYS(listen, l, 0));
    *client = make(k, NULL);
    REQUIRE_OK(SYS(connect, *client, &target, target.len));
    return l;
}

static void make_room(int fd[])
{
    fd[2] = (int)REQUIRE_OK(SYS(accept, fd[1], NULL, NULL));
}

/* connect_outcome() - of a connect() that waits for room, `end` being done meanwhile to {it, listener} */
static long connect_outcome(enum kind k, void (*end)(int fd[]), int round)
{
    struct sleeper s = {.call = do_connect};
    int client, fd[3];
    pthread_t th;

    fd[1] = fill(k, &client);
    fd[2] = -1;
    fd[0] = s.fd = make(k, NULL);
    REQUIRE(pthread_create(&th, NULL, sleep_in, &s) == 0);
    delay(round + 1);
    end(fd);
    pthread_join(th, NULL);
    for (int i = 0; i < 3; i++)
        SYS(close, fd[i]);
    SYS(close, client);
    return s.result;
}

TEST(connect_ends, "connect:ECONNREFUSED close accept")
{
    for (size_t i = 0; i < 4; i++) {
        for (int round = 0; round < 3; round++) {
            EXPECT_EQ(connect_outcome(listeners[i], close_peer, round), -ECONNREFUSED);
            EXPECT_EQ(connect_outcome(listeners[i], make_room, round), 0);
        }
    }
}

TEST(connect_killed, "connect kill")
{
    for (size_t i = 0; i < 4; i++) {
        int client, l = fill(listeners[i], &client);
        pid_t child = guest_fork();

        if (child == 0) {
            do_connect(make(listeners[i], NULL));
            _exit(1);
        }
        guest_sleep_ms(10);
        EXPECT_OK(SYS(kill, child, SIGKILL));
        EXPECT_EQ(guest_wait(child), SIGKILL);
        EXPECT_OK(SYS(accept, l, NULL, NULL));
        SYS(close, l);
        SYS(close, client);
    }
}
