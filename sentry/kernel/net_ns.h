/*
 * Network namespaces. What a socket family keeps of each (names, ports, interfaces, routes) belongs
 * to that family and hangs here by number; it is made when it is first used, so an unused
 * namespace is small.
 */
#pragma once

#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

struct user_ns;

enum net_state { NET_STATE_UNIX, NET_STATE_INET, NET_STATE_NETLINK, NET_STATES };

struct net_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference: who may administer it */
    _Atomic(u64) sockets;    /* that have or had a descriptor */
    bool lo_up;              /* its loopback interface is up from the start */
    struct mutex lock;
    /* A reference each, NULL until first used. Set once, under lock. It does not hold the namespace,
     * and holds no socket: sockets hold the namespace. */
    _Atomic(struct obj *) state[NET_STATES];
};
OBJ_REFS(net_ns)

/* net_ns_new() - Return: a new reference or NULL. A container's first has lo_up set by its maker. */
struct net_ns *net_ns_new(struct user_ns *user_ns);
/* net_ns_state() - what family `which` keeps of the namespace, borrowed; made by make() at the
 * first use. Return: NULL: out of memory. */
struct obj *net_ns_state(struct net_ns *ns, enum net_state which,
                         struct obj *(*make)(struct net_ns *ns));
