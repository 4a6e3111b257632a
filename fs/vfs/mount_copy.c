/* Copies of mount trees, for binding, for what comes to other places, for new namespaces. */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"

#include <errno.h>

/* set_kin() - of a fresh copy. Return: 0, -ENOMEM. */
static int set_kin(struct mount *copy, struct mount *of, enum mount_kin kin)
{
    if (of->group && kin != MOUNT_TWIN) {
        mount_follow(copy, of->group);
        return kin == MOUNT_SHARED_SLAVE ? mount_share(copy) : 0;
    }
    if (of->group)
        mount_join(copy, of->group);
    if (of->master)
        mount_follow(copy, of->master);
    return 0;
}

/* copy_one() - of->copy, which stands where `on` says until it is linked. */
static int copy_one(struct mount *of, struct dentry *root, enum mount_kin kin, struct mount *on)
{
    struct mount *m = mount_alloc(of->super, root, of->flags, of->source);

    of->copy = m;
    if (!m)
        return -ENOMEM;
    m->locked_flags = of->locked_flags;
    if (on) {
        m->locked = of->locked;
        m->parent = mount_get(on);
        m->at = dentry_get(of->at);
        list_add_tail(&on->children, &m->as_child);
    }
    return set_kin(m, of, kin);
}

/* left_out() - is m, below the one that is copied, not to be copied? Return: 1, 0, -EPERM. */
static int left_out(const struct mount *m, const struct mount *top,
                    const struct mount_copying *how)
{
    if (m->parent == top && !dentry_below(m->at, how->root))
        return 1;
    if (how->all || !m->unbindable)
        return 0;
    return m->locked ? -EPERM : 1;
}

int mount_copy_tree(struct mount *top, const struct mount_copying *how, struct mount **out,
                    struct list_node *left)
{
    struct mount *m = how->rec ? mount_next(top, top) : NULL;
    u32 room = how->room;
    int err;

    if (!room--)
        return -ENOSPC;
    err = copy_one(top, how->root, how->kin, NULL);
    while (m && !err) {
        int without = left_out(m, top, how);

        if (without < 0)
            err = without;
        else if (!without)
            err = room-- ? copy_one(m, m->root, how->kin, m->parent->copy) : -ENOSPC;
        m = without ? mount_next_beside(m, top) : mount_next(m, top);
    }
    if (!err)
        *out = top->copy;
    else if (top->copy)
        mount_drop_tree(top->copy, left);
    return err;
}

void mount_drop_tree(struct mount *top, struct list_node *left)
{
    struct mount *m = top;

    /* Each leaf in turn. */
    for (;;) {
        struct mount *parent = m->parent;

        if (!list_empty(&m->children)) {
            m = list_entry(m->children.next, struct mount, as_child);
            continue;
        }
        mount_unlink(m, left);
        if (m == top)
            return;
        m = parent;
    }
}

void mount_lock_tree(struct mount *top)
{
    for (struct mount *m = top; m; m = mount_next(m, top)) {
        m->locked = m != top;
        m->locked_flags = m->flags & (LX_MS_RDONLY | LX_MS_NOSUID | LX_MS_NODEV | LX_MS_NOEXEC);
    }
}
