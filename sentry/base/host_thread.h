/* host_* wrappers about threads: start, futex sleep, clocks. See host_fd.h. */
#pragma once

#include "sentry/base/types.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NS_PER_SEC 1000000000ull
#define DEADLINE_NEVER UINT64_MAX

/* host_thread_start() - a detached thread with a small stack and every signal blocked.
 * Return: 0, -EAGAIN. */
int host_thread_start(const char *name, void *(*fn)(void *), void *arg);

/* host_futex_wait() - sleep while *word == expect, until `deadline` (CLOCK_MONOTONIC ns of the
 * sandbox, DEADLINE_NEVER: for ever). Return: 0 woken (or spurious), -EAGAIN value differs,
 * -ETIMEDOUT. `shared`: the word is in memory shared with another process. */
int host_futex_wait(atomic_uint *word, u32 expect, u64 deadline, bool shared);
int host_futex_wake(atomic_uint *word, int n, bool shared);

/* host_clock() - a host clock in ns. */
u64 host_clock(clockid_t clock);
static inline u64 host_monotonic(void)
{
    return host_clock(CLOCK_MONOTONIC);
}

/* host_membarrier() - a memory barrier in every running thread of the machine; `query`: only tell
 * whether the host has it. Return: 0, -ENOSYS, -EINVAL. */
int host_membarrier(bool query);

int host_gettid(void);
/* host_cpu() - the CPU that this thread runs on, or ran on a moment ago. */
u32 host_cpu(void);
/* host_sched_yield() - give up the CPU once. */
void host_sched_yield(void);
