/* Masks for the time of a call; see sigmask.h. */
#include "sentry/syscalls/sigmask.h"

#include "sentry/kernel/task.h"

#include <errno.h>

int sigmask_swap(struct task *t, u64 uset, u64 size)
{
    u64 set;

    if (!uset)
        return 0;
    if (size != sizeof(set))
        return -EINVAL;
    if (usermem_get(t->mm, &set, uset) < 0)
        return -EFAULT;
    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    signal_set_blocked(t, set);
    return 0;
}

void sigmask_unswap(struct task *t, bool interrupted)
{
    if (!t->restore_blocked || interrupted)
        return;
    t->restore_blocked = false;
    signal_set_blocked(t, t->saved_blocked);
}
