/*
 * TCP between two sockets of one sandbox: the bytes go from socket to socket, nothing is ever a
 * segment. What a program can see is TCP's: states, windows, half-closes, resets, urgent data.
 *
 * Objects
 *   tcp_conn   a connection: two flows, two ends. Made by connect(2), held by each socket's `conn`, by
 *              the listener's queue until it is accepted, and by its timer while armed.
 *   tcp_flow   one direction: the bytes that end i has sent and its peer has not read. What lies within
 *              the receiver's window counts as received (SIOCINQ), what is beyond as unsent or not
 *              acknowledged (SIOCOUTQ); so a FIN is acknowledged once all before it is in the window.
 *   tcp_end    one side: its state, which half is shut, its socket (none before accept(2), none after
 *              close(2)), its place among the namespace's connections.
 * End i sends on flow[i] and receives on flow[!i]. A socket that connects to itself (tcp(7) has it as
 * simultaneous open) is end 0 of a connection with one flow.
 *
 * Locks: a flow's lock guards its bytes; data passes under the one flow's lock alone, so both ends
 * at full speed meet only there. States, `shut` and `sock` of the ends change under both flows' locks
 * (tcp_conn_lock()) and may be read under either. The listener's lock stands above. Addresses are in
 * the namespace's tables, whose lock is above all of these: a connection that dies is taken out of
 * them after its flows are unlocked (tcp_conn_settle()).
 *
 * Data: a sender reserves room, copies from the guest into a block of its own under no lock, and links
 * the block; small writes fill up the last block. A reader takes blocks out, copies them to the guest
 * under no lock, and puts back what it left; `reading` keeps a second reader out meanwhile, as Linux's
 * socket lock does. Woken are: the receiver at each arrival (edge-triggered epoll counts on that), the
 * sender when it has seen the flow full and a third of its buffer is free again.
 *
 * Where we differ from Linux: nothing is delayed (TCP_CORK and Nagle are kept as options and hold
 * nothing back); a client that waits for room in a full accept queue gets it at once, not at the
 * next retransmission; keepalive and user timeouts have nothing that could time out.
 */
#pragma once

#include "sentry/socket/inet/inet_sock.h"
#include "sentry/base/clean.h"
#include "sentry/time/timer.h"

struct tcp_sock;

enum { TCP_SHUT_RCV = 1, TCP_SHUT_SND = 2, TCP_SHUT_BOTH = 3 };
enum { TCP_BLOCK = 65536, TCP_BLOCK_MIN = 2048, TCP_POOR = 16384 };
enum { TCP_SNDBUF_CONNECTED = 2626560, TCP_WINDOW = 131072 };
enum tcp_urgent { TCP_URG_NONE, TCP_URG_COMING, TCP_URG_VALID, TCP_URG_READ };

/* A stretch of a flow. Between a copy and the flow it belongs to one task alone. */
struct tcp_block {
    struct list_node node;
    u32 cap, off, len;
    u8 data[];
};

struct tcp_flow {
    struct mutex lock; /* INET_QUEUE class */
    struct list_node blocks;  /* and below: guarded by lock; first sent first */
    struct tcp_block *spare;  /* owned, empty */
    u64 written, read;        /* bytes, since the connection began */
    u32 window, sndbuf;       /* of the receiver, of the sender */
    bool fin;                 /* the sender has shut its half */
    bool fin_in;              /* … and the receiver has been told */
    bool gone;                /* the receiver is closed: what is sent now is answered by a reset */
    bool reading;             /* a reader has blocks out */
    bool nospace;             /* the sender found it full and wants to be woken */
    enum tcp_urgent urgent;
    u64 urgent_at; /* position of the urgent byte */
    u8 urgent_byte;
    u32 lowat_unsent; /* TCP_NOTSENT_LOWAT of the sender */
    u64 last_sent;    /* monotonic ns */
};

struct tcp_end {
    struct tcp_conn *conn; /* that it is in */
    struct tcp_sock *sock; /* borrowed; see above */
    enum lx_tcp_state state;
    u8 shut;     /* TCP_SHUT_* */
    bool done;   /* a FIN or a reset came in: a read at the end gives 0 */
    bool orphan; /* it had a socket, which is closed */
    u32 fin_wait;    /* an orphan's seconds in FIN_WAIT2 */
    u64 waits_since; /* TIME_WAIT: monotonic ns */
    struct inet_tuple tuple;
    struct inet_bind *bind; /* owned: while no socket has it */
};

struct tcp_conn {
    struct obj obj;
    struct net_ns *net; /* a reference */
    struct inet_ns *ns; /* borrowed: of net */
    bool self;
    struct tcp_flow flow[2];
    struct tcp_end end[2];
    struct list_node queued; /* in a listener's ready or waiting; guarded by the listener's lock */
    _Atomic(struct tcp_sock *) listener; /* while queued, borrowed: it empties its queues */
    struct timer timer;      /* SYN_SENT, FIN_WAIT2, TIME_WAIT; holds a reference while armed */
    u64 started;             /* monotonic ns */
};
OBJ_REFS(tcp_conn)

/* What a listener has; in its tcp_sock. */
struct tcp_listen {
    struct mutex lock; /* TCP_LISTEN class */
    bool open; /* and below: guarded by lock */
    struct list_node ready;   /* tcp_conn.queued: established, to be accepted; references */
    struct list_node waiting; /* SYN_SENT, as there is no room; references */
    u32 nready, backlog;
};

struct tcp_sock {
    struct inet_sock inet;
    struct tcp_listen listen;
    /* guarded by socket.lock */
    struct tcp_conn *conn; /* a reference; NULL: never connected, or disconnected */
    u8 side;
    bool listening;
    bool connecting; /* a connect(2) is under way whose success no call has reported yet */
    bool sndbuf_set, rcvbuf_set; /* by the guest: not the kernel's to size */
    u8 shut;         /* without a connection */
    /* options; single words */
    struct tcp_options {
        s32 nodelay, cork, keepidle, keepintvl, keepcnt, syncnt, linger2, defer_accept;
        s32 window_clamp, quickack, user_timeout, maxseg, notsent_lowat, fastopen;
        s32 fastopen_connect, fastopen_no_cookie, thin_linear, thin_dupack;
        char congestion[16];
    } tcp;
};

/* tcp_sndbuf_connected() - what Linux lets SO_SNDBUF grow to when a loopback connection begins. */
static inline u32 tcp_sndbuf_connected(const struct inet_ns *ns)
{
    return min_of((u32)TCP_SNDBUF_CONNECTED, (u32)ns->set.wmem[2]);
}

static inline struct tcp_sock *tcp_sock_of(struct socket *s)
{
    return container_of(s, struct tcp_sock, inet.socket);
}

/* --- tcp_conn.c: connections and their states --- */

/* tcp_conn_new() - of a socket that connects; both ends CLOSE, in no table. NULL: no memory. */
struct tcp_conn *tcp_conn_new(struct net_ns *net, bool self);
/* tcp_conn_lock() - both flows. */
void tcp_conn_lock(struct tcp_conn *c);
void tcp_conn_unlock(struct tcp_conn *c);
/* tcp_conn_of() - the socket's connection, a new reference, and its side; NULL: none. */
struct tcp_conn *tcp_conn_of(struct tcp_sock *t, u8 *side);
/* tcp_peer() - the other end's number, the end's own for one with itself. */
static inline u8 tcp_peer(const struct tcp_conn *c, u8 side)
{
    return c->self ? side : !side;
}
static inline struct tcp_flow *tcp_out(struct tcp_conn *c, u8 side)
{
    return &c->flow[side];
}
static inline struct tcp_flow *tcp_in(struct tcp_conn *c, u8 side)
{
    return &c->flow[tcp_peer(c, side)];
}

/* Who must be woken for what, collected under the flows' locks and done after. */
struct tcp_wake {
    struct tcp_sock *sock[2]; /* references */
    u32 events[2];
    int error[2];
};
void tcp_wake_add(struct tcp_wake *w, struct tcp_conn *c, u8 side, u32 events);
/* tcp_wake_run() - no lock held. */
void tcp_wake_run(struct tcp_wake *w);

/* tcp_fin_locked() - end `side` sends its FIN, once; tcp_fin_arrive_locked(): tell the peer if all
 * before it has been received. Both flows locked. */
void tcp_fin_locked(struct tcp_conn *c, u8 side, struct tcp_wake *w);
void tcp_fin_arrive_locked(struct tcp_conn *c, u8 side, struct tcp_wake *w);
/* tcp_reset_locked() - end `from` resets the connection: the other end's socket gets ECONNRESET (or
 * what its state says). Both flows locked. */
void tcp_reset_locked(struct tcp_conn *c, u8 from, struct tcp_wake *w);
/* tcp_conn_settle() - take dead ends out of the tables, arm the timer that the states want. No
 * lock held. */
void tcp_conn_settle(struct tcp_conn *c);
/* tcp_conn_refuse() - a connection attempt failed with `err`; no lock held. */
void tcp_conn_refuse(struct tcp_conn *c, int err);
/* tcp_conn_release() - the socket of end `side` leaves the connection. No lock held. */
enum { TCP_ABORT = 1, TCP_KEEP_PORT = 2 }; /* by a reset; the socket keeps its claim on the port */
void tcp_conn_release(struct tcp_conn *c, u8 side, u32 how);
/* tcp_conn_evict() - forget a TIME_WAIT between these addresses that is at least `age` ns old, for a
 * new connection. ns->lock held for writing. */
void tcp_conn_evict(struct inet_ns *ns, const struct inet_endpoint *local,
                    const struct inet_endpoint *peer, u64 age);
/* tcp_state() - as the socket's owner sees it. */
enum lx_tcp_state tcp_state(struct tcp_sock *t);

/* --- tcp_flow.c: bytes --- */
void tcp_flow_init(struct tcp_flow *f);
void tcp_flow_destroy(struct tcp_flow *f);
struct tcp_block *tcp_block_new(u32 len);
/* tcp_flow_queued() - bytes not read yet; tcp_flow_received(): of these, within the window;
 * tcp_flow_unacked(): beyond it. Lock held. */
u64 tcp_flow_queued(const struct tcp_flow *f);
u64 tcp_flow_received(const struct tcp_flow *f);
u64 tcp_flow_unacked(const struct tcp_flow *f);
/* tcp_flow_readable() - bytes that a read would give now, the urgent byte not among them. */
u64 tcp_flow_readable(const struct tcp_flow *f, bool oob_inline);
u64 tcp_flow_room(const struct tcp_flow *f);
bool tcp_flow_writable(const struct tcp_flow *f);
/* tcp_flow_put() - link b (taken), or copy it into the last block. Lock held. */
void tcp_flow_put(struct tcp_flow *f, struct tcp_block *b);
/* tcp_block_spare() - a kept block that holds `len`, or NULL; tcp_block_keep(): keep an empty one, or
 * free it. Lock held. tcp_block_drop(): free it. */
struct tcp_block *tcp_block_spare(struct tcp_flow *f, u32 len);
void tcp_block_keep(struct tcp_flow *f, struct tcp_block *b);
void tcp_block_drop(struct tcp_block *b);
/* tcp_flow_drop() - forget all that is beyond the first `keep` bytes. Lock held. */
void tcp_flow_drop(struct tcp_flow *f, u64 keep);

/* --- tcp_connect.c, tcp_listen.c, tcp_send.c, tcp_recv.c, tcp_close.c --- */
int tcp_connect(struct socket *sock, const struct socket_addr *addr, bool nonblock);
int tcp_listen(struct socket *sock, int backlog);
int tcp_accept(struct socket *sock, bool nonblock, struct socket **out);
/* tcp_listen_stop() - close the queues: what waits in them is reset or refused. */
void tcp_listen_stop(struct tcp_sock *t);
/* tcp_listen_offer() - a connection for a listener: established and queued, or left waiting for room.
 * Return: 0, -ECONNREFUSED (it no longer listens). */
int tcp_listen_offer(struct tcp_sock *l, struct tcp_conn *c);
/* tcp_listen_forget() - take an attempt that waits out of the queue. */
void tcp_listen_forget(struct tcp_conn *c);
ssize_t tcp_sendmsg(struct socket *sock, struct socket_msg *m);
ssize_t tcp_recvmsg(struct socket *sock, struct socket_msg *m);
int tcp_shutdown(struct socket *sock, int how);
void tcp_release(struct socket *sock, bool nonblock);

/* --- tcp_option.c, tcp_info.c --- */
void tcp_options_init(struct tcp_sock *t);
int tcp_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len);
int tcp_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len);
void tcp_option_changed(struct socket *sock, int name);
/* tcp_size_buffers() - the flows' limits from the socket's options. */
void tcp_size_buffers(struct tcp_sock *t);
void tcp_info(struct tcp_sock *t, struct lx_tcp_info *info);

/* --- tcp_sock.c --- */
struct tcp_sock *tcp_sock_new(struct net_ns *net, u16 family);
