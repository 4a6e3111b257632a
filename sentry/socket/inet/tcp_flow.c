/* One direction of a connection: its bytes; see tcp_loop.h. */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/base/limits.h"

#include <stdlib.h>
#include <string.h>

/* Bytes in all flows of the sandbox: past LIMIT_TCP_BYTES each flow has only TCP_POOR. */
static _Atomic(u64) tcp_bytes;

void tcp_flow_init(struct tcp_flow *f)
{
    mutex_init(&f->lock, LOCK_INET_QUEUE);
    list_init(&f->blocks);
    f->window = TCP_WINDOW;
    f->sndbuf = TCP_SNDBUF_CONNECTED;
    f->lowat_unsent = UINT32_MAX;
}

static void block_free(struct tcp_block *b)
{
    if (b)
        tcp_bytes -= b->cap;
    free(b);
}

struct tcp_block *tcp_block_new(u32 len)
{
    u32 cap = max_of(len, (u32)TCP_BLOCK_MIN);
    struct tcp_block *b = malloc(sizeof(*b) + cap);

    if (!b)
        return NULL;
    tcp_bytes += cap;
    list_init(&b->node);
    b->cap = cap;
    b->off = b->len = 0;
    return b;
}

void tcp_flow_destroy(struct tcp_flow *f)
{
    struct tcp_block *b;

    while ((b = list_first(&f->blocks, struct tcp_block, node))) {
        list_del(&b->node);
        block_free(b);
    }
    block_free(f->spare);
    mutex_destroy(&f->lock);
}

u64 tcp_flow_queued(const struct tcp_flow *f)
{
    return f->written - f->read;
}

u64 tcp_flow_received(const struct tcp_flow *f)
{
    return min_of(tcp_flow_queued(f), (u64)f->window);
}

u64 tcp_flow_unacked(const struct tcp_flow *f)
{
    return tcp_flow_queued(f) - tcp_flow_received(f);
}

static bool mark_ahead(const struct tcp_flow *f)
{
    return f->urgent != TCP_URG_NONE && f->urgent_at >= f->read;
}

u64 tcp_flow_readable(const struct tcp_flow *f, bool oob_inline)
{
    u64 n = tcp_flow_queued(f);

    return n && !oob_inline && mark_ahead(f) && f->urgent_at == f->read ? n - 1 : n;
}

static u64 limit_of(const struct tcp_flow *f)
{
    if (unlikely(tcp_bytes > LIMIT_TCP_BYTES))
        return TCP_POOR;
    return (u64)f->window + f->sndbuf;
}

u64 tcp_flow_room(const struct tcp_flow *f)
{
    u64 limit = limit_of(f), queued = tcp_flow_queued(f);

    if (tcp_flow_unacked(f) >= f->lowat_unsent)
        return 0;
    return queued < limit ? limit - queued : 0;
}

bool tcp_flow_writable(const struct tcp_flow *f)
{
    u64 unacked = tcp_flow_unacked(f);

    if (limit_of(f) == TCP_POOR)
        return tcp_flow_queued(f) < TCP_POOR;
    return unacked <= (u64)f->sndbuf * 2 / 3 && unacked < f->lowat_unsent;
}

void tcp_flow_put(struct tcp_flow *f, struct tcp_block *b)
{
    struct tcp_block *last =
        list_empty(&f->blocks) ? NULL : list_entry(f->blocks.prev, struct tcp_block, node);

    f->written += b->len;
    if (last && last->cap - last->off - last->len >= b->len) {
        memcpy(last->data + last->off + last->len, b->data + b->off, b->len);
        last->len += b->len;
        tcp_block_keep(f, b);
        return;
    }
    list_add_tail(&f->blocks, &b->node);
}

void tcp_block_keep(struct tcp_flow *f, struct tcp_block *b)
{
    if (f->spare || b->cap != TCP_BLOCK_MIN) {
        block_free(b);
        return;
    }
    b->off = b->len = 0;
    f->spare = b;
}

struct tcp_block *tcp_block_spare(struct tcp_flow *f, u32 len)
{
    return f->spare && f->spare->cap >= len ? take(f->spare) : NULL;
}

void tcp_block_drop(struct tcp_block *b)
{
    block_free(b);
}

void tcp_flow_drop(struct tcp_flow *f, u64 keep)
{
    u64 seen = 0;
    struct tcp_block *b, *next;

    if (f->reading && keep) /* the reader has the first of it: nobody can tell where `keep` ends */
        return;
    list_for_each_safe(b, next, &f->blocks, node) {
        u64 part = seen < keep ? min_of((u64)b->len, keep - seen) : 0;

        f->written -= b->len - part;
        b->len = (u32)part;
        seen += part;
        if (part)
            continue;
        list_del(&b->node);
        block_free(b);
    }
}
