/* The guest's clocks: clock_gettime(2)'s numbers, CPU clocks of other processes among them. */
#pragma once

#include "sentry/base/types.h"

struct task;

/* clock_read() - the time of `clock` as the task sees it, in ns. Return: 0, -EINVAL. */
int clock_read(struct task *t, s32 clock, u64 *ns);
/* clock_resolution() - clock_getres(2). Return: 0, -EINVAL. */
int clock_resolution(struct task *t, s32 clock, u64 *ns);
/* clock_deadline() - the monotonic time at which a clock that timers can use (LX_CLOCK_REALTIME,
 * MONOTONIC, BOOTTIME, their _ALARM forms, TAI) shows `ns`; DEADLINE_NEVER stays. */
u64 clock_deadline(s32 clock, u64 ns);
