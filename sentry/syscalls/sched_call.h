/* What the scheduler's calls share. */
#pragma once

#include "sentry/syscalls/syscall.h"

/* sched_arg_task() - the task of a pid argument, 0 the caller: a new reference, or NULL. */
struct task *sched_arg_task(struct task *t, u64 pid);
/* sched_check() - may t give `other` this policy and priority? Return: 0, -EINVAL, -EPERM. */
s64 sched_check(struct task *t, struct task *other, u32 policy, s32 priority);
