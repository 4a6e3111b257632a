/* Adjustments of semaphores that are carried out when their process ends; see sem.h. */
#include "sentry/base/limits.h"
#include "sentry/ipc/sem.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

static _Atomic(u64) adjusts; /* in all records of the sandbox */

static void undo_free(struct sem_undo *u)
{
    atomic_fetch_sub(&adjusts, u->set->n);
    ipc_object_put(&u->set->o);
    free(u);
}

static void undo_list_free(struct obj *o)
{
    struct sem_undo_list *l = container_of(o, struct sem_undo_list, obj);

    mutex_destroy(&l->lock);
    free(l);
}

static struct obj_type undo_list_type = {.name = "sem_undo_list", .free = undo_list_free};

static struct sem_undo_list *list_new(void)
{
    struct sem_undo_list *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    obj_init(&l->obj, &undo_list_type);
    mutex_init(&l->lock, LOCK_IPC_UNDO);
    list_init(&l->undos);
    return l;
}

static void set_list(struct task *t, struct sem_undo_list *l)
{
    mutex_lock(&t->lock);
    t->sem_undo = l;
    mutex_unlock(&t->lock);
}

struct sem_undo_list *sem_undo_list_of(struct task *t)
{
    if (!t->sem_undo)
        set_list(t, list_new());
    return t->sem_undo;
}

u64 sem_undo_id(struct task *t)
{
    u64 id;

    mutex_lock(&t->lock);
    id = t->sem_undo ? t->sem_undo->obj.id : 0;
    mutex_unlock(&t->lock);
    return id;
}

/* undo_new() - a record that is on no list yet. Return: NULL: too many, or no memory. */
static struct sem_undo *undo_new(struct sem_set *set)
{
    struct sem_undo *u = NULL;

    if (atomic_fetch_add(&adjusts, set->n) + set->n <= LIMIT_SEM_ADJUSTS)
        u = calloc(1, sizeof(*u) + set->n * sizeof(u->adjust[0]));
    if (!u) {
        atomic_fetch_sub(&adjusts, set->n);
        return NULL;
    }
    u->set = set;
    ipc_object_get(&set->o);
    list_init(&u->in_list);
    list_init(&u->in_set);
    return u;
}

/* prune_locked() - records of removed sets go. The list's lock is held. */
static void prune_locked(struct sem_undo_list *l)
{
    struct sem_undo *u, *tmp;

    list_for_each_safe(u, tmp, &l->undos, in_list) {
        bool removed;

        mutex_lock(&u->set->o.lock);
        removed = u->set->o.removed;
        mutex_unlock(&u->set->o.lock);
        if (!removed)
            continue;
        list_del(&u->in_list);
        undo_free(u);
    }
}

/* add_locked() - a new record into its set and its list. */
static int add_locked(struct sem_undo_list *l, struct sem_set *set, struct sem_undo **out)
{
    struct sem_undo *u;
    int err = 0;

    prune_locked(l);
    u = undo_new(set);
    if (!u)
        return -ENOMEM;
    mutex_lock(&set->o.lock);
    if (set->o.removed)
        err = -EIDRM;
    else
        list_add(&set->undos, &u->in_set);
    mutex_unlock(&set->o.lock);
    if (err) {
        undo_free(u);
        return err;
    }
    list_add(&l->undos, &u->in_list);
    *out = u;
    return 0;
}

int sem_undo_find(struct task *t, struct sem_set *set, struct sem_undo **out)
{
    struct sem_undo_list *l = sem_undo_list_of(t);
    struct sem_undo *u;
    int err = -ENOENT;

    if (!l)
        return -ENOMEM;
    mutex_lock(&l->lock);
    list_for_each(u, &l->undos, in_list) {
        if (u->set == set) {
            *out = u;
            err = 0;
            break;
        }
    }
    if (err)
        err = add_locked(l, set, out);
    mutex_unlock(&l->lock);
    return err;
}

/* carry_out() - the process is gone: give back what it took. */
static void carry_out(struct sem_undo *u, struct pid *pid)
{
    struct sem_set *set = u->set;

    mutex_lock(&set->o.lock);
    if (!set->o.removed) {
        list_del(&u->in_set);
        for (u32 i = 0; i < set->n; i++) {
            s32 value = set->sems[i].value + u->adjust[i];

            if (!u->adjust[i])
                continue;
            set->sems[i].value = min_of(max_of(value, 0), SEM_VALUE_MAX);
            sem_pid_locked(&set->sems[i], pid);
        }
        set->otime = ipc_now();
        sem_changed_locked(set);
    }
    mutex_unlock(&set->o.lock);
    undo_free(u);
}

void sem_exit(struct task *t)
{
    struct sem_undo_list *l = t->sem_undo;
    struct sem_undo *u, *tmp;

    if (!l)
        return;
    set_list(t, NULL);
    if (obj_drop_(&l->obj)) {
        list_for_each_safe(u, tmp, &l->undos, in_list)
            carry_out(u, t->tg->pid);
        undo_list_free(&l->obj);
    }
}
