/* Sessions and process groups: setsid(2), setpgid(2), orphaned groups; see pid.h. */
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

static void session_free(struct obj *o)
{
    struct session *s = container_of(o, struct session, obj);

    pid_put(s->pid);
    free(s);
}

static struct obj_type session_type = {.name = "session", .free = session_free};

static void process_group_free(struct obj *o)
{
    struct process_group *pg = container_of(o, struct process_group, obj);

    session_put(pg->session);
    pid_put(pg->pid);
    free(pg);
}

static struct obj_type process_group_type = {.name = "process_group", .free = process_group_free};

static struct process_group *pgrp_new_locked(struct session *s, struct pid *pid)
{
    struct process_group *pg = calloc(1, sizeof(*pg));

    if (!pg)
        return NULL;
    obj_init(&pg->obj, &process_group_type);
    pg->pid = pid_get(pid);
    pg->session = session_get(s);
    list_init(&pg->members);
    list_add_tail(&s->pgrps, &pg->in_session);
    pid->pgrp = pg;
    return pg;
}

void pgrp_join_locked(struct thread_group *tg, struct process_group *pg)
{
    tg->pgrp = process_group_get(pg);
    list_add_tail(&pg->members, &tg->in_pgrp);
}

void pgrp_leave_locked(struct thread_group *tg)
{
    struct process_group *pg = tg->pgrp;
    struct session *s;

    if (!pg)
        return;
    s = pg->session;
    tg->pgrp = NULL;
    list_del(&tg->in_pgrp);
    if (list_empty(&pg->members)) {
        struct pid *gone = pg->pid;

        list_del(&pg->in_session);
        gone->pgrp = NULL;
        if (list_empty(&s->pgrps)) {
            s->pid->session = NULL;
            if (!s->pid->task)
                pid_release_locked(s->pid);
        }
        if (!gone->task)
            pid_release_locked(gone);
    }
    process_group_put(pg);
}

int session_new_locked(struct thread_group *tg)
{
    struct process_group *pg;
    struct session *s;

    /* A process group of that number exists: setsid(2) EPERM. */
    if (tg->pid->pgrp || tg->pid->session)
        return -EPERM;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    obj_init(&s->obj, &session_type);
    s->pid = pid_get(tg->pid);
    list_init(&s->pgrps);
    pg = pgrp_new_locked(s, tg->pid);
    if (!pg) {
        session_put(s);
        return -ENOMEM;
    }
    s->leader = tg;
    tg->pid->session = s;
    ctty_drop_locked(tg);
    pgrp_leave_locked(tg);
    pgrp_join_locked(tg, pg);
    process_group_put(pg);
    session_put(s); /* its groups hold it */
    return 0;
}

int pgrp_move_locked(struct thread_group *tg, struct pid *pid)
{
    struct process_group *pg = pid->pgrp;

    if (pg == tg->pgrp && pg)
        return 0;
    if (pg) {
        process_group_get(pg);
    } else {
        pg = pgrp_new_locked(tg->pgrp->session, pid);
        if (!pg)
            return -ENOMEM;
    }
    pgrp_leave_locked(tg);
    pgrp_join_locked(tg, pg);
    process_group_put(pg);
    return 0;
}

bool pgrp_orphaned_locked(const struct process_group *pg, const struct thread_group *but)
{
    struct thread_group *tg;

    list_for_each(tg, &pg->members, in_pgrp) {
        if (tg == but || tg->dead || !tg->parent || !tg->parent->pgrp)
            continue;
        if (tg->parent->pgrp != pg && tg->parent->pgrp->session == pg->session)
            return false;
    }
    return true;
}

bool pgrp_has_stopped_locked(const struct process_group *pg)
{
    struct thread_group *tg;
    bool stopped = false;

    list_for_each(tg, &pg->members, in_pgrp) {
        mutex_lock(&tg->lock);
        stopped = tg->stop == GROUP_STOPPED;
        mutex_unlock(&tg->lock);
        if (stopped)
            break;
    }
    return stopped;
}
