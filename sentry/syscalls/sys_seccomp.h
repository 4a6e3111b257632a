/* What prctl(2) has of seccomp(2). */
#pragma once

#include "sentry/syscalls/syscall.h"

/* seccomp_prctl() - PR_SET_SECCOMP. */
s64 seccomp_prctl(struct task *t, const u64 a[6]);
