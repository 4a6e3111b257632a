/* IP addresses and their guest forms; see inet_addr.h. */
#include "sentry/socket/inet/inet_addr.h"

#include <errno.h>
#include <string.h>

#define V4_PREFIX 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff

const struct inet_addr inet_addr_any4 = {{V4_PREFIX}};
const struct inet_addr inet_addr_lo4 = {{V4_PREFIX, 127, 0, 0, 1}};
const struct inet_addr inet_addr_any6;
const struct inet_addr inet_addr_lo6 = {{[15] = 1}};

enum { SOCKADDR_IN6_OLD = 24 }; /* RFC 2133's, without a scope */

bool inet_addr_is4(const struct inet_addr *a)
{
    return !memcmp(a->b, inet_addr_any4.b, 12);
}

bool inet_addr_equal(const struct inet_addr *a, const struct inet_addr *b)
{
    return !memcmp(a->b, b->b, sizeof(a->b));
}

bool inet_addr_is_any(const struct inet_addr *a)
{
    return inet_addr_equal(a, &inet_addr_any4) || inet_addr_equal(a, &inet_addr_any6);
}

bool inet_addr_is_multicast(const struct inet_addr *a)
{
    return inet_addr_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool inet_addr_is_linklocal6(const struct inet_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

struct inet_addr inet_addr_of4(u32 addr)
{
    struct inet_addr a = inet_addr_any4;

    memcpy(a.b + 12, &addr, sizeof(addr));
    return a;
}

u32 inet_addr_to4(const struct inet_addr *a)
{
    u32 addr;

    memcpy(&addr, a->b + 12, sizeof(addr));
    return addr;
}

static u16 swap16(u16 v)
{
    return __builtin_bswap16(v);
}

int inet_endpoint_of(const struct socket_addr *from, u16 family, struct inet_endpoint *out)
{
    *out = (struct inet_endpoint){0};
    if (from->len < sizeof(from->family))
        return -EINVAL;
    if (family == LX_AF_INET) {
        if (from->len < sizeof(from->in))
            return -EINVAL;
        if (from->family != LX_AF_INET)
            return -EAFNOSUPPORT;
        out->addr = inet_addr_of4(from->in.addr);
        out->port = swap16(from->in.port);
        return 0;
    }
    if (from->len < SOCKADDR_IN6_OLD)
        return -EINVAL;
    if (from->family != LX_AF_INET6)
        return -EAFNOSUPPORT;
    memcpy(out->addr.b, from->in6.addr, sizeof(out->addr.b));
    out->port = swap16(from->in6.port);
    if (from->len >= sizeof(from->in6) && inet_addr_is_linklocal6(&out->addr))
        out->scope = from->in6.scope_id;
    return 0;
}

void inet_endpoint_to(const struct inet_endpoint *e, u16 family, struct socket_addr *out)
{
    *out = (struct socket_addr){0};
    if (family == LX_AF_INET) {
        out->len = sizeof(out->in);
        out->in.family = LX_AF_INET;
        out->in.port = swap16(e->port);
        out->in.addr = inet_addr_to4(&e->addr);
        return;
    }
    out->len = sizeof(out->in6);
    out->in6.family = LX_AF_INET6;
    out->in6.port = swap16(e->port);
    out->in6.scope_id = e->scope;
    memcpy(out->in6.addr, e->addr.b, sizeof(e->addr.b));
}
