/*
 * pivot_root(2). Both mounts are taken out and linked again, the old root where the caller wants it
 * and the new one where the old one was; then the list is put in order, parents first. What is mounted
 * on them stays so.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "sentry/base/clean.h"

#include <errno.h>

static int check(const struct mount_ns *ns, const struct path *root, const struct path *fresh,
                 const struct path *put_old)
{
    if (root->mount->ns != ns || fresh->mount->ns != ns || put_old->mount->ns != ns ||
        fresh->mount->locked)
        return -EINVAL;
    if (put_old->mount->group || (fresh->mount->parent && fresh->mount->parent->group) ||
        (root->mount->parent && root->mount->parent->group))
        return -EINVAL; /* others would see it */
    if (fresh->dentry->unhashed)
        return -ENOENT;
    if (fresh->mount == root->mount || put_old->mount == root->mount)
        return -EBUSY;
    if (root->dentry != root->mount->root || fresh->dentry != fresh->mount->root ||
        !fresh->mount->parent)
        return -EINVAL;
    if (!mount_reachable(put_old, fresh) || !mount_reachable(fresh, root))
        return -EINVAL;
    return 0;
}

int mount_pivot(struct mount_ns *ns, const struct path *root, const struct path *fresh,
                const struct path *put_old)
{
    struct list_node left = LIST_INIT(left);
    struct mount *old = root->mount, *top = fresh->mount;
    bool is_root;
    int err;

    rwlock_write(&mounts_lock);
    err = check(ns, root, fresh, put_old);
    is_root = !err && !old->parent;
    if (!err) {
        mount_move_to(top, old->parent, old->at, &left);
        mount_move_to(old, put_old->mount, put_old->dentry, &left);
        if (is_root)
            ns->root = mount_get(top);
    }
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    if (is_root)
        mount_put(old);
    return err;
}
