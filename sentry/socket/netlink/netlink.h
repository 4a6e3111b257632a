/*
 * AF_NETLINK (netlink(7), rtnetlink(7), sock_diag(7)): questions about the network namespace.
 *
 *   nl_sock.c   sockets: port ids, groups, the queue of what is to be received
 *   nl_msg.c    messages: taken apart (bounded by what was sent), put together
 *   nl_route.c  NETLINK_ROUTE: links, addresses, routes, rules
 *   nl_diag.c   NETLINK_SOCK_DIAG: the sockets of the namespace, as `ss` asks for them
 *
 * A request is served by the task that sends it, and its whole answer is queued before sendmsg(2)
 * returns; a dump is cut into datagrams of at most NL_DATAGRAM bytes. What finds no room in the
 * receiver's SO_RCVBUF (but for the first of an answer) makes its next recvmsg(2) fail with ENOBUFS.
 */
#pragma once

#include "sentry/socket/socket.h"

extern const struct socket_family netlink_family;

/* What /proc/net/netlink tells of a socket. */
struct nl_row {
    u32 protocol, pid, groups, received, drops; /* received: bytes of memory that wait */
    u64 ino, cookie;
};
/* nl_rows() - all of a namespace. *rows: allocated, the caller's. Return: how many, -ENOMEM. */
ssize_t nl_rows(struct net_ns *net, struct nl_row **rows);
