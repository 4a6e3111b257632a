/*
 * Mount propagation's groups (mount_namespaces(7)). A shared mount is in a group: what is mounted on
 * one member is mounted on all. A slave follows a group: what is mounted there comes to it, and
 * nothing goes back; it may be in a group of its own beside. A group belongs to its members: with the
 * last one it goes, and who followed it follows that one's master instead.
 *
 * Masters and slaves form a forest, for who follows a group stood in it, or copies one who did.
 */
#include "fs/vfs/mount_priv.h"

#include <errno.h>
#include <stdlib.h>

int mount_share(struct mount *m)
{
    static _Atomic(u32) last_id;
    struct mount_group *g;

    if (m->group)
        return 0;
    g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    g->id = atomic_fetch_add(&last_id, 1) + 1;
    list_init(&g->members);
    list_init(&g->slaves);
    list_init(&g->reached);
    mount_join(m, g);
    return 0;
}

void mount_join(struct mount *m, struct mount_group *group)
{
    m->group = group;
    list_add_tail(&group->members, &m->in_group);
}

void mount_follow(struct mount *m, struct mount_group *master)
{
    list_del(&m->in_master);
    m->master = master;
    if (master)
        list_add_tail(&master->slaves, &m->in_master);
}

void mount_unshare(struct mount *m)
{
    struct mount_group *g = m->group;

    m->group = NULL;
    list_del(&m->in_group);
    if (!g || !list_empty(&g->members))
        return;
    while (!list_empty(&g->slaves))
        mount_follow(list_entry(g->slaves.next, struct mount, in_master), m->master);
    free(g);
}

void mount_private(struct mount *m)
{
    mount_unshare(m);
    mount_follow(m, NULL);
}

/* has_peers() - is there another in its group? */
static bool has_peers(const struct mount *m)
{
    return m->group && m->group->members.next != m->group->members.prev;
}

/* set_type() - for LX_MS_SHARED m is in a group already. */
static void set_type(struct mount *m, u32 type)
{
    struct mount_group *left = has_peers(m) ? m->group : m->master;

    if (type != LX_MS_SHARED)
        mount_unshare(m);
    if (type == LX_MS_SLAVE)
        mount_follow(m, left);
    else if (type != LX_MS_SHARED)
        mount_follow(m, NULL);
    if (type != LX_MS_SLAVE)
        m->unbindable = type == LX_MS_UNBINDABLE;
}

int mount_set_propagation(struct mount_ns *ns, const struct path *at, u32 type, bool rec)
{
    struct mount *top = at->mount;
    int err = 0;

    rwlock_write(&mounts_lock);
    if (!mount_is_root(ns, at))
        err = -EINVAL;
    for (struct mount *m = top; m && !err; m = rec ? mount_next(m, top) : NULL) {
        err = type == LX_MS_SHARED ? mount_share(m) : 0;
        if (!err)
            set_type(m, type);
    }
    if (!err)
        mount_note_change(ns);
    rwlock_unlock(&mounts_lock);
    return err;
}

/* reach_slaves() - fn for those that follow `g` alone; the groups of the others go to `reached`. */
static int reach_slaves(struct mount_group *g, struct list_node *reached, mount_reach_fn *fn,
                        void *arg)
{
    struct mount *m;
    int err = 0;

    list_for_each(m, &g->slaves, in_master) {
        if (!m->group) {
            err = fn(m, g, arg);
            if (err)
                break;
        } else if (!list_linked(&m->group->reached)) {
            m->group->lead = g->lead;
            m->group->own_lead = false;
            list_add_tail(reached, &m->group->reached);
        }
    }
    return err;
}

int mount_reach(struct mount *origin, mount_reach_fn *fn, void *arg)
{
    struct list_node reached = LIST_INIT(reached);
    struct mount_group *g;
    struct mount *m;
    int err = 0;

    if (!origin->group)
        return 0;
    list_add_tail(&reached, &origin->group->reached);
    list_for_each(g, &reached, reached) {
        list_for_each(m, &g->members, in_group)
            if (!err && m != origin)
                err = fn(m, g, arg);
        if (!err)
            err = reach_slaves(g, &reached, fn, arg);
        if (err)
            break;
    }
    while (!list_empty(&reached))
        list_del(reached.next);
    return err;
}
