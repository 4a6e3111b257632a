/*
 * epoll(7): instances and their watches. Waiting is in epoll_wait.c, nesting in epoll_nest.c.
 *
 * A watch (item) has an entry in its file's wait queue for as long as it lives. A wake-up there puts
 * the item on the instance's ready list and wakes one waiter: what a call costs depends on how many
 * items became ready, not on how many are watched. An item on the list is only a suspect: who
 * collects asks the file, and a level-triggered item goes back to the list's end until the file says
 * no.
 *
 * An item dies when its descriptor is taken out (EPOLL_CTL_DEL), when its file is released or when
 * the instance is; whichever comes first marks it dead under ep->lock, takes it out of the file's
 * queue, then off the file's list. A file that is being released waits for that (file_gone()), so
 * item->file is good while ep->lock is held and the item is not dead.
 *
 * Locks: ep->lock (EPOLL) over epoll_files_lock (EPOLL_READY) and WAITQ; ep->ready_lock (LEAF) under
 * WAITQ. No lock is held while a file is asked for its readiness, for the file may be an instance.
 */
#include "fs/epoll/epoll_priv.h"

#include "fs/vfs/file.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define EXCLUSIVE_OK                                                                  \
    (LX_POLLIN | LX_POLLOUT | LX_POLLERR | LX_POLLHUP | LX_EPOLLWAKEUP | LX_EPOLLET | \
     LX_EPOLLEXCLUSIVE)

struct mutex epoll_files_lock = MUTEX_INIT(EPOLL_READY);

static atomic_uint nwatches;

static void epoll_free(struct obj *o)
{
    struct epoll *ep = container_of(o, struct epoll, obj);

    hash_free(&ep->items);
    waitq_destroy(&ep->queue);
    mutex_destroy(&ep->ready_lock);
    mutex_destroy(&ep->lock);
    free(ep);
}

static struct obj_type epoll_type = {.name = "epoll", .free = epoll_free};

static void item_free(struct obj *o)
{
    struct epoll_item *it = container_of(o, struct epoll_item, obj);

    epoll_put(it->ep);
    free(it);
    atomic_fetch_sub_explicit(&nwatches, 1, memory_order_relaxed);
}

static struct obj_type item_type = {.name = "epoll_item", .free = item_free};

/* --- items --- */

static u64 item_hash(const struct file *target, int fd)
{
    return hash_u64((uintptr_t)target ^ ((u64)(u32)fd << 48));
}

/* find_locked() - the item of (target, fd), borrowed, or NULL. */
static struct epoll_item *find_locked(struct epoll *ep, const struct file *target, int fd)
{
    for (struct hash_node *n = hash_first(&ep->items, item_hash(target, fd)); n; n = hash_next(n)) {
        struct epoll_item *it = container_of(n, struct epoll_item, node);

        if (it->file == target && it->fd == fd)
            return it;
    }
    return NULL;
}

static bool item_wake(struct wait_entry *e, u32 events)
{
    return epoll_item_ready(container_of(e, struct epoll_item, entry), events, true);
}

/* item_new() - for ep, not linked anywhere. Return: 0, -ENOSPC, -ENOMEM. */
static int item_new(struct epoll *ep, struct file *target, int fd, struct epoll_item **out)
{
    struct epoll_item *it = calloc(1, sizeof(*it));

    if (!it)
        return -ENOMEM;
    if (atomic_fetch_add_explicit(&nwatches, 1, memory_order_relaxed) >= LIMIT_EPOLL_WATCHES) {
        atomic_fetch_sub_explicit(&nwatches, 1, memory_order_relaxed);
        free(it);
        return -ENOSPC;
    }
    obj_init(&it->obj, &item_type);
    it->ep = epoll_get(ep);
    it->file = target;
    it->fd = fd;
    it->entry = (struct wait_entry){.wake = item_wake};
    list_init(&it->entry.node);
    list_init(&it->in_file);
    list_init(&it->in_ready);
    *out = it;
    return 0;
}

/* link_locked() - make a new item part of its instance, its file and the file's queue. */
static int link_locked(struct epoll *ep, struct epoll_item *it)
{
    int rc = hash_insert(&ep->items, &it->node, item_hash(it->file, it->fd));

    if (rc < 0)
        return rc;
    mutex_lock(&epoll_files_lock);
    atomic_store(&it->file->was_watched, true);
    list_add_tail(&it->file->epolls, &it->in_file);
    mutex_unlock(&epoll_files_lock);
    it->queue = it->file->ops->queue ? it->file->ops->queue(it->file) : NULL;
    if (it->queue)
        waitq_add(it->queue, &it->entry);
    return 0;
}

/* unlink_locked() - the end of an item that is not dead yet; the instance's reference is the
 * caller's to put. */
static void unlink_locked(struct epoll *ep, struct epoll_item *it)
{
    it->dead = true;
    hash_remove(&ep->items, &it->node);
    if (it->queue)
        waitq_del(it->queue, &it->entry);
    mutex_lock(&ep->ready_lock);
    list_del(&it->in_ready);
    it->on_ready = true; /* never again */
    mutex_unlock(&ep->ready_lock);
    mutex_lock(&epoll_files_lock);
    list_del(&it->in_file);
    mutex_unlock(&epoll_files_lock);
}

static void remove_item(struct epoll_item *it)
{
    struct epoll *ep = it->ep;
    bool mine;

    mutex_lock(&ep->lock);
    mine = !it->dead;
    if (mine)
        unlink_locked(ep, it);
    mutex_unlock(&ep->lock);
    if (mine)
        epoll_item_put(it);
}

/* file_gone() - fs/vfs: the last reference to a file that was watched is being dropped. */
static void file_gone(struct file *f)
{
    for (;;) {
        struct epoll_item *it;

        mutex_lock(&epoll_files_lock);
        it = epoll_item_get(list_first(&f->epolls, struct epoll_item, in_file));
        mutex_unlock(&epoll_files_lock);
        if (!it)
            return;
        remove_item(it);
        epoll_item_put(it);
    }
}

/* --- the instance as a file --- */

/* first_item() - any item of ep, a new reference, or NULL. */
static struct epoll_item *first_item(struct epoll *ep)
{
    struct epoll_item *it = NULL;
    struct hash_node *n;
    u32 i;

    mutex_lock(&ep->lock);
    hash_for_each(&ep->items, i, n) {
        it = container_of(n, struct epoll_item, node);
        break;
    }
    epoll_item_get(it);
    mutex_unlock(&ep->lock);
    return it;
}

static void epoll_release(struct file *f)
{
    struct epoll *ep = epoll_of(f);
    struct epoll_item *it;

    while ((it = first_item(ep)) != NULL) {
        remove_item(it);
        epoll_item_put(it);
    }
    mutex_lock(&epoll_files_lock);
    ep->file = NULL;
    mutex_unlock(&epoll_files_lock);
    epoll_put(ep);
}

static u32 epoll_poll(struct file *f)
{
    return epoll_any_ready(epoll_of(f)) ? LX_POLLIN | LX_POLLRDNORM : 0;
}

static struct waitq *epoll_queue(struct file *f)
{
    atomic_store(&epoll_of(f)->watched, true);
    return &epoll_of(f)->queue;
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .queue = epoll_queue,
    .release = epoll_release,
};

/* run_deferred() - tell who polls the instance, now that no queue is locked. */
static void run_deferred(struct wait_deferred *d)
{
    struct epoll *ep = container_of(d, struct epoll, deferred);

    atomic_store(&ep->deferring, false);
    waitq_wake(&ep->queue, LX_POLLIN | LX_POLLRDNORM);
    epoll_put(ep);
}

static void set_hook(void)
{
    vfs_set_epoll_hook(file_gone);
}

int epoll_open(const struct cred *cred, struct file **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct epoll *ep = calloc(1, sizeof(*ep));
    int rc;

    if (!ep)
        return -ENOMEM;
    pthread_once(&once, set_hook);
    obj_init(&ep->obj, &epoll_type);
    mutex_init(&ep->lock, LOCK_EPOLL);
    mutex_init(&ep->ready_lock, LOCK_LEAF);
    list_init(&ep->ready);
    list_init(&ep->waiters);
    waitq_init(&ep->queue);
    ep->deferred.run = run_deferred;
    rc = file_new_anon(&epoll_ops, "anon_inode:[eventpoll]", 0600, cred, LX_O_RDWR, ep, &ep->file);
    if (rc < 0)
        epoll_put(ep);
    else
        *out = ep->file;
    return rc;
}

bool epoll_is(const struct file *f)
{
    return f->ops == &epoll_ops;
}

/* --- epoll_ctl(2) --- */

/* arm() - set what the item waits for, and look whether it is ready already. */
static void arm(struct epoll_item *it, struct file *target, const struct lx_epoll_event *ev)
{
    struct epoll *ep = it->ep;
    u32 ready;

    mutex_lock(&ep->ready_lock);
    it->events = ev->events | LX_POLLERR | LX_POLLHUP;
    it->data = ev->data;
    mutex_unlock(&ep->ready_lock);
    ready = file_poll(target) & it->events & ~EPOLL_PRIVATE;
    if (ready)
        epoll_item_ready(it, ready, false);
}

/* insert() - link a new item; the instance's reference goes with it. */
static int insert(struct epoll *ep, struct epoll_item *it, bool exclusive)
{
    int rc = -EEXIST;

    it->entry.exclusive = exclusive;
    mutex_lock(&ep->lock);
    if (!find_locked(ep, it->file, it->fd))
        rc = link_locked(ep, it);
    mutex_unlock(&ep->lock);
    return rc;
}

int epoll_watch(struct file *epf, struct file *target, int fd, const struct lx_epoll_event *ev)
{
    struct epoll *ep = epoll_of(epf);
    bool exclusive = ev->events & LX_EPOLLEXCLUSIVE, nested = epoll_is(target);
    struct epoll_item *it;
    int rc;

    if (!target->ops->poll)
        return -EPERM;
    if (exclusive && (nested || (ev->events & ~(u32)EXCLUSIVE_OK)))
        return -EINVAL;
    rc = item_new(ep, target, fd, &it);
    if (rc < 0)
        return rc;
    if (nested)
        rc = epoll_nest_begin(ep, epoll_of(target));
    if (rc == 0) {
        epoll_item_get(it);
        rc = insert(ep, it, exclusive);
        if (rc < 0)
            epoll_item_put(it);
        if (nested)
            epoll_nest_end();
    }
    if (rc == 0)
        arm(it, target, ev);
    epoll_item_put(it);
    return rc;
}

int epoll_change(struct file *epf, struct file *target, int fd, const struct lx_epoll_event *ev)
{
    struct epoll *ep = epoll_of(epf);
    struct epoll_item *it;
    int rc = 0;

    if (ev->events & LX_EPOLLEXCLUSIVE)
        return -EINVAL;
    mutex_lock(&ep->lock);
    it = epoll_item_get(find_locked(ep, target, fd));
    mutex_unlock(&ep->lock);
    if (!it)
        return -ENOENT;
    if (it->entry.exclusive)
        rc = -EINVAL;
    else
        arm(it, target, ev);
    epoll_item_put(it);
    return rc;
}

int epoll_unwatch(struct file *epf, struct file *target, int fd)
{
    struct epoll *ep = epoll_of(epf);
    struct epoll_item *it;

    mutex_lock(&ep->lock);
    it = find_locked(ep, target, fd);
    if (it)
        unlink_locked(ep, it);
    mutex_unlock(&ep->lock);
    epoll_item_put(it);
    return it ? 0 : -ENOENT;
}

u32 epoll_watches(struct file *epf)
{
    struct epoll *ep = epoll_of(epf);
    u32 n;

    mutex_lock(&ep->lock);
    n = ep->items.count;
    mutex_unlock(&ep->lock);
    return n;
}

int epoll_target_id(struct file *epf, int fd, u32 nth, u64 *id)
{
    struct epoll *ep = epoll_of(epf);
    struct hash_node *n;
    int rc = -ENOENT;
    u32 i;

    mutex_lock(&ep->lock);
    hash_for_each(&ep->items, i, n) {
        struct epoll_item *it = container_of(n, struct epoll_item, node);

        if (it->fd == fd && rc < 0 && nth-- == 0) {
            *id = it->file->obj.id;
            rc = 0;
        }
    }
    mutex_unlock(&ep->lock);
    return rc;
}

void epoll_for_each(struct file *epf,
                    void (*fn)(void *arg, int fd, const struct lx_epoll_event *ev), void *arg)
{
    struct epoll *ep = epoll_of(epf);
    struct hash_node *n;
    u32 i;

    mutex_lock(&ep->lock);
    hash_for_each(&ep->items, i, n) {
        struct epoll_item *it = container_of(n, struct epoll_item, node);
        struct lx_epoll_event ev;

        mutex_lock(&ep->ready_lock);
        ev = (struct lx_epoll_event){it->events, it->data};
        mutex_unlock(&ep->ready_lock);
        fn(arg, it->fd, &ev);
    }
    mutex_unlock(&ep->lock);
}
