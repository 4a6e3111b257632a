/* Operations on semaphores, at once or on behalf of sleepers; see sem.h. */
#include "sentry/ipc/sem.h"
#include "sentry/kernel/pid.h"

#include <errno.h>

void sem_pid_locked(struct sem *sem, struct pid *pid)
{
    struct pid *old = sem->pid;

    if (old == pid)
        return;
    sem->pid = pid_get(pid);
    pid_put(old);
}

/* undo_ops() - take the first n operations back. */
static void undo_ops(struct sem_set *set, const struct sem_sleeper *s, u32 n)
{
    while (n--) {
        const struct lx_sembuf *op = &s->ops[n];

        set->sems[op->num].value -= op->op;
        if (op->flags & LX_SEM_UNDO)
            s->undo->adjust[op->num] = (s16)(s->undo->adjust[op->num] + op->op);
    }
}

/* do_op() - Return: 0, 1 it must wait, -ERANGE. */
static int do_op(struct sem_set *set, const struct lx_sembuf *op, struct sem_undo *undo)
{
    struct sem *sem = &set->sems[op->num];
    s32 value = sem->value + op->op, adjust;

    if ((!op->op && sem->value) || value < 0)
        return 1;
    if (value > SEM_VALUE_MAX)
        return -ERANGE;
    if (op->flags & LX_SEM_UNDO) {
        adjust = undo->adjust[op->num] - op->op;
        if (adjust < -SEM_VALUE_MAX - 1 || adjust > SEM_VALUE_MAX)
            return -ERANGE;
        undo->adjust[op->num] = (s16)adjust;
    }
    sem->value = value;
    return 0;
}

int sem_try_locked(struct sem_set *set, const struct sem_sleeper *s,
                   const struct lx_sembuf **blocking)
{
    int r = 0;

    for (u32 i = 0; i < s->nops; i++) {
        r = do_op(set, &s->ops[i], s->undo);
        if (!r)
            continue;
        undo_ops(set, s, i);
        if (r == 1 && (s->ops[i].flags & LX_IPC_NOWAIT))
            return -EAGAIN;
        *blocking = &s->ops[i];
        return r;
    }
    for (u32 i = 0; i < s->nops; i++)
        sem_pid_locked(&set->sems[s->ops[i].num], s->pid);
    set->otime = ipc_now();
    return 0;
}

/* serve_locked() - the first sleeper of a kind that can go on goes on. Return: it changed a value. */
static bool serve_locked(struct sem_set *set, bool altering)
{
    struct sem_sleeper *s, *tmp;

    list_for_each_safe(s, tmp, &set->sleepers, w.node) {
        int r;

        if (s->alters != altering)
            continue;
        r = sem_try_locked(set, s, &s->blocking);
        if (r == 1)
            continue;
        ipc_wake_locked(&s->w, r);
        if (!r && altering)
            return true;
    }
    return false;
}

void sem_changed_locked(struct sem_set *set)
{
    /* Who only waits for zero goes first, else the next one might take it away again. */
    do {
        serve_locked(set, false);
    } while (serve_locked(set, true));
}
