/*
 * Waiting for descriptors: poll, select, epoll and their newer forms; eventfd.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

#define KERNEL_SET_SIZE 8

static int rd, wr;

static void make_pipe(void)
{
    int ends[2];

    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    rd = ends[0];
    wr = ends[1];
}

static void put(void)
{
    REQUIRE(write(wr, "x", 1) == 1);
}

static void drain(void)
{
    char buf[64];

    while (read(rd, buf, sizeof(buf)) > 0)
        continue;
}

/* put_later() - write to the pipe from a child after so many milliseconds */
static pid_t put_later(unsigned int ms)
{
    pid_t pid;

    IN_CHILD(pid) {
        guest_sleep_ms(ms);
        put();
    }
    return pid;
}

TEST(poll_basic, "poll")
{
    struct pollfd fds[3];

    make_pipe();
    fds[0] = (struct pollfd){rd, POLLIN, 99};
    fds[1] = (struct pollfd){-5, POLLIN, 99};
    fds[2] = (struct pollfd){999, POLLIN, 99};
    EXPECT_EQ(SYS(poll, fds, 2, 0), 0);
    EXPECT_EQ(fds[0].revents, 0);
    EXPECT_EQ(fds[1].revents, 0);
    put();
    EXPECT_EQ(SYS(poll, fds, 3, -1), 2);
    EXPECT_EQ(fds[0].revents, POLLIN);
    EXPECT_EQ(fds[2].revents, POLLNVAL);
    EXPECT_EQ(SYS(poll, NULL, 0, 0), 0);
}

TEST(poll_regular_file, "poll")
{
    struct pollfd fd;

    guest_scratch();
    guest_make_file("file", "");
    fd = (struct pollfd){open("file", O_RDONLY), POLLIN | POLLOUT | POLLPRI, 0};
    EXPECT_EQ(SYS(poll, &fd, 1, 0), 1);
    EXPECT_EQ(fd.revents, POLLIN | POLLOUT);
}

TEST(poll_timeout, "poll")
{
    struct pollfd fd;
    int64_t start = guest_now_ns();

    make_pipe();
    fd = (struct pollfd){rd, POLLIN, 0};
    EXPECT_EQ(SYS(poll, &fd, 1, 50), 0);
    EXPECT_GE(guest_now_ns() - start, 50000000);
    EXPECT_EQ(SYS(poll, NULL, 0, 20), 0);
    EXPECT_GE(guest_now_ns() - start, 70000000);
}

TEST(poll_wakes, "poll")
{
    struct pollfd fd;
    pid_t pid;

    make_pipe();
    fd = (struct pollfd){rd, POLLIN, 0};
    pid = put_later(30);
    EXPECT_EQ(SYS(poll, &fd, 1, 10000), 1);
    EXPECT_EQ(fd.revents, POLLIN);
    EXPECT_CHILD_OK(pid);
}

TEST(poll_errors, "poll:EFAULT,EINVAL,EINTR")
{
    struct pollfd fd;
    struct rlimit limit;
    pid_t pest;

    make_pipe();
    fd = (struct pollfd){rd, POLLIN, 0};
    EXPECT_ERRNO(SYS(poll, (void *)8, 1, 0), EFAULT);
    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 50;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
    EXPECT_ERRNO(SYS(poll, &fd, 51, 0), EINVAL);
    EXPECT_ERRNO(SYS(poll, &fd, -1, 0), EINVAL);
    /* Never restarted once a handler ran. */
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(poll, &fd, 1, -1), EINTR);
    EXPECT_ERRNO(SYS(poll, &fd, 1, 20000), EINTR);
    guest_end(pest);
}

TEST(ppoll_mask, "ppoll ppoll:EINTR,EINVAL,EFAULT")
{
    uint64_t block = 1ull << (SIGUSR1 - 1), none = 0;
    struct timespec zero = {0, 0}, bad = {0, 1000000000}, soon = {0, 20000000};
    struct pollfd fd;

    make_pipe();
    fd = (struct pollfd){rd, POLLIN, 0};
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    REQUIRE_OK(SYS(rt_sigprocmask, SIG_BLOCK, &block, NULL, KERNEL_SET_SIZE));
    raise(SIGUSR1);
    EXPECT_EQ(SYS(ppoll, &fd, 1, &zero, NULL, 0), 0);
    EXPECT_EQ(guest_signals, 0);
    /* Unblocked for the wait alone. */
    EXPECT_ERRNO(SYS(ppoll, &fd, 1, NULL, &none, KERNEL_SET_SIZE), EINTR);
    EXPECT_EQ(guest_signals, 1);
    raise(SIGUSR1);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(SYS(ppoll, &fd, 1, &soon, &block, KERNEL_SET_SIZE), 0);
    EXPECT_ERRNO(SYS(ppoll, &fd, 1, &bad, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(ppoll, &fd, 1, &zero, &none, 4), EINVAL);
    EXPECT_ERRNO(SYS(ppoll, &fd, 1, (void *)8, NULL, 0), EFAULT);
    EXPECT_ERRNO(SYS(ppoll, &fd, 1, &zero, (void *)8, KERNEL_SET_SIZE), EFAULT);
}

TEST(ppoll_remaining, "ppoll")
{
    struct timespec timeout = {10, 0};
    struct pollfd fd;
    pid_t pid;

    make_pipe();
    fd = (struct pollfd){rd, POLLIN, 0};
    pid = put_later(50);
    EXPECT_EQ(SYS(ppoll, &fd, 1, &timeout, NULL, 0), 1);
    /* The call itself writes back what is left. */
    EXPECT_LT(timeout.tv_sec, 10);
    EXPECT_CHILD_OK(pid);
}

TEST(select_basic, "select")
{
    struct timeval zero = {0, 0}, soon = {0, 30000};
    fd_set in, out, except;
    int64_t start = guest_now_ns();

    make_pipe();
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(rd, &in);
    FD_SET(wr, &out);
    FD_SET(rd, &except);
    EXPECT_EQ(SYS(select, wr + 1, &in, &out, &except, &zero), 1);
    EXPECT(!FD_ISSET(rd, &in) && FD_ISSET(wr, &out) && !FD_ISSET(rd, &except));
    put();
    FD_SET(rd, &in);
    EXPECT_EQ(SYS(select, wr + 1, &in, &out, NULL, NULL), 2);
    EXPECT(FD_ISSET(rd, &in) && FD_ISSET(wr, &out));
    drain();
    EXPECT_EQ(SYS(select, rd + 1, &in, NULL, NULL, &soon), 0);
    EXPECT(!FD_ISSET(rd, &in));
    EXPECT_EQ(soon.tv_usec, 0);
    EXPECT_GE(guest_now_ns() - start, 30000000);
    EXPECT_EQ(SYS(select, 0, NULL, NULL, NULL, &zero), 0);
}

TEST(select_errors, "select:EBADF,EINVAL,EFAULT,EINTR")
{
    struct timeval zero = {0, 0}, bad = {-1, 0}, long_time = {20, 0};
    fd_set in;
    pid_t pest;

    make_pipe();
    FD_ZERO(&in);
    FD_SET(60, &in);
    EXPECT_ERRNO(SYS(select, 61, &in, NULL, NULL, &zero), EBADF);
    EXPECT_ERRNO(SYS(select, -1, NULL, NULL, NULL, &zero), EINVAL);
    EXPECT_ERRNO(SYS(select, 1, NULL, NULL, NULL, &bad), EINVAL);
    EXPECT_ERRNO(SYS(select, 1, (void *)8, NULL, NULL, &zero), EFAULT);
    EXPECT_ERRNO(SYS(select, 1, NULL, NULL, NULL, (void *)8), EFAULT);
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 50);
    FD_ZERO(&in);
    FD_SET(rd, &in);
    EXPECT_ERRNO(SYS(select, rd + 1, &in, NULL, NULL, &long_time), EINTR);
    EXPECT_LT(long_time.tv_sec, 20);
    /* What was asked about is unchanged after an error. */
    EXPECT(FD_ISSET(rd, &in));
    guest_end(pest);
}

TEST(select_wakes, "select")
{
    fd_set in;
    pid_t pid;

    make_pipe();
    FD_ZERO(&in);
    FD_SET(rd, &in);
    pid = put_later(30);
    EXPECT_EQ(SYS(select, rd + 1, &in, NULL, NULL, NULL), 1);
    EXPECT(FD_ISSET(rd, &in));
    EXPECT_CHILD_OK(pid);
}

TEST(pselect6_mask, "pselect6 pselect6:EINTR,EINVAL,EBADF,EFAULT")
{
    uint64_t block = 1ull << (SIGUSR1 - 1), none = 0;
    struct {
        const uint64_t *set;
        size_t size;
    } argument = {&none, KERNEL_SET_SIZE};
    struct timespec zero = {0, 0}, bad = {0, -1};
    fd_set in;

    make_pipe();
    FD_ZERO(&in);
    FD_SET(rd, &in);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    REQUIRE_OK(SYS(rt_sigprocmask, SIG_BLOCK, &block, NULL, KERNEL_SET_SIZE));
    raise(SIGUSR1);
    EXPECT_ERRNO(SYS(pselect6, rd + 1, &in, NULL, NULL, NULL, &argument), EINTR);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(SYS(pselect6, rd + 1, &in, NULL, NULL, &zero, NULL), 0);
    EXPECT_ERRNO(SYS(pselect6, rd + 1, &in, NULL, NULL, &bad, NULL), EINVAL);
    EXPECT_ERRNO(SYS(pselect6, 1, (void *)8, NULL, NULL, &zero, NULL), EFAULT);
    argument.size = 4;
    EXPECT_ERRNO(SYS(pselect6, rd + 1, &in, NULL, NULL, &zero, &argument), EINVAL);
    FD_SET(60, &in);
    EXPECT_ERRNO(SYS(pselect6, 61, &in, NULL, NULL, &zero, NULL), EBADF);
}

/* new_epoll() - an epoll descriptor that watches fd for these events, with fd as its data */
static int new_epoll(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));

    REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &event));
    return ep;
}

static long wait_now(int ep, struct epoll_event *events)
{
    memset(events, 0, 4 * sizeof(*events));
    return SYS(epoll_wait, ep, events, 4, 0);
}

TEST(epoll_level, "epoll_create1 epoll_ctl epoll_wait")
{
    struct epoll_event events[4];
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    EXPECT_EQ(wait_now(ep, events), 0);
    put();
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(wait_now(ep, events), 1);
        EXPECT_EQ(events[0].events, EPOLLIN);
        EXPECT_EQ(events[0].data.fd, rd);
    }
    drain();
    EXPECT_EQ(wait_now(ep, events), 0);
    close(wr);
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(events[0].events, EPOLLHUP);
}

TEST(epoll_edge, "epoll_ctl epoll_wait")
{
    struct epoll_event events[4];
    char byte;
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN | EPOLLET);
    put();
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(wait_now(ep, events), 0);
    put();
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(read(rd, &byte, 1), 1);
    EXPECT_EQ(wait_now(ep, events), 0);
    /* Added while there is something: told once. */
    ep = new_epoll(rd, EPOLLIN | EPOLLET);
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(wait_now(ep, events), 0);
}

TEST(epoll_oneshot, "epoll_ctl epoll_wait")
{
    struct epoll_event events[4], again = {.events = EPOLLIN | EPOLLONESHOT};
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN | EPOLLONESHOT);
    put();
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(wait_now(ep, events), 0);
    put();
    EXPECT_EQ(wait_now(ep, events), 0);
    again.data.u64 = 77;
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_MOD, rd, &again));
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_EQ(events[0].data.u64, 77);
}

TEST(epoll_modify_delete, "epoll_ctl")
{
    struct epoll_event events[4], event = {.events = EPOLLOUT, .data.u64 = 5};
    int ep;

    make_pipe();
    put();
    ep = new_epoll(rd, 0);
    EXPECT_EQ(wait_now(ep, events), 0);
    event.events = EPOLLIN;
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_MOD, rd, &event));
    EXPECT_EQ(wait_now(ep, events), 1);
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, rd, NULL));
    EXPECT_EQ(wait_now(ep, events), 0);
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, rd, &event));
    EXPECT_EQ(wait_now(ep, events), 1);
}

TEST(epoll_ctl_errors, "epoll_ctl:EEXIST,ENOENT,EPERM,EINVAL,EBADF,EFAULT,ELOOP epoll_create1:EINVAL epoll_create:EINVAL epoll_create")
{
    struct epoll_event event = {.events = EPOLLIN};
    int ep, other, file;

    guest_scratch();
    guest_make_file("file", "");
    file = (int)REQUIRE_OK(open("file", O_RDWR));
    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, rd, &event), EEXIST);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_MOD, wr, &event), ENOENT);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, wr, &event), ENOENT);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, file, &event), EPERM);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, ep, &event), EINVAL);
    EXPECT_ERRNO(SYS(epoll_ctl, rd, EPOLL_CTL_ADD, wr, &event), EINVAL);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, 99, wr, &event), EINVAL);
    EXPECT_ERRNO(SYS(epoll_ctl, -1, EPOLL_CTL_ADD, wr, &event), EBADF);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, 999, &event), EBADF);
    EXPECT_ERRNO(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, wr, (void *)8), EFAULT);
    other = (int)REQUIRE_OK(SYS(epoll_create, 1));
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, other, &event));
    EXPECT_ERRNO(SYS(epoll_ctl, other, EPOLL_CTL_ADD, ep, &event), ELOOP);
    EXPECT_ERRNO(SYS(epoll_create, 0), EINVAL);
    EXPECT_ERRNO(SYS(epoll_create1, 0x40), EINVAL);
    other = (int)EXPECT_OK(SYS(epoll_create1, EPOLL_CLOEXEC));
    EXPECT_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
}

TEST(epoll_nesting_too_deep, "epoll_ctl:EINVAL,ELOOP")
{
    struct epoll_event event = {.events = EPOLLIN};
    int last, failed = 0;

    make_pipe();
    last = new_epoll(rd, EPOLLIN);
    for (int i = 0; i < 10 && !failed; i++) {
        int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));

        if (SYS(epoll_ctl, ep, EPOLL_CTL_ADD, last, &event) < 0) {
            EXPECT(errno == EINVAL || errno == ELOOP);
            EXPECT_GE(i, 3);
            failed = 1;
        }
        last = ep;
    }
    EXPECT_EQ(failed, 1);
}

TEST(epoll_wait_thousands, "epoll_wait")
{
    enum { N = 5000 };
    static struct epoll_event events[N + 10];
    static bool seen[N];
    struct rlimit limit;
    int ep;

    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < N + 100)
        SKIP("a process may have too few descriptors here");
    limit.rlim_cur = N + 100;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
    make_pipe();
    ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    for (int i = 0; i < N; i++) {
        struct epoll_event event = {.events = EPOLLOUT, .data.fd = i};
        int fd = (int)REQUIRE_OK(dup(wr));

        REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &event));
    }
    EXPECT_EQ(SYS(epoll_wait, ep, events, N + 10, 0), N);
    for (int i = 0; i < N; i++) {
        int n = events[i].data.fd;

        REQUIRE(n >= 0 && n < N && !seen[n]);
        seen[n] = true;
    }
    EXPECT_EQ(SYS(epoll_wait, ep, events, N - 1, 0), N - 1);
}

TEST(epoll_wait_errors, "epoll_wait:EINVAL,EBADF,EFAULT,EINTR epoll_pwait:EINVAL")
{
    struct epoll_event events[4];
    uint64_t none = 0;
    pid_t pest;
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    EXPECT_ERRNO(SYS(epoll_wait, ep, events, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(epoll_wait, ep, events, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(epoll_wait, rd, events, 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(epoll_wait, -1, events, 1, 0), EBADF);
    EXPECT_ERRNO(SYS(epoll_pwait, ep, events, 1, 0, &none, 4), EINVAL);
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(epoll_wait, ep, events, 4, -1), EINTR);
    guest_end(pest);
    put();
    EXPECT_ERRNO(SYS(epoll_wait, ep, (void *)8, 1, 0), EFAULT);
    /* What could not be told is not lost. */
    EXPECT_EQ(wait_now(ep, events), 1);
}

TEST(epoll_wait_fault_keeps_events, "epoll_wait epoll_wait:EFAULT")
{
    static const unsigned kinds[] = {0, EPOLLET, EPOLLONESHOT};
    char *bad = guest_bad_page();

    for (int k = 0; k < 3; k++) {
        int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0)), fd[3];
        struct epoll_event out[4];

        for (int i = 0; i < 3; i++) {
            struct epoll_event ev = {EPOLLIN | kinds[k], {.u64 = (unsigned)i}};

            fd[i] = (int)REQUIRE_OK(SYS(eventfd2, 1, 0));
            REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd[i], &ev));
        }
        EXPECT_ERRNO(SYS(epoll_wait, ep, bad, 3, 0), EFAULT);
        EXPECT_EQ(SYS(epoll_wait, ep, bad - sizeof(out[0]), 3, 0), 1);
        EXPECT_EQ(SYS(epoll_wait, ep, out, 4, 0), kinds[k] ? 2 : 3);
        EXPECT_EQ(out[0].data.u64, 1);
        EXPECT_EQ(out[1].data.u64, 2);
        for (int i = 0; i < 3; i++)
            close(fd[i]);
        close(ep);
    }
}

TEST(epoll_wait_blocks, "epoll_wait epoll_pwait")
{
    struct epoll_event events[4];
    int64_t start = guest_now_ns();
    pid_t pid;
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    EXPECT_EQ(SYS(epoll_wait, ep, events, 4, 50), 0);
    EXPECT_GE(guest_now_ns() - start, 50000000);
    pid = put_later(30);
    EXPECT_EQ(SYS(epoll_wait, ep, events, 4, -1), 1);
    EXPECT_CHILD_OK(pid);
    drain();
    pid = put_later(30);
    EXPECT_EQ(SYS(epoll_pwait, ep, events, 4, 10000, NULL, KERNEL_SET_SIZE), 1);
    EXPECT_CHILD_OK(pid);
}

TEST(epoll_pwait_mask, "epoll_pwait:EINTR")
{
    uint64_t block = 1ull << (SIGUSR1 - 1), none = 0;
    struct epoll_event events[4];
    int ep;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    REQUIRE_OK(SYS(rt_sigprocmask, SIG_BLOCK, &block, NULL, KERNEL_SET_SIZE));
    raise(SIGUSR1);
    EXPECT_EQ(SYS(epoll_wait, ep, events, 4, 0), 0);
    EXPECT_ERRNO(SYS(epoll_pwait, ep, events, 4, -1, &none, KERNEL_SET_SIZE), EINTR);
    EXPECT_EQ(guest_signals, 1);
}

TEST(epoll_pwait2_timeout, "epoll_pwait2 epoll_pwait2:EINVAL")
{
    struct timespec soon = {0, 20000000}, bad = {0, 1000000000};
    struct epoll_event events[4];
    int64_t start = guest_now_ns();
    int ep;

    NEEDS(epoll_pwait2);
    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    EXPECT_EQ(SYS(epoll_pwait2, ep, events, 4, &soon, NULL, KERNEL_SET_SIZE), 0);
    EXPECT_GE(guest_now_ns() - start, 20000000);
    EXPECT_ERRNO(SYS(epoll_pwait2, ep, events, 4, &bad, NULL, KERNEL_SET_SIZE), EINVAL);
}

TEST(epoll_is_pollable, "epoll_ctl poll")
{
    struct epoll_event event = {.events = EPOLLIN}, events[4];
    struct pollfd fd;
    int ep, outer;

    make_pipe();
    ep = new_epoll(rd, EPOLLIN);
    fd = (struct pollfd){ep, POLLIN, 0};
    EXPECT_EQ(SYS(poll, &fd, 1, 0), 0);
    outer = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    event.data.u64 = 9;
    REQUIRE_OK(SYS(epoll_ctl, outer, EPOLL_CTL_ADD, ep, &event));
    put();
    EXPECT_EQ(SYS(poll, &fd, 1, 0), 1);
    EXPECT_EQ(wait_now(outer, events), 1);
    EXPECT_EQ(events[0].data.u64, 9);
    EXPECT_EQ(SYS(poll, &fd, 1, 0), 1);
}

TEST(epoll_forgets_closed, "epoll_ctl close dup")
{
    struct epoll_event events[4];
    int ep, copy;

    make_pipe();
    put();
    ep = new_epoll(rd, EPOLLIN);
    copy = (int)REQUIRE_OK(dup(rd));
    close(rd);
    /* The open file lives on through the copy. */
    EXPECT_EQ(wait_now(ep, events), 1);
    close(copy);
    EXPECT_EQ(wait_now(ep, events), 0);
    close(ep);
}

TEST(epoll_many, "epoll_ctl epoll_wait")
{
    struct epoll_event events[64];
    int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0)), seen = 0, fds[50];

    for (int i = 0; i < 50; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

        make_pipe();
        fds[i] = rd;
        REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, rd, &event));
        if (i % 2)
            put();
    }
    EXPECT_EQ(SYS(epoll_wait, ep, events, 64, 0), 25);
    for (int i = 0; i < 25; i++)
        EXPECT_EQ(events[i].data.u32 % 2, 1);
    /* With room for a few, all come in turn. */
    for (int i = 0; i < 9; i++) {
        long n = SYS(epoll_wait, ep, events, 3, 0);

        for (long k = 0; k < n; k++) {
            char byte;

            seen += read(fds[events[k].data.u32], &byte, 1) == 1;
        }
    }
    EXPECT_EQ(seen, 25);
}

TEST(eventfd_basic, "eventfd2 eventfd eventfd2:EINVAL read:EAGAIN,EINVAL write:EAGAIN,EINVAL")
{
    uint64_t value = 0;
    int fd = (int)REQUIRE_OK(SYS(eventfd2, 3, EFD_NONBLOCK | EFD_CLOEXEC));

    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
    EXPECT_EQ(value, 3);
    EXPECT_ERRNO(SYS(read, fd, &value, 8), EAGAIN);
    value = 5;
    EXPECT_EQ(SYS(write, fd, &value, 8), 8);
    EXPECT_EQ(SYS(write, fd, &value, 8), 8);
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
    EXPECT_EQ(value, 10);
    value = ~0ull - 1;
    EXPECT_EQ(SYS(write, fd, &value, 8), 8);
    value = 1;
    EXPECT_ERRNO(SYS(write, fd, &value, 8), EAGAIN);
    value = ~0ull;
    EXPECT_ERRNO(SYS(write, fd, &value, 8), EINVAL);
    EXPECT_ERRNO(SYS(read, fd, &value, 4), EINVAL);
    EXPECT_ERRNO(SYS(eventfd2, 0, 0x40), EINVAL);
    fd = (int)EXPECT_OK(SYS(eventfd, 1));
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
}

TEST(eventfd_semaphore, "eventfd2 poll")
{
    uint64_t value = 0;
    int fd = (int)REQUIRE_OK(SYS(eventfd2, 2, EFD_NONBLOCK | EFD_SEMAPHORE));
    struct pollfd poll_fd = {fd, POLLIN | POLLOUT, 0};

    EXPECT_EQ(SYS(poll, &poll_fd, 1, 0), 1);
    EXPECT_EQ(poll_fd.revents, POLLIN | POLLOUT);
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
    EXPECT_ERRNO(SYS(read, fd, &value, 8), EAGAIN);
    EXPECT_EQ(SYS(poll, &poll_fd, 1, 0), 1);
    EXPECT_EQ(poll_fd.revents, POLLOUT);
}

TEST(eventfd_blocks, "eventfd2 read:EINTR")
{
    uint64_t value = 0, one = 1;
    int fd = (int)REQUIRE_OK(SYS(eventfd2, 0, 0));
    pid_t pid;

    IN_CHILD(pid) {
        guest_sleep_ms(30);
        EXPECT_EQ(write(fd, &one, 8), 8);
    }
    EXPECT_EQ(SYS(read, fd, &value, 8), 8);
    EXPECT_EQ(value, 1);
    EXPECT_CHILD_OK(pid);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pid = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(read, fd, &value, 8), EINTR);
    guest_end(pid);
}

TEST(exclusive_wakes_one, "epoll_ctl epoll_wait")
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int *count = guest_shared(4096);
    pid_t pids[4];

    make_pipe();
    for (int i = 0; i < 4; i++) {
        IN_CHILD(pids[i]) {
            struct epoll_event got;
            int ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));

            REQUIRE_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, rd, &event));
            if (SYS(epoll_wait, ep, &got, 1, 20000) == 1)
                __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
        }
    }
    guest_sleep_ms(100);
    put();
    WAIT_UNTIL(__atomic_load_n(count, __ATOMIC_SEQ_CST) >= 1);
    for (int i = 0; i < 4; i++)
        guest_end(pids[i]);
    EXPECT_LE(*count, 4);
}
