/*
 * Mounts: attaching, detaching, binding, moving.
 *
 * A change holds ns->lock for writing all through and the dentry lock for the moment in which walks
 * must not look: mount points are found under the dentry lock alone. A namespace owns one reference
 * to each of its mounts. In ns->mounts a parent always stands before its children.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void mount_free(struct obj *o)
{
    struct mount *m = container_of(o, struct mount, obj);

    dentry_put(m->root);
    dentry_put(m->at);
    mount_put(m->parent);
    super_put(m->super);
    free(m->source);
    free(m);
}

static struct obj_type mount_type = {.name = "mount", .free = mount_free};

u32 mount_flags_default(u32 flags)
{
    flags &= LX_MS_MOUNT_FLAGS;
    if (flags & LX_MS_STRICTATIME)
        return flags & ~(LX_MS_STRICTATIME | LX_MS_RELATIME | LX_MS_NOATIME);
    if (!(flags & LX_MS_NOATIME))
        flags |= LX_MS_RELATIME;
    return flags;
}

struct mount *mount_alloc(struct super *sb, struct dentry *root, u32 flags, const char *source)
{
    static _Atomic(u32) next_id = 20;
    struct mount *m = calloc(1, sizeof(*m));
    char *name = strdup(source ? source : "none");

    if (!m || !name) {
        free(m);
        free(name);
        return NULL;
    }
    obj_init(&m->obj, &mount_type);
    m->super = super_get(sb);
    m->root = dentry_get(root ? root : sb->root);
    m->id = atomic_fetch_add(&next_id, 1);
    m->source = name;
    atomic_init(&m->flags, flags);
    list_init(&m->in_ns);
    return m;
}

struct mount *mount_keep(struct mount *m)
{
    if (!m)
        return NULL;
    obj_keep(&m->obj);
    obj_keep(&m->super->obj);
    obj_keep(&m->super->root->obj);
    obj_keep(&m->super->root->inode->obj);
    return m;
}

static u64 point_hash(const struct mount *m, const struct dentry *d)
{
    return hash_u64((u64)(uintptr_t)m + ((u64)(uintptr_t)d << 1));
}

static struct mount *over_in(const struct mount_ns *ns, const struct mount *m,
                             const struct dentry *d)
{
    struct hash_node *n = hash_first(&ns->points, point_hash(m, d));

    for (; n; n = hash_next(n)) {
        struct mount *over = container_of(n, struct mount, by_point);

        if (over->parent == m && over->at == d)
            return over;
    }
    return NULL;
}

struct mount *mount_over_locked(struct mount *m, struct dentry *d)
{
    return m->ns ? over_in(m->ns, m, d) : NULL;
}

struct mount *mount_lookup(struct mount_ns *ns, struct mount *m, struct dentry *d)
{
    u32 slot = tree_read();
    struct mount *over = over_in(ns, m, d), *top = over;

    while (over) {
        top = over;
        over = over_in(ns, top, top->root);
    }
    mount_get(top);
    tree_read_end(slot);
    return top;
}

int mount_writable(const struct mount *m)
{
    return (atomic_load_explicit(&m->flags, memory_order_relaxed) |
            atomic_load_explicit(&m->super->mount_flags, memory_order_relaxed)) &
                   LX_MS_RDONLY
               ? -EROFS
               : 0;
}

/* note_change() - who polls the mount table looks again. */
static void note_change(struct mount_ns *ns)
{
    atomic_fetch_add(&ns->event, 1);
    waitq_wake(&ns->changed, LX_POLLPRI | LX_POLLERR);
}

int mount_link(struct mount_ns *ns, struct mount *m, struct mount *parent, struct dentry *at)
{
    int err = 0;

    tree_write();
    if (parent)
        err = hash_insert(&ns->points, &m->by_point, point_hash(parent, at));
    if (!err) {
        m->ns = ns;
        m->parent = mount_get(parent);
        m->at = dentry_get(at);
        if (at)
            atomic_fetch_add(&at->mounts, 1);
    }
    tree_write_end();
    if (err)
        return err;
    if (parent)
        parent->nchildren++;
    list_add_tail(&ns->mounts, &m->in_ns);
    ns->count++;
    note_change(ns);
    return 0;
}

void mount_unlink(struct mount *m, struct list_node *gone)
{
    struct mount_ns *ns = m->ns;

    list_del(&m->in_ns);
    list_add_tail(gone, &m->in_ns);
    ns->count--;
    if (m->parent)
        m->parent->nchildren--;
    m->left_parent = m->parent;
    m->left_at = m->at;
    tree_write();
    if (m->parent) {
        hash_remove(&ns->points, &m->by_point);
        atomic_fetch_sub(&m->at->mounts, 1);
    }
    m->parent = NULL;
    m->at = NULL;
    m->ns = NULL;
    tree_write_end();
    note_change(ns);
}

void mount_left_put(struct list_node *gone)
{
    while (!list_empty(gone)) {
        struct mount *m = list_entry(gone->next, struct mount, in_ns);

        list_del(&m->in_ns);
        dentry_put(take(m->left_at));
        mount_put(take(m->left_parent));
        mount_put(m);
    }
}

int mount_check_at(struct mount_ns *ns, const struct path *at, bool dir, struct path *out)
{
    struct path top = *at;
    struct mount *over;

    if (at->mount->ns != ns)
        return -EINVAL;
    /* ns->lock keeps the mounts where they are. */
    while ((over = over_in(ns, top.mount, top.dentry)))
        top = (struct path){over, over->root};
    if (top.dentry->unhashed)
        return -ENOENT;
    if (LX_S_ISDIR(inode_mode(top.dentry->inode)) != dir)
        return -ENOTDIR;
    if (ns->count >= LIMIT_MOUNTS)
        return -ENOSPC;
    *out = top;
    return 0;
}

static bool root_is_dir(const struct dentry *root)
{
    return LX_S_ISDIR(inode_mode(root->inode));
}

int mount_attach(struct mount_ns *ns, struct super *sb, struct dentry *root, const struct path *at,
                 u32 flags, const char *source)
{
    struct mount *m = mount_alloc(sb, root, mount_flags_default(flags), source);
    struct path top;
    int err;

    if (!m)
        return -ENOMEM;
    rwlock_write(&ns->lock);
    err = mount_check_at(ns, at, root_is_dir(m->root), &top);
    if (!err && top.mount->super == sb && top.dentry == top.mount->root && m->root == top.dentry)
        err = -EBUSY;
    if (!err)
        err = mount_link(ns, m, top.mount, top.dentry);
    rwlock_unlock(&ns->lock);
    if (err)
        mount_put(m);
    return err;
}

/* is_mount_root() - `p` is the root of a mount of ns that is not ns's own root. ns->lock held. */
static bool is_mount_root(const struct mount_ns *ns, const struct path *p)
{
    return p->mount->ns == ns && p->dentry == p->mount->root;
}

/* below_mount() - is m `top` or mounted below it? ns->lock held. */
static bool below_mount(const struct mount *m, const struct mount *top)
{
    while (m && m != top)
        m = m->parent;
    return m != NULL;
}

/* unlink_tree() - take `top` and all below it out of the namespace, children first. */
static void unlink_tree(struct mount_ns *ns, struct mount *top, struct list_node *gone)
{
    struct list_node *n = ns->mounts.prev;
    bool more = true;

    /* A child stands behind its parent, so going backwards each one is a leaf by its turn. */
    while (more) {
        struct mount *m = list_entry(n, struct mount, in_ns);

        n = n->prev;
        more = m != top;
        if (below_mount(m, top))
            mount_unlink(m, gone);
    }
}

int mount_detach(struct mount_ns *ns, const struct path *at, int flags)
{
    struct list_node gone = LIST_INIT(gone);
    struct mount *m = at->mount;
    int err = 0;

    if (flags & ~(LX_MNT_FORCE | LX_MNT_DETACH | LX_MNT_EXPIRE | LX_UMOUNT_NOFOLLOW))
        return -EINVAL;
    if (flags & LX_MNT_EXPIRE)
        return flags & (LX_MNT_FORCE | LX_MNT_DETACH) ? -EINVAL : -EOPNOTSUPP;
    rwlock_write(&ns->lock);
    if (!is_mount_root(ns, at) || m->locked)
        err = -EINVAL;
    else if (m == ns->root)
        err = flags & LX_MNT_DETACH ? -EINVAL : -EBUSY;
    else if (!(flags & LX_MNT_DETACH) && (m->nchildren || atomic_load(&m->obj.count) > 2))
        err = -EBUSY;
    if (!err)
        unlink_tree(ns, m, &gone);
    rwlock_unlock(&ns->lock);
    mount_left_put(&gone);
    return err;
}

/* being_written() - are files open for writing through m, or with `super` through any mount of ns
 * of the same super? ns->lock held. */
static bool being_written(const struct mount_ns *ns, const struct mount *m, bool super)
{
    const struct mount *other;

    if (!super)
        return m->writers > 0;
    list_for_each(other, &ns->mounts, in_ns)
        if (other->super == m->super && other->writers)
            return true;
    return false;
}

int mount_remount(struct mount_ns *ns, const struct path *at, u32 flags)
{
    struct mount *m = at->mount;
    int err = 0;

    rwlock_write(&ns->lock);
    if (!is_mount_root(ns, at)) {
        err = -EINVAL;
    } else if (m->locked_flags & ~flags) {
        err = -EPERM;
    } else if ((flags & LX_MS_RDONLY) && being_written(ns, m, !(flags & LX_MS_BIND))) {
        err = -EBUSY;
    } else {
        atomic_store(&m->flags, mount_flags_default(flags));
        if (!(flags & LX_MS_BIND))
            atomic_store(&m->super->mount_flags, (m->super->mount_flags & ~LX_MS_SUPER_FLAGS) |
                                                     (flags & LX_MS_SUPER_FLAGS));
        note_change(ns);
    }
    rwlock_unlock(&ns->lock);
    return err;
}

int mount_move(struct mount_ns *ns, const struct path *from, const struct path *at)
{
    struct list_node gone = LIST_INIT(gone), moved = LIST_INIT(moved);
    struct mount *m = from->mount, *c, *tmp;
    struct path top;
    int err = 0;

    rwlock_write(&ns->lock);
    if (!is_mount_root(ns, from) || m == ns->root || m->locked)
        err = -EINVAL;
    if (!err)
        err = mount_check_at(ns, at, root_is_dir(m->root), &top);
    if (!err && below_mount(top.mount, m))
        err = -ELOOP;
    if (!err) {
        mount_unlink(m, &gone);
        list_del(&m->in_ns);
        /* Room was freed in the table, so linking can't fail. */
        mount_link(ns, m, top.mount, top.dentry);
        /* Parents first: what is mounted below follows it to the end of the list. */
        list_for_each_safe(c, tmp, &ns->mounts, in_ns) {
            if (c == m || !below_mount(c, m))
                continue;
            list_del(&c->in_ns);
            list_add_tail(&moved, &c->in_ns);
        }
        list_splice_tail(&ns->mounts, &moved);
    }
    rwlock_unlock(&ns->lock);
    if (!err) {
        dentry_put(take(m->left_at));
        mount_put(take(m->left_parent));
    }
    return err;
}
