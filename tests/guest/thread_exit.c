/*
 * How a group of threads ends: exit_group, deadly signals, a leader that leaves first, execve and
 * fork from any of them.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

static atomic_int wrong;

HELPER(exit_with)
{
    return argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
}

/* After an exec by another thread: one thread, whose id is the group's */
HELPER(alone)
{
    return gettid() == getpid() && argc > 1 && getpid() == strtol(argv[1], NULL, 10) ? 21 : 22;
}

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);

    if (!guest_check(error == 0, __FILE__, __LINE__, "pthread_create: %s", strerror(error)))
        guest_finish();
    return thread;
}

static void *join(pthread_t thread)
{
    void *result = NULL;
    int error = pthread_join(thread, &result);

    guest_check(error == 0, __FILE__, __LINE__, "pthread_join: %s", strerror(error));
    return result;
}

static void *return_arg(void *arg)
{
    return arg;
}

static void *block_forever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static void *spin_forever(void *arg)
{
    (void)arg;
    for (volatile unsigned int i = 0;; i++)
        continue;
    return NULL;
}

static void *read_forever(void *arg)
{
    char byte;

    while (read(((int *)arg)[0], &byte, 1) >= 0)
        continue;
    return NULL;
}

/* crowd() - threads that block, spin and read */
static void crowd(void)
{
    static int ends[2];

    REQUIRE_OK(pipe(ends));
    for (int i = 0; i < 4; i++) {
        start(block_forever, NULL);
        start(read_forever, ends);
    }
    start(spin_forever, NULL);
    guest_sleep_ms(10);
}

TEST(exit_group_ends_all, "exit_group")
{
    pid_t pid;

    IN_CHILD(pid) {
        crowd();
        SYS(exit_group, 33);
    }
    EXPECT_EXIT(pid, 33);
}

static void *exit_group_44(void *arg)
{
    (void)arg;
    SYS(exit_group, 44);
    return NULL;
}

TEST(exit_group_from_thread, "exit_group")
{
    pid_t pid;

    IN_CHILD(pid) {
        crowd();
        start(exit_group_44, NULL);
        block_forever(NULL);
    }
    EXPECT_EXIT(pid, 44);
}

TEST(exit_group_races, "exit_group")
{
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t pid;

        IN_CHILD(pid) {
            for (int n = 0; n < 4; n++)
                start(exit_group_44, NULL);
            SYS(exit_group, 44);
        }
        status = guest_wait(pid);
        EXPECT_EQ(status, 44 << 8);
    }
}

TEST(fatal_signal_ends_all, "kill tgkill")
{
    pid_t pid;

    IN_CHILD(pid) {
        crowd();
        block_forever(NULL);
    }
    guest_sleep_ms(30);
    EXPECT_OK(kill(pid, SIGTERM));
    EXPECT_KILLED(pid, SIGTERM);
}

static void *crash(void *arg)
{
    *guest_pointer((uintptr_t)arg) = 1;
    return NULL;
}

TEST(crash_of_one_ends_all, "clone")
{
    pid_t pid;

    IN_CHILD(pid) {
        crowd();
        start(crash, (void *)8);
        block_forever(NULL);
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

static void *finish_later(void *arg)
{
    guest_sleep_ms(60);
    SYS(exit_group, (int)(uintptr_t)arg);
    return NULL;
}

TEST(leader_exits_first, "exit wait4")
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        start(finish_later, (void *)66);
        SYS(exit, 1);
    }
    guest_sleep_ms(20);
    /* The leader is gone, the group is not. */
    EXPECT_EQ(SYS(wait4, pid, &status, WNOHANG, NULL), 0);
    EXPECT_OK(kill(pid, 0));
    EXPECT_EXIT(pid, 66);
}

static void *sleep_and_return(void *arg)
{
    guest_sleep_ms(20);
    return arg;
}

TEST(leader_exits_then_last_exits, "exit")
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        start(sleep_and_return, NULL);
        SYS(exit, 5);
    }
    /* Nobody said exit_group: the leader's own status, or since Linux 6.0 that of the last. */
    status = guest_wait(pid);
    EXPECT(status == 5 << 8 || status == 0);
}

static atomic_int work_done;

static void *work_on(void *arg)
{
    char byte;
    int fd = open("/dev/zero", O_RDONLY);

    (void)arg;
    guest_sleep_ms(30);
    if (read(fd, &byte, 1) == 1 && getpid() != 0)
        work_done = 1;
    _exit(work_done == 1 ? 12 : 13);
    return NULL;
}

TEST(group_lives_without_leader, "exit read kill")
{
    pid_t pid;

    IN_CHILD(pid) {
        start(work_on, NULL);
        SYS(exit, 0);
    }
    EXPECT_EXIT(pid, 12);
}

TEST(kill_after_leader_exit, "kill")
{
    pid_t pid;

    IN_CHILD(pid) {
        start(block_forever, NULL);
        SYS(exit, 0);
    }
    guest_sleep_ms(30);
    EXPECT_OK(kill(pid, SIGTERM));
    EXPECT_KILLED(pid, SIGTERM);
}

static void *exec_helper(void *arg)
{
    const char **args = arg;

    SYS(execve, guest_self, args, environ);
    _exit(99);
    return NULL;
}

TEST(exec_from_thread, "execve")
{
    char pid_text[16];
    const char *args[] = {"self", "--helper", "alone", pid_text, NULL};
    pid_t pid;

    IN_CHILD(pid) {
        snprintf(pid_text, sizeof(pid_text), "%d", (int)getpid());
        crowd();
        start(exec_helper, args);
        block_forever(NULL);
    }
    /* The thread that executed has become the leader, with the group's id. */
    EXPECT_EXIT(pid, 21);
}

TEST(exec_from_leader, "execve")
{
    const char *args[] = {"self", "--helper", "exit_with", "31", NULL};
    pid_t pid;

    IN_CHILD(pid) {
        crowd();
        exec_helper(args);
    }
    EXPECT_EXIT(pid, 31);
}

TEST(exec_race, "execve")
{
    const char *args[] = {"self", "--helper", "exit_with", "32", NULL};

    for (int i = 0; i < 10; i++) {
        pid_t pid;

        IN_CHILD(pid) {
            for (int n = 0; n < 4; n++)
                start(exec_helper, args);
            exec_helper(args);
        }
        EXPECT_EXIT(pid, 32);
    }
}

TEST(exec_fails_threads_live, "execve:ENOENT")
{
    const char *args[] = {"x", NULL};
    pthread_t thread = start(return_arg, (void *)3);

    EXPECT_ERRNO(SYS(execve, "/no/such/file", args, environ), ENOENT);
    EXPECT_EQ((uintptr_t)join(thread), 3);
    EXPECT_EQ((uintptr_t)join(start(return_arg, (void *)4)), 4);
}

static void *vfork_and_exec(void *arg)
{
    const char *args[] = {"self", "--helper", "exit_with", "7", NULL};
    atomic_int *bad = arg;

    for (int i = 0; i < 5; i++) {
        pid_t pid = vfork();

        if (pid == 0) {
            SYS(execve, guest_self, args, environ);
            _exit(99);
        }
        if (guest_wait(pid) != 7 << 8)
            (*bad)++;
    }
    return NULL;
}

TEST(vfork_from_threads, "vfork execve")
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        threads[i] = start(vfork_and_exec, &wrong);
    for (int i = 0; i < 4; i++)
        join(threads[i]);
    EXPECT_EQ(wrong, 0);
}

static void *fork_in_thread(void *arg)
{
    atomic_int *bad = arg;
    pid_t pid = fork();

    if (pid == 0)
        _exit(gettid() == getpid() ? 3 : 4);
    if (guest_wait(pid) != 3 << 8)
        (*bad)++;
    return NULL;
}

TEST(fork_from_threads, "fork")
{
    pthread_t threads[10];

    for (int i = 0; i < 10; i++)
        threads[i] = start(fork_in_thread, &wrong);
    for (int i = 0; i < 10; i++)
        join(threads[i]);
    EXPECT_EQ(wrong, 0);
}
