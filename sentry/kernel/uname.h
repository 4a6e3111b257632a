/* What uname(2) and /proc/version say of this kernel. */
#pragma once

#include "sentry/base/types.h"

#define UNAME_SYSNAME "Linux"
#define UNAME_VERSION "#1 SMP Sun Jan 10 15:06:54 PST 2016"
#if defined(__x86_64__)
#define UNAME_MACHINE "x86_64"
#elif defined(__aarch64__)
#define UNAME_MACHINE "aarch64"
#endif

#define UNAME_RELEASE 65

struct container;

/* uname_release() - what it calls its kernel: the release that runsc was given, or what the
 * container's own programs demand in their ABI notes if that is newer. `c` NULL: the default. */
void uname_release(struct container *c, char out[UNAME_RELEASE]);
