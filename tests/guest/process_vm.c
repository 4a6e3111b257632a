/*
 * Looking into other processes: process_vm_readv(2) and _writev, kcmp(2), what ptrace(2) refuses; and
 * what the scheduler is told: sched_setattr(2); personality(2), tee(2), odd prctl(2)s.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static pid_t sleeper(void)
{
    pid_t pid;

    IN_CHILD(pid)
    {
        for (;;)
            pause();
    }
    return pid;
}

static long vm_readv(pid_t pid, void *to, size_t n, const void *from, size_t m)
{
    struct iovec local = {to, n}, remote = {(void *)from, m};

    return SYS(process_vm_readv, pid, &local, 1, &remote, 1, 0);
}

TEST(process_vm_basic, "process_vm_readv process_vm_writev")
{
    char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *copy = malloc(1 << 20), small[16] = "before";
    struct iovec local[2], remote[2];
    pid_t pid;

    NEEDS(process_vm_readv);
    for (int i = 0; i < 1 << 20; i++)
        memory[i] = (char)(i * 7 + i / 256);
    pid = sleeper();
    memory[0] = 99; /* the child has its own */
    EXPECT_EQ(vm_readv(pid, copy, 1 << 20, memory, 1 << 20), 1 << 20);
    EXPECT_EQ(copy[0], 0);
    EXPECT_MEMEQ(copy + 1, memory + 1, (1 << 20) - 1);
    local[0] = (struct iovec){small, 3};
    local[1] = (struct iovec){small + 8, 4};
    remote[0] = (struct iovec){memory + 10, 2};
    remote[1] = (struct iovec){memory + 100, 5};
    EXPECT_EQ(SYS(process_vm_writev, pid, local, 2, remote, 2, 0), 7);
    EXPECT_EQ(vm_readv(pid, copy, 200, memory, 200), 200);
    EXPECT(copy[10] == 'b' && copy[11] == 'e' && copy[100] == 'f' && copy[12] == memory[12]);
    EXPECT_EQ(vm_readv(getpid(), copy, 8, "himself", 8), 8);
    EXPECT_STREQ(copy, "himself");
    guest_end(pid);
}

TEST(process_vm_errors,
     "process_vm_readv:EINVAL,EFAULT,ESRCH,EPERM process_vm_writev:EINVAL,EFAULT,ESRCH")
{
    char buf[64], *bad = guest_bad_page();
    struct iovec v = {buf, 8}, nothing = {buf, 0}, far_away = {bad - 4, 8}, all_bad = {bad, 8};
    pid_t pid, other;

    NEEDS(process_vm_readv);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), &v, 1, &v, 1, 1), EINVAL);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), &v, 1025, &v, 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), &v, 1, &v, 1025, 0), EINVAL);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), 8, 1, &v, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), &v, 1, 8, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(process_vm_readv, 0x3ffff0, &v, 1, &v, 1, 0), ESRCH);
    EXPECT_EQ(SYS(process_vm_readv, 0x3ffff0, &v, 0, &v, 1, 0), 0);
    EXPECT_EQ(SYS(process_vm_readv, 0x3ffff0, &v, 1, &nothing, 1, 0), 0);
    EXPECT_EQ(SYS(process_vm_readv, getpid(), &v, 1, &v, 0, 0), 0);
    EXPECT_EQ(SYS(process_vm_readv, getpid(), &v, 1, &far_away, 1, 0), 4);
    EXPECT_ERRNO(SYS(process_vm_readv, getpid(), &v, 1, &all_bad, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(process_vm_writev, getpid(), &v, 1, &all_bad, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(process_vm_writev, 0x3ffff0, &v, 1, &v, 1, 0), ESRCH);
    EXPECT_ERRNO(SYS(process_vm_writev, getpid(), &v, 1, &v, 1, 1), EINVAL);
    if (geteuid() != 0)
        SKIP("only root can become somebody else");
    pid = sleeper();
    IN_CHILD(other)
    {
        EXPECT_OK(SYS(setuid, 54321));
        EXPECT_ERRNO(vm_readv(pid, buf, 8, buf, 8), EPERM);
    }
    EXPECT_CHILD_OK(other);
    guest_end(pid);
}

TEST(process_vm_namespaces, "process_vm_readv:EPERM unshare")
{
    pid_t pid = sleeper(), other;
    char buf[8];
    int status;

    NEEDS(process_vm_readv);
    /* All capabilities of one user namespace are none over who is in the one above. */
    IN_CHILD(other)
    {
        if (SYS(unshare, CLONE_NEWUSER) < 0)
            _exit(77);
        EXPECT_ERRNO(vm_readv(pid, buf, 8, buf, 8), EPERM);
    }
    status = guest_wait(other);
    guest_end(pid);
    if (status == 77 << 8)
        SKIP("user namespaces are not allowed here");
    EXPECT_EQ(status, 0);
}

#define KCMP_FILE    0
#define KCMP_VM      1
#define KCMP_FILES   2
#define KCMP_FS      3
#define KCMP_SIGHAND 4
#define KCMP_SYSVSEM 6
#define KCMP_EPOLL_TFD 7

TEST(kcmp_basic, "kcmp kcmp:EINVAL,EBADF,ESRCH")
{
    pid_t me = getpid(), pid;
    int ends[2], copy;

    NEEDS(kcmp);
    REQUIRE_OK(pipe(ends));
    copy = (int)REQUIRE_OK(dup(ends[0]));
    pid = sleeper();
    EXPECT_EQ(SYS(kcmp, me, me, KCMP_FILE, ends[0], copy), 0);
    EXPECT_EQ(SYS(kcmp, me, pid, KCMP_FILE, ends[0], copy), 0);
    EXPECT_NE(SYS(kcmp, me, me, KCMP_FILE, ends[0], ends[1]), 0);
    EXPECT_EQ(SYS(kcmp, me, me, KCMP_FILE, ends[0], ends[1]) +
                  SYS(kcmp, me, me, KCMP_FILE, ends[1], ends[0]),
              3); /* an order */
    EXPECT_EQ(SYS(kcmp, me, me, KCMP_VM, 0, 0), 0);
    EXPECT_GT(SYS(kcmp, me, pid, KCMP_VM, 0, 0), 0);
    EXPECT_GT(SYS(kcmp, me, pid, KCMP_FILES, 0, 0), 0);
    EXPECT_GT(SYS(kcmp, me, pid, KCMP_FS, 0, 0), 0);
    EXPECT_GT(SYS(kcmp, me, pid, KCMP_SIGHAND, 0, 0), 0);
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_FILE, 999, ends[0]), EBADF);
    EXPECT_ERRNO(SYS(kcmp, me, me, 99, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(kcmp, me, 0x3ffff0, KCMP_VM, 0, 0), ESRCH);
    guest_end(pid);
}

/* Lists of semaphore adjustments are equal while both have none; and the same one with CLONE_SYSVSEM. */
TEST(kcmp_sysvsem, "kcmp clone semop")
{
    pid_t me = getpid(), other, sharer;
    struct sembuf take = {.sem_op = 1, .sem_flg = SEM_UNDO};
    int set;

    NEEDS(kcmp);
    other = sleeper();
    EXPECT_EQ(SYS(kcmp, me, other, KCMP_SYSVSEM, 0, 0), 0);
    set = (int)REQUIRE_OK(SYS(semget, IPC_PRIVATE, 1, 0600));
    REQUIRE_OK(SYS(semop, set, &take, 1));
    EXPECT_GT(SYS(kcmp, me, other, KCMP_SYSVSEM, 0, 0), 0);
    sharer = (pid_t)SYS(clone, CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0);
    if (sharer == 0) {
        for (;;)
            pause();
    }
    EXPECT_EQ(SYS(kcmp, me, sharer, KCMP_SYSVSEM, 0, 0), 0);
    guest_end(sharer);
    guest_end(other);
    SYS(semctl, set, 0, IPC_RMID, 0);
}

TEST(kcmp_epoll, "kcmp kcmp:EFAULT,EBADF,EINVAL,ENOENT")
{
    struct { uint32_t epoll, fd, nth; } slot = {0};
    struct epoll_event ev = {.events = EPOLLIN};
    pid_t me = getpid();
    int ends[2], more[2], ep;

    NEEDS(kcmp);
    REQUIRE_OK(pipe(ends));
    REQUIRE_OK(pipe(more));
    ep = (int)REQUIRE_OK(SYS(epoll_create1, 0));
    if (SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], NULL) < 0 && errno == EINVAL)
        SKIP("this kernel cannot compare what epoll watches");
    slot.epoll = (uint32_t)ep;
    slot.fd = 700;
    REQUIRE_OK(SYS(dup2, ends[0], 700));
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, 700, &ev));
    EXPECT_EQ(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], &slot), 0);
    EXPECT_GT(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[1], &slot), 0);
    /* The number can be watched twice: what it was before, and what it is now. */
    REQUIRE_OK(SYS(dup2, more[0], 700));
    EXPECT_OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, 700, &ev));
    slot.nth = 1;
    EXPECT_GT(SYS(kcmp, me, me, KCMP_EPOLL_TFD, more[1], &slot), 0);
    slot.nth = 2;
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], &slot), ENOENT);
    slot.nth = 0;
    slot.fd = 701;
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], &slot), ENOENT);
    slot.epoll = (uint32_t)ends[0];
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], &slot), EINVAL);
    slot.epoll = 999;
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], &slot), EBADF);
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, 999, &slot), EBADF);
    EXPECT_ERRNO(SYS(kcmp, me, me, KCMP_EPOLL_TFD, ends[0], 16), EFAULT);
}

TEST(ptrace_refused, "ptrace:EPERM ptrace:ESRCH")
{
    pid_t pid = sleeper();

    EXPECT_ERRNO(SYS(ptrace, PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    EXPECT_ERRNO(SYS(ptrace, PTRACE_ATTACH, 0x3ffff0, 0, 0), ESRCH);
    EXPECT_ERRNO(SYS(ptrace, PTRACE_PEEKUSER, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(SYS(ptrace, PTRACE_CONT, pid, 0, 0), ESRCH);
    guest_end(pid);
}

/* --- scheduling --- */

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

TEST(
    sched_attr,
    "sched_setattr sched_getattr sched_setattr:EINVAL,EFAULT,ESRCH,E2BIG sched_getattr:EINVAL,ESRCH,EFAULT")
{
    struct attr a = {.size = 48, .policy = SCHED_BATCH, .nice = 5}, got = {0};

    EXPECT_OK(SYS(sched_setattr, 0, &a, 0));
    EXPECT_OK(SYS(sched_getattr, 0, &got, sizeof(got), 0));
    EXPECT_EQ(got.policy, SCHED_BATCH);
    EXPECT_EQ(got.nice, 5);
    EXPECT_EQ(got.size, 56);
    EXPECT_EQ(SYS(getpriority, 0, 0), 15);
    EXPECT_EQ(SYS(sched_getscheduler, 0), SCHED_BATCH);
    a.nice = 9;
    a.flags = 1; /* SCHED_FLAG_RESET_ON_FORK */
    EXPECT_OK(SYS(sched_setattr, getpid(), &a, 0));
    EXPECT_OK(SYS(sched_getattr, 0, &got, 48, 0));
    EXPECT(got.flags == 1 && got.nice == 9 && got.size == 48);
    EXPECT_EQ(SYS(sched_getscheduler, 0), SCHED_BATCH | SCHED_RESET_ON_FORK);
    EXPECT_ERRNO(SYS(sched_setattr, 0, &a, 1), EINVAL);
    EXPECT_ERRNO(SYS(sched_setattr, -1, &a, 0), EINVAL);
    EXPECT_ERRNO(SYS(sched_setattr, 0, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(sched_setattr, 0, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(sched_setattr, 0x3ffff0, &a, 0), ESRCH);
    a.flags = 1ull << 40;
    EXPECT_ERRNO(SYS(sched_setattr, 0, &a, 0), EINVAL);
    a.flags = 1;
    a.policy = 77;
    EXPECT_ERRNO(SYS(sched_setattr, 0, &a, 0), EINVAL);
    a.policy = SCHED_OTHER;
    a.priority = 3;
    EXPECT_ERRNO(SYS(sched_setattr, 0, &a, 0), EINVAL);
    a.size = 40;
    EXPECT_ERRNO(SYS(sched_setattr, 0, &a, 0), E2BIG);
    EXPECT_EQ(a.size, 56);
    EXPECT_ERRNO(SYS(sched_getattr, 0, &got, 47, 0), EINVAL);
    EXPECT_ERRNO(SYS(sched_getattr, 0, &got, 56, 1), EINVAL);
    EXPECT_ERRNO(SYS(sched_getattr, 0, NULL, 56, 0), EINVAL);
    EXPECT_ERRNO(SYS(sched_getattr, 0x3ffff0, &got, 56, 0), ESRCH);
    EXPECT_ERRNO(SYS(sched_getattr, 0, (void *)8, 56, 0), EFAULT);
}

/* --- personality, prctl --- */

TEST(personality_uname26, "personality uname")
{
    struct utsname u;
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_EQ(SYS(personality, 0xffffffff), 0);
        EXPECT_EQ(SYS(personality, UNAME26), 0);
        EXPECT_EQ(SYS(personality, 0xffffffff), UNAME26);
        EXPECT_OK(SYS(uname, &u));
        EXPECT(strncmp(u.release, "2.6.", 4) == 0);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(prctl_machine, "prctl prctl:EINVAL,EPERM")
{
    int tsc = 0;

    EXPECT_OK(SYS(prctl, PR_GET_TSC, &tsc, 0, 0, 0));
    EXPECT_EQ(tsc, PR_TSC_ENABLE);
    EXPECT_OK(SYS(prctl, PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0));
    EXPECT_ERRNO(SYS(prctl, PR_SET_TSC, 7, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_GET_TSC, 8, 0, 0, 0), EFAULT);
    EXPECT_OK(SYS(prctl, PR_SET_TIMING, 0, 0, 0, 0));
    EXPECT_ERRNO(SYS(prctl, PR_SET_TIMING, 1, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_SET_MM, PR_SET_MM_BRK, 4096, 0, 1), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_GET_SPECULATION_CTRL, 99, 0, 0, 0), ENODEV);
    EXPECT_ERRNO(SYS(prctl, PR_GET_SPECULATION_CTRL, 0, 1, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_SET_SPECULATION_CTRL, 99, 0, 0, 0), ENODEV);
    EXPECT_ERRNO(SYS(prctl, 12345, 0, 0, 0, 0), EINVAL);
}

TEST(prctl_mce_kill, "prctl prctl:EINVAL")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_EQ(SYS(prctl, PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
        EXPECT_OK(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
        EXPECT_OK(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_LATE);
        EXPECT_OK(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
        EXPECT_ERRNO(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_SET, 9, 0, 0), EINVAL);
        EXPECT_ERRNO(SYS(prctl, PR_MCE_KILL, 9, 0, 0, 0), EINVAL);
        EXPECT_ERRNO(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0), EINVAL);
        EXPECT_ERRNO(SYS(prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 1, 0), EINVAL);
        EXPECT_ERRNO(SYS(prctl, PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(prctl_thp_disable, "prctl prctl:EINVAL")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        pid_t child;

        EXPECT_EQ(SYS(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
        EXPECT_OK(SYS(prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
        IN_CHILD(child)
        EXPECT_EQ(SYS(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
        EXPECT_CHILD_OK(child);
        EXPECT_OK(SYS(prctl, PR_SET_THP_DISABLE, 0, 0, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
        EXPECT_ERRNO(SYS(prctl, PR_SET_THP_DISABLE, 1, 0, 1, 0), EINVAL);
        EXPECT_ERRNO(SYS(prctl, PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(prctl_io_flusher, "prctl")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        if (guest_has_cap(24)) {
            EXPECT_EQ(SYS(prctl, 58 /* PR_GET_IO_FLUSHER */, 0, 0, 0, 0), 0);
            EXPECT_OK(SYS(prctl, 57 /* PR_SET_IO_FLUSHER */, 1, 0, 0, 0));
            EXPECT_EQ(SYS(prctl, 58, 0, 0, 0, 0), 1);
            EXPECT_ERRNO(SYS(prctl, 57, 2, 0, 0, 0), EINVAL);
            EXPECT_ERRNO(SYS(prctl, 58, 1, 0, 0, 0), EINVAL);
        } else {
            EXPECT_ERRNO(SYS(prctl, 57, 1, 0, 0, 0), EPERM);
            EXPECT_ERRNO(SYS(prctl, 58, 0, 0, 0, 0), EPERM);
        }
    }
    EXPECT_CHILD_OK(pid);
}

/* --- tee --- */

TEST(tee_copies, "tee tee:EINVAL,EBADF,EAGAIN,EPIPE")
{
    int a[2], b[2], file;
    char got[32] = {0};

    NEEDS(tee);
    REQUIRE_OK(pipe(a));
    REQUIRE_OK(pipe(b));
    EXPECT_EQ(SYS(tee, a[0], b[1], 0, 0), 0);
    EXPECT_ERRNO(SYS(tee, a[0], b[1], 10, 2 /* SPLICE_F_NONBLOCK */), EAGAIN);
    EXPECT_EQ(write(a[1], "hello world", 11), 11);
    EXPECT_EQ(SYS(tee, a[0], b[1], 5, 0), 5);
    EXPECT_EQ(SYS(tee, a[0], b[1], 100, 0), 11);
    EXPECT_EQ(read(a[0], got, 32), 11);
    EXPECT_STREQ(got, "hello world");
    memset(got, 0, sizeof(got));
    EXPECT_EQ(read(b[0], got, 32), 16);
    EXPECT_STREQ(got, "hellohello world");
    EXPECT_ERRNO(SYS(tee, a[0], a[1], 10, 0), EINVAL);
    EXPECT_ERRNO(SYS(tee, a[0], b[1], 10, 16), EINVAL);
    EXPECT_ERRNO(SYS(tee, a[1], b[1], 10, 0), EBADF);
    EXPECT_ERRNO(SYS(tee, a[0], b[0], 10, 0), EBADF);
    EXPECT_ERRNO(SYS(tee, 999, b[1], 10, 0), EBADF);
    file = (int)REQUIRE_OK(open("/proc/self/exe", O_RDONLY));
    EXPECT_ERRNO(SYS(tee, file, b[1], 10, 0), EINVAL);
    close(a[1]);
    EXPECT_EQ(SYS(tee, a[0], b[1], 10, 0), 0);
    signal(SIGPIPE, SIG_IGN);
    REQUIRE_OK(pipe(a));
    EXPECT_EQ(write(a[1], "x", 1), 1);
    close(b[0]);
    EXPECT_ERRNO(SYS(tee, a[0], b[1], 10, 0), EPIPE);
}
