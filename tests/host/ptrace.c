/* Probes of ptrace: SYSEMU, EXITKILL, tracing that belongs to one thread, writes to read-only text. */
#include "tests/host/probe.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#endif

/* spin() - say in go[1] that it runs, wait for go[0], make one call */
static int spin(void *arg)
{
    volatile int *go = arg;

    go[1] = 1;
    while (!go[0])
        ;
    return (int)syscall(SYS_getppid) == 1234567 ? 0 : 1;
}

static int *go_words(void)
{
    return probe_shared(2 * sizeof(int));
}

/* seized() - a child that spins until *go, seized and stopped. Return: its pid, or -1 */
static pid_t seized(int *go, long options)
{
    int status;
    pid_t pid = probe_child(spin, go);

    while (pid > 0 && !((volatile int *)go)[1])
        usleep(1000);
    if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, options) < 0)
        return -1;
    if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
        return -1;
    return pid;
}

/* Under SYSEMU a call is not executed; the tracer sees its number and arguments and writes the result. */
static int ptrace_sysemu(void)
{
    int *go = go_words(), status;
    pid_t pid = seized(go, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
    struct user_regs_struct regs;

    PROBE_REQUIRE(pid > 0);
    *go = 1;
    PROBE_REQUIRE(ptrace((enum __ptrace_request)PTRACE_SYSEMU, pid, NULL, NULL) == 0);
    PROBE_REQUIRE(waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
    PROBE_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
    PROBE_REQUIRE(regs.orig_rax == SYS_getppid);
    regs.rax = 1234567;
    PROBE_REQUIRE(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
    PROBE_REQUIRE(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    PROBE_REQUIRE(probe_status(pid) == 0);
    return PROBE_OK;
}

static int tracer_that_dies(void *arg)
{
    pid_t *tracee = arg;
    int *go = go_words();

    *tracee = seized(go, PTRACE_O_EXITKILL);
    return *tracee > 0 ? 0 : 1;
}

/* With EXITKILL a tracee dies with its tracer, at once. */
static int ptrace_exitkill(void)
{
    pid_t *tracee = probe_shared(sizeof(*tracee));

    PROBE_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    PROBE_REQUIRE(probe_status(probe_child(tracer_that_dies, tracee)) == 0);
    PROBE_REQUIRE(probe_status(*tracee) == 128 + SIGKILL);
    return PROBE_OK;
}

struct other_thread {
    pid_t pid;
    int regs_errno;
    int seize_errno;
};

static void *from_another_thread(void *arg)
{
    struct other_thread *o = arg;
    struct user_regs_struct regs;

    o->regs_errno = ptrace(PTRACE_GETREGS, o->pid, NULL, &regs) < 0 ? errno : 0;
    o->seize_errno = ptrace(PTRACE_SEIZE, o->pid, NULL, NULL) < 0 ? errno : 0;
    return NULL;
}

/* Tracing belongs to the thread that seized: another gets ESRCH, and a second SEIZE EPERM. */
static int ptrace_of_one_thread(void)
{
    int *go = go_words();
    struct other_thread o = {.pid = seized(go, PTRACE_O_EXITKILL)};
    pthread_t thread;

    PROBE_REQUIRE(o.pid > 0 && pthread_create(&thread, NULL, from_another_thread, &o) == 0);
    pthread_join(thread, NULL);
    PROBE_REQUIRE(o.regs_errno == ESRCH);
    PROBE_REQUIRE(o.seize_errno == EPERM);
    kill(o.pid, SIGKILL);
    probe_status(o.pid);
    return PROBE_OK;
}

static void *seize_and_end(void *arg)
{
    struct other_thread *o = arg;

    o->seize_errno = ptrace(PTRACE_SEIZE, o->pid, NULL, 0) < 0 ? errno : 0;
    return NULL;
}

/* The end of a tracer thread detaches its tracees silently. */
static int ptrace_thread_end_detaches(void)
{
    int *go = go_words();
    struct other_thread o = {.pid = probe_child(spin, go)};
    pthread_t thread;

    PROBE_REQUIRE(o.pid > 0 && pthread_create(&thread, NULL, seize_and_end, &o) == 0);
    pthread_join(thread, NULL);
    PROBE_REQUIRE(o.seize_errno == 0);
    PROBE_REQUIRE(ptrace(PTRACE_SEIZE, o.pid, NULL, PTRACE_O_EXITKILL) == 0);
    kill(o.pid, SIGKILL);
    probe_status(o.pid);
    return PROBE_OK;
}

/* POKEDATA writes where the tracee may not; process_vm_writev obeys its protections. */
static int ptrace_pokes_text(void)
{
    int *go = go_words();
    long *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), word = 42;
    pid_t pid = seized(go, PTRACE_O_EXITKILL);
    struct iovec local = {&word, sizeof(word)}, remote = {page, sizeof(word)};

    PROBE_REQUIRE(page != MAP_FAILED && pid > 0);
    PROBE_REQUIRE(process_vm_writev(pid, &local, 1, &remote, 1, 0) < 0 && errno == EFAULT);
    PROBE_REQUIRE(ptrace(PTRACE_POKEDATA, pid, page, 42L) == 0);
    word = 0;
    PROBE_REQUIRE(process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof(word) && word == 42);
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

/* A thread that blocks every signal is still interrupted by its tracer. */
static int spin_blocked(void *arg)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return spin(arg);
}

static int ptrace_interrupts_blocked(void)
{
    int *go = go_words(), status;
    pid_t pid = probe_child(spin_blocked, go);

    usleep(20000);
    PROBE_REQUIRE(ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_EXITKILL) == 0);
    PROBE_REQUIRE(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0);
    PROBE_REQUIRE(waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status));
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

const struct probe ptrace_probes[] = {
    {"ptrace_sysemu", ptrace_sysemu},
    {"ptrace_exitkill", ptrace_exitkill},
    {"ptrace_of_one_thread", ptrace_of_one_thread},
    {"ptrace_thread_end_detaches", ptrace_thread_end_detaches},
    {"ptrace_pokes_text", ptrace_pokes_text},
    {"ptrace_interrupts_blocked", ptrace_interrupts_blocked},
    {NULL, NULL},
};
