/*
 * Mount namespaces and copies of mount trees. A copy is prepared whole, then linked: ns->mounts has
 * parents before children, so one pass over it finds each mount's parent already copied, in
 * mount->copy.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>

static void mount_ns_free(struct obj *o)
{
    struct mount_ns *ns = container_of(o, struct mount_ns, obj);
    struct list_node gone = LIST_INIT(gone);

    rwlock_write(&ns->lock);
    while (!list_empty(&ns->mounts))
        mount_unlink(list_entry(ns->mounts.prev, struct mount, in_ns), &gone);
    rwlock_unlock(&ns->lock);
    mount_left_put(&gone);
    mount_put(ns->root);
    hash_free(&ns->points);
    user_ns_put(ns->user_ns);
    rwlock_destroy(&ns->lock);
    waitq_destroy(&ns->changed);
    free(ns);
}

static struct obj_type mount_ns_type = {.name = "mount_ns", .free = mount_ns_free};

static struct mount_ns *ns_alloc(struct user_ns *user_ns)
{
    struct mount_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &mount_ns_type);
    ns->user_ns = user_ns_get(user_ns);
    rwlock_init(&ns->lock, LOCK_MOUNT_NS);
    waitq_init(&ns->changed);
    list_init(&ns->mounts);
    return ns;
}

int mount_ns_new(struct user_ns *user_ns, struct super *sb, u32 flags, const char *source,
                 struct mount_ns **out)
{
    struct mount_ns *ns = ns_alloc(user_ns);
    struct mount *m = ns ? mount_alloc(sb, NULL, mount_flags_default(flags), source) : NULL;

    if (!m) {
        mount_ns_put(ns);
        return -ENOMEM;
    }
    rwlock_write(&ns->lock);
    mount_link(ns, m, NULL, NULL);
    ns->root = mount_get(m);
    rwlock_unlock(&ns->lock);
    super_put(sb);
    *out = ns;
    return 0;
}

struct path mount_ns_root(struct mount_ns *ns)
{
    struct path p = {ns->root, ns->root->root};
    u32 slot = tree_read();
    struct mount *over;

    while ((over = mount_over_locked(p.mount, p.dentry)))
        p = (struct path){over, over->root};
    p = path_get(&p);
    tree_read_end(slot);
    return p;
}

/* copy_prepare() - make `copy`s of top (whose root becomes `root`) and, if `rec`, of all mounts
 * below it that are mounted below `root`. ns->lock (write) held. Return: 0, -ENOMEM, -ENOSPC. */
static int copy_prepare(struct mount_ns *ns, struct mount *top, struct dentry *root, bool rec,
                        u32 room)
{
    struct mount *m;

    top->copy = mount_alloc(top->super, root, top->flags, top->source);
    if (!top->copy)
        return -ENOMEM;
    top->copy->locked_flags = top->locked_flags;
    if (!rec)
        return 0;
    list_for_each(m, &ns->mounts, in_ns) {
        if (m == top || !m->parent || !m->parent->copy)
            continue;
        if (m->parent == top && !dentry_below(m->at, root))
            continue;
        if (!room--)
            return -ENOSPC;
        m->copy = mount_alloc(m->super, m->root, m->flags, m->source);
        if (!m->copy)
            return -ENOMEM;
        m->copy->locked = m->locked;
        m->copy->locked_flags = m->locked_flags;
    }
    return 0;
}

/* copy_abort() - undo copy_prepare(): the copies go to `gone`. */
static void copy_abort(struct mount_ns *ns, struct list_node *gone)
{
    struct mount *m;

    list_for_each(m, &ns->mounts, in_ns) {
        if (m->copy)
            list_add_tail(gone, &m->copy->in_ns);
        m->copy = NULL;
    }
}

/* copy_link() - link the copies into `to`: top's on (parent, at), the others as their originals are.
 * What finds no room in the table goes to `gone`. */
static void copy_link(struct mount_ns *ns, struct mount_ns *to, struct mount *top,
                      struct mount *parent, struct dentry *at, struct list_node *gone)
{
    struct mount *m, *last = list_entry(ns->mounts.prev, struct mount, in_ns);

    /* `to` may be ns itself: what is linked comes behind `last`. */
    list_for_each(m, &ns->mounts, in_ns) {
        struct mount *on = m == top ? parent : m->copy ? m->parent->copy : NULL;

        if (m->copy &&
            ((m != top && !on->ns) || mount_link(to, m->copy, on, m == top ? at : m->at) < 0))
            list_add_tail(gone, &m->copy->in_ns);
        if (m == last)
            break;
    }
}

static void copy_end(struct mount_ns *ns)
{
    struct mount *m;

    list_for_each(m, &ns->mounts, in_ns)
        m->copy = NULL;
}

/* hides_below() - would a copy of `from` without what is mounted below it show what that hides? */
static bool hides_below(const struct mount_ns *ns, const struct path *from)
{
    const struct mount *m;

    list_for_each(m, &ns->mounts, in_ns)
        if (m->locked && m->parent == from->mount && dentry_below(m->at, from->dentry))
            return true;
    return false;
}

int mount_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool rec,
               u32 flags)
{
    struct list_node gone = LIST_INIT(gone);
    struct path top;
    int err;

    rwlock_write(&ns->lock);
    err = from->mount->ns == ns && (rec || !hides_below(ns, from)) ? 0 : -EINVAL;
    if (!err)
        err = mount_check_at(ns, at, LX_S_ISDIR(inode_mode(from->dentry->inode)), &top);
    if (!err) {
        err = copy_prepare(ns, from->mount, from->dentry, rec, LIMIT_MOUNTS - ns->count);
        if (err) {
            copy_abort(ns, &gone);
        } else {
            struct mount *copy = from->mount->copy;

            atomic_fetch_or(&copy->flags, flags & LX_MS_MOUNT_FLAGS);
            copy_link(ns, ns, from->mount, top.mount, top.dentry, &gone);
            err = copy->ns ? 0 : -ENOMEM;
            copy_end(ns);
        }
    }
    rwlock_unlock(&ns->lock);
    mount_left_put(&gone);
    return err;
}

/* lock_mounts() - whoever owns the copy must not see more by it than its maker could. */
static void lock_mounts(struct mount_ns *ns)
{
    struct mount *m;

    list_for_each(m, &ns->mounts, in_ns) {
        m->locked = m != ns->root;
        m->locked_flags =
            m->flags & (LX_MS_RDONLY | LX_MS_NOSUID | LX_MS_NODEV | LX_MS_NOEXEC);
    }
}

int mount_ns_copy(struct mount_ns *old, struct user_ns *user_ns, struct path *const *paths,
                  u32 npaths, struct mount_ns **out)
{
    struct list_node gone = LIST_INIT(gone);
    struct mount_ns *ns = ns_alloc(user_ns);
    int err;

    if (!ns)
        return -ENOMEM;
    rwlock_write(&old->lock);
    err = copy_prepare(old, old->root, old->root->root, true, LIMIT_MOUNTS);
    if (err) {
        copy_abort(old, &gone);
    } else {
        ns->root = mount_get(old->root->copy);
        copy_link(old, ns, old->root, NULL, NULL, &gone);
        if (user_ns != old->user_ns)
            lock_mounts(ns);
        for (u32 i = 0; i < npaths; i++) {
            struct mount *m = paths[i]->mount;

            /* The old mount keeps its namespace's reference: this one is not the last. */
            if (m && m->ns == old && m->copy) {
                paths[i]->mount = mount_get(m->copy);
                mount_put(m);
            }
        }
        copy_end(old);
    }
    rwlock_unlock(&old->lock);
    mount_left_put(&gone);
    if (err) {
        mount_ns_put(ns);
        return err;
    }
    *out = ns;
    return 0;
}
