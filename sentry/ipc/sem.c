/* Semaphore sets: making, sleeping, controlling; see sem.h. */
#include "sentry/ipc/sem.h"

#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

static _Atomic(u64) in_all; /* semaphores of the sandbox */

static void set_free(struct obj *o)
{
    struct sem_set *set = container_of(o, struct sem_set, o.obj);

    for (u32 i = 0; i < set->n; i++)
        pid_put(set->sems[i].pid);
    atomic_fetch_sub(&in_all, set->n);
    mutex_destroy(&set->o.lock);
    free(set);
}

static struct obj_type set_type = {.name = "sem_set", .free = set_free};

static struct sem_set *to_set(struct ipc_object *o)
{
    return container_of(o, struct sem_set, o);
}

/* --- semget --- */

static int make_set(struct ipc_ns *ns, const struct ipc_get *get, struct ipc_object **out)
{
    struct ipc_limits l = ipc_ns_limits(ns);
    struct sem_set *set = NULL;
    u32 n = (u32)get->size;

    if (!n)
        return -EINVAL;
    if (ns->table[IPC_SEM].total + n > l.semmns)
        return -ENOSPC;
    if (atomic_fetch_add(&in_all, n) + n <= LIMIT_SEMAPHORES_ALL)
        set = calloc(1, sizeof(*set) + n * sizeof(set->sems[0]));
    if (!set) {
        atomic_fetch_sub(&in_all, n);
        return -ENOMEM;
    }
    ipc_object_init(&set->o, &set_type, ns, IPC_SEM);
    set->o.charge = n;
    set->n = n;
    list_init(&set->sleepers);
    list_init(&set->undos);
    *out = &set->o;
    return 0;
}

static int set_fits(struct ipc_object *o, const struct ipc_get *get)
{
    return get->size > to_set(o)->n ? -EINVAL : 0;
}

s64 sem_get(struct task *t, s32 key, s32 n, u32 flags)
{
    const struct ipc_get get = {
        .key = key, .flags = flags, .size = (u64)n, .make = make_set, .fits = set_fits};

    if (n < 0 || (u32)n > ipc_ns_limits(t->ns->ipc).semmsl)
        return -EINVAL;
    return ipc_get_id(t, IPC_SEM, &get);
}

/* --- semop --- */

/* start_locked() - the checks that need the set, and the first try. Return: as sem_try_locked(). */
static int start_locked(struct task *t, struct sem_set *set, struct sem_sleeper *s)
{
    int r = ipc_may_locked(t, &set->o, s->alters ? 0222 : 0444);

    if (!r && set->o.removed)
        r = -EIDRM;
    if (!r)
        r = sem_try_locked(set, s, &s->blocking);
    if (!r && s->alters)
        sem_changed_locked(set);
    return r;
}

static int operate(struct task *t, struct sem_set *set, struct sem_sleeper *s, u64 deadline)
{
    int r;

    mutex_lock(&set->o.lock);
    r = start_locked(t, set, s);
    if (r == 1) {
        ipc_waiter_init(&s->w);
        list_add_tail(&set->sleepers, &s->w.node);
        mutex_unlock(&set->o.lock);
        r = ipc_wait(&s->w, &set->o.lock, deadline);
        if (!r)
            r = s->w.result;
        else
            r = r == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    mutex_unlock(&set->o.lock);
    return r;
}

int sem_operate(struct task *t, s32 id, const struct lx_sembuf *ops, u32 nops, u64 deadline)
{
    auto_put(ipc_object) struct ipc_object *o = ipc_find(t->ns->ipc, IPC_SEM, id);
    struct sem_sleeper s = {.ops = ops, .nops = nops, .pid = t->tg->pid};
    bool undoes = false;
    u32 highest = 0;
    int err = 0;

    for (u32 i = 0; i < nops; i++) {
        highest = max_of(highest, (u32)ops[i].num);
        undoes |= (ops[i].flags & LX_SEM_UNDO) != 0;
        s.alters |= ops[i].op != 0;
    }
    if (!o)
        return -EINVAL;
    if (highest >= to_set(o)->n)
        return -EFBIG;
    if (undoes)
        err = sem_undo_find(t, to_set(o), &s.undo);
    return err ? err : operate(t, to_set(o), &s, deadline);
}

/* --- semctl --- */

s64 sem_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_semid_ds *out)
{
    struct ipc_object *o;
    s64 r = ipc_begin_stat(t, IPC_SEM, id, how, &o);

    if (r < 0)
        return r;
    *out =
        (struct lx_semid_ds){.otime = to_set(o)->otime, .ctime = o->ctime, .nsems = to_set(o)->n};
    ipc_show_perm_locked(t, o, &out->perm);
    ipc_end(o);
    return r;
}

int sem_set_perm(struct task *t, s32 id, const struct lx_semid_ds *in)
{
    return ipc_set_perm(t, IPC_SEM, id, &in->perm);
}

/* shut_locked() - nobody waits for it any more, nothing will be undone. */
static bool shut_locked(struct ipc_object *o)
{
    struct sem_set *set = to_set(o);
    struct sem_sleeper *s, *tmp;
    struct sem_undo *u, *next;

    ipc_remove_locked(o);
    list_for_each_safe(s, tmp, &set->sleepers, w.node)
        ipc_wake_locked(&s->w, -EIDRM);
    list_for_each_safe(u, next, &set->undos, in_set)
        list_del(&u->in_set);
    return true;
}

int sem_remove(struct task *t, s32 id)
{
    return ipc_remove(t, IPC_SEM, id, shut_locked);
}

/* begin() - as ipc_begin(). end(): as ipc_end(). */
static int begin(struct task *t, s32 id, u32 mode, struct sem_set **out)
{
    struct ipc_object *o;
    int err = ipc_begin(t, IPC_SEM, id, mode, &o);

    if (!err)
        *out = to_set(o);
    return err;
}

static void end(struct sem_set *set)
{
    ipc_end(&set->o);
}

/* count_sleepers_locked() - who waits for semaphore num to be zero, or to grow. */
static s64 count_sleepers_locked(const struct sem_set *set, s32 num, bool zero)
{
    struct sem_sleeper *s;
    s64 n = 0;

    list_for_each(s, &set->sleepers, w.node)
        n += s->blocking->num == num && (s->blocking->op == 0) == zero;
    return n;
}

s64 sem_ask(struct task *t, s32 id, s32 num, u32 cmd)
{
    struct sem_set *set;
    s64 r = begin(t, id, 0444, &set);

    if (r)
        return r;
    if (num < 0 || (u32)num >= set->n)
        r = -EINVAL;
    else if (cmd == LX_SEM_GETVAL)
        r = set->sems[num].value;
    else if (cmd == LX_SEM_GETPID)
        r = pid_was_nr(set->sems[num].pid, t->pid->ns);
    else
        r = count_sleepers_locked(set, num, cmd == LX_SEM_GETZCNT);
    end(set);
    return r;
}

/* put_value_locked() - nobody's adjustment of it counts any more. */
static void put_value_locked(struct task *t, struct sem_set *set, u32 num, s32 value)
{
    struct sem_undo *u;

    list_for_each(u, &set->undos, in_set)
        u->adjust[num] = 0;
    set->sems[num].value = value;
    sem_pid_locked(&set->sems[num], t->tg->pid);
}

int sem_set_value(struct task *t, s32 id, s32 num, s32 value)
{
    struct sem_set *set;
    int err;

    if (value < 0 || value > SEM_VALUE_MAX)
        return -ERANGE;
    err = begin(t, id, 0, &set);
    if (err)
        return err;
    if (num < 0 || (u32)num >= set->n)
        err = -EINVAL;
    else
        err = ipc_may_locked(t, &set->o, 0222);
    if (!err) {
        put_value_locked(t, set, (u32)num, value);
        set->o.ctime = ipc_now();
        sem_changed_locked(set);
    }
    end(set);
    return err;
}

int sem_get_all(struct task *t, s32 id, u16 **out, u32 *n)
{
    struct sem_set *set;
    u16 *values;
    int err = begin(t, id, 0444, &set);

    if (err)
        return err;
    values = malloc(set->n * sizeof(*values));
    for (u32 i = 0; values && i < set->n; i++)
        values[i] = (u16)set->sems[i].value;
    *n = set->n;
    end(set);
    if (!values)
        return -ENOMEM;
    *out = values;
    return 0;
}

int sem_count(struct task *t, s32 id, u32 *n)
{
    struct sem_set *set;
    int err = begin(t, id, 0222, &set);

    if (err)
        return err;
    *n = set->n;
    end(set);
    return 0;
}

int sem_set_all(struct task *t, s32 id, const u16 *values, u32 n)
{
    struct sem_set *set;
    int err;

    for (u32 i = 0; i < n; i++)
        if (values[i] > SEM_VALUE_MAX)
            return -ERANGE;
    err = begin(t, id, 0222, &set);
    if (err)
        return err == -EINVAL ? -EIDRM : err; /* it was there a moment ago */
    if (set->n != n) {
        end(set);
        return -EIDRM;
    }
    for (u32 i = 0; i < n; i++)
        put_value_locked(t, set, i, values[i]);
    set->o.ctime = ipc_now();
    sem_changed_locked(set);
    end(set);
    return 0;
}
