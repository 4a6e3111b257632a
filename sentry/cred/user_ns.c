/*
 * Making user namespaces and writing their maps (user_namespaces(7)). A map is written once: what is
 * read without a lock is its count, and the extents behind it never change.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/cred/cred_priv.h"

#include <errno.h>
#include <stdlib.h>

bool user_ns_below(const struct user_ns *ns, const struct user_ns *top)
{
    while (ns && ns != top)
        ns = ns->parent;
    return ns;
}

int user_ns_new(const struct cred *c, struct user_ns **out)
{
    struct user_ns *parent = c->user_ns, *ns;

    if (parent->level >= LIMIT_USER_NS_DEPTH ||
        atomic_load(&parent->obj.type->live) >= LIMIT_NAMESPACES)
        return -ENOSPC;
    if (uid_try_from_kuid(parent, c->euid) == ID_INVALID ||
        gid_try_from_kgid(parent, c->egid) == ID_INVALID)
        return -EPERM;
    ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    obj_init(&ns->obj, &user_ns_type);
    mutex_init(&ns->lock, LOCK_LEAF);
    ns->parent = user_ns_get(parent);
    ns->level = parent->level + 1;
    ns->owner_uid = c->euid;
    ns->owner_gid = c->egid;
    ns->setgroups_denied = atomic_load(&parent->setgroups_denied);
    ns->owner_could_setfcap = cred_ns_capable(c, LX_CAP_SETFCAP);
    *out = ns;
    return 0;
}

void cred_enter(struct cred *c, struct user_ns *ns)
{
    struct user_ns *old = c->user_ns;

    c->user_ns = user_ns_get(ns);
    user_ns_put(old);
    c->securebits = 0;
    c->cap_inheritable = c->cap_ambient = 0;
    c->cap_permitted = c->cap_effective = c->cap_bounding = CAP_FULL;
}

/* well_formed() - no extent is empty, wraps or overlaps another on either side. */
static bool well_formed(const struct id_extent *e, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (!e[i].count || e[i].inside + e[i].count <= e[i].inside ||
            e[i].outside + e[i].count <= e[i].outside)
            return false;
        for (u32 k = 0; k < i; k++) {
            if (e[i].inside < e[k].inside + e[k].count && e[k].inside < e[i].inside + e[i].count)
                return false;
            if (e[i].outside < e[k].outside + e[k].count &&
                e[k].outside < e[i].outside + e[i].count)
                return false;
        }
    }
    return n > 0;
}

/* maps_root() - is the parent's root among those that are mapped? */
static bool maps_root(const struct id_extent *e, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (e[i].outside == 0)
            return true;
    return false;
}

/* may_map_root() - a file capability of the namespace would count for the parent's root. */
static bool may_map_root(const struct user_ns *ns, const struct cred *c)
{
    if (c->user_ns == ns)
        return ns->owner_could_setfcap;
    return cred_has_cap(c, ns->parent, LX_CAP_SETFCAP);
}

/* may_map() - the opener's own id, or any if it and the writer have CAP_SETUID or CAP_SETGID over the
 * parent. */
static bool may_map(const struct user_ns *ns, bool gid, const struct id_extent *e, u32 n,
                    const struct cred *c, const struct cred *writer)
{
    int cap = gid ? LX_CAP_SETGID : LX_CAP_SETUID;

    if (!gid && maps_root(e, n) && !may_map_root(ns, c))
        return false;
    if (n == 1 && e[0].count == 1 && ns->owner_uid == c->euid) {
        if (!gid && uid_to_kuid(ns->parent, e[0].outside) == c->euid)
            return true;
        if (gid && ns->setgroups_denied && gid_to_kgid(ns->parent, e[0].outside) == c->egid)
            return true;
    }
    return cred_has_cap(c, ns->parent, cap) && cred_has_cap(writer, ns->parent, cap);
}

/* parent_has() - is the whole range mapped by one extent of the parent? */
static bool parent_has(const struct user_ns *ns, bool gid, const struct id_extent *e)
{
    const struct id_map *m = gid ? &ns->parent->gid_map : &ns->parent->uid_map;

    for (u32 i = 0; i < m->n; i++) {
        const struct id_extent *p = &m->extents[i];

        if (e->outside >= p->inside && e->outside - p->inside < p->count &&
            e->count <= p->count - (e->outside - p->inside))
            return true;
    }
    return false;
}

int user_ns_set_map(struct user_ns *ns, bool gid, struct id_extent *extents, u32 n,
                    const struct cred *opener, const struct cred *writer)
{
    struct id_map *m = gid ? &ns->gid_map : &ns->uid_map;
    int err = 0;

    if (!ns->parent || (opener->user_ns != ns && opener->user_ns != ns->parent))
        return -EPERM;
    mutex_lock(&ns->lock);
    if (m->n || !cred_has_cap(opener, ns, LX_CAP_SYS_ADMIN))
        err = -EPERM;
    else if (!well_formed(extents, n))
        err = -EINVAL;
    else if (!may_map(ns, gid, extents, n, opener, writer))
        err = -EPERM;
    for (u32 i = 0; i < n && !err; i++)
        if (!parent_has(ns, gid, &extents[i]))
            err = -EPERM;
    if (!err) {
        m->extents = extents;
        atomic_store(&m->n, n);
    }
    mutex_unlock(&ns->lock);
    return err;
}

int user_ns_deny_setgroups(struct user_ns *ns)
{
    int err = 0;

    mutex_lock(&ns->lock);
    if (ns->gid_map.n)
        err = -EPERM;
    else
        atomic_store(&ns->setgroups_denied, true);
    mutex_unlock(&ns->lock);
    return err;
}
