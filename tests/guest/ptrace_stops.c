/*
 * ptrace: attach and detach, and what a tracee stops for: signals, system calls, fork, exec, exit, group
 * stops. Registers and memory are in ptrace_regs.c.
 */
#include "tests/guest/tracer.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

TEST(traceme_stop_and_exit, "ptrace wait4")
{
    pid_t pid;

    TRACED_CHILD(pid)
    {
        _exit(7);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 7);
}

TEST(traceme_twice, "ptrace:EPERM")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        EXPECT_OK(PT(TRACEME, 0, 0, 0));
        EXPECT_ERRNO(PT(TRACEME, 0, 0, 0), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(requests_of_no_tracee, "ptrace:ESRCH,EPERM,EIO")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        pause();
    }
    EXPECT_ERRNO(PT(CONT, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(PEEKDATA, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(KILL, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(INTERRUPT, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(SYS(ptrace, 9999, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(ATTACH, getpid(), 0, 0), EPERM);
    EXPECT_ERRNO(PT(ATTACH, 0x3ffff0, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(SEIZE, pid, 1, 0), EIO);
    EXPECT_ERRNO(PT(SEIZE, pid, 0, 0x40000000), EIO);
    guest_end(pid);
}

/* A running tracee answers to nothing but KILL and INTERRUPT. */
TEST(running_tracee, "ptrace:ESRCH,EIO")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        for (;;)
            pause();
    }
    REQUIRE_OK(PT(ATTACH, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    EXPECT_ERRNO(PT(ATTACH, pid, 0, 0), EPERM);
    EXPECT_ERRNO(PT(INTERRUPT, pid, 0, 0), EIO); /* it was not seized */
    EXPECT_ERRNO(PT(CONT, pid, 0, 65), EIO);
    EXPECT_ERRNO(SYS(ptrace, 9999, pid, 0, 0), EIO);
    EXPECT_ERRNO(PT(SETOPTIONS, pid, 0, 0x40000000), EINVAL);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_ERRNO(PT(CONT, pid, 0, 0), ESRCH);
    EXPECT_ERRNO(PT(PEEKUSER, pid, 0, 0), ESRCH);
    EXPECT_OK(PT(KILL, pid, 0, 0));
    EXPECT_KILLED(pid, SIGKILL);
}

/* The tracer hears of each signal first and may drop it, pass it on, or give another. */
TEST(signals_pass_through, "ptrace rt_sigaction")
{
    siginfo_t info;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        guest_on_signal(SIGUSR2, guest_count_signal, 0);
        raise(SIGUSR1); /* dropped */
        EXPECT_EQ(guest_signals, 0);
        raise(SIGUSR1); /* passed on */
        EXPECT_EQ(guest_signals, 1);
        raise(SIGTERM); /* turned into SIGUSR2 */
        EXPECT_EQ(guest_signals, 2);
        raise(SIGCHLD); /* ignored by default, and stopped for all the same */
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ(info.si_signo, SIGUSR1);
    EXPECT_EQ(info.si_code, SI_TKILL);
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_OK(PT(CONT, pid, 0, SIGUSR1));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTERM));
    EXPECT_OK(PT(CONT, pid, 0, SIGUSR2));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCHLD));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

static volatile int seen_code, seen_pid, seen_value;

static void note_info(int signo, siginfo_t *info, void *context)
{
    seen_code = info->si_code;
    seen_pid = info->si_pid;
    seen_value = info->si_value.sival_int;
}

TEST(siginfo_is_the_tracers, "ptrace")
{
    siginfo_t info;
    pid_t pid, tracer = getpid();

    TRACED_CHILD(pid)
    {
        struct sigaction sa = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};

        REQUIRE_OK(sigaction(SIGUSR1, &sa, NULL));
        raise(SIGUSR1);
        EXPECT_EQ(seen_code, SI_QUEUE);
        EXPECT_EQ(seen_value, 77);
        raise(SIGUSR2); /* another signal than that: the tracer is its sender */
        EXPECT_EQ(seen_code, SI_USER);
        EXPECT_EQ(seen_pid, tracer);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 77;
    EXPECT_OK(PT(SETSIGINFO, pid, 0, &info));
    EXPECT_OK(PT(CONT, pid, 0, SIGUSR1));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR2));
    EXPECT_OK(PT(CONT, pid, 0, SIGUSR1));
    EXPECT_CHILD_OK(pid);
}

TEST(pending_signals_and_mask, "ptrace")
{
    struct __ptrace_peeksiginfo_args args = {.nr = 4};
    uint64_t mask = 0;
    siginfo_t info[4];
    pid_t pid;

    TRACED_CHILD(pid)
    {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 0; i < 3; i++)
            SYS(tgkill, getpid(), getpid(), SIGRTMIN);
        raise(SIGSTOP);
        EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &set));
        EXPECT(!sigismember(&set, SIGRTMIN + 1) && sigismember(&set, SIGRTMIN));
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    EXPECT_EQ(PT(PEEKSIGINFO, pid, &args, info), 3);
    EXPECT_EQ(info[2].si_signo, SIGRTMIN);
    args.off = 2;
    EXPECT_EQ(PT(PEEKSIGINFO, pid, &args, info), 1);
    args.flags = PTRACE_PEEKSIGINFO_SHARED;
    EXPECT_EQ(PT(PEEKSIGINFO, pid, &args, info), 0);
    args.flags = 2;
    EXPECT_ERRNO(PT(PEEKSIGINFO, pid, &args, info), EINVAL);
    EXPECT_OK(PT(GETSIGMASK, pid, 8, &mask));
    EXPECT_EQ(mask, 1ull << (SIGRTMIN - 1));
    EXPECT_ERRNO(PT(GETSIGMASK, pid, 4, &mask), EINVAL);
    mask |= 1ull << (SIGKILL - 1);
    EXPECT_OK(PT(SETSIGMASK, pid, 8, &mask));
    EXPECT_OK(PT(GETSIGMASK, pid, 8, &mask));
    EXPECT_EQ(mask, 1ull << (SIGRTMIN - 1));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

TEST(attach_and_detach, "ptrace")
{
    char status[4096];
    char path[64];
    pid_t pid;

    IN_CHILD(pid)
    {
        for (;;)
            pause();
    }
    REQUIRE_OK(PT(ATTACH, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    REQUIRE(guest_slurp(path, status, sizeof(status)) > 0);
    EXPECT(strstr(status, "State:\tt (tracing stop)\n"));
    snprintf(path, sizeof(path), "TracerPid:\t%d\n", getpid());
    EXPECT(strstr(status, path));
    EXPECT_OK(PT(DETACH, pid, 0, SIGKILL));
    EXPECT_KILLED(pid, SIGKILL);
}

/* Detached with a stop signal, it stops as if nobody had traced it. */
TEST(detach_into_group_stop, "ptrace")
{
    int status;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        _exit(3);
    }
    EXPECT_OK(PT(DETACH, pid, 0, SIGSTOP));
    EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
    EXPECT_EQ(status, STOPPED(SIGSTOP));
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_EXIT(pid, 3);
}

TEST(attach_to_stopped, "ptrace")
{
    siginfo_t info;
    int status;
    pid_t pid;

    IN_CHILD(pid)
    {
        raise(SIGSTOP);
        _exit(9);
    }
    EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
    REQUIRE_OK(PT(ATTACH, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    EXPECT_ERRNO(PT(GETSIGINFO, pid, 0, &info), EINVAL); /* a group stop has none */
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP)); /* attach's own */
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 9);
}

TEST(group_stop_of_a_tracee, "ptrace")
{
    siginfo_t info;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        raise(SIGTSTP);
        _exit(4);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTSTP)); /* the signal */
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_OK(PT(CONT, pid, 0, SIGSTOP));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP)); /* the group stop */
    EXPECT_ERRNO(PT(GETSIGINFO, pid, 0, &info), EINVAL);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 4);
}

TEST(seize_interrupt_listen, "ptrace")
{
    siginfo_t info;
    pid_t pid;

    IN_CHILD(pid)
    {
        for (;;)
            pause();
    }
    REQUIRE_OK(PT(SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
    EXPECT_EQ(waitpid(pid, NULL, __WALL | WNOHANG), 0); /* it goes on */
    EXPECT_OK(PT(INTERRUPT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), EVENT(SIGTRAP, PTRACE_EVENT_STOP));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ(info.si_signo, SIGTRAP);
    EXPECT_EQ(info.si_code, SIGTRAP | PTRACE_EVENT_STOP << 8);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_OK(kill(pid, SIGSTOP));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    EXPECT_ERRNO(PT(LISTEN, pid, 0, 0), EIO);
    EXPECT_OK(PT(CONT, pid, 0, SIGSTOP));
    EXPECT_EQ(tracer_next_stop(pid), EVENT(SIGSTOP, PTRACE_EVENT_STOP));
    EXPECT_OK(PT(LISTEN, pid, 0, 0));
    EXPECT_ERRNO(PT(CONT, pid, 0, 0), ESRCH); /* it is no longer stopped for us */
    EXPECT_EQ(waitpid(pid, NULL, __WALL | WNOHANG), 0);
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_EQ(tracer_next_stop(pid), EVENT(SIGTRAP, PTRACE_EVENT_STOP));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCONT));
    EXPECT_OK(PT(DETACH, pid, 0, 0));
    guest_end(pid);
}

/* System calls stop twice; the tracer may change number and result. */
TEST(syscall_stops, "ptrace")
{
    struct __ptrace_syscall_info si;
    struct user_regs_struct regs;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        EXPECT_EQ(SYS(getppid), 4711);
        EXPECT_ERRNO(SYS(getuid), EXDEV);
        EXPECT_EQ(SYS(getgid), getpid());
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
    EXPECT_EQ(PT(GET_SYSCALL_INFO, pid, sizeof(si), &si),
              offsetof(struct __ptrace_syscall_info, entry));
    EXPECT_EQ(si.op, PTRACE_SYSCALL_INFO_NONE);
    tracer_run_to(pid, SYS_getppid, &regs);
    EXPECT_EQ(regs.rax, -ENOSYS);
    EXPECT_OK(PT(GET_SYSCALL_INFO, pid, sizeof(si), &si));
    EXPECT_EQ(si.op, PTRACE_SYSCALL_INFO_ENTRY);
    EXPECT_EQ(si.arch, AUDIT_ARCH_X86_64);
    EXPECT_EQ(si.entry.nr, SYS_getppid);
    EXPECT_OK(PT(SYSCALL, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP | 0x80));
    EXPECT_OK(PT(GET_SYSCALL_INFO, pid, sizeof(si), &si));
    EXPECT_EQ(si.op, PTRACE_SYSCALL_INFO_EXIT);
    EXPECT_EQ(si.exit.rval, getpid());
    EXPECT_EQ(si.exit.is_error, 0);
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, rax), 4711));
    tracer_run_to(pid, SYS_getuid, &regs);
    /* No call at all, and the result is what the tracer says at the exit. */
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1));
    EXPECT_OK(PT(SYSCALL, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP | 0x80));
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, rax), -EXDEV));
    tracer_run_to(pid, SYS_getgid, &regs);
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), SYS_getpid));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

TEST(sysemu, "ptrace")
{
    struct user_regs_struct regs;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        EXPECT_EQ(SYS(getppid), 12345);
    }
    EXPECT_OK(PT(SYSEMU, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.orig_rax, SYS_getppid);
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, rax), 12345));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* An interrupted call shows its restart code, and is made again. */
TEST(restart_codes_show, "ptrace")
{
    struct user_regs_struct regs;
    int ends[2], status;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    TRACED_CHILD(pid)
    {
        char byte;

        guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
        EXPECT_EQ(SYS(read, ends[0], &byte, 1), 1);
        EXPECT_EQ(guest_signals, 1);
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
    tracer_run_to(pid, SYS_read, &regs);
    EXPECT_OK(PT(SYSCALL, pid, 0, 0));
    guest_sleep_ms(20);
    EXPECT_OK(kill(pid, SIGUSR1));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP | 0x80));
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ((long)regs.rax, -512);
    EXPECT_OK(PT(SYSCALL, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    EXPECT_OK(PT(CONT, pid, 0, SIGUSR1));
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

static void sleep_forever(void)
{
    for (;;)
        pause();
}

/* follow() - run the tracee until `event`; *message is its message. */
static void follow(pid_t pid, int event, unsigned long *message)
{
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), EVENT(SIGTRAP, event));
    EXPECT_OK(PT(GETEVENTMSG, pid, 0, message));
}

TEST(fork_events, "ptrace clone vfork fork")
{
    unsigned long message;
    siginfo_t info;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        pid_t child = fork();

        if (child == 0)
            _exit(1);
        EXPECT_EXIT(child, 1);
        child = vfork();
        if (child == 0)
            _exit(2);
        EXPECT_EXIT(child, 2);
    }
    EXPECT_OK(
        PT(SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE));
    follow(pid, PTRACE_EVENT_FORK, &message);
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ(info.si_code, SIGTRAP | PTRACE_EVENT_FORK << 8);
    EXPECT_EQ(tracer_next_stop((pid_t)message),
              STOPPED(SIGSTOP)); /* traced from its first instruction */
    EXPECT_OK(PT(CONT, message, 0, 0));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT((pid_t)message, 1); /* the tracer's first, then the parent's */
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCHLD));
    follow(pid, PTRACE_EVENT_VFORK, &message);
    EXPECT_EQ(tracer_next_stop((pid_t)message), STOPPED(SIGSTOP));
    EXPECT_OK(PT(DETACH, message, 0, 0));
    follow(pid, PTRACE_EVENT_VFORK_DONE, &message);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCHLD));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

TEST(clone_untraced_and_ptrace, "ptrace clone")
{
    unsigned long message;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        pid_t child = (pid_t)SYS(clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

        if (child == 0)
            _exit(1);
        EXPECT_EXIT(child, 1);
        child = (pid_t)SYS(clone, CLONE_PTRACE | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(2);
        EXPECT_EXIT(child, 2);
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCHLD));
    EXPECT_OK(PT(SETOPTIONS, pid, 0, 0));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    message = (unsigned long)waitpid(-1, NULL, __WALL); /* the child that CLONE_PTRACE gave us */
    EXPECT_NE(message, pid);
    EXPECT_OK(PT(CONT, message, 0, 0));
    EXPECT_EXIT((pid_t)message, 2);
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGCHLD));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

HELPER(do_exit)
{
    return argv[1][0] - '0';
}

TEST(exec_stops, "ptrace execve")
{
    const char *const argv[] = {guest_self, "--helper", "do_exit", "6", NULL};
    struct user_regs_struct regs;
    unsigned long message;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        SYS(execve, guest_self, argv, NULL);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP)); /* as of old: a signal */
    EXPECT_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.rax, 0);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 6);

    TRACED_CHILD(pid)
    {
        SYS(execve, guest_self, argv, NULL);
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT));
    follow(pid, PTRACE_EVENT_EXEC, &message);
    EXPECT_EQ(message, pid);
    EXPECT_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.orig_rax, SYS_execve);
    follow(pid, PTRACE_EVENT_EXIT, &message);
    EXPECT_EQ(message, 6 << 8);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 6);
}

/* EXITKILL: who loses its tracer dies. */
TEST(exitkill, "ptrace")
{
    int ends[2];
    pid_t tracer;
    char byte;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(tracer)
    {
        pid_t pid = guest_fork();

        if (pid == 0)
            sleep_forever();
        close(ends[1]); /* the tracee alone has it now */
        REQUIRE_OK(PT(SEIZE, pid, 0, PTRACE_O_EXITKILL));
        _exit(0);
    }
    close(ends[1]);
    EXPECT_EXIT(tracer, 0);
    EXPECT_EQ(read(ends[0], &byte, 1), 0);
}

/* Without it the tracee of a tracer that is gone goes on, even out of a stop. */
TEST(tracer_dies, "ptrace")
{
    int status;
    pid_t pid, tracer;

    IN_CHILD(pid)
    {
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        WAIT_UNTIL(guest_signals);
    }
    IN_CHILD(tracer)
    {
        REQUIRE_OK(PT(ATTACH, pid, 0, 0));
        EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    }
    EXPECT_CHILD_OK(tracer);
    EXPECT_OK(kill(pid, SIGUSR1));
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

/* A tracer that is not the parent has the zombie first. */
TEST(foreign_tracer_waits_first, "ptrace wait4")
{
    int to_tracer[2], to_parent[2];
    pid_t pid, tracer;
    char byte = 0;

    REQUIRE_OK(pipe(to_tracer));
    REQUIRE_OK(pipe(to_parent));
    IN_CHILD(pid)
    {
        sleep_forever();
    }
    IN_CHILD(tracer)
    {
        REQUIRE_OK(PT(SEIZE, pid, 0, 0));
        EXPECT_EQ(write(to_parent[1], "a", 1), 1);
        EXPECT_EQ(read(to_tracer[0], &byte, 1), 1);
        EXPECT_KILLED(pid, SIGKILL);
        EXPECT_ERRNO(waitpid(pid, NULL, __WALL), ECHILD);
    }
    REQUIRE(read(to_parent[0], &byte, 1) == 1);
    EXPECT_OK(kill(pid, SIGKILL));
    guest_sleep_ms(30);
    EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0); /* it is dead, and still the tracer's */
    EXPECT_EQ(write(to_tracer[1], "b", 1), 1);
    EXPECT_KILLED(pid, SIGKILL);
    EXPECT_CHILD_OK(tracer);
}

static void *thread_work(void *unused)
{
    SYS(exit, 0);
    return unused;
}

/* Threads are tracees of their own: each one's beginning and end is told. */
TEST(threads_are_traced, "ptrace clone wait4 exit")
{
    unsigned long message;
    int status;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        pthread_t thread;

        pthread_create(&thread, NULL, thread_work, NULL);
        pthread_join(thread, NULL);
        raise(
            SIGUSR1); /* the thread is waited for before the process ends, which would be its status */
        _exit(5);
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT));
    follow(pid, PTRACE_EVENT_CLONE, &message);
    EXPECT_EQ(tracer_next_stop((pid_t)message), STOPPED(SIGSTOP));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_OK(PT(CONT, message, 0, 0));
    EXPECT_EQ(waitpid((pid_t)message, &status, __WALL), message);
    EXPECT_EQ(status, EVENT(SIGTRAP, PTRACE_EVENT_EXIT));
    EXPECT_OK(PT(CONT, message, 0, 0));
    EXPECT_EQ(waitpid((pid_t)message, &status, __WALL), message);
    EXPECT_EQ(status, 0);
    EXPECT_ERRNO(waitpid((pid_t)message, &status, __WALL), ECHILD);
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), EVENT(SIGTRAP, PTRACE_EVENT_EXIT));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 5);
}

static void *exec_in_thread(void *unused)
{
    const char *const argv[] = {guest_self, "--helper", "do_exit", "8", NULL};

    SYS(execve, guest_self, argv, NULL);
    return unused;
}

/* A thread that executes takes its leader's number; its old one is the event's message. */
TEST(exec_of_a_thread, "ptrace execve")
{
    unsigned long thread, message;
    pid_t pid, got;
    int status;

    TRACED_CHILD(pid)
    {
        pthread_t other;

        pthread_create(&other, NULL, exec_in_thread, NULL);
        sleep_forever();
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC));
    follow(pid, PTRACE_EVENT_CLONE, &thread);
    EXPECT_EQ(tracer_next_stop((pid_t)thread), STOPPED(SIGSTOP));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_OK(PT(CONT, thread, 0, 0));
    got = waitpid(-1, &status, __WALL);
    EXPECT_EQ(got, pid);
    EXPECT_EQ(status, EVENT(SIGTRAP, PTRACE_EVENT_EXEC));
    EXPECT_OK(PT(GETEVENTMSG, pid, 0, &message));
    EXPECT_EQ(message, thread);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EXIT(pid, 8);
}

TEST(seccomp_events, "ptrace seccomp")
{
    struct user_regs_struct regs;
    unsigned long message;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 99),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog prog = {COUNT_OF(code), code};

        REQUIRE_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        REQUIRE_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
        EXPECT_EQ(SYS(getppid), getpid()); /* made into another call */
        EXPECT_EQ(SYS(getppid), 55);       /* not made */
        raise(SIGSTOP);
        EXPECT_ERRNO(SYS(getppid), ENOSYS); /* nobody wants to know any more */
    }
    EXPECT_OK(PT(SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP));
    follow(pid, PTRACE_EVENT_SECCOMP, &message);
    EXPECT_EQ(message, 99);
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.orig_rax, SYS_getppid);
    regs.orig_rax = SYS_getpid;
    EXPECT_OK(PT(SETREGS, pid, 0, &regs));
    follow(pid, PTRACE_EVENT_SECCOMP, &message);
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    regs.orig_rax = (unsigned long long)-1;
    regs.rax = 55;
    EXPECT_OK(PT(SETREGS, pid, 0, &regs));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    EXPECT_OK(PT(SETOPTIONS, pid, 0, 0));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* SIGKILL ends a stop whoever holds it; waitid tells a trap from a stop. */
TEST(killed_while_stopped, "ptrace waitid")
{
    siginfo_t info = {0};
    pid_t pid;

    TRACED_CHILD(pid)
    {
        raise(SIGUSR1);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(SYS(waitid, P_PID, pid, &info, WSTOPPED | WEXITED, NULL), 0);
    EXPECT_EQ(info.si_code, CLD_TRAPPED);
    EXPECT_EQ(info.si_status, SIGUSR1);
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_KILLED(pid, SIGKILL);
    EXPECT_ERRNO(PT(CONT, pid, 0, 0), ESRCH);
}

/* The tracer's SIGCHLD for a stop, and SA_NOCLDSTOP against it. */
TEST(sigchld_of_stops, "ptrace")
{
    struct sigaction sa = {.sa_handler = guest_count_signal};
    pid_t pid;

    REQUIRE_OK(sigaction(SIGCHLD, &sa, NULL));
    TRACED_CHILD(pid)
    {
        raise(SIGUSR1);
    }
    WAIT_UNTIL(guest_signals == 1);
    sa.sa_flags = SA_NOCLDSTOP;
    REQUIRE_OK(sigaction(SIGCHLD, &sa, NULL));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_EQ(guest_signals, 1);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* A tracer and a killer race; no wait is lost and nothing hangs. */
TEST_SLOW(races, 60, "ptrace")
{
    for (int i = 0; i < 200; i++) {
        pid_t pid, killer;
        int status;

        IN_CHILD(pid)
        {
            for (;;)
                SYS(getppid);
        }
        REQUIRE_OK(PT(SEIZE, pid, 0, 0));
        IN_CHILD(killer)
        {
            guest_sleep_ms((unsigned int)i % 3);
            kill(pid, SIGKILL);
        }
        PT(INTERRUPT, pid, 0, 0);
        while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
            struct user_regs_struct regs;

            PT(GETREGS, pid, 0, &regs);
            PT(SYSCALL, pid, 0, 0);
        }
        EXPECT_EQ(status, SIGKILL);
        EXPECT_CHILD_OK(killer);
    }
}
