/* Nodes and the places where they were seen; see gofer_super.c. */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static u64 id_hash(u64 dev, u64 ino)
{
    return hash_u64(ino ^ (dev << 40));
}

static u64 place_hash(const struct gofer_node *dir, const char *name, u32 len)
{
    return hash_bytes(name, len, (uintptr_t)dir);
}

/* guest_ino() - the inode number that the guest sees: the host's, unless it is of a file system
 * mounted below the mount's root, whose numbers may be the same. */
static u64 guest_ino(const struct gofer_super *gs, const struct proto_attr *a)
{
    if (a->dev == gs->root_dev)
        return a->ino;
    return a->ino ^ ((a->dev * 0x9e3779b97f4a7c15ull) >> 16 << 8);
}

static bool type_ok(u32 mode)
{
    switch (mode & LX_S_IFMT) {
    case LX_S_IFREG:
    case LX_S_IFDIR:
    case LX_S_IFLNK:
    case LX_S_IFIFO:
    case LX_S_IFSOCK:
    case LX_S_IFCHR:
    case LX_S_IFBLK: return true;
    default: return false;
    }
}

/* node_find_locked() - the inode of a host file, as a new reference, or NULL. */
static struct inode *node_find_locked(struct gofer_super *gs, const struct proto_attr *a)
    REQUIRES(gs->conn->lock)
{
    struct hash_node *h = hash_first(&gs->by_id, id_hash(a->dev, a->ino));

    for (; h; h = hash_next(h)) {
        struct gofer_node *n = container_of(h, struct gofer_node, by_id);

        if (n->host_ino == a->ino && n->host_dev == a->dev && obj_get_unless_zero(&n->inode->obj))
            return n->inode;
    }
    return NULL;
}

/* same_file() - is the node what the attributes are of, or has its number been used again? */
static bool same_file(const struct inode *ino, const struct proto_attr *a)
{
    const struct gofer_node *n = gofer_node(ino);

    if ((inode_mode(ino) & LX_S_IFMT) != (a->mode & LX_S_IFMT))
        return false;
    if (!n->has_btime || !a->has_btime)
        return true;
    return ino->btime.sec == a->btime && ino->btime.nsec == a->btime_nsec;
}

/* node_make() - a new inode with its node, in no hash yet. */
static int node_make(struct gofer_super *gs, const struct proto_attr *a, struct inode **out)
{
    struct gofer_node *n = calloc(1, sizeof(*n));
    struct inode *ino;

    if (!n)
        return -ENOMEM;
    ino = inode_new(gs->sb, &gofer_inode_ops, a->mode & (LX_S_IFMT | LX_S_IALLUGO), a->uid, a->gid,
                    guest_ino(gs, a));
    if (!ino) {
        free(n);
        return -ENOMEM;
    }
    ino->private = n;
    n->inode = ino;
    n->host_dev = a->dev;
    n->host_ino = a->ino;
    n->fd[GOFER_RO] = n->fd[GOFER_RW] = n->fd_old = -1;
    list_init(&n->places);
    list_init(&n->handle_lru);
    list_init(&n->fd_lru);
    list_init(&n->listing_lru);
    ino->rdev_major = a->rdev_major;
    ino->rdev_minor = a->rdev_minor;
    /* Never changes: it tells whether a number is still the same file's. */
    n->has_btime = a->has_btime && a->btime_nsec < NS_PER_SEC;
    ino->btime = (struct lx_time){.sec = a->btime, .nsec = n->has_btime ? a->btime_nsec : 0};
    gofer_attr_apply(n, a);
    *out = ino;
    return 0;
}

/* node_publish() - make it found by its number. Return: it, or the one that was faster. */
static int node_publish(struct gofer_super *gs, const struct proto_attr *a, struct inode *ino,
                        struct inode **out)
{
    struct gofer_node *n = gofer_node(ino);
    struct inode *there;
    int r = 0;

    mutex_lock(&gs->conn->lock);
    there = node_find_locked(gs, a);
    if (!there) {
        r = hash_insert(&gs->by_id, &n->by_id, id_hash(a->dev, a->ino));
        n->hashed = r == 0;
    }
    mutex_unlock(&gs->conn->lock);
    if (there || r < 0)
        inode_put(ino);
    if (r == 0)
        *out = there ? there : ino;
    return r;
}

static void unhash_locked(struct gofer_super *gs, struct gofer_node *n) REQUIRES(gs->conn->lock)
{
    if (n->hashed)
        hash_remove(&gs->by_id, &n->by_id);
    n->hashed = false;
}

static int node_find(struct gofer_super *gs, const struct proto_attr *a, struct inode **out)
{
    struct inode *ino;

    mutex_lock(&gs->conn->lock);
    ino = node_find_locked(gs, a);
    mutex_unlock(&gs->conn->lock);
    if (!ino)
        return -ENOENT;
    if (!same_file(ino, a)) {
        mutex_lock(&gs->conn->lock);
        unhash_locked(gs, gofer_node(ino));
        mutex_unlock(&gs->conn->lock);
        inode_put(ino);
        return -ENOENT;
    }
    if (!gs->exclusive)
        gofer_attr_apply(gofer_node(ino), a);
    *out = ino;
    return 0;
}

int gofer_node_get(struct gofer_super *gs, const struct proto_attr *attr, struct gofer_node *dir,
                   const char *name, u32 len, struct inode **out)
{
    struct inode *ino;
    int r;

    if (!type_ok(attr->mode))
        return -EIO;
    r = node_find(gs, attr, &ino);
    if (r < 0) {
        r = node_make(gs, attr, &ino);
        if (r == 0)
            r = node_publish(gs, attr, ino, &ino);
    }
    if (r < 0)
        return r;
    if (dir)
        gofer_place_add(gofer_node(ino), dir, name, len);
    *out = ino;
    return 0;
}

/* --- places --- */

static struct gofer_place *place_find_locked(struct gofer_super *gs, const struct gofer_node *dir,
                                             const char *name, u32 len) REQUIRES(gs->conn->lock)
{
    struct hash_node *h = hash_first(&gs->by_place, place_hash(dir, name, len));

    for (; h; h = hash_next(h)) {
        struct gofer_place *p = container_of(h, struct gofer_place, by_place);

        if (p->parent == dir->inode && p->len == len && !memcmp(p->name, name, len))
            return p;
    }
    return NULL;
}

static void place_unlink_locked(struct gofer_super *gs, struct gofer_place *p)
    REQUIRES(gs->conn->lock)
{
    hash_remove(&gs->by_place, &p->by_place);
    list_del(&p->of_node);
}

/*
 * place_free() - a place that is linked nowhere. It may hold the last reference to its directory,
 * which may be the last thing to hold its own, and so on up: the ends of a whole chain are worked
 * off here in a loop, not by recursion.
 */
static void place_free(struct gofer_place *p)
{
    static _Thread_local struct list_node pending;
    static _Thread_local bool working;

    if (!p)
        return;
    if (working) {
        list_add_tail(&pending, &p->of_node);
        return;
    }
    working = true;
    list_init(&pending);
    list_add_tail(&pending, &p->of_node);
    while ((p = list_first(&pending, struct gofer_place, of_node))) {
        list_del(&p->of_node);
        inode_put(p->parent);
        free(p);
    }
    working = false;
}

/* place_alloc() - not linked yet, but with its reference to the directory. */
static struct gofer_place *place_alloc(struct gofer_node *n, struct gofer_node *dir,
                                       const char *name, u32 len)
{
    struct gofer_place *p = malloc(sizeof(*p) + len);

    if (!p)
        return NULL;
    p->node = n;
    p->parent = inode_get(dir->inode);
    p->len = len;
    memcpy(p->name, name, len);
    list_init(&p->of_node);
    return p;
}

/* circle_locked() - is `n` above `dir`? A gofer may say so. */
static bool circle_locked(struct gofer_node *n, struct gofer_node *dir)
    REQUIRES(gofer_super_of(n)->conn->lock)
{
    while (dir != n) {
        const struct gofer_place *p = list_first(&dir->places, struct gofer_place, of_node);

        if (!p)
            return false;
        dir = gofer_node(p->parent);
    }
    return true;
}

/*
 * place_link_locked() - add `p`, in the stead of what was known by that name. A directory has one
 * place, the latest, and none that would put it below itself: so the way up always ends.
 * Return: whether it was added; old[]: what is to be freed.
 */
static bool place_link_locked(struct gofer_super *gs, struct gofer_place *p,
                              struct gofer_place *old[2]) REQUIRES(gs->conn->lock)
{
    struct gofer_node *n = p->node, *dir = gofer_node(p->parent);
    bool is_dir = LX_S_ISDIR(inode_mode(n->inode));

    old[0] = place_find_locked(gs, dir, p->name, p->len);
    if (old[0] && old[0]->node == n) {
        old[0] = NULL;
        return false;
    }
    if ((is_dir && circle_locked(n, dir)) ||
        hash_insert(&gs->by_place, &p->by_place, place_hash(dir, p->name, p->len)) < 0) {
        old[0] = NULL;
        return false;
    }
    if (old[0])
        place_unlink_locked(gs, old[0]);
    if (is_dir && (old[1] = list_first(&n->places, struct gofer_place, of_node)))
        place_unlink_locked(gs, old[1]);
    list_add(&n->places, &p->of_node);
    return true;
}

void gofer_place_add(struct gofer_node *n, struct gofer_node *dir, const char *name, u32 len)
{
    struct gofer_super *gs = gofer_super_of(n);
    struct gofer_place *p = place_alloc(n, dir, name, len), *old[2] = {NULL, NULL};
    bool linked;

    if (!p)
        return;
    mutex_lock(&gs->conn->lock);
    linked = place_link_locked(gs, p, old);
    mutex_unlock(&gs->conn->lock);
    if (!linked)
        place_free(p);
    place_free(old[0]);
    place_free(old[1]);
}

struct inode *gofer_place_remove(struct gofer_node *dir, const char *name, u32 len)
{
    struct gofer_super *gs = gofer_super_of(dir);
    struct inode *ino = NULL;
    struct gofer_place *p;

    mutex_lock(&gs->conn->lock);
    p = place_find_locked(gs, dir, name, len);
    if (p) {
        if (obj_get_unless_zero(&p->node->inode->obj))
            ino = p->node->inode;
        place_unlink_locked(gs, p);
    }
    mutex_unlock(&gs->conn->lock);
    place_free(p);
    return ino;
}

struct inode *gofer_place_find(struct gofer_node *dir, const char *name, u32 len)
{
    struct gofer_super *gs = gofer_super_of(dir);
    struct mutex *auto_unlock lock = mutex_locked(&gs->conn->lock);
    struct gofer_place *p = place_find_locked(gs, dir, name, len);

    return p && obj_get_unless_zero(&p->node->inode->obj) ? p->node->inode : NULL;
}

bool gofer_place_only(struct gofer_node *n)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    bool only;

    mutex_lock(&c->lock);
    only = list_empty(&n->places) || n->places.next->next == &n->places;
    mutex_unlock(&c->lock);
    return only;
}

void gofer_node_unlinked(struct gofer_node *n)
{
    struct gofer_super *gs = gofer_super_of(n);

    mutex_lock(&gs->conn->lock);
    n->unlinked = true;
    unhash_locked(gs, n);
    mutex_unlock(&gs->conn->lock);
}

void gofer_node_free(struct inode *ino)
{
    struct gofer_node *n = gofer_node(ino);
    struct gofer_super *gs = gofer_super(ino->super);
    struct list_node places = LIST_INIT(places);
    struct gofer_listing *listing;
    struct gofer_place *p;
    int fds[GOFER_FDS + 1];
    u32 nfds;

    if (!n)
        return;
    mutex_lock(&gs->conn->lock);
    unhash_locked(gs, n);
    while ((p = list_first(&n->places, struct gofer_place, of_node))) {
        place_unlink_locked(gs, p);
        list_add_tail(&places, &p->of_node);
        gofer_listing_forget_attr_locked(gofer_node(p->parent), p->name, p->len);
    }
    gofer_handle_drop_locked(gs->conn, n);
    nfds = gofer_fd_drop_locked(gs->conn, n, fds);
    listing = gofer_listing_detach_locked(gs->conn, n);
    mutex_unlock(&gs->conn->lock);
    for (u32 i = 0; i < nfds; i++)
        host_close(fds[i]);
    gofer_listing_put(listing);
    while ((p = list_first(&places, struct gofer_place, of_node))) {
        list_del(&p->of_node);
        place_free(p);
    }
    free((void *)(uintptr_t)atomic_load(&ino->link));
    free(n);
}

const struct inode_ops gofer_inode_ops = {
    .lookup = gofer_lookup,
    .lookup_ahead = gofer_lookup_ahead,
    .revalidate = gofer_revalidate,
    .create = gofer_create,
    .symlink = gofer_symlink,
    .tmpfile = gofer_tmpfile,
    .link = gofer_link,
    .unlink = gofer_unlink,
    .rmdir = gofer_rmdir,
    .rename = gofer_rename,
    .readlink = gofer_readlink,
    .getattr = gofer_getattr,
    .setattr = gofer_setattr,
    .open = gofer_open,
    .xattr = &gofer_xattr_ops,
    .free = gofer_node_free,
};
