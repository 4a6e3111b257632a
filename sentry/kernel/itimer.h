/* The real-time interval timer of a process: setitimer(ITIMER_REAL), alarm(2). */
#pragma once

#include "sentry/base/types.h"

struct thread_group;
struct timer;

/* itimer_fire() - the timer's function; see thread_group.itimer_real. */
void itimer_fire(struct timer *timer);
/* itimer_set() - `value` ns from now (0: off), then every `interval` ns. What was left of the old
 * one in *old_value, its interval in *old_interval. */
void itimer_set(struct thread_group *tg, u64 value, u64 interval, u64 *old_value,
                u64 *old_interval);
void itimer_get(struct thread_group *tg, u64 *value, u64 *interval);
