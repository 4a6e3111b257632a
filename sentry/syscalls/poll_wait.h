/* What poll(2) and select(2) share: waiting for readiness of a set of descriptions. */
#pragma once

#include "fs/vfs/vfs.h"

struct poll_item {
    struct file *file; /* a reference; NULL: ignored */
    u32 events;        /* LX_POLL* that end the wait */
    u32 ready;         /* out: what of them holds */
    struct waitq *queue;
    struct wait_entry entry;
};

/* poll_wait() - until one of the items is ready, `deadline` or a signal. Items that have `ready`
 * set already count. Return: how many are ready (0: the time is over), -ERESTARTSYS. */
s64 poll_wait(struct poll_item *items, u32 n, u64 deadline);
