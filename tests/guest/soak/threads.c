/* Loads: threads are made and end, in processes that end or execute at the same time. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct adders {
    _Atomic(uint64_t) sum, order;
};

static _Thread_local uint64_t own;

static void *adder(void *arg)
{
    struct adders *a = arg;
    uint64_t mine = a->order++;
    char stack[4096];

    own = mine;
    soak_fill(stack, sizeof(stack), mine);
    for (int i = 0; i < 20; i++) {
        a->sum += mine;
        sched_yield();
    }
    EXPECT_EQ(own, mine);
    EXPECT_EQ(soak_filled(stack, sizeof(stack), mine), sizeof(stack));
    return NULL;
}

LOAD(threads_join)
{
    unsigned int n = 1 + soak_below(s, 12);
    struct adders a = {0};

    soak_threads(n, adder, &a);
    EXPECT_EQ(a.sum, 20ull * n * (n - 1) / 2);
}

static void *detached(void *arg)
{
    struct adders *a = arg;

    pthread_detach(pthread_self());
    a->sum++;
    return NULL;
}

LOAD(threads_detached)
{
    unsigned int n = 1 + soak_below(s, 12);
    struct adders a = {0};

    for (unsigned int i = 0; i < n; i++)
        soak_thread(detached, &a);
    WAIT_UNTIL(a.sum == n);
}

/* What the threads of a process that ends do: nothing that is of use. */
static void *busy(void *arg)
{
    volatile uint64_t *counter = arg;

    for (;;) {
        ++*counter;
        if (*counter % 64 == 0)
            sched_yield();
        if (*counter % 1024 == 0)
            guest_sleep_ms(1);
    }
    return NULL;
}

static void *leaves(void *arg)
{
    struct soak *s = arg;

    soak_nap(s, 1500);
    SYS(exit_group, 11 + soak_below(s, 3));
    return NULL;
}

LOAD(exit_group_race)
{
    pid_t pid = SOAK_FORK_BARE();
    int status;

    if (pid == 0) {
        uint64_t counter = 0;
        struct soak others[3] = {*s, *s, *s};

        for (int i = 0; i < 3; i++) {
            others[i].random += (uint64_t)i + 1;
            soak_thread(busy, &counter);
            soak_thread(leaves, &others[i]);
        }
        soak_nap(s, 1500);
        SYS(exit_group, 14);
    }
    status = guest_wait(pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) >= 11 && WEXITSTATUS(status) <= 14);
}

static void *last(void *arg)
{
    struct soak *s = arg;

    soak_nap(s, 3000);
    exit(21);
}

LOAD(leader_first)
{
    pid_t pid = SOAK_FORK_BARE();
    siginfo_t info = {0};

    if (pid == 0) {
        soak_thread(last, s);
        SYS(exit, 5);
    }
    EXPECT_OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
    EXPECT_EQ(info.si_code, CLD_EXITED);
    EXPECT_EQ(info.si_status, 21);
}

/* alone PID - after the execve of a thread the process has one, of the process's own number */
HELPER(alone)
{
    char text[64];

    if (argc < 2 || getpid() != (int)strtol(argv[1], NULL, 10) || SYS(gettid) != getpid())
        return 1;
    snprintf(text, sizeof(text), "/proc/%d/task/%d", getpid(), getpid() + 1);
    return 42;
}

static void *executes(void *arg)
{
    char pid[16];

    soak_nap(arg, 1000);
    snprintf(pid, sizeof(pid), "%d", getpid());
    execl(guest_self, guest_self, "--helper", "alone", pid, NULL);
    _exit(3);
}

LOAD(exec_from_thread)
{
    pid_t pid = SOAK_FORK_BARE();
    int status;

    if (pid == 0) {
        uint64_t counter = 0;
        struct soak others[2] = {*s, *s};

        for (int i = 0; i < 3; i++)
            soak_thread(busy, &counter);
        others[1].random++;
        soak_thread(executes, &others[0]);
        if (soak_coin(s, 2))
            soak_thread(executes, &others[1]);
        if (soak_coin(s, 2))
            executes(s);
        busy(&counter);
    }
    status = guest_wait(pid);
    EXPECT_EQ(status, 42 << 8);
}

static void *sleeps(void *arg)
{
    int *fds = arg;
    char byte;

    if (fds[0] < 0)
        guest_sleep_ms(1000000);
    else
        EXPECT_EQ(read(fds[0], &byte, 1), 1);
    return NULL;
}

LOAD(cancel)
{
    int fds[2] = {-1, -1};
    pthread_t thread;
    void *result = NULL;

    if (soak_coin(s, 2))
        soak_pipe(fds, 0);
    thread = soak_thread(sleeps, fds);
    soak_nap(s, 1000);
    EXPECT_EQ(pthread_cancel(thread), 0);
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT(result == PTHREAD_CANCELED);
    if (fds[0] >= 0) {
        close(fds[0]);
        close(fds[1]);
    }
}

static void *storms(void *arg)
{
    struct soak *s = arg;

    for (;;)
        soak_random_load(s, false)->run(s);
    return NULL;
}

/* storm() - a process whose threads run random loads until something ends it. What their children
 * see of that end is nobody's business. */
static void storm(struct soak *s, uint32_t how)
{
    int nowhere = (int)REQUIRE_OK(open("/dev/null", O_WRONLY | O_CLOEXEC));
    struct soak others[3];

    if (!getenv("SOAK_LOUD")) {
        REQUIRE_OK(dup2(nowhere, STDOUT_FILENO));
        REQUIRE_OK(dup2(nowhere, STDERR_FILENO));
    }
    for (int i = 0; i < 3; i++) {
        char name[8];

        others[i] = *s;
        others[i].random += (uint64_t)i * 77;
        snprintf(name, sizeof(name), "%d", i);
        soak_enter(&others[i], name);
        soak_thread(storms, &others[i]);
    }
    soak_nap(s, 100000);
    if (how == 0)
        SYS(exit_group, 42);
    if (how == 1)
        execl(guest_self, guest_self, "--helper", "echo", "42", "0", NULL);
    for (;;)
        pause();
}

/* A process is gone, whatever its threads and children were at. */
LOAD(storm)
{
    static _Atomic(int) inside;
    uint32_t how = soak_below(s, 4);
    int status;
    pid_t pid;

    if (inside++) { /* not within another: a storm of storms ends late */
        inside--;
        return;
    }
    soak_enter(s, "storm");
    pid = SOAK_FORK_BARE();
    if (pid == 0)
        storm(s, how);
    soak_nap(s, 100000);
    if (how == 2)
        EXPECT_OK(kill(pid, SIGSTOP));
    if (how >= 2)
        EXPECT_OK(kill(pid, SIGKILL));
    status = guest_wait(pid);
    EXPECT_EQ(status, how >= 2 ? SIGKILL : 42 << 8);
    soak_leave(s);
    inside--;
}
