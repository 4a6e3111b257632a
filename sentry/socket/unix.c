/*
 * AF_UNIX sockets: life, readiness, shutdown, options.
 *
 * One lock a socket (s.lock) guards its state, its queue and its peer; two are taken at once only to
 * connect, through mutex_lock_two(). A sender looks at itself (may it send, does the message fit its
 * SO_SNDBUF), copies the data under no lock, then puts the message into the receiver's queue under the
 * receiver's lock, where it finds out whether that still listens.
 *
 * A socket is dead once its file is gone (or, never accepted, its listener's): it has no peer, its
 * queue is empty and stays so. A stream's peer may be dead: it goes on answering getpeername(2).
 * References: peers hold one another while they live, a message its sender, a listener its connections;
 * tables of names hold none: the dead are taken out of them.
 */
#include "sentry/cred/cred.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/inet/inet.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const u32 readable = LX_POLLIN | LX_POLLRDNORM;

static void unix_free(struct obj *o)
{
    struct unix_socket *u = container_of(o, struct unix_socket, s.obj);
    struct list_node junk = LIST_INIT(junk);

    if (!u->dead)
        unix_kill(u, &junk);
    unix_junk(&junk);
    unix_list_del(u);
    unix_addr_put(u->addr);
    unix_ids_put(&u->peer_ids);
    obj_put_((struct obj *)u->peer_cred);
    waitq_destroy(&u->room);
    socket_destroy(&u->s);
    free(u);
}

struct obj_type unix_socket_type = {.name = "unix_socket", .free = unix_free};

static const struct socket_ops *ops_of(u16 type)
{
    return type == LX_SOCK_STREAM      ? &unix_stream_ops
           : type == LX_SOCK_SEQPACKET ? &unix_seqpacket_ops
                                       : &unix_dgram_ops;
}

struct unix_socket *unix_new(struct net_ns *net, u16 type)
{
    struct unix_socket *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    list_init(&u->queue);
    list_init(&u->embryos);
    list_init(&u->in_embryos);
    list_init(&u->watchers);
    list_init(&u->in_watchers);
    list_init(&u->in_net);
    list_init(&u->in_flight);
    waitq_init(&u->room);
    u->backlog = UNIX_MAX_QUEUE;
    u->peer_ids = (struct unix_ids){NULL, ID_INVALID, ID_INVALID};
    socket_init(&u->s, &unix_socket_type, ops_of(type), net, LX_AF_UNIX, type, 0);
    if (unix_list_add(u) < 0) {
        unix_put(u);
        return NULL;
    }
    return u;
}

static int unix_create(struct net_ns *net, u16 type, int protocol, struct socket **out)
{
    struct unix_socket *u;

    if (protocol && protocol != LX_AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == LX_SOCK_RAW)
        type = LX_SOCK_DGRAM;
    if (type != LX_SOCK_STREAM && type != LX_SOCK_DGRAM && type != LX_SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    u = unix_new(net, type);
    if (!u)
        return -ENOMEM;
    u->s.protocol = (u32)protocol;
    *out = &u->s;
    return 0;
}

static int unix_pair(struct socket *sa, struct socket *sb)
{
    struct unix_socket *a = unix_of(sa), *b = unix_of(sb);

    a->peer = unix_get(b);
    b->peer = unix_get(a);
    a->state = b->state = UNIX_CONNECTED;
    unix_set_peer_ids(a);
    unix_set_peer_ids(b);
    return 0;
}

const struct socket_family unix_family = {
    .family = LX_AF_UNIX,
    .create = unix_create,
    .pair = unix_pair,
};

void unix_set_peer_ids(struct unix_socket *u)
{
    const struct cred *c = task_cred(current);

    unix_ids_put(&u->peer_ids);
    obj_put_((struct obj *)u->peer_cred);
    u->peer_ids = (struct unix_ids){pid_get(current->tg->pid), c->euid, c->egid};
    u->peer_cred = cred_get((struct cred *)c);
}

void unix_copy_peer_ids(struct unix_socket *to, struct unix_socket *from)
{
    unix_ids_put(&to->peer_ids);
    obj_put_((struct obj *)to->peer_cred);
    to->peer_ids = from->peer_ids;
    pid_get(to->peer_ids.pid);
    to->peer_cred = cred_get((struct cred *)from->peer_cred);
}

void unix_wake_readers(struct unix_socket *u)
{
    waitq_wake(&u->s.queue, readable);
}

void unix_wake_all(struct unix_socket *u)
{
    waitq_wake_all(&u->s.queue, readable | LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND | LX_POLLHUP |
                                    LX_POLLRDHUP);
}

/* --- the end --- */

/* reset_peer() - a stream's other end: it reads what it has, then the end; or is told that what it
 * sent was never read. */
static void reset_peer(struct unix_socket *peer, bool unread)
{
    mutex_lock(&peer->s.lock);
    peer->shutdown = UNIX_NO_BOTH;
    mutex_unlock(&peer->s.lock);
    if (unread)
        peer->s.error = ECONNRESET; /* told as an end, not as an error (SIGIO) */
    unix_wake_all(peer);
}

/* kill_embryos() - connections that nobody will accept. */
static void kill_embryos(struct list_node *embryos, struct list_node *junk)
{
    struct unix_socket *e;

    while ((e = list_first(embryos, struct unix_socket, in_embryos))) {
        list_del(&e->in_embryos);
        unix_kill(e, junk);
        unix_put(e);
    }
}

/* unread() - is there something that the peer will never know to be read? A taken urgent byte isn't. */
static bool unread(const struct unix_socket *u)
{
    const struct unix_msg *m = list_first(&u->queue, struct unix_msg, node);

    return m && !(m->mark && m->node.next == &u->queue);
}

void unix_kill(struct unix_socket *u, struct list_node *junk)
{
    struct list_node embryos = LIST_INIT(embryos);
    bool embryo, lost;
    struct unix_socket *peer;

    unix_unbind(u);
    mutex_lock(&u->s.lock);
    embryo = u->state == UNIX_CONNECTED && !u->s.ino;
    u->dead = true;
    u->state = UNIX_CLOSED;
    u->shutdown = UNIX_NO_BOTH;
    peer = u->peer;
    u->peer = NULL;
    lost = unread(u) || embryo;
    u->urgent = NULL;
    list_splice_tail(junk, &u->queue);
    u->qlen = 0;
    u->qbytes = 0;
    list_splice_tail(&embryos, &u->embryos);
    u->nembryos = 0;
    mutex_unlock(&u->s.lock);
    if (peer && !unix_is_dgram(u))
        reset_peer(peer, lost);
    if (peer) {
        mutex_lock(&peer->s.lock);
        if (list_linked(&u->in_watchers)) {
            list_del(&u->in_watchers);
            unix_put(u);
        }
        mutex_unlock(&peer->s.lock);
        unix_put(peer);
    }
    kill_embryos(&embryos, junk);
    waitq_wake_all(&u->s.queue, 0xffff);
    unix_room_made(u);
}

static void unix_release(struct socket *s, bool nonblock)
{
    struct unix_socket *u = unix_of(s);
    struct list_node junk = LIST_INIT(junk);

    if (u->dead)
        return;
    unix_kill(u, &junk);
    unix_junk(&junk);
}

/* unix_closing() - a descriptor of it is being closed. If it lies in queues, those may now be all that
 * holds it. */
static void unix_closing(struct socket *s, const struct file *f)
{
    if (unix_of(s)->inflight)
        unix_gc_run(f);
}

/* --- what it is --- */

static int unix_getname(struct socket *s, bool peer, struct socket_addr *out)
{
    struct unix_socket *u = unix_of(s), *other;

    if (!peer) {
        unix_tell_addr(u, out);
        return 0;
    }
    mutex_lock(&s->lock);
    other = u->peer ? unix_get(u->peer) : NULL;
    mutex_unlock(&s->lock);
    if (!other)
        return -ENOTCONN;
    unix_tell_addr(other, out);
    unix_put(other);
    return 0;
}

bool unix_connected(struct unix_socket *u)
{
    bool yes;

    mutex_lock(&u->s.lock);
    yes = u->state == UNIX_CONNECTED;
    mutex_unlock(&u->s.lock);
    return yes;
}

void unix_move_peek_offset(struct unix_socket *u, bool peek, u32 n)
{
    s64 at;

    if (u->s.opt.peek_off < 0)
        return;
    mutex_lock(&u->s.lock);
    at = (s64)u->s.opt.peek_off + (peek ? (s64)n : -(s64)n);
    if (u->s.opt.peek_off >= 0)
        u->s.opt.peek_off = (s32)min_of(max_of(at, (s64)0), (s64)INT32_MAX);
    mutex_unlock(&u->s.lock);
}

static int unix_shutdown(struct socket *s, int how)
{
    struct unix_socket *u = unix_of(s), *other = NULL;
    u32 own, theirs;

    if (how < LX_SHUT_RD || how > LX_SHUT_RDWR)
        return -EINVAL;
    own = (u32)how + 1;
    theirs = (own & UNIX_NO_RECV ? UNIX_NO_SEND : 0) | (own & UNIX_NO_SEND ? UNIX_NO_RECV : 0);
    mutex_lock(&s->lock);
    u->shutdown |= own;
    if (u->peer && !unix_is_dgram(u))
        other = unix_get(u->peer);
    mutex_unlock(&s->lock);
    if (other) {
        mutex_lock(&other->s.lock);
        other->shutdown |= theirs;
        mutex_unlock(&other->s.lock);
        unix_wake_all(other);
        unix_put(other);
    }
    unix_wake_all(u);
    waitq_wake_all(&u->room, LX_POLLOUT);
    return 0;
}

static u32 poll_common(struct unix_socket *u)
{
    u32 events = atomic_load_explicit(&u->s.error, memory_order_relaxed) ? LX_POLLERR : 0;

    if (u->shutdown & UNIX_NO_RECV)
        events |= LX_POLLRDHUP | readable;
    if (u->shutdown == UNIX_NO_BOTH)
        events |= LX_POLLHUP;
    if (!list_empty(&u->queue) || !list_empty(&u->embryos))
        events |= readable;
    if (u->urgent)
        events |= LX_POLLPRI;
    if (u->state == UNIX_CLOSED && !unix_is_dgram(u))
        events |= LX_POLLHUP;
    return events;
}

static u32 unix_poll(struct socket *s)
{
    struct unix_socket *u = unix_of(s);
    bool ready = unix_writable(u), datagrams = s->type != LX_SOCK_STREAM;
    u32 events;

    mutex_lock(&s->lock);
    events = poll_common(u);
    mutex_unlock(&s->lock);
    if (ready && datagrams && unix_watch_room(u))
        ready = false;
    return events | (ready ? LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND : 0);
}

u64 unix_queued_locked(const struct unix_socket *u)
{
    const struct unix_msg *first = list_first(&u->queue, struct unix_msg, node);

    if (!unix_is_dgram(u))
        return u->qbytes;
    return first ? first->len : 0;
}

/* at_mark() - is the next byte to read where an urgent one is, or was? */
static bool at_mark(const struct unix_socket *u)
{
    const struct unix_msg *first = list_first(&u->queue, struct unix_msg, node);

    return first && (first->mark || first == u->urgent);
}

static s64 unix_ioctl(struct socket *s, struct mm *mm, u32 cmd, u64 arg)
{
    struct unix_socket *u = unix_of(s);
    s64 n;
    s32 value;

    switch (cmd) {
    case LX_SIOCOUTQ: n = u->wmem; break;
    case LX_SIOCINQ:
        mutex_lock(&s->lock);
        n = u->state == UNIX_LISTENING ? -EINVAL : (s64)unix_queued_locked(u);
        mutex_unlock(&s->lock);
        break;
    case LX_SIOCATMARK:
        if (s->type != LX_SOCK_STREAM)
            return -EOPNOTSUPP;
        mutex_lock(&s->lock);
        n = at_mark(u);
        mutex_unlock(&s->lock);
        break;
    default: return inet_link_ioctl(s, mm, cmd, arg);
    }
    value = (s32)n;
    return n < 0 ? n : usermem_put(mm, arg, &value);
}

/* --- options --- */

static int get_peercred(struct unix_socket *u, void *to, u32 *room)
{
    const struct user_ns *ns = task_cred(current)->user_ns;
    struct lx_ucred c = {0, UINT32_MAX, UINT32_MAX};
    struct unix_ids ids;

    mutex_lock(&u->s.lock);
    ids = u->peer_ids;
    pid_get(ids.pid);
    mutex_unlock(&u->s.lock);
    if (ids.pid) {
        c.pid = pid_was_nr(ids.pid, current->pid->ns);
        c.uid = uid_from_kuid(ns, ids.uid);
        c.gid = gid_from_kgid(ns, ids.gid);
    }
    unix_ids_put(&ids);
    *room = min_of(*room, (u32)sizeof(c));
    memcpy(to, &c, *room);
    return 0;
}

static int get_peergroups(struct unix_socket *u, void *to, u32 *room)
{
    struct cred *c;
    u32 need, *gids = to;
    int err = 0;

    mutex_lock(&u->s.lock);
    c = cred_get((struct cred *)u->peer_cred);
    mutex_unlock(&u->s.lock);
    if (!c)
        return -ENODATA;
    need = c->ngroups * (u32)sizeof(u32);
    if (*room < need)
        err = -ERANGE;
    for (u32 i = 0; !err && i < c->ngroups; i++)
        gids[i] = gid_from_kgid(task_cred(current)->user_ns, c->groups[i]);
    *room = need;
    cred_put(c);
    return err;
}

static int unix_getsockopt(struct socket *s, int level, int name, void *value, u32 *len)
{
    if (level != LX_SOL_SOCKET)
        return -EOPNOTSUPP;
    switch (name) {
    case LX_SO_PEERCRED: return get_peercred(unix_of(s), value, len);
    case LX_SO_PEERGROUPS: return get_peergroups(unix_of(s), value, len);
    default: return -ENOPROTOOPT;
    }
}

static int unix_setsockopt(struct socket *s, int level, int name, const void *value, u32 len)
{
    s32 n;

    if (level != LX_SOL_SOCKET)
        return -EOPNOTSUPP;
    if (name == LX_SO_BINDTODEVICE)
        return len && *(const char *)value ? -ENODEV : 0;
    if (name != LX_SO_PEEK_OFF)
        return -ENOPROTOOPT;
    memcpy(&n, value, sizeof(n));
    s->opt.peek_off = n;
    return 0;
}

static void unix_option_changed(struct socket *s, int name)
{
    if (name == LX_SO_SNDBUF || name == LX_SO_SNDBUFFORCE)
        waitq_wake(&s->queue, LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND);
}

#define COMMON_OPS                                                                            \
    .bind = unix_bind, .getname = unix_getname, .shutdown = unix_shutdown, .poll = unix_poll, \
    .ioctl = unix_ioctl, .release = unix_release, .closing = unix_closing,                    \
    .getsockopt = unix_getsockopt, .setsockopt = unix_setsockopt,                             \
    .option_changed = unix_option_changed

const struct socket_ops unix_stream_ops = {
    COMMON_OPS,
    .connect = unix_stream_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .sendmsg = unix_stream_sendmsg,
    .recvmsg = unix_stream_recvmsg,
};

const struct socket_ops unix_seqpacket_ops = {
    COMMON_OPS,
    .connect = unix_stream_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .sendmsg = unix_seqpacket_sendmsg,
    .recvmsg = unix_seqpacket_recvmsg,
};

const struct socket_ops unix_dgram_ops = {
    COMMON_OPS,
    .connect = unix_dgram_connect,
    .sendmsg = unix_dgram_sendmsg,
    .recvmsg = unix_dgram_recvmsg,
};
