/* RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the hard one (setrlimit(2)). */
#pragma once

#include "sentry/base/types.h"

struct task;
struct thread_group;
struct timer;

/* cpu_limit_fire() - the function of thread_group.cpu_timer. */
void cpu_limit_fire(struct timer *timer);
/* cpu_limit_start_locked() - a group has a limit, perhaps: look when it may be reached. tg->lock. */
void cpu_limit_start_locked(struct thread_group *tg);
/* cpu_limit_arm_locked() - the same, by what its tasks have used. tg->lock. */
void cpu_limit_arm_locked(struct thread_group *tg);
/* cpu_limit_check() - TASK_WORK_CPU: the calling task reads its clock and acts. */
void cpu_limit_check(struct task *t);

/* cpu_itimer_swap() - ITIMER_VIRTUAL or ITIMER_PROF of the calling task's process: tell it and, with
 * `set`, change it. Values in ns of CPU time; 0: off. */
enum { CPU_ITIMER_VIRTUAL, CPU_ITIMER_PROF };
void cpu_itimer_swap(struct task *t, int which, u64 value, u64 interval, bool set, u64 *old_value,
                     u64 *old_interval);
