/*
 * Syscall user dispatch (prctl(PR_SET_SYSCALL_USER_DISPATCH)): a thread's system calls from outside a
 * range of code become SIGSYS while a byte of its memory says so. A matter of the guest with itself:
 * asked before its tracer and its seccomp filters, as Linux does.
 */
#pragma once

#include "sentry/base/types.h"

struct task;

struct user_dispatch {
    bool on;
    u64 offset, len;  /* code whose calls are always made */
    uaddr_t selector; /* of the byte; 0: all other calls are caught */
};

/* user_dispatch_set() - prctl(2) with its arguments. Return: 0, -EINVAL, -EFAULT. */
s64 user_dispatch_set(struct task *t, const u64 a[6]);
/* user_dispatch_catches() - is the call that `t` is about to make caught? Then it gets SIGSYS, or dies
 * of a selector that cannot be read or says neither. */
bool user_dispatch_catches(struct task *t);
