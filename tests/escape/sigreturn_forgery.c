/*
 * Forged signal frames (A5, I8): every register and segment in a frame may hold anything, the mask
 * may block everything. The thread goes on, or dies; a SIGKILL from outside always ends it.
 */
#include "tests/escape/escape.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

static int change;
static unsigned long value;

/* Where a frame with a changed instruction pointer may be sent on purpose. */
static void land_here(void)
{
    SYS(exit_group, 0);
}

static void on_forge(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *regs = uc->uc_mcontext.gregs;

    (void)signo;
    (void)info;
    if (change >= 0 && change < NGREG)
        regs[change] = (greg_t)value;
    else if (change == NGREG)
        memset(&uc->uc_sigmask, 0xff, sizeof(uc->uc_sigmask));
    else if (change == NGREG + 1)
        uc->uc_mcontext.fpregs = (void *)value;
    else if (change == NGREG + 2)
        uc->uc_flags = value;
    else if (change == NGREG + 3)
        uc->uc_stack.ss_sp = (void *)value;
    else if (change == NGREG + 4)
        uc->uc_stack.ss_size = value;
    else if (change == NGREG + 5)
        uc->uc_stack.ss_flags = (int)value;
    else if (change == NGREG + 6)
        memset(uc->uc_mcontext.gregs, (int)value, sizeof(uc->uc_mcontext.gregs));
}

/*
 * forge() - a child that returns from a handler through a changed frame. Return: its end, or -1
 * if it has none
 */
static int forge(int what, unsigned long to)
{
    struct sigaction act;
    pid_t pid;

    change = what;
    value = to;
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_forge;
    act.sa_flags = SA_SIGINFO;
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    IN_CHILD(pid) {
        alarm(2);
        raise(SIGUSR1);
        _exit(0);
    }
    return escape_outcome(pid, 4000);
}

static const unsigned long values[] = {
    0, 1, 8, 0x1000, 0x7ffff0000000, 0x7ffffffff000, 0x800000000000, 0x8000000000000000,
    0xffff888000000000, 0xffffffff81000000, 0xffffffffff600000, ~0ul, -8ul, 0x3333333333333333};

TEST_SLOW(each_register, 120, "rt_sigreturn")
{
    for (int reg = 0; reg < NGREG; reg++) {
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            int status = forge(reg, values[i]);

            guest_check(status != -1, __FILE__, __LINE__, "register %d = 0x%lx: 0x%x", reg,
                        values[i], (unsigned int)status);
        }
    }
    escape_check_alive();
}

TEST(segments, "rt_sigreturn")
{
    /* cs, gs, fs, ss in one word: rings, null, the 32-bit segment, the kernel's own. */
    static const unsigned short selectors[] = {0, 1, 3, 8, 0x10, 0x18, 0x23, 0x2b, 0x33, 0x38, 0x43,
                                               0x53, 0x7b, 7, 0xf, 0xffff};

    for (size_t i = 0; i < COUNT_OF(selectors); i++) {
        unsigned long cs = 0x002b000000000000ul | selectors[i];
        unsigned long ss = 0x33ul | (unsigned long)selectors[i] << 48;

        EXPECT_NE(forge(REG_CSGSFS, cs), -1);
        EXPECT_NE(forge(REG_CSGSFS, ss), -1);
    }
    escape_check_alive();
}

TEST(flags_register, "rt_sigreturn")
{
    int status;

    for (int bit = 0; bit < 64; bit++) {
        status = forge(REG_EFL, 0x202 | 1ul << bit);
        EXPECT_NE(status, -1);
        /* Privilege of input and output is not for sale. */
        if (bit == 12 || bit == 13)
            EXPECT_EQ(status, 0);
    }
    escape_check_alive();
}

TEST(other_parts, "rt_sigreturn")
{
    for (int what = NGREG; what < NGREG + 7; what++) {
        for (size_t i = 0; i < COUNT_OF(values); i++)
            EXPECT_NE(forge(what, values[i]), -1);
    }
    escape_check_alive();
}

TEST(floating_point_state, "rt_sigreturn")
{
    /* The state's header: garbage in its size, magic, features and reserved words. */
    static const struct {
        unsigned int at, word;
    } changes[] = {{24, 0xffffffff}, {24, 0x1f80 | 1 << 31}, {464, 0}, {468, 0xffffffff},
                   {472, 0xffffffff}, {480, 0}, {512, 0xffffffff}, {516, 0xffffffff},
                   {520, 0xffffffff}, {524, 0x80000000}, {528, 1}, {0, 0xffff}};

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct sigaction act;
        pid_t pid;

        memset(&act, 0, sizeof(act));
        act.sa_sigaction = on_forge;
        act.sa_flags = SA_SIGINFO;
        IN_CHILD(pid) {
            static _Alignas(64) unsigned char area[8192];

            alarm(2);
            memcpy(area + changes[i].at, &changes[i].word, 4);
            change = NGREG + 1;
            value = (unsigned long)area;
            sigaction(SIGUSR1, &act, NULL);
            raise(SIGUSR1);
            _exit(0);
        }
        EXPECT_NE(escape_outcome(pid, 4000), -1);
    }
    escape_check_alive();
}

TEST(return_without_a_frame, "rt_sigreturn")
{
    static const unsigned long stacks[] = {0, 8, 0x1000, 0x7ffff0000000, 0x7ffffffff000,
                                           0x8000000000000000, ~0ul};

    for (size_t i = 0; i <= COUNT_OF(stacks); i++) {
        pid_t pid;

        IN_CHILD(pid) {
            static _Alignas(64) unsigned char zeros[8192];
            unsigned long sp = i < COUNT_OF(stacks) ? stacks[i] : (unsigned long)zeros + 4096;

            alarm(2);
            __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\tud2"
                             :
                             : "r"(sp)
                             : "memory");
            __builtin_unreachable();
        }
        EXPECT((escape_outcome(pid, 4000) & 0x7f) != 0);
    }
    escape_check_alive();
}

TEST(frame_sends_elsewhere, "rt_sigreturn")
{
    /* The honest use of the same trick. */
    EXPECT_EQ(forge(REG_RIP, (unsigned long)&land_here), 0);
}

TEST_SLOW(random_frames, 120, "rt_sigreturn")
{
    for (int round = 0; round < 300; round++) {
        unsigned long to = (unsigned long)escape_random() << 33 ^
                           (unsigned long)escape_random() << 8 ^ escape_random();

        if (round % 3 == 0)
            to &= 0x7fffffffffff;
        EXPECT_NE(forge((int)(escape_random() % (NGREG + 7)), to), -1);
    }
    escape_check_alive();
}

/* expect_killable() - a child that tells it is ready, then must die of SIGKILL at once */
static void expect_killable(pid_t pid, volatile int *ready)
{
    int64_t start;

    WAIT_UNTIL(*ready);
    guest_sleep_ms(20);
    start = guest_now_ns();
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_KILLED(pid, SIGKILL);
    EXPECT_LT(guest_now_ns() - start, 5000000000ll);
}

static void block_all(void)
{
    sigset_t all;

    memset(&all, 0xff, sizeof(all));
    SYS(rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
    change = NGREG;
}

TEST(kill_a_spinner, "kill rt_sigreturn")
{
    volatile int *ready = guest_shared(4096);
    struct sigaction act;
    pid_t pid;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_forge;
    act.sa_flags = SA_SIGINFO;
    /* All signals blocked by a forged frame, then no system call ever again. */
    IN_CHILD(pid) {
        change = NGREG;
        sigaction(SIGUSR1, &act, NULL);
        raise(SIGUSR1);
        *ready = 1;
        for (;;)
            __asm__ volatile("pause");
    }
    expect_killable(pid, ready);
}

TEST(kill_a_caller, "kill")
{
    static const long calls[] = {__NR_getpid, __NR_sched_yield, __NR_getppid, __NR_rt_sigpending,
                                 9999};
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        *ready = 0;
        IN_CHILD(pid) {
            block_all();
            *ready = 1;
            for (;;)
                syscall(calls[i], 0l, 0l, 0l, 0l);
        }
        expect_killable(pid, ready);
    }
}

TEST(kill_a_faulter, "kill rt_sigreturn")
{
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    /* A handler that returns to the fault, for ever. */
    IN_CHILD(pid) {
        guest_on_signal(SIGSEGV, guest_count_signal, 0);
        *ready = 1;
        (void)*guest_pointer(8);
    }
    expect_killable(pid, ready);
}

TEST(kill_a_mapper, "kill mmap munmap")
{
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        *ready = 1;
        for (;;) {
            void *p =
                mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (p != MAP_FAILED)
                munmap(p, 1 << 16);
        }
    }
    expect_killable(pid, ready);
}

TEST(kill_a_vfork_parent, "kill vfork")
{
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        if (vfork() == 0) {
            *ready = 1;
            for (;;)
                __asm__ volatile("pause");
        }
    }
    expect_killable(pid, ready);
}

TEST(kill_a_stopped_one, "kill")
{
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        block_all();
        *ready = 1;
        raise(SIGSTOP);
        for (;;)
            continue;
    }
    expect_killable(pid, ready);
}

TEST(kill_a_signal_storm, "kill rt_sigreturn")
{
    volatile int *ready = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        guest_on_signal(SIGUSR1, guest_count_signal, SA_NODEFER);
        *ready = 1;
        for (;;)
            raise(SIGUSR1);
    }
    expect_killable(pid, ready);
}
