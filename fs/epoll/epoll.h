/* epoll(7): a set of watched descriptions that knows which of them are ready. */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_epoll.h"

/* epoll_open() - an empty instance. Return: 0 and a new reference, -ENFILE, -ENOMEM. */
int epoll_open(const struct cred *cred, struct file **out);
/* epoll_is() - is f an instance? The calls below take only those as `ep`. */
bool epoll_is(const struct file *f);

/* epoll_watch(), epoll_change(), epoll_unwatch() - epoll_ctl(2)'s ADD, MOD and DEL for descriptor
 * `fd`, which is `target`. Return: 0, -EEXIST, -ENOENT, -ELOOP, -EINVAL, -ENOSPC, -ENOMEM, -EPERM (a
 * file that knows no readiness). */
int epoll_watch(struct file *ep, struct file *target, int fd, const struct lx_epoll_event *ev);
int epoll_change(struct file *ep, struct file *target, int fd, const struct lx_epoll_event *ev);
int epoll_unwatch(struct file *ep, struct file *target, int fd);

/* epoll_watches() - how many descriptors it watches now, LIMIT_EPOLL_WATCHES at most. */
u32 epoll_watches(struct file *ep);
/* epoll_target_id() - of descriptor number `fd`, the nth description (0: the first) that it watches: its
 * object's id. Return: 0, -ENOENT. */
int epoll_target_id(struct file *ep, int fd, u32 nth, u64 *id);
/* Events on their way to a guest, and the items that they are of. */
struct epoll_batch {
    struct lx_epoll_event *events;
    struct epoll_taken *taken;
    u32 max, n;
};
/* epoll_batch_init() - room for `max` events. Return: 0, -ENOMEM. */
int epoll_batch_init(struct epoll_batch *b, u32 max);
/* epoll_batch_end() - the first `told` events reached the guest. The others are events still, and come
 * first: next time, even of an edge or with EPOLLONESHOT. Frees what the batch has. */
void epoll_batch_end(struct file *ep, struct epoll_batch *b, u32 told);
/* epoll_collect() - epoll_wait(2): fill an empty batch, waiting until `deadline` (0: not at all) for
 * the first. Return: how many, -ERESTARTSYS. */
s64 epoll_collect(struct file *ep, struct epoll_batch *b, u64 deadline);

/* epoll_for_each() - call fn for every watched descriptor, for fdinfo; fn must not sleep. */
void epoll_for_each(struct file *ep, void (*fn)(void *arg, int fd, const struct lx_epoll_event *ev),
                    void *arg);
