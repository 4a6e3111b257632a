/*
 * System V semaphores: semget, semop, semtimedop, semctl.
 */
#include "tests/guest/guest.h"

#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

#define GONE (1 << 20)

static key_t own_key(int n)
{
    return (key_t)(0x52000000 + getpid() * 16 + n);
}

static int make(int n)
{
    return (int)REQUIRE_OK(SYS(semget, IPC_PRIVATE, n, IPC_CREAT | 0600));
}

static void end(int id)
{
    EXPECT_OK(SYS(semctl, id, 0, IPC_RMID, 0));
}

static long op1(int id, int num, int op, int flags)
{
    struct sembuf b = {(unsigned short)num, (short)op, (short)flags};

    return SYS(semop, id, &b, 1);
}

static long value(int id, int num)
{
    return SYS(semctl, id, num, GETVAL, 0);
}

static long waiting(int id, int num)
{
    return SYS(semctl, id, num, GETNCNT, 0);
}

TEST(get_and_set, "semget semctl semop")
{
    int id = make(3);
    unsigned short values[3] = {9, 8, 7};

    EXPECT_EQ(value(id, 0), 0);
    EXPECT_OK(SYS(semctl, id, 1, SETVAL, 5));
    EXPECT_EQ(value(id, 1), 5);
    EXPECT_OK(SYS(semctl, id, 0, GETALL, values));
    EXPECT(values[0] == 0 && values[1] == 5 && values[2] == 0);
    values[0] = 1;
    values[2] = 3;
    EXPECT_OK(SYS(semctl, id, 0, SETALL, values));
    EXPECT_EQ(value(id, 2), 3);
    EXPECT_OK(op1(id, 2, -2, 0));
    EXPECT_EQ(value(id, 2), 1);
    EXPECT_EQ(SYS(semctl, id, 2, GETPID, 0), getpid());
    EXPECT_OK(op1(id, 0, 10, 0));
    EXPECT_EQ(value(id, 0), 11);
    EXPECT_EQ(SYS(semctl, id, 1, GETPID, 0), getpid());
    end(id);
}

TEST(keys, "semget:EEXIST,ENOENT,EINVAL")
{
    key_t key = own_key(0);
    int id;

    EXPECT_ERRNO(SYS(semget, key, 1, 0), ENOENT);
    EXPECT_ERRNO(SYS(semget, key, 0, IPC_CREAT), EINVAL);
    EXPECT_ERRNO(SYS(semget, key, -1, IPC_CREAT), EINVAL);
    EXPECT_ERRNO(SYS(semget, IPC_PRIVATE, 1000000, IPC_CREAT), EINVAL);
    id = (int)REQUIRE_OK(SYS(semget, key, 2, IPC_CREAT | IPC_EXCL | 0600));
    EXPECT_EQ(SYS(semget, key, 0, 0), id);
    EXPECT_EQ(SYS(semget, key, 2, IPC_CREAT | 0600), id);
    EXPECT_ERRNO(SYS(semget, key, 3, 0), EINVAL);
    EXPECT_ERRNO(SYS(semget, key, 2, IPC_CREAT | IPC_EXCL), EEXIST);
    end(id);
    EXPECT_ERRNO(SYS(semget, key, 2, 0), ENOENT);
    EXPECT_ERRNO(SYS(semctl, id, 0, GETVAL, 0), EINVAL);
}

TEST(op_errors, "semop:EINVAL,EFBIG,E2BIG,EAGAIN,EFAULT,ERANGE")
{
    int id = make(2);
    struct sembuf many[600] = {{0}};

    EXPECT_ERRNO(op1(id, 2, 1, 0), EFBIG);
    EXPECT_ERRNO(op1(id, 0, -1, IPC_NOWAIT), EAGAIN);
    EXPECT_OK(op1(id, 0, 1, 0));
    EXPECT_ERRNO(op1(id, 0, 0, IPC_NOWAIT), EAGAIN);
    EXPECT_OK(op1(id, 1, 0, IPC_NOWAIT));
    EXPECT_OK(op1(id, 0, 32766, 0));
    EXPECT_ERRNO(op1(id, 0, 1, 0), ERANGE);
    EXPECT_EQ(value(id, 0), 32767);
    EXPECT_ERRNO(SYS(semop, id, many, 0), EINVAL);
    EXPECT_ERRNO(SYS(semop, id, many, 600), E2BIG);
    EXPECT_OK(SYS(semop, id, many + 1, 0) == -1 ? 0 : -1);
    EXPECT_ERRNO(SYS(semop, id, guest_bad_page(), 1), EFAULT);
    EXPECT_ERRNO(SYS(semop, -1, many, 1), EINVAL);
    EXPECT_ERRNO(SYS(semop, id + GONE, many, 1), EINVAL);
    end(id);
}

TEST(several_at_once, "semop")
{
    int id = make(3);
    struct sembuf ops[] = {{0, 2, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
    struct sembuf twice[] = {{0, 1, 0}, {0, -1, 0}, {0, 0, 0}, {0, 4, 0}};

    EXPECT_ERRNO(SYS(semop, id, ops, 3), EAGAIN);
    EXPECT_EQ(value(id, 0), 0);
    EXPECT_EQ(value(id, 1), 0);
    EXPECT_OK(op1(id, 2, 1, 0));
    EXPECT_OK(SYS(semop, id, ops, 3));
    EXPECT_EQ(value(id, 0), 2);
    EXPECT_EQ(value(id, 1), 1);
    EXPECT_EQ(value(id, 2), 0);
    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 0));
    EXPECT_OK(SYS(semop, id, twice, 4));
    EXPECT_EQ(value(id, 0), 4);
    end(id);
}

TEST(ctl_errors, "semctl:EINVAL,ERANGE,EFAULT")
{
    int id = make(2);
    unsigned short big[2] = {1, 40000};
    struct semid_ds ds;

    EXPECT_ERRNO(SYS(semctl, id, 2, GETVAL, 0), EINVAL);
    EXPECT_ERRNO(SYS(semctl, id, -1, GETVAL, 0), EINVAL);
    EXPECT_ERRNO(SYS(semctl, id, 0, SETVAL, -1), ERANGE);
    EXPECT_ERRNO(SYS(semctl, id, 0, SETVAL, 32768), ERANGE);
    EXPECT_ERRNO(SYS(semctl, id, 9, SETVAL, 1), EINVAL);
    EXPECT_ERRNO(SYS(semctl, id, 0, SETALL, big), ERANGE);
    EXPECT_EQ(value(id, 0), 0);
    EXPECT_ERRNO(SYS(semctl, id, 0, SETALL, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(semctl, id, 0, GETALL, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(semctl, id, 0, IPC_STAT, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(semctl, id, 0, IPC_SET, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(semctl, id, 0, 9999, 0), EINVAL);
    EXPECT_ERRNO(SYS(semctl, -1, 0, IPC_STAT, &ds), EINVAL);
    EXPECT_ERRNO(SYS(semctl, id + GONE, 0, IPC_STAT, &ds), EINVAL);
    end(id);
}

TEST(stat, "semctl")
{
    int id = (int)REQUIRE_OK(SYS(semget, own_key(1), 4, IPC_CREAT | IPC_EXCL | 0640));
    struct semid_ds ds;
    struct seminfo info;
    long last;
    int found = 0;

    EXPECT_OK(SYS(semctl, id, 0, IPC_STAT, &ds));
    EXPECT_EQ(ds.sem_nsems, 4);
    EXPECT_EQ(ds.sem_perm.mode, 0640);
    EXPECT_EQ(ds.sem_perm.__key, own_key(1));
    EXPECT_EQ(ds.sem_otime, 0);
    EXPECT_GT(ds.sem_ctime, 0);
    EXPECT_OK(op1(id, 0, 1, 0));
    ds.sem_perm.mode = 0777;
    EXPECT_OK(SYS(semctl, id, 0, IPC_SET, &ds));
    EXPECT_OK(SYS(semctl, id, 0, IPC_STAT, &ds));
    EXPECT_GT(ds.sem_otime, 0);
    EXPECT_EQ(ds.sem_perm.mode, 0777);
    EXPECT_GE(SYS(semctl, 0, 0, IPC_INFO, &info), 0);
    EXPECT_GE(info.semopm, 100);
    EXPECT_EQ(info.semvmx, 32767);
    last = SYS(semctl, 0, 0, SEM_INFO, &info);
    EXPECT_GE(info.semusz, 1);
    EXPECT_GE(info.semaem, 4);
    for (long i = 0; i <= last; i++)
        found +=
            SYS(semctl, i, 0, SEM_STAT, &ds) == id && SYS(semctl, i, 0, SEM_STAT_ANY, &ds) == id;
    EXPECT_EQ(found, 1);
    /* An id stands for its slot. */
    EXPECT_EQ(SYS(semctl, id, 0, SEM_STAT, &ds), id);
    EXPECT_EQ(SYS(semctl, id + GONE, 0, SEM_STAT, &ds), id);
    end(id);
}

TEST(blocks_until_up, "semop semctl")
{
    int id = make(1);
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, -3, 0));
    }
    WAIT_UNTIL(waiting(id, 0) == 1);
    EXPECT_EQ(SYS(semctl, id, 0, GETZCNT, 0), 0);
    EXPECT_OK(op1(id, 0, 2, 0));
    EXPECT_EQ(waiting(id, 0), 1);
    EXPECT_EQ(value(id, 0), 2);
    EXPECT_OK(op1(id, 0, 2, 0));
    EXPECT_EQ(value(id, 0), 1);
    EXPECT_EQ(SYS(semctl, id, 0, GETPID, 0), pid);
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(blocks_until_zero, "semop semctl")
{
    int id = make(1);
    pid_t pid;

    EXPECT_OK(op1(id, 0, 1, 0));
    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, 0, 0));
    }
    WAIT_UNTIL(SYS(semctl, id, 0, GETZCNT, 0) == 1);
    EXPECT_EQ(waiting(id, 0), 0);
    EXPECT_OK(op1(id, 0, -1, 0));
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(first_come_first_served, "semop")
{
    int id = make(2);
    int *order = guest_shared(sizeof(int) * 8);
    pid_t pids[3];

    for (int k = 0; k < 3; k++) {
        IN_CHILD(pids[k])
        {
            EXPECT_OK(op1(id, 0, -1, 0));
            order[__atomic_add_fetch(&order[7], 1, __ATOMIC_SEQ_CST)] = k + 1;
            EXPECT_OK(op1(id, 1, 1, 0));
        }
        WAIT_UNTIL(waiting(id, 0) == k + 1);
    }
    for (int k = 0; k < 3; k++) {
        EXPECT_OK(op1(id, 0, 1, 0));
        EXPECT_OK(op1(id, 1, -1, 0));
        EXPECT_EQ(order[k + 1], k + 1);
    }
    for (int k = 0; k < 3; k++)
        EXPECT_CHILD_OK(pids[k]);
    end(id);
}

TEST(setval_wakes, "semctl semop")
{
    int id = make(2);
    unsigned short values[2] = {0, 2};
    pid_t a, b;

    IN_CHILD(a)
    {
        EXPECT_OK(op1(id, 0, -5, 0));
    }
    IN_CHILD(b)
    {
        EXPECT_OK(op1(id, 1, -2, 0));
    }
    WAIT_UNTIL(waiting(id, 0) == 1 && waiting(id, 1) == 1);
    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 6));
    EXPECT_CHILD_OK(a);
    EXPECT_EQ(value(id, 0), 1);
    EXPECT_OK(SYS(semctl, id, 0, SETALL, values));
    EXPECT_CHILD_OK(b);
    EXPECT_EQ(value(id, 1), 0);
    end(id);
}

TEST(removed_while_waiting, "semop:EIDRM")
{
    int id = make(1);
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_ERRNO(op1(id, 0, -1, SEM_UNDO), EIDRM);
    }
    WAIT_UNTIL(waiting(id, 0) == 1);
    end(id);
    EXPECT_CHILD_OK(pid);
}

TEST(interrupted, "semop:EINTR semtimedop:EINTR")
{
    int id = make(1);
    struct sembuf b = {0, -1, 0};
    struct timespec far = {1000, 0};
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 5);
    EXPECT_ERRNO(SYS(semop, id, &b, 1), EINTR);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &far), EINTR);
    guest_end(pest);
    EXPECT_EQ(waiting(id, 0), 0);
    end(id);
}

TEST(killed_while_waiting, "semop")
{
    int id = make(1);
    pid_t pid;

    IN_CHILD(pid)
    {
        op1(id, 0, -1, 0);
    }
    WAIT_UNTIL(waiting(id, 0) == 1);
    guest_end(pid);
    EXPECT_EQ(waiting(id, 0), 0);
    EXPECT_OK(op1(id, 0, 1, 0));
    EXPECT_EQ(value(id, 0), 1);
    end(id);
}

TEST(timed, "semtimedop semtimedop:EAGAIN,EINVAL,EFAULT,EFBIG,E2BIG,ERANGE,EIDRM")
{
    int id = make(1);
    struct sembuf b = {0, -1, 0}, up = {0, 1, 0}, wrong = {5, 1, 0};
    struct timespec soon = {0, 30000000}, bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0};
    int64_t start = guest_now_ns();
    pid_t pid;

    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &soon), EAGAIN);
    EXPECT_GE(guest_now_ns() - start, 30000000);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &zero), EAGAIN);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &bad), EINVAL);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &negative), EINVAL);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(semtimedop, id, guest_bad_page(), 1, &soon), EFAULT);
    EXPECT_ERRNO(SYS(semtimedop, id, &wrong, 1, NULL), EFBIG);
    EXPECT_ERRNO(SYS(semtimedop, id, &b, 100000, NULL), E2BIG);
    EXPECT_OK(SYS(semtimedop, id, &up, 1, NULL));
    EXPECT_OK(SYS(semtimedop, id, &b, 1, &soon));
    up.sem_op = 32767;
    EXPECT_OK(SYS(semtimedop, id, &up, 1, NULL));
    EXPECT_ERRNO(SYS(semtimedop, id, &up, 1, NULL), ERANGE);
    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 0));
    IN_CHILD(pid)
    {
        struct timespec far = {100, 0};

        EXPECT_ERRNO(SYS(semtimedop, id, &b, 1, &far), EIDRM);
    }
    WAIT_UNTIL(waiting(id, 0) == 1);
    end(id);
    EXPECT_CHILD_OK(pid);
}

TEST(undone_at_exit, "semop exit")
{
    int id = make(3);
    pid_t pid;

    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 3));
    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, -2, SEM_UNDO));
        EXPECT_OK(op1(id, 1, 5, SEM_UNDO));
        EXPECT_OK(op1(id, 1, -1, SEM_UNDO));
        EXPECT_OK(op1(id, 2, 7, 0));
        EXPECT_EQ(value(id, 0), 1);
        EXPECT_EQ(value(id, 1), 4);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(value(id, 0), 3);
    EXPECT_EQ(value(id, 1), 0);
    EXPECT_EQ(value(id, 2), 7);
    EXPECT_EQ(SYS(semctl, id, 0, GETPID, 0), pid);
    end(id);
}

TEST(undo_wakes_and_stops_at_zero, "semop kill")
{
    int id = make(2), ends[2];
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 1));
    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, -1, SEM_UNDO));
        EXPECT_OK(op1(id, 1, 5, SEM_UNDO));
        REQUIRE(write(ends[1], "x", 1) == 1);
        pause();
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    EXPECT_OK(op1(id, 1, -3, 0));
    kill(pid, SIGKILL);
    EXPECT_OK(op1(id, 0, -1, 0));
    EXPECT_KILLED(pid, SIGKILL);
    EXPECT_EQ(value(id, 1), 0);
    end(id);
}

TEST(setval_forgets_undo, "semctl semop")
{
    int id = make(2), ends[2];
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, 5, SEM_UNDO));
        EXPECT_OK(op1(id, 1, 5, SEM_UNDO));
        REQUIRE(write(ends[1], "x", 1) == 1);
        pause();
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    EXPECT_OK(SYS(semctl, id, 0, SETVAL, 9));
    guest_end(pid);
    EXPECT_EQ(value(id, 0), 9);
    EXPECT_EQ(value(id, 1), 0);
    end(id);
}

TEST(undo_over_exec_not_fork, "semop fork execve")
{
    int id = make(1), ends[2];
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    EXPECT_OK(op1(id, 0, 4, SEM_UNDO));
    IN_CHILD(pid)
    {
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(value(id, 0), 4);
    IN_CHILD(pid)
    {
        const char *args[] = {"self", "--helper", "tell_and_wait", NULL};

        dup2(ends[1], STDOUT_FILENO);
        EXPECT_OK(op1(id, 0, 3, SEM_UNDO));
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    EXPECT_EQ(value(id, 0), 7);
    guest_end(pid);
    EXPECT_EQ(value(id, 0), 4);
    end(id);
}

HELPER(tell_and_wait)
{
    if (write(STDOUT_FILENO, "x", 1) == 1)
        pause();
    return 0;
}

static void *thread_takes(void *arg)
{
    int id = *(int *)arg;

    EXPECT_OK(op1(id, 0, 3, SEM_UNDO));
    return NULL;
}

TEST(undo_is_the_process_s, "semop clone")
{
    int id = make(1);
    pid_t pid;

    IN_CHILD(pid)
    {
        pthread_t th;

        REQUIRE(pthread_create(&th, NULL, thread_takes, &id) == 0);
        pthread_join(th, NULL);
        /* Its thread has ended, it has not. */
        EXPECT_EQ(value(id, 0), 3);
        EXPECT_OK(op1(id, 0, 2, SEM_UNDO));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(value(id, 0), 0);
    end(id);
}

TEST(undo_range, "semop:ERANGE")
{
    int id = make(1);
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_OK(op1(id, 0, 32767, SEM_UNDO));
        EXPECT_OK(op1(id, 0, -32767, 0));
        EXPECT_OK(op1(id, 0, 1, SEM_UNDO));
        EXPECT_ERRNO(op1(id, 0, 1, SEM_UNDO), ERANGE);
        EXPECT_EQ(value(id, 0), 1);
    }
    EXPECT_CHILD_OK(pid);
    end(id);
}

static void become(int id)
{
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, id, id, id));
    REQUIRE_OK(SYS(setresuid, id, id, id));
}

TEST(permissions, "semget:EACCES semop:EACCES semctl:EACCES,EPERM semtimedop:EACCES")
{
    struct semid_ds ds;
    struct sembuf up = {0, 1, 0};
    key_t key = own_key(2);
    int id;
    pid_t pid;

    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID))
        SKIP("needs root");
    id = (int)REQUIRE_OK(SYS(semget, key, 1, IPC_CREAT | IPC_EXCL | 0604));
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_EQ(SYS(semget, key, 1, 0444), id);
        EXPECT_ERRNO(SYS(semget, key, 1, 0222), EACCES);
        EXPECT_OK(op1(id, 0, 0, 0));
        EXPECT_ERRNO(op1(id, 0, 1, 0), EACCES);
        EXPECT_ERRNO(SYS(semtimedop, id, &up, 1, NULL), EACCES);
        EXPECT_EQ(value(id, 0), 0);
        EXPECT_ERRNO(SYS(semctl, id, 0, SETVAL, 1), EACCES);
        EXPECT_OK(SYS(semctl, id, 0, IPC_STAT, &ds));
        EXPECT_ERRNO(SYS(semctl, id, 0, IPC_SET, &ds), EPERM);
        EXPECT_ERRNO(SYS(semctl, id, 0, IPC_RMID, 0), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    end(id);
    id = (int)REQUIRE_OK(SYS(semget, key, 1, IPC_CREAT | IPC_EXCL | 0600));
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_ERRNO(SYS(semctl, id, 0, GETVAL, 0), EACCES);
        EXPECT_ERRNO(SYS(semctl, id, 0, IPC_STAT, &ds), EACCES);
    }
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(listed_in_proc, "semget")
{
    int id = (int)REQUIRE_OK(SYS(semget, own_key(3), 6, IPC_CREAT | IPC_EXCL | 0640));
    char want[200], *text = malloc(1 << 20);

    REQUIRE(guest_slurp("/proc/sysvipc/sem", text, 1 << 20) > 0);
    EXPECT(strstr(text,
                  "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
                  "ctime\n") == text);
    snprintf(want, sizeof(want), "\n%10d %10d  %4o %10d %5d %5d %5d %5d          0 ", own_key(3),
             id, 0640, 6, (int)geteuid(), (int)getegid(), (int)geteuid(), (int)getegid());
    EXPECT(strstr(text, want) != NULL);
    REQUIRE(guest_slurp("/proc/sys/kernel/sem", text, 100) > 0);
    EXPECT_GT(strtol(text, NULL, 10), 0);
    end(id);
}

/* Token passing among many: each value is taken exactly once. */
TEST_SLOW(ring, 60, "semop")
{
    enum { N = 6, ROUNDS = 200 };
    int id = make(N);
    int *turns = guest_shared(sizeof(int));
    pid_t pids[N];

    for (int k = 0; k < N; k++) {
        IN_CHILD(pids[k])
        {
            for (int i = 0; i < ROUNDS; i++) {
                struct sembuf pass[] = {{(unsigned short)((k + 1) % N), 1, 0}};

                EXPECT_OK(op1(id, k, -1, 0));
                EXPECT_EQ(*turns, i * N + k);
                ++*turns;
                EXPECT_OK(SYS(semop, id, pass, 1));
            }
        }
    }
    EXPECT_OK(op1(id, 0, 1, 0));
    for (int k = 0; k < N; k++)
        EXPECT_CHILD_OK(pids[k]);
    EXPECT_EQ(*turns, N * ROUNDS);
    end(id);
}
