/* A ring of bytes; see ring.h. */
#include "fs/tty/ring.h"

#include <string.h>

u32 ring_write(struct ring *r, const u8 *from, u32 n)
{
    u32 at = r->head & (r->size - 1), first;

    n = min_of(n, ring_room(r));
    first = min_of(n, r->size - at);
    memcpy(r->data + at, from, first);
    memcpy(r->data, from + first, n - first);
    r->head += n;
    return n;
}

u32 ring_read(struct ring *r, u8 *to, u32 n)
{
    u32 at = r->tail & (r->size - 1), first;

    n = min_of(n, ring_used(r));
    first = min_of(n, r->size - at);
    memcpy(to, r->data + at, first);
    memcpy(to + first, r->data, n - first);
    r->tail += n;
    return n;
}
