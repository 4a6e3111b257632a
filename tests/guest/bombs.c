/*
 * What a program does that wants more and more: it meets a limit as an errno, and once it is gone
 * everything is as before. Each bomb has a bound of its own, so that the host can run them too.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define BOMBER 54321 /* a user whose processes nobody else counts */

static void limit_to(int which, rlim_t soft)
{
    struct rlimit limit;

    REQUIRE_OK(getrlimit(which, &limit));
    limit.rlim_cur = soft;
    REQUIRE_OK(setrlimit(which, &limit));
}

/* become_bomber() - a user without privileges, to whom RLIMIT_NPROC applies */
static void become_bomber(rlim_t processes)
{
    limit_to(RLIMIT_NPROC, processes);
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, BOMBER, BOMBER, BOMBER));
    REQUIRE_OK(SYS(setresuid, BOMBER, BOMBER, BOMBER));
}

static void need_setid(void)
{
    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs root with CAP_SETUID and CAP_SETGID");
}

static void expect_fork_works(void)
{
    pid_t pid;

    IN_CHILD(pid) {
        _exit(3);
    }
    EXPECT_EXIT(pid, 3);
}

TEST_SLOW(two_hundred_children, 120, "fork wait4 kill")
{
    pid_t pids[200];
    int made = 0;

    for (; made < 200; made++) {
        pid_t pid = fork();

        if (pid == 0) {
            pause();
            _exit(0);
        }
        if (pid < 0)
            break;
        pids[made] = pid;
    }
    if (made < 200)
        EXPECT_EQ(errno, EAGAIN);
    EXPECT_GE(made, 20);
    for (int i = 0; i < made; i++)
        EXPECT_OK(kill(pids[i], SIGKILL));
    for (int i = 0; i < made; i++)
        EXPECT_KILLED(pids[i], SIGKILL);
    expect_fork_works();
}

TEST(fork_to_the_limit, "fork:EAGAIN setrlimit")
{
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        pid_t pids[64];
        int made = 0;

        become_bomber(40);
        while (made < 64 && (pids[made] = fork()) > 0)
            made++;
        if (made < 64 && pids[made] == 0) {
            pause();
            _exit(0);
        }
        EXPECT_EQ(errno, EAGAIN);
        /* This process counts too. */
        EXPECT_EQ(made, 39);
        for (int i = 0; i < made; i++)
            guest_end(pids[i]);
        EXPECT_OK(pids[0] = fork());
        if (pids[0] == 0)
            _exit(0);
        EXPECT_CHILD_OK(pids[0]);
    }
    EXPECT_CHILD_OK(pid);
}

TEST_SLOW(fork_bomb, 120, "fork kill wait4")
{
    pid_t pid;
    int reaped = 0;

    need_setid();
    REQUIRE_OK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    IN_CHILD(pid) {
        setpgid(0, 0);
        become_bomber(60);
        for (;;) {
            if (fork() < 0)
                guest_sleep_ms(1);
        }
    }
    setpgid(pid, pid);
    guest_sleep_ms(300);
    /*
     * One signal to the group ends all that are there; more come from those that forked just
     * now.
     */
    for (int i = 0; i < 1000 && kill(-pid, SIGKILL) == 0; i++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            reaped++;
        guest_sleep_ms(1);
    }
    while (waitpid(-1, NULL, 0) > 0)
        reaped++;
    EXPECT_ERRNO(kill(-pid, 0), ESRCH);
    EXPECT_GE(reaped, 10);
    expect_fork_works();
}

TEST_SLOW(zombies, 120, "fork wait4")
{
    int made = 0, reaped = 0;

    for (; made < 300; made++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid < 0)
            break;
    }
    EXPECT_GE(made, 20);
    while (waitpid(-1, NULL, 0) > 0)
        reaped++;
    EXPECT_EQ(reaped, made);
    expect_fork_works();
}

TEST(descriptors, "open:EMFILE close")
{
    int count = 0, fd, last = -1;

    limit_to(RLIMIT_NOFILE, 256);
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        last = fd;
        count++;
    }
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(last, 255);
    EXPECT_GE(count, 240);
    EXPECT_ERRNO(SYS(epoll_create1, 0), EMFILE);
    EXPECT_ERRNO(SYS(eventfd2, 0, 0), EMFILE);
    for (int i = 3; i < 200; i++)
        close(i);
    EXPECT_OK(open("/dev/null", O_RDONLY));
}

TEST(descriptors_to_the_hard_limit, "open:EMFILE setrlimit")
{
    struct rlimit limit;
    pid_t pid;

    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max > 10000)
        limit.rlim_max = 10000;
    limit.rlim_cur = limit.rlim_max;
    IN_CHILD(pid) {
        int fd, last = -1;

        REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
        while ((fd = open("/dev/null", O_RDONLY)) >= 0)
            last = fd;
        EXPECT(errno == EMFILE || errno == ENFILE);
        if (errno == EMFILE)
            EXPECT_EQ(last, limit.rlim_cur - 1);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pipes_full_of_data, "pipe2:EMFILE write")
{
    static char block[65536];
    int ends[2];
    long made = 0;

    limit_to(RLIMIT_NOFILE, 300);
    for (; pipe2(ends, O_NONBLOCK) == 0; made++) {
        while (write(ends[1], block, sizeof(block)) > 0)
            continue;
    }
    EXPECT_EQ(errno, EMFILE);
    EXPECT_GE(made, 100);
}

/* map_limit() - how many mappings one process may have here */
static long map_limit(void)
{
    char text[32];

    if (guest_slurp("/proc/sys/vm/max_map_count", text, sizeof(text)) <= 0)
        return 65530;
    return strtol(text, NULL, 10);
}

TEST_SLOW(mappings, 300, "mprotect:ENOMEM mmap:ENOMEM munmap")
{
    size_t pages = 70000;
    char *p = mmap(NULL, 2 * pages * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    size_t made = 0;

    REQUIRE(p != MAP_FAILED);
    /* Every other page readable: each change makes two more mappings. */
    while (made < pages && mprotect(p + made * 2 * 4096, 4096, PROT_READ) == 0)
        made++;
    if (made < pages)
        EXPECT_EQ(errno, ENOMEM);
    if (guest_sandboxed() || map_limit() <= (long)pages)
        EXPECT_LT(made, pages);
    EXPECT_GE(made, 1000);
    if (made < pages)
        EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ||
                      mmap(NULL, 4096, PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED,
                  1);
    EXPECT_OK(munmap(p, 2 * pages * 4096));
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    *p = 1;
    expect_fork_works();
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

TEST_SLOW(three_hundred_threads, 120, "clone:EAGAIN clone")
{
    pthread_t threads[300];
    pthread_attr_t attr;
    int made = 0, error = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    pthread_mutex_lock(&gate);
    while (made < 300 && (error = pthread_create(&threads[made], &attr, wait_at_gate, NULL)) == 0)
        made++;
    if (made < 300)
        EXPECT_EQ(error, EAGAIN);
    EXPECT_GE(made, 20);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < made; i++)
        EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    EXPECT_EQ(pthread_create(&threads[0], &attr, wait_at_gate, NULL), 0);
    pthread_join(threads[0], NULL);
}

TEST(threads_to_the_limit, "clone:EAGAIN")
{
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        pthread_t threads[64];
        int made = 0, error = 0;

        become_bomber(30);
        pthread_mutex_lock(&gate);
        while (made < 64 && (error = pthread_create(&threads[made], NULL, wait_at_gate, NULL)) == 0)
            made++;
        EXPECT_EQ(error, EAGAIN);
        EXPECT_EQ(made, 29);
    }
    EXPECT_CHILD_OK(pid);
}

TEST_SLOW(threads_come_and_go, 120, "clone exit")
{
    for (int round = 0; round < 40; round++) {
        pthread_t threads[25];

        for (int i = 0; i < 25; i++)
            REQUIRE(pthread_create(&threads[i], NULL, wait_at_gate, NULL) == 0);
        for (int i = 0; i < 25; i++)
            pthread_join(threads[i], NULL);
    }
}

TEST(queued_signals, "rt_sigqueueinfo:EAGAIN rt_sigtimedwait setrlimit")
{
    struct timespec zero = {0, 0};
    union sigval value;
    siginfo_t info;
    sigset_t set;
    int sent = 0;

    limit_to(RLIMIT_SIGPENDING, 100);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (value.sival_int = 0; sent < 1000; sent++, value.sival_int++) {
        if (sigqueue(getpid(), SIGRTMIN, value) < 0)
            break;
    }
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_LE(sent, 100);
    /* kill() of an old signal needs no room. */
    EXPECT_OK(kill(getpid(), SIGUSR1));
    EXPECT_EQ(sigtimedwait(&set, &info, &zero), SIGUSR1);
    for (int i = 0; i < sent; i++) {
        EXPECT_EQ(sigtimedwait(&set, &info, &zero), SIGRTMIN);
        EXPECT_EQ(info.si_value.sival_int, i);
    }
    EXPECT_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
}

TEST(signals_to_a_stopped_one, "rt_sigqueueinfo:EAGAIN kill")
{
    union sigval value = {.sival_int = 0};
    int sent = 0;
    pid_t pid;

    IN_CHILD(pid) {
        limit_to(RLIMIT_SIGPENDING, 50);
        guest_on_signal(SIGRTMIN, guest_count_signal, 0);
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    while (sent < 5000 && sigqueue(pid, SIGRTMIN, value) == 0)
        sent++;
    EXPECT(sent <= 50 && errno == EAGAIN);
    for (int i = 0; i < 5000; i++)
        kill(pid, SIGUSR2);
    kill(pid, SIGKILL);
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(timers, "timer_create:EAGAIN timer_create")
{
    timer_t timer;
    int made = 0;

    NEEDS(timer_create);
    limit_to(RLIMIT_SIGPENDING, 64);
    while (made < 1000 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0)
        made++;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_LE(made, 64);
}

TEST(watched_descriptors, "epoll_ctl close")
{
    struct epoll_event event = {.events = EPOLLIN};
    int sets[20], ends[2];

    limit_to(RLIMIT_NOFILE, 250);
    REQUIRE_OK(pipe(ends));
    for (int i = 0; i < 20; i++) {
        sets[i] = (int)REQUIRE_OK(SYS(epoll_create1, 0));
        for (int k = 0; k < 100; k++) {
            int copy = dup(ends[0]);

            if (copy < 0)
                break;
            EXPECT_OK(SYS(epoll_ctl, sets[i], EPOLL_CTL_ADD, copy, &event));
        }
        for (int fd = 30; fd < 190; fd++) {
            if (fd != sets[i])
                close(fd);
        }
    }
    EXPECT_EQ(write(ends[1], "x", 1), 1);
}

static int too_deep(volatile int depth)
{
    volatile char frame[512];

    frame[depth % 512] = 1;
    return depth < 0 ? 0 : too_deep(depth + 1) + frame[(depth + 1) % 512];
}

TEST(stack_overflow)
{
    pid_t pid;

    for (int i = 0; i < 5; i++) {
        IN_CHILD(pid) {
            _exit(too_deep(1));
        }
        EXPECT_KILLED(pid, SIGSEGV);
    }
}

TEST(long_names_and_deep_paths, "mkdir:ENAMETOOLONG open:ENAMETOOLONG")
{
    static char path[8000];
    char name[256];
    size_t used = 0;

    guest_scratch();
    memset(name, 'd', 255);
    name[255] = '\0';
    /* One component after another until the path as a whole is too long. */
    for (int i = 0; i < 20; i++) {
        memcpy(path + used, name, 255);
        path[used + 255] = '\0';
        if (mkdir(path, 0700) < 0)
            break;
        path[used + 255] = '/';
        used += 256;
    }
    EXPECT_EQ(errno, ENAMETOOLONG);
    EXPECT_GE(used, 15 * 256);
    EXPECT_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
}

TEST_SLOW(everything_at_once, 180, "fork mmap open clone")
{
    pid_t pids[6];

    for (int i = 0; i < 6; i++) {
        IN_CHILD(pids[i]) {
            limit_to(RLIMIT_NOFILE, 100 + (rlim_t)i * 10);
            for (int round = 0; round < 20; round++) {
                pthread_t thread;
                char *p;
                pid_t pid;
                int fd;

                while ((fd = open("/dev/zero", O_RDONLY)) >= 0)
                    continue;
                p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                REQUIRE(p != MAP_FAILED);
                memset(p, round, 1 << 20);
                if (pthread_create(&thread, NULL, wait_at_gate, NULL) == 0)
                    pthread_join(thread, NULL);
                IN_CHILD(pid) {
                    EXPECT_EQ(p[12345], round);
                }
                EXPECT_CHILD_OK(pid);
                munmap(p, 1 << 20);
                for (fd = 3; fd < 200; fd++) {
                    if (fd < 195)
                        close(fd);
                }
            }
        }
    }
    for (int i = 0; i < 6; i++)
        EXPECT_CHILD_OK(pids[i]);
}
