/*
 * Attaching a tree of mounts, and copies of it where else that comes to: to the group of the mount it
 * goes on, and to who follows that. All copies are made before any is attached, so that a failure
 * leaves nothing behind.
 *
 * A copy's kin is what the place is to the place it came from: a twin in the same group; a slave where
 * the place is a slave. Within one group the first copy is the one that the others are twins of, and
 * that slaves of the group follow: the group's lead.
 *
 * Where something is mounted on such a place already, the copy slips under it.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "sentry/base/limits.h"

#include <errno.h>

struct graft {
    struct mount_ns *ns; /* of who attaches */
    const struct path *on;
    u32 size; /* of the tree */
    struct list_node copies, *left;
};

static bool room_for(const struct mount_ns *ns, u32 n)
{
    return (u64)ns->count + ns->coming + n <= LIMIT_MOUNTS;
}

/* make_copy() - for a mount that the change comes to; see mount_reach(). */
static int make_copy(struct mount *m, struct mount_group *in, void *arg)
{
    struct graft *g = arg;
    struct mount_copying how = {.root = in->lead->root, .rec = true, .room = g->size};
    struct mount *copy;
    int err;

    /* One that is in no namespace is of the tree itself: it was copied from where it goes. */
    if (!m->ns || !dentry_below(g->on->dentry, m->root))
        return 0;
    if (!room_for(m->ns, g->size))
        return -ENOSPC;
    if (m->group != in)
        how.kin = MOUNT_SLAVE;
    else
        how.kin = in->own_lead ? MOUNT_TWIN : MOUNT_SHARED_SLAVE;
    err = mount_copy_tree(in->lead, &how, &copy, g->left);
    if (err)
        return err;
    if (m->group == in && !in->own_lead) {
        in->lead = copy;
        in->own_lead = true;
    }
    copy->parent = mount_get(m);
    copy->at = dentry_get(g->on->dentry);
    if (m->ns->user_ns != g->ns->user_ns)
        mount_lock_tree(copy);
    m->ns->coming += g->size;
    list_add_tail(&g->copies, &copy->work);
    return 0;
}

enum { SHARED_NOW = 1 };

static int share_tree(struct mount *top)
{
    int err = 0;

    for (struct mount *m = top; m && !err; m = mount_next(m, top)) {
        m->fate = m->group ? 0 : SHARED_NOW;
        err = mount_share(m);
    }
    return err;
}

/* prepare() - share the tree, as its place is, and make its copies. */
static int prepare(struct graft *g, struct mount *top)
{
    struct mount_group *group = g->on->mount->group;
    int err;

    if (!group)
        return 0;
    err = share_tree(top);
    if (err)
        return err;
    group->lead = top;
    group->own_lead = true;
    return mount_reach(g->on->mount, make_copy, g);
}

/* finish() - the copies go where they belong, or with an error away. */
static void finish(struct graft *g, struct mount *top, int err)
{
    struct mount *copy, *tmp;

    list_for_each_safe(copy, tmp, &g->copies, work) {
        struct mount_ns *ns = copy->parent->ns;

        ns->coming = 0;
        list_del(&copy->work);
        if (err)
            mount_drop_tree(copy, g->left);
        else
            mount_enter(ns, copy, g->left);
    }
    for (struct mount *m = top; m; m = mount_next(m, top)) {
        if (err && m->fate == SHARED_NOW)
            mount_unshare(m);
        m->fate = 0;
    }
}

int mount_graft(struct mount_ns *ns, struct mount *top, const struct path *on,
                struct list_node *left)
{
    struct graft g = {.ns = ns, .on = on, .left = left};
    int err;

    list_init(&g.copies);
    for (struct mount *m = top; m; m = mount_next(m, top))
        g.size++;
    ns->coming = top->ns ? 0 : g.size;
    err = room_for(ns, 0) ? prepare(&g, top) : -ENOSPC;
    ns->coming = 0;
    if (err) {
        finish(&g, top, err);
        return err;
    }
    if (top->ns) {
        mount_move_to(top, on->mount, on->dentry, left);
    } else {
        top->parent = mount_get(on->mount);
        top->at = dentry_get(on->dentry);
        mount_enter(ns, top, left);
    }
    finish(&g, top, 0);
    return 0;
}
