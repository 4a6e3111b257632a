/*
 * The dentry tree: a name in a directory and what it is.
 *
 * A dentry is hashed while it is found by name and never again after it was unhashed, but for a
 * move. Its inode is set before it is hashed and never changes: a negative dentry that becomes a
 * file is replaced. Parents and names change under the dentry lock.
 *
 * A lookup asks the file system without a lock, so the answer may be old by the time it comes: the
 * directory's dir_gen, which every change of a name moves under the dentry lock, tells; the lookup
 * is then repeated, at last under dir_lock.
 */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/notify.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUP_TRIES = 3 };

static void dentry_free(struct obj *o)
{
    struct dentry *d = container_of(o, struct dentry, obj), *parent;

    /* A tree may be very deep: go up in a loop. */
    do {
        if (d->super->flags & SUPER_NO_CACHE) {
            struct list_node kill = LIST_INIT(kill);

            tree_write();
            cache_unhash_locked(d, &kill);
            tree_write_end();
        }
        parent = d->parent;
        if (d->inode && notify_any() && !inode_get_u32(&d->inode->nlink))
            notify_gone(d->inode);
        inode_put(d->inode);
        hash_free(&d->children);
        if (d->name != d->short_name)
            free(d->name);
        free(d);
        d = parent;
    } while (d && obj_drop_(&d->obj));
}

static struct obj_type dentry_type = {.name = "dentry", .free = dentry_free};

int dentry_name_alloc(u32 len, char **out)
{
    char *buf = NULL;

    if (len >= sizeof(((struct dentry *)0)->short_name)) {
        buf = malloc(len + 1);
        if (!buf)
            return -ENOMEM;
    }
    *out = buf;
    return 0;
}

/* set_name() - the dentry's name; `buf` (from dentry_name_alloc) is taken. */
static void set_name(struct dentry *d, const char *name, u32 len, char *buf)
{
    d->name = buf ? buf : d->short_name;
    memmove(d->name, name, len);
    d->name[len] = '\0';
    d->len = len;
}

struct dentry *dentry_new(struct super *sb, struct dentry *parent, const char *name, u32 len)
{
    struct dentry *d = calloc(1, sizeof(*d));
    char *buf;

    if (!d)
        return NULL;
    if (dentry_name_alloc(len, &buf) < 0) {
        free(d);
        return NULL;
    }
    set_name(d, name, len, buf);
    obj_init(&d->obj, &dentry_type);
    list_init(&d->lru);
    d->super = sb;
    d->parent = dentry_get(parent);
    d->unhashed = parent != NULL;
    return d;
}

static u64 name_hash(const char *name, u32 len)
{
    return hash_bytes(name, len, 0);
}

struct dentry *dentry_child(struct dentry *dir, const char *name, u32 len)
{
    struct hash_node *n = hash_first(&dir->children, name_hash(name, len));

    for (; n; n = hash_next(n)) {
        struct dentry *d = container_of(n, struct dentry, by_name);

        if (d->len == len && !memcmp(d->name, name, len)) {
            if (!atomic_load_explicit(&d->used, memory_order_relaxed))
                atomic_store_explicit(&d->used, true, memory_order_relaxed);
            return d;
        }
    }
    return NULL;
}

struct dentry *dentry_find(struct dentry *dir, const char *name, u32 len)
{
    u32 slot = tree_read();
    struct dentry *d = dentry_child(dir, name, len);

    if (d && !obj_get_unless_zero(&d->obj))
        d = NULL;
    tree_read_end(slot);
    return d;
}

/* hash_locked() - make it found by name; without memory, if somebody is dropping it from the cache,
 * or in a directory that was removed, it simply is not. */
static void hash_locked(struct dentry *d, struct list_node *kill)
{
    if (d->doomed || d->parent->dead)
        return;
    if (hash_insert(&d->parent->children, &d->by_name, name_hash(d->name, d->len)) < 0)
        return;
    d->unhashed = false;
    cache_add_locked(d, kill);
}

/* unhash_name_locked() - whatever is found by this name no longer is. */
static void unhash_name_locked(struct dentry *dir, const char *name, u32 len,
                               struct list_node *kill)
{
    struct dentry *d;

    while ((d = dentry_child(dir, name, len)))
        cache_unhash_locked(d, kill);
}

static void bump_gen(struct dentry *dir)
{
    atomic_fetch_add_explicit(&dir->inode->dir_gen, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&dir->super->names_gen, 1, memory_order_relaxed);
}

void dentry_added(struct dentry *d)
{
    struct list_node kill = LIST_INIT(kill);

    tree_write();
    unhash_name_locked(d->parent, d->name, d->len, &kill);
    hash_locked(d, &kill);
    bump_gen(d->parent);
    tree_write_end();
    dentry_kill(&kill);
}

void dentry_removed(struct dentry *d)
{
    struct list_node kill = LIST_INIT(kill);

    tree_write();
    unhash_name_locked(d->parent, d->name, d->len, &kill);
    cache_unhash_locked(d, &kill);
    d->unhashed = true;
    bump_gen(d->parent);
    tree_write_end();
    dentry_kill(&kill);
}

void dentry_drop(struct dentry *d)
{
    struct list_node kill = LIST_INIT(kill);

    tree_write();
    cache_unhash_locked(d, &kill);
    tree_write_end();
    dentry_kill(&kill);
}

/* place_locked() - d leaves its old name and becomes `name` in `dir`. Return: what it leaves
 * behind, for the caller to drop without the lock. */
struct left_behind {
    struct dentry *parent;
    char *name;
};

static struct left_behind place_locked(struct dentry *d, struct dentry *dir, const char *name,
                                       u32 len, char *buf)
{
    struct left_behind old = {d->parent, d->name != d->short_name ? d->name : NULL};

    set_name(d, name, len, buf);
    d->parent = dentry_get(dir);
    return old;
}

static void drop_left_behind(struct left_behind *old)
{
    free(old->name);
    dentry_put(old->parent);
}

/* unplace_locked() - unhash d under its old name. Return: did the cache hold a reference, which is
 * the caller's now? */
static bool unplace_locked(struct dentry *d)
{
    struct list_node own = LIST_INIT(own);
    bool cached = d->cached;

    cache_unhash_locked(d, &own);
    if (cached) {
        list_del(&d->lru);
        d->doomed = false;
    }
    bump_gen(d->parent);
    return cached;
}

void dentry_moved(struct dentry *d, struct dentry *dir, const char *name, u32 len, char *buf)
{
    struct list_node kill = LIST_INIT(kill);
    struct left_behind old;
    bool cached;

    tree_write();
    cached = unplace_locked(d);
    unhash_name_locked(d->parent, d->name, d->len, &kill);
    unhash_name_locked(dir, name, len, &kill);
    bump_gen(dir);
    old = place_locked(d, dir, name, len, buf);
    hash_locked(d, &kill);
    tree_write_end();
    drop_left_behind(&old);
    if (cached)
        dentry_put(d);
    dentry_kill(&kill);
}

void dentry_swapped(struct dentry *a, struct dentry *b, char *buf_a, char *buf_b)
{
    struct list_node kill = LIST_INIT(kill);
    struct dentry *dir_a = a->parent, *dir_b = b->parent;
    struct left_behind old_a, old_b;
    char name_a[LIMIT_NAME + 1];
    u32 len_a = a->len;
    bool cached_a, cached_b;

    tree_write();
    cached_a = unplace_locked(a);
    cached_b = unplace_locked(b);
    unhash_name_locked(dir_a, a->name, a->len, &kill);
    unhash_name_locked(dir_b, b->name, b->len, &kill);
    memcpy(name_a, a->name, len_a);
    old_a = place_locked(a, dir_b, b->name, b->len, buf_a);
    old_b = place_locked(b, dir_a, name_a, len_a, buf_b);
    hash_locked(a, &kill);
    hash_locked(b, &kill);
    tree_write_end();
    drop_left_behind(&old_a);
    drop_left_behind(&old_b);
    if (cached_a)
        dentry_put(a);
    if (cached_b)
        dentry_put(b);
    dentry_kill(&kill);
}

struct dentry *dentry_parent(struct dentry *d)
{
    u32 slot = tree_read();
    struct dentry *parent = dentry_get(d->parent);

    tree_read_end(slot);
    return parent;
}

ssize_t dentry_name(struct dentry *d, char *buf, size_t cap)
{
    u32 slot = tree_read();
    ssize_t len = -ERANGE;

    if (d->len < cap) {
        memcpy(buf, d->name, d->len + 1);
        len = (ssize_t)d->len;
    }
    tree_read_end(slot);
    return len;
}

bool dentry_below(struct dentry *d, struct dentry *top)
{
    u32 slot = tree_read();

    while (d && d != top)
        d = d->parent;
    tree_read_end(slot);
    return d != NULL;
}

/* add_found() - publish what a lookup brought, unless it is old or somebody else was first.
 * Return: 0 and *out, a new reference (d is put if it is not that); -EAGAIN: look again. */
static int add_found(struct dentry *d, u32 gen, struct dentry **out)
{
    struct list_node kill = LIST_INIT(kill);
    struct dentry *dir = d->parent, *there;
    int err = 0;

    tree_write();
    there = dentry_child(dir, d->name, d->len);
    if (there && (there->inode || !d->inode) && obj_get_unless_zero(&there->obj)) {
        *out = there;
    } else if (atomic_load_explicit(&dir->inode->dir_gen, memory_order_relaxed) != gen) {
        err = -EAGAIN;
        there = dir;
    } else {
        if (there)
            cache_unhash_locked(there, &kill);
        hash_locked(d, &kill);
        *out = d;
        there = NULL;
    }
    tree_write_end();
    if (there)
        dentry_put(d);
    dentry_kill(&kill);
    return err;
}

/* fill() - ask the file system. Return: 0 and *out (maybe negative), -EAGAIN: look again, errno. */
static int fill(struct dentry *dir, const char *name, u32 len, u32 gen, struct dentry **out)
{
    const struct inode_ops *ops = dir->inode->ops;
    struct inode *ino = NULL;
    struct dentry *d;
    int err;

    if (!ops->lookup)
        return -ENOTDIR;
    err = ops->lookup(dir->inode, name, len, &ino);
    if (err == -ENOENT && (dir->super->flags & (SUPER_NO_CACHE | SUPER_REVALIDATE)))
        return -ENOENT;
    if (err < 0 && err != -ENOENT)
        return err;
    d = dentry_new(dir->super, dir, name, len);
    if (!d) {
        inode_put(ino);
        return -ENOMEM;
    }
    d->inode = ino;
    return add_found(d, gen, out);
}

/* still_right() - is the cached dentry what the file system has? Return: 1, 0, errno. */
static int still_right(struct dentry *d)
{
    if (likely(!(d->super->flags & SUPER_REVALIDATE)))
        return 1;
    if (!d->inode)
        return 0;
    if (!d->inode->ops->revalidate)
        return 1;
    return d->inode->ops->revalidate(d);
}

/* find_right() - a cached dentry that may be used. Return: 0 and *out, NULL if there is none. */
static int find_right(struct dentry *dir, const char *name, u32 len, struct dentry **out)
{
    struct dentry *d = dentry_find(dir, name, len);
    int right = d ? still_right(d) : 1;

    if (right <= 0) {
        /* A mount point stays what it is: who mounted there counts on it. */
        if (right == 0 && d->mounts) {
            *out = d;
            return 0;
        }
        if (right == 0)
            dentry_drop(d);
        d = dentry_put(d);
    }
    *out = d;
    return min_of(right, 0);
}

static int positive(struct dentry *d, struct dentry **out)
{
    if (!d->inode) {
        dentry_put(d);
        return -ENOENT;
    }
    *out = d;
    return 0;
}

int dentry_lookup(struct dentry *dir, const char *name, u32 len, bool dir_locked,
                  struct dentry **out)
{
    struct dentry *d;
    int err = -EAGAIN;

    if (len > LIMIT_NAME)
        return -ENAMETOOLONG;
    for (u32 i = 0; err == -EAGAIN; i++) {
        u32 gen = atomic_load(&dir->inode->dir_gen);

        if (i == LOOKUP_TRIES && !dir_locked) {
            mutex_lock(&dir->inode->dir_lock);
            err = dentry_lookup(dir, name, len, true, out);
            mutex_unlock(&dir->inode->dir_lock);
            return err;
        }
        err = find_right(dir, name, len, &d);
        if (!err && !d)
            err = fill(dir, name, len, gen, &d);
    }
    return err ? err : positive(d, out);
}

/* add_ahead() - publish one of a look-ahead's answers, whose inode (NULL: none) is taken. Return: a
 * new reference to what is there now, NULL: the rest is of no use. */
static struct dentry *add_ahead(struct dentry *dir, const struct name_ahead *n, struct inode *ino,
                                u32 gen)
{
    struct list_node kill = LIST_INIT(kill);
    struct dentry *d = dentry_new(dir->super, dir, n->name, n->len), *there, *out = NULL;

    if (!d) {
        inode_put(ino);
        return NULL;
    }
    d->inode = ino;
    tree_write();
    there = dentry_child(dir, n->name, n->len);
    if (there) {
        if (there->inode == ino && obj_get_unless_zero(&there->obj))
            out = there;
    } else if (atomic_load_explicit(&dir->super->names_gen, memory_order_relaxed) == gen) {
        hash_locked(d, &kill);
        out = d->unhashed ? NULL : d;
    }
    tree_write_end();
    if (out != d)
        dentry_put(d);
    dentry_kill(&kill);
    return out;
}

/* cached() - is it known what the name is? */
static bool cached(struct dentry *dir, const struct name_ahead *n)
{
    u32 slot = tree_read();
    bool known = dentry_child(dir, n->name, n->len) != NULL;

    tree_read_end(slot);
    return known;
}

/*
 * The answers are of one moment, but which of the directories' dir_gen to compare is known only with
 * them: any change of a name in the super since the question makes them void.
 */
void dentry_look_ahead(struct dentry *dir, const struct name_ahead *names, u32 n, u32 intent)
{
    u32 gen = atomic_load(&dir->super->names_gen), found = 0, i = 0;
    struct dentry *at = dentry_get(dir), *next;
    struct inode *inodes[LOOKUP_AHEAD];
    int err = 0;

    if (!cached(dir, &names[0]))
        err = dir->inode->ops->lookup_ahead(dir->inode, names, n, intent, inodes, &found);
    for (; at && i < found; i++) {
        next = add_ahead(at, &names[i], inodes[i], gen);
        dentry_put(at);
        at = next;
    }
    for (; i < found; i++)
        inode_put(inodes[i]);
    if (at && err == -ENOENT && found < n)
        dentry_put(add_ahead(at, &names[found], NULL, gen));
    dentry_put(at);
}
