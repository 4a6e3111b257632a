/*
 * Stopping all tasks of a container where they can't tell: at the boundary between a step and guest
 * code. A task that sleeps in a handler goes on sleeping and stops when the handler ends, so no call
 * is interrupted.
 */
#include "sentry/kernel/task_priv.h"

/* set_stop_locked() - the stop bit of every task of c. pid lock held. */
static void set_stop_locked(struct container *c, bool stop)
{
    struct hash_node *n;
    u32 i;

    hash_for_each(&c->pid_ns->by_number, i, n) {
        struct task *t = container_of(n, struct pid_number, node)->pid->task;

        if (!t || t->tg->container != c)
            continue;
        if (!stop) {
            atomic_fetch_and(&t->work, ~(u32)TASK_WORK_STOP);
            continue;
        }
        atomic_fetch_or(&t->work, TASK_WORK_STOP);
        mutex_lock(&t->tg->lock);
        if (t->thread)
            c->platform->interrupt(t->thread);
        mutex_unlock(&t->tg->lock);
    }
}

/* all_inside() - is every task that has the stop bit in the Sentry? */
static bool all_inside(struct container *c)
{
    struct hash_node *n;
    bool inside = true;
    u32 i;

    pid_lock();
    hash_for_each(&c->pid_ns->by_number, i, n) {
        struct task *t = container_of(n, struct pid_number, node)->pid->task;

        if (!t || t->tg->container != c || atomic_load(&t->state) >= TASK_ZOMBIE)
            continue;
        inside = inside && atomic_load(&t->in_step);
    }
    pid_unlock();
    return inside;
}

void task_stop_all(struct container *c)
{
    struct sleeper own, *was = sleeper_current;

    pid_lock();
    c->stop_tasks = true;
    set_stop_locked(c, true);
    pid_unlock();
    sleeper_init(&own);
    sleeper_current = &own;
    wait_event(&c->changed, 0, DEADLINE_NEVER, all_inside(c));
    sleeper_current = was;
}

void task_resume_all(struct container *c)
{
    pid_lock();
    c->stop_tasks = false;
    set_stop_locked(c, false);
    pid_unlock();
    waitq_wake_all(&c->changed, 0);
}
