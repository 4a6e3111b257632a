/* Host calls about threads, sleep and clocks; see host_thread.h. */
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A Sentry thread's stack: handlers keep big buffers on the heap. Touched pages only cost. */
enum { THREAD_STACK_BYTES = SANITIZED ? 1024 * 1024 : 128 * 1024 };

/* host-calls(sentry gofer): clone3 clone mprotect madvise set_robust_list rseq rt_sigprocmask exit exit_group — threads of the process, by pthread_create() */
/* host-calls(sentry gofer): rt_sigaction rt_sigreturn sched_getaffinity prctl brk — the C library, thread names */
int host_thread_start(const char *name, void *(*fn)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t th;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&th, &attr, fn, arg);
    if (!err && name)
        pthread_setname_np(th, name);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -err;
}

/* host-calls(sentry gofer): restart_syscall — a sleep that was stopped or frozen from outside goes on */
/* host-calls(sentry gofer): futex — sleep and wake-up of threads; shared channels */
int host_futex_wait(atomic_uint *word, u32 expect, u64 deadline, bool shared)
{
    struct timespec ts, *tsp = NULL;
    int op = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG);

    if (deadline != DEADLINE_NEVER) {
        ts.tv_sec = (time_t)(deadline / NS_PER_SEC);
        ts.tv_nsec = (long)(deadline % NS_PER_SEC);
        tsp = &ts;
    }
    if (syscall(SYS_futex, word, op, expect, tsp, NULL, FUTEX_BITSET_MATCH_ANY) == 0)
        return 0;
    return errno == EINTR ? 0 : -errno;
}

int host_futex_wake(atomic_uint *word, int n, bool shared)
{
    long r = syscall(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), n);

    return r < 0 ? -errno : (int)r;
}

/* host-calls(sentry gofer): clock_gettime clock_getres gettimeofday — where the vDSO can't answer */
u64 host_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (u64)ts.tv_sec * NS_PER_SEC + (u64)ts.tv_nsec;
}

/* host-calls(sentry): membarrier(0=0|1) — the guest's membarrier(2) */
int host_membarrier(bool query)
{
    long r = syscall(SYS_membarrier, query ? MEMBARRIER_CMD_QUERY : MEMBARRIER_CMD_GLOBAL, 0, 0);

    if (r < 0)
        return -errno;
    return query && !(r & MEMBARRIER_CMD_GLOBAL) ? -EINVAL : 0;
}

/* host-calls(sentry gofer): gettid getpid tgkill sched_yield — log lines, abort(), spinning */
int host_gettid(void)
{
    return (int)syscall(SYS_gettid);
}

/* host-calls(sentry gofer): getcpu — where rseq and the vDSO can't tell the CPU */
u32 host_cpu(void)
{
    int cpu = sched_getcpu();

    return cpu < 0 ? 0 : (u32)cpu;
}

void host_sched_yield(void)
{
    sched_yield();
}
