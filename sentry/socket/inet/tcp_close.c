/* shutdown(2) and close(2) of TCP sockets: half-closes, lingering, resets. */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/task.h"
#include "sentry/wait/wait.h"

#include <errno.h>

#define SECOND 1000000000ull

static void shut_conn(struct tcp_conn *c, u8 side, u8 how)
{
    struct tcp_wake w = {0};

    tcp_conn_lock(c);
    if (how & TCP_SHUT_RCV) {
        c->end[side].shut |= TCP_SHUT_RCV;
        tcp_wake_add(&w, c, side, LX_POLLIN | LX_POLLRDNORM | LX_POLLRDHUP);
    }
    if (how & TCP_SHUT_SND)
        tcp_fin_locked(c, side, &w);
    if (c->end[side].shut == TCP_SHUT_BOTH)
        tcp_wake_add(&w, c, side, LX_POLLHUP);
    tcp_conn_unlock(c);
    tcp_conn_settle(c);
    tcp_wake_run(&w);
}

/* shut_listener() - for reading: it listens no more, and who waits in accept(2) gets EINVAL. */
static int shut_listener(struct tcp_sock *t, u8 how)
{
    struct socket *sock = &t->inet.socket;

    if (!(how & TCP_SHUT_RCV))
        return 0;
    mutex_lock(&sock->lock);
    t->listening = false;
    sock->opt.flags &= ~(u32)SOCKET_ACCEPTCONN;
    mutex_unlock(&sock->lock);
    tcp_listen_stop(t);
    waitq_wake_all(&sock->queue, LX_POLLIN | LX_POLLRDHUP | LX_POLLHUP);
    return 0;
}

int tcp_shutdown(struct socket *sock, int how)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    enum lx_tcp_state state = tcp_state(t);
    u8 side, bits = (u8)(how + 1);
    struct tcp_conn *c;

    if (how < LX_SHUT_RD || how > LX_SHUT_RDWR)
        return -EINVAL;
    if (state == LX_TCP_LISTEN)
        return shut_listener(t, bits);
    c = tcp_conn_of(t, &side);
    if (state == LX_TCP_SYN_SENT)
        tcp_conn_refuse(c, ECONNRESET);
    else if (state != LX_TCP_CLOSE)
        shut_conn(c, side, bits);
    tcp_conn_put(c);
    if (state != LX_TCP_CLOSE)
        return 0;
    waitq_wake_all(&sock->queue, LX_POLLIN | LX_POLLOUT | LX_POLLHUP);
    return -ENOTCONN;
}

/* all_acked() - has the peer received everything and the FIN? */
static bool all_acked(struct tcp_conn *c, u8 side)
{
    struct tcp_flow *f = tcp_out(c, side);
    bool acked;

    mutex_lock(&f->lock);
    acked = f->fin_in || c->end[side].state == LX_TCP_CLOSE;
    mutex_unlock(&f->lock);
    return acked;
}

/* linger() - send the FIN and wait until it is received, at most so many seconds. */
static void linger(struct tcp_sock *t, struct tcp_conn *c, u8 side, s32 seconds)
{
    struct socket *sock = &t->inet.socket;
    struct tcp_flow *in = tcp_in(c, side);
    bool unread;

    mutex_lock(&in->lock);
    unread = tcp_flow_queued(in) > 0;
    mutex_unlock(&in->lock);
    if (unread)
        return;
    shut_conn(c, side, TCP_SHUT_SND);
    (void)wait_event(&sock->queue, LX_POLLOUT | LX_POLLHUP,
                     host_monotonic() + (u64)seconds * SECOND, all_acked(c, side));
}

void tcp_release(struct socket *sock, bool nonblock)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    s32 seconds = sock->opt.linger;
    struct tcp_conn *c;
    bool listening;

    mutex_lock(&sock->lock);
    c = tcp_conn_get(t->conn);
    listening = t->listening;
    t->listening = false;
    mutex_unlock(&sock->lock);
    if (listening)
        tcp_listen_stop(t);
    if (c) {
        /* A non-blocking socket lingers too; a task that exits does not. */
        if (seconds > 0 && current && !current->leaving)
            linger(t, c, t->side, seconds);
        tcp_conn_release(c, t->side, seconds == 0 ? TCP_ABORT : 0);
    }
    tcp_conn_put(c);
    mutex_lock(&sock->lock);
    c = take(t->conn);
    if (t->inet.bind)
        inet_unbind_locked(&t->inet);
    mutex_unlock(&sock->lock);
    tcp_conn_put(c);
}
