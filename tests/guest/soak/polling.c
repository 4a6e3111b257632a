/* Loads: what is waited for by poll, select and epoll: events, timers, signals, changes of files. */
#include "tests/guest/soak/soak.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>

enum { SOURCES = 6, WAITERS = 3 };

/* Events that several threads wait for: each counts once. */
struct crowd {
    int epoll, stop, sources[SOURCES];
    bool oneshot;
    _Atomic(uint64_t) sum;
};

static void *crowd_waiter(void *arg)
{
    struct crowd *c = arg;
    struct epoll_event events[4];

    for (;;) {
        int n = epoll_wait(c->epoll, events, 4, -1);

        if (n < 0 && errno == EINTR)
            continue;
        if (!EXPECT_GT(n, 0))
            return NULL;
        for (int i = 0; i < n; i++) {
            uint64_t value;

            if (events[i].data.fd == c->stop)
                return NULL;
            while (read(events[i].data.fd, &value, sizeof(value)) == sizeof(value))
                c->sum += value;
            EXPECT_EQ(errno, EAGAIN);
            events[i].events = EPOLLIN | EPOLLONESHOT;
            if (c->oneshot)
                EXPECT_OK(epoll_ctl(c->epoll, EPOLL_CTL_MOD, events[i].data.fd, &events[i]));
        }
    }
}

LOAD(epoll_crowd)
{
    static const uint32_t modes[] = {0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE};
    uint32_t mode = modes[soak_below(s, 4)];
    struct crowd c = {.epoll = (int)REQUIRE_OK(epoll_create1(EPOLL_CLOEXEC)),
                      .stop = (int)REQUIRE_OK(eventfd(0, EFD_CLOEXEC)),
                      .oneshot = mode == EPOLLONESHOT};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = c.stop};
    pthread_t threads[WAITERS];
    uint64_t sum = 0, value = 1;

    for (int i = 0; i < SOURCES; i++) {
        c.sources[i] = (int)REQUIRE_OK(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        event = (struct epoll_event){EPOLLIN | mode, {.fd = c.sources[i]}};
        EXPECT_OK(epoll_ctl(c.epoll, EPOLL_CTL_ADD, c.sources[i], &event));
    }
    for (int i = 0; i < WAITERS; i++)
        threads[i] = soak_thread(crowd_waiter, &c);
    for (uint32_t i = soak_below(s, 60); i > 0; i--) {
        value = 1 + soak_below(s, 100);
        sum += value;
        EXPECT_EQ(write(c.sources[soak_below(s, SOURCES)], &value, sizeof(value)), sizeof(value));
    }
    WAIT_UNTIL(c.sum == sum);
    event = (struct epoll_event){EPOLLIN, {.fd = c.stop}};
    EXPECT_OK(epoll_ctl(c.epoll, EPOLL_CTL_ADD, c.stop, &event));
    EXPECT_EQ(write(c.stop, &value, sizeof(value)), sizeof(value));
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(c.sum, sum);
    for (int i = 0; i < SOURCES; i++)
        close(c.sources[i]);
    close(c.stop);
    close(c.epoll);
}

/* An epoll within an epoll, of pipes that come and go. */
LOAD(epoll_nested)
{
    int outer = (int)REQUIRE_OK(epoll_create1(EPOLL_CLOEXEC));
    int inner = (int)REQUIRE_OK(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = inner};
    char byte;

    EXPECT_OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
    EXPECT_ERRNO(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event), ELOOP);
    for (uint32_t i = 1 + soak_below(s, 10); i > 0; i--) {
        int fds[2];

        soak_pipe(fds, 0);
        event = (struct epoll_event){EPOLLIN | (soak_coin(s, 2) ? EPOLLET : 0), {.fd = fds[0]}};
        EXPECT_OK(epoll_ctl(inner, EPOLL_CTL_ADD, fds[0], &event));
        EXPECT_EQ(epoll_wait(outer, &event, 1, 0), 0);
        EXPECT_EQ(write(fds[1], "x", 1), 1);
        EXPECT_EQ(epoll_wait(outer, &event, 1, -1), 1);
        EXPECT_EQ(event.data.fd, inner);
        EXPECT_EQ(epoll_wait(inner, &event, 1, 0), 1);
        EXPECT_EQ(event.data.fd, fds[0]);
        EXPECT_EQ(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        close(fds[1]);
        EXPECT_EQ(epoll_wait(inner, &event, 1, 0), 0);
    }
    close(inner);
    close(outer);
}

struct semaphores {
    int fd;
    _Atomic(uint32_t) taken;
};

static void *takes(void *arg)
{
    struct semaphores *e = arg;
    uint64_t value = 0;

    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(read(e->fd, &value, sizeof(value)), sizeof(value));
        EXPECT_EQ(value, 1);
        e->taken++;
    }
    return NULL;
}

LOAD(eventfd_semaphore)
{
    struct semaphores e = {.fd = (int)REQUIRE_OK(eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC))};
    uint64_t left = 60;
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        threads[i] = soak_thread(takes, &e);
    while (left > 0) {
        uint64_t n = 1 + soak_below(s, 7);

        n = n < left ? n : left;
        EXPECT_EQ(write(e.fd, &n, sizeof(n)), sizeof(n));
        left -= n;
        sched_yield();
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(e.taken, 60);
    close(e.fd);
}

LOAD(timer_fds)
{
    int clock = soak_coin(s, 2) ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    int fd = (int)REQUIRE_OK(timerfd_create(clock, TFD_CLOEXEC));
    int64_t ns = 200000 + soak_below(s, 2000000), start = guest_now_ns();
    struct itimerspec t = {{0, ns}, {0, ns}}, left;
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t fired = 0, value = 0;

    EXPECT_OK(timerfd_settime(fd, 0, &t, NULL));
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(poll(&p, 1, -1), 1);
        EXPECT_EQ(read(fd, &value, sizeof(value)), sizeof(value));
        fired += value;
        if (clock == CLOCK_MONOTONIC)
            EXPECT_GE(guest_now_ns() - start, (int64_t)fired * ns);
    }
    t.it_value.tv_nsec = 0;
    EXPECT_OK(timerfd_settime(fd, 0, &t, NULL));
    EXPECT_OK(timerfd_gettime(fd, &left));
    EXPECT_EQ(left.it_value.tv_nsec, 0);
    EXPECT_EQ(poll(&p, 1, 0), 0);
    close(fd);
}

LOAD(posix_timers)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2};
        struct itimerspec t = {{0, 300000}, {0, 500000}};
        int64_t start = guest_now_ns(), fired = 0;
        timer_t timers[4];
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN + 2);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 0; i < 4; i++) {
            event.sigev_value.sival_int = i;
            EXPECT_OK(timer_create(CLOCK_MONOTONIC, &event, &timers[i]));
        }
        EXPECT_OK(timer_settime(timers[1], 0, &t, NULL));
        for (int i = 0; i < 5; i++) {
            siginfo_t info = {0};

            EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 2);
            EXPECT_EQ(info.si_code, SI_TIMER);
            EXPECT_EQ(info.si_value.sival_int, 1);
            fired += 1 + info.si_overrun;
            EXPECT_GE(guest_now_ns() - start, 500000 + (fired - 1) * 300000);
        }
        for (int i = 0; i < 3; i++) /* the last ends with the process */
            EXPECT_OK(timer_delete(timers[i]));
        EXPECT_ERRNO(timer_delete(timers[1]), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

LOAD(poll_many)
{
    int fds[12][2], ready = 0;
    struct pollfd p[12];
    bool written[12];
    fd_set set;
    struct timeval zero = {0, 0};
    int most = 0;

    FD_ZERO(&set);
    for (int i = 0; i < 12; i++) {
        soak_pipe(fds[i], 0);
        written[i] = soak_coin(s, 2);
        if (written[i])
            EXPECT_EQ(write(fds[i][1], "x", 1), 1);
        ready += written[i];
        p[i] = (struct pollfd){fds[i][0], POLLIN, 0};
        FD_SET(fds[i][0], &set);
        most = fds[i][0] > most ? fds[i][0] : most;
    }
    EXPECT_EQ(poll(p, 12, 0), ready);
    EXPECT_EQ(select(most + 1, &set, NULL, NULL, &zero), ready);
    for (int i = 0; i < 12; i++) {
        EXPECT_EQ(p[i].revents, written[i] ? POLLIN : 0);
        EXPECT_EQ(FD_ISSET(fds[i][0], &set) != 0, written[i]);
        close(fds[i][1]);
    }
    /* A fork of another thread may hold ends for a moment. */
    for (int i = 0; i < 12; i++) {
        WAIT_UNTIL(poll(&p[i], 1, -1) == 1 && (p[i].revents & POLLHUP));
        EXPECT_EQ(p[i].revents, POLLHUP | (written[i] ? POLLIN : 0));
    }
    EXPECT_EQ(poll(p, 12, -1), 12);
    for (int i = 0; i < 12; i++)
        close(fds[i][0]);
}

/* changes() - files made, renamed and removed in the directory. Return: how many events that makes */
static unsigned int changes(struct soak *s)
{
    unsigned int n = 1 + soak_below(s, 10);
    char a[256], b[256];

    for (unsigned int i = 0; i < n; i++) {
        close((int)EXPECT_OK(open(soak_path(s, "made", a), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
        EXPECT_OK(rename(a, soak_path(s, "moved", b)));
        EXPECT_OK(unlink(b));
    }
    return n * 4;
}

LOAD(inotify)
{
    int fd = (int)REQUIRE_OK(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), watch;
    unsigned int events = 0, expected;
    char buf[8192] __attribute__((aligned(8)));
    ssize_t n;

    watch = (int)EXPECT_OK(inotify_add_watch(fd, s->dir, IN_CREATE | IN_MOVE | IN_DELETE));
    expected = changes(s);
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        for (char *p = buf; p < buf + n; events++) {
            struct inotify_event *e = (struct inotify_event *)(void *)p;

            EXPECT_EQ(e->wd, watch);
            p += sizeof(*e) + e->len;
        }
    }
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(events, expected);
    if (soak_coin(s, 2))
        EXPECT_OK(inotify_rm_watch(fd, watch));
    close(fd);
}
