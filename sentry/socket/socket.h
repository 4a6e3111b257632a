/*
 * Sockets: what a descriptor of socket(2) is, whatever its family.
 *
 *   file ── private ──> struct socket (embedded first in the family's own) ── ops ──> its family
 *
 * Layers: sys_socket.c (sentry/syscalls) decodes arguments, finds the socket and copies addresses
 * and control data; this folder has what is common to all families (socket.c: the file operations;
 * sockopt.c: SOL_SOCKET; scm.c: control messages) and a file or folder a family (unix_*.c, inet/,
 * netlink/, hostinet/). A family is one row in families[].
 *
 * An operation is called without locks, in blocking style: it sleeps through socket_wait() unless
 * the call says not to. Data is copied from and to the guest under no lock (reserve, unlock, copy,
 * lock, commit). Several tasks may be in operations of one socket at once; close(2) by one does not
 * end the others: the file lives as long as they use it.
 *
 * References: a file holds its socket; a socket holds its network namespace. What a family
 * keeps in tables (bound names, ports, accept queues) holds a reference or unlinks itself in
 * release(): its comment says which.
 */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_socket.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"
#include "sentry/wait/wait.h"

struct net_ns;
struct socket;
struct task;

/* An address as guests pass it; `len` 0: none. */
struct socket_addr {
    u32 len;
    union {
        u16 family;
        struct lx_sockaddr_un un;
        struct lx_sockaddr_in in;
        struct lx_sockaddr_in6 in6;
        struct lx_sockaddr_nl nl;
        u8 bytes[LX_SOCKADDR_MAX];
    };
};

/* Control data of one call. Sending: what the guest gave, copied in once, cmsg_next() walks it.
 * Receiving: cmsg_put() puts it where the guest wants it, `cap` bytes at most. */
struct socket_control {
    u8 *data;   /* sending: the caller's; NULL: none */
    uaddr_t to; /* receiving */
    u32 len, cap;
};

/* One sendmsg or recvmsg. */
struct socket_msg {
    struct uio *data;
    struct socket_addr name; /* sending: where to; receiving: filled in; len 0: none */
    struct socket_control control;
    u32 flags;     /* LX_MSG_*; MSG_DONTWAIT is set for O_NONBLOCK files too */
    u32 out_flags; /* receiving: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB, MSG_ERRQUEUE */
};

/* Errors are negative errno and restart codes (socket_wait() makes them). A NULL: -EOPNOTSUPP. */
struct socket_ops {
    int (*bind)(struct socket *s, const struct socket_addr *addr);
    /* connect() - `nonblock`: -EINPROGRESS (or what the family says) instead of sleeping. */
    int (*connect)(struct socket *s, const struct socket_addr *addr, bool nonblock);
    int (*listen)(struct socket *s, int backlog);
    /* accept() - Return: 0 and a new reference. */
    int (*accept)(struct socket *s, bool nonblock, struct socket **out);
    /* getname() - own address, or with `peer` the peer's (-ENOTCONN). */
    int (*getname)(struct socket *s, bool peer, struct socket_addr *out);
    /* sendmsg() - Return: bytes. It raises no SIGPIPE: -EPIPE says so, and the caller does that. */
    ssize_t (*sendmsg)(struct socket *s, struct socket_msg *m);
    /* recvmsg() - Return: bytes (with MSG_TRUNC in flags: of the whole datagram); 0: end. */
    ssize_t (*recvmsg)(struct socket *s, struct socket_msg *m);
    int (*shutdown)(struct socket *s, int how);
    /* setsockopt(), getsockopt() - of the family's levels, and of SOL_SOCKET what sockopt.c does not
     * know; -ENOPROTOOPT. `value` is a copy of what the guest gave, all `len` bytes of it (at most
     * SOCKOPT_MAX). Getting: `len` in: room, out: bytes, which with -ERANGE the guest gets too.
     * getsockopt() is asked first for SO_PEERCRED, SO_PEERGROUPS, SO_PEEK_OFF and SO_MEMINFO. */
    int (*setsockopt)(struct socket *s, int level, int name, const void *value, u32 len);
    int (*getsockopt)(struct socket *s, int level, int name, void *value, u32 *len);
    /* option_changed() - a SOL_SOCKET option that the family acts on was set (buffers, linger…). */
    void (*option_changed)(struct socket *s, int name);
    u32 (*poll)(struct socket *s);
    s64 (*ioctl)(struct socket *s, struct mm *mm, u32 cmd, u64 arg); /* after the common ones */
    /* closing() - a descriptor of `f` is being closed, others may remain. NULL: nothing to do. */
    void (*closing)(struct socket *s, const struct file *f);
    /* release() - the last file is gone; references of tables may remain. It may linger. */
    void (*release)(struct socket *s, bool nonblock);
};

struct socket {
    struct obj obj; /* its type is the family's own, whose free() ends with socket_destroy() */
    const struct socket_ops *ops;
    struct net_ns *net;      /* a reference */
    struct user_ns *user_ns; /* a reference: the maker's, for capability checks */
    u16 family, type;        /* LX_AF_*, LX_SOCK_* without flags */
    u32 protocol;
    struct waitq queue; /* woken with LX_POLL* when readiness, state or error change */
    _Atomic(int) error; /* SO_ERROR: positive errno, taken by socket_error() */
    _Atomic(u64) ino;   /* "socket:[ino]", and what /proc/net shows; 0: no file yet */
    u32 uid;            /* maker's fsuid, for /proc/net and SO_PEERCRED's like */

    struct mutex lock; /* SOCKET class; the family's state too */
    struct socket_options {
        u32 flags;          /* SOCKET_* */
        u32 sndbuf, rcvbuf; /* bytes, doubled as Linux does */
        u32 rcvlowat, priority, mark, busy_poll, incoming_cpu;
        u64 sndtimeo, rcvtimeo; /* ns; 0: none; 1: at once */
        s32 linger;             /* seconds; < 0: off */
        s32 peek_off;           /* SO_PEEK_OFF; -1: off */
    } opt; /* guarded by lock; single words are read without */
};
OBJ_REFS(socket)

/* socket_options.flags: options that are on or off. */
enum {
    SOCKET_REUSEADDR = 1u << 0,
    SOCKET_REUSEPORT = 1u << 1,
    SOCKET_KEEPALIVE = 1u << 2,
    SOCKET_BROADCAST = 1u << 3,
    SOCKET_OOBINLINE = 1u << 4,
    SOCKET_DONTROUTE = 1u << 5,
    SOCKET_PASSCRED = 1u << 6,
    SOCKET_PASSSEC = 1u << 7,
    SOCKET_TIMESTAMP = 1u << 8,
    SOCKET_TIMESTAMPNS = 1u << 9,
    SOCKET_NO_CHECK = 1u << 10,
    SOCKET_DEBUG = 1u << 11,
    SOCKET_RXQ_OVFL = 1u << 12,
    SOCKET_ACCEPTCONN = 1u << 13, /* listens */
    SOCKET_TIMESTAMP_NEW = 1u << 14, /* with one of the two above: 64-bit layout */
    SOCKET_REFUSE_RIGHTS = 1u << 15, /* SO_PASSRIGHTS is off */
    SOCKET_SELECT_ERR_QUEUE = 1u << 16,
    SOCKET_PREFER_BUSY_POLL = 1u << 17,
};

enum { UNIX_MAX_QUEUE = 10 }; /* datagrams that wait in an AF_UNIX socket: net.unix.max_dgram_qlen */

/* A family: a row in families[] (families.c). */
struct socket_family {
    u16 family;
    /* create() - `type` has no flags. Return: 0 and a new reference; -ESOCKTNOSUPPORT,
     * -EPROTONOSUPPORT, -EPERM, -EACCES, -ENOMEM. */
    int (*create)(struct net_ns *net, u16 type, int protocol, struct socket **out);
    /* pair() - connect two fresh ones. NULL: -EOPNOTSUPP. */
    int (*pair)(struct socket *a, struct socket *b);
};

/* --- socket.c --- */

/* socket_create() - socket(2) without the descriptor, for the calling task. -EAFNOSUPPORT. */
int socket_create(struct net_ns *net, int family, int type, int protocol, struct socket **out);
/* socket_init() - the common part, for create() and accept(): zeroed by the caller; takes a new
 * reference to `net` and the calling task's user namespace and uid. */
void socket_init(struct socket *s, struct obj_type *type, const struct socket_ops *ops,
                 struct net_ns *net, u16 family, u16 sock_type, u32 protocol);
/* socket_destroy() - undo it, in the family's free(); frees nothing else. */
void socket_destroy(struct socket *s);
/* socket_file() - a file for `s`, whose reference it takes on success. `flags`: LX_O_NONBLOCK. */
int socket_file(struct socket *s, u32 flags, struct file **out);
/* socket_of() - the socket behind a file, borrowed; NULL: it is none (-ENOTSOCK). */
struct socket *socket_of(const struct file *f);

/* socket_set_error() - for SO_ERROR and the next call; wakes. socket_error(): take it, 0 or -errno. */
void socket_set_error(struct socket *s, int err);
int socket_error(struct socket *s);
/* socket_deadline() - when a call that starts now gives up (SO_SNDTIMEO, SO_RCVTIMEO): monotonic ns. */
u64 socket_deadline(const struct socket *s, bool sending);
/* socket_wait_result() - what a wait_event() on `s` means for the call: -EAGAIN after the deadline,
 * -EINTR instead of a restart where there is one (signal(7)). */
int socket_wait_result(int r, u64 deadline);
/* socket_wait() - sleep until `cond`, woken by `ev`. Yields 0, -EAGAIN, -EINTR, -ERESTARTSYS. */
#define socket_wait(s, ev, deadline, cond) \
    socket_wait_result(wait_event(&(s)->queue, (ev), (deadline), (cond)), (deadline))

/* socket_sigpipe() - does -EPIPE of a write to `f` raise SIGPIPE? Of sockets: streams only. */
bool socket_sigpipe(const struct file *f);
/* socket_inherit() - an accepted socket's options are its listener's. */
void socket_inherit(struct socket *to, struct socket *from);
/* socket_count() - sockets that a descriptor has or had open, in this namespace (sockstat). */
u64 socket_count(const struct net_ns *net);

/* --- sockopt.c --- */

enum { SOCKOPT_MAX = 4096, SOCKET_BUFFER_DEFAULT = 212992 };
/* socket_setsockopt(), socket_getsockopt() - setsockopt(2), getsockopt(2) behind the copies. */
int socket_setsockopt(struct socket *s, int level, int name, const void *value, u32 len);
int socket_getsockopt(struct socket *s, int level, int name, void *value, u32 *len);
/* socket_flag() - is SOCKET_* on? Read without the lock. */
static inline bool socket_flag(const struct socket *s, u32 flag)
{
    return __atomic_load_n(&s->opt.flags, __ATOMIC_RELAXED) & flag;
}

/* --- scm.c --- */

/* One control message as sent; data points into the control buffer. */
struct cmsg {
    int level, type;
    const u8 *data;
    u32 len;
};
/* cmsg_next() - the message at *at (0 at first), which it advances. Return: 1, 0: no more, -EINVAL. */
int cmsg_next(const struct socket_control *c, u32 *at, struct cmsg *out);
/* cmsg_put() - add one for the calling task; what has no room is cut, with MSG_CTRUNC in
 * m->out_flags. One that the guest's memory doesn't take is left out. */
void cmsg_put(struct socket_msg *m, int level, int type, const void *data, u32 len);
/* cmsg_put_timestamp() - what SO_TIMESTAMP* ask for: `ns` since 1970. */
void cmsg_put_timestamp(struct socket *s, struct socket_msg *m, u64 ns);
