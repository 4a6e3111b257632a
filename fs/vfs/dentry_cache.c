/*
 * Which unused dentries are kept. The cache holds one reference to each dentry that is found by
 * name (but for file systems with SUPER_NO_CACHE: there the name is found only while somebody else
 * holds the dentry). When more than LIMIT_DENTRIES are kept, adding one looks for others that
 * nothing but the cache holds: each super has a list, and a dentry that was used since the last
 * look gets a second chance. A look is bounded, so adding never takes long.
 */
#include "fs/vfs/dentry_priv.h"
#include "sentry/base/limits.h"

enum { LOOKS = 32, VICTIMS = 4, PRUNE_BATCH = 256 };

/* Guarded by the dentry lock. */
static struct list_node supers = LIST_INIT(supers);
static atomic_uint ncached;

u32 dentry_cached(void)
{
    return atomic_load(&ncached);
}

/* uncache_locked() - the cache's reference goes to the kill list, which its owner walks without the
 * lock: others that hold the dentry leave its lru alone, and it is never cached again. */
static void uncache_locked(struct dentry *d, struct list_node *kill)
{
    struct super *sb = d->super;

    list_del(&d->lru);
    list_add_tail(kill, &d->lru);
    d->cached = false;
    d->doomed = true;
    atomic_fetch_sub_explicit(&ncached, 1, memory_order_relaxed);
    if (list_empty(&sb->lru))
        list_del(&sb->in_cache);
}

void cache_unhash_locked(struct dentry *d, struct list_node *kill)
{
    if (d->unhashed || !d->parent)
        return;
    hash_remove(&d->parent->children, &d->by_name);
    d->unhashed = true;
    if (d->cached)
        uncache_locked(d, kill);
}

/* shrink_super_locked() - look at the oldest of one super. */
static u32 shrink_super_locked(struct super *sb, u32 want, struct list_node *kill)
{
    u32 got = 0;

    for (u32 i = 0; i < LOOKS && got < want && !list_empty(&sb->lru); i++) {
        struct dentry *d = list_entry(sb->lru.prev, struct dentry, lru);
        bool used = atomic_exchange_explicit(&d->used, false, memory_order_relaxed);

        /* No walk is under way, so a count of one is the cache's and stays. */
        if (!used && atomic_load(&d->obj.count) == 1 && !d->children.count) {
            cache_unhash_locked(d, kill);
            got++;
        } else {
            list_del(&d->lru);
            list_add(&sb->lru, &d->lru);
        }
    }
    return got;
}

static void shrink_locked(struct super *sb, struct list_node *kill)
{
    struct super *other;

    if (shrink_super_locked(sb, VICTIMS, kill) || list_empty(&supers))
        return;
    other = list_entry(supers.next, struct super, in_cache);
    list_del(&other->in_cache);
    list_add_tail(&supers, &other->in_cache);
    shrink_super_locked(other, VICTIMS, kill);
}

void cache_add_locked(struct dentry *d, struct list_node *kill)
{
    struct super *sb = d->super;

    if (sb->flags & SUPER_NO_CACHE)
        return;
    if (list_empty(&sb->lru))
        list_add(&supers, &sb->in_cache);
    dentry_get(d);
    d->cached = true;
    list_add(&sb->lru, &d->lru);
    if (atomic_fetch_add_explicit(&ncached, 1, memory_order_relaxed) >= LIMIT_DENTRIES)
        shrink_locked(sb, kill);
}

void dentry_kill(struct list_node *kill)
{
    while (!list_empty(kill)) {
        struct dentry *d = list_entry(kill->next, struct dentry, lru);

        list_del(&d->lru);
        dentry_put(d);
    }
}

/* children_locked() - borrow at most `most` children. Return: how many. */
static u32 children_locked(const struct dentry *dir, struct dentry **found, u32 most)
{
    struct hash_node *child;
    u32 n = 0, i;

    hash_for_each(&dir->children, i, child)
    {
        if (n == most)
            return n;
        found[n++] = container_of(child, struct dentry, by_name);
    }
    return n;
}

void dentry_dead(struct dentry *dir)
{
    struct dentry *found[PRUNE_BATCH];
    u32 n;

    do {
        struct list_node kill = LIST_INIT(kill);

        tree_write();
        dir->dead = true;
        n = children_locked(dir, found, ARRAY_SIZE(found));
        for (u32 i = 0; i < n; i++)
            cache_unhash_locked(found[i], &kill);
        tree_write_end();
        dentry_kill(&kill);
    } while (n == ARRAY_SIZE(found));
}

void cache_prune(struct super *sb)
{
    bool more = true;

    while (more) {
        struct list_node kill = LIST_INIT(kill);

        tree_write();
        for (u32 i = 0; i < PRUNE_BATCH && !list_empty(&sb->lru); i++)
            cache_unhash_locked(list_entry(sb->lru.prev, struct dentry, lru), &kill);
        more = !list_empty(&sb->lru);
        tree_write_end();
        dentry_kill(&kill);
    }
}
