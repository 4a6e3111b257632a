/* Credentials and user namespaces; see cred.h. Rules: credentials(7), capabilities(7). */
#include "sentry/cred/cred.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/cred/cred_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void user_ns_free(struct obj *o)
{
    struct user_ns *ns = container_of(o, struct user_ns, obj);

    user_ns_put(ns->parent);
    free(ns->uid_map.extents);
    free(ns->gid_map.extents);
    mutex_destroy(&ns->lock);
    free(ns);
}

struct obj_type user_ns_type = {.name = "user_ns", .free = user_ns_free};

static int identity_map(struct id_map *m)
{
    m->extents = malloc(sizeof(*m->extents));
    if (!m->extents)
        return -ENOMEM;
    m->extents[0] = (struct id_extent){0, 0, UINT32_MAX};
    m->n = 1;
    return 0;
}

struct user_ns *user_ns_first(void)
{
    struct user_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &user_ns_type);
    mutex_init(&ns->lock, LOCK_LEAF);
    if (identity_map(&ns->uid_map) < 0 || identity_map(&ns->gid_map) < 0)
        return user_ns_put(ns);
    return ns;
}

static void cred_free(struct obj *o)
{
    struct cred *c = container_of(o, struct cred, obj);

    user_ns_put(c->user_ns);
    free(c->groups);
    free(c);
}

static struct obj_type cred_type = {.name = "cred", .free = cred_free};

struct cred *cred_root(struct user_ns *ns)
{
    struct cred *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    obj_init(&c->obj, &cred_type);
    c->user_ns = user_ns_get(ns);
    c->cap_permitted = c->cap_effective = c->cap_bounding = CAP_FULL;
    return c;
}

struct cred *cred_dup(const struct cred *c)
{
    struct cred *n = malloc(sizeof(*n));

    if (!n)
        return NULL;
    memcpy(n, c, sizeof(*n));
    obj_init(&n->obj, &cred_type);
    user_ns_get(n->user_ns);
    n->groups = NULL;
    n->ngroups = 0;
    if (cred_set_groups(n, c->groups, c->ngroups) < 0)
        return cred_put(n);
    return n;
}

static int compare_ids(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;

    return (x > y) - (x < y);
}

int cred_set_groups(struct cred *c, const u32 *groups, u32 n)
{
    u32 *fresh = NULL;

    if (n) {
        fresh = malloc(n * sizeof(*fresh));
        if (!fresh)
            return -ENOMEM;
        memcpy(fresh, groups, n * sizeof(*fresh));
        qsort(fresh, n, sizeof(*fresh), compare_ids);
    }
    free(c->groups);
    c->groups = fresh;
    c->ngroups = n;
    return 0;
}

bool cred_has_cap(const struct cred *c, const struct user_ns *ns, int cap)
{
    for (; ns; ns = ns->parent) {
        if (ns == c->user_ns)
            return c->cap_effective & (1ull << cap);
        if (ns->level <= c->user_ns->level)
            return false;
        /* The owner of a namespace has every capability in it. */
        if (ns->parent == c->user_ns && ns->owner_uid == c->euid)
            return true;
    }
    return false;
}

bool cred_ns_capable(const struct cred *c, int cap)
{
    return c->cap_effective & (1ull << cap);
}

bool cred_capable(const struct cred *c, int cap)
{
    return !c->user_ns->parent && cred_ns_capable(c, cap);
}

bool cred_in_group(const struct cred *c, u32 kgid)
{
    return kgid == c->fsgid ||
           (c->ngroups && bsearch(&kgid, c->groups, c->ngroups, sizeof(kgid), compare_ids));
}

static u32 map_up(const struct id_map *m, u32 id)
{
    for (u32 i = 0; i < m->n; i++)
        if (id >= m->extents[i].inside && id - m->extents[i].inside < m->extents[i].count)
            return m->extents[i].outside + (id - m->extents[i].inside);
    return ID_INVALID;
}

static u32 map_down(const struct id_map *m, u32 id)
{
    for (u32 i = 0; i < m->n; i++)
        if (id >= m->extents[i].outside && id - m->extents[i].outside < m->extents[i].count)
            return m->extents[i].inside + (id - m->extents[i].outside);
    return ID_INVALID;
}

u32 uid_to_kuid(const struct user_ns *ns, u32 uid)
{
    for (; ns && uid != ID_INVALID; ns = ns->parent)
        uid = map_up(&ns->uid_map, uid);
    return uid;
}

u32 gid_to_kgid(const struct user_ns *ns, u32 gid)
{
    for (; ns && gid != ID_INVALID; ns = ns->parent)
        gid = map_up(&ns->gid_map, gid);
    return gid;
}

/* from_first() - map an id of the first namespace down to `ns`, level by level. */
static u32 from_first(const struct user_ns *ns, u32 id, bool gid)
{
    if (ns->parent)
        id = from_first(ns->parent, id, gid);
    return id == ID_INVALID ? id : map_down(gid ? &ns->gid_map : &ns->uid_map, id);
}

u32 uid_try_from_kuid(const struct user_ns *ns, u32 kuid)
{
    return from_first(ns, kuid, false);
}

u32 gid_try_from_kgid(const struct user_ns *ns, u32 kgid)
{
    return from_first(ns, kgid, true);
}

u32 uid_from_kuid(const struct user_ns *ns, u32 kuid)
{
    u32 id = uid_try_from_kuid(ns, kuid);

    return id == ID_INVALID ? ID_OVERFLOW : id;
}

u32 gid_from_kgid(const struct user_ns *ns, u32 kgid)
{
    u32 id = gid_try_from_kgid(ns, kgid);

    return id == ID_INVALID ? ID_OVERFLOW : id;
}

void cred_fix_setuid(struct cred *fresh, const struct cred *old)
{
    u32 root = uid_to_kuid(fresh->user_ns, 0);
    bool had_root = old->uid == root || old->euid == root || old->suid == root;
    bool has_root = fresh->uid == root || fresh->euid == root || fresh->suid == root;

    if (fresh->securebits & LX_SECBIT_NO_SETUID_FIXUP)
        return;
    if (had_root && !has_root) {
        if (!(fresh->securebits & LX_SECBIT_KEEP_CAPS))
            fresh->cap_permitted = fresh->cap_effective = 0;
        fresh->cap_ambient = 0;
    }
    if (old->euid == root && fresh->euid != root)
        fresh->cap_effective = 0;
    if (old->euid != root && fresh->euid == root)
        fresh->cap_effective = fresh->cap_permitted;
}

void cred_fix_setfsuid(struct cred *fresh, const struct cred *old)
{
    static const u64 fs_caps = 1ull << LX_CAP_CHOWN | 1ull << LX_CAP_MKNOD |
                               1ull << LX_CAP_DAC_OVERRIDE | 1ull << LX_CAP_DAC_READ_SEARCH |
                               1ull << LX_CAP_FOWNER | 1ull << LX_CAP_FSETID |
                               1ull << LX_CAP_LINUX_IMMUTABLE | 1ull << LX_CAP_MAC_OVERRIDE;
    u32 root = uid_to_kuid(fresh->user_ns, 0);

    if (fresh->securebits & LX_SECBIT_NO_SETUID_FIXUP)
        return;
    if (old->fsuid == root && fresh->fsuid != root)
        fresh->cap_effective &= ~fs_caps;
    if (old->fsuid != root && fresh->fsuid == root)
        fresh->cap_effective |= fresh->cap_permitted & fs_caps;
}
