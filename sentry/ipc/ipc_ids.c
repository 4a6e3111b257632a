/*
 * Tables of IPC objects: keys, ids, rights; see ipc.h.
 *
 * An id is a slot and a sequence number, so that an old id doesn't name a new object soon: slots
 * are taken in turn, and each time the search starts over the sequence number goes up.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/limits.h"
#include "sentry/ipc/ipc.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

#define SLOT_BITS 15
#define SLOTS_MAX (1u << SLOT_BITS) /* IPCMNI */
#define SEQ_MAX   (1u << (31 - SLOT_BITS))
#define CYCLE_MIN 64u

s64 ipc_now(void)
{
    return (s64)(host_clock(CLOCK_REALTIME) / NS_PER_SEC);
}

void ipc_set_pid(struct pid **slot)
{
    struct pid *old = *slot;

    *slot = current ? pid_get(current->tg->pid) : NULL;
    pid_put(old);
}

struct ipc_table *ipc_table_of(const struct ipc_object *o)
{
    return &o->ns->table[o->kind];
}

/* --- rights --- */

int ipc_may_locked(const struct task *t, const struct ipc_object *o, u32 mode)
{
    const struct cred *c = task_cred(t);
    u32 wanted = (mode >> 6 | mode >> 3 | mode) & 7, granted = o->mode;

    if (c->euid == o->cuid || c->euid == o->uid)
        granted >>= 6;
    else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
        granted >>= 3;
    if (!(wanted & ~granted))
        return 0;
    return cred_has_cap(c, o->ns->user_ns, LX_CAP_IPC_OWNER) ? 0 : -EACCES;
}

int ipc_owner_locked(const struct task *t, const struct ipc_object *o)
{
    const struct cred *c = task_cred(t);

    if (c->euid == o->cuid || c->euid == o->uid)
        return 0;
    return cred_has_cap(c, o->ns->user_ns, LX_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_set_perm_locked(struct task *t, struct ipc_object *o, const struct lx_ipc_perm *perm)
{
    const struct user_ns *ns = task_cred(t)->user_ns;
    u32 uid = uid_to_kuid(ns, perm->uid), gid = gid_to_kgid(ns, perm->gid);

    if (uid == ID_INVALID || gid == ID_INVALID)
        return -EINVAL;
    o->uid = uid;
    o->gid = gid;
    o->mode = (o->mode & ~0777u) | (perm->mode & 0777);
    o->ctime = ipc_now();
    return 0;
}

void ipc_show_perm_locked(const struct task *t, const struct ipc_object *o,
                          struct lx_ipc_perm *perm)
{
    const struct user_ns *ns = task_cred(t)->user_ns;

    *perm = (struct lx_ipc_perm){
        .key = o->key,
        .uid = uid_from_kuid(ns, o->uid),
        .gid = gid_from_kgid(ns, o->gid),
        .cuid = uid_from_kuid(ns, o->cuid),
        .cgid = gid_from_kgid(ns, o->cgid),
        .mode = o->mode,
        .seq = (u16)((u32)o->id >> SLOT_BITS),
    };
}

/* --- finding --- */

static struct ipc_object *at_slot_locked(const struct ipc_table *tab, s32 index)
{
    return index >= 0 && (u32)index < tab->nslots ? tab->slots[index] : NULL;
}

struct ipc_object *ipc_find(struct ipc_ns *ns, enum ipc_kind kind, s32 id)
{
    struct ipc_table *tab = &ns->table[kind];
    struct ipc_object *o;

    if (id < 0)
        return NULL;
    mutex_lock(&tab->lock);
    o = at_slot_locked(tab, id & (s32)(SLOTS_MAX - 1));
    o = o && o->id == id ? ipc_object_get(o) : NULL;
    mutex_unlock(&tab->lock);
    return o;
}

struct ipc_object *ipc_find_index(struct ipc_ns *ns, enum ipc_kind kind, s32 index)
{
    struct ipc_table *tab = &ns->table[kind];
    struct ipc_object *o;

    mutex_lock(&tab->lock);
    o = ipc_object_get(at_slot_locked(tab, index & (s32)(SLOTS_MAX - 1)));
    mutex_unlock(&tab->lock);
    return o;
}

struct ipc_object *ipc_next(struct ipc_ns *ns, enum ipc_kind kind, u32 *index)
{
    struct ipc_table *tab = &ns->table[kind];
    struct ipc_object *o = NULL;

    mutex_lock(&tab->lock);
    while (!o && *index < tab->nslots)
        o = ipc_object_get(tab->slots[(*index)++]);
    mutex_unlock(&tab->lock);
    return o;
}

s32 ipc_last_index(struct ipc_ns *ns, enum ipc_kind kind)
{
    struct ipc_table *tab = &ns->table[kind];
    u32 i;

    mutex_lock(&tab->lock);
    for (i = tab->nslots; i && !tab->slots[i - 1]; i--)
        ;
    mutex_unlock(&tab->lock);
    return i ? (s32)i - 1 : 0;
}

/* --- calls on one object --- */

/* checked() - `o`, locked and referenced, goes to the caller unless `err` or its removal forbids. */
static int checked(struct ipc_object *o, int err, struct ipc_object **out)
{
    if (!err && o->removed)
        err = -EIDRM;
    if (err)
        ipc_end(o);
    else
        *out = o;
    return err;
}

int ipc_begin(struct task *t, enum ipc_kind kind, s32 id, u32 mode, struct ipc_object **out)
{
    struct ipc_object *o = ipc_find(t->ns->ipc, kind, id);

    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    return checked(o, ipc_may_locked(t, o, mode), out);
}

int ipc_begin_owner(struct task *t, enum ipc_kind kind, s32 id, struct ipc_object **out)
{
    struct ipc_object *o = ipc_find(t->ns->ipc, kind, id);

    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    return checked(o, ipc_owner_locked(t, o), out);
}

s64 ipc_begin_stat(struct task *t, enum ipc_kind kind, s32 id, enum ipc_stat how,
                   struct ipc_object **out)
{
    struct ipc_object *o;
    int err;

    if (how == IPC_STAT_ID)
        return ipc_begin(t, kind, id, 0444, out);
    o = ipc_find_index(t->ns->ipc, kind, id);
    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    err = checked(o, how == IPC_STAT_SLOT_ANY ? 0 : ipc_may_locked(t, o, 0444), out);
    return err ? err : o->id;
}

void ipc_end(struct ipc_object *o)
{
    mutex_unlock(&o->lock);
    ipc_object_put(o);
}

int ipc_set_perm(struct task *t, enum ipc_kind kind, s32 id, const struct lx_ipc_perm *perm)
{
    struct ipc_object *o;
    int err = ipc_begin_owner(t, kind, id, &o);

    if (err)
        return err;
    err = ipc_set_perm_locked(t, o, perm);
    ipc_end(o);
    return err;
}

int ipc_remove(struct task *t, enum ipc_kind kind, s32 id,
               bool (*shut_locked)(struct ipc_object *o))
{
    struct ipc_table *tab = &t->ns->ipc->table[kind];
    struct ipc_object *o = ipc_find(t->ns->ipc, kind, id);
    bool gone = false;
    int err;

    if (!o)
        return -EINVAL;
    mutex_lock(&tab->lock);
    mutex_lock(&o->lock);
    err = ipc_owner_locked(t, o);
    if (!err && o->removed)
        err = -EIDRM;
    if (!err)
        gone = shut_locked(o);
    mutex_unlock(&o->lock);
    mutex_unlock(&tab->lock);
    if (gone)
        ipc_object_put(o); /* the table's */
    ipc_object_put(o);
    return err;
}

static struct ipc_object *find_key_locked(const struct ipc_table *tab, s32 key)
{
    struct hash_node *n = hash_first(&tab->keys, hash_u64((u32)key));

    for (; n; n = hash_next(n)) {
        struct ipc_object *o = container_of(n, struct ipc_object, by_key);

        if (o->key == key)
            return o;
    }
    return NULL;
}

/* --- adding, removing --- */

/* free_slot_locked() - the next free one of `limit` after the last, going round early while there
 * are few. Return: it, or -1. */
static s32 free_slot_locked(const struct ipc_table *tab, u32 limit)
{
    u32 cycle = max_of(tab->in_use * 3 / 2, CYCLE_MIN), most = min_of(limit, SLOTS_MAX);
    u32 round = min_of(cycle, most);

    for (u32 i = 0; i < round; i++) {
        s32 slot = (s32)(((u32)(tab->last + 1) + i) % round);

        if (!at_slot_locked(tab, slot))
            return slot;
    }
    return -1;
}

static int grow_locked(struct ipc_table *tab, s32 slot)
{
    u32 n = max_of(tab->nslots, CYCLE_MIN);
    struct ipc_object **slots;

    if ((u32)slot < tab->nslots)
        return 0;
    while (n <= (u32)slot)
        n *= 2;
    slots = realloc(tab->slots, n * sizeof(struct ipc_object *));
    if (!slots)
        return -ENOMEM;
    for (u32 i = tab->nslots; i < n; i++)
        slots[i] = NULL;
    tab->slots = slots;
    tab->nslots = n;
    return 0;
}

/* add_locked() - enter a fresh object, whose reference is taken. Return: 0, errno. */
static int add_locked(struct ipc_table *tab, struct ipc_object *o, u32 limit)
{
    s32 slot = free_slot_locked(tab, limit);
    int err = slot < 0 ? -ENOSPC : grow_locked(tab, slot);

    if (!err && o->key != LX_IPC_PRIVATE)
        err = hash_insert(&tab->keys, &o->by_key, hash_u64((u32)o->key));
    if (err)
        return err;
    if (slot <= tab->last)
        tab->seq = (tab->seq + 1) % SEQ_MAX;
    tab->last = slot;
    tab->slots[slot] = o;
    tab->in_use++;
    tab->total += o->charge;
    o->id = (s32)(tab->seq << SLOT_BITS | (u32)slot);
    return 0;
}

void ipc_hide_locked(struct ipc_object *o)
{
    if (o->key == LX_IPC_PRIVATE)
        return;
    hash_remove(&ipc_table_of(o)->keys, &o->by_key);
    o->key = LX_IPC_PRIVATE;
}

void ipc_remove_locked(struct ipc_object *o)
{
    struct ipc_table *tab = ipc_table_of(o);

    ipc_hide_locked(o);
    tab->slots[(u32)o->id & (SLOTS_MAX - 1)] = NULL;
    tab->in_use--;
    tab->total -= o->charge;
    o->removed = true;
}

void ipc_object_init(struct ipc_object *o, struct obj_type *type, struct ipc_ns *ns,
                     enum ipc_kind kind)
{
    const struct cred *c = task_cred(current);

    obj_init(&o->obj, type);
    mutex_init(&o->lock, LOCK_IPC);
    o->ns = ns;
    o->kind = kind;
    o->uid = o->cuid = c->euid;
    o->gid = o->cgid = c->egid;
    o->ctime = ipc_now();
}

static u32 objects_max(struct ipc_ns *ns, enum ipc_kind kind)
{
    struct ipc_limits l = ipc_ns_limits(ns);

    return kind == IPC_SHM ? l.shmmni : kind == IPC_SEM ? l.semmni : l.msgmni;
}

/* make_locked() - Return: the new object's id, or errno. */
static s64 make_locked(struct ipc_ns *ns, enum ipc_kind kind, const struct ipc_get *get)
{
    struct ipc_table *tab = &ns->table[kind];
    u32 limit = objects_max(ns, kind);
    struct ipc_object *o;
    int err = get->make(ns, get, &o);

    if (err)
        return err;
    o->key = get->key;
    o->mode = get->flags & 0777;
    err = tab->in_use >= limit ? -ENOSPC : add_locked(tab, o, limit);
    if (err) {
        o->key = LX_IPC_PRIVATE;
        ipc_object_put(o);
        return err;
    }
    return o->id;
}

/* use_locked() - one that is there. Return: its id, or errno. */
static s64 use_locked(struct task *t, struct ipc_object *o, const struct ipc_get *get)
{
    s64 err;

    if ((get->flags & LX_IPC_CREAT) && (get->flags & LX_IPC_EXCL))
        return -EEXIST;
    mutex_lock(&o->lock);
    err = get->fits ? get->fits(o, get) : 0;
    if (!err)
        err = ipc_may_locked(t, o, get->flags & 0777);
    mutex_unlock(&o->lock);
    return err ? err : o->id;
}

s64 ipc_get_id(struct task *t, enum ipc_kind kind, const struct ipc_get *get)
{
    struct ipc_ns *ns = t->ns->ipc;
    struct ipc_table *tab = &ns->table[kind];
    struct ipc_object *o;
    s64 r;

    mutex_lock(&tab->lock);
    o = get->key == LX_IPC_PRIVATE ? NULL : find_key_locked(tab, get->key);
    if (o)
        r = use_locked(t, o, get);
    else if (get->key != LX_IPC_PRIVATE && !(get->flags & LX_IPC_CREAT))
        r = -ENOENT;
    else
        r = make_locked(ns, kind, get);
    mutex_unlock(&tab->lock);
    return r;
}
