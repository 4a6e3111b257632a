/* What /proc/net/unix and sock_diag tell of each AF_UNIX socket: snapshots, one socket after another. */
#pragma once

#include "sentry/socket/unix_priv.h"

struct unix_row {
    u16 type;
    u8 state;    /* LX_TCP_*, as sock_diag(7) has it: ESTABLISHED, CLOSE, LISTEN */
    u8 shutdown; /* UNIX_NO_* */
    u32 refs, uid;
    u64 ino, cookie;     /* ino 0: it waits to be accepted */
    u64 peer;            /* the peer's number; 0: none */
    u32 sndbuf, rcvbuf, wmem; /* wmem: what its messages are charged */
    u32 received, sent;  /* bytes; of a listener: connections that wait, and room for them */
    const struct unix_addr *addr; /* NULL: none; lasts as long as the socket */
    u64 path_ino;                 /* of the node that it is bound to, with its device; 0: none */
    u32 path_dev;
};

/* unix_socks() - all of a namespace that live. *socks: allocated, the caller's, as is a reference to
 * each. Return: how many, -ENOMEM. */
ssize_t unix_socks(struct net_ns *net, struct unix_socket ***socks);
/* unix_row() - what there is to say of one. Return: false: it is dead. */
bool unix_row(struct unix_socket *u, struct unix_row *out);
/* unix_waiting() - a listener's connections: the numbers of those who connect. *inos: allocated, the
 * caller's. Return: how many, -ENOMEM. */
ssize_t unix_waiting(struct unix_socket *u, u32 **inos);
