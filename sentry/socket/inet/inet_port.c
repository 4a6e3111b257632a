/* Bound ports and connections by address; see inet_port.h. */
#include "sentry/socket/inet/inet_port.h"

#include "sentry/base/host_mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static u64 port_hash(enum inet_table table, u16 number)
{
    return hash_u64((u64)table << 16 | number);
}

struct inet_port *inet_find_port(struct inet_ns *ns, enum inet_table table, u16 number)
{
    struct hash_node *n = hash_first(&ns->ports, port_hash(table, number));

    for (; n; n = hash_next(n)) {
        struct inet_port *p = container_of(n, struct inet_port, by_number);

        if (p->table == table && p->number == number)
            return p;
    }
    return NULL;
}

static struct inet_port *make_port(struct inet_ns *ns, enum inet_table table, u16 number)
{
    struct inet_port *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->table = table;
    p->number = number;
    list_init(&p->binds);
    if (hash_insert(&ns->ports, &p->by_number, port_hash(table, number)) < 0) {
        free(p);
        return NULL;
    }
    return p;
}

u16 inet_bind_number(const struct inet_bind *b)
{
    return b->port ? b->port->number : 0;
}

/* overlap() - can one packet be for both? */
static bool overlap(const struct inet_bind *a, const struct inet_bind *b)
{
    bool a4 = inet_addr_is4(&a->addr), b4 = inet_addr_is4(&b->addr);

    if (a->dev && b->dev && a->dev != b->dev)
        return false;
    if (inet_addr_equal(&a->addr, &b->addr))
        return true;
    if (a4 == b4)
        return inet_addr_is_any(&a->addr) || inet_addr_is_any(&b->addr);
    if (a4)
        return inet_addr_is_any(&b->addr) && !b->v6only;
    return inet_addr_is_any(&a->addr) && !a->v6only;
}

/* may_share() - may `a` have the port beside `b`, which has it? */
static bool may_share(enum inet_table table, const struct inet_bind *a, const struct inet_bind *b)
{
    bool listens = table == INET_TCP && b->listening;

    if (a->reuseaddr && b->reuseaddr && !listens)
        return true;
    return a->reuseport && b->reuseport && (a->uid == b->uid || b->waiting);
}

static bool conflicts(const struct inet_port *p, const struct inet_bind *b)
{
    const struct inet_bind *other;

    list_for_each(other, &p->binds, node) {
        if (other != b && overlap(b, other) && !may_share(p->table, b, other))
            return true;
    }
    return false;
}

static void link_bind(struct inet_port *p, struct inet_bind *b)
{
    b->port = p;
    list_add_tail(&p->binds, &b->node);
    p->count++;
    p->chosen += b->chosen;
}

/* claim() - `number`, which b may have. Return: 0, -ENOMEM. */
static int claim(struct inet_ns *ns, enum inet_table table, u16 number, struct inet_bind *b)
{
    struct inet_port *p = inet_find_port(ns, table, number);

    if (!p)
        p = make_port(ns, table, number);
    if (!p)
        return -ENOMEM;
    link_bind(p, b);
    return 0;
}

int inet_port_bind(struct inet_ns *ns, enum inet_table table, u16 number, struct inet_bind *b)
{
    struct inet_port *p = inet_find_port(ns, table, number);

    if (p && conflicts(p, b))
        return -EADDRINUSE;
    return claim(ns, table, number, b);
}

/* usable() - may `b` have port `number`, for a connection to `peer` if there is one? */
static bool usable(struct inet_ns *ns, enum inet_table table, u16 number, const struct inet_bind *b,
                   const struct inet_endpoint *peer)
{
    const struct inet_port *p = inet_find_port(ns, table, number);
    struct inet_endpoint local = {.addr = b->addr, .port = number};

    if (!p)
        return true;
    if (!peer)
        return !conflicts(p, b) && p->chosen == 0;
    return p->chosen == p->count && !inet_tuple_find(ns, &local, peer);
}

/* range_of() - the namespace's, where an end that the socket asks for lies within it, that. */
static void range_of(const struct inet_ns *ns, u32 own, u32 *low, u32 *high)
{
    u32 range = ns->set.port_range, own_low = own & UINT16_MAX, own_high = own >> 16;

    *low = range & UINT16_MAX;
    *high = range >> 16;
    if (own_low >= *low && own_low <= *high)
        *low = own_low;
    if (own_high >= *low && own_high <= *high)
        *high = own_high;
}

int inet_port_pick(struct inet_ns *ns, enum inet_table table, struct inet_bind *b, u32 own_range,
                   const struct inet_endpoint *peer)
{
    u32 low, high, span, start = 0;

    range_of(ns, own_range, &low, &high);
    span = high - low + 1;

    host_random(&start, sizeof(start));
    b->chosen = peer != NULL;
    for (u32 i = 0; i < span; i++) {
        u16 number = (u16)(low + (start + i) % span);

        if (usable(ns, table, number, b, peer))
            return claim(ns, table, number, b);
    }
    return -EADDRINUSE;
}

void inet_port_share(struct inet_bind *b, const struct inet_bind *of)
{
    b->reuseaddr = of->reuseaddr;
    b->reuseport = of->reuseport;
    b->v6only = of->v6only;
    b->uid = of->uid;
    link_bind(of->port, b);
}

void inet_port_release(struct inet_ns *ns, struct inet_bind *b)
{
    struct inet_port *p = b->port;

    if (!p)
        return;
    list_del(&b->node);
    b->port = NULL;
    b->listening = false;
    p->count--;
    p->chosen -= b->chosen;
    if (p->count)
        return;
    hash_remove(&ns->ports, &p->by_number);
    free(p);
}

int inet_port_listen(struct inet_bind *b)
{
    b->listening = true;
    if (conflicts(b->port, b)) {
        b->listening = false;
        return -EADDRINUSE;
    }
    list_del(&b->node);
    list_add(&b->port->binds, &b->node);
    return 0;
}

void inet_port_unlisten(struct inet_bind *b)
{
    b->listening = false;
    list_del(&b->node);
    list_add_tail(&b->port->binds, &b->node);
}

u32 inet_bind_score(const struct inet_bind *b, const struct inet_addr *dst)
{
    bool dst4 = inet_addr_is4(dst);

    if (inet_addr_equal(&b->addr, dst))
        return 4;
    if (!inet_addr_is_any(&b->addr))
        return 0;
    if (inet_addr_is4(&b->addr))
        return dst4 ? 3 : 0;
    return !dst4 ? 3 : b->v6only ? 0 : 2;
}

struct inet_bind *inet_find_listener(struct inet_ns *ns, const struct inet_endpoint *dst, u64 spread)
{
    struct inet_port *p = inet_find_port(ns, INET_TCP, dst->port);
    struct inet_bind *b, *found = NULL;
    u32 best = 0, equal = 0, pick;

    if (!p)
        return NULL;
    list_for_each(b, &p->binds, node) {
        u32 score = b->listening ? inet_bind_score(b, &dst->addr) : 0;

        if (!b->listening)
            break;
        if (score > best) {
            best = score;
            equal = 1;
        } else if (score && score == best) {
            equal++;
        }
    }
    if (!equal)
        return NULL;
    pick = (u32)(spread % equal);
    list_for_each(b, &p->binds, node) {
        if (!b->listening)
            break;
        if (inet_bind_score(b, &dst->addr) == best && pick-- == 0) {
            found = b;
            break;
        }
    }
    return found;
}

u64 inet_tuple_hash(const struct inet_endpoint *local, const struct inet_endpoint *peer)
{
    return hash_bytes(local->addr.b, sizeof(local->addr.b),
                      hash_bytes(peer->addr.b, sizeof(peer->addr.b),
                                 (u64)local->port << 16 | peer->port));
}

struct inet_tuple *inet_tuple_find(struct inet_ns *ns, const struct inet_endpoint *local,
                                   const struct inet_endpoint *peer)
{
    struct hash_node *n = hash_first(&ns->tuples, inet_tuple_hash(local, peer));

    for (; n; n = hash_next(n)) {
        struct inet_tuple *t = container_of(n, struct inet_tuple, node);

        if (t->local.port == local->port && t->peer.port == peer->port &&
            inet_addr_equal(&t->local.addr, &local->addr) &&
            inet_addr_equal(&t->peer.addr, &peer->addr))
            return t;
    }
    return NULL;
}

int inet_tuple_add(struct inet_ns *ns, struct inet_tuple *t)
{
    if (inet_tuple_find(ns, &t->local, &t->peer))
        return -EADDRNOTAVAIL;
    if (hash_insert(&ns->tuples, &t->node, inet_tuple_hash(&t->local, &t->peer)) < 0)
        return -ENOMEM;
    t->hashed = true;
    return 0;
}

void inet_tuple_del(struct inet_ns *ns, struct inet_tuple *t)
{
    if (!t->hashed)
        return;
    hash_remove(&ns->tuples, &t->node);
    t->hashed = false;
}
