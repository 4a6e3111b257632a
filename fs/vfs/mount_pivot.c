/*
 * pivot_root(2). Both mounts are taken out and linked again, the old root where the caller wants it
 * and the new one where the old one was; then the list is put in order, parents first. What is mounted
 * on them stays so.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "sentry/base/clean.h"

#include <errno.h>

/* reachable() - is `p` at or below `top`, over mounts? ns->lock held. */
static bool reachable(const struct path *p, const struct path *top)
{
    const struct mount *m = p->mount;
    struct dentry *d = p->dentry;

    while (m != top->mount && m->parent) {
        d = m->at;
        m = m->parent;
    }
    return m == top->mount && dentry_below(d, top->dentry);
}

static int check(const struct mount_ns *ns, const struct path *root, const struct path *fresh,
                 const struct path *put_old)
{
    if (root->mount->ns != ns || fresh->mount->ns != ns || put_old->mount->ns != ns ||
        fresh->mount->locked)
        return -EINVAL;
    if (fresh->dentry->unhashed)
        return -ENOENT;
    if (fresh->mount == root->mount || put_old->mount == root->mount)
        return -EBUSY;
    if (root->dentry != root->mount->root || fresh->dentry != fresh->mount->root ||
        !fresh->mount->parent)
        return -EINVAL;
    if (!reachable(put_old, fresh) || !reachable(fresh, root))
        return -EINVAL;
    return 0;
}

/* order() - rebuild the list so that parents stand before their children. */
static void order(struct mount_ns *ns)
{
    struct list_node left = LIST_INIT(left), ordered = LIST_INIT(ordered);
    struct mount *m, *tmp;

    list_splice_tail(&left, &ns->mounts);
    while (!list_empty(&left)) {
        list_for_each_safe(m, tmp, &left, in_ns) {
            if (m->parent && !m->parent->copy)
                continue;
            list_del(&m->in_ns);
            list_add_tail(&ordered, &m->in_ns);
            m->copy = m; /* placed */
        }
    }
    list_splice_tail(&ns->mounts, &ordered);
    list_for_each(m, &ns->mounts, in_ns)
        m->copy = NULL;
}

/* let_go() - what a mount that was unlinked for a moment held. */
static void let_go(struct mount *m)
{
    dentry_put(take(m->left_at));
    mount_put(take(m->left_parent));
}

int mount_pivot(struct mount_ns *ns, const struct path *root, const struct path *fresh,
                const struct path *put_old)
{
    struct list_node gone = LIST_INIT(gone);
    struct mount *old = root->mount, *top = fresh->mount, *parent;
    struct dentry *at;
    int err;

    rwlock_write(&ns->lock);
    err = check(ns, root, fresh, put_old);
    if (err) {
        rwlock_unlock(&ns->lock);
        return err;
    }
    parent = old->parent;
    at = old->at;
    mount_unlink(top, &gone);
    mount_unlink(old, &gone);
    list_del(&top->in_ns);
    list_del(&old->in_ns);
    /* As many are put into the table as were taken out, or one more if the old root was in none:
     * that one found room when the new root's was freed. */
    mount_link(ns, top, parent, at);
    mount_link(ns, old, put_old->mount, put_old->dentry);
    if (!parent) {
        mount_get(top);
        ns->root = top;
    }
    order(ns);
    rwlock_unlock(&ns->lock);
    if (!parent)
        mount_put(old);
    let_go(top);
    let_go(old);
    return 0;
}
