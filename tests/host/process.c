/* Probes of processes: who is whose parent, who dies with whom, namespaces, descriptors of processes. */
#include "tests/host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t raw_clone(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

static int make_sibling(void *arg)
{
    pid_t *made = arg;
    pid_t pid = raw_clone(CLONE_PARENT | SIGCHLD);

    if (pid == 0)
        _exit(5);
    *made = pid;
    return pid > 0 ? 0 : 1;
}

/* A process made with CLONE_PARENT is its maker's sibling: the common parent reaps it. */
static int clone_parent(void)
{
    pid_t *made = probe_shared(sizeof(*made));

    PROBE_REQUIRE(made && probe_status(probe_child(make_sibling, made)) == 0);
    PROBE_REQUIRE(*made > 0 && probe_status(*made) == 5);
    return PROBE_OK;
}

static int sleeper(void *arg)
{
    pause();
    return 0;
}

static int pidfd_sees_death(void)
{
    pid_t pid = probe_child(sleeper, NULL);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    siginfo_t info;

    if (fd < 0 && errno == ENOSYS)
        return probe_skip("no pidfd_open");
    PROBE_REQUIRE(fd >= 0 && poll(&p, 1, 0) == 0);
    PROBE_REQUIRE(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
    PROBE_REQUIRE(poll(&p, 1, 5000) == 1 && (p.revents & POLLIN));
    PROBE_REQUIRE(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0 && info.si_status == SIGKILL);
    return PROBE_OK;
}

/* tgkill(tgid, tid, 0) tells whether a thread belongs to a process. */
static int tgkill_membership(void)
{
    pid_t pid = probe_child(sleeper, NULL);

    PROBE_REQUIRE(syscall(SYS_tgkill, pid, pid, 0) == 0);
    PROBE_REQUIRE(syscall(SYS_tgkill, getpid(), pid, 0) < 0 && errno == ESRCH);
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

static int pidns_parent(void *arg)
{
    int *ready = arg;
    pid_t init = raw_clone(CLONE_NEWPID | SIGCHLD);

    if (init < 0)
        return errno == EPERM ? PROBE_SKIP : PROBE_FAIL;
    if (init == 0) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, 0);
            ready[0] = 1;
            for (;;)
                pause();
        }
        while (!ready[0])
            usleep(1000);
        _exit(0);
    }
    return probe_status(init) == 0 && ready[0] ? PROBE_OK : PROBE_FAIL;
}

/* A pid namespace's processes die with its pid 1: the descriptor that only they still hold reads as ended. */
static int pidns_dies_with_init(void)
{
    int ends[2], *ready = probe_shared(sizeof(int));
    char byte;

    PROBE_REQUIRE(ready && pipe(ends) == 0);
    int status = probe_status(probe_child(pidns_parent, ready));
    if (status == PROBE_SKIP)
        return probe_skip("may not make a pid namespace");
    PROBE_REQUIRE(status == PROBE_OK);
    close(ends[1]);
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    PROBE_REQUIRE(poll(&p, 1, 5000) == 1 && read(ends[0], &byte, 1) == 0);
    return PROBE_OK;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int uptime_is_zero(void *arg)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec < 60 ? 0 : 1;
}

/* In a time namespace of its own, a sandbox's uptime starts with it; the vDSO follows. */
static int time_namespace(void)
{
    struct timespec now;
    char text[128];

    if (unshare(CLONE_NEWTIME) < 0)
        return probe_skip("may not make a time namespace (%s)", strerror(errno));
    clock_gettime(CLOCK_BOOTTIME, &now);
    snprintf(text, sizeof(text), "boottime -%lld 0\n", (long long)now.tv_sec);
    PROBE_REQUIRE(write_file("/proc/self/timens_offsets", text) == 0);
    PROBE_REQUIRE(probe_status(probe_child(uptime_is_zero, NULL)) == 0);
    return PROBE_OK;
}

static int six_namespaces_child(void *arg)
{
    int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID;
    pid_t pid = raw_clone((unsigned long)flags | SIGCHLD);

    if (pid < 0)
        return PROBE_SKIP;
    if (pid == 0)
        _exit(getpid() == 1 ? 0 : 1);
    return probe_status(pid);
}

/* All namespaces of a sandbox come from one clone. */
static int namespaces_in_one_clone(void)
{
    int status = probe_status(probe_child(six_namespaces_child, NULL));

    if (status == PROBE_SKIP)
        return probe_skip("may not make all namespaces at once");
    PROBE_REQUIRE(status == 0);
    return PROBE_OK;
}

static int oom_child(void *arg)
{
    if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        return PROBE_SKIP;
    /* A change of uid makes a process undumpable, and its files in /proc root's. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (write_file("/proc/self/oom_score_adj", "500") < 0)
        return 1;
    return write_file("/proc/self/oom_score_adj", "-500") < 0 ? 0 : 2;
}

/* Without privilege a process can make itself more likely to be chosen, but not less than it began. */
static int oom_score_only_up(void)
{
    int status = probe_status(probe_child(oom_child, NULL));

    if (status == PROBE_SKIP)
        return probe_skip("may not change the uid");
    PROBE_REQUIRE(status == 0);
    return PROBE_OK;
}

static int undumpable_child(void *arg)
{
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    pause();
    return 0;
}

static int spy(void *arg)
{
    pid_t victim = *(pid_t *)arg;

    if (setgid(65534) < 0 || setuid(65534) < 0)
        return PROBE_SKIP;
    return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, victim, 0), 0, 0) < 0 && errno == EPERM ? 0 : 1;
}

static int victim_main(void *arg)
{
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return PROBE_SKIP;
    return undumpable_child(NULL);
}

/* A process that is not dumpable is safe from others of the same uid: the Sentry against an escaped guest process. */
static int undumpable_is_safe(void)
{
    if (getuid() != 0)
        return probe_skip("needs root, to change uids");
    pid_t victim = probe_child(victim_main, NULL);
    usleep(50000);
    int status = probe_status(probe_child(spy, &victim));
    kill(victim, SIGKILL);
    probe_status(victim);
    PROBE_REQUIRE(status == 0);
    return PROBE_OK;
}

/* A program is executed from a sealed memfd by its descriptor. */
static int memfd_exec(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING), self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char block[65536];
    ssize_t n;

    PROBE_REQUIRE(fd >= 0 && self >= 0);
    while ((n = read(self, block, sizeof(block))) > 0)
        PROBE_REQUIRE(write(fd, block, (size_t)n) == n);
    PROBE_REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {(char *)"probes", (char *)"clone_parent", NULL}, *envp[] = {NULL};

        syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
        _exit(99);
    }
    PROBE_REQUIRE(probe_status(pid) == 0);
    return PROBE_OK;
}

const struct probe process_probes[] = {
    {"clone_parent", clone_parent},
    {"pidfd_sees_death", pidfd_sees_death},
    {"tgkill_membership", tgkill_membership},
    {"pidns_dies_with_init", pidns_dies_with_init},
    {"time_namespace", time_namespace},
    {"namespaces_in_one_clone", namespaces_in_one_clone},
    {"oom_score_only_up", oom_score_only_up},
    {"undumpable_is_safe", undumpable_is_safe},
    {"memfd_exec", memfd_exec},
    {NULL, NULL},
};
