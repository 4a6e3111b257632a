/*
 * Pids, process groups and sessions; see pid.h.
 *
 * One lock guards the tables of all namespaces and the process tree, as Linux's tasklist_lock does:
 * fork, exit, wait and job control take it; a system call that does not look for another process
 * does not.
 */
#include "sentry/kernel/pid.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/limits.h"
#include "sentry/base/lock.h"
#include "sentry/cred/cred.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

enum { PID_RESERVED = 300 }; /* after the first wrap, low numbers are left out (as Linux does) */

static struct mutex lock = MUTEX_INIT(PIDNS);

void pid_lock(void)
{
    mutex_lock(&lock);
}

void pid_unlock(void)
{
    mutex_unlock(&lock);
}

static void pid_ns_free(struct obj *o)
{
    struct pid_ns *ns = container_of(o, struct pid_ns, obj);

    pid_ns_put(ns->parent);
    user_ns_put(ns->user_ns);
    hash_free(&ns->by_number);
    free(ns);
}

static struct obj_type pid_ns_type = {.name = "pid_ns", .free = pid_ns_free};

struct pid_ns *pid_ns_new(struct pid_ns *parent, struct user_ns *user_ns)
{
    struct pid_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &pid_ns_type);
    ns->parent = pid_ns_get(parent);
    ns->user_ns = user_ns_get(user_ns);
    ns->level = parent ? parent->level + 1 : 0;
    return ns;
}

static void pid_free(struct obj *o)
{
    struct pid *p = container_of(o, struct pid, obj);

    waitq_destroy(&p->fate_wait);
    pid_ns_put(p->ns);
    free(p);
}

static struct obj_type pid_type = {.name = "pid", .free = pid_free};

static struct pid_number *find_number(struct pid_ns *ns, s32 nr)
{
    struct hash_node *n = hash_first(&ns->by_number, hash_u64((u32)nr));

    for (; n; n = hash_next(n)) {
        struct pid_number *pn = container_of(n, struct pid_number, node);

        if (pn->nr == nr)
            return pn;
    }
    return NULL;
}

/* take_number_locked() - the next free number of a namespace for pn. Return: 0, -EAGAIN, -ENOMEM. */
static int take_number_locked(struct pid_ns *ns, struct pid_number *pn)
{
    s32 nr = ns->last;
    int err;

    if (ns->count >= PID_MAX - PID_RESERVED)
        return -EAGAIN;
    do {
        nr = nr + 1 < PID_MAX ? nr + 1 : PID_RESERVED;
    } while (find_number(ns, nr));
    pn->nr = nr;
    err = hash_insert(&ns->by_number, &pn->node, hash_u64((u32)nr));
    if (err < 0)
        return err;
    pn->ns = ns;
    ns->last = nr;
    ns->count++;
    return 0;
}

static void drop_number_locked(struct pid_number *pn)
{
    if (!pn->ns)
        return;
    hash_remove(&pn->ns->by_number, &pn->node);
    pn->ns->count--;
    /* A first process that came to nothing: the next one is the init. */
    if (!pn->ns->count && !pn->ns->init && !pn->ns->dying)
        pn->ns->last = 0;
    pn->ns = NULL;
}

int pid_alloc(struct pid_ns *ns, struct pid **out)
{
    struct pid *p = calloc(1, sizeof(*p) + (ns->level + 1) * sizeof(p->numbers[0]));
    int err = 0;

    if (!p)
        return -ENOMEM;
    obj_init(&p->obj, &pid_type);
    p->ns = pid_ns_get(ns);
    p->level = ns->level;
    waitq_init(&p->fate_wait);
    pid_lock();
    if (ns->dying)
        err = -ENOMEM; /* as Linux: fork in a namespace whose init is gone */
    for (struct pid_ns *at = ns; at && !err; at = at->parent) {
        p->numbers[at->level].pid = p;
        err = take_number_locked(at, &p->numbers[at->level]);
    }
    if (err)
        pid_release_locked(p);
    pid_unlock();
    if (err) {
        pid_put(p);
        return err;
    }
    *out = p;
    return 0;
}

void pid_release_locked(struct pid *p)
{
    p->task = NULL;
    if (p->pgrp || p->session || p->tg)
        return; /* the number is still a group's or session's: they release it */
    for (u32 i = 0; i <= p->level; i++)
        drop_number_locked(&p->numbers[i]);
}

void pid_set_fate_locked(struct pid *p, enum pid_fate fate)
{
    atomic_store(&p->fate, fate);
    waitq_wake_all(&p->fate_wait, LX_POLLIN | LX_POLLRDNORM);
}

s32 pid_nr(const struct pid *p, const struct pid_ns *ns)
{
    if (!p || p->level < ns->level || p->numbers[ns->level].ns != ns)
        return 0;
    return p->numbers[ns->level].nr;
}

s32 pid_was_nr(const struct pid *p, const struct pid_ns *ns)
{
    const struct pid_ns *at = p ? p->ns : NULL;

    while (at && at != ns)
        at = at->parent;
    return at ? p->numbers[at->level].nr : 0;
}

struct pid *pid_find_locked(struct pid_ns *ns, s32 nr)
{
    struct pid_number *pn = nr > 0 ? find_number(ns, nr) : NULL;

    return pn ? pn->pid : NULL;
}

struct task *pid_find_task(struct pid_ns *ns, s32 nr)
{
    struct task *t = NULL;
    struct pid *p;

    pid_lock();
    p = pid_find_locked(ns, nr);
    if (p)
        t = task_get(p->task);
    pid_unlock();
    return t;
}

struct thread_group *pid_find_group(struct pid_ns *ns, s32 nr)
{
    struct thread_group *tg = NULL;
    struct pid *p;

    pid_lock();
    p = pid_find_locked(ns, nr);
    if (p)
        tg = thread_group_get(p->tg);
    pid_unlock();
    return tg;
}

s32 pid_next_group(struct pid_ns *ns, s32 from)
{
    struct hash_node *h;
    s32 best = -1;
    u32 i;

    pid_lock();
    hash_for_each(&ns->by_number, i, h) {
        const struct pid_number *n = container_of(h, struct pid_number, node);

        if (n->nr >= from && n->pid->tg && (best < 0 || n->nr < best))
            best = n->nr;
    }
    pid_unlock();
    return best;
}
