/*
 * Signals: dispositions, masks, sending, what the handler sees, what is interrupted and what is
 * restarted. Free of threads.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#define KERNEL_SET_SIZE 8

/* The kernel's own layout; libc's handler would bring its own restorer. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static volatile siginfo_t last_info;
static volatile int order[16], order_count;

static void on_info(int signo, siginfo_t *info, void *context)
{
    (void)context;
    memcpy((void *)&last_info, info, sizeof(*info));
    if (order_count < 16)
        order[order_count++] = signo;
    guest_signals++;
}

/* catch_info() - install on_info */
static void catch_info(int signo, int flags)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_info;
    act.sa_flags = SA_SIGINFO | flags;
    REQUIRE_OK(sigaction(signo, &act, NULL));
}

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

static uint64_t pending(void)
{
    uint64_t set = 0;

    EXPECT_OK(SYS(rt_sigpending, &set, KERNEL_SET_SIZE));
    return set;
}

TEST(sigaction_basic, "rt_sigaction rt_sigreturn")
{
    struct sigaction old;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    EXPECT_OK(sigaction(SIGUSR1, NULL, &old));
    EXPECT(old.sa_handler == guest_count_signal);
    EXPECT_EQ(old.sa_flags & SA_RESTART, SA_RESTART);
    EXPECT_OK(raise(SIGUSR1));
    EXPECT_OK(raise(SIGUSR1));
    EXPECT_EQ(guest_signals, 2);
    EXPECT_OK(sigaction(SIGUSR2, NULL, &old));
    EXPECT(old.sa_handler == SIG_DFL);
    EXPECT_EQ(old.sa_flags & (SA_SIGINFO | SA_NODEFER | SA_ONSTACK), 0);
}

TEST(sigaction_errors, "rt_sigaction:EINVAL,EFAULT")
{
    struct kernel_sigaction act = {.handler = SIG_IGN};

    EXPECT_ERRNO(SYS(rt_sigaction, SIGKILL, &act, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGSTOP, &act, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_OK(SYS(rt_sigaction, SIGKILL, NULL, &act, KERNEL_SET_SIZE));
    EXPECT_ERRNO(SYS(rt_sigaction, 0, &act, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, 65, &act, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, -1, &act, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGUSR1, &act, NULL, 4), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGUSR1, &act, NULL, 16), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGUSR1, (void *)8, NULL, KERNEL_SET_SIZE), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGUSR1, NULL, (void *)8, KERNEL_SET_SIZE), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigaction, 0, (void *)8, NULL, 4), EINVAL);
    EXPECT_OK(SYS(rt_sigaction, 64, NULL, &act, KERNEL_SET_SIZE));
}

TEST(sigaction_mask_never_kill, "rt_sigaction")
{
    struct sigaction act, old;

    memset(&act, 0, sizeof(act));
    act.sa_handler = guest_count_signal;
    sigfillset(&act.sa_mask);
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    REQUIRE_OK(sigaction(SIGUSR1, NULL, &old));
    EXPECT(!sigismember(&old.sa_mask, SIGKILL));
    EXPECT(!sigismember(&old.sa_mask, SIGSTOP));
    EXPECT(sigismember(&old.sa_mask, SIGTERM));
}

TEST(sigprocmask_basic, "rt_sigprocmask")
{
    uint64_t set = bit(SIGUSR1) | bit(SIGKILL) | bit(SIGSTOP), now = 0;

    EXPECT_OK(SYS(rt_sigprocmask, SIG_BLOCK, &set, NULL, KERNEL_SET_SIZE));
    EXPECT_OK(SYS(rt_sigprocmask, SIG_BLOCK, NULL, &now, KERNEL_SET_SIZE));
    EXPECT_EQ(now, bit(SIGUSR1));
    set = bit(SIGUSR2);
    EXPECT_OK(SYS(rt_sigprocmask, SIG_BLOCK, &set, &now, KERNEL_SET_SIZE));
    EXPECT_EQ(now, bit(SIGUSR1));
    set = bit(SIGUSR1);
    EXPECT_OK(SYS(rt_sigprocmask, SIG_UNBLOCK, &set, &now, KERNEL_SET_SIZE));
    EXPECT_EQ(now, bit(SIGUSR1) | bit(SIGUSR2));
    set = ~0ull;
    EXPECT_OK(SYS(rt_sigprocmask, SIG_SETMASK, &set, &now, KERNEL_SET_SIZE));
    EXPECT_EQ(now, bit(SIGUSR2));
    EXPECT_OK(SYS(rt_sigprocmask, 99, NULL, &now, KERNEL_SET_SIZE));
    EXPECT_EQ(now, ~(bit(SIGKILL) | bit(SIGSTOP)));
}

TEST(sigprocmask_errors, "rt_sigprocmask:EINVAL,EFAULT rt_sigpending:EINVAL,EFAULT")
{
    uint64_t set = 0;

    EXPECT_ERRNO(SYS(rt_sigprocmask, 99, &set, NULL, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, KERNEL_SET_SIZE), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigprocmask, SIG_BLOCK, NULL, (void *)8, KERNEL_SET_SIZE), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigpending, &set, 16), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigpending, (void *)8, KERNEL_SET_SIZE), EFAULT);
}

TEST(blocked_stays_pending, "rt_sigpending rt_sigprocmask kill")
{
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    set_mask(bit(SIGUSR1));
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    EXPECT_EQ(guest_signals, 0);
    EXPECT_EQ(pending(), bit(SIGUSR1));
    set_mask(0);
    /* Sent twice, pending once. */
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(pending(), 0);
}

TEST(ignored_is_dropped, "rt_sigaction rt_sigpending")
{
    set_mask(bit(SIGUSR1) | bit(SIGCHLD) | bit(SIGUSR2));
    EXPECT_OK(kill(getpid(), SIGUSR1));
    EXPECT_EQ(pending(), bit(SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    EXPECT_EQ(pending(), 0);
    signal(SIGUSR2, SIG_IGN);
    EXPECT_OK(kill(getpid(), SIGUSR2));
    signal(SIGUSR2, guest_count_signal);
    set_mask(0);
    EXPECT(guest_signals <= 1);
}

TEST(mask_during_handler, "rt_sigaction")
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_info;
    act.sa_flags = SA_SIGINFO;
    sigaddset(&act.sa_mask, SIGUSR2);
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    catch_info(SIGUSR2, 0);
    set_mask(bit(SIGUSR1) | bit(SIGUSR2));
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    set_mask(0);
    EXPECT_EQ(guest_signals, 2);
    EXPECT_EQ(order_count, 2);
}

static volatile uint64_t mask_seen;
static volatile int nesting, deepest;

static void see_mask(int signo)
{
    uint64_t mask = 0;

    if (++nesting > deepest)
        deepest = nesting;
    SYS(rt_sigprocmask, SIG_BLOCK, NULL, &mask, KERNEL_SET_SIZE);
    mask_seen = mask;
    if (++guest_signals < 3)
        raise(signo);
    nesting--;
}

TEST(handler_blocks_itself, "rt_sigaction rt_sigreturn")
{
    set_mask(bit(SIGTERM));
    guest_on_signal(SIGUSR1, see_mask, 0);
    raise(SIGUSR1);
    EXPECT_EQ(guest_signals, 3);
    EXPECT_EQ(deepest, 1);
    EXPECT_EQ(mask_seen, bit(SIGTERM) | bit(SIGUSR1));
    EXPECT_EQ(set_mask(0), bit(SIGTERM));
}

TEST(nodefer_nests, "rt_sigaction")
{
    guest_on_signal(SIGUSR1, see_mask, SA_NODEFER);
    raise(SIGUSR1);
    EXPECT_EQ(guest_signals, 3);
    EXPECT_EQ(deepest, 3);
    EXPECT_EQ(mask_seen, 0);
}

TEST(resethand, "rt_sigaction")
{
    struct sigaction old;
    pid_t pid;

    IN_CHILD(pid) {
        guest_on_signal(SIGUSR1, guest_count_signal, SA_RESETHAND);
        raise(SIGUSR1);
        EXPECT_EQ(guest_signals, 1);
        EXPECT_OK(sigaction(SIGUSR1, NULL, &old));
        EXPECT(old.sa_handler == SIG_DFL);
        raise(SIGUSR1);
    }
    EXPECT_KILLED(pid, SIGUSR1);
}

TEST(siginfo_of_kill, "kill tgkill rt_sigaction")
{
    pid_t pid;

    catch_info(SIGUSR1, 0);
    EXPECT_OK(SYS(kill, getpid(), SIGUSR1));
    EXPECT_EQ(last_info.si_signo, SIGUSR1);
    EXPECT_EQ(last_info.si_code, SI_USER);
    EXPECT_EQ(last_info.si_pid, getpid());
    EXPECT_EQ(last_info.si_uid, getuid());
    EXPECT_OK(SYS(tgkill, getpid(), gettid(), SIGUSR1));
    EXPECT_EQ(last_info.si_code, SI_TKILL);
    EXPECT_EQ(last_info.si_pid, getpid());
    IN_CHILD(pid) {
        kill(getppid(), SIGUSR1);
    }
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(guest_signals == 3);
    EXPECT_EQ(last_info.si_code, SI_USER);
    EXPECT_EQ(last_info.si_pid, pid);
}

TEST(sigqueue_value, "rt_sigqueueinfo rt_tgsigqueueinfo rt_sigqueueinfo:EPERM,EINVAL,ESRCH,EFAULT rt_tgsigqueueinfo:EINVAL,EPERM,ESRCH")
{
    siginfo_t info;
    pid_t pid;

    catch_info(SIGUSR1, 0);
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)0x123456789abcdef0;
    EXPECT_OK(SYS(rt_sigqueueinfo, getpid(), SIGUSR1, &info));
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(last_info.si_code, SI_QUEUE);
    EXPECT_EQ((uintptr_t)last_info.si_value.sival_ptr, 0x123456789abcdef0);
    EXPECT_OK(SYS(rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info));
    EXPECT_EQ(guest_signals, 2);
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, getpid(), SIGUSR1, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, 0x3ffffff0, SIGUSR1, &info), ESRCH);
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, 0, 0, SIGUSR1, &info), EINVAL);
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, getpid(), 0x3ffffff0, SIGUSR1, &info), ESRCH);
    /* Nobody may look like the kernel or like kill() to another process. */
    IN_CHILD(pid) {
        pause();
    }
    info.si_code = SI_USER;
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    info.si_code = SI_TKILL;
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info), EPERM);
    info.si_code = 5;
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    guest_end(pid);
}

TEST(sigqueue_unknown_codes, "rt_sigqueueinfo:E2BIG rt_tgsigqueueinfo:E2BIG,EINVAL")
{
    /* Of a code that nobody knows only the first 48 bytes are kept, so the others must be zero. */
    static const struct {
        int signo, code;
        bool known;
    } cases[] = {
        {SIGUSR1, 6, true},  {SIGUSR1, 7, false},  {SIGSEGV, 10, true},  {SIGSEGV, 11, false},
        {SIGUSR1, -7, true}, {SIGUSR1, -8, false}, {SIGUSR1, -60, true}, {SIGUSR1, 0x80, true},
    };
    union {
        siginfo_t info;
        char bytes[128];
    } u;

    catch_info(SIGUSR1, 0);
    catch_info(SIGSEGV, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        memset(&u, 0, sizeof(u));
        u.info.si_code = cases[i].code;
        u.bytes[47] = 1;
        EXPECT_OK(SYS(rt_tgsigqueueinfo, getpid(), gettid(), cases[i].signo, &u));
        u.bytes[48] = 1;
        if (cases[i].known) {
            EXPECT_OK(SYS(rt_sigqueueinfo, getpid(), cases[i].signo, &u));
            continue;
        }
        EXPECT_ERRNO(SYS(rt_sigqueueinfo, getpid(), cases[i].signo, &u), E2BIG);
        EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, 0, 0, cases[i].signo, &u), E2BIG);
    }
    memset(&u, 0, sizeof(u));
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, 0, 0, SIGUSR1, &u), EINVAL);
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &u), EINVAL);
}

TEST(realtime_are_queued, "rt_sigqueueinfo rt_sigpending")
{
    int first = SIGRTMIN + 1, second = SIGRTMIN + 2;
    union sigval value;

    catch_info(first, 0);
    catch_info(second, 0);
    set_mask(bit(first) | bit(second));
    for (int i = 0; i < 3; i++) {
        value.sival_int = i;
        REQUIRE_OK(sigqueue(getpid(), second, value));
        REQUIRE_OK(sigqueue(getpid(), first, value));
    }
    EXPECT_EQ(pending(), bit(first) | bit(second));
    set_mask(0);
    EXPECT_EQ(guest_signals, 6);
    /* All at once become frames, the lowest first: so the last frame, the highest, runs first. */
    EXPECT_EQ(order_count, 6);
    EXPECT_EQ(pending(), 0);
}

TEST(sigtimedwait_order, "rt_sigtimedwait")
{
    int low = SIGRTMIN + 1, high = SIGRTMIN + 3;
    uint64_t set = bit(low) | bit(high) | bit(SIGUSR1);
    union sigval value;
    siginfo_t info;

    set_mask(set);
    for (int i = 0; i < 2; i++) {
        value.sival_int = i;
        REQUIRE_OK(sigqueue(getpid(), high, value));
        REQUIRE_OK(sigqueue(getpid(), low, value));
    }
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(SYS(rt_sigtimedwait, &set, &info, NULL, KERNEL_SET_SIZE), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_USER);
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(SYS(rt_sigtimedwait, &set, &info, NULL, KERNEL_SET_SIZE), i < 2 ? low : high);
        EXPECT_EQ(info.si_value.sival_int, i % 2);
        EXPECT_EQ(info.si_code, SI_QUEUE);
    }
    EXPECT_EQ(pending(), 0);
}

TEST(sigtimedwait_errors, "rt_sigtimedwait:EAGAIN,EINVAL,EFAULT,EINTR")
{
    uint64_t set = bit(SIGUSR1);
    struct timespec zero = {0, 0}, soon = {0, 30000000}, bad = {0, 1000000000};
    int64_t start = guest_now_ns();
    siginfo_t info;
    pid_t pest;

    set_mask(set);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, &zero, KERNEL_SET_SIZE), EAGAIN);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, &soon, KERNEL_SET_SIZE), EAGAIN);
    EXPECT_GE(guest_now_ns() - start, 30000000);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, &bad, KERNEL_SET_SIZE), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, &zero, 4), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, (void *)8, &info, &zero, KERNEL_SET_SIZE), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, (void *)8, KERNEL_SET_SIZE), EFAULT);
    guest_on_signal(SIGUSR2, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR2, 20);
    EXPECT_ERRNO(SYS(rt_sigtimedwait, &set, &info, NULL, KERNEL_SET_SIZE), EINTR);
    guest_end(pest);
}

TEST(sigtimedwait_wakes, "rt_sigtimedwait")
{
    uint64_t set = bit(SIGUSR1) | bit(SIGCHLD);
    siginfo_t info;
    pid_t pid;

    set_mask(set);
    IN_CHILD(pid) {
        guest_sleep_ms(30);
        _exit(2);
    }
    EXPECT_EQ(SYS(rt_sigtimedwait, &set, &info, NULL, KERNEL_SET_SIZE), SIGCHLD);
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_EQ(info.si_status, 2);
    EXPECT_EXIT(pid, 2);
}

TEST(sigsuspend_basic, "rt_sigsuspend rt_sigsuspend:EINTR,EINVAL,EFAULT")
{
    uint64_t none = 0;
    pid_t pid;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    set_mask(bit(SIGUSR1) | bit(SIGUSR2));
    EXPECT_ERRNO(SYS(rt_sigsuspend, &none, 4), EINVAL);
    EXPECT_ERRNO(SYS(rt_sigsuspend, (void *)8, KERNEL_SET_SIZE), EFAULT);
    kill(getpid(), SIGUSR1);
    EXPECT_ERRNO(SYS(rt_sigsuspend, &none, KERNEL_SET_SIZE), EINTR);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(set_mask(bit(SIGUSR1)), bit(SIGUSR1) | bit(SIGUSR2));
    IN_CHILD(pid) {
        guest_sleep_ms(30);
        kill(getppid(), SIGUSR1);
    }
    EXPECT_ERRNO(SYS(rt_sigsuspend, &none, KERNEL_SET_SIZE), EINTR);
    EXPECT_EQ(guest_signals, 2);
    EXPECT_CHILD_OK(pid);
}

TEST(pause_basic, "pause pause:EINTR")
{
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(pause), EINTR);
    EXPECT_GE(guest_signals, 1);
    guest_end(pest);
}

TEST(kill_errors, "kill kill:EINVAL,ESRCH")
{
    EXPECT_OK(SYS(kill, getpid(), 0));
    EXPECT_ERRNO(SYS(kill, getpid(), 65), EINVAL);
    EXPECT_ERRNO(SYS(kill, getpid(), -1), EINVAL);
    EXPECT_ERRNO(SYS(kill, 0x3ffffff0, 0), ESRCH);
    EXPECT_ERRNO(SYS(kill, -0x3ffffff0, SIGTERM), ESRCH);
    EXPECT_ERRNO(SYS(kill, (int)0x80000000, 0), ESRCH);
    /* The target is looked for before the signal's number is checked. */
    EXPECT_ERRNO(SYS(kill, 0x3ffffff0, 65), ESRCH);
}

TEST(kill_eperm, "kill:EPERM")
{
    pid_t pid, target = getpid();

    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(kill, target, 0), EPERM);
        EXPECT_ERRNO(SYS(kill, target, SIGKILL), EPERM);
        EXPECT_ERRNO(SYS(tgkill, target, target, SIGTERM), EPERM);
        EXPECT_OK(SYS(kill, getpid(), 0));
        /* SIGCONT may go to anybody of the session. */
        EXPECT_OK(SYS(kill, target, SIGCONT));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(kill_group, "kill setpgid")
{
    volatile int *ready = guest_shared(4096);
    pid_t leader, members[2];

    IN_CHILD(leader) {
        setpgid(0, 0);
        ready[0] = 1;
        for (;;)
            pause();
    }
    setpgid(leader, leader);
    for (int i = 0; i < 2; i++) {
        IN_CHILD(members[i]) {
            EXPECT_OK(setpgid(0, leader));
            ready[1 + i] = 1;
            for (;;)
                pause();
        }
    }
    WAIT_UNTIL(ready[0] && ready[1] && ready[2]);
    EXPECT_OK(SYS(kill, -leader, SIGTERM));
    EXPECT_KILLED(leader, SIGTERM);
    EXPECT_KILLED(members[0], SIGTERM);
    EXPECT_KILLED(members[1], SIGTERM);
    EXPECT_ERRNO(SYS(kill, -leader, 0), ESRCH);
}

TEST(kill_own_group, "kill")
{
    pid_t pid;

    IN_CHILD(pid) {
        pid_t child;

        setpgid(0, 0);
        IN_CHILD(child) {
            for (;;)
                pause();
        }
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        EXPECT_OK(SYS(kill, 0, SIGUSR1));
        EXPECT_EQ(guest_signals, 1);
        EXPECT_KILLED(child, SIGUSR1);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(tkill_errors, "tkill tgkill tkill:EINVAL,ESRCH tgkill:EINVAL,ESRCH")
{
    int tid = (int)SYS(gettid);

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    EXPECT_OK(SYS(tkill, tid, SIGUSR1));
    EXPECT_OK(SYS(tgkill, getpid(), tid, SIGUSR1));
    EXPECT_EQ(guest_signals, 2);
    EXPECT_OK(SYS(tgkill, getpid(), tid, 0));
    EXPECT_ERRNO(SYS(tkill, 0, SIGUSR1), EINVAL);
    EXPECT_ERRNO(SYS(tkill, -1, SIGUSR1), EINVAL);
    EXPECT_ERRNO(SYS(tgkill, 0, tid, SIGUSR1), EINVAL);
    EXPECT_ERRNO(SYS(tgkill, getpid(), -1, SIGUSR1), EINVAL);
    EXPECT_ERRNO(SYS(tgkill, getpid(), tid, 65), EINVAL);
    EXPECT_ERRNO(SYS(tkill, 0x3ffffff0, SIGUSR1), ESRCH);
    EXPECT_ERRNO(SYS(tgkill, getpid(), 0x3ffffff0, SIGUSR1), ESRCH);
    /* The thread exists, but in another group. */
    EXPECT_ERRNO(SYS(tgkill, getppid(), tid, SIGUSR1), ESRCH);
}

TEST(default_actions, "kill wait4")
{
    pid_t pid;

    for (int signo = 1; signo <= 31; signo++) {
        bool stops = signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
        bool ignored = signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH || signo == SIGCONT;
        struct rlimit no_core = {0, 0};
        int status;

        IN_CHILD(pid) {
            /* A stop signal from the terminal would not stop an orphaned process group. */
            setrlimit(RLIMIT_CORE, &no_core);
            kill(getpid(), signo);
            _exit(7);
        }
        EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
        if (stops)
            EXPECT_EQ(status, signo << 8 | 0x7f);
        else
            EXPECT_EQ(status, ignored ? 7 << 8 : signo);
        if (stops)
            guest_end(pid);
    }
    IN_CHILD(pid) {
        kill(getpid(), SIGRTMIN);
    }
    EXPECT_KILLED(pid, SIGRTMIN);
}

TEST(sigcont_and_stop_cancel, "kill rt_sigpending")
{
    set_mask(bit(SIGTSTP) | bit(SIGCONT));
    kill(getpid(), SIGTSTP);
    EXPECT_EQ(pending(), bit(SIGTSTP));
    kill(getpid(), SIGCONT);
    EXPECT_EQ(pending() & bit(SIGTSTP), 0);
    kill(getpid(), SIGTSTP);
    EXPECT_EQ(pending() & bit(SIGCONT), 0);
    signal(SIGTSTP, SIG_IGN);
    set_mask(0);
}

TEST(sigcont_handler, "kill rt_sigaction")
{
    volatile int *shared = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        guest_on_signal(SIGCONT, guest_count_signal, 0);
        shared[0] = 1;
        WAIT_UNTIL(guest_signals == 1);
    }
    WAIT_UNTIL(shared[0] == 1);
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    kill(pid, SIGCONT);
    EXPECT_CHILD_OK(pid);
}

TEST(nanosleep_eintr, "nanosleep:EINTR")
{
    struct timespec want = {10, 0}, left = {0, 0};
    pid_t pest;

    /* nanosleep is never restarted by SA_RESTART. */
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 30);
    EXPECT_ERRNO(SYS(nanosleep, &want, &left), EINTR);
    EXPECT_LT(left.tv_sec, 10);
    EXPECT_GE(left.tv_sec, 5);
    guest_end(pest);
}

TEST(stop_does_not_interrupt, "kill nanosleep restart_syscall")
{
    struct timespec want = {0, 200000000};
    pid_t pid;

    IN_CHILD(pid) {
        int64_t start = guest_now_ns();

        /* Stopped and continued without a handler: the sleep goes on as if nothing had been. */
        EXPECT_OK(SYS(nanosleep, &want, NULL));
        EXPECT_GE(guest_now_ns() - start, 200000000);
    }
    guest_sleep_ms(30);
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    guest_sleep_ms(30);
    kill(pid, SIGCONT);
    EXPECT_CHILD_OK(pid);
}

TEST(restart_nothing, "restart_syscall:EINTR")
{
    struct timespec soon = {0, 1000000};

    EXPECT_ERRNO(SYS(restart_syscall), EINTR);
    /* What has ended by itself or by a handler is not gone on with. */
    EXPECT_OK(SYS(nanosleep, &soon, NULL));
    EXPECT_OK(SYS(poll, NULL, 0, 1));
    EXPECT_ERRNO(SYS(restart_syscall), EINTR);
}

TEST(ignored_does_not_interrupt, "read")
{
    int ends[2];
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    signal(SIGUSR1, SIG_IGN);
    IN_CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            guest_sleep_ms(5);
            kill(getppid(), SIGUSR1);
            kill(getppid(), SIGWINCH);
        }
        EXPECT_EQ(write(ends[1], "x", 1), 1);
    }
    EXPECT_EQ(SYS(read, ends[0], &byte, 1), 1);
    EXPECT_CHILD_OK(pid);
}

TEST(many_signals, "kill rt_sigreturn")
{
    pid_t pids[4], parent = getpid();

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    for (int i = 0; i < 4; i++) {
        IN_CHILD(pids[i]) {
            for (int n = 0; n < 500; n++)
                EXPECT_OK(kill(parent, SIGUSR1));
        }
    }
    for (int i = 0; i < 4; i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_GE(guest_signals, 1);
    EXPECT_LE(guest_signals, 2000);
}

TEST(signalfd_basic, "signalfd4 signalfd signalfd4:EINVAL,EBADF read:EAGAIN")
{
    uint64_t set = bit(SIGUSR1) | bit(SIGUSR2);
    uint32_t info[32];
    int fd;

    NEEDS(signalfd4);
    set_mask(set);
    fd = (int)REQUIRE_OK(SYS(signalfd4, -1, &set, KERNEL_SET_SIZE, O_NONBLOCK | O_CLOEXEC));
    EXPECT_ERRNO(SYS(read, fd, info, sizeof(info)), EAGAIN);
    kill(getpid(), SIGUSR2);
    EXPECT_EQ(SYS(read, fd, info, sizeof(info)), 128);
    EXPECT_EQ(info[0], SIGUSR2);
    EXPECT_EQ(info[3], getpid());
    EXPECT_ERRNO(SYS(read, fd, info, 64), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, -1, &set, KERNEL_SET_SIZE, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, -1, &set, 4, 0), EINVAL);
    EXPECT_ERRNO(SYS(signalfd4, 999, &set, KERNEL_SET_SIZE, 0), EBADF);
    EXPECT_OK(SYS(signalfd, -1, &set, KERNEL_SET_SIZE));
}
