/*
 * A pipe's content: a list of stretches. Capacity is counted in pages, as Linux does: a stretch
 * takes the pages that it lies on, and small writes are added to the last page.
 */
#include "fs/pipe/pipe_priv.h"

#include <stdlib.h>
#include <string.h>

static u32 pages_of(const struct pipe_buf *b)
{
    u32 page = (u32)GUEST_PAGE_SIZE;

    return b->len ? (b->off + b->len - 1) / page - b->off / page + 1 : 0;
}

struct pipe_buf *buf_new(u32 n)
{
    u32 cap = (u32)page_up(max_of(n, 1u));
    struct pipe_buf *b = malloc(sizeof(*b) + cap);

    if (!b)
        return NULL;
    list_init(&b->node);
    b->cap = cap;
    b->off = b->len = 0;
    b->packet = false;
    return b;
}

struct pipe_buf *buf_get_locked(struct pipe *p, u32 n)
{
    for (u32 i = 0; i < PIPE_SPARES; i++) {
        struct pipe_buf *b = p->spare[i];

        if (!b || b->cap < n || b->cap - n >= 4 * GUEST_PAGE_SIZE)
            continue;
        p->spare[i] = NULL;
        b->off = b->len = 0;
        b->packet = false;
        return b;
    }
    return NULL;
}

bool buf_keep_locked(struct pipe *p, struct pipe_buf *b)
{
    for (u32 i = 0; i < PIPE_SPARES; i++) {
        if (p->spare[i])
            continue;
        p->spare[i] = b;
        return true;
    }
    return false;
}

void buf_free_list(struct list_node *dead)
{
    while (!list_empty(dead)) {
        struct pipe_buf *b = list_entry(dead->next, struct pipe_buf, node);

        list_del(&b->node);
        free(b);
    }
}

static struct pipe_buf *last(const struct pipe *p)
{
    return list_empty(&p->bufs) ? NULL : list_entry(p->bufs.prev, struct pipe_buf, node);
}

/* tail_room() - bytes that fit on the page where the content ends. */
static u32 tail_room(const struct pipe *p)
{
    const struct pipe_buf *b = last(p);

    return b && !b->packet ? b->cap - (b->off + b->len) : 0;
}

static u64 free_pages(const struct pipe *p)
{
    return p->pages < p->max_pages ? p->max_pages - p->pages : 0;
}

u64 buf_room_locked(const struct pipe *p, u64 want, bool packet)
{
    u64 room = free_pages(p) * GUEST_PAGE_SIZE;

    if (packet)
        return room ? min_of(want, (u64)LX_PIPE_BUF) : 0;
    if (want <= LX_PIPE_BUF)
        return room || want <= tail_room(p) ? want : 0;
    return min_of(want, room);
}

/* merge() - b's bytes onto the last page. */
static void merge(struct pipe *p, const struct pipe_buf *b)
{
    struct pipe_buf *tail = last(p);
    u32 was = pages_of(tail);

    memcpy(tail->data + tail->off + tail->len, b->data + b->off, b->len);
    tail->len += b->len;
    p->bytes += b->len;
    p->pages += pages_of(tail) - was;
}

static void link_buf(struct pipe *p, struct pipe_buf *b)
{
    list_add_tail(&p->bufs, &b->node);
    p->bytes += b->len;
    p->pages += pages_of(b);
}

/* split() - the first n bytes of b as a stretch of their own; NULL: out of memory. */
static struct pipe_buf *split(struct pipe_buf *b, u32 n)
{
    struct pipe_buf *front = buf_new(n);

    if (!front)
        return NULL;
    memcpy(front->data, b->data + b->off, n);
    front->len = n;
    b->off += n;
    b->len -= n;
    return front;
}

void buf_append_locked(struct pipe *p, struct pipe_buf **bp, bool atomic)
{
    struct pipe_buf *b = *bp, *front;
    u64 room;

    if (!b->packet && b->len <= tail_room(p)) {
        merge(p, b);
        if (!buf_keep_locked(p, b))
            free(b);
        *bp = NULL;
        return;
    }
    room = free_pages(p);
    if (pages_of(b) <= room) {
        link_buf(p, b);
        *bp = NULL;
    } else if (!atomic && room) {
        /* Other writers came in between: what fits goes in, by copy. */
        front = split(b, (u32)(room * GUEST_PAGE_SIZE));
        if (front)
            link_buf(p, front);
    }
}

struct pipe_buf *buf_take_locked(struct pipe *p)
{
    struct pipe_buf *b = list_entry(p->bufs.next, struct pipe_buf, node);

    list_del(&b->node);
    p->bytes -= b->len;
    p->pages -= pages_of(b);
    return b;
}

void buf_return_locked(struct pipe *p, struct pipe_buf *b)
{
    list_add(&p->bufs, &b->node);
    p->bytes += b->len;
    p->pages += pages_of(b);
}

size_t buf_peek_locked(const struct pipe *p, void *dst, size_t n)
{
    const struct pipe_buf *b;
    size_t done = 0;

    list_for_each(b, &p->bufs, node) {
        size_t part = min_of((size_t)b->len, n - done);

        memcpy((u8 *)dst + done, b->data + b->off, part);
        done += part;
        if (done == n || b->packet)
            break;
    }
    return done;
}

size_t buf_gather_locked(struct pipe *p, void *dst, size_t n, struct list_node *dead)
{
    size_t done = 0;

    while (done < n && !list_empty(&p->bufs)) {
        struct pipe_buf *b = list_entry(p->bufs.next, struct pipe_buf, node);
        u32 part = (u32)min_of((size_t)b->len, n - done), was = pages_of(b);
        bool packet = b->packet;

        memcpy((u8 *)dst + done, b->data + b->off, part);
        done += part;
        if (packet)
            p->bytes -= b->len; /* what a read leaves of a packet is gone */
        else
            p->bytes -= part;
        b->off += part;
        b->len -= packet ? b->len : part;
        p->pages -= was - pages_of(b);
        if (!b->len) {
            list_del(&b->node);
            if (!buf_keep_locked(p, b))
                list_add_tail(dead, &b->node);
        }
        if (packet)
            break;
    }
    return done;
}
