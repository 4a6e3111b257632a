/*
 * The timer heap; see timer.h. A binary heap ordered by deadline under one lock. The thread sleeps
 * on `kick` with the first deadline as its time-out; who arms an earlier one than it sleeps for
 * changes `kick`. No timer: it sleeps without time-out, so an idle sandbox costs nothing.
 */
#include "sentry/time/timer.h"

#include "sentry/base/host_thread.h"
#include "sentry/base/lock.h"

#include <errno.h>
#include <stdlib.h>

static struct mutex lock = MUTEX_INIT(TIMER);
static struct timer **heap; /* heap[0] has the first deadline */
static size_t count, capacity;
static u64 sleeping_until; /* deadline the thread sleeps for; 0 while it is awake */
static atomic_uint kick;
static struct timer *firing; /* whose fire() is being called; compared only, it may be gone */
static atomic_uint done;     /* changes whenever a fire() has returned */

static void heap_set(size_t i, struct timer *t)
{
    heap[i] = t;
    t->at = i + 1;
}

static void heap_up(size_t i)
{
    struct timer *t = heap[i];

    while (i && heap[(i - 1) / 2]->when > t->when) {
        heap_set(i, heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(i, t);
}

static void heap_down(size_t i)
{
    struct timer *t = heap[i];

    for (;;) {
        size_t c = 2 * i + 1;

        if (c >= count)
            break;
        if (c + 1 < count && heap[c + 1]->when < heap[c]->when)
            c++;
        if (heap[c]->when >= t->when)
            break;
        heap_set(i, heap[c]);
        i = c;
    }
    heap_set(i, t);
}

static void heap_remove(struct timer *t)
{
    size_t i = t->at - 1;

    t->at = 0;
    count--;
    if (i == count)
        return;
    heap_set(i, heap[count]);
    heap_up(i);
    heap_down(heap[i]->at - 1);
}

static void *timer_thread(void *arg)
{
    (void)arg;
    mutex_lock(&lock);
    for (;;) {
        u64 next = count ? heap[0]->when : DEADLINE_NEVER;
        unsigned int k;

        if (next <= host_monotonic()) {
            struct timer *t = heap[0];

            heap_remove(t);
            firing = t;
            mutex_unlock(&lock);
            t->fire(t);
            mutex_lock(&lock);
            firing = NULL;
            atomic_fetch_add(&done, 1);
            host_futex_wake(&done, INT32_MAX, false);
            continue;
        }
        sleeping_until = next;
        k = atomic_load(&kick);
        mutex_unlock(&lock);
        host_futex_wait(&kick, k, next, false);
        mutex_lock(&lock);
        sleeping_until = 0;
    }
    return NULL;
}

int timer_start(void)
{
    return host_thread_start("timer", timer_thread, NULL);
}

void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){.fire = fire};
}

int timer_arm(struct timer *t, u64 when)
{
    mutex_lock(&lock);
    if (!t->at) {
        if (count == capacity) {
            size_t cap = capacity ? capacity * 2 : 64;
            struct timer **fresh = reallocarray(heap, cap, sizeof(struct timer *));

            if (!fresh) {
                mutex_unlock(&lock);
                return -ENOMEM;
            }
            heap = fresh;
            capacity = cap;
        }
        heap[count] = t;
        t->at = ++count;
    }
    t->when = when;
    heap_up(t->at - 1);
    heap_down(t->at - 1);
    if (heap[0] == t && when < sleeping_until) {
        sleeping_until = when;
        atomic_fetch_add(&kick, 1);
        host_futex_wake(&kick, 1, false);
    }
    mutex_unlock(&lock);
    return 0;
}

bool timer_cancel(struct timer *t, bool sync)
{
    bool armed;

    mutex_lock(&lock);
    armed = t->at != 0;
    if (armed)
        heap_remove(t);
    while (sync && firing == t) {
        unsigned int d = atomic_load(&done);

        mutex_unlock(&lock);
        host_futex_wait(&done, d, DEADLINE_NEVER, false);
        mutex_lock(&lock);
    }
    mutex_unlock(&lock);
    return armed;
}

void timer_elapse(void)
{
    mutex_lock(&lock);
    for (size_t i = 0; i < count; i++)
        heap[i]->when = 0;
    atomic_fetch_add(&kick, 1);
    host_futex_wake(&kick, 1, false);
    mutex_unlock(&lock);
}
