/* Guest ABI: times and clocks (linux/time.h, linux/time_types.h, linux/timerfd.h). */
#pragma once

#include "sentry/base/types.h"

struct lx_timespec {
    s64 sec, nsec;
};

struct lx_timeval {
    s64 sec, usec;
};

struct lx_timezone {
    s32 minuteswest, dsttime;
};

struct lx_itimerspec {
    struct lx_timespec interval, value;
};

struct lx_itimerval {
    struct lx_timeval interval, value;
};

struct lx_utimbuf {
    s64 actime, modtime;
};

enum {
    LX_CLOCK_REALTIME = 0,
    LX_CLOCK_MONOTONIC = 1,
    LX_CLOCK_PROCESS_CPUTIME_ID = 2,
    LX_CLOCK_THREAD_CPUTIME_ID = 3,
    LX_CLOCK_MONOTONIC_RAW = 4,
    LX_CLOCK_REALTIME_COARSE = 5,
    LX_CLOCK_MONOTONIC_COARSE = 6,
    LX_CLOCK_BOOTTIME = 7,
    LX_CLOCK_REALTIME_ALARM = 8,
    LX_CLOCK_BOOTTIME_ALARM = 9,
    LX_CLOCK_TAI = 11,
};

#define LX_TIMER_ABSTIME 1

/* Clocks of other processes and threads: ~pid << 3, or ~fd << 3 | 3 (posix-timers.h). */
#define LX_CPUCLOCK_PERTHREAD  4
#define LX_CPUCLOCK_WHICH_MASK 3
#define LX_CPUCLOCK_PROF       0
#define LX_CPUCLOCK_VIRT       1
#define LX_CPUCLOCK_SCHED      2
#define LX_CLOCKFD             3

#define LX_TFD_CLOEXEC             02000000
#define LX_TFD_NONBLOCK            04000
#define LX_TFD_TIMER_ABSTIME       1
#define LX_TFD_TIMER_CANCEL_ON_SET 2
#define LX_TFD_IOC_SET_TICKS       0x40085400u

_Static_assert(sizeof(struct lx_itimerspec) == 32, "struct itimerspec is 32 bytes");
