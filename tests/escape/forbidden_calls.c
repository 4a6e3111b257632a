/*
 * Calls that reach for other processes, the host or the machine, made raw, with odd and even flags
 * (A2, A3, A9 to A11, A15, A25; I1, I3). Each is made in a child. The answer is an errno, or a
 * success that concerns the child alone; the parent, and whoever else is there, goes on.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* A process that must not notice anything; it counts. */
static volatile unsigned long *counter;
static pid_t victim;

static void start_victim(void)
{
    counter = guest_shared(4096);
    IN_CHILD(victim) {
        setpgid(0, 0);
        for (;;) {
            (*counter)++;
            guest_sleep_ms(1);
        }
    }
    setpgid(victim, victim);
    WAIT_UNTIL(*counter > 3);
}

static void check_victim(void)
{
    unsigned long before = *counter;
    int status;

    WAIT_UNTIL(*counter > before + 3);
    EXPECT_EQ(waitpid(victim, &status, WNOHANG | WUNTRACED), 0);
    guest_end(victim);
    escape_check_alive();
}

TEST(signals_to_others, "kill:EPERM,ESRCH tgkill:EPERM,ESRCH")
{
    pid_t pid;

    start_victim();
    IN_CHILD(pid) {
        escape_become_nobody();
        for (int target = 1; target < 400; target++) {
            if (target == getpid())
                continue;
            EXPECT_EQ(SYS(kill, target, SIGSTOP), -1);
            EXPECT_EQ(SYS(tkill, target, SIGKILL), -1);
            EXPECT_EQ(SYS(tgkill, target, target, SIGKILL), -1);
        }
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    check_victim();
}

TEST(kill_everybody, "kill")
{
    pid_t pid;

    escape_need_sandbox();
    /* As root of the container, everything in it; what is outside does not exist. */
    IN_CHILD(pid) {
        SYS(setsid);
        SYS(kill, -1, SIGWINCH);
        SYS(kill, -1, 0);
        for (long target = 1; target < 70000; target += target < 500 ? 1 : 997)
            SYS(kill, target, SIGWINCH);
    }
    EXPECT_CHILD_OK(pid);
    escape_check_alive();
}

TEST(ptrace_others, "ptrace")
{
    pid_t pid;

    start_victim();
    IN_CHILD(pid) {
        escape_become_nobody();
        for (int target = 1; target < 200; target++) {
            SYS(ptrace, PTRACE_ATTACH, target, 0, 0);
            SYS(ptrace, PTRACE_SEIZE, target, 0, 0);
            SYS(ptrace, PTRACE_PEEKDATA, target, 0x400000, 0);
            SYS(ptrace, PTRACE_POKEDATA, target, 0x400000, 0);
            SYS(ptrace, PTRACE_CONT, target, 0, SIGKILL);
            SYS(ptrace, PTRACE_DETACH, target, 0, 0);
        }
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    check_victim();
}

TEST(odd_ptrace_requests, "ptrace")
{
    pid_t pid;

    start_victim();
    IN_CHILD(pid) {
        escape_become_nobody();
        for (long request = 1; request < 60; request++)
            SYS(ptrace, request == PTRACE_TRACEME ? 0x7777 : request, victim, 8, 8);
        for (long request = 0x4200; request < 0x4220; request++) {
            if (request != PTRACE_SEIZE)
                SYS(ptrace, request, victim, 8, 8);
        }
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    check_victim();
    IN_CHILD(pid) {
        SYS(ptrace, PTRACE_TRACEME, 0, 0, 0);
        raise(SIGKILL);
    }
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(memory_of_others, "process_vm_readv process_vm_writev")
{
    char data[64] = "written from outside";
    struct iovec local = {data, sizeof(data)}, remote = {(void *)counter, 8};
    pid_t pid;

    start_victim();
    remote.iov_base = (void *)counter;
    IN_CHILD(pid) {
        escape_become_nobody();
        for (int target = 1; target < 300; target++) {
            if (target == getpid())
                continue;
            EXPECT_EQ(SYS(process_vm_readv, target, &local, 1, &remote, 1, 0), -1);
            EXPECT_EQ(SYS(process_vm_writev, target, &local, 1, &remote, 1, 0), -1);
        }
        EXPECT_EQ(SYS(process_vm_writev, victim, &local, 1, &remote, 1, 7), -1);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    check_victim();
}

/* survives() - run one raw call in a child, which then still has to answer for itself */
static void survives(const char *what, long number, const unsigned long *a)
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        struct sigaction act;

        escape_drop();
        memset(&act, 0, sizeof(act));
        act.sa_handler = SIG_IGN;
        sigaction(SIGSYS, &act, NULL);
        alarm(3);
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        _exit(getppid() > 0 ? 0 : 1);
    }
    status = escape_outcome(pid, 5000);
    guest_check(escape_harmless(status), __FILE__, __LINE__, "%s: wait status 0x%x", what,
                (unsigned int)status);
}

#define SURVIVES(name, ...)                                                                        \
    survives(#name "(" #__VA_ARGS__ ")", __NR_##name, (unsigned long[6]){__VA_ARGS__})

#define PTR(object) ((unsigned long)(object))

TEST_SLOW(machine_calls, 60)
{
    char path[] = "/", buf[4096] = {0};

    start_victim();
    SURVIVES(restart_syscall, 0);
    SURVIVES(mount, PTR("proc"), PTR("/mnt"), PTR("proc"), 0, 0);
    SURVIVES(mount, PTR("/"), PTR("/"), 0, 0x44000, 0);
    SURVIVES(umount2, PTR("/proc"), 2);
    SURVIVES(pivot_root, PTR(path), PTR(path));
    SURVIVES(swapon, PTR("/dev/null"), 0);
    SURVIVES(acct, PTR("/dev/null"));
    SURVIVES(syslog, 2, PTR(buf), sizeof(buf));
    SURVIVES(syslog, 5, 0, 0);
    SURVIVES(ioperm, 0, 0x3ff, 1);
    SURVIVES(iopl, 3);
    SURVIVES(init_module, PTR(buf), sizeof(buf), PTR(path));
    SURVIVES(finit_module, 0, PTR(path), 0);
    SURVIVES(delete_module, PTR("loop"), 0x800);
    SURVIVES(quotactl, 0x800002, PTR("/dev/null"), 0, PTR(buf));
    SURVIVES(settimeofday, PTR(buf), 0);
    SURVIVES(clock_settime, 0, PTR(buf));
    SURVIVES(adjtimex, PTR(buf));
    SURVIVES(clock_adjtime, 0, PTR(buf));
    SURVIVES(sethostname, PTR(buf), 5);
    SURVIVES(setdomainname, PTR(buf), 5);
    SURVIVES(lookup_dcookie, 1, PTR(buf), 100);
    SURVIVES(perf_event_open, PTR(buf), -1ul, 0, -1ul, 0);
    SURVIVES(bpf, 5, PTR(buf), 128);
    SURVIVES(bpf, 0, PTR(buf), 128);
    SURVIVES(fanotify_init, 0, 0);
    SURVIVES(open_by_handle_at, 0, PTR(buf), 0);
    SURVIVES(name_to_handle_at, -100ul, PTR(path), PTR(buf), PTR(buf + 100), 0);
    SURVIVES(setns, 0, 0);
    SURVIVES(setns, 0, 0x7e020000);
    SURVIVES(keyctl, 0, -3ul, 0);
    SURVIVES(add_key, PTR("user"), PTR("name"), PTR(buf), 10, -3ul);
    SURVIVES(request_key, PTR("user"), PTR("name"), 0, -3ul);
    SURVIVES(kcmp, (unsigned long)victim, 1, 0, 0, 0);
    SURVIVES(pidfd_getfd, 0, 0, 0);
    SURVIVES(move_pages, (unsigned long)victim, 1, PTR(buf), PTR(buf), PTR(buf), 4);
    SURVIVES(migrate_pages, (unsigned long)victim, 64, PTR(buf), PTR(buf));
    SURVIVES(process_madvise, 0, PTR(buf), 1, 4, 0);
    SURVIVES(process_mrelease, 0, 0);
    SURVIVES(sched_setscheduler, (unsigned long)victim, 1, PTR(buf));
    SURVIVES(sched_setaffinity, (unsigned long)victim, 8, PTR(buf));
    SURVIVES(setpriority, 0, (unsigned long)victim, -20ul);
    SURVIVES(prlimit64, (unsigned long)victim, 4, PTR(buf), 0);
    SURVIVES(ioprio_set, 1, (unsigned long)victim, 0x2007);
    SURVIVES(rt_sigqueueinfo, (unsigned long)victim, 0, PTR(buf));
    check_victim();
}

TEST_SLOW(memory_calls, 60)
{
    char buf[4096] = {0};

    start_victim();
    SURVIVES(userfaultfd, 0);
    SURVIVES(userfaultfd, 1);
    SURVIVES(io_uring_setup, 8, PTR(buf));
    SURVIVES(io_uring_setup, 0xffffffff, PTR(buf));
    SURVIVES(io_uring_enter, 0, 1, 1, 1, 0, 0);
    SURVIVES(io_uring_register, -1ul, 0, 0, 0);
    SURVIVES(rseq, PTR(buf), 32, 0, 0x53053053);
    SURVIVES(rseq, 0x7ffff0000000, 32, 0, 0x53053053);
    SURVIVES(memfd_secret, 0);
    SURVIVES(memfd_create, PTR("x"), 4 | 1);
    SURVIVES(membarrier, 2, 0, 0);
    SURVIVES(membarrier, 16, 0, 0);
    SURVIVES(membarrier, 64, 0, 0);
    SURVIVES(membarrier, 128, 1, 0);
    SURVIVES(mbind, PTR(buf) & ~4095ul, 4096, 2, PTR(buf), 64, 0);
    SURVIVES(set_mempolicy, 3, PTR(buf), 64);
    SURVIVES(mlockall, 3);
    SURVIVES(pkey_alloc, 0, 3);
    SURVIVES(remap_file_pages, PTR(buf) & ~4095ul, 4096, 0, 0, 0);
    SURVIVES(modify_ldt, 1, PTR(buf), 16);
    SURVIVES(modify_ldt, 0x11, PTR(buf), 16);
    SURVIVES(set_mempolicy_home_node, PTR(buf) & ~4095ul, 4096, 0, 0);
    SURVIVES(shmget, 0, 4096, 01777);
    SURVIVES(shmctl, 0, 3, 0);
    SURVIVES(msgget, 0, 01777);
    SURVIVES(semget, 0, 10, 01777);
    SURVIVES(personality, 0x0400000);
    SURVIVES(personality, 8);
    SURVIVES(uselib, PTR("/bin/sh"));
    check_victim();
}

TEST_SLOW(prctl_and_seccomp, 60, "prctl seccomp")
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_filter deny[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38)};
    struct sock_filter notify[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
    struct sock_fprog programs[] = {{1, allow}, {1, deny}, {1, notify}, {0xffff, allow}};
    pid_t pid;

    start_victim();
    for (unsigned long option = 1; option < 80; option++) {
        /* Speculation control, timer slack, names and the like; SET_SECCOMP comes below. */
        if (option != 22) {
            SURVIVES(prctl, option, 0, 0, 0, 0);
            SURVIVES(prctl, option, 1, 8, 8, 8);
        }
    }
    for (unsigned long what = 1; what < 16; what++)
        SURVIVES(prctl, 35 /* PR_SET_MM */, what, 0x7ffff0000000, 0, 0);
    SURVIVES(prctl, 0x59616d61 /* PR_SET_PTRACER */, -1ul);
    SURVIVES(prctl, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0x7ffff0000000, 0);
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        IN_CHILD(pid) {
            escape_drop();
            alarm(2);
            SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            if (SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[i]) < 0)
                SYS(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &programs[i], 0, 0);
            SYS(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &programs[2]);
            SYS(getpid);
            /* Whatever was installed: leaving is still possible, by a fault if not by a call. */
            SYS(exit_group, 0);
            __builtin_trap();
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    IN_CHILD(pid) {
        SYS(prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
        SYS(exit, 0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    check_victim();
}

/* clone_and_exit() - clone(flags), the child exits at once without touching any stack */
static void clone_and_exit(unsigned long flags)
{
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long result = __NR_clone;

    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
                     "xor %%edi, %%edi\n\tmov $60, %%eax\n\tsyscall\n\t"
                     "1:"
                     : "+a"(result), "+D"(flags)
                     : "S"(0), "d"(0), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory", "cc");
}

TEST_SLOW(clone_flags, 120, "clone clone3 unshare")
{
    start_victim();
    for (int bit = 8; bit < 32; bit++) {
        pid_t pid;

        /* Each flag alone, and each with all of a thread's or of a container's. */
        for (int with = 0; with < 3; with++) {
            unsigned long flags = 1ul << bit;
            int status;

            flags |= with == 1 ? CLONE_VM | CLONE_SIGHAND : 0;
            flags |= with == 2 ? CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS : 0;
            IN_CHILD(pid) {
                escape_drop();
                alarm(3);
                /* Memory shared without a stack of one's own: only where the other one waits. */
                if (flags & CLONE_VM)
                    flags |= CLONE_VFORK;
                if (flags & CLONE_SETTLS)
                    _exit(0);
                clone_and_exit(flags | SIGCHLD);
                _exit(0);
            }
            status = escape_outcome(pid, 5000);
            guest_check(escape_harmless(status), __FILE__, __LINE__, "clone(0x%lx): 0x%x", flags,
                        (unsigned int)status);
        }
        SURVIVES(unshare, 1ul << bit);
    }
    check_victim();
}

TEST_SLOW(clone3_arguments, 60, "clone3")
{
    start_victim();
    for (int round = 0; round < 60; round++) {
        pid_t pid;

        IN_CHILD(pid) {
            unsigned long args[16] = {0};
            long child;

            escape_drop();
            alarm(3);
            for (int i = 0; i < 11; i++)
                args[i] = escape_random() % 3 == 0 ? 1ul << (escape_random() % 40) : 0;
            for (int i = 0; i <= round; i++)
                args[0] = 1ul << (escape_random() % 36);
            /* Never a thread or shared memory without a stack: that is self-harm only. */
            args[0] &= ~(unsigned long)(CLONE_VM | CLONE_THREAD | CLONE_SETTLS);
            child = SYS(clone3, args, round % 3 ? 88 : 64 + round);
            _exit(child >= 0 ? 0 : 0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    check_victim();
}

TEST_SLOW(futexes_of_others, 60, "futex")
{
    /* Every operation, at addresses where the sandbox itself may keep words. */
    static const unsigned long words[] = {0x7ffff0000000, 0x7ffff0100000, 0x7fffffffe000, 0x1000,
                                          0xffffffffff600000, 0x7fffe0000000};

    start_victim();
    for (unsigned long op = 0; op < 16; op++) {
        for (unsigned long flag = 0; flag < 512; flag += 128) {
            pid_t pid;

            IN_CHILD(pid) {
                unsigned long soon[2] = {0, 1000000};

                alarm(5);
                for (size_t i = 0; i < COUNT_OF(words); i++) {
                    SYS(futex, words[i], op | flag, 0, soon, words[(i + 1) % 6], -1);
                    SYS(futex, words[i], op | flag, 1, 1, words[(i + 1) % 6], 0);
                }
                _exit(0);
            }
            EXPECT(escape_harmless(escape_outcome(pid, 8000)));
        }
    }
    check_victim();
}

TEST_SLOW(protocol_numbers, 60)
{
    pid_t pid;

    start_victim();
    IN_CHILD(pid) {
        /* Numbers that no Linux has; a sandbox may talk to itself with some. */
        for (long number = 0x3ffeffe0; number < 0x3fff0040; number++) {
            for (long role = -1; role < 6; role++) {
                EXPECT_EQ(syscall(number, role, 0l, 0l, 0l, 0l, 0l), -1);
                EXPECT_EQ(errno, ENOSYS);
                EXPECT_EQ(syscall(number, role, 1l, -1l, 0x7ffff0000000l, 1l, 2l), -1);
            }
        }
        for (long number = 460; number < 520; number++) {
            if (number > 480)
                EXPECT_ERRNO(syscall(number, 0l, 0l, 0l, 0l, 0l, 0l), ENOSYS);
        }
    }
    EXPECT_EXIT(pid, 0);
    check_victim();
}
