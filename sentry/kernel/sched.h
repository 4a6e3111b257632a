/*
 * Scheduling attributes (sched(7)). The host schedules as it likes: these are kept, inherited and
 * told again, and an affinity is checked against the CPUs that the container sees.
 */
#pragma once

#include "sentry/base/types.h"

#define SCHED_NICE_MIN  (-20)
#define SCHED_NICE_MAX  19
#define SCHED_CPU_WORDS 16 /* 1,024 CPUs */

struct task_sched {
    s32 nice;
    u32 ioprio; /* ioprio_set(2)'s value, 0: from the nice value */
    u32 policy, priority; /* LX_SCHED_* */
    bool reset_on_fork;
    bool pinned; /* affinity counts; else every CPU */
    u64 affinity[SCHED_CPU_WORDS];
};
