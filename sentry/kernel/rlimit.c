/* Names and defaults of resource limits; see rlimit.h. */
#include "sentry/kernel/rlimit.h"

#include <string.h>

static const char *const names[RLIMIT_COUNT] = {
    "CPU",   "FSIZE",   "DATA", "STACK", "CORE",       "RSS",      "NPROC", "NOFILE",
    "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE",  "RTPRIO", "RTTIME",
};

int rlimit_find(const char *name)
{
    if (strncmp(name, "RLIMIT_", 7) != 0)
        return -1;
    for (int i = 0; i < RLIMIT_COUNT; i++)
        if (strcmp(name + 7, names[i]) == 0)
            return i;
    return -1;
}

void rlimit_defaults(struct rlimit_pair limits[RLIMIT_COUNT])
{
    for (int i = 0; i < RLIMIT_COUNT; i++)
        limits[i] = (struct rlimit_pair){RLIM_NONE, RLIM_NONE};
    limits[LX_RLIMIT_STACK].soft = 8u << 20;
    limits[LX_RLIMIT_CORE].soft = 0;
    limits[LX_RLIMIT_NOFILE] = (struct rlimit_pair){1024, 1048576};
    limits[LX_RLIMIT_MEMLOCK] = (struct rlimit_pair){8u << 20, 8u << 20};
    limits[LX_RLIMIT_SIGPENDING] = (struct rlimit_pair){3800, 3800};
    limits[LX_RLIMIT_MSGQUEUE] = (struct rlimit_pair){819200, 819200};
    limits[LX_RLIMIT_NICE] = (struct rlimit_pair){0, 0};
    limits[LX_RLIMIT_RTPRIO] = (struct rlimit_pair){0, 0};
}
