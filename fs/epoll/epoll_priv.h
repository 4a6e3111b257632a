/* What the parts of epoll share; the theory of operation stands in epoll.c. */
#pragma once

#include "fs/epoll/epoll.h"
#include "sentry/base/hash.h"

struct epoll {
    struct obj obj;
    struct file *file; /* borrowed: the description that is this instance; NULL once that is
                        * released; guarded by the files lock */

    struct mutex lock; /* EPOLL class */
    struct hash items; /* guarded by lock */

    struct mutex ready_lock;  /* LEAF class: taken by wake-ups, under the queue of a file */
    struct list_node ready;   /* guarded by ready_lock, as are waiters: items that may be ready */
    struct list_node waiters; /* struct epoll_waiter */

    struct waitq queue;  /* who polls this instance, or watches it */
    atomic_bool watched; /* queue was ever used */
    struct wait_deferred deferred;
    atomic_bool deferring; /* `deferred` is waiting to run and holds a reference */

    u64 visit; /* guarded by the nesting lock: which search has been here, and what it found */
    u32 visit_depth;
};
OBJ_REFS(epoll)

struct epoll_item {
    struct obj obj;
    struct epoll *ep;  /* a reference */
    struct file *file; /* borrowed: valid until dead */
    int fd;
    struct hash_node node;    /* ep->items */
    struct list_node in_file; /* file->epolls; guarded by the files lock */
    struct waitq *queue;      /* of the file; NULL: it never changes */
    struct wait_entry entry;
    bool dead; /* guarded by ep->lock */

    u32 events; /* and below: guarded by ep->ready_lock. LX_EPOLL* and readiness bits */
    u64 data;
    bool on_ready; /* linked into ep->ready or a list of one who works on it */
    struct list_node in_ready;
};
OBJ_REFS(epoll_item)

struct epoll_waiter {
    struct list_node node;
    struct sleeper *sleeper;
};

/* Bits of `events` that are not readiness. */
#define EPOLL_PRIVATE (LX_EPOLLEXCLUSIVE | LX_EPOLLWAKEUP | LX_EPOLLONESHOT | LX_EPOLLET)

static inline struct epoll *epoll_of(const struct file *f)
{
    return f->private;
}

/* epoll_item_ready() - the item may be ready: put it on the list and tell one waiter and whoever
 * polls the instance. `deferred`: called from a wake(). Return: was there a waiter? */
bool epoll_item_ready(struct epoll_item *it, u32 events, bool deferred);
/* epoll_any_ready() - is any item ready now? */
bool epoll_any_ready(struct epoll *ep);

/* epoll_nest_begin() - before `target`, an instance, is watched by `ep`: takes the nesting lock.
 * Return: 0, -ELOOP (then the lock is not held). epoll_nest_end() releases it. */
int epoll_nest_begin(struct epoll *ep, struct epoll *target);
void epoll_nest_end(void);

/* epoll_files_lock - guards file->epolls of every file. */
extern struct mutex epoll_files_lock;
