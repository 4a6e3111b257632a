/*
 * Bound ports and connections of a network namespace.
 *
 * A struct inet_bind is one claim on a port: of a socket (bound by bind(2), listen(2), or by the
 * kernel's choice at connect and sendto), of a connection that waits to be accepted, or of one whose
 * socket is closed (FIN_WAIT, TIME_WAIT). It belongs to whoever made it; the table links it and
 * holds nothing. Claims on one port stand in a list, listeners first, so that a listener with ten
 * thousand accepted connections is still found at once.
 *
 * A struct inet_tuple is a connection's both addresses, seen from one end; unique in the namespace.
 *
 * Who may share a port (bind(2), socket(7)): claims whose addresses do not overlap; those that all
 * have SO_REUSEADDR while none of them listens (UDP: whatever they do); those that all have
 * SO_REUSEPORT and one owner. IPv4 and IPv6 overlap where an IPv6 wildcard is not IPV6_V6ONLY.
 *
 * All functions: ns->lock held for writing, but inet_find_*() for reading.
 */
#pragma once

#include "sentry/socket/inet/inet_ns.h"

struct inet_sock;

struct inet_port {
    struct hash_node by_number;
    enum inet_table table;
    u16 number;
    u32 chosen; /* how many of the claims were the kernel's choice at connect(2) */
    u32 count;
    struct list_node binds;
};

struct inet_bind {
    struct list_node node; /* of port->binds */
    struct inet_port *port;
    struct inet_addr addr;
    u32 dev, uid;
    bool reuseaddr, reuseport, v6only;
    bool chosen;    /* by connect(2): others may share it if their peers differ */
    bool listening; /* first in the list */
    bool waiting;   /* TIME_WAIT */
    struct inet_sock *sock; /* borrowed; NULL: no socket (yet, or any more) */
};

struct inet_tuple {
    struct hash_node node;
    bool hashed;
    struct inet_endpoint local, peer;
};

/* inet_port_bind() - claim `number`. Return: 0, -EADDRINUSE, -ENOMEM. */
int inet_port_bind(struct inet_ns *ns, enum inet_table table, u16 number, struct inet_bind *b);
/* inet_port_pick() - claim a free port of ip_local_port_range, narrowed by IP_LOCAL_PORT_RANGE
 * (`own_range`, 0: none). With `peer` (connect(2)) also one that
 * only other connections have, if the tuple is free. Return: 0, -EADDRINUSE, -ENOMEM. */
int inet_port_pick(struct inet_ns *ns, enum inet_table table, struct inet_bind *b, u32 own_range,
                   const struct inet_endpoint *peer);
/* inet_port_share() - a further claim where `of` is: a connection of a listener. */
void inet_port_share(struct inet_bind *b, const struct inet_bind *of);
/* inet_port_release() - give the claim back; fine if it holds none. */
void inet_port_release(struct inet_ns *ns, struct inet_bind *b);
/* inet_port_listen() - make it a listener's. Return: 0, -EADDRINUSE. */
int inet_port_listen(struct inet_bind *b);
/* inet_port_unlisten() - it keeps its port. */
void inet_port_unlisten(struct inet_bind *b);
u16 inet_bind_number(const struct inet_bind *b);

/* inet_find_port() - the claims on a port; NULL: none. */
struct inet_port *inet_find_port(struct inet_ns *ns, enum inet_table table, u16 number);
/* inet_bind_score() - how well a claim fits what goes to `dst`: 0 not at all, more is better. */
u32 inet_bind_score(const struct inet_bind *b, const struct inet_addr *dst);
/* inet_find_listener() - who listens for `dst`; of several of SO_REUSEPORT the one that `spread`, a
 * hash, falls on. */
struct inet_bind *inet_find_listener(struct inet_ns *ns, const struct inet_endpoint *dst,
                                     u64 spread);

/* inet_tuple_add() - Return: 0, -EADDRNOTAVAIL (it exists), -ENOMEM. */
int inet_tuple_add(struct inet_ns *ns, struct inet_tuple *t);
void inet_tuple_del(struct inet_ns *ns, struct inet_tuple *t);
struct inet_tuple *inet_tuple_find(struct inet_ns *ns, const struct inet_endpoint *local,
                                   const struct inet_endpoint *peer);
u64 inet_tuple_hash(const struct inet_endpoint *local, const struct inet_endpoint *peer);
