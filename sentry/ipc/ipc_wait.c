/* Sleeping on an IPC object in a queue of one's own; see ipc.h. */
#include "sentry/ipc/ipc.h"
#include "sentry/wait/wait.h"

#include <errno.h>

void ipc_waiter_init(struct ipc_waiter *w)
{
    list_init(&w->node);
    w->sleeper = sleeper_current;
    atomic_init(&w->done, false);
    w->result = 0;
}

void ipc_wake_locked(struct ipc_waiter *w, int result)
{
    list_del(&w->node);
    w->result = result;
    /* Under the object's lock, which the sleeper takes before it goes: *w is there until then. */
    atomic_store(&w->done, true);
    sleeper_wake(w->sleeper);
}

int ipc_wait(struct ipc_waiter *w, struct mutex *lock, u64 deadline)
{
    int err = 0;

    for (;;) {
        sleeper_arm(sleeper_current);
        if (err < 0 || atomic_load(&w->done))
            break;
        err = sleeper_sleep(sleeper_current, deadline);
    }
    mutex_lock(lock);
    if (atomic_load(&w->done))
        return 0;
    list_del(&w->node);
    return err;
}
