/* POSIX timers of a process: timer_create(2). */
#pragma once

#include "sentry/abi/lx_signal.h"

struct posix_timer;
struct task;
struct thread_group;

/* posix_timer_create() - for the calling task's process. `event` NULL: SIGALRM with the timer's
 * number as its value. Return: the timer's number, -EINVAL, -EOPNOTSUPP, -EAGAIN (too many). */
int posix_timer_create(struct task *t, s32 clock, const struct lx_sigevent *event);
/* posix_timer_swap() - tell what is left of a timer and its interval in *old and, with `set`, give
 * it a new time: `value` ns (0: off), of its clock if `absolute`. Return: 0, -EINVAL (no such
 * timer), -ESRCH (the thread whose time it counts is gone). */
struct posix_timer_spec {
    u64 value, interval; /* ns */
};
int posix_timer_swap(struct task *t, s32 id, const struct posix_timer_spec *set, bool absolute,
                     struct posix_timer_spec *old);
/* posix_timer_overrun() - of the signal that was delivered last. Return: count, -EINVAL. */
int posix_timer_overrun(struct task *t, s32 id);
int posix_timer_delete(struct task *t, s32 id);
/* posix_timer_delete_all() - at exec and at the process's end. No lock held. */
void posix_timer_delete_all(struct thread_group *tg);

/* --- for signal.c; tg->lock held --- */

/* posix_timer_taken_locked() - its queued signal is being delivered: complete `info`, go on. */
void posix_timer_taken_locked(struct posix_timer *pt, struct lx_siginfo *info);
/* posix_timer_dropped_locked() - its queued signal was thrown away. */
void posix_timer_dropped_locked(struct posix_timer *pt);
/* posix_timer_heeded_locked() - `signo` is not ignored any more: timers that wait for that go on. */
void posix_timer_heeded_locked(struct thread_group *tg, int signo);

/* --- for cpu_limit.c; tg->lock held --- */

/* posix_timer_cpu_wait_locked() - how soon, in ns of the machine's time, a timer on CPU time can be
 * reached; UINT64_MAX: there is none. utime, stime: what the group has used. */
u64 posix_timer_cpu_wait_locked(struct thread_group *tg, u64 utime, u64 stime);
/* posix_timer_cpu_fire_locked() - signals of those that have been reached. */
void posix_timer_cpu_fire_locked(struct thread_group *tg);
