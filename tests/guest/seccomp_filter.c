/*
 * The guest's own seccomp: strict mode, filters and their verdicts, inheritance, TSYNC.
 */
#include "tests/guest/guest.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <ucontext.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value)  BPF_STMT(BPF_RET | BPF_K, (value))
#define ALLOW       RET(SECCOMP_RET_ALLOW)
#define PROG(insns)                                 \
    {                                               \
        sizeof(insns) / sizeof((insns)[0]), (insns) \
    }

static void no_new_privs(void)
{
    REQUIRE_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static long install(struct sock_filter *insns, unsigned short n, unsigned int flags)
{
    struct sock_fprog prog = {n, insns};

    return SYS(seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* On call `nr` this verdict, else allow. */
static void on_call(int nr, unsigned int verdict, unsigned int flags)
{
    struct sock_filter insns[] = {
        LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1), RET(verdict), ALLOW};

    REQUIRE_OK(install(insns, COUNT_OF(insns), flags));
}

TEST(errno_verdict, "seccomp prctl")
{
    no_new_privs();
    EXPECT_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | EXDEV, 0);
    EXPECT_ERRNO(SYS(getppid), EXDEV);
    EXPECT_GT(SYS(getpid), 0);
    EXPECT_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
    on_call(__NR_getuid, SECCOMP_RET_ERRNO | 0, 0);
    EXPECT_EQ(SYS(getuid), 0);
    /* No larger than errnos are. */
    on_call(__NR_getgid, SECCOMP_RET_ERRNO | 0xffff, 0);
    errno = 0;
    EXPECT_EQ(SYS(getgid), -1);
    EXPECT_EQ(errno, 4095);
}

TEST(by_prctl, "prctl prctl:EINVAL,EFAULT")
{
    struct sock_filter insns[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
                                  RET(SECCOMP_RET_ERRNO | 7), ALLOW};
    struct sock_fprog prog = PROG(insns);

    no_new_privs();
    EXPECT_ERRNO(prctl(PR_SET_SECCOMP, 9, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(prctl(PR_SET_SECCOMP, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0), EFAULT);
    EXPECT_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0));
    EXPECT_ERRNO(SYS(getppid), 7);
    EXPECT_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0), EINVAL);
}

TEST(errors, "seccomp:EINVAL,EFAULT,EACCES")
{
    struct sock_filter ok[] = {ALLOW};
    struct sock_filter *many = calloc(5000, sizeof(*many));
    struct sock_fprog wild = {1, (void *)guest_bad_page()};
    pid_t pid;

    EXPECT_ERRNO(SYS(seccomp, 99, 0, NULL), EINVAL);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_SET_MODE_STRICT, 0, ok), EINVAL);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 1u << 20, NULL), EINVAL);
    IN_CHILD(pid)
    {
        if (geteuid() == 0)
            REQUIRE_OK(SYS(setresuid, 1234, 1234, 1234));
        EXPECT_ERRNO(install(ok, 1, 0), EACCES);
        no_new_privs();
        EXPECT_OK(install(ok, 1, 0));
    }
    EXPECT_CHILD_OK(pid);
    no_new_privs();
    EXPECT_ERRNO(install(ok, 0, 0), EINVAL);
    EXPECT_ERRNO(install(many, 5000, 0), EINVAL);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &wild), EFAULT);
}

static int refused(struct sock_filter *insns, unsigned short n)
{
    return install(insns, n, 0) == -1 && errno == EINVAL;
}
#define REFUSED(...)                                 \
    do {                                             \
        struct sock_filter insns_[] = {__VA_ARGS__}; \
                                                     \
        EXPECT(refused(insns_, COUNT_OF(insns_)));   \
    } while (0)
#define TAKEN(...)                                       \
    do {                                                 \
        struct sock_filter insns_[] = {__VA_ARGS__};     \
                                                         \
        EXPECT_OK(install(insns_, COUNT_OF(insns_), 0)); \
    } while (0)

TEST(checked_programs, "seccomp:EINVAL")
{
    no_new_privs();
    REFUSED(LOAD(nr));                                      /* no return */
    REFUSED(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW); /* behind the data */
    REFUSED(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW);  /* not aligned */
    REFUSED(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW);
    REFUSED(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW);
    REFUSED(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOW);
    REFUSED(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW);
    REFUSED(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW);
    REFUSED(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW);
    REFUSED(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), ALLOW);
    REFUSED(BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), ALLOW);
    REFUSED(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ALLOW);
    REFUSED(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ALLOW);
    REFUSED(BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW); /* never written */
    REFUSED(BPF_STMT(BPF_ST, 16), ALLOW);
    REFUSED(BPF_STMT(BPF_LD | BPF_MEM, 16), ALLOW);
    REFUSED(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 2),
            BPF_STMT(BPF_LD | BPF_MEM, 2), ALLOW); /* written on one way only */
    REFUSED({0xffff, 0, 0, 0}, ALLOW);
    TAKEN(BPF_STMT(BPF_LDX | BPF_IMM, 3), BPF_STMT(BPF_STX, 2), BPF_STMT(BPF_LD | BPF_MEM, 2),
          ALLOW);
    TAKEN(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_ALU | BPF_NEG, 0), ALLOW);
}

/* Programs that compute: each leads to errno 1 if the answer is right, else 2. */
static void computes(struct sock_filter *insns, unsigned short n, unsigned int want)
{
    struct sock_filter all[40] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 1, 0),
                                  ALLOW};
    struct sock_filter tail[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0, 1),
                                 RET(SECCOMP_RET_ERRNO | 1), RET(SECCOMP_RET_ERRNO | 2)};
    pid_t pid;

    memcpy(all + 3, insns, n * sizeof(*insns));
    memcpy(all + 3 + n, tail, sizeof(tail));
    IN_CHILD(pid)
    {
        no_new_privs();
        REQUIRE_OK(install(all, (unsigned short)(n + 6), 0));
        EXPECT_ERRNO(syscall(__NR_getppid, 0x1111222233334444, 5, 6), 1);
    }
    EXPECT_CHILD_OK(pid);
}
#define COMPUTES(want, ...)                          \
    do {                                             \
        struct sock_filter insns_[] = {__VA_ARGS__}; \
                                                     \
        computes(insns_, COUNT_OF(insns_), want);    \
    } while (0)
#define SET(a, x) BPF_STMT(BPF_LDX | BPF_IMM, x), BPF_STMT(BPF_LD | BPF_IMM, a)

TEST(arithmetic, "seccomp")
{
    COMPUTES(7, SET(3, 4), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0));
    COMPUTES(0xffffffff, SET(3, 4), BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0));
    COMPUTES(12, SET(3, 4), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 4));
    COMPUTES(3, SET(13, 4), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0));
    COMPUTES(0x0c, SET(0x3c, 0x0f), BPF_STMT(BPF_ALU | BPF_AND | BPF_X, 0));
    COMPUTES(0x3f, SET(0x3c, 0x0f), BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0));
    COMPUTES(0x33, SET(0x3c, 0x0f), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0));
    COMPUTES(0x30, SET(3, 4), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0));
    COMPUTES(6, SET(3, 33), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0));
    COMPUTES(3, SET(0x30, 4), BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0));
    COMPUTES(0xfffffffd, SET(3, 4), BPF_STMT(BPF_ALU | BPF_NEG, 0));
    COMPUTES(4, SET(3, 4), BPF_STMT(BPF_MISC | BPF_TXA, 0));
    COMPUTES(9, SET(9, 4), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_IMM, 1),
             BPF_STMT(BPF_MISC | BPF_TXA, 0));
    COMPUTES(9, SET(9, 4), BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LD | BPF_IMM, 1),
             BPF_STMT(BPF_LD | BPF_MEM, 15));
    COMPUTES(64, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
    COMPUTES(AUDIT_ARCH_X86_64, LOAD(arch));
    COMPUTES(0x33334444, LOAD(args[0]));
    COMPUTES(0x11112222,
             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + 4));
    COMPUTES(5, LOAD(args[1]));
    COMPUTES(2, SET(8, 8), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
             BPF_STMT(BPF_LD | BPF_IMM, 1), BPF_STMT(BPF_LD | BPF_IMM, 2));
    COMPUTES(2, SET(8, 8), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 1, 0),
             BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_LD | BPF_IMM, 2));
    COMPUTES(2, SET(8, 8), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x18, 1, 0),
             BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_LD | BPF_IMM, 2));
    COMPUTES(2, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0),
             BPF_STMT(BPF_LD | BPF_IMM, 2));
}

TEST(division_by_zero_kills, "seccomp")
{
    struct sock_filter insns[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 1, 0),
                                  ALLOW, BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOW};
    pid_t pid;

    IN_CHILD(pid)
    {
        no_new_privs();
        REQUIRE_OK(install(insns, COUNT_OF(insns), 0));
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
}

TEST(strictest_wins, "seccomp")
{
    no_new_privs();
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 1, 0);
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 2, 0);
    EXPECT_ERRNO(SYS(getppid), 2); /* of equals the newest */
    on_call(__NR_getppid, SECCOMP_RET_TRACE, 0);
    EXPECT_ERRNO(SYS(getppid), 2);
    on_call(__NR_getppid, SECCOMP_RET_ALLOW, 0);
    EXPECT_ERRNO(SYS(getppid), 2);
}

TEST(trace_without_tracer, "seccomp")
{
    no_new_privs();
    on_call(__NR_getppid, SECCOMP_RET_TRACE | 5, 0);
    EXPECT_ERRNO(SYS(getppid), ENOSYS);
    on_call(__NR_getuid, SECCOMP_RET_LOG, SECCOMP_FILTER_FLAG_LOG);
    EXPECT_GE(SYS(getuid), 0);
}

static siginfo_t trap_info;
static greg_t trap_rax, trap_rip;

static void on_trap(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signo;
    trap_info = *info;
    trap_rax = uc->uc_mcontext.gregs[REG_RAX];
    trap_rip = uc->uc_mcontext.gregs[REG_RIP];
    uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

TEST(trap, "seccomp rt_sigaction")
{
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    no_new_privs();
    EXPECT_OK(sigaction(SIGSYS, &sa, NULL));
    on_call(__NR_getppid, SECCOMP_RET_TRAP | 123, 0);
    EXPECT_EQ(SYS(getppid), 4711);
    EXPECT_EQ(trap_info.si_signo, SIGSYS);
    EXPECT_EQ(trap_info.si_code, 1); /* SYS_SECCOMP */
    EXPECT_EQ(trap_info.si_errno, 123);
    EXPECT_EQ(trap_info.si_syscall, __NR_getppid);
    EXPECT_EQ(trap_info.si_arch, AUDIT_ARCH_X86_64);
    EXPECT_EQ((long)trap_info.si_call_addr, (long)trap_rip);
    EXPECT_EQ(trap_rax, __NR_getppid);
    EXPECT_EQ(((unsigned char *)trap_rip)[-2], 0x0f);
    EXPECT_EQ(((unsigned char *)trap_rip)[-1], 0x05);
}

TEST(trap_that_is_blocked, "seccomp")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        no_new_privs();
        on_call(__NR_getppid, SECCOMP_RET_TRAP, 0);
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
    IN_CHILD(pid)
    {
        signal(SIGSYS, SIG_IGN);
        no_new_privs();
        on_call(__NR_getppid, SECCOMP_RET_TRAP, 0);
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
}

static void *sleeps(void *arg)
{
    pause();
    return arg;
}

static void *calls_getppid(void *arg)
{
    (void)arg;
    SYS(getppid);
    return NULL;
}

TEST(kill_process, "seccomp")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        pthread_t th;

        signal(SIGSYS, SIG_IGN);
        no_new_privs();
        on_call(__NR_getppid, SECCOMP_RET_KILL_PROCESS, 0);
        REQUIRE(pthread_create(&th, NULL, sleeps, NULL) == 0);
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
    IN_CHILD(pid)
    {
        no_new_privs();
        /* What nobody knows is the strictest, too. */
        on_call(__NR_getppid, 0x80010000u, 0);
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
}

TEST(kill_thread, "seccomp")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        pthread_t th;

        no_new_privs();
        on_call(__NR_getppid, SECCOMP_RET_KILL_THREAD, 0);
        REQUIRE(pthread_create(&th, NULL, calls_getppid, NULL) == 0);
        pthread_join(th, NULL);
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        no_new_privs();
        on_call(__NR_getppid, SECCOMP_RET_KILL_THREAD, 0);
        SYS(getppid);
    }
    EXPECT_KILLED(pid, SIGSYS);
}

TEST(strict, "seccomp prctl")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
        EXPECT_EQ(SYS(write, -1, "", 0), -1);
        SYS(exit, 42);
    }
    EXPECT_EXIT(pid, 42);
    IN_CHILD(pid)
    {
        EXPECT_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
        SYS(getpid);
    }
    EXPECT_KILLED(pid, SIGKILL);
}

static int status_field(const char *name)
{
    char text[8192], *at;

    REQUIRE(guest_slurp("/proc/self/status", text, sizeof(text)) > 0);
    at = strstr(text, name);
    REQUIRE(at);
    return (int)strtol(at + strlen(name), NULL, 10);
}

TEST(shown_in_status, "seccomp")
{
    EXPECT_EQ(status_field("\nSeccomp:\t"), 0);
    EXPECT_EQ(status_field("\nSeccomp_filters:\t"), 0);
    no_new_privs();
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 1, 0);
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 1, 0);
    EXPECT_EQ(status_field("\nSeccomp:\t"), 2);
    EXPECT_EQ(status_field("\nSeccomp_filters:\t"), 2);
}

TEST(inherited, "seccomp fork clone execve")
{
    const char *args[] = {"self", "--helper", "tries_getppid", NULL};
    pid_t pid;

    no_new_privs();
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 33, 0);
    IN_CHILD(pid)
    {
        EXPECT_ERRNO(SYS(getppid), 33);
        on_call(__NR_getgid, SECCOMP_RET_ERRNO | 34, 0);
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_EXIT(pid, 33);
    EXPECT_GE(SYS(getgid), 0);
}

HELPER(tries_getppid)
{
    return SYS(getppid) == -1 ? errno : 0;
}

static int go[2], done[2];

static void *waits_then_tries(void *arg)
{
    char byte;

    (void)arg;
    REQUIRE(write(done[1], "r", 1) == 1);
    REQUIRE(read(go[0], &byte, 1) == 1);
    EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    return (void *)(SYS(getppid) == -1 ? (long)errno : 0l);
}

TEST(tsync, "seccomp")
{
    pthread_t th;
    void *got;
    char byte;

    REQUIRE_OK(pipe(go));
    REQUIRE_OK(pipe(done));
    REQUIRE(pthread_create(&th, NULL, waits_then_tries, NULL) == 0);
    EXPECT_EQ(read(done[0], &byte, 1), 1);
    no_new_privs();
    on_call(__NR_getppid, SECCOMP_RET_ERRNO | 51, SECCOMP_FILTER_FLAG_TSYNC);
    EXPECT_EQ(write(go[1], "g", 1), 1);
    pthread_join(th, &got);
    EXPECT_EQ((long)got, 51);
}

static long other_tid;

static void *has_its_own(void *arg)
{
    char byte;

    (void)arg;
    other_tid = SYS(gettid);
    no_new_privs();
    on_call(__NR_getgid, SECCOMP_RET_ERRNO | 1, 0);
    REQUIRE(write(done[1], "r", 1) == 1);
    REQUIRE(read(go[0], &byte, 1) == 1);
    return (void *)(SYS(getppid) == -1 ? (long)errno : 0l);
}

TEST(tsync_refused, "seccomp:ESRCH")
{
    struct sock_filter ok[] = {ALLOW};
    pthread_t th;
    void *got;
    char byte;

    REQUIRE_OK(pipe(go));
    REQUIRE_OK(pipe(done));
    REQUIRE(pthread_create(&th, NULL, has_its_own, NULL) == 0);
    EXPECT_EQ(read(done[0], &byte, 1), 1);
    no_new_privs();
    EXPECT_EQ(install(ok, 1, SECCOMP_FILTER_FLAG_TSYNC), other_tid);
    EXPECT_ERRNO(install(ok, 1, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
                 ESRCH);
    EXPECT_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    EXPECT_EQ(write(go[1], "g", 1), 1);
    pthread_join(th, &got);
    EXPECT_EQ((long)got, 0);
}

TEST(actions_available, "seccomp seccomp:EOPNOTSUPP,EFAULT,EINVAL")
{
    const unsigned int known[] = {
        SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
        SECCOMP_RET_TRACE,        SECCOMP_RET_LOG,         SECCOMP_RET_ALLOW};
    unsigned int unknown = 0x12340000;
    unsigned short sizes[3] = {0};

    for (size_t i = 0; i < COUNT_OF(known); i++)
        EXPECT_OK(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &known[i]));
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &known[0]), EINVAL);
    EXPECT_ERRNO(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, guest_bad_page()), EFAULT);
    EXPECT_OK(SYS(seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
    EXPECT_EQ(sizes[2], sizeof(struct seccomp_data));
}

TEST(too_many, "seccomp:ENOMEM")
{
    struct sock_filter *big = calloc(4096, sizeof(*big));
    int n = 0;

    no_new_privs();
    for (int i = 0; i < 4096; i++)
        big[i] = (struct sock_filter)ALLOW;
    while (n < 20 && install(big, 4096, 0) == 0)
        n++;
    EXPECT_EQ(errno, ENOMEM);
    /* 32,768 instructions: of BPF as the manual says, or of what the kernel makes of it. */
    EXPECT(n >= 3 && n <= 7);
}

TEST(address_of_the_call, "seccomp")
{
    struct sock_filter insns[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 1, 0),
        ALLOW,
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        RET(SECCOMP_RET_ERRNO | 9),
        RET(SECCOMP_RET_ERRNO | 8)};

    /* This program is linked below 4 GiB. */
    no_new_privs();
    REQUIRE_OK(install(insns, COUNT_OF(insns), 0));
    EXPECT_ERRNO(SYS(getppid), 9);
}
