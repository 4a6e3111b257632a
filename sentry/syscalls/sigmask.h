/* The signal mask that ppoll(2), pselect6(2) and epoll_pwait(2) bring for the time of the call. */
#pragma once

#include "sentry/base/types.h"

struct task;

/* sigmask_swap() - block what the set at `uset` says (0: leave the mask). Return: 0, -EFAULT,
 * -EINVAL (size). */
int sigmask_swap(struct task *t, u64 uset, u64 size);
/* sigmask_unswap() - the call ends: the old mask comes back, now or, if it was `interrupted`, when
 * the handler's frame has been built. */
void sigmask_unswap(struct task *t, bool interrupted);
