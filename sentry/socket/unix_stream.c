/*
 * Streams. A write becomes messages of at most 36 KiB; a read takes them apart again. A reader finds
 * the next bytes under the lock, copies them under none (their data never changes, and the message is
 * held), and takes them under the lock again. Then they are read, and with them the message's files; a
 * fault leaves all of them where they were. Whoever finds that another was faster copies anew.
 *
 * A read goes on from message to message until it has enough, and stops after one that carried files,
 * before one of another sender where credentials are asked for, and before an urgent byte. That byte is
 * a message of its own: in line it is read like any other; else recv(MSG_OOB) takes it, which leaves a
 * mark where it was, or a read that begins there drops it.
 */
#include "sentry/kernel/pid.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>

enum { PIECE = 4096 - 320 + 32768 };

/* --- sending --- */

/* put_in() - into the peer's queue, which takes the reference. Return: 0, -EPIPE, -EPERM. */
static int put_in(struct unix_socket *u, struct unix_socket *to, struct unix_msg *m)
{
    struct unix_msg *old = NULL;
    bool urgent = m->urgent; /* once it is queued, a reader may change that */
    int err = 0;

    unix_scm_default(u, to, m);
    if (m->rights)
        unix_gc_queued(to, m->rights);
    mutex_lock(&to->s.lock);
    if (to->dead || (to->shutdown & UNIX_NO_RECV)) {
        err = -EPIPE;
    } else if (m->rights && socket_flag(&to->s, SOCKET_REFUSE_RIGHTS)) {
        err = -EPERM;
    } else {
        unix_queue_locked(to, m);
        if (urgent) {
            old = to->urgent; /* becomes an ordinary byte */
            to->urgent = m;
        }
    }
    if (old)
        old->urgent = false;
    mutex_unlock(&to->s.lock);
    if (err)
        return err;
    waitq_wake(&to->s.queue,
               urgent ? LX_POLLIN | LX_POLLRDNORM | LX_POLLPRI : LX_POLLIN | LX_POLLRDNORM);
    return 0;
}

/* send_piece() - one message of up to n bytes. Return: bytes, errno. */
static ssize_t send_piece(struct unix_socket *u, struct unix_socket *to, struct socket_msg *m,
                          struct unix_scm *scm, u32 n, bool urgent)
{
    s64 cost = unix_reserve(u, n, m->flags & LX_MSG_DONTWAIT);
    struct unix_msg *piece;
    int err = 0;

    if (cost < 0)
        return cost;
    piece = unix_msg_new(u, n, (u32)cost);
    if (!piece) {
        unix_unreserve(u, (u32)cost);
        return -ENOBUFS;
    }
    if (uio_from(m->data, piece->data, n) < (ssize_t)n)
        err = -EFAULT;
    piece->urgent = urgent;
    unix_scm_attach(scm, piece, true);
    unix_msg_get(piece); /* put_in() looks at it after it is read */
    if (!err)
        err = put_in(u, to, piece);
    if (err)
        unix_msg_put(piece);
    unix_msg_put(piece);
    return err ? err : (ssize_t)n;
}

/* peer_of() - Return: the peer, a new reference; NULL and *err. */
static struct unix_socket *peer_of(struct unix_socket *u, const struct socket_msg *m, int *err)
{
    struct unix_socket *to = NULL;

    *err = 0;
    mutex_lock(&u->s.lock);
    if (m->name.len)
        *err = u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    else if (!u->peer)
        *err = -ENOTCONN;
    else if (u->shutdown & UNIX_NO_SEND)
        *err = -EPIPE;
    else
        to = unix_get(u->peer);
    mutex_unlock(&u->s.lock);
    return to;
}

static ssize_t send_all(struct unix_socket *u, struct unix_socket *to, struct socket_msg *m,
                        struct unix_scm *scm)
{
    u32 urgent = m->flags & LX_MSG_OOB ? 1 : 0;
    ssize_t done = 0, n = 0;

    while (m->data->left > urgent) {
        u32 most = min_of(u->s.opt.sndbuf / 2 - 64, (u32)PIECE);

        n = send_piece(u, to, m, scm, (u32)min_of(m->data->left - urgent, (u64)most), false);
        if (n < 0)
            return done ? done : n;
        done += n;
    }
    if (!urgent)
        return done;
    n = send_piece(u, to, m, scm, 1, true);
    return n > 0 ? done + n : done ? done : n;
}

ssize_t unix_stream_sendmsg(struct socket *s, struct socket_msg *m)
{
    struct unix_socket *u = unix_of(s), *to;
    struct unix_scm scm;
    ssize_t n;
    int err;

    n = unix_scm_send(m, &scm);
    if (n < 0)
        return n;
    if ((m->flags & LX_MSG_OOB) && !m->data->left) {
        unix_scm_end(&scm);
        return -EOPNOTSUPP;
    }
    to = peer_of(u, m, &err);
    n = to ? send_all(u, to, m, &scm) : err;
    unix_put(to);
    unix_scm_end(&scm);
    return n;
}

/* --- receiving --- */

/* One recvmsg() under way. */
struct reading {
    struct unix_socket *u;
    struct socket_msg *m;
    u64 skip; /* MSG_PEEK: bytes before the next ones */
    ssize_t done;
    bool peek, ids_known;
    struct unix_ids ids;        /* of what was read so far, if the receiver asks for them */
    struct unix_rights *rights; /* found on the way */
    struct list_node junk;
};

/* Bytes of one message that are being copied. */
struct claim {
    struct unix_msg *m; /* a reference */
    u32 off, n;
    bool carried; /* files come with them */
};

enum { NOTHING = 0, CLAIMED = 1, STOP = 2 };

/* drop_locked() - a message that nobody will read. */
static void drop_locked(struct reading *r, struct unix_msg *m)
{
    unix_unqueue_locked(r->u, m);
    list_add_tail(&r->junk, &m->node);
}

/* pass_mark_locked() - m is an urgent byte, or a mark. Return: should the read stop before it? */
static bool pass_mark_locked(struct reading *r, struct unix_msg *m, struct unix_msg **next)
{
    bool is_inline = socket_flag(&r->u->s, SOCKET_OOBINLINE);

    *next = m;
    if (r->done)
        return true;
    if (!m->mark && is_inline) {
        if (!r->peek) {
            m->urgent = false;
            r->u->urgent = NULL;
        }
        return false;
    }
    *next = m->node.next == &r->u->queue ? NULL : list_entry(m->node.next, struct unix_msg, node);
    /* A byte that was not taken is lost once something behind it is read. */
    if (!r->peek && (m->mark || *next))
        drop_locked(r, m);
    return false;
}

/* same_sender() - may m be read together with what was read before? */
static bool same_sender(const struct reading *r, const struct unix_msg *m)
{
    return !r->ids_known ||
           (r->ids.pid == m->ids.pid && r->ids.uid == m->ids.uid && r->ids.gid == m->ids.gid);
}

/* note_sender() - bytes of m are read: whom they are from, if that is asked for. */
static void note_sender(struct reading *r, const struct unix_msg *m)
{
    if (r->ids_known || !socket_flag(&r->u->s, SOCKET_PASSCRED))
        return;
    r->ids = m->ids;
    pid_get(r->ids.pid);
    r->ids_known = true;
}

/* find_locked() - the message that the next bytes are in. Return: NULL: none, or *stop. */
static struct unix_msg *find_locked(struct reading *r, u64 *skip, bool *stop)
{
    struct unix_msg *m = list_first(&r->u->queue, struct unix_msg, node);

    *skip = r->skip;
    *stop = false;
    while (m) {
        struct unix_msg *next = m;

        if (m->urgent || m->mark) {
            *stop = pass_mark_locked(r, m, &next);
            if (*stop)
                return NULL;
        }
        if (next == m && *skip < m->len - m->off)
            return m;
        if (next == m) {
            *skip -= m->len - m->off;
            next = m->node.next == &r->u->queue ? NULL
                                                : list_entry(m->node.next, struct unix_msg, node);
        }
        m = next;
    }
    return NULL;
}

/* claim() - look at up to `want` bytes. Return: CLAIMED, NOTHING, STOP. */
static int claim(struct reading *r, u64 want, struct claim *c)
{
    struct unix_socket *u = r->u;
    struct unix_msg *m;
    int what = NOTHING;
    bool stop;
    u64 skip;

    mutex_lock(&u->s.lock);
    m = find_locked(r, &skip, &stop);
    if (stop || (m && !same_sender(r, m))) {
        what = STOP;
    } else if (m) {
        *c = (struct claim){unix_msg_get(m), m->off + (u32)skip, 0, m->rights != NULL};
        c->n = (u32)min_of(want, (u64)(m->len - c->off));
        what = CLAIMED;
    }
    mutex_unlock(&u->s.lock);
    return what;
}

/* take() - the bytes of a claim were copied: they leave the queue. Return: false: another took them. */
static bool take(struct reading *r, struct claim *c)
{
    struct unix_socket *u = r->u;
    struct unix_msg *m = c->m;
    bool stop, mine;
    u64 skip;

    mutex_lock(&u->s.lock);
    mine = find_locked(r, &skip, &stop) == m && m->off == c->off;
    if (mine) {
        r->rights = m->rights;
        c->carried = m->rights != NULL;
        m->rights = NULL;
        m->off += c->n;
        u->qbytes -= c->n;
        if (m->off == m->len) {
            unix_unqueue_locked(u, m);
            unix_msg_put(m); /* the queue's; ours remains */
        }
    }
    mutex_unlock(&u->s.lock);
    if (mine && r->rights)
        unix_gc_in(r->rights);
    return mine;
}

/* have_read() - the bytes of c are the caller's. Return: false: the read ends with them. */
static bool have_read(struct reading *r, struct claim *c)
{
    r->done += (ssize_t)c->n;
    note_sender(r, c->m);
    if (r->m->name.len == 0)
        unix_tell_addr(c->m->from, &r->m->name);
    if (r->peek) {
        r->skip += c->n;
        if (c->carried)
            r->rights = unix_gc_dup(r->u, c->m);
    }
    return !c->carried;
}

/* read_claim() - copy it out, then take it. Return: false: the read ends here. */
static bool read_claim(struct reading *r, struct claim *c)
{
    struct uio before = *r->m->data;
    bool on = true;

    if (c->n && uio_to(r->m->data, c->m->data + c->off, c->n) < (ssize_t)c->n) {
        on = false;
        if (!r->done)
            r->done = -EFAULT;
    } else if (r->peek || take(r, c)) {
        on = have_read(r, c);
    } else {
        *r->m->data = before;
    }
    unix_msg_put(c->m);
    return on;
}

/* empty_result() - nothing to read: what now? Return: 1: wait, 0: the end, errno. */
static int empty_result(struct reading *r)
{
    struct unix_socket *u = r->u;
    int err = socket_error(&u->s);

    if (err)
        return err;
    mutex_lock(&u->s.lock);
    err = u->dead ? -ECONNRESET : u->shutdown & UNIX_NO_RECV ? 0 : 1;
    mutex_unlock(&u->s.lock);
    return err;
}

/* ready() - is there something to read, or to say? */
static bool ready(struct unix_socket *u)
{
    const struct unix_msg *m;
    bool yes;

    mutex_lock(&u->s.lock);
    m = list_first(&u->queue, struct unix_msg, node);
    /* An urgent byte that is last, and not in line, is nothing to read. */
    yes = m && !((m->mark || (m->urgent && !socket_flag(&u->s, SOCKET_OOBINLINE))) &&
                 m->node.next == &u->queue);
    yes |= (u->shutdown & UNIX_NO_RECV) || u->s.error;
    mutex_unlock(&u->s.lock);
    return yes;
}

/* read_loop() - fills r. Return: 0, or what ended it when nothing was read. */
static int read_loop(struct reading *r)
{
    bool nonblock = r->m->flags & LX_MSG_DONTWAIT;
    u64 size = r->m->data->left;
    u64 most = r->m->flags & LX_MSG_WAITALL ? size : min_of((u64)r->u->s.opt.rcvlowat, size);
    u64 target = max_of(most, (u64)1);
    u64 deadline = DEADLINE_NEVER;
    struct claim c;

    if (!nonblock)
        deadline = socket_deadline(&r->u->s, false);
    for (;;) {
        int rc = claim(r, r->m->data->left, &c);

        if (rc == STOP)
            return 0;
        if (rc == CLAIMED) {
            if (!read_claim(r, &c) || !r->m->data->left)
                return 0;
            continue;
        }
        if (r->done >= (ssize_t)target)
            return 0;
        rc = empty_result(r);
        if (rc <= 0)
            return rc;
        if (nonblock)
            return -EAGAIN;
        if (r->peek && r->done)
            return 0;
        rc = socket_wait(&r->u->s, LX_POLLIN | LX_POLLHUP | LX_POLLERR, deadline, ready(r->u));
        if (rc < 0)
            return rc;
    }
}

/* take_urgent() - recv(MSG_OOB): the byte, which leaves a mark. Return: 1, -EINVAL, -EFAULT. */
static ssize_t take_urgent(struct unix_socket *u, struct socket_msg *m)
{
    struct unix_msg *urgent;
    u8 byte;

    mutex_lock(&u->s.lock);
    urgent = u->urgent;
    if (!urgent || socket_flag(&u->s, SOCKET_OOBINLINE)) {
        mutex_unlock(&u->s.lock);
        return -EINVAL;
    }
    byte = urgent->data[0];
    if (!(m->flags & LX_MSG_PEEK)) {
        u->urgent = NULL;
        urgent->urgent = false;
        urgent->mark = true;
        urgent->off = urgent->len;
        u->qbytes--;
    }
    mutex_unlock(&u->s.lock);
    m->out_flags |= LX_MSG_OOB;
    if (!m->data->left) {
        m->out_flags |= LX_MSG_TRUNC;
        return 0;
    }
    return uio_to(m->data, &byte, 1) == 1 ? 1 : -EFAULT;
}

ssize_t unix_stream_recvmsg(struct socket *s, struct socket_msg *m)
{
    struct unix_socket *u = unix_of(s);
    struct reading r = {.u = u, .m = m, .peek = m->flags & LX_MSG_PEEK};
    int err;

    m->name.len = 0;
    if (!unix_connected(u))
        return -EINVAL;
    if (m->flags & LX_MSG_OOB)
        return take_urgent(u, m);
    list_init(&r.junk);
    if (r.peek && s->opt.peek_off > 0)
        r.skip = (u32)s->opt.peek_off;
    err = read_loop(&r);
    if (r.done > 0)
        unix_move_peek_offset(u, r.peek, (u32)r.done);
    if (m->name.len == sizeof(u16))
        m->name.len = 0; /* who has no name is not told */
    unix_scm_recv(u, m, &r.ids, r.rights);
    unix_ids_put(&r.ids);
    unix_junk(&r.junk);
    return r.done ? r.done : err;
}
