/* Syscall user dispatch: prctl(PR_SET_SYSCALL_USER_DISPATCH). */
#include "tests/guest/guest.h"

#include <linux/audit.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#define DISPATCH          59 /* PR_SET_SYSCALL_USER_DISPATCH */
#define CODE_USER_DISPATCH 2
enum { ALLOW, BLOCK, CHANGED = 4242 };

static volatile char selector;
static volatile siginfo_t got;
static volatile long caught, rax;

static long raw(long nr)
{
    long r;

    __asm__ volatile("syscall" : "=a"(r) : "a"(nr) : "rcx", "r11", "memory");
    return r;
}

static void on_sys(int signo, siginfo_t *info, void *arg)
{
    ucontext_t *c = arg;

    selector = ALLOW;
    got = *info;
    caught++;
    rax = c->uc_mcontext.gregs[REG_RAX];
    c->uc_mcontext.gregs[REG_RAX] = CHANGED;
}

static void begin(void)
{
    struct sigaction act = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

    if (prctl(DISPATCH, 0, 0, 0, 0) < 0)
        SKIP("this kernel has no syscall user dispatch");
    REQUIRE_OK(sigaction(SIGSYS, &act, NULL));
}

TEST(dispatch_arguments, "prctl prctl:EINVAL,EFAULT")
{
    begin();
    EXPECT_ERRNO(prctl(DISPATCH, 0L, 1L, 0L, 0L), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 0L, 0L, 1L, 0L), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 0L, 0L, 0L, &selector), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 2L, 0L, 0L, 0L), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 1L, 1L, 0L, &selector), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 1L, ~0L, 1L, &selector), EINVAL);
    EXPECT_ERRNO(prctl(DISPATCH, 1L, 0L, 0L, ~0L), EFAULT);
    EXPECT_OK(prctl(DISPATCH, 1L, 0L, 0L, &selector));
    EXPECT_OK(prctl(DISPATCH, 0L, 0L, 0L, 0L));
}

TEST(dispatch_catches, "prctl")
{
    long r;

    begin();
    REQUIRE_OK(prctl(DISPATCH, 1L, 0L, 0L, &selector));
    EXPECT_EQ(raw(SYS_getpid), getpid()); /* allowed */
    selector = BLOCK;
    r = raw(SYS_getpid);
    EXPECT_EQ(r, CHANGED);
    EXPECT_EQ(caught, 1);
    EXPECT_EQ(rax, SYS_getpid); /* as before the call */
    EXPECT_EQ(got.si_signo, SIGSYS);
    EXPECT_EQ(got.si_code, CODE_USER_DISPATCH);
    EXPECT_EQ(got.si_errno, 0);
    EXPECT_EQ(got.si_syscall, SYS_getpid);
    EXPECT_EQ(got.si_arch, AUDIT_ARCH_X86_64);
    EXPECT_NE((long)got.si_call_addr, 0);
    selector = BLOCK;
    r = raw(99999); /* numbers that are none, too */
    EXPECT_EQ(r, CHANGED);
    EXPECT_EQ(got.si_syscall, 99999);
    EXPECT_OK(prctl(DISPATCH, 0L, 0L, 0L, 0L));
    selector = BLOCK;
    EXPECT_EQ(raw(SYS_getpid), getpid());
}

TEST(dispatch_range, "prctl")
{
    begin();
    /* Calls from all of this program's code are made, without asking the byte. */
    REQUIRE_OK(prctl(DISPATCH, 1L, 1L, 0x7fffffffffffL, &selector));
    selector = BLOCK;
    EXPECT_EQ(raw(SYS_getpid), getpid());
    EXPECT_EQ(caught, 0);
}

static void *in_thread(void *arg)
{
    return (void *)(raw(SYS_getpid) == getpid() ? 1L : 0L);
}

TEST(dispatch_not_inherited, "prctl fork clone")
{
    pthread_t thread;
    void *good = NULL;
    int status = -1;
    pid_t pid;

    begin();
    REQUIRE_OK(prctl(DISPATCH, 1L, 0L, 0L, &selector));
    IN_CHILD(pid)
    {
        selector = BLOCK;
        _exit(raw(SYS_getpid) == getpid() ? 0 : 1);
    }
    status = guest_wait(pid);
    EXPECT_EQ(status, 0);
    REQUIRE_OK(-pthread_create(&thread, NULL, in_thread, NULL));
    pthread_join(thread, &good);
    EXPECT_EQ((long)good, 1);
}

/* dies() - the wait status of a child that makes a call with this selector byte at this address. */
static int dies(volatile char *address, char value, bool handler)
{
    pid_t pid;

    IN_CHILD(pid)
    {
        if (!handler)
            signal(SIGSYS, SIG_DFL);
        if (prctl(DISPATCH, 1L, 0L, 0L, address) == 0) {
            selector = value;
            raw(SYS_getpid);
        }
        selector = ALLOW;
        _exit(99);
    }
    return guest_wait(pid);
}

TEST(dispatch_deaths, "prctl")
{
    begin();
    EXPECT_EQ(WTERMSIG(dies(&selector, 3, true)), SIGSYS); /* neither; a handler is no help */
    EXPECT_EQ(WTERMSIG(dies((volatile char *)8, ALLOW, true)), SIGSEGV);
    EXPECT_EQ(WTERMSIG(dies(&selector, BLOCK, false)), SIGSYS);
    EXPECT_EQ(WTERMSIG(dies(NULL, ALLOW, false)), SIGSYS); /* no byte: all are caught */
}
