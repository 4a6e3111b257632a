/*
 * Signal frames: the alternate stack, what a handler may change, what happens when there is no
 * place for a frame, and faults whose signal cannot be delivered. Free of threads.
 */
#include "tests/guest/guest.h"

#include <signal.h>
#include <sys/resource.h>
#include <ucontext.h>

#define KERNEL_SET_SIZE 8

static uint64_t bit(int signo)
{
    return 1ull << (signo - 1);
}

/* set_mask() - set the thread's mask. Return: the old one */
static uint64_t set_mask(uint64_t mask)
{
    uint64_t old = 0;

    EXPECT_OK(SYS(rt_sigprocmask, SIG_SETMASK, &mask, &old, KERNEL_SET_SIZE));
    return old;
}

TEST(altstack_basic, "sigaltstack sigaltstack:EINVAL,ENOMEM,EFAULT,EPERM")
{
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;

    EXPECT_OK(SYS(sigaltstack, NULL, &old));
    EXPECT_EQ(old.ss_flags, SS_DISABLE);
    EXPECT_OK(SYS(sigaltstack, &ss, NULL));
    EXPECT_OK(SYS(sigaltstack, NULL, &old));
    EXPECT(old.ss_sp == stack && old.ss_size == sizeof(stack) && old.ss_flags == 0);
    ss.ss_size = 1024;
    EXPECT_ERRNO(SYS(sigaltstack, &ss, NULL), ENOMEM);
    ss.ss_size = sizeof(stack);
    ss.ss_flags = 0x40;
    EXPECT_ERRNO(SYS(sigaltstack, &ss, NULL), EINVAL);
    EXPECT_ERRNO(SYS(sigaltstack, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(sigaltstack, NULL, (void *)8), EFAULT);
    ss.ss_flags = SS_DISABLE;
    ss.ss_size = 0;
    EXPECT_OK(SYS(sigaltstack, &ss, NULL));
    EXPECT_OK(SYS(sigaltstack, NULL, &old));
    EXPECT_EQ(old.ss_flags, SS_DISABLE);
}

static char alt_stack[65536];
static volatile uintptr_t handler_stack;
static volatile int handler_flags;
static volatile long handler_change;

static void on_alt_stack(int signo)
{
    stack_t now, disable = {.ss_flags = SS_DISABLE};
    volatile char here = 0;

    (void)signo;
    SYS(sigaltstack, NULL, &now);
    handler_flags = now.ss_flags;
    handler_change = SYS(sigaltstack, &disable, NULL) == -1 ? errno : 0;
    handler_stack = (uintptr_t)&here;
}

TEST(altstack_is_used, "sigaltstack:EPERM rt_sigaction")
{
    stack_t ss = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)};
    uintptr_t low = (uintptr_t)alt_stack, high = low + sizeof(alt_stack);

    REQUIRE_OK(SYS(sigaltstack, &ss, NULL));
    guest_on_signal(SIGUSR1, on_alt_stack, SA_ONSTACK);
    raise(SIGUSR1);
    EXPECT(handler_stack > low && handler_stack < high);
    EXPECT_EQ(handler_flags, SS_ONSTACK);
    EXPECT_EQ(handler_change, EPERM);
    guest_on_signal(SIGUSR1, on_alt_stack, 0);
    raise(SIGUSR1);
    EXPECT(!(handler_stack > low && handler_stack < high));
    EXPECT_EQ(handler_flags, 0);
}

TEST(altstack_autodisarm, "sigaltstack")
{
    stack_t ss = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack), .ss_flags = (int)(1u << 31)},
            now;

    REQUIRE_OK(SYS(sigaltstack, &ss, NULL));
    guest_on_signal(SIGUSR1, on_alt_stack, SA_ONSTACK);
    raise(SIGUSR1);
    EXPECT(handler_stack > (uintptr_t)alt_stack &&
           handler_stack < (uintptr_t)alt_stack + sizeof(alt_stack));
    /* Disarmed in the handler, so it could be changed there; put back afterwards. */
    EXPECT_EQ(handler_flags, SS_DISABLE);
    EXPECT_EQ(handler_change, 0);
    EXPECT_OK(SYS(sigaltstack, NULL, &now));
    EXPECT(now.ss_sp == alt_stack);
}

static void overflow_stack(volatile int depth)
{
    volatile char frame[4096];

    frame[0] = (char)depth;
    if (depth < 1000000)
        overflow_stack(depth + 1);
    frame[1] = frame[0];
}

static void on_overflow(int signo)
{
    _exit(signo == SIGSEGV ? 55 : 56);
}

TEST(altstack_catches_overflow, "sigaltstack")
{
    stack_t ss = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)};
    struct rlimit limit;
    pid_t pid;

    REQUIRE_OK(getrlimit(RLIMIT_STACK, &limit));
    limit.rlim_cur = 1 << 20;
    REQUIRE_OK(setrlimit(RLIMIT_STACK, &limit));
    IN_CHILD(pid) {
        SYS(sigaltstack, &ss, NULL);
        guest_on_signal(SIGSEGV, on_overflow, SA_ONSTACK);
        overflow_stack(0);
    }
    EXPECT_EXIT(pid, 55);
    /* Nowhere to put the frame: killed by SIGSEGV. */
    IN_CHILD(pid) {
        guest_on_signal(SIGSEGV, on_overflow, 0);
        overflow_stack(0);
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

static volatile sig_atomic_t context_ok;

static void see_context(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    volatile char here = 0;
    uintptr_t sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP], at = (uintptr_t)&here;

    (void)info;
    context_ok = signo == SIGUSR1 && uc->uc_mcontext.gregs[REG_RIP] != 0 && sp > at &&
                 sp - at < 65536 && sigismember(&uc->uc_sigmask, SIGTERM) == 1;
    /* What is changed here holds after the return. */
    sigdelset(&uc->uc_sigmask, SIGTERM);
    sigaddset(&uc->uc_sigmask, SIGHUP);
}

TEST(handler_changes_mask, "rt_sigreturn")
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = see_context;
    act.sa_flags = SA_SIGINFO;
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    set_mask(bit(SIGTERM));
    raise(SIGUSR1);
    EXPECT_EQ(context_ok, 1);
    EXPECT_EQ(set_mask(0), bit(SIGHUP));
}

TEST(frame_without_stack, "rt_sigaction")
{
    pid_t pid;

    /* A stack pointer that leads nowhere when the signal comes: SIGSEGV, not a hang. */
    IN_CHILD(pid) {
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        guest_on_signal(SIGSEGV, guest_count_signal, 0);
        __asm__ volatile("mov $39, %%eax\n\t" /* getpid */
                         "syscall\n\t"
                         "mov %%eax, %%edi\n\t"
                         "mov $10, %%esi\n\t"
                         "mov $62, %%eax\n\t" /* kill */
                         "mov $0x1000, %%esp\n\t"
                         "syscall\n\t"
                         "1: jmp 1b"
                         :
                         :
                         : "rax", "rdi", "rsi", "rcx", "r11", "memory");
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

TEST(fault_while_blocked, "rt_sigprocmask")
{
    pid_t pid;

    /* A fault whose signal is blocked or ignored kills all the same. */
    IN_CHILD(pid) {
        guest_on_signal(SIGSEGV, guest_count_signal, 0);
        set_mask(bit(SIGSEGV));
        *guest_pointer(8) = 1;
    }
    EXPECT_KILLED(pid, SIGSEGV);
    IN_CHILD(pid) {
        signal(SIGSEGV, SIG_IGN);
        *guest_pointer(8) = 1;
    }
    EXPECT_KILLED(pid, SIGSEGV);
    /* Sent by somebody it can be ignored. */
    IN_CHILD(pid) {
        signal(SIGSEGV, SIG_IGN);
        kill(getpid(), SIGSEGV);
        _exit(3);
    }
    EXPECT_EXIT(pid, 3);
}

TEST(handler_longjmp_like, "rt_sigreturn rt_sigprocmask")
{
    static ucontext_t back;
    static volatile int round;
    struct sigaction act;

    /* Leaving a handler without rt_sigreturn keeps the mask that the handler had. */
    memset(&act, 0, sizeof(act));
    act.sa_handler = guest_count_signal;
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    getcontext(&back);
    if (round++ < 3) {
        raise(SIGUSR1);
        setcontext(&back);
    }
    EXPECT_EQ(guest_signals, 3);
}
