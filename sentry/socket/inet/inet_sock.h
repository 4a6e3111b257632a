/* What sockets of TCP, UDP and ping have in common: names, ports, options. Inside sentry/socket. */
#pragma once

#include "sentry/abi/lx_inet.h"
#include "sentry/socket/inet/inet.h"
#include "sentry/socket/inet/inet_port.h"

/* A group that a socket has joined. */
struct inet_group {
    struct list_node node;
    struct inet_addr addr;
    u32 dev;
};

/* Options of IPPROTO_IP and IPPROTO_IPV6; single words, written under socket.lock, read without. */
struct inet_options {
    s32 tos, ttl, min_ttl, pmtu_discover;
    s32 mc_ttl, mc_loop, mc_all, mc_index, unicast_index;
    s32 pktinfo, recverr, recvttl, recvtos, recvopts, retopts, recvorigdst, freebind, transparent;
    s32 bind_no_port, hdrincl, recverr_rfc4884;
    u32 mc_addr;    /* network order */
    u32 port_range; /* IP_LOCAL_PORT_RANGE: low and high */
    s32 v6only, hops, mc_hops6, mc_loop6, mc_all6, mc_index6, pmtu_discover6, recverr6;
    s32 recvpktinfo6, recvhoplimit, recvtclass, tclass, dontfrag, autoflowlabel, flowinfo_send;
    s32 min_hops, transparent6, freebind6, unicast_index6, addr_preferences;
};

struct inet_sock {
    struct socket socket;
    struct inet_ns *ns; /* borrowed: of socket.net */
    enum inet_table table;
    struct list_node in_ns; /* ns->socks[table]; guarded by ns->lock, as is bind */
    struct inet_bind *bind; /* owned; NULL: no port */
    /* guarded by socket.lock; `local` has a port exactly while bind is set */
    struct inet_endpoint local, peer;
    bool bound_addr;        /* bind(2) named an address: connect(2) keeps it */
    bool bound_port;        /* bind(2) named a port: a disconnect keeps it */
    struct list_node groups;
    u32 ngroups;
    struct inet_options ip;
};

static inline struct inet_sock *inet_sock_of(struct socket *s)
{
    return container_of(s, struct inet_sock, socket);
}

/* --- inet_sock.c --- */

/* inet_sock_init() - zeroed by the caller. Return: 0, -ENOMEM (nothing to undo). */
int inet_sock_init(struct inet_sock *s, struct obj_type *type, const struct socket_ops *ops,
                   struct net_ns *net, u16 family, u16 sock_type, u32 protocol,
                   enum inet_table table);
/* inet_sock_destroy() - in the type's free(). */
void inet_sock_destroy(struct inet_sock *s);

/* inet_bind_addr() - bind(2). -EINVAL if bound already. socket.lock is taken. */
int inet_bind_addr(struct socket *sock, const struct socket_addr *addr);
/* inet_autobind_locked() - a port of the kernel's choice if there is none; socket.lock held.
 * `peer`: of connect(2), or NULL. Return: 0, -EAGAIN (none free), -ENOMEM. */
int inet_autobind_locked(struct inet_sock *s, const struct inet_endpoint *peer);
/* inet_unbind_locked() - give the port up; socket.lock held. */
void inet_unbind_locked(struct inet_sock *s);
/* inet_resolve() - where a connect or send to `addr` goes: the endpoint with wildcards replaced by
 * loopback, and the source address it implies. -ENETUNREACH, -EINVAL … */
int inet_resolve(struct inet_sock *s, const struct socket_addr *addr, struct inet_endpoint *dst,
                 struct inet_addr *source);
/* inet_source() - what goes from `s` to dst comes from there; inet_resolve()'s second half. */
int inet_source(struct inet_sock *s, const struct inet_endpoint *dst, struct inet_addr *source);
int inet_getname(struct socket *sock, bool peer, struct socket_addr *out);
/* inet_option_changed() - SOL_SOCKET options that the port table keeps copies of. */
void inet_option_changed(struct socket *sock, int name);
/* inet_capable() - does the calling task hold `cap` over the socket's network namespace? */
bool inet_capable(const struct inet_sock *s, int cap);

/* --- inet_option.c, inet_group.c: IPPROTO_IP and IPPROTO_IPV6 --- */
void inet_options_init(struct inet_sock *s);
int inet_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len);
int inet_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len);
/* inet_group_option() - the options that join and leave groups. Return: as setsockopt. */
int inet_group_option(struct inet_sock *s, int level, int name, const void *value, u32 len);
bool inet_group_joined(struct inet_sock *s, const struct inet_addr *group, u32 dev);
void inet_groups_free(struct inet_sock *s);
/* inet_option_int() - an int option's value. Return: 0, -EINVAL. */
int inet_option_int(const void *value, u32 len, s32 *out);
/* inet_option_put() - an int as getsockopt gives it. */
int inet_option_put(void *value, u32 *len, s32 v);

/* --- the transports --- */
int tcp_create(struct net_ns *net, u16 family, struct socket **out);
int udp_create(struct net_ns *net, u16 family, u32 protocol, struct socket **out);
int ping_create(struct net_ns *net, u16 family, struct socket **out);
