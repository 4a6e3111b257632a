/* Loads: processes are made, replaced, stopped, killed and waited for in every way. */
#include "tests/guest/soak/soak.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, rest[3];
};

/* wait_for() - the exit of a child, by one of the ways to wait. Return: its exit code, or -1 */
static int wait_for(struct soak *s, pid_t pid)
{
    siginfo_t info = {0};
    struct rusage usage;
    int status = -1;
    pid_t got;

    switch (soak_below(s, 4)) {
    case 0:
        status = guest_wait(pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    case 1:
        EXPECT_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | (soak_coin(s, 2) ? WNOWAIT : 0)));
        EXPECT_EQ(info.si_pid, pid);
        if (waitpid(pid, &status, 0) == pid)
            EXPECT_EQ(WEXITSTATUS(status), info.si_status);
        return info.si_code == CLD_EXITED ? info.si_status : -1;
    case 2:
        while ((got = wait4(pid, &status, WNOHANG, &usage)) == 0)
            soak_nap(s, 500);
        EXPECT_EQ(got, pid);
        EXPECT_ERRNO(waitpid(pid, &status, 0), ECHILD);
        return WEXITSTATUS(status);
    default: {
        int fd = (int)EXPECT_OK(SYS(pidfd_open, pid, 0));
        struct pollfd end = {fd, POLLIN, 0};

        EXPECT_EQ(poll(&end, 1, -1), 1);
        EXPECT_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
        close(fd);
        return info.si_code == CLD_EXITED ? info.si_status : -1;
    }
    }
}

LOAD(fork_exit)
{
    unsigned int n = 1 + soak_below(s, 6);
    pid_t pids[6];
    int codes[6];

    for (unsigned int i = 0; i < n; i++) {
        codes[i] = (int)soak_below(s, 256);
        pids[i] = SOAK_FORK_BARE();
        if (pids[i] == 0) {
            soak_nap(s, 2000);
            _exit(codes[i]);
        }
    }
    while (n-- > 0)
        EXPECT_EQ(wait_for(s, pids[n]), codes[n]);
}

/* tree() - Return: the number of processes in a tree of random forks */
static int tree(struct soak *s, int depth)
{
    pid_t pids[3];
    unsigned int n = depth > 0 ? 1 + soak_below(s, 3) : 0;
    int count = 1;

    for (unsigned int i = 0; i < n; i++) {
        s->random++;
        pids[i] = SOAK_FORK_BARE();
        if (pids[i] == 0)
            _exit(tree(s, depth - 1));
    }
    /* What each tells is what its own random numbers make, so it is known without asking. */
    for (unsigned int i = 0; i < n; i++) {
        int status = guest_wait(pids[i]);

        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) >= depth);
        count += WEXITSTATUS(status);
    }
    return count;
}

LOAD(fork_tree)
{
    EXPECT_GE(tree(s, 3), 4);
}

/* echo CODE SUM WORD… - the words came through execve: their sum is SUM. Exits with CODE. */
HELPER(echo)
{
    uint64_t sum = 0;

    for (int i = 3; i < argc; i++)
        sum = soak_sum(sum, argv[i], strlen(argv[i]));
    if (argc < 3 || sum != strtoull(argv[2], NULL, 16))
        return 255;
    if (getenv("SOAK_ENV") && strtoull(getenv("SOAK_ENV"), NULL, 16) != sum)
        return 254;
    return (int)strtol(argv[1], NULL, 10);
}

/* exec_words() - an argument vector with random words for echo, in static_words' memory */
struct exec_words {
    char code[8], sum[20], env[40], words[8][64];
    char *argv[16], *envp[2];
};

static int exec_words(struct soak *s, struct exec_words *w)
{
    static char helper[] = "--helper", echo[] = "echo";
    unsigned int n = soak_below(s, 8);
    int code = (int)soak_below(s, 200), at = 0;
    uint64_t sum = 0;

    w->argv[at++] = (char *)(uintptr_t)guest_self;
    w->argv[at++] = helper;
    w->argv[at++] = echo;
    w->argv[at++] = w->code;
    w->argv[at++] = w->sum;
    for (unsigned int i = 0; i < n; i++) {
        uint32_t length = soak_below(s, 63);

        for (uint32_t k = 0; k < length; k++)
            w->words[i][k] = (char)('a' + soak_below(s, 26));
        w->words[i][length] = '\0';
        sum = soak_sum(sum, w->words[i], length);
        w->argv[at++] = w->words[i];
    }
    w->argv[at] = NULL;
    snprintf(w->code, sizeof(w->code), "%d", code);
    snprintf(w->sum, sizeof(w->sum), "%llx", (unsigned long long)sum);
    snprintf(w->env, sizeof(w->env), "SOAK_ENV=%llx", (unsigned long long)sum);
    w->envp[0] = w->env;
    w->envp[1] = NULL;
    return code;
}

LOAD(fork_exec)
{
    struct exec_words words;
    int code = exec_words(s, &words);
    pid_t pid = SOAK_FORK_BARE();

    if (pid == 0) {
        execve(guest_self, words.argv, words.envp);
        _exit(253);
    }
    EXPECT_EQ(wait_for(s, pid), code);
}

LOAD(vfork_exec)
{
    struct exec_words words;
    int code = exec_words(s, &words);
    volatile int before = 1;
    pid_t pid = vfork();

    if (pid == 0) {
        before = 2;
        execve(soak_coin(s, 8) ? "/nonexistent" : guest_self, words.argv, words.envp);
        _exit(errno == ENOENT ? code : 253);
    }
    REQUIRE_OK(pid);
    EXPECT_EQ(before, 2);
    EXPECT_EQ(wait_for(s, pid), code);
}

LOAD(clone3_pidfd)
{
    int pidfd = -1, code = (int)soak_below(s, 256), status;
    pid_t tid = 0, child;
    bool silent = soak_coin(s, 2);
    struct clone3_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
                               .pidfd = (uintptr_t)&pidfd,
                               .parent_tid = (uintptr_t)&tid,
                               .exit_signal = silent ? 0 : SIGCHLD};
    siginfo_t info = {0};
    struct pollfd end;

    child = (pid_t)REQUIRE_OK(SYS(clone3, &args, sizeof(args)));
    if (child == 0)
        SYS(exit_group, code);
    EXPECT_EQ(tid, child);
    end = (struct pollfd){pidfd, POLLIN, 0};
    EXPECT_EQ(poll(&end, 1, -1), 1);
    EXPECT_OK(SYS(pidfd_send_signal, pidfd, 0, NULL, 0));
    if (silent)
        EXPECT_ERRNO(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), ECHILD);
    EXPECT_EQ(waitpid(child, &status, __WALL), child);
    EXPECT_EQ(status, code << 8);
    EXPECT_ERRNO(SYS(pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH);
    close(pidfd);
}

LOAD(stop_continue)
{
    volatile uint64_t *counter = guest_shared(4096);
    pid_t pid = SOAK_FORK_BARE();
    uint64_t seen;
    int status;

    if (pid == 0)
        for (;;)
            ++*counter;
    for (uint32_t i = 1 + soak_below(s, 4); i > 0; i--) {
        WAIT_UNTIL(*counter > 0);
        EXPECT_OK(kill(pid, SIGSTOP));
        EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
        EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
        seen = *counter;
        soak_nap(s, 3000);
        EXPECT_EQ(*counter, seen);
        *counter = 0;
        EXPECT_OK(kill(pid, SIGCONT));
        EXPECT_EQ(waitpid(pid, &status, WCONTINUED), pid);
        EXPECT(WIFCONTINUED(status));
    }
    EXPECT_OK(kill(pid, soak_coin(s, 2) ? SIGSTOP : SIGTERM));
    EXPECT_OK(kill(pid, SIGKILL));
    while (EXPECT_EQ(waitpid(pid, &status, 0), pid) && !WIFSIGNALED(status) && !WIFEXITED(status))
        continue;
    EXPECT(WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM));
    munmap((void *)(uintptr_t)counter, 4096);
}

/* A grandchild whose parent has ended belongs to the sub-reaper, and says so. */
LOAD(orphan)
{
    int fds[2];
    pid_t pid, told[2] = {0, 0};

    soak_pipe(fds, 0);
    SOAK_CHILD (pid, fds[1], -1) {
        pid_t parent = getpid();

        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, 0);
            WAIT_UNTIL(getppid() != parent);
            told[0] = getppid();
            told[1] = getpid();
            soak_write_all(fds[1], told, sizeof(told));
            _exit(0);
        }
    }
    EXPECT_CHILD_OK(pid);
    close(fds[1]);
    EXPECT_EQ(soak_read_all(fds[0], told, sizeof(told)), sizeof(told));
    EXPECT(told[0] > 0 && told[0] != pid && told[1] != pid);
    close(fds[0]);
}

/* Whoever waits first gets the child, and nobody else does. */
struct waiters {
    pid_t pid;
    _Atomic(unsigned int) got, missed;
};

static void *waiter(void *arg)
{
    struct waiters *w = arg;
    int status;
    pid_t got = waitpid(w->pid, &status, 0);

    if (got == w->pid && WIFEXITED(status) && WEXITSTATUS(status) == 7)
        w->got++;
    else if (got < 0 && errno == ECHILD)
        w->missed++;
    return NULL;
}

LOAD(wait_race)
{
    struct waiters w = {.pid = SOAK_FORK_BARE()};
    unsigned int n = 2 + soak_below(s, 3);

    if (w.pid == 0) {
        soak_nap(s, 2000);
        _exit(7);
    }
    soak_threads(n, waiter, &w);
    EXPECT_EQ(w.got, 1);
    EXPECT_EQ(w.missed, n - 1);
}

/* Processes that fork and execute without end are all killed at once. */
LOAD(kill_group)
{
    int fds[2], status;
    char byte;
    pid_t pid;

    soak_pipe(fds, 0);
    pid = SOAK_FORK(fds[1]);
    if (pid == 0) {
        setpgid(0, 0);
        soak_write_all(fds[1], "x", 1);
        for (;;) {
            pid_t child = SOAK_FORK(fds[1]);

            if (child == 0 && soak_coin(s, 2))
                execl(guest_self, guest_self, "--helper", "echo", "0", "0", NULL);
            if (child == 0)
                _exit(0);
            if (soak_coin(s, 3))
                guest_wait(child);
            while (waitpid(-1, NULL, WNOHANG) > 0)
                continue;
        }
    }
    close(fds[1]);
    EXPECT_EQ(soak_read_all(fds[0], &byte, 1), 1);
    soak_nap(s, 20000);
    EXPECT_OK(kill(-pid, SIGKILL));
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, SIGKILL);
    /* The last of the group has ended when nobody holds the pipe any more. */
    EXPECT_EQ(soak_read_all(fds[0], &byte, 1), 0);
    WAIT_UNTIL(kill(-pid, 0) < 0 && errno == ESRCH);
    close(fds[0]);
}

LOAD(sessions)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        pid_t a, b, got;
        int status;

        EXPECT_EQ(setsid(), getpid());
        EXPECT_ERRNO(setsid(), EPERM);
        a = SOAK_FORK_BARE();
        if (a == 0)
            _exit(1);
        EXPECT(setpgid(a, a) == 0 || errno == ESRCH || errno == EACCES);
        b = SOAK_FORK_BARE();
        if (b == 0)
            _exit(2);
        got = waitpid(getpgid(a) == a ? -a : a, &status, 0);
        EXPECT_EQ(got, a);
        EXPECT_EQ(waitpid(0, &status, 0), b);
        EXPECT_EQ(status, 2 << 8);
        EXPECT_ERRNO(waitpid(-1, &status, 0), ECHILD);
    }
    EXPECT_CHILD_OK(pid);
}

LOAD(parent_death)
{
    int fds[2];
    char byte;
    pid_t pid;

    soak_pipe(fds, 0);
    pid = SOAK_FORK(fds[1]);
    if (pid == 0) {
        if (SOAK_FORK(fds[1]) == 0) {
            soak_write_all(fds[1], "x", 1);
            for (;;)
                pause();
        }
        soak_nap(s, 3000);
        _exit(0);
    }
    close(fds[1]);
    EXPECT_CHILD_OK(pid);
    /* Nothing but its parent's death ends the grandchild, or it was not there in time. */
    while (soak_read_all(fds[0], &byte, 1) == 1)
        continue;
    close(fds[0]);
}
