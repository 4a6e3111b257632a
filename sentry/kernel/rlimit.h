/* Resource limits of a thread group (getrlimit(2)). */
#pragma once

#include "sentry/base/types.h"

#define RLIM_NONE UINT64_MAX

struct rlimit_pair {
    u64 soft, hard;
};

enum {
    LX_RLIMIT_CPU,
    LX_RLIMIT_FSIZE,
    LX_RLIMIT_DATA,
    LX_RLIMIT_STACK,
    LX_RLIMIT_CORE,
    LX_RLIMIT_RSS,
    LX_RLIMIT_NPROC,
    LX_RLIMIT_NOFILE,
    LX_RLIMIT_MEMLOCK,
    LX_RLIMIT_AS,
    LX_RLIMIT_LOCKS,
    LX_RLIMIT_SIGPENDING,
    LX_RLIMIT_MSGQUEUE,
    LX_RLIMIT_NICE,
    LX_RLIMIT_RTPRIO,
    LX_RLIMIT_RTTIME,
    RLIMIT_COUNT,
};

/* rlimit_defaults() - what a container's init has where its spec says nothing. */
void rlimit_defaults(struct rlimit_pair limits[RLIMIT_COUNT]);
/* rlimit_find() - "RLIMIT_NOFILE" to its number, or -1. */
int rlimit_find(const char *name);
