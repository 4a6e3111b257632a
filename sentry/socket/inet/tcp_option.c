/*
 * Options of IPPROTO_TCP (tcp(7)). Most are a number in a range; those that only say how segments are
 * made and timed are kept and answered, for nothing here is a segment.
 */
#include "sentry/socket/inet/tcp_loop.h"

#include "sentry/base/host_thread.h"

#include <errno.h>
#include <string.h>

enum { CAP_NET_ADMIN = 12 };
enum { MAX_KEEPIDLE = 32767, MAX_KEEPINTVL = 32767, MAX_KEEPCNT = 127, MAX_SYNCNT = 127 };
enum { MSS_DEFAULT = 536, MSS_LOOP4 = 32768, MSS_LOOP6 = 32748, MSS_MAX = 32767, MSS_MIN = 88 };
enum { DEFER_STEP_MAX = 127, LINGER2_MAX = 120, WINDOW_MIN = 1136 };

static const char default_congestion[] = "cubic";
static const char *const congestions[] = {"cubic", "reno"};

struct option {
    s32 name;
    u16 offset;
    bool flag;
    s32 min, max;
};

#define ROW(name, field, min, max) {LX_##name, offsetof(struct tcp_options, field), false, min, max}
#define FLAG(name, field) {LX_##name, offsetof(struct tcp_options, field), true, 0, 0}

static const struct option options[] = {
    FLAG(TCP_NODELAY, nodelay),
    FLAG(TCP_CORK, cork),
    ROW(TCP_KEEPIDLE, keepidle, 1, MAX_KEEPIDLE),
    ROW(TCP_KEEPINTVL, keepintvl, 1, MAX_KEEPINTVL),
    ROW(TCP_KEEPCNT, keepcnt, 1, MAX_KEEPCNT),
    ROW(TCP_SYNCNT, syncnt, 1, MAX_SYNCNT),
    ROW(TCP_USER_TIMEOUT, user_timeout, 0, INT32_MAX),
    FLAG(TCP_FASTOPEN_NO_COOKIE, fastopen_no_cookie),
    ROW(TCP_FASTOPEN_CONNECT, fastopen_connect, 0, 1),
    ROW(TCP_THIN_LINEAR_TIMEOUTS, thin_linear, 0, 1),
    ROW(TCP_THIN_DUPACK, thin_dupack, 0, 1),
    ROW(TCP_NOTSENT_LOWAT, notsent_lowat, INT32_MIN, INT32_MAX),
};

void tcp_options_init(struct tcp_sock *t)
{
    t->tcp.quickack = 1;
    memcpy(t->tcp.congestion, default_congestion, sizeof(default_congestion));
}

static s32 *field(struct tcp_sock *t, const struct option *o)
{
    return (s32 *)(void *)((char *)&t->tcp + o->offset);
}

static const struct option *find(int name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (options[i].name == name)
            return &options[i];
    }
    return NULL;
}

/* put_word() - an option's value: accept(2) copies all of them under the lock. */
static void put_word(struct tcp_sock *t, s32 *word, s32 v)
{
    mutex_lock(&t->inet.socket.lock);
    *word = v;
    mutex_unlock(&t->inet.socket.lock);
}

static int set_congestion(struct tcp_sock *t, const void *value, u32 len)
{
    char name[16] = {0};

    if (!len)
        return -EINVAL;
    memcpy(name, value, min_of(len, (u32)sizeof(name) - 1));
    for (size_t i = 0; i < ARRAY_SIZE(congestions); i++) {
        if (strcmp(name, congestions[i]) != 0)
            continue;
        mutex_lock(&t->inet.socket.lock);
        memcpy(t->tcp.congestion, name, sizeof(name));
        mutex_unlock(&t->inet.socket.lock);
        return 0;
    }
    return -ENOENT;
}

/* set_defer() - kept in the seconds that Linux makes of it: 1, 3, 7 … as retransmissions go. */
static s32 defer_seconds(s32 v)
{
    s32 seconds = 1, step = 1;

    if (v <= 0)
        return 0;
    while (seconds < v && seconds < DEFER_STEP_MAX) {
        step = min_of(step * 2, 120);
        seconds += step;
    }
    return seconds;
}

static int set_window_clamp(struct tcp_sock *t, s32 v)
{
    if (!v) {
        if (tcp_state(t) != LX_TCP_CLOSE)
            return -EINVAL;
        put_word(t, &t->tcp.window_clamp, 0);
        return 0;
    }
    put_word(t, &t->tcp.window_clamp, max_of(v, WINDOW_MIN));
    return 0;
}

static int set_linger2(struct tcp_sock *t, s32 v)
{
    put_word(t, &t->tcp.linger2, v < 0 ? -1 : v > LINGER2_MAX ? LINGER2_MAX : v);
    return 0;
}

static int set_fastopen(struct tcp_sock *t, s32 v)
{
    enum lx_tcp_state state = tcp_state(t);

    if (v < 0 || (state != LX_TCP_CLOSE && state != LX_TCP_LISTEN))
        return -EINVAL;
    put_word(t, &t->tcp.fastopen, v);
    return 0;
}

static int set_special(struct tcp_sock *t, int name, s32 v)
{
    switch (name) {
    case LX_TCP_MAXSEG:
        if (v && (v < MSS_MIN || v > MSS_MAX))
            return -EINVAL;
        put_word(t, &t->tcp.maxseg, v);
        return 0;
    case LX_TCP_LINGER2:
        return set_linger2(t, v);
    case LX_TCP_DEFER_ACCEPT:
        put_word(t, &t->tcp.defer_accept, defer_seconds(v));
        return 0;
    case LX_TCP_WINDOW_CLAMP:
        return set_window_clamp(t, v);
    case LX_TCP_QUICKACK:
        put_word(t, &t->tcp.quickack, v & 1);
        return 0;
    case LX_TCP_FASTOPEN:
        return set_fastopen(t, v);
    case LX_TCP_REPAIR:
        return inet_capable(&t->inet, CAP_NET_ADMIN) ? -EOPNOTSUPP : -EPERM;
    case LX_TCP_REPAIR_QUEUE:
    case LX_TCP_REPAIR_OPTIONS:
    case LX_TCP_REPAIR_WINDOW:
    case LX_TCP_QUEUE_SEQ:
        return -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_tcp(struct tcp_sock *t, int name, const void *value, u32 len)
{
    const struct option *o = find(name);
    s32 v;

    if (name == LX_TCP_CONGESTION)
        return set_congestion(t, value, len);
    if (name == LX_TCP_ULP)
        return len ? -ENOENT : -EINVAL;
    if (inet_option_int(value, len, &v) < 0)
        return -EINVAL;
    if (!o)
        return set_special(t, name, v);
    if (o->flag)
        v = v != 0;
    else if (v < o->min || v > o->max)
        return -EINVAL;
    if (name == LX_TCP_FASTOPEN_CONNECT && tcp_state(t) != LX_TCP_CLOSE)
        return -EINVAL;
    put_word(t, field(t, o), v);
    if (name == LX_TCP_NOTSENT_LOWAT)
        tcp_size_buffers(t);
    return 0;
}

int tcp_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len)
{
    if (level != LX_SOL_TCP)
        return inet_setsockopt(sock, level, name, value, len);
    return set_tcp(tcp_sock_of(sock), name, value, len);
}

/* mss() - what TCP_MAXSEG shows. */
static s32 mss(struct tcp_sock *t)
{
    s32 loop = inet_addr_is4(&t->inet.peer.addr) ? MSS_LOOP4 : MSS_LOOP6;

    if (!t->conn)
        return t->tcp.maxseg ? t->tcp.maxseg : MSS_DEFAULT;
    return t->tcp.maxseg ? min_of(t->tcp.maxseg, loop) : loop;
}

static int put_bytes(void *value, u32 *len, const void *from, u32 n)
{
    *len = min_of(*len, n);
    memcpy(value, from, *len);
    return 0;
}

static int get_special(struct tcp_sock *t, int name, void *value, u32 *len)
{
    struct lx_tcp_info info = {0};

    switch (name) {
    case LX_TCP_MAXSEG:
        return inet_option_put(value, len, mss(t));
    case LX_TCP_LINGER2:
        return inet_option_put(value, len, t->tcp.linger2 ? t->tcp.linger2 : (s32)t->inet.ns->set.fin_timeout);
    case LX_TCP_DEFER_ACCEPT:
        return inet_option_put(value, len, t->tcp.defer_accept);
    case LX_TCP_WINDOW_CLAMP:
        return inet_option_put(value, len, t->tcp.window_clamp);
    case LX_TCP_QUICKACK:
        return inet_option_put(value, len, t->tcp.quickack);
    case LX_TCP_FASTOPEN:
        return inet_option_put(value, len, t->tcp.fastopen);
    case LX_TCP_REPAIR:
    case LX_TCP_TX_DELAY:
    case LX_TCP_TIMESTAMP:
        return inet_option_put(value, len, 0);
    case LX_TCP_REPAIR_QUEUE:
    case LX_TCP_QUEUE_SEQ:
        return -EINVAL;
    case LX_TCP_CONGESTION:
        return put_bytes(value, len, t->tcp.congestion, sizeof(t->tcp.congestion));
    case LX_TCP_ULP:
        *len = 0;
        return 0;
    case LX_TCP_INFO:
        tcp_info(t, &info);
        return put_bytes(value, len, &info, sizeof(info));
    default:
        return -ENOPROTOOPT;
    }
}

/* default_of() - what an option that was never set shows: the namespace's. */
static s32 default_of(const struct tcp_sock *t, int name)
{
    const struct inet_settings *s = &t->inet.ns->set;

    switch (name) {
    case LX_TCP_KEEPIDLE:
        return (s32)s->keepalive_time;
    case LX_TCP_KEEPINTVL:
        return (s32)s->keepalive_intvl;
    case LX_TCP_KEEPCNT:
        return (s32)s->keepalive_probes;
    case LX_TCP_SYNCNT:
        return (s32)s->syn_retries;
    default:
        return 0;
    }
}

int tcp_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len)
{
    struct tcp_sock *t = tcp_sock_of(sock);
    const struct option *o = find(name);
    s32 v;

    if (level != LX_SOL_TCP)
        return inet_getsockopt(sock, level, name, value, len);
    if (!o)
        return get_special(t, name, value, len);
    v = *field(t, o);
    return inet_option_put(value, len, v ? v : default_of(t, name));
}

/* --- buffers --- */

enum { WINDOW_PARTS = 4, WINDOW_OF = 3 }; /* of a receive buffer 3/4 are bytes, as Linux comes to */

void tcp_size_buffers(struct tcp_sock *t)
{
    u8 side;
    struct tcp_conn *c = tcp_conn_of(t, &side);
    struct socket_options *o = &t->inet.socket.opt;

    if (!c)
        return;
    tcp_conn_lock(c);
    tcp_in(c, side)->window = o->rcvbuf / WINDOW_PARTS * WINDOW_OF;
    tcp_out(c, side)->sndbuf = o->sndbuf;
    tcp_out(c, side)->lowat_unsent = t->tcp.notsent_lowat ? (u32)t->tcp.notsent_lowat : UINT32_MAX;
    tcp_conn_unlock(c);
    tcp_conn_put(c);
}

void tcp_option_changed(struct socket *sock, int name)
{
    struct tcp_sock *t = tcp_sock_of(sock);

    inet_option_changed(sock, name);
    if (name == LX_SO_SNDBUF || name == LX_SO_SNDBUFFORCE)
        t->sndbuf_set = true;
    else if (name == LX_SO_RCVBUF || name == LX_SO_RCVBUFFORCE)
        t->rcvbuf_set = true;
    else
        return;
    tcp_size_buffers(t);
}

/* --- TCP_INFO --- */

static u32 ms_since(u64 then, u64 now)
{
    return then && now > then ? (u32)((now - then) / 1000000) : 0;
}

/* fill() - what of a connection is true though it has no segments. Both flows locked. */
static void fill(struct tcp_conn *c, u8 side, struct lx_tcp_info *i, u64 now)
{
    struct tcp_flow *out = tcp_out(c, side), *in = tcp_in(c, side);

    i->options = 7; /* timestamps, SACK, window scaling: loopback connections of Linux have them */
    i->wscale = 0x77;
    i->snd_mss = i->advmss = i->rcv_mss = MSS_LOOP4;
    i->pmtu = INET_LO_MTU - 1;
    i->snd_cwnd = 10;
    i->rtt = 20;
    i->rttvar = 10;
    i->last_data_sent = ms_since(out->last_sent ? out->last_sent : c->started, now);
    i->last_data_recv = ms_since(in->last_sent ? in->last_sent : c->started, now);
    i->last_ack_recv = i->last_data_sent;
    i->unacked = (u32)((tcp_flow_unacked(out) + MSS_LOOP4 - 1) / MSS_LOOP4);
    i->bytes_acked = out->written - tcp_flow_unacked(out) + 1;
    i->bytes_sent = out->written;
    i->bytes_received = in->written - tcp_flow_unacked(in);
    i->notsent_bytes = (u32)tcp_flow_unacked(out);
    i->snd_wnd = out->window;
    i->rcv_wnd = in->window;
}

void tcp_info(struct tcp_sock *t, struct lx_tcp_info *info)
{
    u8 side;
    struct tcp_conn *c = tcp_conn_of(t, &side);

    info->state = (u8)tcp_state(t);
    info->rto = 1000000;
    info->snd_mss = info->rcv_mss = MSS_DEFAULT;
    info->snd_cwnd = 10;
    info->reordering = 3;
    info->snd_ssthresh = INT32_MAX;
    info->rcv_space = info->rcv_ssthresh = t->inet.socket.opt.rcvbuf / 2;
    info->pacing_rate = info->max_pacing_rate = UINT64_MAX;
    if (t->listening) {
        mutex_lock(&t->listen.lock);
        info->unacked = t->listen.nready;
        info->sacked = t->listen.backlog;
        mutex_unlock(&t->listen.lock);
    }
    if (!c)
        return;
    tcp_conn_lock(c);
    fill(c, side, info, host_monotonic());
    tcp_conn_unlock(c);
    tcp_conn_put(c);
}
