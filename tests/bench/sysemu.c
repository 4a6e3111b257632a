/*
 * The floor of the ptrace platform: a bare PTRACE_SYSEMU round trip with registers read and written, nothing else.
 * Prints `sysemu nanoseconds` for each round. `sysemu ROUNDS`.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#endif
#define CALLS 2000

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static pid_t tracee(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        for (;;)
            syscall(SYS_getppid);
    }
    int status;
    if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD) < 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) != pid)
        die("seize");
    return pid;
}

static void step(pid_t pid)
{
    struct user_regs_struct regs;
    int status;

    if (ptrace((enum __ptrace_request)PTRACE_SYSEMU, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) != pid ||
        !WIFSTOPPED(status))
        die("sysemu");
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
        die("getregs");
    regs.rax = 1;
    if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
        die("setregs");
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    pid_t pid = tracee();

    for (long round = -1; round < rounds; round++) {
        uint64_t start = now();

        for (int i = 0; i < CALLS; i++)
            step(pid);
        if (round >= 0)
            printf("sysemu %llu\n", (unsigned long long)((now() - start) / CALLS));
    }
    kill(pid, SIGKILL);
    return 0;
}
