/*
 * Shared memory segments: making, attaching, controlling. The memory is a shared anonymous object
 * (sentry/mm/shm_anon.c), so what is counted there bounds it; it is there until the segment has been
 * removed and nobody has it attached any more. A removed segment that is attached is found by its id
 * still, and no longer by its key (shmctl(2)).
 */
#include "sentry/ipc/shm.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

static void shm_free(struct obj *o)
{
    struct shm *s = container_of(o, struct shm, o.obj);

    if (s->memory)
        s->memory->ops->put(s->memory);
    pid_put(s->creator);
    pid_put(s->last);
    mutex_destroy(&s->o.lock);
    free(s);
}

static struct obj_type shm_type = {.name = "shm", .free = shm_free};

static struct shm *to_shm(struct ipc_object *o)
{
    return container_of(o, struct shm, o);
}

/* --- shmget --- */

/* check_size() - what a new segment may have. *pages: what it counts for. */
static int check_size(struct ipc_ns *ns, const struct ipc_get *get, u64 *pages)
{
    struct ipc_limits l = ipc_ns_limits(ns);
    u64 total = ns->table[IPC_SHM].total;

    if (!get->size || get->size > l.shmmax)
        return -EINVAL;
    *pages = page_up(get->size) >> GUEST_PAGE_SHIFT;
    if (!*pages || total + *pages < total || total + *pages > l.shmall)
        return -ENOSPC;
    if (get->flags & LX_SHM_HUGETLB) /* as a kernel whose pool of huge pages is empty */
        return cred_capable(task_cred(current), LX_CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
    if (get->size > PLAT_TASK_SIZE)
        return -ENOMEM;
    if (!(get->flags & LX_SHM_NORESERVE) && get->size > machine_memory())
        return -ENOMEM;
    return 0;
}

static int make_shm(struct ipc_ns *ns, const struct ipc_get *get, struct ipc_object **out)
{
    struct shm *s;
    u64 pages;
    int err = check_size(ns, get, &pages);

    if (err)
        return err;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    ipc_object_init(&s->o, &shm_type, ns, IPC_SHM);
    s->o.charge = pages;
    s->size = get->size;
    s->name = get->key;
    s->mappable.ops = &shm_segment_ops;
    ipc_set_pid(&s->creator);
    err = shm_anon_new(page_up(get->size), true, &s->memory);
    if (err) {
        ipc_object_put(&s->o);
        return err;
    }
    *out = &s->o;
    return 0;
}

static int shm_fits(struct ipc_object *o, const struct ipc_get *get)
{
    return to_shm(o)->size < get->size ? -EINVAL : 0;
}

s64 shm_get(struct task *t, s32 key, u64 size, u32 flags)
{
    const struct ipc_get get = {
        .key = key, .flags = flags, .size = size, .make = make_shm, .fits = shm_fits};

    return ipc_get_id(t, IPC_SHM, &get);
}

/* --- shmat, shmdt --- */

/* place() - the address and how it is meant. Return: 0, -EINVAL. */
static int place(uaddr_t addr, u32 flags, struct mm_map_args *args)
{
    args->flags = LX_MAP_SHARED;
    if (!addr)
        return flags & LX_SHM_REMAP ? -EINVAL : 0;
    if (addr & ~GUEST_PAGE_MASK) {
        if (!(flags & LX_SHM_RND))
            return -EINVAL;
        addr = page_down(addr);
        if (!addr && (flags & LX_SHM_REMAP))
            return -EINVAL;
    }
    args->addr = addr;
    args->flags |= flags & LX_SHM_REMAP ? LX_MAP_FIXED : LX_MAP_FIXED_NOREPLACE;
    return 0;
}

/* hold() - find the segment and keep it while it is attached. Return: 0, errno. */
static int hold(struct task *t, s32 id, u32 mode, struct shm **out)
{
    struct ipc_object *o = ipc_find(t->ns->ipc, IPC_SHM, id);
    int err;

    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    err = ipc_may_locked(t, o, mode);
    if (!err)
        err = shm_hold_locked(to_shm(o));
    mutex_unlock(&o->lock);
    if (!err)
        *out = to_shm(o); /* its table's reference stays while it is held */
    ipc_object_put(o);
    return err;
}

int shm_attach(struct task *t, s32 id, uaddr_t addr, u32 flags, uaddr_t *out)
{
    bool read_only = flags & LX_SHM_RDONLY;
    u32 mode = read_only ? 0444 : 0666;
    struct mm_map_args args = {
        .prot = LX_PROT_READ | (read_only ? 0 : LX_PROT_WRITE),
        .may_prot = LX_PROT_READ | LX_PROT_EXEC | (read_only ? 0 : LX_PROT_WRITE),
    };
    struct shm *s;
    int err = id < 0 ? -EINVAL : place(addr, flags, &args);

    if (err)
        return err;
    if (flags & LX_SHM_EXEC) {
        args.prot |= LX_PROT_EXEC;
        mode |= 0111;
    }
    err = hold(t, id, mode, &s);
    if (err)
        return err;
    args.len = s->size;
    args.mappable = &s->mappable;
    err = mm_map(t->mm, t->thread, &args, out);
    shm_let_go(s);
    return err == -EEXIST ? -EINVAL : err;
}

int shm_detach(struct task *t, uaddr_t addr)
{
    return mm_detach(t->mm, t->thread, addr, &shm_segment_ops);
}

/* --- shmctl --- */

static void show_locked(const struct task *t, const struct shm *s, struct lx_shmid_ds *out)
{
    const struct pid_ns *ns = t->pid->ns;

    *out = (struct lx_shmid_ds){
        .segsz = s->size,
        .atime = s->atime,
        .dtime = s->dtime,
        .ctime = s->o.ctime,
        .cpid = pid_was_nr(s->creator, ns),
        .lpid = pid_was_nr(s->last, ns),
        .nattch = s->nattch,
    };
    ipc_show_perm_locked(t, &s->o, &out->perm);
}

s64 shm_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_shmid_ds *out)
{
    struct ipc_object *o;
    s64 r = ipc_begin_stat(t, IPC_SHM, id, how, &o);

    if (r < 0)
        return r;
    show_locked(t, to_shm(o), out);
    ipc_end(o);
    return r;
}

int shm_set(struct task *t, s32 id, const struct lx_shmid_ds *in)
{
    return ipc_set_perm(t, IPC_SHM, id, &in->perm);
}

/* shut_locked() - one that is attached stays until it is not. */
static bool shut_locked(struct ipc_object *o)
{
    if (!to_shm(o)->nattch) {
        ipc_remove_locked(o);
        return true;
    }
    o->mode |= LX_SHM_DEST;
    ipc_hide_locked(o);
    return false;
}

int shm_remove(struct task *t, s32 id)
{
    return ipc_remove(t, IPC_SHM, id, shut_locked);
}

int shm_lock(struct task *t, s32 id, bool on)
{
    auto_put(ipc_object) struct ipc_object *o = ipc_find(t->ns->ipc, IPC_SHM, id);
    const struct cred *c = task_cred(t);
    int err = 0;

    if (!o)
        return -EINVAL;
    mutex_lock(&o->lock);
    if (o->removed)
        err = -EIDRM;
    else if (!cred_has_cap(c, o->ns->user_ns, LX_CAP_IPC_LOCK)) {
        if (c->euid != o->uid && c->euid != o->cuid)
            err = -EPERM;
        else if (on && page_up(to_shm(o)->size) > task_rlimit(t, LX_RLIMIT_MEMLOCK))
            err = task_rlimit(t, LX_RLIMIT_MEMLOCK) ? -ENOMEM : -EPERM;
    }
    if (!err)
        o->mode = (o->mode & ~LX_SHM_LOCKED) | (on ? LX_SHM_LOCKED : 0);
    mutex_unlock(&o->lock);
    return err;
}

u64 shm_resident(struct ipc_ns *ns, s32 index)
{
    auto_put(ipc_object) struct ipc_object *o = ipc_find_index(ns, IPC_SHM, index);

    return o ? shm_anon_resident(to_shm(o)->memory) >> GUEST_PAGE_SHIFT : 0;
}

void shm_totals(struct ipc_ns *ns, struct lx_shm_info *out)
{
    struct ipc_table *tab = &ns->table[IPC_SHM];
    struct ipc_object *o;

    *out = (struct lx_shm_info){0};
    mutex_lock(&tab->lock);
    out->used_ids = (s32)tab->in_use;
    out->tot = tab->total;
    mutex_unlock(&tab->lock);
    for (u32 i = 0; (o = ipc_next(ns, IPC_SHM, &i)); ipc_object_put(o))
        out->rss += shm_anon_resident(to_shm(o)->memory) >> GUEST_PAGE_SHIFT;
}
