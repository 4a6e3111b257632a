/*
 * Readiness of host descriptors (stdio, sockets): one epoll thread for all, which only wakes queues.
 */
#pragma once

#include "sentry/base/hash.h"
#include "sentry/wait/wait.h"

struct host_watch {
    struct hash_node node;
    u64 number;
    int fd;         /* borrowed */
    bool pollable;  /* false: a plain file, always ready */
    struct waitq queue; /* woken with LX_POLL* bits when readiness may have changed */
};

/* host_watch_start() - start the thread; before the Sentry confines itself. */
int host_watch_start(void);
/* host_watch_add() - watch fd, edge by edge. Return: 0 or -errno. host_watch_del(): when it
 * returns the queue is not touched any more. */
int host_watch_add(struct host_watch *w, int fd);
void host_watch_del(struct host_watch *w);
/* host_watch_poll() - readiness now, LX_POLL* bits. */
u32 host_watch_poll(const struct host_watch *w);
