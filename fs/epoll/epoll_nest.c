/*
 * epoll(7): instances that watch instances. A chain may be LIMIT_EPOLL_NESTS long and must not close.
 * Only watching an instance can break that rule, so only that takes the nesting lock; it searches
 * below the target and above the watcher, each instance once however many paths lead to it.
 */
#include "fs/epoll/epoll_priv.h"

#include "sentry/base/limits.h"

#include <errno.h>

static struct mutex nest_lock = MUTEX_INIT(EPOLL_NEST);
static u64 visit; /* guarded by nest_lock: numbers the searches */

/* neighbours() - the instances that ep watches (`below`) or that watch it, from number `from` on.
 * Return: how many were put into out (references), fewer than cap at the end. */
static u32 neighbours(struct epoll *ep, bool below, u32 from, struct epoll **out, u32 cap)
{
    struct epoll_item *it;
    struct hash_node *n;
    u32 seen = 0, got = 0, i;

    if (!below) {
        mutex_lock(&epoll_files_lock);
        if (ep->file) {
            list_for_each(it, &ep->file->epolls, in_file) {
                if (seen++ >= from && got < cap)
                    out[got++] = epoll_get(it->ep);
            }
        }
        mutex_unlock(&epoll_files_lock);
        return got;
    }
    mutex_lock(&ep->lock);
    hash_for_each(&ep->items, i, n) {
        it = container_of(n, struct epoll_item, node);
        if (epoll_is(it->file) && seen++ >= from && got < cap)
            out[got++] = epoll_get(epoll_of(it->file));
    }
    mutex_unlock(&ep->lock);
    return got;
}

/* depth() - the longest chain that starts at ep and goes below or above, ep included; more than
 * LIMIT_EPOLL_NESTS is all the same. Finds `stop` on the way: as if too deep. */
static u32 depth(struct epoll *ep, bool below, const struct epoll *stop, u32 level)
{
    struct epoll *next[16];
    u32 deepest = 0, from = 0, n;

    if (ep == stop || level > LIMIT_EPOLL_NESTS)
        return LIMIT_EPOLL_NESTS + 1;
    if (ep->visit == visit)
        return ep->visit_depth;
    do {
        n = neighbours(ep, below, from, next, ARRAY_SIZE(next));
        for (u32 i = 0; i < n; i++) {
            deepest = max_of(deepest, depth(next[i], below, stop, level + 1));
            epoll_put(next[i]);
        }
        from += n;
    } while (n == ARRAY_SIZE(next));
    ep->visit = visit;
    ep->visit_depth = deepest + 1;
    return deepest + 1;
}

int epoll_nest_begin(struct epoll *ep, struct epoll *target)
{
    u32 below, above;

    mutex_lock(&nest_lock);
    visit++;
    below = depth(target, true, ep, 1);
    visit++;
    above = depth(ep, false, NULL, 1);
    if (below + above <= LIMIT_EPOLL_NESTS)
        return 0;
    mutex_unlock(&nest_lock);
    return -ELOOP;
}

void epoll_nest_end(void)
{
    mutex_unlock(&nest_lock);
}
