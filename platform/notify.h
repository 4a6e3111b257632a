/*
 * The listener: seccomp notifications of the guest processes of one zygote, answered by one Sentry
 * thread.
 *
 * A call that reaches the listener is continued only if the Sentry has ordered exactly it (number
 * and all six arguments, by value) of exactly that host thread. Anything else is a violation: the
 * call fails and the host process is killed. Check-ins: the zygote's is held until the next fork is
 * wanted; a child's until its Sentry thread has attached.
 *
 * Who sent it is proven while the notification is pending: tgkill(tgid, tid, 0), and the id is
 * still valid after that. The tgid is pinned, since the Sentry reaps it last.
 */
#pragma once

#include "sentry/base/hash.h"
#include "sentry/base/lock.h"
#include "sentry/base/types.h"

#include <stdatomic.h>

struct notify;

struct notify_order {
    struct hash_node node;
    int tgid, tid;
    s64 nr;
    u64 args[6];
    int add_fd; /* -1, or a descriptor of ours that becomes args[4] in the guest process */
};

/* notify_new() - for `listener`, whose zygote is `zygote_pid`; both descriptors are taken. */
int notify_new(int listener, int zygote_pid, int zygote_pidfd, struct notify **out);
/* notify_start() - start to serve it, on a thread of its own. */
int notify_start(struct notify *n);
/* notify_stop() - after the processes are dead: wait for the thread to end. */
void notify_stop(struct notify *n);

/* notify_order_begin() - from now on this one call is continued; _end(): no more. The order is the
 * caller's memory. Return: 0, -ENOMEM. */
int notify_order_begin(struct notify *n, struct notify_order *o);
void notify_order_end(struct notify *n, struct notify_order *o);

/* notify_attached() - the child `tid` has a tracer: its check-in may be answered (now or when it
 * comes). notify_detached(): it is stopped in its tracer's hand or dead. */
int notify_attached(struct notify *n, int tid);
void notify_detached(struct notify *n, int tid);

/* notify_zygote_fork() - answer the zygote's check-in with FORK, wait for the next one.
 * Return: the child's pid, -EAGAIN and so on from clone, -ESRCH if the zygote is dead. One caller
 * at a time. */
int notify_zygote_fork(struct notify *n);
