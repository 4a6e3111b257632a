/*
 * Connections: their two ends' states (RFC 9293 3.3.2), resets, and what of them stays in the
 * namespace's tables after the sockets are gone; see tcp_loop.h.
 *
 * A FIN is acknowledged as soon as it has been received, so between open ends the pairs of states are
 * ESTABLISHED/ESTABLISHED, FIN_WAIT2/CLOSE_WAIT, TIME_WAIT/CLOSE; FIN_WAIT1, CLOSING and LAST_ACK
 * last only while bytes before the FIN are beyond the peer's window.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/net_ns.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND 1000000000ull
enum { TIME_WAIT_TIME = 60 };

static void tcp_conn_free(struct obj *o)
{
    struct tcp_conn *c = container_of(o, struct tcp_conn, obj);

    for (u32 i = 0; i < 2; i++) {
        tcp_flow_destroy(&c->flow[i]);
        free(c->end[i].bind);
    }
    net_ns_put(c->net);
    free(c);
}

static struct obj_type tcp_conn_type = {.name = "tcp_conn", .free = tcp_conn_free};

static void tcp_timer_fire(struct timer *t);

struct tcp_conn *tcp_conn_new(struct net_ns *net, bool self)
{
    struct tcp_conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    obj_init(&c->obj, &tcp_conn_type);
    c->net = net_ns_get(net);
    c->ns = inet_ns_of(net);
    c->self = self;
    c->started = host_monotonic();
    list_init(&c->queued);
    timer_init(&c->timer, tcp_timer_fire);
    for (u32 i = 0; i < 2; i++) {
        tcp_flow_init(&c->flow[i]);
        c->end[i].state = LX_TCP_CLOSE;
        c->end[i].conn = c;
    }
    return c;
}

void tcp_conn_lock(struct tcp_conn *c)
{
    mutex_lock_two(&c->flow[0].lock, &c->flow[1].lock);
}

void tcp_conn_unlock(struct tcp_conn *c)
{
    mutex_unlock_two(&c->flow[0].lock, &c->flow[1].lock);
}

struct tcp_conn *tcp_conn_of(struct tcp_sock *t, u8 *side)
{
    struct tcp_conn *c;

    mutex_lock(&t->inet.socket.lock);
    c = tcp_conn_get(t->conn);
    *side = t->side;
    mutex_unlock(&t->inet.socket.lock);
    return c;
}

enum lx_tcp_state tcp_state(struct tcp_sock *t)
{
    enum lx_tcp_state state;
    struct tcp_flow *f;

    mutex_lock(&t->inet.socket.lock);
    state = t->listening ? LX_TCP_LISTEN : LX_TCP_CLOSE;
    if (t->conn) {
        f = tcp_out(t->conn, t->side);
        mutex_lock(&f->lock);
        state = t->conn->end[t->side].state;
        mutex_unlock(&f->lock);
    }
    mutex_unlock(&t->inet.socket.lock);
    /* TIME_WAIT is the connection's; the socket has nothing more to do with it. */
    return state == LX_TCP_TIME_WAIT ? LX_TCP_CLOSE : state;
}

/* --- waking --- */

void tcp_wake_add(struct tcp_wake *w, struct tcp_conn *c, u8 side, u32 events)
{
    struct tcp_sock *t = c->end[side].sock;

    /* A socket whose last reference is going leaves its end's `sock` only in a moment. */
    if (!w->sock[side] && t && obj_get_unless_zero(&t->inet.socket.obj))
        w->sock[side] = t;
    w->events[side] |= events;
}

void tcp_wake_run(struct tcp_wake *w)
{
    for (u32 i = 0; i < 2; i++) {
        struct tcp_sock *t = w->sock[i];

        if (!t)
            continue;
        if (w->error[i])
            t->inet.socket.error = w->error[i];
        waitq_wake_all(&t->inet.socket.queue, w->events[i]);
        socket_put(&t->inet.socket);
    }
}

/* --- states; both flows locked --- */

enum { WAKE_END = LX_POLLIN | LX_POLLRDNORM | LX_POLLRDHUP,
       WAKE_ALL = WAKE_END | LX_POLLOUT | LX_POLLWRNORM | LX_POLLHUP | LX_POLLERR };

static void close_end(struct tcp_end *e, enum lx_tcp_state state)
{
    e->state = state;
    e->shut = TCP_SHUT_BOTH;
    e->done = true;
}

/* fin_came() - the peer's FIN reaches this end. */
static void fin_came(struct tcp_end *e)
{
    e->shut |= TCP_SHUT_RCV;
    e->done = true;
    if (e->state == LX_TCP_ESTABLISHED)
        e->state = LX_TCP_CLOSE_WAIT;
    else if (e->state == LX_TCP_FIN_WAIT1)
        e->state = LX_TCP_CLOSING;
    else if (e->state == LX_TCP_FIN_WAIT2)
        close_end(e, LX_TCP_TIME_WAIT);
}

/* fin_acked() - this end's own FIN was received. */
static void fin_acked(struct tcp_end *e)
{
    if (e->state == LX_TCP_FIN_WAIT1)
        e->state = LX_TCP_FIN_WAIT2;
    else if (e->state == LX_TCP_CLOSING)
        close_end(e, LX_TCP_TIME_WAIT);
    else if (e->state == LX_TCP_LAST_ACK)
        close_end(e, LX_TCP_CLOSE);
}

void tcp_fin_arrive_locked(struct tcp_conn *c, u8 side, struct tcp_wake *w)
{
    struct tcp_flow *f = tcp_out(c, side);
    u8 peer = tcp_peer(c, side);

    if (!f->fin || f->fin_in || tcp_flow_unacked(f))
        return;
    f->fin_in = true;
    fin_came(&c->end[peer]);
    fin_acked(&c->end[side]);
    tcp_wake_add(w, c, peer, c->end[peer].shut == TCP_SHUT_BOTH ? WAKE_ALL & ~LX_POLLERR : WAKE_END);
    if (c->end[side].shut == TCP_SHUT_BOTH)
        tcp_wake_add(w, c, side, WAKE_ALL & ~LX_POLLERR);
    else
        tcp_wake_add(w, c, side, LX_POLLOUT);
}

void tcp_fin_locked(struct tcp_conn *c, u8 side, struct tcp_wake *w)
{
    struct tcp_end *e = &c->end[side];

    if (e->state == LX_TCP_ESTABLISHED)
        e->state = LX_TCP_FIN_WAIT1;
    else if (e->state == LX_TCP_CLOSE_WAIT)
        e->state = LX_TCP_LAST_ACK;
    else
        return;
    e->shut |= TCP_SHUT_SND;
    tcp_out(c, side)->fin = true;
    tcp_wake_add(w, c, side, LX_POLLOUT | LX_POLLWRNORM);
    tcp_fin_arrive_locked(c, side, w);
}

void tcp_reset_locked(struct tcp_conn *c, u8 from, struct tcp_wake *w)
{
    u8 to = tcp_peer(c, from);
    struct tcp_flow *in = tcp_in(c, to);
    enum lx_tcp_state was = c->end[to].state;

    close_end(&c->end[from], LX_TCP_CLOSE);
    if (was == LX_TCP_CLOSE || was == LX_TCP_TIME_WAIT) {
        close_end(&c->end[to], was);
        return;
    }
    close_end(&c->end[to], LX_TCP_CLOSE);
    c->end[to].done = in->fin_in; /* without a FIN the end of the bytes is no end of file */
    tcp_flow_drop(tcp_out(c, to), 0);
    tcp_flow_drop(in, tcp_flow_received(in));
    w->error[to] = was == LX_TCP_SYN_SENT ? ECONNREFUSED
                   : was == LX_TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
    tcp_wake_add(w, c, to, WAKE_ALL);
    c->ns->count.tcp_resets++;
}

/* --- tables and timers --- */

static bool is_dead(const struct tcp_end *e)
{
    return e->state == LX_TCP_CLOSE;
}

/* forget_end() - out of the tables. ns->lock held. */
static void forget_end(struct tcp_conn *c, struct tcp_end *e)
{
    inet_tuple_del(c->ns, &e->tuple);
    if (e->bind)
        inet_port_release(c->ns, e->bind);
}

/* release_chosen() - a port that was the kernel's choice goes with the connection, though the
 * socket is still open. ns->lock held. */
static void release_chosen(struct tcp_conn *c, struct tcp_end *e)
{
    struct inet_sock *s = e->sock ? &e->sock->inet : NULL;

    if (s && s->bind && !s->bound_port)
        inet_port_release(c->ns, s->bind);
}

/* set_timer() - to so many seconds, 0: none. An armed timer holds one reference, so two who settle at
 * once must not both think that they are the one who arms it: ns->lock is held. The caller has a
 * reference of its own. */
static void set_timer(struct tcp_conn *c, u32 seconds)
{
    if (timer_cancel(&c->timer, false))
        tcp_conn_put(c);
    if (!seconds)
        return;
    tcp_conn_get(c);
    if (timer_arm(&c->timer, host_monotonic() + seconds * SECOND) < 0)
        tcp_conn_put(c);
}

/* wanted_timer() - seconds until the tables may forget an end that waits, 0: none does. */
static u32 wanted_timer(const struct tcp_conn *c)
{
    for (u32 i = 0; i < 2; i++) {
        const struct tcp_end *e = &c->end[i];

        if (e->state == LX_TCP_TIME_WAIT && e->tuple.hashed)
            return TIME_WAIT_TIME;
        if (e->state == LX_TCP_FIN_WAIT2 && e->orphan)
            return max_of(e->fin_wait, 1u);
    }
    return 0;
}

/* enter_time_wait() - the claim says so from now on; too many: none is kept. ns->lock held. */
static void enter_time_wait(struct tcp_conn *c, struct tcp_end *e)
{
    struct inet_bind *b = e->bind ? e->bind : e->sock ? e->sock->inet.bind : NULL;

    if (!e->tuple.hashed || e->waits_since)
        return;
    if (c->ns->time_waits >= LIMIT_TIME_WAITS) {
        forget_end(c, e);
        return;
    }
    if (b)
        b->waiting = true;
    e->waits_since = host_monotonic();
    c->ns->time_waits++;
    c->ns->count.tcp_time_waits++;
}

void tcp_conn_settle(struct tcp_conn *c)
{
    rwlock_write(&c->ns->lock);
    tcp_conn_lock(c);
    for (u32 i = 0; i < 2; i++) {
        struct tcp_end *e = &c->end[i];

        if (is_dead(e)) {
            forget_end(c, e);
            release_chosen(c, e);
        } else if (e->state == LX_TCP_TIME_WAIT) {
            enter_time_wait(c, e);
        }
    }
    set_timer(c, wanted_timer(c));
    tcp_conn_unlock(c);
    rwlock_unlock(&c->ns->lock);
}

/* tcp_timer_fire() - an attempt took too long, or a closed end may be forgotten. */
static void tcp_timer_fire(struct timer *t)
{
    struct tcp_conn *c = container_of(t, struct tcp_conn, timer);
    bool attempt;

    rwlock_write(&c->ns->lock);
    tcp_conn_lock(c);
    attempt = c->end[0].state == LX_TCP_SYN_SENT;
    for (u32 i = 0; i < 2 && !attempt; i++) {
        struct tcp_end *e = &c->end[i];

        if (e->state == LX_TCP_TIME_WAIT && e->tuple.hashed)
            c->ns->time_waits--;
        if (e->state == LX_TCP_TIME_WAIT || (e->state == LX_TCP_FIN_WAIT2 && e->orphan)) {
            e->state = LX_TCP_CLOSE;
            forget_end(c, e);
        }
    }
    tcp_conn_unlock(c);
    rwlock_unlock(&c->ns->lock);
    if (attempt)
        tcp_conn_refuse(c, ETIMEDOUT);
    tcp_conn_put(c);
}

void tcp_conn_evict(struct inet_ns *ns, const struct inet_endpoint *local,
                    const struct inet_endpoint *peer, u64 age)
{
    struct inet_tuple *t = inet_tuple_find(ns, local, peer);
    struct tcp_end *e = t ? container_of(t, struct tcp_end, tuple) : NULL;

    if (!e)
        return;
    tcp_conn_lock(e->conn);
    if (e->state == LX_TCP_TIME_WAIT && host_monotonic() - e->waits_since >= age) {
        e->state = LX_TCP_CLOSE;
        ns->time_waits--;
        forget_end(e->conn, e);
    }
    tcp_conn_unlock(e->conn);
}

/* --- attempts that fail, sockets that go --- */

void tcp_conn_refuse(struct tcp_conn *c, int err)
{
    struct tcp_wake w = {0};

    tcp_listen_forget(c);
    tcp_conn_lock(c);
    if (c->end[0].state == LX_TCP_SYN_SENT) {
        c->end[0].state = LX_TCP_CLOSE;
        c->end[0].shut = TCP_SHUT_BOTH;
        w.error[0] = err;
        tcp_wake_add(&w, c, 0, WAKE_ALL);
    }
    tcp_conn_unlock(c);
    tcp_conn_settle(c);
    c->ns->count.tcp_fails++;
    tcp_wake_run(&w);
}

/* hand_over() - the socket's claim on its port goes to the end, which may outlive it. */
static void hand_over(struct tcp_conn *c, u8 side, bool keep_port)
{
    struct tcp_end *e = &c->end[side];
    struct tcp_sock *t = e->sock;

    rwlock_write(&c->ns->lock);
    tcp_conn_lock(c);
    e->orphan = true;
    e->sock = NULL;
    e->fin_wait = t && t->tcp.linger2 > 0 ? (u32)t->tcp.linger2 : c->ns->set.fin_timeout;
    if (t && t->inet.bind && !keep_port) {
        e->bind = take(t->inet.bind);
        e->bind->sock = NULL;
    }
    tcp_conn_unlock(c);
    rwlock_unlock(&c->ns->lock);
}

void tcp_conn_release(struct tcp_conn *c, u8 side, u32 how)
{
    struct tcp_wake w = {0};
    struct tcp_flow *in = tcp_in(c, side);
    bool unread, attempt, impatient = c->end[side].sock && c->end[side].sock->tcp.linger2 < 0;

    hand_over(c, side, how & TCP_KEEP_PORT);
    tcp_conn_lock(c);
    attempt = c->end[side].state == LX_TCP_SYN_SENT;
    unread = tcp_flow_queued(in) > 0;
    in->gone = true;
    if (attempt) {
        close_end(&c->end[side], LX_TCP_CLOSE);
    } else if (how & TCP_ABORT || (unread && !c->self)) {
        tcp_reset_locked(c, side, &w);
    } else {
        tcp_fin_locked(c, side, &w);
        if (impatient && c->end[side].state == LX_TCP_FIN_WAIT2)
            tcp_reset_locked(c, side, &w);
        /* Bytes that are on their way have nobody who will read them. */
        if (c->self)
            close_end(&c->end[side], LX_TCP_CLOSE);
    }
    if (c->end[side].state == LX_TCP_CLOSE)
        tcp_flow_drop(in, 0);
    tcp_conn_unlock(c);
    if (attempt)
        tcp_listen_forget(c);
    tcp_conn_settle(c);
    tcp_wake_run(&w);
}
