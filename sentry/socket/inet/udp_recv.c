/* Receiving datagrams and errors, with what the options ask to be told about them; see udp.h. */
#include "sentry/socket/inet/udp.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* first() - the first datagram, ours from now on (a reference); with `peek` it stays queued. */
static struct udp_packet *first(struct udp_sock *u, bool peek)
{
    struct udp_packet *p;

    mutex_lock(&u->queue_lock);
    p = list_first(&u->packets, struct udp_packet, node);
    if (p && peek) {
        p->count++;
    } else if (p) {
        list_del(&p->node);
        u->bytes -= udp_cost(p);
    }
    mutex_unlock(&u->queue_lock);
    return p;
}

/* --- control messages --- */

static void put_pktinfo4(struct socket_msg *m, const struct udp_packet *p)
{
    struct lx_in_pktinfo info = {.ifindex = INET_LO_INDEX,
                                 .spec_dst = inet_addr_to4(&p->to.addr),
                                 .addr = inet_addr_to4(&p->to.addr)};

    if (inet_addr_is_multicast(&p->to.addr))
        info.spec_dst = inet_addr_to4(&inet_addr_lo4);
    cmsg_put(m, LX_SOL_IP, LX_IP_PKTINFO, &info, sizeof(info));
}

static void put_ip(struct inet_sock *s, struct socket_msg *m, const struct udp_packet *p)
{
    struct socket_addr to;
    s32 ttl = p->ttl;

    if (s->ip.pktinfo)
        put_pktinfo4(m, p);
    if (s->ip.recvttl)
        cmsg_put(m, LX_SOL_IP, LX_IP_TTL, &ttl, sizeof(ttl));
    if (s->ip.recvtos)
        cmsg_put(m, LX_SOL_IP, LX_IP_TOS, &p->tos, sizeof(p->tos));
    if (s->ip.recvorigdst) {
        inet_endpoint_to(&p->to, LX_AF_INET, &to);
        cmsg_put(m, LX_SOL_IP, LX_IP_RECVORIGDSTADDR, to.bytes, to.len);
    }
}

static void put_ipv6(struct inet_sock *s, struct socket_msg *m, const struct udp_packet *p)
{
    struct lx_in6_pktinfo info = {.ifindex = INET_LO_INDEX};
    s32 hops = p->ttl, tclass = p->tos;

    if (s->ip.recvpktinfo6) {
        memcpy(info.addr, p->to.addr.b, sizeof(info.addr));
        cmsg_put(m, LX_SOL_IPV6, LX_IPV6_PKTINFO, &info, sizeof(info));
    }
    if (inet_addr_is4(&p->to.addr))
        return;
    if (s->ip.recvhoplimit)
        cmsg_put(m, LX_SOL_IPV6, LX_IPV6_HOPLIMIT, &hops, sizeof(hops));
    if (s->ip.recvtclass)
        cmsg_put(m, LX_SOL_IPV6, LX_IPV6_TCLASS, &tclass, sizeof(tclass));
}

static void put_control(struct udp_sock *u, struct socket_msg *m, const struct udp_packet *p)
{
    struct socket *sock = &u->inet.socket;

    cmsg_put_timestamp(sock, m, p->time);
    if (sock->opt.flags & SOCKET_RXQ_OVFL && u->drops)
        cmsg_put(m, LX_SOL_SOCKET, LX_SO_RXQ_OVFL, &u->drops, sizeof(u->drops));
    if (sock->family == LX_AF_INET6)
        put_ipv6(&u->inet, m, p);
    if (inet_addr_is4(&p->to.addr))
        put_ip(&u->inet, m, p);
}

/* --- the error queue (ip(7), IP_RECVERR) --- */

static struct udp_error *first_error(struct udp_sock *u)
{
    struct udp_error *e;

    mutex_lock(&u->queue_lock);
    e = list_first(&u->errors, struct udp_error, node);
    if (e) {
        list_del(&e->node);
        u->nerrors--;
    }
    mutex_unlock(&u->queue_lock);
    return e;
}

/* put_error() - the control message: why, and who said so. */
static void put_error(struct udp_sock *u, struct socket_msg *m, const struct udp_error *e)
{
    struct {
        struct lx_sock_extended_err why;
        u8 offender[sizeof(struct lx_sockaddr_in6)];
    } body = {.why = e->why};
    bool six = u->inet.socket.family == LX_AF_INET6;
    struct inet_endpoint by = {.addr = e->packet->to.addr};
    struct socket_addr a;

    inet_endpoint_to(&by, six ? LX_AF_INET6 : LX_AF_INET, &a);
    memcpy(body.offender, a.bytes, a.len);
    cmsg_put(m, six ? LX_SOL_IPV6 : LX_SOL_IP, six ? LX_IPV6_RECVERR : LX_IP_RECVERR, &body,
             (u32)(sizeof(body.why) + a.len));
}

static ssize_t receive_error(struct udp_sock *u, struct socket_msg *m)
{
    struct udp_error *e = first_error(u);
    u64 room = m->data->left;
    struct udp_packet *p;
    ssize_t n;

    if (!e)
        return -EAGAIN;
    p = e->packet;
    n = p->len ? uio_to(m->data, p->data, min_of((u64)p->len, room)) : 0;
    if (n >= 0) {
        if (p->len > room)
            m->out_flags |= LX_MSG_TRUNC;
        m->out_flags |= LX_MSG_ERRQUEUE;
        inet_endpoint_to(&p->to, u->inet.socket.family, &m->name);
        put_error(u, m, e);
    }
    udp_packet_put(p);
    free(e);
    return n;
}

/* --- recvmsg(2) --- */

static ssize_t hand_out(struct udp_sock *u, struct udp_packet *p, struct socket_msg *m)
{
    u64 part = min_of((u64)p->len, m->data->left);
    ssize_t n = part ? uio_to(m->data, p->data, part) : 0;

    if (n < (ssize_t)part)
        return -EFAULT;
    if (part < p->len)
        m->out_flags |= LX_MSG_TRUNC;
    inet_endpoint_to(&p->from, u->inet.socket.family, &m->name);
    put_control(u, m, p);
    return m->flags & LX_MSG_TRUNC ? (ssize_t)p->len : n;
}

/* look() - a datagram, an error, or the end. Return: anything to report? */
static bool look(struct udp_sock *u, bool peek, struct udp_packet **p, int *err)
{
    *err = socket_error(&u->inet.socket);
    if (*err)
        return true;
    *p = first(u, peek);
    return *p || u->shut & 1;
}

ssize_t udp_recvmsg(struct socket *sock, struct socket_msg *m)
{
    struct udp_sock *u = udp_sock_of(sock);
    bool peek = m->flags & LX_MSG_PEEK;
    struct udp_packet *p = NULL;
    ssize_t n;
    int err = 0, rc = 0;

    if (m->flags & LX_MSG_ERRQUEUE)
        return receive_error(u, m);
    if (m->flags & LX_MSG_OOB)
        return -EOPNOTSUPP;
    if (!look(u, peek, &p, &err)) {
        if (m->flags & LX_MSG_DONTWAIT)
            return -EAGAIN;
        rc = socket_wait(sock, LX_POLLIN | LX_POLLERR | LX_POLLRDHUP, socket_deadline(sock, false),
                         look(u, peek, &p, &err));
    }
    if (err < 0 || rc < 0)
        return err < 0 ? err : rc;
    if (!p)
        return 0;
    n = hand_out(u, p, m);
    udp_packet_put(p);
    return n;
}
