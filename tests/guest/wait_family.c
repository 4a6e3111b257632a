/*
 * wait4 and waitid: statuses, options, errors, SIGCHLD, orphans.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

TEST(wait4_status_codes, "wait4 exit_group")
{
    int status;
    pid_t pid;

    for (int code = 0; code <= 255; code += 51) {
        IN_CHILD(pid) {
            _exit(code);
        }
        EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
        EXPECT_EQ(status, code << 8);
    }
    IN_CHILD(pid) {
        _exit(-1);
    }
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, 0xff00);
}

TEST(wait4_signals, "wait4 kill")
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGPIPE};
    pid_t pid;

    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        int status;

        IN_CHILD(pid) {
            pause();
        }
        EXPECT_OK(kill(pid, signals[i]));
        EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
        EXPECT_EQ(status, signals[i]);
    }
}

TEST(wait4_core_signal, "wait4")
{
    struct rlimit none = {0, 0};
    int status;
    pid_t pid;

    /* No core file is written, so no core bit. */
    REQUIRE_OK(setrlimit(RLIMIT_CORE, &none));
    IN_CHILD(pid) {
        raise(SIGQUIT);
    }
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, SIGQUIT);
}

TEST(wait4_errors, "wait4:ECHILD,EINVAL,EFAULT,ESRCH")
{
    int status = 5;
    pid_t pid;

    EXPECT_ERRNO(SYS(wait4, -1, &status, 0, NULL), ECHILD);
    EXPECT_ERRNO(SYS(wait4, -1, &status, WNOHANG, NULL), ECHILD);
    EXPECT_ERRNO(SYS(wait4, getppid(), &status, 0, NULL), ECHILD);
    EXPECT_ERRNO(SYS(wait4, 0x7ffffff0, &status, 0, NULL), ECHILD);
    EXPECT_ERRNO(SYS(wait4, -1, &status, 0x40, NULL), EINVAL);
    EXPECT_ERRNO(SYS(wait4, (int)0x80000000, &status, 0, NULL), ESRCH);
    EXPECT_EQ(status, 5);
    IN_CHILD(pid) {
    }
    EXPECT_ERRNO(SYS(wait4, pid, (void *)8, 0, NULL), EFAULT);
    /* It was reaped all the same. */
    EXPECT_ERRNO(SYS(wait4, pid, &status, 0, NULL), ECHILD);
    IN_CHILD(pid) {
    }
    EXPECT_EQ(SYS(wait4, pid, NULL, 0, NULL), pid);
}

TEST(wait4_nohang, "wait4")
{
    int ends[2], status = 77;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        char byte;

        close(ends[1]);
        EXPECT_EQ(read(ends[0], &byte, 1), 0);
    }
    EXPECT_EQ(SYS(wait4, pid, &status, WNOHANG, NULL), 0);
    EXPECT_EQ(SYS(wait4, -1, &status, WNOHANG, NULL), 0);
    EXPECT_EQ(status, 77);
    close(ends[1]);
    EXPECT_EQ(SYS(wait4, -1, &status, 0, NULL), pid);
    EXPECT_EQ(status, 0);
}

TEST(wait4_any_order, "wait4")
{
    pid_t pids[8];
    int seen = 0, status;

    for (int i = 0; i < 8; i++) {
        IN_CHILD(pids[i]) {
            guest_sleep_ms((unsigned int)(i * 7 % 4) * 10);
            _exit(i);
        }
    }
    for (int i = 0; i < 8; i++) {
        pid_t pid = (pid_t)SYS(wait4, -1, &status, 0, NULL);

        for (int k = 0; k < 8; k++) {
            if (pids[k] == pid && status == k << 8)
                seen |= 1 << k;
        }
    }
    EXPECT_EQ(seen, 255);
}

TEST(wait4_process_groups, "wait4 setpgid")
{
    pid_t own, other;
    int status;

    IN_CHILD(own) {
        _exit(1);
    }
    IN_CHILD(other) {
        setpgid(0, 0);
        _exit(2);
    }
    setpgid(other, other);
    EXPECT_EQ(SYS(wait4, 0, &status, 0, NULL), own);
    EXPECT_ERRNO(SYS(wait4, 0, &status, 0, NULL), ECHILD);
    EXPECT_EQ(SYS(wait4, -other, &status, 0, NULL), other);
    EXPECT_EQ(status, 2 << 8);
}

TEST(wait4_rusage, "wait4 getrusage")
{
    struct rusage usage, children;
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        struct timespec now;

        do {
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        } while (now.tv_sec == 0 && now.tv_nsec < 60000000);
    }
    memset(&usage, 0, sizeof(usage));
    EXPECT_EQ(SYS(wait4, pid, &status, 0, &usage), pid);
    EXPECT_GE(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
              20000);
    EXPECT_GT(usage.ru_maxrss, 0);
    EXPECT_OK(SYS(getrusage, RUSAGE_CHILDREN, &children));
    EXPECT_GE(children.ru_utime.tv_usec + children.ru_utime.tv_sec * 1000000 +
                  children.ru_stime.tv_usec,
              20000);
}

TEST(wait4_eintr, "wait4:EINTR")
{
    pid_t pid, pest;
    int status;

    IN_CHILD(pid) {
        pause();
    }
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(wait4, pid, &status, 0, NULL), EINTR);
    guest_end(pest);
    guest_end(pid);
}

TEST(wait4_restart, "wait4")
{
    pid_t pid, parent = getpid();
    int status;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    IN_CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            guest_sleep_ms(10);
            kill(parent, SIGUSR1);
        }
        _exit(9);
    }
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, 9 << 8);
    EXPECT_GE(guest_signals, 1);
}

TEST(wait4_stop_continue, "wait4 kill")
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    EXPECT_OK(kill(pid, SIGSTOP));
    EXPECT_EQ(SYS(wait4, pid, &status, WUNTRACED, NULL), pid);
    EXPECT_EQ(status, SIGSTOP << 8 | 0x7f);
    /* Told once; and without WUNTRACED never. */
    EXPECT_EQ(SYS(wait4, pid, &status, WUNTRACED | WNOHANG, NULL), 0);
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_EQ(SYS(wait4, pid, &status, WCONTINUED, NULL), pid);
    EXPECT_EQ(status, 0xffff);
    EXPECT_EQ(SYS(wait4, pid, &status, WCONTINUED | WNOHANG, NULL), 0);
    EXPECT_OK(kill(pid, SIGTSTP));
    EXPECT_EQ(SYS(wait4, pid, &status, WUNTRACED, NULL), pid);
    EXPECT_EQ(status, SIGTSTP << 8 | 0x7f);
    EXPECT_EQ(SYS(wait4, pid, &status, WNOHANG, NULL), 0);
    /* Stopped as it is, only SIGKILL and SIGCONT reach it. */
    EXPECT_OK(kill(pid, SIGTERM));
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(wait4, pid, &status, WNOHANG, NULL), 0);
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, SIGKILL);
}

TEST(waitid_exited, "waitid")
{
    struct rusage usage;
    siginfo_t info;
    pid_t pid;

    IN_CHILD(pid) {
        _exit(33);
    }
    memset(&info, 0xff, sizeof(info));
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WEXITED, &usage));
    EXPECT_EQ(info.si_signo, SIGCHLD);
    EXPECT_EQ(info.si_errno, 0);
    EXPECT_EQ(info.si_code, CLD_EXITED);
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_EQ(info.si_uid, getuid());
    EXPECT_EQ(info.si_status, 33);
    IN_CHILD(pid) {
        raise(SIGKILL);
    }
    EXPECT_OK(SYS(waitid, P_ALL, 0, &info, WEXITED, NULL));
    EXPECT_EQ(info.si_code, CLD_KILLED);
    EXPECT_EQ(info.si_pid, pid);
    EXPECT_EQ(info.si_status, SIGKILL);
}

TEST(waitid_nowait, "waitid")
{
    siginfo_t info;
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        _exit(3);
    }
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL));
    EXPECT_EQ(info.si_status, 3);
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL));
    EXPECT_OK(kill(pid, 0));
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_ERRNO(kill(pid, 0), ESRCH);
}

TEST(waitid_nohang, "waitid")
{
    siginfo_t info;
    pid_t pid;

    IN_CHILD(pid) {
        pause();
    }
    memset(&info, 0xff, sizeof(info));
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WEXITED | WNOHANG, NULL));
    EXPECT_EQ(info.si_pid, 0);
    EXPECT_EQ(info.si_signo, 0);
    guest_end(pid);
}

TEST(waitid_stop_continue, "waitid")
{
    siginfo_t info;
    pid_t pid;

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    kill(pid, SIGSTOP);
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WSTOPPED, NULL));
    EXPECT_EQ(info.si_code, CLD_STOPPED);
    EXPECT_EQ(info.si_status, SIGSTOP);
    kill(pid, SIGCONT);
    EXPECT_OK(SYS(waitid, P_PID, pid, &info, WCONTINUED, NULL));
    EXPECT_EQ(info.si_code, CLD_CONTINUED);
    EXPECT_EQ(info.si_status, SIGCONT);
    guest_end(pid);
}

TEST(waitid_errors, "waitid:EINVAL,ECHILD,EFAULT,EBADF,EINTR")
{
    siginfo_t info;
    pid_t pid, pest;

    EXPECT_ERRNO(SYS(waitid, P_ALL, 0, &info, 0, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_ALL, 0, &info, WNOHANG, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, 99, 0, &info, WEXITED, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_PID, 0, &info, WEXITED, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_PID, -5, &info, WEXITED, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_ALL, 0, &info, WEXITED | 0x100, NULL), EINVAL);
    EXPECT_ERRNO(SYS(waitid, P_ALL, 0, &info, WEXITED, NULL), ECHILD);
    EXPECT_ERRNO(SYS(waitid, P_PIDFD, 999, &info, WEXITED, NULL), EBADF);
    IN_CHILD(pid) {
    }
    EXPECT_ERRNO(SYS(waitid, P_PID, pid, (void *)8, WEXITED, NULL), EFAULT);
    IN_CHILD(pid) {
        pause();
    }
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(waitid, P_PID, pid, &info, WEXITED, NULL), EINTR);
    guest_end(pest);
    guest_end(pid);
}

TEST(waitid_pidfd, "waitid pidfd_open")
{
    siginfo_t info;
    pid_t pid;
    int fd;

    NEEDS(pidfd_open);
    IN_CHILD(pid) {
        _exit(21);
    }
    fd = (int)REQUIRE_OK(SYS(pidfd_open, pid, 0));
    EXPECT_OK(SYS(waitid, P_PIDFD, fd, &info, WEXITED, NULL));
    EXPECT_EQ(info.si_status, 21);
}

static volatile siginfo_t child_info;

static void on_child(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    memcpy((void *)&child_info, info, sizeof(*info));
    guest_signals++;
}

static void watch_children(int flags)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_child;
    act.sa_flags = SA_SIGINFO | flags;
    REQUIRE_OK(sigaction(SIGCHLD, &act, NULL));
}

TEST(sigchld_info, "rt_sigaction")
{
    pid_t pid;

    watch_children(0);
    IN_CHILD(pid) {
        _exit(12);
    }
    WAIT_UNTIL(guest_signals == 1);
    EXPECT_EQ(child_info.si_signo, SIGCHLD);
    EXPECT_EQ(child_info.si_code, CLD_EXITED);
    EXPECT_EQ(child_info.si_pid, pid);
    EXPECT_EQ(child_info.si_uid, getuid());
    EXPECT_EQ(child_info.si_status, 12);
    EXPECT_EXIT(pid, 12);
    IN_CHILD(pid) {
        raise(SIGTERM);
    }
    WAIT_UNTIL(guest_signals == 2);
    EXPECT_EQ(child_info.si_code, CLD_KILLED);
    EXPECT_EQ(child_info.si_status, SIGTERM);
    EXPECT_KILLED(pid, SIGTERM);
}

TEST(sigchld_on_stop, "rt_sigaction kill")
{
    pid_t pid;

    watch_children(0);
    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    kill(pid, SIGSTOP);
    WAIT_UNTIL(guest_signals == 1);
    EXPECT_EQ(child_info.si_code, CLD_STOPPED);
    EXPECT_EQ(child_info.si_status, SIGSTOP);
    kill(pid, SIGCONT);
    WAIT_UNTIL(guest_signals == 2);
    EXPECT_EQ(child_info.si_code, CLD_CONTINUED);
    /* With SA_NOCLDSTOP only the end is told. */
    watch_children(SA_NOCLDSTOP);
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    kill(pid, SIGKILL);
    WAIT_UNTIL(guest_signals == 3);
    EXPECT_EQ(child_info.si_code, CLD_KILLED);
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(no_zombies, "rt_sigaction wait4:ECHILD")
{
    int status;
    pid_t pid;

    signal(SIGCHLD, SIG_IGN);
    IN_CHILD(pid) {
    }
    /* Blocks until the last is gone, then there is nothing to tell. */
    EXPECT_ERRNO(SYS(wait4, -1, &status, 0, NULL), ECHILD);
    EXPECT_ERRNO(kill(pid, 0), ESRCH);
    watch_children(SA_NOCLDWAIT);
    IN_CHILD(pid) {
    }
    EXPECT_EQ(SYS(wait4, -1, &status, 0, NULL), -1);
    WAIT_UNTIL(kill(pid, 0) == -1 && errno == ESRCH);
    EXPECT_EQ(guest_signals, 1);
}

TEST(zombie_stays, "kill wait4")
{
    char path[40], text[200];
    pid_t pid;

    IN_CHILD(pid) {
        _exit(5);
    }
    guest_sleep_ms(30);
    EXPECT_OK(kill(pid, 0));
    EXPECT_OK(kill(pid, SIGTERM));
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (guest_slurp(path, text, sizeof(text)) > 0)
        EXPECT(strstr(text, ") Z ") != NULL);
    EXPECT_EQ(getpgid(pid), getpgid(0));
    EXPECT_EXIT(pid, 5);
    EXPECT_ERRNO(kill(pid, 0), ESRCH);
}

TEST(orphan_to_subreaper, "prctl getppid wait4")
{
    pid_t *orphan = guest_shared(4096), self = getpid();
    int status;
    pid_t pid;

    if (SYS(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        SKIP("no subreaper");
    IN_CHILD(pid) {
        pid_t middle = getpid(), child;

        IN_CHILD(child) {
            orphan[0] = getpid();
            WAIT_UNTIL(getppid() != middle);
            orphan[1] = getppid();
            _exit(17);
        }
        WAIT_UNTIL(orphan[0] != 0);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(SYS(wait4, -1, &status, 0, NULL), orphan[0]);
    EXPECT_EQ(status, 17 << 8);
    EXPECT_EQ(orphan[1], self);
}

TEST(orphan_to_init, "getppid")
{
    pid_t *shared = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        pid_t middle = getpid(), child;

        IN_CHILD(child) {
            WAIT_UNTIL(getppid() != middle);
            shared[1] = getppid();
            shared[0] = 1;
        }
    }
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(shared[0] == 1);
    /* Init, or a subreaper above us; never us. */
    EXPECT_NE(shared[1], getpid());
    EXPECT_NE(shared[1], pid);
}

TEST(dead_zombies_children, "wait4")
{
    pid_t pid;

    /* A child that leaves zombies of its own does not keep anybody from ending. */
    IN_CHILD(pid) {
        for (int i = 0; i < 20; i++) {
            pid_t child;

            IN_CHILD(child) {
            }
        }
        _exit(4);
    }
    EXPECT_EXIT(pid, 4);
}

TEST(pdeathsig, "prctl")
{
    volatile int *shared = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        pid_t child;

        IN_CHILD(child) {
            guest_on_signal(SIGUSR1, guest_count_signal, 0);
            EXPECT_OK(SYS(prctl, PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
            shared[0] = 1;
            WAIT_UNTIL(guest_signals == 1);
            shared[1] = guest_signals == 1 ? 1 : -1;
        }
        WAIT_UNTIL(shared[0] == 1);
    }
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(shared[1] != 0);
    EXPECT_EQ(shared[1], 1);
}

static volatile siginfo_t death_info;

static void on_death(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    memcpy((void *)&death_info, info, sizeof(*info));
    guest_signals++;
}

/* child_left_behind() - in a parent that ends with `uid`: shared[1] is what its child saw. */
static void child_left_behind(volatile int *shared, uid_t uid, bool told)
{
    struct sigaction action = {.sa_sigaction = on_death, .sa_flags = SA_SIGINFO};
    pid_t child, parent = getpid();

    IN_CHILD(child)
    {
        sigaction(SIGUSR1, &action, NULL);
        EXPECT_OK(SYS(prctl, PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
        shared[0] = 1;
        WAIT_UNTIL(told ? guest_signals == 1 : getppid() != parent);
        if (told)
            shared[1] = death_info.si_pid == parent && death_info.si_uid == uid &&
                                death_info.si_code == SI_USER
                            ? 1
                            : -1;
        else
            shared[1] = guest_signals ? -1 : 1;
    }
    WAIT_UNTIL(shared[0] == 1);
    if (uid != getuid())
        EXPECT_OK(SYS(setresuid, uid, uid, uid));
}

TEST(pdeathsig_sender, "prctl")
{
    volatile int *shared = guest_shared(4096);
    pid_t pid;

    /* It comes from the parent, and as kill(2): not to whom the parent may not send one. */
    IN_CHILD(pid)
    child_left_behind(shared, getuid(), true);
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(shared[1] != 0);
    EXPECT_EQ(shared[1], 1);
    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    shared[0] = shared[1] = 0;
    IN_CHILD(pid)
    child_left_behind(shared, 1234, false);
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(shared[1] != 0);
    EXPECT_EQ(shared[1], 1);
}

TEST(pidfd_poll, "pidfd_open pidfd_send_signal pidfd_open:EINVAL,ESRCH pidfd_send_signal:EINVAL,EBADF")
{
    pid_t pid;
    int fd;

    NEEDS(pidfd_open);
    NEEDS(pidfd_send_signal);
    IN_CHILD(pid) {
        pause();
    }
    fd = (int)REQUIRE_OK(SYS(pidfd_open, pid, 0));
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(SYS(pidfd_open, pid, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_open, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_open, 0x3ffffff0, 0), ESRCH);
    EXPECT_OK(SYS(pidfd_send_signal, fd, 0, NULL, 0));
    EXPECT_ERRNO(SYS(pidfd_send_signal, fd, 999, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(pidfd_send_signal, 999, 0, NULL, 0), EBADF);
    EXPECT_OK(SYS(pidfd_send_signal, fd, SIGKILL, NULL, 0));
    EXPECT_KILLED(pid, SIGKILL);
}
