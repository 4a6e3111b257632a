/*
 * Filters of inet_diag: what `ss sport = :22` and its like send along. A filter is a list of operations,
 * each of which goes on `yes` or `no` bytes further; whoever arrives at its end exactly is let through.
 * Jumps lead forward only and, checked once, to where an operation begins, so a run ends.
 */
#include "sentry/socket/netlink/nl_diag.h"

#include "sentry/abi/lx_socket.h"

#include <errno.h>
#include <string.h>

enum { OP = sizeof(struct lx_inet_diag_bc_op), WORD = 4, ADDR4 = 4, ADDR6 = 16 };

static struct lx_inet_diag_bc_op op_at(const u8 *p)
{
    struct lx_inet_diag_bc_op op;

    memcpy(&op, p, sizeof(op));
    return op;
}

static u32 word_at(const u8 *p)
{
    u32 v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* port_at() - it stands where an operation's `no` would. */
static u16 port_at(const u8 *arg)
{
    return op_at(arg).no;
}

/* host_size() - of a condition on an address, `left` bytes being there; 0: it is none. */
static u32 host_size(const u8 *p, u32 left)
{
    struct lx_inet_diag_hostcond h;
    u32 addr;

    if (left < OP + sizeof(h))
        return 0;
    memcpy(&h, p + OP, sizeof(h));
    switch (h.family) {
    case LX_AF_UNSPEC:
        addr = 0;
        break;
    case LX_AF_INET:
        addr = ADDR4;
        break;
    case LX_AF_INET6:
        addr = ADDR6;
        break;
    default:
        return 0;
    }
    if (h.prefix_len > 8 * addr || left < OP + sizeof(h) + addr)
        return 0;
    return OP + (u32)sizeof(h) + addr;
}

/* op_size() - an operation with its arguments; 0: it is none. */
static u32 op_size(const u8 *p, u32 left)
{
    u32 size = OP;

    switch (op_at(p).code) {
    case LX_INET_DIAG_BC_NOP:
    case LX_INET_DIAG_BC_JMP:
    case LX_INET_DIAG_BC_AUTO:
        break;
    case LX_INET_DIAG_BC_S_COND:
    case LX_INET_DIAG_BC_D_COND:
        return host_size(p, left);
    case LX_INET_DIAG_BC_DEV_COND:
    case LX_INET_DIAG_BC_S_GE:
    case LX_INET_DIAG_BC_S_LE:
    case LX_INET_DIAG_BC_D_GE:
    case LX_INET_DIAG_BC_D_LE:
    case LX_INET_DIAG_BC_S_EQ:
    case LX_INET_DIAG_BC_D_EQ:
        size += WORD;
        break;
    case LX_INET_DIAG_BC_MARK_COND:
        size += 2 * WORD;
        break;
    default:
        return 0;
    }
    return size <= left ? size : 0;
}

/* begins() - does an operation begin where `left` bytes are left, or is that the end? */
static bool begins(const u8 *code, u32 len, u32 left)
{
    while (len > left) {
        u8 yes = op_at(code).yes;

        if (yes < OP || yes % WORD || yes > len)
            return false;
        code += yes;
        len -= yes;
    }
    return len == left;
}

/* A jump of 4 bytes past the end is how a filter says no. */
static bool jump_fits(u32 to, u32 size, u32 left)
{
    return to >= size && to <= left + WORD && to % WORD == 0;
}

int nl_filter_check(const u8 *code, u32 len, bool admin)
{
    const u8 *p = code;
    u32 left = len;

    while (left) {
        struct lx_inet_diag_bc_op op;
        u32 size;

        if (left < OP)
            return -EINVAL;
        op = op_at(p);
        if (op.code == LX_INET_DIAG_BC_MARK_COND && !admin)
            return -EPERM;
        size = op_size(p, left);
        if (!size || !jump_fits(op.yes, size, left) || op.yes > left)
            return -EINVAL;
        if (op.code != LX_INET_DIAG_BC_NOP &&
            (!jump_fits(op.no, size, left) || (op.no < left && !begins(code, len, left - op.no))))
            return -EINVAL;
        p += op.yes;
        left -= op.yes;
    }
    return 0;
}

static bool same_bits(const u8 *a, const u8 *b, u32 bits)
{
    u32 whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* host_fits() - is the endpoint one that the condition means? */
static bool host_fits(const u8 *arg, const struct inet_endpoint *e, u16 family)
{
    struct lx_inet_diag_hostcond h;
    bool four = family == LX_AF_INET;

    memcpy(&h, arg, sizeof(h));
    if (h.port != -1 && h.port != e->port)
        return false;
    if (h.family == LX_AF_INET && inet_addr_is4(&e->addr))
        four = true; /* mapped: an IPv4 condition fits an IPv6 socket */
    else if (h.family != LX_AF_UNSPEC && h.family != family)
        return false;
    return same_bits(four ? e->addr.b + ADDR6 - ADDR4 : e->addr.b, arg + sizeof(h), h.prefix_len);
}

static bool says_yes(const u8 *p, const struct inet_row *r)
{
    const u8 *arg = p + OP;

    switch (op_at(p).code) {
    case LX_INET_DIAG_BC_JMP:
        return false;
    case LX_INET_DIAG_BC_S_GE:
        return r->local.port >= port_at(arg);
    case LX_INET_DIAG_BC_S_LE:
        return r->local.port <= port_at(arg);
    case LX_INET_DIAG_BC_S_EQ:
        return r->local.port == port_at(arg);
    case LX_INET_DIAG_BC_D_GE:
        return r->peer.port >= port_at(arg);
    case LX_INET_DIAG_BC_D_LE:
        return r->peer.port <= port_at(arg);
    case LX_INET_DIAG_BC_D_EQ:
        return r->peer.port == port_at(arg);
    case LX_INET_DIAG_BC_AUTO:
        return !r->bound_port;
    case LX_INET_DIAG_BC_S_COND:
        return host_fits(arg, &r->local, r->family);
    case LX_INET_DIAG_BC_D_COND:
        return host_fits(arg, &r->peer, r->family);
    case LX_INET_DIAG_BC_DEV_COND:
        return word_at(arg) == 0; /* no socket is bound to an interface */
    case LX_INET_DIAG_BC_MARK_COND:
        return (r->mark & word_at(arg + WORD)) == word_at(arg);
    default:
        return true;
    }
}

bool nl_filter_run(const u8 *code, u32 len, const struct inet_row *r)
{
    while (len) {
        struct lx_inet_diag_bc_op op = op_at(code);
        u32 step = says_yes(code, r) ? op.yes : op.no;

        if (step > len)
            return false;
        code += step;
        len -= step;
    }
    return true;
}
