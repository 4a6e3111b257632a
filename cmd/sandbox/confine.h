/* What the Sentry gives up before it serves: the host's files, its capabilities, host calls. */
#pragma once

#include "sentry/base/types.h"

/* Each returns 0, or -errno with *what naming the step that failed. */

/* confine_root() - a private, size-limited tmpfs becomes the root; nothing else is left. */
int confine_root(u64 bytes, const char **what);
/* confine_privileges() - no capability, no new ones, not dumpable. Single-threaded. */
int confine_privileges(const char **what);
/* confine_calls() - load the filter made from the declarations; the last step. */
int confine_calls(const char **what);
