/* What /proc/net and sock_diag tell of each socket: a snapshot, taken without holding any up. */
#pragma once

#include "sentry/abi/lx_inet.h"
#include "sentry/socket/inet/inet_ns.h"

struct inet_row {
    u16 family;
    u8 state; /* LX_TCP_*; datagrams: ESTABLISHED or CLOSE */
    u8 timer; /* 0 none, 3 TIME_WAIT */
    bool bare, orphan; /* there is no socket; it was closed */
    struct inet_endpoint local, peer;
    u32 sent, received; /* bytes in the queues; of a listener: backlog, connections ready */
    u32 uid, refs, drops;
    u64 ino, cookie;
    u32 timer_ms;
    u32 mark, sndbuf, rcvbuf;
    u8 shutdown; /* 1 receiving, 2 sending */
    u8 tos, tclass;
    bool v6only, bound_port; /* bound_port: bind(2) named it */
    char congestion[16];
    struct lx_tcp_info info; /* of TCP */
};

/* inet_rows() - all sockets of a table, and what of TCP has no socket. *rows: allocated, the
 * caller's. Return: how many, -ENOMEM. */
ssize_t inet_rows(struct inet_ns *ns, enum inet_table table, struct inet_row **rows);
