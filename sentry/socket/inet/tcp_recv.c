/*
 * Receiving from a connection: take blocks out, copy them to the guest under no lock, put back what is
 * left; the urgent byte and its mark (RFC 6093, tcp(7)). See tcp_loop.h.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/mm/usermem.h"

#include <errno.h>

/* One recvmsg. */
struct receiving {
    struct tcp_sock *t;
    struct tcp_conn *c;
    u8 side;
    bool oob_inline, peek, discard;
    u64 peeked; /* how far a peek has come */
    struct list_node blocks; /* taken out, ours */
    u64 taken;               /* bytes in them */
};

static struct tcp_flow *flow_of(struct receiving *r)
{
    return tcp_in(r->c, r->side);
}

/* skip_urgent() - the urgent byte is not part of the stream: leave it out. Lock held. */
static void skip_urgent(struct receiving *r, struct tcp_flow *f)
{
    struct tcp_block *b = list_first(&f->blocks, struct tcp_block, node);

    if (r->oob_inline || r->peek || !b || f->urgent == TCP_URG_NONE || f->urgent_at != f->read)
        return;
    b->off++;
    b->len--;
    f->read++;
    if (f->urgent == TCP_URG_READ)
        f->urgent = TCP_URG_NONE;
    if (b->len)
        return;
    list_del(&b->node);
    tcp_block_keep(f, b);
}

/* up_to_mark() - a read stops at the urgent byte. */
static u64 up_to_mark(const struct tcp_flow *f, u64 want)
{
    if (f->urgent == TCP_URG_NONE || f->urgent_at <= f->read)
        return want;
    return min_of(want, f->urgent_at - f->read);
}

/* grab_locked() - take out blocks of `want` bytes at least, or what there is. */
static void grab_locked(struct receiving *r, struct tcp_flow *f, u64 want)
{
    struct tcp_block *b;

    skip_urgent(r, f);
    while (r->taken < want && (b = list_first(&f->blocks, struct tcp_block, node))) {
        list_del(&b->node);
        list_add_tail(&r->blocks, &b->node);
        r->taken += b->len;
    }
    f->reading = true;
}

/* begin() - become the reader and take out up to `want` bytes. *limit: how many may be used.
 * Return: 0, -EAGAIN: another reads, or there is nothing. */
static int begin(struct receiving *r, u64 want, u64 *limit)
{
    struct tcp_flow *f = flow_of(r);
    int rc = 0;

    mutex_lock(&f->lock);
    if (f->reading || !tcp_flow_readable(f, r->oob_inline)) {
        rc = -EAGAIN;
    } else {
        r->taken = 0;
        grab_locked(r, f, want + r->peeked);
        *limit = up_to_mark(f, min_of(want + r->peeked, r->taken));
    }
    mutex_unlock(&f->lock);
    return rc;
}

/* consume() - drop n bytes off our blocks; empty ones go to `dead`. */
static void consume(struct receiving *r, u64 n, struct list_node *dead)
{
    struct tcp_block *b;

    while ((b = list_first(&r->blocks, struct tcp_block, node)) && (n || !b->len)) {
        u32 part = (u32)min_of((u64)b->len, n);

        b->off += part;
        b->len -= part;
        n -= part;
        if (b->len)
            return;
        list_del(&b->node);
        list_add_tail(dead, &b->node);
    }
}

/* put_back() - what is left of our blocks stands first again. Lock held. */
static void put_back(struct receiving *r, struct tcp_flow *f)
{
    while (!list_empty(&r->blocks)) {
        struct list_node *n = r->blocks.prev;

        list_del(n);
        list_add(&f->blocks, n);
    }
}

/* end() - the reader has used n bytes. */
static void end(struct receiving *r, u64 n)
{
    struct tcp_flow *f = flow_of(r);
    struct tcp_wake w = {0};
    struct list_node dead;
    struct tcp_block *b;
    bool settle = false;

    list_init(&dead);
    consume(r, n, &dead);
    tcp_conn_lock(r->c);
    put_back(r, f);
    f->read += n;
    f->reading = false;
    if (f->urgent != TCP_URG_NONE && f->urgent_at < f->read)
        f->urgent = TCP_URG_NONE;
    if ((b = list_first(&dead, struct tcp_block, node))) {
        list_del(&b->node);
        tcp_block_keep(f, b);
    }
    if (f->nospace && tcp_flow_writable(f)) {
        f->nospace = false;
        tcp_wake_add(&w, r->c, tcp_peer(r->c, r->side), LX_POLLOUT | LX_POLLWRNORM);
    }
    if (f->fin && !f->fin_in) {
        tcp_fin_arrive_locked(r->c, tcp_peer(r->c, r->side), &w);
        settle = f->fin_in;
    }
    tcp_conn_unlock(r->c);
    while ((b = list_first(&dead, struct tcp_block, node))) {
        list_del(&b->node);
        tcp_block_drop(b);
    }
    if (settle)
        tcp_conn_settle(r->c);
    tcp_wake_run(&w);
}

/* copy_out() - bytes [skip, limit) of our blocks to the caller. Return: bytes, -EFAULT if none. */
static ssize_t copy_out(struct receiving *r, struct uio *to, u64 skip, u64 limit)
{
    struct tcp_block *b;
    ssize_t done = 0;
    u64 at = 0;

    list_for_each(b, &r->blocks, node) {
        u64 from = at < skip ? min_of(skip - at, (u64)b->len) : 0;
        u64 upto = at < limit ? min_of(limit - at, (u64)b->len) : 0;
        ssize_t n;

        at += b->len;
        if (from >= upto)
            continue;
        n = uio_to(to, b->data + b->off + from, upto - from);
        if (n < 0)
            return done ? done : n;
        done += n;
        if ((u64)n < upto - from)
            break;
    }
    return done;
}

/* receive_some() - Return: bytes, -EAGAIN: nothing there, -EFAULT. */
static ssize_t receive_some(struct receiving *r, struct uio *to, u64 want)
{
    u64 limit = 0;
    ssize_t n;
    int rc = begin(r, want, &limit);

    if (rc < 0)
        return rc;
    if (limit <= r->peeked && r->peek) {
        end(r, 0);
        return -EAGAIN;
    }
    n = r->discard ? (ssize_t)limit : copy_out(r, to, r->peeked, limit);
    end(r, r->peek || n < 0 ? 0 : (u64)n);
    if (n > 0 && r->peek)
        r->peeked += (u64)n;
    return n;
}

/* ended() - does nothing more come? *rc: why; the socket's error is taken only where the call has
 * nothing else to tell. */
static bool ended(struct receiving *r, bool some, int *rc)
{
    struct socket *sock = &r->t->inet.socket;
    struct tcp_flow *f = flow_of(r);
    struct tcp_end *e = &r->c->end[r->side];
    bool done, shut, closed;

    mutex_lock(&f->lock);
    done = e->done;
    shut = e->shut & TCP_SHUT_RCV;
    closed = e->state == LX_TCP_CLOSE || e->state == LX_TCP_TIME_WAIT;
    mutex_unlock(&f->lock);
    *rc = 0;
    if (some)
        return sock->error || shut || closed;
    if (done)
        return true;
    *rc = socket_error(sock);
    return *rc || shut || closed;
}

/* arrived() - should a reader that waits for `more` bytes look again? */
static bool arrived(struct receiving *r, u64 more)
{
    struct tcp_flow *f = flow_of(r);
    struct tcp_end *e = &r->c->end[r->side];
    bool yes;

    mutex_lock(&f->lock);
    yes = !f->reading && (tcp_flow_readable(f, r->oob_inline) > r->peeked ||
                          (f->urgent != TCP_URG_NONE && f->urgent_at == f->read && more == 0));
    yes = yes || e->done || e->shut & TCP_SHUT_RCV || e->state == LX_TCP_CLOSE;
    mutex_unlock(&f->lock);
    return yes || r->t->inet.socket.error;
}

/* at_mark() - does the next read begin at the urgent byte? Then one that has bytes ends. */
static bool at_mark(struct receiving *r)
{
    struct tcp_flow *f = flow_of(r);
    bool at;

    mutex_lock(&f->lock);
    at = f->urgent != TCP_URG_NONE && f->urgent_at == f->read + r->peeked;
    mutex_unlock(&f->lock);
    return at;
}

static ssize_t receive_all(struct receiving *r, struct socket_msg *m, u64 want)
{
    struct socket *sock = &r->t->inet.socket;
    u64 deadline = socket_deadline(sock, false);
    u64 target = m->flags & LX_MSG_WAITALL ? want : min_of(want, (u64)sock->opt.rcvlowat);
    ssize_t done = 0, n;
    int rc = 0;

    target = max_of(target, (u64)1);
    while ((u64)done < want) {
        if (done && at_mark(r))
            break;
        n = receive_some(r, m->data, want - (u64)done);
        if (n > 0)
            done += n;
        if (n > 0)
            continue;
        if (n == -EFAULT)
            return done ? done : n;
        if ((u64)done >= target || ended(r, done > 0, &rc))
            break;
        rc = -EAGAIN;
        if (m->flags & LX_MSG_DONTWAIT)
            break;
        rc = socket_wait(sock, LX_POLLIN | LX_POLLRDHUP | LX_POLLERR | LX_POLLHUP, deadline,
                         arrived(r, want - (u64)done));
        if (rc < 0)
            break;
    }
    return done ? done : rc;
}

/* --- MSG_OOB --- */

/* take_urgent() - Return: 1 and the byte, -EINVAL: none (or it is in line), -ENOTCONN. */
static int take_urgent(struct receiving *r, u8 *byte)
{
    struct tcp_flow *f = flow_of(r);
    struct tcp_end *e = &r->c->end[r->side];
    int rc = 1;

    mutex_lock(&f->lock);
    if (r->oob_inline || f->urgent == TCP_URG_NONE || f->urgent == TCP_URG_READ) {
        rc = -EINVAL;
    } else if (e->state == LX_TCP_CLOSE && !e->done) {
        rc = -ENOTCONN;
    } else {
        *byte = f->urgent_byte;
        if (!r->peek)
            f->urgent = TCP_URG_READ;
    }
    mutex_unlock(&f->lock);
    return rc;
}

static ssize_t receive_urgent(struct receiving *r, struct socket_msg *m)
{
    u8 byte = 0;
    ssize_t rc = take_urgent(r, &byte);

    if (rc < 0)
        return rc;
    m->out_flags |= LX_MSG_OOB;
    if (!m->data->left) {
        m->out_flags |= LX_MSG_TRUNC;
        return 0;
    }
    return r->discard ? 1 : uio_to(m->data, &byte, 1);
}

ssize_t tcp_recvmsg(struct socket *sock, struct socket_msg *m)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    struct receiving r = {.t = t, .peek = m->flags & LX_MSG_PEEK,
                          .discard = m->flags & LX_MSG_TRUNC,
                          .oob_inline = sock->opt.flags & SOCKET_OOBINLINE};
    ssize_t rc;

    if (m->flags & LX_MSG_ERRQUEUE)
        return -EAGAIN;
    list_init(&r.blocks);
    r.c = tcp_conn_of(t, &r.side);
    if (!r.c)
        return sock->error ? socket_error(sock) : -ENOTCONN;
    if (m->flags & LX_MSG_OOB)
        rc = receive_urgent(&r, m);
    else
        rc = receive_all(&r, m, m->data->left);
    tcp_conn_put(r.c);
    return rc;
}
