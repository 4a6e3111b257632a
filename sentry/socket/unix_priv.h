/*
 * AF_UNIX (unix(7)), inside sentry/socket. What stands where:
 *
 *   unix.c          life, names told, readiness, shutdown     unix_stream.c  SOCK_STREAM's data
 *   unix_name.c     bind, autobind, finding who is named      unix_dgram.c   SOCK_DGRAM, SEQPACKET
 *   unix_connect.c  listen, connect, accept                   unix_scm.c     rights and credentials
 *   unix_msg.c      messages and who pays for them            unix_gc.c      rights that hold themselves
 */
#pragma once

#include "sentry/base/hash.h"
#include "sentry/base/list.h"
#include "sentry/socket/families.h"

struct cred;
struct pid;

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };
enum { UNIX_NO_RECV = 1, UNIX_NO_SEND = 2, UNIX_NO_BOTH = 3 };

/* A name; set once, shared by a listener and the sockets it accepts. */
struct unix_addr {
    atomic_uint refs;
    u32 len; /* of un's bytes, with the family */
    struct lx_sockaddr_un un;
};

/* Files on their way. */
struct unix_rights {
    u32 n, nsockets;      /* how many of them are AF_UNIX sockets */
    u32 uid;              /* who is charged */
    bool counted;         /* in flight: unix_gc.c knows */
    struct file *files[]; /* references */
};

/* Whom a message or a peer says it is from. */
struct unix_ids {
    struct pid *pid; /* a reference; NULL: nobody said */
    u32 uid, gid;
};

/* A message: a datagram, or what one write put into a stream. Its data never changes. */
struct unix_msg {
    struct list_node node;      /* in the receiver's queue */
    atomic_uint refs;           /* the queue's, and of who copies from it */
    u32 len, off;               /* bytes; of a stream: those read already. The receiver's lock */
    u32 charge;                 /* what its sender pays */
    bool urgent, mark;          /* MSG_OOB; a place where an urgent byte was taken out */
    struct unix_socket *from;   /* a reference */
    struct unix_ids ids;        /* whose pid is a reference */
    struct unix_rights *rights; /* owned; NULL: none. The receiver's lock */
    u64 stamp;                  /* ns since 1970, where the receiver asked for it */
    u8 data[];
};

struct unix_socket {
    struct socket s;
    _Atomic(struct unix_addr *) addr; /* a reference; NULL or set once */
    _Atomic(u32) wmem;                /* what its messages in others' queues are charged */

    _Atomic(enum unix_state) state; /* unix_writable() reads it without the lock */
    /* and below: guarded by s.lock, as is a change of state */
    u32 shutdown;             /* UNIX_NO_* */
    bool dead;                /* released */
    struct unix_socket *peer; /* a reference; may be dead */
    struct list_node queue;   /* unix_msg, first sent first */
    u32 qlen;
    u64 qbytes;
    struct unix_msg *urgent;     /* borrowed from the queue */
    struct list_node embryos;    /* listening: connections to accept, a reference each */
    struct list_node in_embryos; /* guarded by the listener's lock */
    u32 nembryos, backlog;
    struct unix_ids peer_ids;     /* SO_PEERCRED; of a listener: its own */
    const struct cred *peer_cred; /* a reference; for SO_PEERGROUPS */
    struct waitq room;            /* who waits until `queue` or `embryos` is shorter */
    struct list_node
        watchers; /* sockets whose poll() found this one's queue full: a reference each */
    struct list_node in_watchers; /* guarded by the lock of the socket it watches */

    struct list_node in_net;  /* and below: guarded by the lock of the namespace's unix_net */
    struct hash_node by_name; /* abstract names */
    bool hashed;

    struct hash_node by_inode; /* and below: guarded by the lock of bound paths */
    struct path path;          /* the node that bind() made: references */

    _Atomic(u32) inflight; /* who closes it looks without the lock; and below: the collector's lock */
    struct list_node in_flight;
    struct file *file; /* borrowed; valid while inflight is not 0 */
    u32 gc_refs;
    u8 gc_mark;
};

extern struct obj_type unix_socket_type;
extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;

static inline struct unix_socket *unix_of(struct socket *s)
{
    return container_of(s, struct unix_socket, s);
}

static inline struct unix_socket *unix_get(struct unix_socket *u)
{
    socket_get(&u->s);
    return u;
}

static inline void unix_put(struct unix_socket *u)
{
    if (u)
        socket_put(&u->s);
}

static inline bool unix_is_dgram(const struct unix_socket *u)
{
    return u->s.type == LX_SOCK_DGRAM;
}

/* unix_wake_*() - tell who watches `u` that it can be read, written, or that it has changed. */
void unix_wake_readers(struct unix_socket *u);
void unix_wake_all(struct unix_socket *u);

/* --- unix.c --- */

/* unix_new() - Return: a new reference, NULL. */
struct unix_socket *unix_new(struct net_ns *net, u16 type);
/* unix_kill() - what release() does but for the socket's reference: it is dead, its peer told, its
 * connections reset. Its messages go to `junk`. */
void unix_kill(struct unix_socket *u, struct list_node *junk);
/* unix_set_peer_ids() - the calling task's, for SO_PEERCRED. */
void unix_set_peer_ids(struct unix_socket *u);
/* unix_copy_peer_ids() - SO_PEERCRED of `to` is that of `from`. Neither is locked. */
void unix_copy_peer_ids(struct unix_socket *to, struct unix_socket *from);
bool unix_writable(const struct unix_socket *u);
bool unix_connected(struct unix_socket *u);
/* unix_queued_locked() - bytes that a read would find: of datagrams, those of the first. */
u64 unix_queued_locked(const struct unix_socket *u);
/* unix_move_peek_offset() - SO_PEEK_OFF follows n bytes that were peeked at, or read. */
void unix_move_peek_offset(struct unix_socket *u, bool peek, u32 n);

/* --- unix_name.c --- */

void unix_addr_put(struct unix_addr *a);
/* unix_tell_addr() - the name of `u` as it is told to others; just the family without one. */
void unix_tell_addr(struct unix_socket *u, struct socket_addr *out);
int unix_bind(struct socket *s, const struct socket_addr *addr);
/* unix_autobind() - a name of its own, unless it has one. */
int unix_autobind(struct unix_socket *u);
void unix_unbind(struct unix_socket *u);
/* unix_path_id() - the node that it is bound to: inode and device number; 0: none. */
void unix_path_id(struct unix_socket *u, u64 *ino, u32 *dev);
/* unix_check_addr() - is it a name of another? Return: 0, -EINVAL. */
int unix_check_addr(const struct socket_addr *addr);
/* unix_find() - who is called `addr`, of type `type`. Return: 0 and a new reference; -ECONNREFUSED,
 * -EPROTOTYPE, and walk()'s. */
int unix_find(struct unix_socket *u, const struct socket_addr *addr, struct unix_socket **out);
/* unix_list_add() - into the namespace's list; unix_list_del() - out of it. */
int unix_list_add(struct unix_socket *u);
void unix_list_del(struct unix_socket *u);

/* --- unix_connect.c --- */

/* The operations of streams and records: see struct socket_ops. */
int unix_listen(struct socket *s, int backlog);
/* unix_stream_connect() - SOCK_SEQPACKET's too. */
int unix_stream_connect(struct socket *s, const struct socket_addr *addr, bool nonblock);
/* unix_accept() - the connection that came first. */
int unix_accept(struct socket *s, bool nonblock, struct socket **out);
/* unix_embryos() - a listener's connections that nobody accepted yet. *out: allocated, the caller's, as
 * is a reference to each. Return: how many, -ENOMEM. */
ssize_t unix_embryos(struct unix_socket *u, struct unix_socket ***out);
/* unix_socks_put() - drop n references, free their list. */
void unix_socks_put(struct unix_socket **socks, ssize_t n);

/* --- unix_msg.c --- */

/* unix_reserve() - wait until `u` may send, then take what a message of `len` bytes costs.
 * Return: the charge; -EPIPE, -EAGAIN, -EINTR, -ERESTARTSYS, a pending error. */
s64 unix_reserve(struct unix_socket *u, u32 len, bool nonblock);
void unix_unreserve(struct unix_socket *u, u32 charge);
/* unix_msg_new() - `charge` is from unix_reserve() and goes with it; kept if there is no memory. */
struct unix_msg *unix_msg_new(struct unix_socket *from, u32 len, u32 charge);
static inline struct unix_msg *unix_msg_get(struct unix_msg *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}
void unix_msg_put(struct unix_msg *m);
/* unix_queue_locked() - to the end of to's queue, whose reference it is. unix_unqueue_locked(): out
 * again. */
void unix_queue_locked(struct unix_socket *to, struct unix_msg *m);
void unix_unqueue_locked(struct unix_socket *u, struct unix_msg *m);
/* unix_junk() - drop messages and what they hold, however deep that goes. */
void unix_junk(struct list_node *junk);
/* unix_stream_charge(), unix_dgram_charge() - what Linux's buffers for n bytes take. */
u32 unix_stream_charge(u32 n);
u32 unix_dgram_charge(u32 n);

/* --- data --- */

/* unix_stream_sendmsg() … - struct socket_ops, by type. */
ssize_t unix_stream_sendmsg(struct socket *s, struct socket_msg *m);
/* unix_stream_recvmsg() - */
ssize_t unix_stream_recvmsg(struct socket *s, struct socket_msg *m);
ssize_t unix_dgram_sendmsg(struct socket *s, struct socket_msg *m);
ssize_t unix_dgram_recvmsg(struct socket *s, struct socket_msg *m);
int unix_dgram_connect(struct socket *s, const struct socket_addr *addr, bool nonblock);
/* unix_dgram_full() - would a datagram of `u` to `to` have to wait? to's lock held. */
bool unix_dgram_full_locked(struct unix_socket *u, const struct unix_socket *to);
/* unix_watch_room() - the peer's queue is full: be woken when it no longer is. Return: is it? */
bool unix_watch_room(struct unix_socket *u);
/* unix_room_made() - a message was taken from u's queue, or u is gone. */
void unix_room_made(struct unix_socket *u);
ssize_t unix_seqpacket_sendmsg(struct socket *s, struct socket_msg *m);
ssize_t unix_seqpacket_recvmsg(struct socket *s, struct socket_msg *m);

/* --- unix_scm.c --- */

/* What a sendmsg() has beside data. */
struct unix_scm {
    struct unix_ids ids;
    struct unix_rights *rights;
};

/* unix_scm_send() - take m's control data apart. Return: 0, -EINVAL, -EBADF, -EPERM, -ESRCH,
 * -ETOOMANYREFS, -ENOMEM. unix_scm_end(): release what is left of it. */
int unix_scm_send(struct socket_msg *m, struct unix_scm *scm);
void unix_scm_end(struct unix_scm *scm);
/* unix_scm_attach() - ids, and with `rights` the files, to a message. */
void unix_scm_attach(struct unix_scm *scm, struct unix_msg *m, bool rights);
/* unix_scm_default() - if one of them asks for credentials and the message has none: the caller's. */
void unix_scm_default(const struct unix_socket *u, const struct unix_socket *to,
                      struct unix_msg *m);
/* unix_scm_recv() - control data for the guest; the rights are taken. */
void unix_scm_recv(struct unix_socket *u, struct socket_msg *m, const struct unix_ids *ids,
                   struct unix_rights *rights);
struct unix_rights *unix_rights_new(u32 n);
void unix_rights_put(struct unix_rights *r);
void unix_ids_put(struct unix_ids *ids);

/* --- unix_gc.c --- */

/* unix_gc_out() - rights leave for a queue. Return: 0, -ETOOMANYREFS. unix_gc_in() - they arrived, or
 * are dropped. */
int unix_gc_out(struct unix_rights *r);
void unix_gc_in(struct unix_rights *r);
/* unix_gc_queued() - rights are put into to's queue: tell before they are there. */
void unix_gc_queued(const struct unix_socket *to, const struct unix_rights *r);
/* unix_gc_dup() - the rights of a message in u's queue for MSG_PEEK, while nothing is collected.
 * Return: a copy that is not in flight; NULL: it has none, or out of memory. */
struct unix_rights *unix_gc_dup(struct unix_socket *u, struct unix_msg *m);
/* unix_gc_run() - find sockets that only queues of one another hold, and empty those queues.
 * `closing`: a file of which one reference is about to go, or NULL. */
void unix_gc_run(const struct file *closing);
