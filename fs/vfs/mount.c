/*
 * Mounts: finding, linking, remounting, moving.
 *
 * A change holds mounts_lock for writing all through and the dentry lock for the moment in which
 * walks must not look: mount points are found under the dentry lock alone. A namespace owns one
 * reference to each of its mounts. A mount that is being made or has gone is in no namespace.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"

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

struct rwlock mounts_lock = RWLOCK_INIT(MOUNT_NS);

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
    list_init(&m->children);
    list_init(&m->as_child);
    list_init(&m->in_group);
    list_init(&m->in_master);
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

struct mount *mount_over(struct mount *m, struct dentry *d)
{
    return mount_over_locked(m, d); /* without the dentry lock: mounts_lock keeps the table as it is */
}

void mount_top(struct mount **m, struct dentry **d)
{
    struct mount *over;

    while ((over = mount_over(*m, *d))) {
        *m = over;
        *d = over->root;
    }
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

void mount_note_change(struct mount_ns *ns)
{
    atomic_fetch_add(&ns->event, 1);
    waitq_wake(&ns->changed, LX_POLLPRI | LX_POLLERR);
}

/* hook_locked() - walks find m, which is in a namespace, on (m->parent, m->at). */
static void hook_locked(struct mount *m)
{
    hash_insert(&m->ns->points, &m->by_point, point_hash(m->parent, m->at));
    atomic_fetch_add(&m->at->mounts, 1);
}

/* hang_locked() - m is on (parent, at) from now on; unhang_locked(): nowhere. The dentry lock held. */
static void hang_locked(struct mount *m, struct mount *parent, struct dentry *at)
{
    m->parent = mount_get(parent);
    m->at = dentry_get(at);
    hook_locked(m);
}

static void unhang_locked(struct mount *m)
{
    if (m->ns && m->parent) {
        hash_remove(&m->ns->points, &m->by_point);
        atomic_fetch_sub(&m->at->mounts, 1);
    }
    m->left_parent = m->parent;
    m->left_at = m->at;
    m->parent = NULL;
    m->at = NULL;
}

void mount_enter(struct mount_ns *ns, struct mount *top, struct list_node *left)
{
    struct mount *over = top->parent ? mount_over(top->parent, top->at) : NULL, *m;
    struct path on = {top, top->root};

    tree_write();
    for (m = top; m; m = mount_next(m, top)) {
        m->ns = ns;
        if (m->parent)
            hook_locked(m);
    }
    if (over) {
        mount_top(&on.mount, &on.dentry);
        unhang_locked(over);
        hang_locked(over, on.mount, on.dentry);
    }
    tree_write_end();
    if (top->parent)
        list_add_tail(&top->parent->children, &top->as_child);
    for (m = top; m; m = mount_next(m, top)) {
        list_add_tail(&ns->mounts, &m->in_ns);
        ns->count++;
    }
    if (over) {
        list_del(&over->as_child);
        list_add_tail(&on.mount->children, &over->as_child);
        list_add_tail(left, &mount_get(over)->left);
    }
    mount_note_change(ns);
}

void mount_move_to(struct mount *m, struct mount *parent, struct dentry *at,
                   struct list_node *left)
{
    tree_write();
    unhang_locked(m);
    if (parent)
        hang_locked(m, parent, at);
    tree_write_end();
    list_del(&m->as_child);
    if (parent)
        list_add_tail(&parent->children, &m->as_child);
    list_add_tail(left, &mount_get(m)->left);
    mount_note_change(m->ns);
}

void mount_unlink(struct mount *m, struct list_node *left)
{
    struct mount_ns *ns = m->ns;

    mount_private(m);
    list_del(&m->as_child);
    list_add_tail(left, &m->left);
    tree_write();
    unhang_locked(m);
    m->ns = NULL;
    tree_write_end();
    if (!ns)
        return;
    list_del(&m->in_ns);
    ns->count--;
    mount_note_change(ns);
}

void mount_left_put(struct list_node *left)
{
    while (!list_empty(left)) {
        struct mount *m = list_entry(left->next, struct mount, left);

        list_del(&m->left);
        dentry_put(take(m->left_at));
        mount_put(take(m->left_parent));
        mount_put(m);
    }
}

int mount_check_at(struct mount_ns *ns, const struct path *at, bool dir, struct path *out)
{
    struct path top = *at;

    if (at->mount->ns != ns)
        return -EINVAL;
    mount_top(&top.mount, &top.dentry);
    if (top.dentry->unhashed)
        return -ENOENT;
    if (LX_S_ISDIR(inode_mode(top.dentry->inode)) != dir)
        return -ENOTDIR;
    *out = top;
    return 0;
}

bool mount_is_root(const struct mount_ns *ns, const struct path *p)
{
    return p->mount->ns == ns && p->dentry == p->mount->root;
}

bool mount_reachable(const struct path *p, const struct path *top)
{
    const struct mount *m = p->mount;
    struct dentry *d = p->dentry;

    while (m != top->mount && m->parent) {
        d = m->at;
        m = m->parent;
    }
    return m == top->mount && dentry_below(d, top->dentry);
}

struct mount *mount_next_beside(struct mount *m, const struct mount *top)
{
    for (; m != top; m = m->parent)
        if (m->as_child.next != &m->parent->children)
            return list_entry(m->as_child.next, struct mount, as_child);
    return NULL;
}

struct mount *mount_next(struct mount *m, const struct mount *top)
{
    if (!list_empty(&m->children))
        return list_entry(m->children.next, struct mount, as_child);
    return mount_next_beside(m, top);
}

static bool root_is_dir(const struct dentry *root)
{
    return LX_S_ISDIR(inode_mode(root->inode));
}

int mount_attach(struct mount_ns *ns, struct super *sb, struct dentry *root, const struct path *at,
                 u32 flags, const char *source)
{
    struct mount *m = mount_alloc(sb, root, mount_flags_default(flags), source);
    struct list_node left = LIST_INIT(left);
    struct path top;
    int err;

    if (!m)
        return -ENOMEM;
    rwlock_write(&mounts_lock);
    err = mount_check_at(ns, at, root_is_dir(m->root), &top);
    if (!err && top.mount->super == sb && top.dentry == top.mount->root && m->root == top.dentry)
        err = -EBUSY;
    if (!err)
        err = mount_graft(ns, m, &top, &left);
    if (err)
        mount_unlink(m, &left);
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    return err;
}

/* being_written() - are files open for writing through m, or with `super` through any mount of ns
 * of the same super? mounts_lock held. */
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

    rwlock_write(&mounts_lock);
    if (!mount_is_root(ns, at)) {
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
        mount_note_change(ns);
    }
    rwlock_unlock(&mounts_lock);
    return err;
}

/* tree_unbindable() - is any of the tree unbindable? */
static bool tree_unbindable(struct mount *top)
{
    for (struct mount *m = top; m; m = mount_next(m, top))
        if (m->unbindable)
            return true;
    return false;
}

/* may_move() - Return: 0, -EINVAL, -ELOOP. mounts_lock held. */
static int may_move(const struct mount_ns *ns, const struct path *from, const struct path *to)
{
    struct mount *m = from->mount;

    if (!mount_is_root(ns, from) || m->locked || (m->parent && m->parent->group))
        return -EINVAL;
    if (to->mount->group && tree_unbindable(m))
        return -EINVAL;
    for (const struct mount *up = to->mount; up; up = up->parent)
        if (up == m)
            return -ELOOP;
    return 0;
}

int mount_move(struct mount_ns *ns, const struct path *from, const struct path *at)
{
    struct list_node left = LIST_INIT(left);
    struct path top;
    int err;

    rwlock_write(&mounts_lock);
    err = mount_check_at(ns, at, root_is_dir(from->dentry), &top);
    err = err == -ENOTDIR ? -EINVAL : err;
    if (!err)
        err = may_move(ns, from, &top);
    if (!err)
        err = mount_graft(ns, from->mount, &top, &left);
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    return err;
}
