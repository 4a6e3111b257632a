/*
 * Datagrams and records: each message is received as it was sent. A receiver that is not connected to
 * its sender takes at most 11 of them (net.unix.max_dgram_qlen is 10, and Linux looks before it adds);
 * the sender then waits on the receiver's `room`. One that polls leaves a note instead (watchers): it
 * is told when there is room.
 */
#include "sentry/base/host_thread.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>

enum { RETRY = 1 };

/* --- connecting --- */

/* may_send_locked() - only its own peer may send to a socket that has one. */
static bool may_send_locked(const struct unix_socket *u, const struct unix_socket *to)
{
    return !to->peer || to->peer == u;
}

/* unwatch_locked() - u no longer waits for room in its peer's queue; both locks held.
 * Return: was it? Then the caller drops a reference to u. */
static bool unwatch_locked(struct unix_socket *u)
{
    if (!list_linked(&u->in_watchers))
        return false;
    list_del(&u->in_watchers);
    return true;
}

/* left() - u was connected to `old` (a reference, taken) and no longer is: what came from it is lost. */
static void left(struct unix_socket *u, struct unix_socket *old)
{
    struct list_node junk = LIST_INIT(junk);
    bool reset = false, unwatch;

    mutex_lock_two(&u->s.lock, &old->s.lock);
    unwatch = unwatch_locked(u);
    list_splice_tail(&junk, &u->queue);
    u->qlen = 0;
    u->qbytes = 0;
    reset = !list_empty(&junk) && !old->dead && old->peer == u;
    old->state = old->state == UNIX_CONNECTED ? UNIX_CLOSED : old->state;
    mutex_unlock_two(&u->s.lock, &old->s.lock);
    if (unwatch)
        unix_put(u);
    if (!list_empty(&junk))
        waitq_wake_all(&u->room, LX_POLLOUT);
    if (reset)
        socket_set_error(&old->s, ECONNRESET);
    unix_junk(&junk);
    unix_put(old);
}

/* connect_to() - `to` (borrowed) or, with NULL, nobody. Return: 0, -EPERM, RETRY: it has died. */
static int connect_to(struct unix_socket *u, struct unix_socket *to)
{
    struct unix_socket *old = NULL;
    int err = 0;

    mutex_lock_two(&u->s.lock, to ? &to->s.lock : &u->s.lock);
    if (to && to->dead)
        err = RETRY;
    else if (to && !may_send_locked(u, to))
        err = -EPERM;
    if (!err) {
        old = u->peer;
        u->peer = to ? unix_get(to) : NULL;
        u->state = to ? UNIX_CONNECTED : UNIX_CLOSED;
        if (to)
            to->state = UNIX_CONNECTED;
    }
    mutex_unlock_two(&u->s.lock, to ? &to->s.lock : &u->s.lock);
    if (old && old != to)
        left(u, old);
    else
        unix_put(old);
    return err;
}

int unix_dgram_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    struct unix_socket *u = unix_of(s), *to;
    int err;

    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == LX_AF_UNSPEC)
        return connect_to(u, NULL);
    err = unix_check_addr(addr);
    if (!err && socket_flag(s, SOCKET_PASSCRED))
        err = unix_autobind(u);
    while (!err) {
        err = unix_find(u, addr, &to);
        if (err)
            return err;
        err = connect_to(u, to);
        unix_put(to);
        if (err != RETRY)
            return err;
        err = 0;
    }
    return err;
}

/* --- sending --- */

bool unix_dgram_full_locked(struct unix_socket *u, const struct unix_socket *to)
{
    return to != u && to->peer != u && to->qlen > UNIX_MAX_QUEUE;
}

bool unix_watch_room(struct unix_socket *u)
{
    struct unix_socket *to;
    bool full;

    mutex_lock(&u->s.lock);
    to = u->peer ? unix_get(u->peer) : NULL;
    mutex_unlock(&u->s.lock);
    if (!to)
        return false;
    mutex_lock_two(&u->s.lock, &to->s.lock);
    full = u->peer == to && !to->dead && unix_dgram_full_locked(u, to);
    if (full && !list_linked(&u->in_watchers)) {
        unix_get(u);
        list_add_tail(&to->watchers, &u->in_watchers);
    }
    mutex_unlock_two(&u->s.lock, &to->s.lock);
    unix_put(to);
    return full;
}

void unix_room_made(struct unix_socket *u)
{
    struct unix_socket *w;

    waitq_wake_all(&u->room, LX_POLLOUT | LX_POLLHUP);
    for (;;) {
        mutex_lock(&u->s.lock);
        w = list_first(&u->watchers, struct unix_socket, in_watchers);
        if (w)
            list_del(&w->in_watchers);
        mutex_unlock(&u->s.lock);
        if (!w)
            return;
        waitq_wake(&w->s.queue, LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND);
        unix_put(w);
    }
}

static bool has_room(struct unix_socket *u, struct unix_socket *to)
{
    bool room;

    mutex_lock(&to->s.lock);
    room = to->dead || (to->shutdown & UNIX_NO_RECV) || !unix_dgram_full_locked(u, to);
    mutex_unlock(&to->s.lock);
    return room;
}

/* put_in() - into to's queue. Return: 0, -EPERM, -EPIPE, -EAGAIN (full), RETRY: it has died. */
static int put_in(struct unix_socket *u, struct unix_socket *to, struct unix_msg *m)
{
    int err = 0;

    unix_scm_default(u, to, m);
    if (m->rights)
        unix_gc_queued(to, m->rights);
    if (socket_flag(&to->s, SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS))
        m->stamp = host_clock(CLOCK_REALTIME);
    mutex_lock(&to->s.lock);
    if (to->dead)
        err = RETRY;
    else if (!may_send_locked(u, to))
        err = -EPERM;
    else if (to->shutdown & UNIX_NO_RECV)
        err = -EPIPE;
    else if (m->rights && socket_flag(&to->s, SOCKET_REFUSE_RIGHTS))
        err = -EPERM;
    else if (unix_dgram_full_locked(u, to))
        err = -EAGAIN;
    if (!err)
        unix_queue_locked(to, m);
    mutex_unlock(&to->s.lock);
    if (!err)
        unix_wake_readers(to);
    return err;
}

/* lost_peer() - the receiver is dead. Return: errno; RETRY: it was found by name: look again. */
static int lost_peer(struct unix_socket *u, struct unix_socket *to, bool named)
{
    bool was_peer;

    if (u->s.type == LX_SOCK_SEQPACKET)
        return -EPIPE;
    mutex_lock(&u->s.lock);
    was_peer = u->peer == to;
    if (was_peer) {
        u->peer = NULL;
        u->state = UNIX_CLOSED;
    }
    mutex_unlock(&u->s.lock);
    if (was_peer) {
        left(u, to);
        return -ECONNREFUSED;
    }
    return named ? RETRY : -ECONNRESET;
}

/* deliver() - m, whose reference it takes on success, to `to`, waiting while that is full. */
static int deliver(struct unix_socket *u, struct unix_socket *to, struct unix_msg *m, bool nonblock,
                   bool named)
{
    u64 deadline = socket_deadline(&u->s, true);

    for (;;) {
        int err = put_in(u, to, m);

        if (err == RETRY)
            return lost_peer(u, to, named);
        if (err != -EAGAIN || nonblock)
            return err;
        err = socket_wait_result(wait_event(&to->room, LX_POLLOUT, deadline, has_room(u, to)),
                                 deadline);
        if (err < 0)
            return err;
    }
}

static struct unix_socket *peer_of(struct unix_socket *u)
{
    struct unix_socket *to;

    mutex_lock(&u->s.lock);
    to = u->peer ? unix_get(u->peer) : NULL;
    mutex_unlock(&u->s.lock);
    return to;
}

/* make() - the message: paid for, copied in. Return: NULL and *err. */
static struct unix_msg *make(struct unix_socket *u, struct socket_msg *m, struct unix_scm *scm,
                             int *err)
{
    u32 len = (u32)m->data->left;
    s64 cost = unix_reserve(u, len, m->flags & LX_MSG_DONTWAIT);
    struct unix_msg *msg;

    *err = (int)cost;
    if (cost < 0)
        return NULL;
    msg = unix_msg_new(u, len, (u32)cost);
    if (!msg) {
        unix_unreserve(u, (u32)cost);
        *err = -ENOBUFS;
        return NULL;
    }
    *err = 0;
    unix_scm_attach(scm, msg, true);
    if (uio_from(m->data, msg->data, len) < (ssize_t)len) {
        unix_msg_put(msg);
        *err = -EFAULT;
        return NULL;
    }
    return msg;
}

/* send_to() - to whom m names, or the peer. */
static ssize_t send_to(struct unix_socket *u, struct socket_msg *m, struct unix_scm *scm)
{
    ssize_t len = (ssize_t)m->data->left;
    bool named = m->name.len, nonblock = m->flags & LX_MSG_DONTWAIT;
    struct unix_socket *to = named ? NULL : peer_of(u);
    struct unix_msg *msg = NULL;
    int err = to || named ? 0 : -ENOTCONN;

    if (!err && socket_flag(&u->s, SOCKET_PASSCRED))
        err = unix_autobind(u);
    if (!err && (u64)len > u->s.opt.sndbuf - 32)
        err = -EMSGSIZE;
    if (!err)
        msg = make(u, m, scm, &err);
    while (msg) {
        err = named ? unix_find(u, &m->name, &to) : 0;
        if (!err) {
            err = deliver(u, to, msg, nonblock, named);
            if (named)
                unix_put(to);
        }
        if (err == RETRY)
            continue;
        if (err)
            unix_msg_put(msg);
        break;
    }
    if (!named)
        unix_put(to);
    return err ? err : len;
}

ssize_t unix_dgram_sendmsg(struct socket *s, struct socket_msg *m)
{
    struct unix_socket *u = unix_of(s);
    struct unix_scm scm;
    ssize_t n = unix_scm_send(m, &scm);

    if (n < 0)
        return n;
    if (m->flags & LX_MSG_OOB)
        n = -EOPNOTSUPP;
    if (n == 0 && m->name.len)
        n = unix_check_addr(&m->name);
    if (n == 0)
        n = send_to(u, m, &scm);
    unix_scm_end(&scm);
    return n;
}

ssize_t unix_seqpacket_sendmsg(struct socket *s, struct socket_msg *m)
{
    int err = socket_error(s);

    if (err)
        return err;
    if (!unix_connected(unix_of(s)))
        return -ENOTCONN;
    m->name.len = 0;
    return unix_dgram_sendmsg(s, m);
}

/* --- receiving --- */

/* One recvmsg() under way. */
struct reading {
    struct unix_socket *u;
    bool peek;
    u64 skip; /* SO_PEEK_OFF: bytes before those wanted */
    u32 off;  /* into the message found */
};

/* take() - the next message, a reference; without MSG_PEEK it leaves the queue. NULL: none. */
static struct unix_msg *take_msg(struct reading *r)
{
    struct unix_socket *u = r->u;
    struct unix_msg *m, *found = NULL;
    u64 skip = r->skip;

    mutex_lock(&u->s.lock);
    list_for_each(m, &u->queue, node) {
        if (skip >= m->len && skip && r->peek) {
            skip -= m->len;
            continue;
        }
        found = m;
        break;
    }
    r->off = (u32)skip;
    if (found && r->peek)
        unix_msg_get(found);
    else if (found)
        unix_unqueue_locked(u, found);
    mutex_unlock(&u->s.lock);
    return found;
}

/* look() - Return: 1: *out or the end is there (or neither, and *err), 0: wait. */
static int look(struct reading *r, struct unix_msg **out, int *err)
{
    u32 shut;

    *err = socket_error(&r->u->s);
    if (*err)
        return 1;
    *out = take_msg(r);
    if (*out)
        return 1;
    mutex_lock(&r->u->s.lock);
    shut = r->u->shutdown;
    mutex_unlock(&r->u->s.lock);
    return shut & UNIX_NO_RECV ? 1 : 0;
}

/* wait_msg() - Return: 0 with *out (NULL: the end), or errno. */
static int wait_msg(struct reading *r, u32 flags, struct unix_msg **out)
{
    u64 deadline;
    int err, rc;

    *out = NULL;
    rc = look(r, out, &err);
    if (rc && (err || *out))
        return err;
    if (flags & LX_MSG_DONTWAIT)
        return rc && r->u->s.type == LX_SOCK_SEQPACKET ? 0 : -EAGAIN;
    if (rc)
        return 0;
    deadline = socket_deadline(&r->u->s, false);
    rc = socket_wait(&r->u->s, LX_POLLIN | LX_POLLHUP | LX_POLLERR, deadline, look(r, out, &err));
    return rc < 0 ? rc : err;
}

/* hand_over() - data, name and control data of msg. Return: bytes, -EFAULT. */
static ssize_t hand_over(struct reading *r, struct socket_msg *m, struct unix_msg *msg)
{
    u32 len = msg->len - r->off, n = (u32)min_of((u64)len, m->data->left);
    struct unix_rights *rights = NULL;

    unix_tell_addr(msg->from, &m->name);
    if (m->name.len == sizeof(u16))
        m->name.len = 0;
    if (n < len)
        m->out_flags |= LX_MSG_TRUNC;
    if (n && uio_to(m->data, msg->data + r->off, n) < (ssize_t)n)
        return -EFAULT;
    if (msg->stamp)
        cmsg_put_timestamp(&r->u->s, m, msg->stamp);
    unix_move_peek_offset(r->u, r->peek, r->peek ? n : msg->len);
    if (r->peek) {
        rights = unix_gc_dup(r->u, msg);
    } else if (msg->rights) {
        rights = msg->rights;
        msg->rights = NULL;
        unix_gc_in(rights);
    }
    unix_scm_recv(r->u, m, &msg->ids, rights);
    return m->flags & LX_MSG_TRUNC ? (ssize_t)len : (ssize_t)n;
}

ssize_t unix_dgram_recvmsg(struct socket *s, struct socket_msg *m)
{
    struct unix_socket *u = unix_of(s);
    struct reading r = {.u = u, .peek = m->flags & LX_MSG_PEEK};
    struct unix_msg *msg;
    ssize_t n;

    m->name.len = 0;
    if (m->flags & LX_MSG_OOB)
        return -EOPNOTSUPP;
    if (r.peek && s->opt.peek_off > 0)
        r.skip = (u64)s->opt.peek_off;
    n = wait_msg(&r, m->flags, &msg);
    if (!msg)
        return n;
    if (!r.peek)
        unix_room_made(u);
    n = hand_over(&r, m, msg);
    unix_msg_put(msg);
    return n;
}

ssize_t unix_seqpacket_recvmsg(struct socket *s, struct socket_msg *m)
{
    if (!unix_connected(unix_of(s)))
        return -ENOTCONN;
    return unix_dgram_recvmsg(s, m);
}
