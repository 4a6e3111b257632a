/* Snapshots of the sockets of a namespace; see inet_row.h. */
#include "sentry/socket/inet/inet_row.h"

#include "sentry/base/host_thread.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/socket/inet/tcp_loop.h"
#include "sentry/socket/inet/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TIMER_TIME_WAIT = 3, MS = 1000000, TIME_WAIT_MS = 60000 };

struct gather {
    struct inet_sock **socks; /* references */
    u32 nsocks, nrows;
    struct inet_row *rows;
};

/* take_socks() - a reference on each; ns->lock held. Return: 0, -ENOMEM. */
static int take_socks(struct inet_ns *ns, enum inet_table table, struct gather *g)
{
    u32 cap = ns->sockets[table] + 1;
    struct inet_sock *s;

    g->socks = calloc(cap, sizeof(*g->socks));
    if (!g->socks)
        return -ENOMEM;
    list_for_each(s, &ns->socks[table], in_ns) {
        if (g->nsocks < cap && obj_get_unless_zero(&s->socket.obj))
            g->socks[g->nsocks++] = s;
    }
    return 0;
}

/* bare_row() - an end without a socket: to be accepted, closed, or in TIME_WAIT. */
static void bare_row(struct inet_row *r, struct tcp_end *e)
{
    u64 age;

    tcp_conn_lock(e->conn);
    r->state = e->orphan || e->state != LX_TCP_ESTABLISHED ? (u8)e->state : LX_TCP_ESTABLISHED;
    r->bare = true;
    r->orphan = e->orphan;
    r->cookie = e->conn->obj.id;
    tcp_conn_unlock(e->conn);
    r->family = inet_addr_is4(&e->tuple.local.addr) ? LX_AF_INET : LX_AF_INET6;
    r->local = e->tuple.local;
    r->peer = e->tuple.peer;
    if (r->state != LX_TCP_TIME_WAIT)
        return;
    age = (host_monotonic() - e->waits_since) / MS;
    r->timer = TIMER_TIME_WAIT;
    r->timer_ms = age < TIME_WAIT_MS ? (u32)(TIME_WAIT_MS - age) : 0;
}

/* An end whose socket is open and which is only in TIME_WAIT is listed as that, as Linux does. */
static bool is_bare(struct tcp_end *e)
{
    bool bare;

    tcp_conn_lock(e->conn);
    bare = !e->sock || e->state == LX_TCP_TIME_WAIT;
    tcp_conn_unlock(e->conn);
    return bare;
}

static int take_bare(struct inet_ns *ns, struct gather *g)
{
    struct hash_node *n;
    u32 i;

    g->rows = calloc(g->nsocks + ns->tuples.count + 1, sizeof(*g->rows));
    if (!g->rows)
        return -ENOMEM;
    hash_for_each(&ns->tuples, i, n) {
        struct tcp_end *e = container_of(n, struct tcp_end, tuple.node);

        if (is_bare(e))
            bare_row(&g->rows[g->nrows++], e);
    }
    return 0;
}

static void tcp_row(struct inet_row *r, struct tcp_sock *t)
{
    u8 side;
    struct tcp_conn *c = tcp_conn_of(t, &side);

    tcp_info(t, &r->info);
    memcpy(r->congestion, t->tcp.congestion, sizeof(r->congestion));
    r->state = r->info.state;
    r->shutdown = t->shut;
    if (c) {
        tcp_conn_lock(c);
        r->shutdown = c->end[side].shut;
        r->sent = (u32)tcp_flow_unacked(tcp_out(c, side));
        r->received = (u32)tcp_flow_received(tcp_in(c, side));
        tcp_conn_unlock(c);
    } else if (r->state == LX_TCP_LISTEN) {
        mutex_lock(&t->listen.lock);
        r->sent = t->listen.backlog;
        r->received = t->listen.nready;
        mutex_unlock(&t->listen.lock);
    }
    tcp_conn_put(c);
}

static void udp_row(struct inet_row *r, struct udp_sock *u)
{
    r->state = u->inet.peer.port ? LX_TCP_ESTABLISHED : LX_TCP_CLOSE;
    mutex_lock(&u->queue_lock);
    r->received = (u32)u->bytes;
    r->drops = u->drops;
    r->shutdown = u->shut;
    mutex_unlock(&u->queue_lock);
}

/* sock_row() - Return: false: without a port, which Linux does not list. */
static bool sock_row(struct inet_row *r, struct inet_sock *s)
{
    *r = (struct inet_row){.family = s->socket.family, .refs = 2, .uid = s->socket.uid,
                           .ino = s->socket.ino, .cookie = s->socket.obj.id,
                           .tos = (u8)s->ip.tos, .tclass = (u8)s->ip.tclass,
                           .v6only = s->ip.v6only};
    mutex_lock(&s->socket.lock);
    r->local = s->local;
    r->peer = s->peer;
    r->bound_port = s->bound_port;
    r->mark = s->socket.opt.mark;
    r->sndbuf = s->socket.opt.sndbuf;
    r->rcvbuf = s->socket.opt.rcvbuf;
    mutex_unlock(&s->socket.lock);
    if (s->table == INET_TCP)
        tcp_row(r, container_of(s, struct tcp_sock, inet));
    else
        udp_row(r, container_of(s, struct udp_sock, inet));
    return s->table == INET_TCP ? r->state != LX_TCP_CLOSE : r->local.port != 0;
}

ssize_t inet_rows(struct inet_ns *ns, enum inet_table table, struct inet_row **rows)
{
    struct gather g = {0};
    int rc;

    rwlock_read(&ns->lock);
    rc = take_socks(ns, table, &g);
    if (!rc && table == INET_TCP)
        rc = take_bare(ns, &g);
    rwlock_unlock(&ns->lock);
    if (!rc && !g.rows) {
        g.rows = calloc(g.nsocks + 1, sizeof(*g.rows));
        rc = g.rows ? 0 : -ENOMEM;
    }
    for (u32 i = 0; i < g.nsocks; i++) {
        if (!rc && sock_row(&g.rows[g.nrows], g.socks[i]))
            g.nrows++;
        socket_put(&g.socks[i]->socket);
    }
    free(g.socks);
    if (rc < 0) {
        free(g.rows);
        return rc;
    }
    *rows = g.rows;
    return g.nrows;
}
