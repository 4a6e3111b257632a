/* Netlink sockets: port ids, requests in, answers out; see netlink.h. */
#include "sentry/socket/netlink/netlink_priv.h"

#include "sentry/abi/lx_poll.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { READABLE = LX_POLLIN | LX_POLLRDNORM, WRITABLE = LX_POLLOUT | LX_POLLWRNORM };
enum { ECHO_MAX = 1024 }; /* of a request, what an error message carries of it */
/* A dump is queued whole, where Linux makes it as it is read: that many times SO_RCVBUF fit. */
enum { DUMP_SHARE = 64 };

static struct nl_sock *nl_of(struct socket *s)
{
    return container_of(s, struct nl_sock, socket);
}

/* --- port ids: unique per protocol and namespace --- */

struct nl_ns {
    struct obj obj;
    struct mutex lock; /* NET_NS class */
    struct list_node socks; /* guarded by lock */
};

static void nl_ns_free(struct obj *o)
{
    struct nl_ns *ns = container_of(o, struct nl_ns, obj);

    mutex_destroy(&ns->lock);
    free(ns);
}

static struct obj_type nl_ns_type = {.name = "netlink_ns", .free = nl_ns_free};

static struct obj *nl_ns_make(struct net_ns *net)
{
    struct nl_ns *ns = calloc(1, sizeof(*ns));

    (void)net;
    if (!ns)
        return NULL;
    obj_init(&ns->obj, &nl_ns_type);
    mutex_init(&ns->lock, LOCK_INET_PORTS);
    list_init(&ns->socks);
    return &ns->obj;
}

static struct nl_ns *nl_ns_of(struct net_ns *net)
{
    struct obj *o = net_ns_state(net, NET_STATE_NETLINK, nl_ns_make);

    return o ? container_of(o, struct nl_ns, obj) : NULL;
}

static bool pid_taken(struct nl_ns *ns, const struct nl_sock *n, u32 pid)
{
    struct nl_sock *other;

    list_for_each(other, &ns->socks, in_ns) {
        if (other != n && other->socket.protocol == n->socket.protocol && other->pid == pid)
            return true;
    }
    return false;
}

/* set_pid() - `pid`, or for 0 the process's own, or a free one. Return: 0, -EADDRINUSE, -EINVAL. */
static int set_pid(struct nl_sock *n, u32 pid)
{
    struct nl_ns *ns = nl_ns_of(n->socket.net);
    u32 want = pid ? pid : (u32)pid_nr(current->tg->pid, current->tg->pid->ns);
    int rc = 0;

    mutex_lock(&ns->lock);
    if (n->pid)
        rc = pid && pid != n->pid ? -EINVAL : 0;
    else if (pid && pid_taken(ns, n, pid))
        rc = -EADDRINUSE;
    else if (!pid)
        for (u32 next = UINT32_MAX - 4096; pid_taken(ns, n, want); next--)
            want = next;
    if (!rc && !n->pid)
        n->pid = want;
    mutex_unlock(&ns->lock);
    return rc;
}

static int check_name(const struct socket_addr *addr)
{
    if (addr->len < sizeof(addr->nl) || addr->family != LX_AF_NETLINK)
        return -EINVAL;
    return 0;
}

static int nl_bind(struct socket *sock, const struct socket_addr *addr)
{
    struct nl_sock *n = nl_of(sock);
    int rc = check_name(addr);

    if (!rc)
        rc = set_pid(n, addr->nl.pid);
    if (!rc)
        n->groups = addr->nl.groups;
    return rc;
}

/* connect() - only the kernel can be talked to. */
static int nl_connect(struct socket *sock, const struct socket_addr *addr, bool nonblock)
{
    int rc;

    if (addr->len >= sizeof(addr->family) && addr->family == LX_AF_UNSPEC)
        return 0;
    rc = check_name(addr);
    if (rc < 0)
        return rc;
    if (addr->nl.pid || addr->nl.groups)
        return -EPERM;
    return set_pid(nl_of(sock), 0);
}

static int nl_getname(struct socket *sock, bool peer, struct socket_addr *out)
{
    struct nl_sock *n = nl_of(sock);

    *out = (struct socket_addr){.len = sizeof(out->nl)};
    out->nl.family = LX_AF_NETLINK;
    if (peer)
        return 0;
    out->nl.pid = n->pid;
    out->nl.groups = n->groups;
    return 0;
}

/* --- requests --- */

/* put_error() - the acknowledgement of a request: 0 or what went wrong, and (the head of) itself. */
static void put_error(struct nl_answer *a, int err)
{
    const struct lx_nlmsghdr *h = a->request;
    bool whole = err && !a->sock->cap_ack && h->len <= ECHO_MAX;
    s32 code = err;

    nl_begin(a, LX_NLMSG_ERROR, whole || !err ? 0 : LX_NLM_F_CAPPED);
    nl_put(a, &code, sizeof(code));
    nl_put(a, h, whole ? h->len : (u32)sizeof(*h));
    nl_end(a);
}

static void put_done(struct nl_answer *a)
{
    nl_begin(a, LX_NLMSG_DONE, LX_NLM_F_MULTI);
    nl_put(a, &a->done, sizeof(a->done));
    nl_end(a);
}

static int serve(struct nl_answer *a)
{
    const void *body = a->request + 1;
    u32 len = a->request->len - (u32)sizeof(*a->request);

    switch (a->sock->socket.protocol) {
    case LX_NETLINK_ROUTE:
        return nl_route(a, body, len);
    case LX_NETLINK_SOCK_DIAG:
        return nl_diag(a, body, len);
    default:
        return -EOPNOTSUPP;
    }
}

/* cost() - what a packet counts against SO_RCVBUF. */
static u64 cost(const struct nl_packet *p)
{
    return sizeof(*p) + p->cap;
}

/* deliver() - queue an answer's datagrams; the list is left empty. */
static void deliver(struct nl_answer *a)
{
    struct nl_sock *n = a->sock;
    struct nl_packet *p;

    mutex_lock(&n->queue_lock);
    while ((p = list_first(&a->packets, struct nl_packet, node))) {
        list_del(&p->node);
        p = nl_packet_trim(p);
        if (n->bytes && n->bytes + cost(p) > (u64)n->socket.opt.rcvbuf * DUMP_SHARE) {
            n->overrun = !n->no_enobufs;
            n->drops++;
            nl_packet_free(p);
            continue;
        }
        n->bytes += cost(p);
        list_add_tail(&n->packets, &p->node);
    }
    if (a->failed)
        n->overrun = true;
    mutex_unlock(&n->queue_lock);
    waitq_wake(&n->socket.queue, READABLE | LX_POLLERR);
}

static void answer(struct nl_sock *n, const struct lx_nlmsghdr *h)
{
    struct nl_answer a = {.sock = n, .ns = inet_ns_of(n->socket.net), .request = h};
    bool dump = (h->flags & LX_NLM_F_DUMP) == LX_NLM_F_DUMP;
    int rc = 0;

    list_init(&a.packets);
    if (!(h->flags & LX_NLM_F_REQUEST))
        return;
    if (h->type >= LX_NLMSG_MIN_TYPE)
        rc = a.ns ? serve(&a) : -ENOMEM;
    if (rc < 0 || (h->flags & LX_NLM_F_ACK && !(dump && a.count)))
        put_error(&a, rc);
    else if (dump)
        put_done(&a);
    deliver(&a);
}

static int take_requests(struct nl_sock *n, const u8 *data, u32 len)
{
    while (len >= sizeof(struct lx_nlmsghdr)) {
        const struct lx_nlmsghdr *h = (const struct lx_nlmsghdr *)(const void *)data;
        u32 step;

        if (h->len < sizeof(*h) || h->len > len)
            break;
        answer(n, h);
        step = min_of((h->len + 3) & ~3u, len);
        data += step;
        len -= step;
    }
    return 0;
}

static ssize_t nl_sendmsg(struct socket *sock, struct socket_msg *m)
{
    struct nl_sock *n = nl_of(sock);
    u64 len = m->data->left;
    auto_free u8 *data = NULL;
    int rc;

    if (m->flags & LX_MSG_OOB)
        return -EOPNOTSUPP;
    rc = m->name.len ? check_name(&m->name) : 0;
    if (!rc && m->name.len && (m->name.nl.pid || m->name.nl.groups))
        rc = m->name.nl.groups ? -EPERM : -ECONNREFUSED;
    rc = rc ? rc : set_pid(n, 0);
    if (rc < 0)
        return rc;
    if (len > NL_SEND_MAX || len + 32 > sock->opt.sndbuf)
        return -EMSGSIZE;
    data = malloc(len + 4);
    if (!data)
        return -ENOBUFS;
    if (len && uio_from(m->data, data, len) != (ssize_t)len)
        return -EFAULT;
    (void)take_requests(n, data, (u32)len);
    return (ssize_t)len;
}

/* --- receiving --- */

static struct nl_packet *first(struct nl_sock *n, int *err)
{
    struct nl_packet *p;

    mutex_lock(&n->queue_lock);
    *err = n->overrun ? -ENOBUFS : 0;
    n->overrun = false;
    p = *err ? NULL : list_first(&n->packets, struct nl_packet, node);
    if (p)
        list_del(&p->node);
    mutex_unlock(&n->queue_lock);
    return p;
}

/* finish() - the datagram was received, or only looked at. */
static void finish(struct nl_sock *n, struct nl_packet *p, bool peek)
{
    mutex_lock(&n->queue_lock);
    if (peek)
        list_add(&n->packets, &p->node);
    else
        n->bytes -= cost(p);
    mutex_unlock(&n->queue_lock);
    if (peek)
        waitq_wake(&n->socket.queue, READABLE); /* who came meanwhile has found nothing */
    else
        nl_packet_free(p);
}

static ssize_t hand_out(struct nl_sock *n, struct nl_packet *p, struct socket_msg *m)
{
    u32 part = (u32)min_of((u64)p->len, m->data->left), len = p->len, group = 0;
    ssize_t rc = part ? uio_to(m->data, p->data, part) : 0;

    if (part < len)
        m->out_flags |= LX_MSG_TRUNC;
    m->name = (struct socket_addr){.len = sizeof(m->name.nl)};
    m->name.nl.family = LX_AF_NETLINK;
    if (n->pktinfo)
        cmsg_put(m, LX_SOL_NETLINK, LX_NETLINK_PKTINFO, &group, sizeof(group));
    finish(n, p, m->flags & LX_MSG_PEEK);
    if (rc < 0)
        return rc;
    return m->flags & LX_MSG_TRUNC ? (ssize_t)len : rc;
}

static ssize_t nl_recvmsg(struct socket *sock, struct socket_msg *m)
{
    struct nl_sock *n = nl_of(sock);
    struct nl_packet *p;
    int err = 0, rc = 0;

    if (m->flags & LX_MSG_OOB)
        return -EOPNOTSUPP;
    p = first(n, &err);
    if (!p && !err) {
        if (m->flags & LX_MSG_DONTWAIT)
            return -EAGAIN;
        rc = socket_wait(sock, LX_POLLIN | LX_POLLERR, socket_deadline(sock, false),
                         (p = first(n, &err)) || err);
    }
    if (p)
        return hand_out(n, p, m);
    return err < 0 ? err : rc;
}

static u32 nl_poll(struct socket *sock)
{
    struct nl_sock *n = nl_of(sock);
    u32 events = WRITABLE;

    mutex_lock(&n->queue_lock);
    if (!list_empty(&n->packets))
        events |= READABLE;
    if (n->overrun)
        events |= LX_POLLERR;
    mutex_unlock(&n->queue_lock);
    return events;
}

/* --- options of SOL_NETLINK --- */

static bool *nl_flag(struct nl_sock *n, int name)
{
    switch (name) {
    case LX_NETLINK_PKTINFO:
        return &n->pktinfo;
    case LX_NETLINK_BROADCAST_ERROR:
        return &n->broadcast_error;
    case LX_NETLINK_NO_ENOBUFS:
        return &n->no_enobufs;
    case LX_NETLINK_CAP_ACK:
        return &n->cap_ack;
    case LX_NETLINK_EXT_ACK:
        return &n->ext_ack;
    case LX_NETLINK_GET_STRICT_CHK:
        return &n->strict;
    default:
        return NULL;
    }
}

static int change_group(struct nl_sock *n, u32 group, bool join)
{
    if (!group || group > 64)
        return -EINVAL;
    if (group <= 32 && join)
        n->groups |= 1u << (group - 1);
    else if (group <= 32)
        n->groups &= ~(1u << (group - 1));
    return 0;
}

static int nl_setsockopt(struct socket *sock, int level, int name, const void *value, u32 len)
{
    struct nl_sock *n = nl_of(sock);
    bool *flag = nl_flag(n, name);
    u32 v = 0;

    if (level != LX_SOL_NETLINK)
        return -ENOPROTOOPT;
    if (len < sizeof(v))
        return -EINVAL;
    memcpy(&v, value, sizeof(v));
    if (name == LX_NETLINK_ADD_MEMBERSHIP || name == LX_NETLINK_DROP_MEMBERSHIP)
        return change_group(n, v, name == LX_NETLINK_ADD_MEMBERSHIP);
    if (!flag)
        return -ENOPROTOOPT;
    *flag = v != 0;
    return 0;
}

static int nl_getsockopt(struct socket *sock, int level, int name, void *value, u32 *len)
{
    struct nl_sock *n = nl_of(sock);
    bool *flag = nl_flag(n, name);
    u32 v;

    if (level != LX_SOL_NETLINK || (!flag && name != LX_NETLINK_LIST_MEMBERSHIPS))
        return -ENOPROTOOPT;
    if (flag && *len < sizeof(v))
        return -EINVAL;
    v = flag ? *flag : n->groups;
    *len = min_of(*len, (u32)sizeof(v));
    memcpy(value, &v, *len);
    return 0;
}

static const struct socket_ops nl_ops = {
    .bind = nl_bind,
    .connect = nl_connect,
    .getname = nl_getname,
    .sendmsg = nl_sendmsg,
    .recvmsg = nl_recvmsg,
    .setsockopt = nl_setsockopt,
    .getsockopt = nl_getsockopt,
    .poll = nl_poll,
};

static void nl_free(struct obj *o)
{
    struct nl_sock *n = container_of(o, struct nl_sock, socket.obj);
    struct nl_ns *ns = nl_ns_of(n->socket.net);
    struct nl_packet *p;

    mutex_lock(&ns->lock);
    list_del(&n->in_ns);
    mutex_unlock(&ns->lock);
    while ((p = list_first(&n->packets, struct nl_packet, node))) {
        list_del(&p->node);
        nl_packet_free(p);
    }
    mutex_destroy(&n->queue_lock);
    socket_destroy(&n->socket);
    free(n);
}

static struct obj_type nl_type = {.name = "netlink_sock", .free = nl_free};

static int nl_create(struct net_ns *net, u16 type, int protocol, struct socket **out)
{
    struct nl_ns *ns = nl_ns_of(net);
    struct nl_sock *n;

    if (type != LX_SOCK_RAW && type != LX_SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol < 0 || protocol >= LX_NETLINK_MAX)
        return -EPROTONOSUPPORT;
    if (protocol != LX_NETLINK_ROUTE && protocol != LX_NETLINK_SOCK_DIAG &&
        protocol != LX_NETLINK_KOBJECT_UEVENT)
        return -EPROTONOSUPPORT;
    n = ns ? calloc(1, sizeof(*n)) : NULL;
    if (!n)
        return -ENOMEM;
    mutex_init(&n->queue_lock, LOCK_INET_QUEUE);
    list_init(&n->packets);
    list_init(&n->in_ns);
    socket_init(&n->socket, &nl_type, &nl_ops, net, LX_AF_NETLINK, type, (u32)protocol);
    mutex_lock(&ns->lock);
    list_add(&ns->socks, &n->in_ns);
    mutex_unlock(&ns->lock);
    *out = &n->socket;
    return 0;
}

static struct nl_row row_of(struct nl_sock *n)
{
    struct nl_row r = {.protocol = n->socket.protocol, .pid = n->pid, .groups = n->groups,
                       .ino = n->socket.ino, .cookie = n->socket.obj.id};

    mutex_lock(&n->queue_lock);
    r.received = (u32)n->bytes;
    r.drops = n->drops;
    mutex_unlock(&n->queue_lock);
    return r;
}

ssize_t nl_rows(struct net_ns *net, struct nl_row **rows)
{
    struct nl_ns *ns = nl_ns_of(net);
    struct nl_sock *n;
    u32 cap = 1, got = 0;

    *rows = NULL;
    if (!ns)
        return -ENOMEM;
    mutex_lock(&ns->lock);
    list_for_each(n, &ns->socks, in_ns)
        cap++;
    *rows = calloc(cap, sizeof(**rows));
    if (*rows) {
        list_for_each(n, &ns->socks, in_ns)
            (*rows)[got++] = row_of(n);
    }
    mutex_unlock(&ns->lock);
    return *rows ? (ssize_t)got : -ENOMEM;
}

const struct socket_family netlink_family = {.family = LX_AF_NETLINK, .create = nl_create};
