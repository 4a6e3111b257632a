/* A ring of bytes of fixed size. No locks: whoever embeds it has one. */
#pragma once

#include "sentry/base/types.h"

struct ring {
    u8 *data; /* borrowed: `size` bytes, a power of two */
    u32 size;
    u32 head, tail; /* run on for ever: used is head - tail */
};

static inline u32 ring_used(const struct ring *r)
{
    return r->head - r->tail;
}

static inline u32 ring_room(const struct ring *r)
{
    return r->size - ring_used(r);
}

/* ring_put() - one byte; the caller has looked for room. ring_get(): likewise, for a byte. */
static inline void ring_put(struct ring *r, u8 c)
{
    r->data[r->head++ & (r->size - 1)] = c;
}

static inline u8 ring_get(struct ring *r)
{
    return r->data[r->tail++ & (r->size - 1)];
}

/* ring_write(), ring_read() - as much as there is room, or are bytes, for. Return: bytes. */
u32 ring_write(struct ring *r, const u8 *from, u32 n);
u32 ring_read(struct ring *r, u8 *to, u32 n);
