/*
 * What a network namespace has of IP: interfaces, their addresses, routes, settings, and the tables
 * of ports (inet_port.h). One rwlock guards all of it: lookups share it; binding, connecting and
 * changes of an interface take it alone, for a moment.
 *
 * The first interface is always lo, index 1. The container's own namespace has it up, one that
 * unshare(2) made has it down, with no address and no route: then even 127.0.0.1 is unreachable.
 */
#pragma once

#include "sentry/base/hash.h"
#include "sentry/socket/inet/inet_addr.h"

enum { INET_LO_INDEX = 1, INET_LO_MTU = 65536 };

struct inet_dev {
    struct list_node node;
    u32 index, mtu, type, flags; /* LX_ARPHRD_*, LX_IFF_* */
    char name[LX_IFNAMSIZ];
    u8 hwaddr[8], hwaddr_len;
};

/* An address of an interface. */
struct inet_ifaddr {
    struct list_node node;
    struct inet_dev *dev; /* borrowed: of the same namespace */
    struct inet_addr addr;
    u8 prefix, scope; /* bits; LX_RT_SCOPE_* */
};

enum inet_route_type { INET_ROUTE_UNICAST = 1, INET_ROUTE_LOCAL = 2, INET_ROUTE_BROADCAST = 3 };

struct inet_route {
    struct list_node node;
    struct inet_dev *dev; /* borrowed */
    struct inet_addr dst, gateway, source; /* source: preferred; any: none */
    u8 prefix; /* of dst, of 32 for IPv4 */
    u8 table, scope;
    enum inet_route_type type;
};

/* Counters of /proc/net/snmp, snmp6 and netstat. */
struct inet_counters {
    _Atomic(u64) tcp_active, tcp_passive, tcp_fails, tcp_resets, tcp_time_waits;
    _Atomic(u64) udp_in, udp_no_ports, udp_out, udp_full, udp6_in, udp6_no_ports, udp6_out,
        udp6_full;
};

/* What /proc/sys/net has of the namespace; ranges change whole. */
struct inet_settings {
    _Atomic(u32) port_range;  /* ip_local_port_range: the lowest, and above 16 bits the highest */
    _Atomic(u64) ping_groups; /* ping_group_range: kgids, the lowest below, the highest above */
    _Atomic(u32) unprivileged_port, nonlocal_bind, nonlocal_bind6, bindv6only, disable_ipv6;
    _Atomic(u32) somaxconn, default_ttl, fin_timeout, syn_retries; /* fin_timeout: seconds */
    _Atomic(u32) keepalive_time, keepalive_intvl, keepalive_probes; /* seconds */
    _Atomic(u32) rmem[3], wmem[3]; /* tcp_rmem, tcp_wmem: least, first, most bytes */
};

enum inet_table { INET_TCP, INET_UDP, INET_UDPLITE, INET_PING, INET_PING6, INET_TABLES };

struct inet_ns {
    struct obj obj;
    struct rwlock lock; /* INET_PORTS class */
    struct list_node devs, addrs, routes; /* and below: guarded by lock; devs only grows */
    struct hash ports;  /* inet_port by table and number */
    struct hash tuples; /* inet_tuple: TCP connections by both addresses */
    struct list_node members; /* multicast groups (inet_member.h), and by address: */
    struct hash member_hash;
    struct list_node socks[INET_TABLES]; /* inet_sock.in_ns, for /proc/net and diag */
    struct inet_settings set;
    struct inet_counters count;
    _Atomic(u32) time_waits, sockets[INET_TABLES];
};

struct net_ns;

/* inet_ns_of() - of a network namespace, borrowed; NULL: out of memory. */
struct inet_ns *inet_ns_of(struct net_ns *net);

/* inet_dev_find(), inet_dev_named() - borrowed, for the namespace's life; NULL: none. */
struct inet_dev *inet_dev_find(struct inet_ns *ns, u32 index);
struct inet_dev *inet_dev_named(struct inet_ns *ns, const char *name);
/* inet_dev_set_up() - up or down, with what that does to addresses and routes. Return: 0, -ENOMEM */
int inet_dev_set_up(struct inet_ns *ns, struct inet_dev *dev, bool up);

/* inet_ns_disable_ipv6() - IPv6's addresses and routes go, or come back. Return: 0, -ENOMEM. */
int inet_ns_disable_ipv6(struct inet_ns *ns, bool disable);

/* inet_ns_is_local() - does this namespace answer for the address? */
bool inet_ns_is_local(struct inet_ns *ns, const struct inet_addr *addr);
/* inet_ns_route() - the way to `dst` and the source address it implies, copied.
 * Return: 0, -ENETUNREACH, -EADDRNOTAVAIL: IPv6 is disabled. */
int inet_ns_route(struct inet_ns *ns, const struct inet_addr *dst, struct inet_route *out);
