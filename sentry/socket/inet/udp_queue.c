/* Datagrams and errors that wait for a socket's owner; see udp.h. */
#include "sentry/socket/inet/udp.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct udp_packet *udp_packet_new(u32 len)
{
    struct udp_packet *p = malloc(sizeof(*p) + len);

    if (!p)
        return NULL;
    *p = (struct udp_packet){.count = 1, .len = len, .time = host_clock(CLOCK_REALTIME)};
    list_init(&p->node);
    return p;
}

void udp_packet_put(struct udp_packet *p)
{
    if (p && atomic_fetch_sub(&p->count, 1) == 1)
        free(p);
}

u64 udp_cost(const struct udp_packet *p)
{
    u64 buffer = ((u64)p->len + 63) / 64 * 64 + UDP_OVERHEAD;

    return max_of(buffer + p->len, (u64)UDP_COST_MIN);
}

/* own() - a packet on its way to one socket is that socket's; a multicast one is copied. */
static struct udp_packet *own(struct udp_packet *p)
{
    struct udp_packet *copy;

    if (!list_linked(&p->node) && p->count == 1)
        return p;
    copy = malloc(sizeof(*p) + p->len);
    if (!copy)
        return NULL;
    memcpy(copy, p, sizeof(*p) + p->len);
    copy->count = 0;
    list_init(&copy->node);
    return copy;
}

bool udp_deliver(struct udp_sock *u, struct udp_packet *p)
{
    struct socket *sock = &u->inet.socket;
    struct udp_packet *mine = own(p);
    bool fits;

    if (!mine)
        return false;
    mutex_lock(&u->queue_lock);
    fits = u->bytes + udp_cost(mine) <= sock->opt.rcvbuf || list_empty(&u->packets);
    if (fits) {
        mine->count++;
        u->bytes += udp_cost(mine);
        list_add_tail(&u->packets, &mine->node);
    } else {
        u->drops++;
    }
    mutex_unlock(&u->queue_lock);
    if (fits)
        waitq_wake(&sock->queue, LX_POLLIN | LX_POLLRDNORM);
    else if (mine != p)
        free(mine);
    return fits;
}

static bool wants_errors(const struct udp_sock *u, bool four)
{
    return four ? u->inet.ip.recverr : u->inet.ip.recverr6;
}

static void queue_error(struct udp_sock *u, struct udp_packet *p, const struct udp_error *model)
{
    struct udp_error *e = malloc(sizeof(*e));
    bool fits;

    if (!e)
        return;
    *e = *model;
    list_init(&e->node);
    e->packet = p;
    mutex_lock(&u->queue_lock);
    fits = u->nerrors < UDP_ERRORS;
    if (fits) {
        p->count++;
        list_add_tail(&u->errors, &e->node);
        u->nerrors++;
    }
    mutex_unlock(&u->queue_lock);
    if (!fits)
        free(e);
}

void udp_fail(struct udp_sock *u, struct udp_packet *p, int err, u8 type, u8 code)
{
    bool four = inet_addr_is4(&p->to.addr), wants = wants_errors(u, four);
    struct udp_error model = {
        .why = {.err = (u32)err,
                .origin = four ? LX_SO_EE_ORIGIN_ICMP : LX_SO_EE_ORIGIN_ICMP6,
                .type = type,
                .code = code}};

    if (wants)
        queue_error(u, p, &model);
    if (wants || u->inet.peer.port)
        socket_set_error(&u->inet.socket, err);
}

void udp_queue_free(struct udp_sock *u)
{
    struct udp_packet *p;
    struct udp_error *e;

    while ((p = list_first(&u->packets, struct udp_packet, node))) {
        list_del(&p->node);
        udp_packet_put(p);
    }
    while ((e = list_first(&u->errors, struct udp_error, node))) {
        list_del(&e->node);
        udp_packet_put(e->packet);
        free(e);
    }
    u->bytes = u->nerrors = 0;
}

u32 udp_first_len(struct udp_sock *u, bool *any)
{
    struct udp_packet *p;
    u32 len;

    mutex_lock(&u->queue_lock);
    p = list_first(&u->packets, struct udp_packet, node);
    *any = p != NULL;
    len = p ? p->len : 0;
    mutex_unlock(&u->queue_lock);
    return len;
}
