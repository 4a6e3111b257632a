/* Process descriptors: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), CLONE_PIDFD, P_PIDFD. */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static int make(pid_t pid)
{
    return (int)REQUIRE_OK(SYS(pidfd_open, pid, 0));
}

static pid_t sleeper(void)
{
    pid_t pid;

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    return pid;
}

static short ready(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};

    EXPECT_OK(SYS(poll, &p, 1, ms));
    return p.revents;
}

TEST(pidfd_open_basic, "pidfd_open poll waitid")
{
    pid_t pid = sleeper();
    int fd = make(pid), own = make(getpid());
    char path[64], text[512], want[64];

    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    snprintf(want, sizeof(want), "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
    EXPECT_GT(guest_slurp(path, text, sizeof(text)), 0);
    EXPECT(strstr(text, want) != NULL);
    EXPECT_EQ(ready(fd, 0), 0);
    EXPECT_EQ(ready(own, 0), 0);
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EQ(ready(fd, 10000), POLLIN);
    EXPECT_KILLED(pid, SIGKILL);
    EXPECT_EQ(ready(fd, 0) & POLLIN, POLLIN);
    EXPECT_GT(guest_slurp(path, text, sizeof(text)), 0);
    EXPECT(strstr(text, "Pid:\t-1\n") != NULL);
}

TEST(pidfd_open_errors, "pidfd_open:EINVAL,ESRCH")
{
    EXPECT_ERRNO(SYS(pidfd_open, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_open, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_open, getpid(), 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_open, 0x3ffff0, 0), ESRCH);
}

static volatile int other_tid;
static volatile bool thread_ends;

static void *idle(void *arg)
{
    (void)arg;
    other_tid = gettid();
    while (!thread_ends)
        guest_sleep_ms(2);
    return NULL;
}

TEST(pidfd_of_thread, "pidfd_open")
{
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, idle, NULL) == 0);
    WAIT_UNTIL(other_tid);
    EXPECT_EQ(SYS(pidfd_open, other_tid, 0), -1);
    EXPECT(errno == EINVAL || errno == ENOENT); /* the latter since 6.15 */
    thread_ends = true;
    pthread_join(thread, NULL);
}

TEST(pidfd_no_io, "read:EINVAL write:EINVAL")
{
    int fd = make(getpid());
    char c = 0;

    EXPECT_ERRNO(SYS(read, fd, &c, 1), EINVAL);
    EXPECT_ERRNO(SYS(write, fd, &c, 1), EINVAL);
    EXPECT_ERRNO(SYS(ioctl, fd, 0x5401, &c), ENOTTY);
}

TEST(pidfd_epoll, "pidfd_open epoll_wait")
{
    pid_t pid = sleeper();
    int fd = make(pid), ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = 3};
    pid_t killer;

    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev));
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 0), 0);
    IN_CHILD(killer) {
        guest_sleep_ms(30);
        kill(pid, SIGKILL);
    }
    EXPECT_EQ(SYS(epoll_wait, ep, &ev, 1, 10000), 1);
    EXPECT_EQ(ev.data.u32, 3);
    EXPECT_CHILD_OK(killer);
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(pidfd_whole_group, "pidfd_open poll")
{
    int fd;
    pid_t pid;

    /* A process whose first thread has ended is not at its end. */
    IN_CHILD(pid) {
        pthread_t thread;

        REQUIRE(pthread_create(&thread, NULL, idle, NULL) == 0);
        SYS(exit, 0);
    }
    fd = make(pid);
    guest_sleep_ms(50);
    EXPECT_EQ(ready(fd, 0), 0);
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EQ(ready(fd, 10000), POLLIN);
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(pidfd_signal, "pidfd_send_signal pidfd_send_signal:ESRCH,EBADF,EINVAL,EFAULT,EPERM")
{
    pid_t pid = sleeper();
    int fd = make(pid), own = make(getpid());
    siginfo_t info = {0};

    EXPECT_OK(SYS(pidfd_send_signal, fd, 0, NULL, 0));
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, 65, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGUSR1, NULL, 1u << 30), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_send_signal, 999, SIGUSR1, NULL, 0), EBADF);
    EXPECT_ERRNO(SYS(pidfd_send_signal, 1, SIGUSR1, NULL, 0), EBADF);
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGUSR1, (void *)8, 0), EFAULT);
    info.si_signo = SIGUSR2;
    info.si_code = SI_QUEUE;
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGUSR1, &info, 0), EINVAL);
    info.si_signo = SIGUSR1;
    info.si_code = SI_USER;
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
    info.si_code = SI_TKILL;
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    info.si_code = SI_USER;
    EXPECT_OK(SYS(pidfd_send_signal, own, SIGUSR1, &info, 0));
    EXPECT_EQ(guest_signals, 1);
    EXPECT_OK(SYS(pidfd_send_signal, fd, SIGTERM, NULL, 0));
    EXPECT_KILLED(pid, SIGTERM);
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
}

static siginfo_t seen;

static void note(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    seen = *info;
    guest_signals++;
}

TEST(pidfd_signal_info, "pidfd_send_signal")
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    int own = make(getpid());
    siginfo_t info = {0};
    pid_t pid;

    sigaction(SIGUSR1, &sa, NULL);
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 99;
    EXPECT_OK(SYS(pidfd_send_signal, own, SIGUSR1, &info, 0));
    EXPECT_EQ(seen.si_code, SI_QUEUE);
    EXPECT_EQ(seen.si_value.sival_int, 99);
    IN_CHILD(pid)
    EXPECT_OK(SYS(pidfd_send_signal, own, SIGUSR1, NULL, 0));
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(guest_signals == 2);
    EXPECT_EQ(seen.si_code, SI_USER);
    EXPECT_EQ(seen.si_pid, pid);
}

TEST(pidfd_signal_refused, "pidfd_send_signal:EPERM")
{
    int parent = make(getppid());
    pid_t pid;

    if (geteuid() != 0)
        SKIP("only root can become somebody else");
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setuid, 54321));
        EXPECT_ERRNO(SYS(pidfd_send_signal, parent, SIGUSR1, NULL, 0), EPERM);
        EXPECT_ERRNO(SYS(pidfd_getfd, parent, 0, 0), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pidfd_signal_by_proc, "pidfd_send_signal")
{
    pid_t pid = sleeper();
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d", pid);
    fd = (int)REQUIRE_OK(SYS(open, path, O_RDONLY | O_DIRECTORY));
    EXPECT_OK(SYS(pidfd_send_signal, fd, SIGTERM, NULL, 0));
    EXPECT_KILLED(pid, SIGTERM);
    EXPECT_ERRNO(SYS(pidfd_getfd, fd, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, fd, NULL, WEXITED, NULL), EBADF);
}

TEST(pidfd_getfd_basic, "pidfd_getfd pidfd_getfd:EINVAL,EBADF,ESRCH,EMFILE")
{
    int ends[2], fd, got;
    struct rlimit none = {3, 3}, old;
    pid_t pid;
    char c = 0;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    EXPECT_OK(SYS(close, ends[1]));
    fd = make(pid);
    EXPECT_ERRNO(SYS(pidfd_getfd, fd, ends[1], 1), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_getfd, 999, ends[1], 0), EBADF);
    EXPECT_ERRNO(SYS(pidfd_getfd, 0, ends[1], 0), EBADF);
    EXPECT_ERRNO(SYS(pidfd_getfd, fd, 999, 0), EBADF);
    got = (int)EXPECT_OK(SYS(pidfd_getfd, fd, ends[1], 0));
    EXPECT_EQ(SYS(fcntl, got, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(write, got, "x", 1), 1);
    EXPECT_EQ(SYS(read, ends[0], &c, 1), 1);
    EXPECT_EQ(c, 'x');
    getrlimit(RLIMIT_NOFILE, &old);
    none.rlim_max = old.rlim_max;
    EXPECT_OK(setrlimit(RLIMIT_NOFILE, &none));
    EXPECT_ERRNO(SYS(pidfd_getfd, fd, ends[1], 0), EMFILE);
    guest_end(pid);
    EXPECT_ERRNO(SYS(pidfd_getfd, fd, ends[1], 0), ESRCH);
}

TEST(pidfd_wait, "waitid waitid:EBADF,EINVAL,ECHILD")
{
    pid_t pid;
    siginfo_t info = {0};
    int fd, ends[2];

    IN_CHILD(pid)
    _exit(5);
    fd = make(pid);
    EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED | WNOWAIT, NULL));
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_EQ(info.si_status, 5);
    EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL));
    EXPECT_EQ(info.si_code, CLD_EXITED);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, make(getpid()), &info, WEXITED, NULL), ECHILD);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, -1, &info, WEXITED, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, 999, &info, WEXITED, NULL), EBADF);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, ends[0], &info, WEXITED, NULL), EBADF);
}

TEST(pidfd_wait_nonblocking, "waitid:EAGAIN pidfd_open")
{
    pid_t pid = sleeper();
    int fd = (int)REQUIRE_OK(SYS(pidfd_open, pid, O_NONBLOCK));
    siginfo_t info = {0};

    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL), EAGAIN);
    EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL));
    EXPECT_EQ(info.si_pid, 0);
    guest_end(pid);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
}

TEST(pidfd_wait_blocks, "waitid")
{
    pid_t pid;
    siginfo_t info = {0};

    IN_CHILD(pid) {
        guest_sleep_ms(50);
        _exit(9);
    }
    EXPECT_OK(SYS(waitid, P_PIDFD, make(pid), &info, WEXITED, NULL));
    EXPECT_EQ(info.si_status, 9);
}

TEST(clone_pidfd, "clone")
{
    int fd = -1, tid = 0;
    pid_t pid = (pid_t)SYS(clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);

    if (pid == 0) {
        /* It is the parent's alone. */
        long open_here = SYS(fcntl, fd < 0 ? 999 : fd, F_GETFD);

        SYS(exit_group, open_here == -1 ? 3 : 4);
    }
    REQUIRE(pid > 0);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(ready(fd, 10000), POLLIN);
    EXPECT_EXIT(pid, 3);
    EXPECT_ERRNO(SYS(clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(clone, CLONE_PIDFD | 0x400000 | SIGCHLD, 0, &tid, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0), EFAULT);
}

TEST(clone3_pidfd, "clone3 clone3:EFAULT,EMFILE")
{
    int fd = -1, tid = -1;
    struct args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
                     .exit_signal = SIGCHLD,
                     .pidfd = (uintptr_t)&fd,
                     .parent_tid = (uintptr_t)&tid};
    struct rlimit none = {0, 0}, old;
    siginfo_t info;
    pid_t pid;
    int next;

    pid = (pid_t)SYS(clone3, &a, sizeof(a));
    if (pid == 0)
        SYS(exit_group, 6);
    REQUIRE(pid > 0);
    EXPECT_EQ(tid, pid);
    EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL));
    EXPECT_EQ(info.si_pid, pid);
    a.pidfd = 8;
    EXPECT_ERRNO(SYS(clone3, &a, sizeof(a)), EFAULT);
    EXPECT_EQ(SYS(wait4, -1, NULL, 0, NULL), -1); /* nothing was left behind */
    next = (int)EXPECT_OK(SYS(dup, fd));
    EXPECT_EQ(next, fd + 1);
    getrlimit(RLIMIT_NOFILE, &old);
    none.rlim_max = old.rlim_max;
    EXPECT_OK(setrlimit(RLIMIT_NOFILE, &none));
    a.pidfd = (uintptr_t)&fd;
    EXPECT_ERRNO(SYS(clone3, &a, sizeof(a)), EMFILE);
}

/* One waits by descriptor while others end, kill and reap. */
TEST(pidfd_races, "pidfd_open pidfd_send_signal waitid")
{
    for (int i = 0; i < 60; i++) {
        pid_t pid = sleeper(), killer;
        int fd = make(pid);
        siginfo_t info;

        IN_CHILD(killer)
        SYS(pidfd_send_signal, fd, SIGKILL, NULL, 0);
        if (i % 2)
            EXPECT_EQ(ready(fd, 10000) & POLLIN, POLLIN);
        EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL));
        EXPECT_EQ(info.si_pid, pid);
        EXPECT_ERRNO(SYS(pidfd_send_signal, fd, SIGKILL, NULL, 0), ESRCH);
        EXPECT_CHILD_OK(killer);
        SYS(close, fd);
    }
}
