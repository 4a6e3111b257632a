/*
 * Datagram sockets: UDP, UDP-Lite, and ping sockets (icmp(7)), between sockets of one sandbox.
 *
 * A datagram goes from the sender's memory into a struct udp_packet, with no lock held, and onto the
 * queue of the socket that it is for; or of each, where it goes to a multicast group or a broadcast
 * address. A receiver takes it off before it copies it to the guest. What finds no room is dropped,
 * as anywhere. Room is counted as Linux does, with its overhead, so that SO_RCVBUF holds as many.
 *
 * A datagram for a port that nobody has comes back as ICMP's "port unreachable": a connected sender has
 * ECONNREFUSED as its error, one with IP_RECVERR also an entry in its error queue.
 *
 * A ping socket's port is the ICMP identifier. What it sends is an echo request to this host, which
 * is answered at once: the answer is put on its own queue.
 */
#pragma once

#include "sentry/socket/inet/inet_sock.h"

enum { UDP_MAX = 65507, UDP_MAX6 = 65487, UDP_OVERHEAD = 576, UDP_COST_MIN = 832, PING_HEADER = 8, UDP_ERRORS = 64 };

struct udp_packet {
    struct list_node node;
    _Atomic(u32) count; /* references: queues, and who is copying it */
    struct inet_endpoint from, to;
    u64 time; /* ns since 1970 */
    u32 len;
    u8 ttl, tos;
    u8 data[];
};

/* An entry of an error queue: the datagram that failed, and why. */
struct udp_error {
    struct list_node node;
    struct udp_packet *packet; /* a reference; `to` is where it went */
    struct lx_sock_extended_err why;
};

struct udp_sock {
    struct inet_sock inet;
    struct mutex queue_lock; /* INET_QUEUE class */
    struct list_node packets; /* and below: guarded by queue_lock */
    u64 bytes;                /* of packets, with overhead */
    u32 drops;
    struct list_node errors;
    u32 nerrors;
    _Atomic(u8) shut; /* 1 reading, 2 writing */
    s32 gro, no_check6_tx, no_check6_rx; /* options that are kept */
};

static inline struct udp_sock *udp_sock_of(struct socket *s)
{
    return container_of(s, struct udp_sock, inet.socket);
}

/* --- udp_queue.c --- */
struct udp_packet *udp_packet_new(u32 len);
/* udp_cost() - what of SO_RCVBUF it takes: Linux counts its buffer and its descriptor. */
u64 udp_cost(const struct udp_packet *p);
void udp_packet_put(struct udp_packet *p);
/* udp_deliver() - onto the socket's queue, with a reference of its own. Return: was there room? */
bool udp_deliver(struct udp_sock *u, struct udp_packet *p);
/* udp_fail() - an ICMP error about `p`, which u sent. */
void udp_fail(struct udp_sock *u, struct udp_packet *p, int err, u8 type, u8 code);
void udp_queue_free(struct udp_sock *u);
/* udp_first_len() - bytes of the first datagram; *any: is there one? */
u32 udp_first_len(struct udp_sock *u, bool *any);

/* --- udp_send.c, udp_recv.c, ping.c --- */
ssize_t udp_sendmsg(struct socket *sock, struct socket_msg *m);
ssize_t udp_recvmsg(struct socket *sock, struct socket_msg *m);
/* ping_answer() - the echo request `p` of u, checked and answered. Return: 0, -EINVAL. */
int ping_answer(struct udp_sock *u, struct udp_packet *p);
