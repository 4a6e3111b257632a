/* Probes of seccomp: notifications, descriptors that arrive with an answer, traps of foreign entry points. */
#include "tests/host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

/* A call that nothing else makes. */
#define PROBED_CALL SYS_getpriority

struct notified {
    pid_t pid;
    int listener;
    struct seccomp_notif request;
};

/* A child that installs the filter, hands its listener over by a pipe's number and pidfd_getfd, and then runs f. */
struct guest {
    unsigned flags;
    int to_parent;
    int go;
    int (*run)(void);
};

static int guest_main(void *arg)
{
    struct guest *g = arg;
    int listener = probe_listener(PROBED_CALL, g->flags);
    char byte;

    if (write(g->to_parent, &listener, sizeof(listener)) != sizeof(listener) || listener < 0)
        return 90;
    if (read(g->go, &byte, 1) != 1)
        return 91;
    close(listener);
    return g->run();
}

/* start() - the guest up to its notification. Return: 0, or a probe's result */
static int start(struct notified *n, unsigned flags, int (*run)(void))
{
    int up[2], down[2], remote, pidfd;
    struct guest g = {.flags = flags, .run = run};

    PROBE_REQUIRE(pipe(up) == 0 && pipe(down) == 0);
    g.to_parent = up[1];
    g.go = down[0];
    n->pid = probe_child(guest_main, &g);
    PROBE_REQUIRE(n->pid > 0);
    PROBE_REQUIRE(read(up[0], &remote, sizeof(remote)) == sizeof(remote));
    if (remote < 0) {
        waitpid(n->pid, NULL, 0);
        return probe_skip("the kernel refuses such a listener (%s)", strerror(-remote));
    }
    pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
    PROBE_REQUIRE(pidfd >= 0);
    n->listener = (int)syscall(SYS_pidfd_getfd, pidfd, remote, 0);
    PROBE_REQUIRE(n->listener >= 0);
    PROBE_REQUIRE(write(down[1], "", 1) == 1);
    memset(&n->request, 0, sizeof(n->request));
    PROBE_REQUIRE(ioctl(n->listener, SECCOMP_IOCTL_NOTIF_RECV, &n->request) == 0);
    return 0;
}

static int answer(struct notified *n, int64_t value, unsigned flags)
{
    struct seccomp_notif_resp resp = {.id = n->request.id, .val = value, .flags = flags};

    return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static int call_expects_7(void)
{
    return syscall(PROBED_CALL, 1, 2) == 7 ? 0 : 1;
}

static int notif_answer(void)
{
    struct notified n;
    int r = start(&n, 0, call_expects_7);

    if (r)
        return r;
    PROBE_REQUIRE(n.request.data.nr == PROBED_CALL && n.request.data.args[1] == 2);
    PROBE_REQUIRE((pid_t)n.request.pid == n.pid);
    PROBE_REQUIRE(answer(&n, 7, 0) == 0);
    PROBE_REQUIRE(probe_status(n.pid) == 0);
    return PROBE_OK;
}

static int call_expects_success(void)
{
    errno = 0;
    return syscall(PROBED_CALL, 0, 0) >= 0 ? 0 : 1;
}

static int notif_continue(void)
{
    struct notified n;
    int r = start(&n, 0, call_expects_success);

    if (r)
        return r;
    PROBE_REQUIRE(answer(&n, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE) == 0);
    PROBE_REQUIRE(probe_status(n.pid) == 0);
    return PROBE_OK;
}

static int call_expects_fd(void)
{
    long fd = syscall(PROBED_CALL, 0, 0);
    char text[4] = "";

    return fd == 50 && read((int)fd, text, 3) == 3 && !strcmp(text, "abc") ? 0 : 1;
}

static int notif_addfd_send(void)
{
    struct notified n;
    int ends[2], r = start(&n, 0, call_expects_fd);

    if (r)
        return r;
    PROBE_REQUIRE(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
    struct seccomp_notif_addfd add = {
        .id = n.request.id,
        .flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND,
        .srcfd = (uint32_t)ends[0],
        .newfd = 50,
    };
    PROBE_REQUIRE(ioctl(n.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) == 50);
    PROBE_REQUIRE(probe_status(n.pid) == 0);
    return PROBE_OK;
}

static volatile sig_atomic_t signals;

static void count(int signo)
{
    signals++;
}

/* The call must not be interrupted by the signal once it was received, and the signal must arrive after it. */
static int call_beside_signal(void)
{
    struct sigaction action = {.sa_handler = count};

    sigaction(SIGUSR1, &action, NULL);
    if (syscall(PROBED_CALL, 0, 0) != 7)
        return 1;
    return signals == 1 ? 0 : 2;
}

static int notif_wait_killable(void)
{
    struct notified n;
    int r = start(&n, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call_beside_signal);

    if (r)
        return r;
    PROBE_REQUIRE(kill(n.pid, SIGUSR1) == 0);
    usleep(50000);
    PROBE_REQUIRE(ioctl(n.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.request.id) == 0);
    PROBE_REQUIRE(answer(&n, 7, 0) == 0);
    PROBE_REQUIRE(probe_status(n.pid) == 0);
    return PROBE_OK;
}

static int notif_kill_invalidates(void)
{
    struct notified n;
    int r = start(&n, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call_expects_7);

    if (r)
        return r;
    PROBE_REQUIRE(kill(n.pid, SIGKILL) == 0);
    PROBE_REQUIRE(probe_status(n.pid) == 128 + SIGKILL);
    PROBE_REQUIRE(answer(&n, 7, 0) < 0 && errno == ENOENT);
    struct pollfd p = {.fd = n.listener, .events = POLLIN};
    PROBE_REQUIRE(poll(&p, 1, 1000) == 1 && (p.revents & POLLHUP));
    return PROBE_OK;
}

static int notif_second_listener(void)
{
    PROBE_REQUIRE(probe_listener(PROBED_CALL, 0) >= 0);
    PROBE_REQUIRE(probe_listener(PROBED_CALL, 0) == -EBUSY);
    return PROBE_OK;
}

static volatile long trapped_nr;
static volatile unsigned trapped_arch;

static void on_trap(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    trapped_nr = info->si_syscall;
    trapped_arch = info->si_arch;
    uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static int watch_traps(void)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};

    return sigaction(SIGSYS, &action, NULL);
}

static int trap_registers(void)
{
    PROBE_REQUIRE(watch_traps() == 0 && probe_trap(PROBED_CALL) == 0);
    PROBE_REQUIRE(syscall(PROBED_CALL, 0, 0) == 77 && trapped_nr == PROBED_CALL);
    return PROBE_OK;
}

/* The vsyscall page cannot be unmapped: a filter must see its calls. The page may be absent (vsyscall=none). */
static int trap_vsyscall(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool there = false;

    while (maps && fgets(line, sizeof(line), maps))
        there |= strstr(line, "[vsyscall]") != NULL;
    if (!there)
        return probe_skip("no vsyscall page");
    PROBE_REQUIRE(watch_traps() == 0 && probe_trap(SYS_gettimeofday) == 0);
    long (*entry)(struct timeval *, void *) = (long (*)(struct timeval *, void *))0xffffffffff600000UL;
    struct timeval tv;
    entry(&tv, NULL);
    PROBE_REQUIRE(trapped_nr == SYS_gettimeofday);
    return PROBE_OK;
}

/* int 0x80 is seen under the 32-bit architecture's audit number, so a filter can tell it. */
static int trap_int80(void)
{
    PROBE_REQUIRE(watch_traps() == 0 && probe_trap(20) == 0);
    long result = 20; /* getpid of the 32-bit table; 64-bit 20 is writev, which this program does not use now */
    pid_t pid = fork();

    if (pid == 0) {
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        _exit(trapped_nr == 20 && trapped_arch == 0x40000003 ? 0 : 1);
    }
    int status = probe_status(pid);
    if (status == 128 + SIGSEGV)
        return probe_skip("no 32-bit entry in this kernel");
    PROBE_REQUIRE(status == 0);
    return PROBE_OK;
}

const struct probe notif_probes[] = {
    {"notif_answer", notif_answer},
    {"notif_continue", notif_continue},
    {"notif_addfd_send", notif_addfd_send},
    {"notif_wait_killable", notif_wait_killable},
    {"notif_kill_invalidates", notif_kill_invalidates},
    {"notif_second_listener", notif_second_listener},
    {"trap_registers", trap_registers},
    {"trap_vsyscall", trap_vsyscall},
    {"trap_int80", trap_int80},
    {NULL, NULL},
};
