/*
 * umount2(2), and what it takes away elsewhere: what is mounted in the same place of each mount that a
 * change on the parent comes to.
 *
 * Those others are candidates. One goes unless something of it has to stay: a mount that is no
 * candidate keeps the one it is on, and so on up to the top; but where it covers that one whole, it
 * slides down into its place instead. One that is locked stays where the one it is on stays.
 */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/namei.h"

#include <errno.h>

enum { GOES = 1, CANDIDATE = 2, PASSED = 4 }; /* mount->fate */

struct detach {
    struct list_node going; /* mount->work: what was asked for, then the candidates */
    struct list_node stay;  /* mount->left: candidates that stay, to be looked at */
    const struct mount *asked;
};

/* cover() - the one mount on m, if that is all there is and covers it whole. */
static struct mount *cover(const struct mount *m)
{
    struct mount *on = list_first(&m->children, struct mount, as_child);

    return on && on->at == m->root && on->as_child.next == &m->children ? on : NULL;
}

/* in_use() - has m more references than its namespace's and `known` others? */
static bool in_use(const struct mount *m, u32 known)
{
    return atomic_load(&m->obj.count) > 1 + known;
}

/* counterpart() - what is mounted on m where `asked` is on its parent. */
static struct mount *counterpart(struct mount *m, const struct mount *asked)
{
    return m->ns ? mount_over(m, asked->at) : NULL;
}

static int counterpart_busy(struct mount *m, struct mount_group *in, void *arg)
{
    struct mount *there = counterpart(m, arg);

    if (!there || (!cover(there) && !list_empty(&there->children)))
        return 0;
    return in_use(there, cover(there) ? 1 : 0) ? -EBUSY : 0;
}

static int add_candidate(struct mount *m, struct mount_group *in, void *arg)
{
    struct detach *d = arg;
    struct mount *there = counterpart(m, d->asked);

    if (there && !there->fate) {
        there->fate = GOES | CANDIDATE;
        list_add_tail(&d->going, &there->work);
    }
    return 0;
}

/* add_all() - what is asked for, top and all below it, and its counterparts. */
static void add_all(struct detach *d, struct mount *top)
{
    struct mount *m;

    for (m = top; m; m = mount_next(m, top)) {
        m->fate = GOES;
        list_add_tail(&d->going, &m->work);
    }
    list_for_each(m, &d->going, work) {
        if (m->fate & CANDIDATE)
            break;
        d->asked = m;
        mount_reach(m->parent, add_candidate, d);
    }
}

static void keep(struct detach *d, struct mount *m)
{
    m->fate &= ~(u32)GOES;
    list_add_tail(&d->stay, &m->left);
}

/* keep_above() - `m` stays: so does what it is on, unless it covers that. */
static void keep_above(struct detach *d, struct mount *m)
{
    for (struct mount *up = m->parent; up && (up->fate & CANDIDATE); m = up, up = up->parent) {
        bool seen = up->fate & PASSED;

        if ((up->fate & GOES) && m->at != up->root)
            keep(d, up);
        if (seen)
            return;
        up->fate |= PASSED;
    }
}

/* choose() - which candidates stay. */
static void choose(struct detach *d)
{
    struct mount *m, *on;

    list_for_each(m, &d->going, work) {
        if (!(m->fate & CANDIDATE))
            continue;
        if ((m->fate & GOES) && m->locked && !(m->parent->fate & GOES))
            keep(d, m);
        list_for_each(on, &m->children, as_child)
            if (!on->fate)
                keep_above(d, on);
    }
    while ((m = list_first(&d->stay, struct mount, left))) {
        list_del(&m->left);
        keep_above(d, m);
        list_for_each(on, &m->children, as_child)
            if ((on->fate & GOES) && on->locked)
                keep(d, on);
    }
}

/* slide() - what covers a mount that goes, and stays, takes the place of the lowest of those below. */
static void slide(struct mount *m, struct list_node *left)
{
    struct mount *over = mount_over(m, m->root);

    if (!over || (over->fate & GOES))
        return;
    while (m->parent->fate & GOES)
        m = m->parent;
    mount_move_to(over, m->parent, m->at, left);
}

static void take_away(struct mount *top, struct list_node *left)
{
    struct detach d = {0};
    struct mount *m, *tmp;

    list_init(&d.going);
    list_init(&d.stay);
    add_all(&d, top);
    choose(&d);
    list_for_each(m, &d.going, work)
        if ((m->fate & GOES) && (m->fate & CANDIDATE))
            slide(m, left);
    list_for_each_safe(m, tmp, &d.going, work) {
        bool goes = m->fate & GOES;

        list_del(&m->work);
        m->fate = 0;
        if (goes)
            mount_unlink(m, left);
    }
}

/* busy() - mounts below it, users here, or users of what would go with it elsewhere. */
static int busy(struct mount *m)
{
    /* The caller's path is no user. */
    if (!list_empty(&m->children) || in_use(m, 1))
        return -EBUSY;
    return mount_reach(m->parent, counterpart_busy, m);
}

int mount_detach(struct mount_ns *ns, const struct path *at, int flags)
{
    struct list_node left = LIST_INIT(left);
    struct mount *m = at->mount;
    int err = 0;

    if (flags & ~(LX_MNT_FORCE | LX_MNT_DETACH | LX_MNT_EXPIRE | LX_UMOUNT_NOFOLLOW))
        return -EINVAL;
    if (flags & LX_MNT_EXPIRE)
        return flags & (LX_MNT_FORCE | LX_MNT_DETACH) ? -EINVAL : -EOPNOTSUPP;
    rwlock_write(&mounts_lock);
    if (!mount_is_root(ns, at) || m->locked)
        err = -EINVAL;
    else if (m == ns->root)
        err = flags & LX_MNT_DETACH ? -EINVAL : -EBUSY;
    else if (!(flags & LX_MNT_DETACH))
        err = busy(m);
    if (!err)
        take_away(m, &left);
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    return err;
}
