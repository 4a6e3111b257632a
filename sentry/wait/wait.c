/* Sleepers and wait queues; see wait.h. */
#include "sentry/wait/wait.h"

#include <errno.h>

enum { SLEEPER_IDLE, SLEEPER_ARMED, SLEEPER_WOKEN };

_Thread_local struct sleeper *sleeper_current;

void sleeper_init(struct sleeper *s)
{
    atomic_init(&s->state, SLEEPER_IDLE);
    atomic_init(&s->interrupt, false);
    atomic_init(&s->killed, false);
    s->settles = false;
    s->put_off = NULL;
}

void sleeper_arm(struct sleeper *s)
{
    atomic_store(&s->state, SLEEPER_ARMED);
}

static int sleep_until(struct sleeper *s, u64 deadline, atomic_bool *ends)
{
    lock_assert_none();
    wait_settle();
    for (;;) {
        if (atomic_load(&s->state) != SLEEPER_ARMED)
            return 0;
        if (atomic_load(ends))
            return -ERESTARTSYS;
        if (host_futex_wait(&s->state, SLEEPER_ARMED, deadline, false) == -ETIMEDOUT)
            return -ETIMEDOUT;
        if (atomic_load(&s->state) == SLEEPER_IDLE) {
            /* rung by an interrupt only: it is ours if it concerns this kind of sleep */
            if (atomic_load(ends))
                return -ERESTARTSYS;
            return 0;
        }
    }
}

int sleeper_sleep(struct sleeper *s, u64 deadline)
{
    return sleep_until(s, deadline, &s->interrupt);
}

int sleeper_sleep_killable(struct sleeper *s, u64 deadline)
{
    return sleep_until(s, deadline, &s->killed);
}

void sleeper_wake(struct sleeper *s)
{
    if (atomic_exchange(&s->state, SLEEPER_WOKEN) == SLEEPER_ARMED)
        host_futex_wake(&s->state, 1, false);
}

bool sleeper_sleeps(const struct sleeper *s)
{
    return atomic_load(&s->state) == SLEEPER_ARMED;
}

void sleeper_interrupt(struct sleeper *s, bool kill)
{
    unsigned int armed = SLEEPER_ARMED;

    if (kill)
        atomic_store(&s->killed, true);
    atomic_store(&s->interrupt, true);
    if (atomic_compare_exchange_strong(&s->state, &armed, SLEEPER_IDLE))
        host_futex_wake(&s->state, 1, false);
}

/* --- what is put off --- */

void wait_deferred_run(struct wait_deferred *latest)
{
    struct wait_deferred *first = NULL;

    while (latest) {
        struct wait_deferred *next = latest->next;

        latest->next = first;
        first = latest;
        latest = next;
    }
    while (first) {
        struct wait_deferred *d = first;

        first = d->next;
        d->run(d);
    }
}

bool wait_put_off(struct wait_deferred *d)
{
    struct sleeper *s = sleeper_current;

    if (!s || !s->settles)
        return false;
    d->next = s->put_off;
    s->put_off = d;
    return true;
}

void wait_settle(void)
{
    struct sleeper *s = sleeper_current;

    while (unlikely(s->put_off)) {
        struct wait_deferred *latest = s->put_off;

        s->put_off = NULL;
        wait_deferred_run(latest);
    }
}

/* --- queues --- */

void waitq_init(struct waitq *q)
{
    mutex_init(&q->lock, LOCK_WAITQ);
    list_init(&q->entries);
}

void waitq_destroy(struct waitq *q)
{
    mutex_destroy(&q->lock);
}

void waitq_add(struct waitq *q, struct wait_entry *e)
{
    mutex_lock(&q->lock);
    if (e->exclusive)
        list_add_tail(&q->entries, &e->node);
    else
        list_add(&q->entries, &e->node);
    mutex_unlock(&q->lock);
}

void waitq_del(struct waitq *q, struct wait_entry *e)
{
    mutex_lock(&q->lock);
    list_del(&e->node);
    mutex_unlock(&q->lock);
}

/* What the wake()s on this thread have put off, and whether somebody up the stack runs it. */
static _Thread_local struct wait_deferred *deferred;
static _Thread_local bool deferred_runs;

void waitq_defer(struct wait_deferred *d)
{
    d->next = deferred;
    deferred = d;
}

/* run_deferred() - one after the other: what they wake may defer more, but nests no deeper. */
static void run_deferred(void)
{
    if (deferred_runs)
        return;
    deferred_runs = true;
    while (deferred) {
        struct wait_deferred *d = deferred;

        deferred = d->next;
        d->run(d);
    }
    deferred_runs = false;
}

static void wake_entries(struct waitq *q, u32 events, bool all)
{
    struct wait_entry *e, *tmp;

    mutex_lock(&q->lock);
    list_for_each_safe(e, tmp, &q->entries, node) {
        if (e->events && !(e->events & events))
            continue;
        if (e->wake(e, events) && e->exclusive && !all)
            break;
    }
    mutex_unlock(&q->lock);
    if (unlikely(deferred))
        run_deferred();
}

void waitq_wake(struct waitq *q, u32 events)
{
    wake_entries(q, events, false);
}

void waitq_wake_all(struct waitq *q, u32 events)
{
    wake_entries(q, events, true);
}

bool waitq_active(struct waitq *q)
{
    bool active;

    mutex_lock(&q->lock);
    active = !list_empty(&q->entries);
    mutex_unlock(&q->lock);
    return active;
}

static bool wake_sleeper(struct wait_entry *e, u32 events)
{
    (void)events;
    sleeper_wake(e->sleeper);
    return true;
}

void wait_entry_init(struct wait_entry *e, u32 events)
{
    *e = (struct wait_entry){.events = events, .wake = wake_sleeper, .sleeper = sleeper_current};
    list_init(&e->node);
}
