/*
 * What is still alive when a sandbox ends, by type (sentry/base/obj.h). Tasks that were killed with
 * their init, and file systems that let go of their last files, take a moment: the counts are
 * looked at until they are what they were before, for some seconds. Timers that hold something,
 * such as a connection in TIME_WAIT, fire at once.
 */
#include "cmd/sandbox/leaks.h"

#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"
#include "sentry/base/obj.h"
#include "sentry/kernel/container.h"
#include "sentry/time/timer.h"

#include <stdio.h>

enum { TYPES_MAX = 128, PATIENCE_MS = 10000 };

static struct baseline {
    const struct obj_type *type;
    u64 live;
} before[TYPES_MAX];
static u32 nbefore;

void leaks_baseline(void)
{
    for (struct obj_type *t = obj_types(); DEBUG_CHECKS && t && nbefore < TYPES_MAX; t = t->next)
        before[nbefore++] = (struct baseline){t, atomic_load(&t->live)};
}

static u64 allowed(const struct obj_type *type)
{
    for (u32 i = 0; i < nbefore; i++) {
        if (before[i].type == type)
            return before[i].live;
    }
    return 0;
}

/* left() - name what is too much, as far as there is room. Return: how many types. */
static u32 left(char *text, size_t cap)
{
    u32 types = 0;
    size_t len = 0;

    text[0] = '\0';
    for (struct obj_type *t = obj_types(); t; t = t->next) {
        u64 live = atomic_load(&t->live), may = allowed(t);

        if (live <= may)
            continue;
        types++;
        if (len < cap)
            len += (size_t)snprintf(text + len, cap - len, " %llu %s",
                                    (unsigned long long)(live - may), t->name);
    }
    return types;
}

/* pause_10ms() - Return: 10. */
static u32 pause_10ms(void)
{
    atomic_uint nobody = 0; /* wakes this */

    host_futex_wait(&nobody, 0, host_monotonic() + NS_PER_SEC / 100, false);
    return 10;
}

void leaks_check(struct container *c)
{
    char text[512];
    u32 ms = 0;

    if (!DEBUG_CHECKS)
        return;
    container_shut(c);
    /* Its last reference is put here: the thread of its last task could not wait for its own end. */
    while (atomic_load(&c->obj.count) > 1 && ms < PATIENCE_MS)
        ms += pause_10ms();
    if (ms < PATIENCE_MS)
        container_put(c);
    timer_elapse(); /* TIME_WAITs and the like hold their namespace */
    while (left(text, sizeof(text)) && ms < PATIENCE_MS)
        ms += pause_10ms();
    if (ms >= PATIENCE_MS)
        panic("objects left at the end of the sandbox:%s", text);
}
