/*
 * --strace: a line to the log before and after each system call,
 *   [  12] bash E openat(AT_FDCWD, 0x7ffd10 "/etc/passwd", O_RDONLY|O_CLOEXEC, 0o0)
 *   [  12] bash X openat(AT_FDCWD, 0x7ffd10 "/etc/passwd", O_RDONLY|O_CLOEXEC, 0o0) = 3 (12.3µs)
 * formatted from the argument types of syscalls.def. Off, it costs one load.
 */
#pragma once

#include "sentry/base/types.h"

#include <stdatomic.h>

struct syscall_row;
struct task;

extern atomic_bool strace_on;

/* strace_configure() - switch it on or off; `names`: calls to show, separated by commas (NULL or
 * "": all); `log_size`: most bytes shown of one buffer. Return: 0, -EINVAL (an unknown name). */
int strace_configure(bool on, const char *names, u32 log_size);

/* strace_call() - serve the call with its lines around it; row NULL: an unknown number. */
s64 strace_call(struct task *t, s64 nr, const struct syscall_row *row, const u64 a[6]);
