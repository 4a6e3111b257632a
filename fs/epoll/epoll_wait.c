/*
 * epoll(7): the ready list and who waits for it; see epoll.c.
 *
 * Who collects takes the whole list away and works on it item by item, so that what becomes ready
 * meanwhile goes to a fresh list and is not seen twice. Items stay marked on_ready while they stand
 * on such a private list; taken from it an item is on none, and a wake-up may put it on the
 * instance's again.
 */
#include "fs/epoll/epoll_priv.h"

#include "fs/vfs/file.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>

/* wake_waiter_locked() - wake one waiter and take it off the list. Return: was there one? */
static bool wake_waiter_locked(struct epoll *ep)
{
    struct epoll_waiter *w = list_first(&ep->waiters, struct epoll_waiter, node);

    if (!w)
        return false;
    list_del(&w->node);
    sleeper_wake(w->sleeper);
    return true;
}

/* tell_pollers() - wake who polls the instance; from a wake() that has to be put off. */
static void tell_pollers(struct epoll *ep, bool defer)
{
    if (!atomic_load(&ep->watched))
        return;
    if (!defer) {
        waitq_wake(&ep->queue, LX_POLLIN | LX_POLLRDNORM);
    } else if (!atomic_exchange(&ep->deferring, true)) {
        epoll_get(ep);
        waitq_defer(&ep->deferred);
    }
}

bool epoll_item_ready(struct epoll_item *it, u32 events, bool deferred)
{
    struct epoll *ep = it->ep;
    bool woken = false, wants;

    mutex_lock(&ep->ready_lock);
    wants = (it->events & ~EPOLL_PRIVATE) && (!events || (events & it->events & ~EPOLL_PRIVATE));
    if (wants) {
        if (!it->on_ready) {
            it->on_ready = true;
            list_add_tail(&ep->ready, &it->in_ready);
        }
        woken = wake_waiter_locked(ep);
    }
    mutex_unlock(&ep->ready_lock);
    if (wants)
        tell_pollers(ep, deferred);
    return woken || (wants && atomic_load(&ep->watched));
}

/* take_all() - move the ready list to `todo`. */
static void take_all(struct epoll *ep, struct list_node *todo)
{
    list_init(todo);
    mutex_lock(&ep->ready_lock);
    list_splice_tail(todo, &ep->ready);
    mutex_unlock(&ep->ready_lock);
}

/* give_back() - what was not worked on first, then `again`, which wants to be looked at next time.
 * What stands on the list by then is news for other waiters and pollers. */
static void give_back(struct epoll *ep, struct list_node *todo, struct list_node *again)
{
    bool any;

    mutex_lock(&ep->ready_lock);
    list_splice_tail(todo, &ep->ready);
    list_splice_tail(&ep->ready, todo);
    list_splice_tail(&ep->ready, again);
    any = !list_empty(&ep->ready);
    if (any)
        wake_waiter_locked(ep);
    mutex_unlock(&ep->ready_lock);
    if (any)
        tell_pollers(ep, false);
}

/* next_item() - take the first item of `todo` off it. Return: a new reference, and one to its file
 * in *file (NULL: that is just going); NULL: nothing left. */
static struct epoll_item *next_item(struct epoll *ep, struct list_node *todo, struct file **file)
{
    struct epoll_item *it;

    mutex_lock(&ep->lock);
    mutex_lock(&ep->ready_lock);
    it = epoll_item_get(list_first(todo, struct epoll_item, in_ready));
    if (it) {
        list_del(&it->in_ready);
        it->on_ready = false;
    }
    mutex_unlock(&ep->ready_lock);
    *file = it && obj_get_unless_zero(&it->file->obj) ? it->file : NULL;
    mutex_unlock(&ep->lock);
    return it;
}

/* put_back_locked() - on a list again, unless a wake-up was faster or the item is dead. */
static void put_back_locked(struct epoll_item *it, struct list_node *list)
{
    if (it->on_ready)
        return;
    it->on_ready = true;
    list_add_tail(list, &it->in_ready);
}

/* What a batch knows of an event beside what the guest is told. */
struct epoll_taken {
    struct epoll_item *item; /* a reference */
    u32 disarmed;            /* with EPOLLONESHOT: what it asked for until now */
};

int epoll_batch_init(struct epoll_batch *b, u32 max)
{
    *b = (struct epoll_batch){.max = max};
    b->events = reallocarray(NULL, max, sizeof(*b->events));
    b->taken = reallocarray(NULL, max, sizeof(*b->taken));
    if (b->events && b->taken)
        return 0;
    free(b->events);
    free(b->taken);
    return -ENOMEM;
}

void epoll_batch_end(struct file *epf, struct epoll_batch *b, u32 told)
{
    struct list_node first = LIST_INIT(first), none = LIST_INIT(none);

    for (u32 i = 0; i < b->n; i++) {
        struct epoll_item *it = b->taken[i].item;

        if (i >= told) {
            mutex_lock(&it->ep->ready_lock);
            if (!(it->events & ~EPOLL_PRIVATE))
                it->events |= b->taken[i].disarmed;
            if (it->on_ready && list_linked(&it->in_ready)) {
                list_del(&it->in_ready);
                it->on_ready = false;
            }
            put_back_locked(it, &first);
            mutex_unlock(&it->ep->ready_lock);
        }
    }
    if (told < b->n)
        give_back(epoll_of(epf), &first, &none);
    for (u32 i = 0; i < b->n; i++)
        epoll_item_put(b->taken[i].item);
    free(b->events);
    free(b->taken);
}

/* deliver() - the item's file says `ready`: an event more if it is asked for. */
static void deliver(struct epoll_item *it, u32 ready, struct epoll_batch *b,
                    struct list_node *again)
{
    struct epoll *ep = it->ep;
    u32 disarmed = 0;

    mutex_lock(&ep->ready_lock);
    ready &= it->events & ~EPOLL_PRIVATE;
    if (ready) {
        b->events[b->n] = (struct lx_epoll_event){ready, it->data};
        if (it->events & LX_EPOLLONESHOT) {
            disarmed = it->events & ~EPOLL_PRIVATE;
            it->events &= EPOLL_PRIVATE;
        } else if (!(it->events & LX_EPOLLET)) {
            put_back_locked(it, again);
        }
        b->taken[b->n++] = (struct epoll_taken){epoll_item_get(it), disarmed};
    }
    mutex_unlock(&ep->ready_lock);
}

/* collect() - events of items that are ready now. */
static u32 collect(struct epoll *ep, struct epoll_batch *b)
{
    struct list_node todo, again = LIST_INIT(again);

    take_all(ep, &todo);
    while (b->n < b->max) {
        struct file *file;
        struct epoll_item *it = next_item(ep, &todo, &file);

        if (!it)
            break;
        if (file)
            deliver(it, file_poll(file), b, &again);
        file_put(file);
        epoll_item_put(it);
    }
    give_back(ep, &todo, &again);
    return b->n;
}

bool epoll_any_ready(struct epoll *ep)
{
    struct list_node todo, again = LIST_INIT(again);
    bool ready = false;

    take_all(ep, &todo);
    while (!ready) {
        struct file *file;
        struct epoll_item *it = next_item(ep, &todo, &file);

        if (!it)
            break;
        if (file) {
            u32 events = file_poll(file);

            mutex_lock(&ep->ready_lock);
            ready = events & it->events & ~EPOLL_PRIVATE;
            if (ready)
                put_back_locked(it, &again);
            mutex_unlock(&ep->ready_lock);
        }
        file_put(file);
        epoll_item_put(it);
    }
    mutex_lock(&ep->ready_lock);
    list_splice_tail(&again, &todo);
    list_splice_tail(&again, &ep->ready);
    list_splice_tail(&ep->ready, &again);
    mutex_unlock(&ep->ready_lock);
    return ready;
}

/* wait_begin() - stand on the list of waiters (again: a wake-up takes off it). */
static void wait_begin(struct epoll *ep, struct epoll_waiter *w)
{
    mutex_lock(&ep->ready_lock);
    if (!list_linked(&w->node))
        list_add_tail(&ep->waiters, &w->node);
    mutex_unlock(&ep->ready_lock);
}

/* wait_end() - leave; a wake-up that came too late to be used goes to the next waiter. */
static void wait_end(struct epoll *ep, struct epoll_waiter *w)
{
    mutex_lock(&ep->ready_lock);
    list_del(&w->node);
    if (!list_empty(&ep->ready))
        wake_waiter_locked(ep);
    mutex_unlock(&ep->ready_lock);
}

s64 epoll_collect(struct file *epf, struct epoll_batch *b, u64 deadline)
{
    struct epoll *ep = epoll_of(epf);
    struct epoll_waiter w = {.sleeper = sleeper_current};
    u32 n = collect(ep, b);
    int slept = 0;

    if (n || deadline == 0)
        return n;
    list_init(&w.node);
    for (;;) {
        sleeper_arm(w.sleeper); /* first: a wake-up takes this waiter off the list */
        wait_begin(ep, &w);
        n = collect(ep, b);
        if (n || slept < 0)
            break;
        slept = sleeper_sleep(w.sleeper, deadline);
    }
    wait_end(ep, &w);
    if (n || slept == -ETIMEDOUT)
        return n;
    return slept;
}
