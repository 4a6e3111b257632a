/*
 * The gofer's handles. A number is a slot's index (plus one) and the slot's serial, so that a number
 * that has been released is not mistaken for the slot's next tenant. Workers hold a reference while
 * they use a handle; a release in the meantime takes effect with the last of them.
 */
#include "cmd/gofer/handle.h"

#include "sentry/base/host_fd.h"

#include <errno.h>
#include <stdlib.h>

#define NONE UINT32_MAX

void handle_table_init(struct handle_table *t, u32 limit)
{
    *t = (struct handle_table){.limit = limit, .free = NONE};
    mutex_init(&t->lock, LOCK_LEAF);
}

void handle_table_free(struct handle_table *t)
{
    for (u32 i = 0; i < t->count; i++) {
        const struct handle_slot *s = &t->slots[i];

        if ((s->serial & 1) && s->h.kind != HANDLE_NAMED)
            host_close(s->h.fd);
    }
    free(t->slots);
    mutex_destroy(&t->lock);
}

/* slot_new_locked() - a slot that is not in use. Return: its index, -EMFILE, -ENOMEM. */
static s64 slot_new_locked(struct handle_table *t) REQUIRES(t->lock)
{
    u32 i = t->free;

    if (t->used >= t->limit)
        return -EMFILE;
    if (i != NONE) {
        t->free = t->slots[i].next_free;
        return i;
    }
    if (t->count == t->cap) {
        u32 cap = t->cap ? t->cap * 2 : 64;
        struct handle_slot *more = reallocarray(t->slots, cap, sizeof(*more));

        if (!more)
            return -ENOMEM;
        t->slots = more;
        t->cap = cap;
    }
    t->slots[t->count] = (struct handle_slot){.serial = 0};
    return t->count++;
}

int handle_add(struct handle_table *t, const struct handle *h, u64 *number)
{
    struct mutex *auto_unlock lock = mutex_locked(&t->lock);
    s64 i = slot_new_locked(t);
    struct handle_slot *s;

    if (i < 0)
        return (int)i;
    s = &t->slots[i];
    s->h = *h;
    s->serial++;
    s->refs = 0;
    s->doomed = false;
    t->used++;
    *number = (u64)s->serial << 32 | (u64)(i + 1);
    return 0;
}

/* find_locked() - the slot of a number, or NULL. */
static struct handle_slot *find_locked(struct handle_table *t, u64 number) REQUIRES(t->lock)
{
    u32 i = (u32)number - 1, serial = (u32)(number >> 32);

    if (i >= t->count || !(serial & 1) || t->slots[i].serial != serial)
        return NULL;
    return &t->slots[i];
}

/* end_locked() - free the slot. Return: the descriptor to close, or -1. */
static int end_locked(struct handle_table *t, struct handle_slot *s) REQUIRES(t->lock)
{
    s->serial++;
    s->next_free = t->free;
    t->free = (u32)(s - t->slots);
    t->used--;
    return s->h.kind == HANDLE_NAMED ? -1 : s->h.fd;
}

int handle_get(struct handle_table *t, u64 number, struct handle *out)
{
    struct mutex *auto_unlock lock = mutex_locked(&t->lock);
    struct handle_slot *s = find_locked(t, number);

    if (!s || s->doomed)
        return -EBADF;
    s->refs++;
    *out = s->h;
    return 0;
}

void handle_put(struct handle_table *t, u64 number)
{
    struct handle_slot *s;
    int fd = -1;

    mutex_lock(&t->lock);
    s = find_locked(t, number);
    if (s && --s->refs == 0 && s->doomed)
        fd = end_locked(t, s);
    mutex_unlock(&t->lock);
    if (fd >= 0)
        host_close(fd);
}

int handle_release(struct handle_table *t, u64 number)
{
    struct handle_slot *s;
    int fd = -1, r = 0;

    mutex_lock(&t->lock);
    s = find_locked(t, number);
    if (!s || s->doomed)
        r = -EBADF;
    else if (s->refs)
        s->doomed = true;
    else
        fd = end_locked(t, s);
    mutex_unlock(&t->lock);
    if (fd >= 0)
        host_close(fd);
    return r;
}
