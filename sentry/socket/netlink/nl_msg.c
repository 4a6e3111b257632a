/* Netlink messages: attributes of requests, answers; see netlink.h. */
#include "sentry/socket/netlink/netlink_priv.h"

#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(u64) total; /* bytes of all packets there are */

static u32 aligned(u32 n)
{
    return (n + 3) & ~3u;
}

int nl_parse(const void *data, u32 len, struct nl_attrs *out)
{
    const u8 *p = data;

    *out = (struct nl_attrs){0};
    while (len >= sizeof(struct lx_nlattr)) {
        struct lx_nlattr at;
        u32 type, step;

        memcpy(&at, p, sizeof(at));
        type = at.type & LX_NLA_TYPE_MASK;
        if (at.len < sizeof(at) || at.len > len)
            return -EINVAL;
        if (type < NL_ATTRS)
            out->attr[type] = (const struct lx_nlattr *)(const void *)p;
        step = min_of(aligned(at.len), len);
        p += step;
        len -= step;
    }
    return 0;
}

const void *nl_payload(const struct nl_attrs *a, u32 type, u32 len)
{
    const struct lx_nlattr *at = type < NL_ATTRS ? a->attr[type] : NULL;

    return at && at->len == sizeof(*at) + len ? at + 1 : NULL;
}

u32 nl_u32(const struct nl_attrs *a, u32 type, u32 otherwise)
{
    const void *p = nl_payload(a, type, sizeof(u32));

    if (p)
        memcpy(&otherwise, p, sizeof(otherwise));
    return otherwise;
}

/* --- answers --- */

static struct nl_packet *last(struct nl_answer *a)
{
    return list_empty(&a->packets) ? NULL : list_entry(a->packets.prev, struct nl_packet, node);
}

static u64 size_of(u32 cap)
{
    return sizeof(struct nl_packet) + cap;
}

void nl_packet_free(struct nl_packet *p)
{
    atomic_fetch_sub(&total, size_of(p->cap));
    free(p);
}

struct nl_packet *nl_packet_trim(struct nl_packet *p)
{
    struct nl_packet *small = realloc(p, size_of(p->len));

    if (!small)
        return p;
    atomic_fetch_sub(&total, small->cap - small->len);
    small->cap = small->len;
    return small;
}

static struct nl_packet *packet_new(struct nl_answer *a)
{
    struct nl_packet *p = NULL;

    if (atomic_fetch_add(&total, size_of(NL_DATAGRAM)) < LIMIT_NETLINK_BYTES)
        p = malloc(size_of(NL_DATAGRAM));
    if (!p) {
        atomic_fetch_sub(&total, size_of(NL_DATAGRAM));
        a->failed = true;
        return NULL;
    }
    p->len = 0;
    p->cap = NL_DATAGRAM;
    list_add_tail(&a->packets, &p->node);
    return p;
}

void nl_begin(struct nl_answer *a, u16 type, u16 flags)
{
    struct nl_packet *p = last(a);
    struct lx_nlmsghdr h = {.type = type, .flags = flags, .seq = a->request->seq,
                            .pid = a->sock->pid};

    a->open = NULL;
    if (!p || p->cap - p->len < NL_MESSAGE)
        p = packet_new(a);
    if (!p)
        return;
    a->open = (struct lx_nlmsghdr *)(void *)(p->data + p->len);
    nl_put(a, &h, sizeof(h));
}

void nl_put(struct nl_answer *a, const void *data, u32 len)
{
    struct nl_packet *p = last(a);
    u32 room = aligned(len);

    if (!a->open || !p || p->cap - p->len < room) {
        a->failed = true;
        return;
    }
    memcpy(p->data + p->len, data, len);
    memset(p->data + p->len + len, 0, room - len);
    p->len += room;
}

void nl_end(struct nl_answer *a)
{
    struct nl_packet *p = last(a);

    if (!a->open || !p)
        return;
    a->open->len = (u32)(p->data + p->len - (u8 *)a->open);
    a->count++;
    a->open = NULL;
}

void nl_attr(struct nl_answer *a, u16 type, const void *data, u32 len)
{
    struct lx_nlattr at = {.len = (u16)(sizeof(at) + len), .type = type};

    nl_put(a, &at, sizeof(at));
    if (len)
        nl_put(a, data, len);
}

void nl_attr_u32(struct nl_answer *a, u16 type, u32 value)
{
    nl_attr(a, type, &value, sizeof(value));
}

void nl_attr_u8(struct nl_answer *a, u16 type, u8 value)
{
    nl_attr(a, type, &value, sizeof(value));
}

void nl_attr_text(struct nl_answer *a, u16 type, const char *text)
{
    nl_attr(a, type, text, (u32)strlen(text) + 1);
}
