/* signalfd(2): signals as something to read; what each source says of itself; who sees what. */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

typedef struct signalfd_siginfo info_t;

static uint64_t set_of(int signo)
{
    return 1ull << (signo - 1);
}

static void block(uint64_t set)
{
    EXPECT_OK(SYS(rt_sigprocmask, SIG_BLOCK, &set, NULL, 8));
}

static int make(uint64_t set, int flags)
{
    block(set);
    return (int)REQUIRE_OK(SYS(signalfd4, -1, &set, 8, flags));
}

static short ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};

    EXPECT_OK(SYS(poll, &p, 1, 0));
    return p.revents;
}

static void queue(pid_t pid, int signo, int value)
{
    EXPECT_OK(sigqueue(pid, signo, (union sigval){.sival_int = value}));
}

TEST(signalfd_read, "signalfd4 read")
{
    int fd = make(set_of(SIGUSR1) | set_of(SIGUSR2), 0);
    info_t info;

    EXPECT_EQ(ready(fd), 0);
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    EXPECT_EQ(ready(fd), POLLIN);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_signo, SIGUSR1);
    EXPECT_EQ(info.ssi_code, SI_USER);
    EXPECT_EQ(info.ssi_pid, getpid());
    EXPECT_EQ(info.ssi_uid, getuid());
    EXPECT_EQ(info.ssi_errno, 0);
    EXPECT_EQ(ready(fd), 0);
}

TEST(signalfd_old_call, "signalfd signalfd:EINVAL")
{
    uint64_t set = set_of(SIGUSR1);
    int fd;

    block(set);
    fd = (int)REQUIRE_OK(SYS(signalfd, -1, &set, 8));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), 0);
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
    EXPECT_ERRNO(SYS(signalfd, -1, &set, 4), EINVAL);
}

TEST(signalfd_flags, "signalfd4")
{
    int fd = make(set_of(SIGUSR1), SFD_CLOEXEC | SFD_NONBLOCK);
    info_t info;

    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EAGAIN);
}

TEST(signalfd_errors, "signalfd4:EINVAL,EBADF,EFAULT read:EINVAL")
{
    uint64_t set = set_of(SIGUSR1);
    int fd = make(set, 0), ends[2];
    char small[127];

    EXPECT_ERRNO(SYS(signalfd4, -1, &set, 7, 0), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, -1, (void *)8, 8, 0), EFAULT);
    EXPECT_ERRNO(SYS(signalfd4, -1, (void *)8, 16, 0), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, -1, &set, 8, 1), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, 999, &set, 8, 0), EBADF);
    EXPECT_ERRNO(SYS(signalfd4, -2, &set, 8, 0), EBADF);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(signalfd4, ends[0], &set, 8, 0), EINVAL);
    EXPECT_ERRNO(SYS(read, fd, small, sizeof(small)), EINVAL);
    EXPECT_ERRNO(SYS(write, fd, small, sizeof(small)), EINVAL);
}

TEST(signalfd_several, "read readv")
{
    int fd = make(set_of(SIGRTMIN) | set_of(SIGUSR1), 0);
    info_t infos[5];
    char tail[64];
    struct iovec iov[2];

    memset(infos, 0x55, sizeof(infos));
    queue(getpid(), SIGRTMIN, 1);
    queue(getpid(), SIGRTMIN, 2);
    queue(getpid(), SIGUSR1, 3);
    EXPECT_EQ(SYS(read, fd, infos, sizeof(infos)), 3 * sizeof(info_t));
    EXPECT_EQ(infos[0].ssi_signo, SIGUSR1);
    EXPECT_EQ(infos[1].ssi_int, 1);
    EXPECT_EQ(infos[2].ssi_int, 2);
    EXPECT_EQ(infos[3].ssi_signo, 0x55555555);
    queue(getpid(), SIGRTMIN, 4);
    queue(getpid(), SIGRTMIN, 5);
    EXPECT_EQ(SYS(read, fd, infos, sizeof(info_t) + 100), sizeof(info_t));
    /* One structure may go over several buffers. */
    iov[0] = (struct iovec){infos, 64};
    iov[1] = (struct iovec){tail, 64};
    EXPECT_EQ(SYS(readv, fd, iov, 2), sizeof(info_t));
    EXPECT_EQ(infos[0].ssi_int, 5);
}

TEST(signalfd_bad_buffer, "read:EFAULT")
{
    int fd = make(set_of(SIGRTMIN), SFD_NONBLOCK);
    char *bad = guest_bad_page();
    info_t info;

    queue(getpid(), SIGRTMIN, 1);
    EXPECT_ERRNO(SYS(read, fd, bad, sizeof(info)), EFAULT);
    EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EAGAIN); /* it is gone all the same */
    queue(getpid(), SIGRTMIN, 2);
    queue(getpid(), SIGRTMIN, 3);
    EXPECT_EQ(SYS(read, fd, bad - sizeof(info), 2 * sizeof(info)), sizeof(info));
    EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EAGAIN);
}

TEST(signalfd_change_mask, "signalfd4")
{
    uint64_t other = set_of(SIGUSR2);
    int fd = make(set_of(SIGUSR1), SFD_NONBLOCK);
    info_t info;

    block(other);
    EXPECT_OK(SYS(kill, getpid(), SIGUSR2));
    EXPECT_EQ(ready(fd), 0);
    EXPECT_EQ(SYS(signalfd4, fd, &other, 8, 0), fd);
    EXPECT_EQ(ready(fd), POLLIN);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_signo, SIGUSR2);
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EAGAIN);
}

TEST(signalfd_never_kill, "signalfd4")
{
    uint64_t all = ~0ull;
    int fd = (int)REQUIRE_OK(SYS(signalfd4, -1, &all, 8, SFD_NONBLOCK));
    char path[64], text[512];
    pid_t pid;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    EXPECT_GT(guest_slurp(path, text, sizeof(text)), 0);
    EXPECT(strstr(text, "sigmask:\tfffffffffffbfeff") != NULL);
    IN_CHILD(pid)
    kill(getpid(), SIGKILL);
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(signalfd_sources, "read")
{
    int fd = make(set_of(SIGCHLD) | set_of(SIGRTMIN) | set_of(SIGUSR1) | set_of(SIGALRM), 0);
    struct itimerspec soon = {{0, 0}, {0, 1}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    siginfo_t forged = {0};
    info_t info;
    pid_t pid;
    int timer;

    IN_CHILD(pid)
    _exit(7);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_signo, SIGCHLD);
    EXPECT_EQ(info.ssi_code, CLD_EXITED);
    EXPECT_EQ(info.ssi_pid, pid);
    EXPECT_EQ(info.ssi_status, 7);
    EXPECT_EXIT(pid, 7);

    queue(getpid(), SIGRTMIN, 1234);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_code, SI_QUEUE);
    EXPECT_EQ(info.ssi_int, 1234);
    EXPECT_EQ((int)info.ssi_ptr, 1234);
    EXPECT_EQ(info.ssi_pid, getpid());

    event.sigev_value.sival_ptr = (void *)0x1122334455667788ll;
    REQUIRE_OK(SYS(timer_create, CLOCK_MONOTONIC, &event, &timer));
    EXPECT_OK(SYS(timer_settime, timer, 0, &soon, NULL));
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_code, SI_TIMER);
    EXPECT_EQ(info.ssi_tid, timer);
    EXPECT_EQ(info.ssi_overrun, 0);
    EXPECT_EQ(info.ssi_ptr, 0x1122334455667788ll);
    EXPECT_EQ(info.ssi_int, 0x55667788);
    EXPECT_EQ(info.ssi_pid, 0);

    EXPECT_OK(SYS(tkill, gettid(), SIGUSR1));
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_code, SI_TKILL);
    EXPECT_EQ(info.ssi_pid, getpid());

    alarm(1);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_signo, SIGALRM);
    EXPECT_EQ(info.ssi_code, SI_KERNEL);
    EXPECT_EQ(info.ssi_pid, 0);

    /* What claims to come from a fault or a poll is told as such. */
    forged.si_code = -5; /* SI_SIGIO */
    forged.si_band = 77;
    forged.si_fd = 9;
    EXPECT_OK(SYS(rt_sigqueueinfo, getpid(), SIGUSR1, &forged));
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_band, 77);
    EXPECT_EQ(info.ssi_fd, 9);
}

TEST(signalfd_blocks, "read poll epoll_wait")
{
    int fd = make(set_of(SIGUSR1), 0), ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = 5};
    struct pollfd p = {fd, POLLIN, 0};
    pid_t pest;
    info_t info;

    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(SYS(poll, &p, 1, 10000), 1);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 10000), 1);
    EXPECT_EQ(ev.data.u32, 5);
    guest_end(pest);
    EXPECT_EQ(SYS(close, fd), 0);
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
}

TEST(signalfd_interrupted, "read:EINTR")
{
    int fd = make(set_of(SIGUSR1), 0);
    pid_t pest;
    info_t info;

    guest_on_signal(SIGUSR2, guest_count_signal, 0);
    pest = guest_pester(SIGUSR2, 20);
    EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EINTR);
    guest_end(pest);
}

/* Whoever reads gets his own signals, not those of who made the descriptor. */
TEST(signalfd_reader_counts, "read poll")
{
    int fd = make(set_of(SIGUSR1), SFD_NONBLOCK), ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    struct epoll_event ev = {.events = EPOLLIN};
    info_t info;
    pid_t pid;

    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev));
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    IN_CHILD(pid) {
        struct pollfd p = {fd, POLLIN, 0};
        pid_t pest;

        EXPECT_EQ(ready(fd), 0);
        EXPECT_ERRNO(SYS(read, fd, &info, sizeof(info)), EAGAIN);
        pest = guest_pester(SIGUSR1, 20);
        EXPECT_EQ(SYS(poll, &p, 1, 10000), 1);
        EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
        EXPECT_EQ(info.ssi_pid, pest);
        guest_end(pest);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 1);
    EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
    EXPECT_EQ(info.ssi_pid, getpid());
}

static int thread_fd;
static volatile int thread_ready;

static void *reads_own(void *arg)
{
    info_t *info = arg;

    thread_ready = gettid();
    EXPECT_EQ(SYS(read, thread_fd, info, sizeof(*info)), sizeof(*info));
    return NULL;
}

TEST(signalfd_threads, "read tgkill")
{
    static info_t info, none;
    pthread_t thread;

    thread_fd = make(set_of(SIGUSR1), SFD_NONBLOCK);
    EXPECT_OK(SYS(fcntl, thread_fd, F_SETFL, 0));
    REQUIRE(pthread_create(&thread, NULL, reads_own, &info) == 0);
    WAIT_UNTIL(thread_ready);
    guest_sleep_ms(20);
    EXPECT_OK(SYS(tgkill, getpid(), thread_ready, SIGUSR1));
    pthread_join(thread, NULL);
    EXPECT_EQ(info.ssi_code, SI_TKILL);
    /* One for this thread is not there for another. */
    EXPECT_OK(SYS(tgkill, getpid(), gettid(), SIGUSR1));
    thread_ready = 0;
    REQUIRE(pthread_create(&thread, NULL, reads_own, &none) == 0);
    WAIT_UNTIL(thread_ready);
    guest_sleep_ms(20);
    EXPECT_EQ(__atomic_load_n(&none.ssi_signo, __ATOMIC_RELAXED), 0);
    EXPECT_EQ(SYS(read, thread_fd, &info, sizeof(info)), sizeof(info));
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    pthread_join(thread, NULL);
    EXPECT_EQ(none.ssi_code, SI_USER);
}

/* One that is closed while a thread sleeps in it; one passed on by processes that end. */
TEST(signalfd_races, "read close fork")
{
    int fd = make(set_of(SIGUSR1), 0), ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    struct epoll_event ev = {.events = EPOLLIN};
    pid_t pid, pest = guest_pester(SIGUSR1, 1);

    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev));
    for (int i = 0; i < 60; i++) {
        IN_CHILD(pid) {
            struct pollfd p = {fd, POLLIN, 0};
            pid_t own = guest_pester(SIGUSR1, 1);
            info_t info;

            EXPECT_EQ(SYS(poll, &p, 1, 10000), 1);
            EXPECT_EQ(SYS(read, fd, &info, sizeof(info)), sizeof(info));
            guest_end(own);
            if (i % 2)
                SYS(close, fd);
        }
        EXPECT_CHILD_OK(pid);
        EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 10000), 1);
    }
    guest_end(pest);
}
