/* RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the hard one (setrlimit(2)). */
#pragma once

struct task;
struct thread_group;
struct timer;

/* cpu_limit_fire() - the function of thread_group.cpu_timer. */
void cpu_limit_fire(struct timer *timer);
/* cpu_limit_start_locked() - a group has a limit, perhaps: look when it may be reached. tg->lock. */
void cpu_limit_start_locked(struct thread_group *tg);
/* cpu_limit_check() - TASK_WORK_CPU: the calling task reads its clock and acts. */
void cpu_limit_check(struct task *t);
