/*
 * Waiting for readiness; see poll_wait.h. A first look costs no registration: most calls find
 * something ready or don't want to wait. Otherwise an entry of the calling task stands in the queue
 * of every file while it sleeps, and each wake-up looks at all files again.
 */
#include "sentry/syscalls/poll_wait.h"

#include "fs/vfs/file.h"
#include "sentry/base/host_thread.h"

#include <errno.h>

static s64 count_ready(struct poll_item *items, u32 n)
{
    s64 ready = 0;

    for (u32 i = 0; i < n; i++) {
        if (items[i].file)
            items[i].ready = file_poll(items[i].file) & items[i].events;
        if (items[i].ready)
            ready++;
    }
    return ready;
}

static void enqueue(struct poll_item *items, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        struct file *f = items[i].file;

        items[i].queue = f && f->ops->queue ? f->ops->queue(f) : NULL;
        if (!items[i].queue)
            continue;
        wait_entry_init(&items[i].entry, items[i].events);
        waitq_add(items[i].queue, &items[i].entry);
    }
}

static void dequeue(struct poll_item *items, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (items[i].queue)
            waitq_del(items[i].queue, &items[i].entry);
}

s64 poll_wait(struct poll_item *items, u32 n, u64 deadline)
{
    s64 ready = count_ready(items, n);
    int slept = 0;

    if (ready || deadline == 0)
        return ready;
    enqueue(items, n);
    for (;;) {
        sleeper_arm(sleeper_current);
        ready = count_ready(items, n);
        if (ready || slept < 0)
            break;
        slept = sleeper_sleep(sleeper_current, deadline);
    }
    dequeue(items, n);
    if (ready || slept == -ETIMEDOUT)
        return ready;
    return slept;
}
