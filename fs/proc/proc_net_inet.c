/* /proc/PID/net: the IPv4 and IPv6 sockets, interfaces and routes of the process's namespace. */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/socket/inet/inet_member.h"
#include "sentry/socket/inet/inet_route.h"
#include "sentry/socket/inet/inet_row.h"
#include "sentry/socket/socket.h"

#include <errno.h>
#include <string.h>

#define HEAD4 "local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
#define HEAD6                                                                                      \
    "  sl  local_address                         remote_address                        st tx_queue " \
    "rx_queue tr tm->when retrnsmt   uid  timeout inode"
enum { LINE4 = 149, UDP_LINE4 = 127, TICK_MS = 10 };

static void put_endpoint(struct proc_text *out, const struct inet_endpoint *e, u16 family)
{
    u32 words[4];

    memcpy(words, e->addr.b, sizeof(words));
    if (family == LX_AF_INET)
        proc_printf(out, "%08X:%04X", words[3], e->port);
    else
        proc_printf(out, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3], e->port);
}

/* put_row() - what lines of all kinds have in common. */
static void put_row(struct proc_text *out, const struct inet_row *r)
{
    put_endpoint(out, &r->local, r->family);
    proc_puts(out, " ");
    put_endpoint(out, &r->peer, r->family);
    proc_printf(out, " %02X %08X:%08X %02X:%08X %08X %5u %8d %llu %u %016llx", r->state,
                r->state == LX_TCP_LISTEN ? 0 : r->sent, r->received, r->timer,
                r->timer_ms / TICK_MS, 0, uid_from_kuid(task_cred(current)->user_ns, r->uid), 0, (unsigned long long)r->ino, r->refs,
                (unsigned long long)r->cookie);
}

static void pad(struct proc_text *out, size_t from, size_t width)
{
    while (out->len - from < width && !out->failed)
        proc_puts(out, " ");
    proc_puts(out, "\n");
}

static void put_tcp(struct proc_text *out, const struct inet_row *r, u32 slot)
{
    size_t from = out->len;

    proc_printf(out, "%4u: ", slot);
    put_row(out, r);
    if (r->state == LX_TCP_LISTEN)
        proc_puts(out, " 100 0 0 10 0");
    else if (r->state != LX_TCP_TIME_WAIT)
        proc_puts(out, " 20 4 30 10 -1");
    pad(out, from, r->family == LX_AF_INET ? LINE4 : 0);
}

static void put_udp(struct proc_text *out, const struct inet_row *r, u32 slot)
{
    size_t from = out->len;

    proc_printf(out, "%5u: ", slot);
    put_row(out, r);
    proc_printf(out, " %u", r->drops);
    pad(out, from, r->family == LX_AF_INET ? UDP_LINE4 : 0);
}

/* show_rows() - the sockets of a table and family. */
static int show_rows(const struct proc_node *n, struct proc_text *out, enum inet_table table,
                     u16 family)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    auto_free struct inet_row *rows = NULL;
    ssize_t count = ns ? inet_rows(ns, table, &rows) : 0;
    u32 slot = 0;

    for (ssize_t i = 0; i < count; i++) {
        if (rows[i].family != family)
            continue;
        if (table == INET_TCP)
            put_tcp(out, &rows[i], slot++);
        else
            put_udp(out, &rows[i], slot++);
    }
    return count < 0 ? (int)count : 0;
}

int proc_show_net_tcp(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "  sl  " HEAD4);
    pad(out, 0, LINE4);
    return show_rows(n, out, INET_TCP, LX_AF_INET);
}

int proc_show_net_tcp6(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, HEAD6 "\n");
    return show_rows(n, out, INET_TCP, LX_AF_INET6);
}

/* show_datagrams() - a table of datagram sockets over IPv4, whose lines are padded, or IPv6. */
static int show_datagrams(const struct proc_node *n, struct proc_text *out, enum inet_table table,
                          const char *margin)
{
    proc_puts(out, margin);
    proc_puts(out, HEAD4 " ref pointer drops");
    pad(out, 0, UDP_LINE4);
    return show_rows(n, out, table, LX_AF_INET);
}

static int show_datagrams6(const struct proc_node *n, struct proc_text *out, enum inet_table table)
{
    proc_puts(out, HEAD6 " ref pointer drops\n");
    return show_rows(n, out, table, LX_AF_INET6);
}

int proc_show_net_udp(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams(n, out, INET_UDP, "   sl  ");
}

int proc_show_net_udp6(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams6(n, out, INET_UDP);
}

int proc_show_net_udplite(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams(n, out, INET_UDPLITE, "   sl  ");
}

int proc_show_net_udplite6(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams6(n, out, INET_UDPLITE);
}

int proc_show_net_icmp(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams(n, out, INET_PING, "  sl  ");
}

int proc_show_net_icmp6(const struct proc_node *n, struct proc_text *out)
{
    return show_datagrams6(n, out, INET_PING6);
}

/* Raw sockets: there are none. */
int proc_show_net_raw(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "  sl  " HEAD4 " ref pointer drops\n");
    return 0;
}

int proc_show_net_raw6(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, HEAD6 " ref pointer drops\n");
    return 0;
}

/* On loopback nothing is ever a packet. */
int proc_show_net_dev(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    struct inet_dev *d;

    proc_puts(out, "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
                   "packets errs drop fifo colls carrier compressed\n");
    for (u32 i = INET_LO_INDEX; ns && (d = inet_dev_find(ns, i)); i++)
        proc_printf(out,
                    "%6s: %7u %7u %4u %4u %4u %5u %10u %9u %8u %7u %4u %4u %4u %5u %7u %10u\n",
                    d->name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return 0;
}

static void put_hex(struct proc_text *out, const struct inet_addr *a)
{
    for (size_t i = 0; i < sizeof(a->b); i++)
        proc_printf(out, "%02x", a->b[i]);
}

int proc_show_net_if_inet6(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    struct inet_ifaddr *a;

    if (!ns)
        return 0;
    rwlock_read(&ns->lock);
    list_for_each(a, &ns->addrs, node) {
        if (inet_addr_is4(&a->addr))
            continue;
        put_hex(out, &a->addr);
        proc_printf(out, " %02x %02x %02x %02x %8s\n", a->dev->index, a->prefix, 0x10, 0x80,
                    a->dev->name);
    }
    rwlock_unlock(&ns->lock);
    return 0;
}

static u32 count_members(struct inet_ns *ns, const struct inet_dev *dev)
{
    struct inet_member *m;
    u32 n = 0;

    list_for_each(m, &ns->members, node)
        n += m->dev == dev->index && inet_addr_is4(&m->addr);
    return n;
}

/* An interface that is down has nothing to do with IPv4. */
int proc_show_net_igmp(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    struct inet_member *m;
    struct inet_dev *d;

    proc_puts(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    if (!ns)
        return 0;
    rwlock_read(&ns->lock);
    list_for_each(d, &ns->devs, node) {
        if (!(d->flags & LX_IFF_UP))
            continue;
        proc_printf(out, "%u\t%-10s: %5u %7s\n", d->index, d->name, count_members(ns, d), "V3");
        list_for_each(m, &ns->members, node) {
            if (m->dev == d->index && inet_addr_is4(&m->addr))
                proc_printf(out, "\t\t\t\t%08X %5u 0:%08X\t\t0\n", inet_addr_to4(&m->addr), m->users, 0);
        }
    }
    rwlock_unlock(&ns->lock);
    return 0;
}

/* put_member6() - its flags: MAF_LOADED (4) while the interface is up, but not for the interface's own
 * scope; MAF_NOREPORT (8) for that and for all nodes of a link. */
static void put_member6(struct proc_text *out, const struct inet_dev *dev, const struct inet_member *m)
{
    static const struct inet_addr all_nodes = {{0xff, 0x02, [15] = 1}};
    bool own = (m->addr.b[1] & 0xf) <= 1;
    u32 flags = (!own && dev->flags & LX_IFF_UP ? 4 : 0) |
                (own || inet_addr_equal(&m->addr, &all_nodes) ? 8 : 0);

    proc_printf(out, "%-4u %-15s ", dev->index, dev->name);
    put_hex(out, &m->addr);
    proc_printf(out, " %5u %08X %d\n", m->users, flags, 0);
}

int proc_show_net_igmp6(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    struct inet_member *m;
    struct inet_dev *d;

    if (!ns)
        return 0;
    rwlock_read(&ns->lock);
    list_for_each(d, &ns->devs, node) {
        list_for_each(m, &ns->members, node) {
            if (m->dev == d->index && !inet_addr_is4(&m->addr))
                put_member6(out, d, m);
        }
    }
    rwlock_unlock(&ns->lock);
    return 0;
}

/* put_route6() - RTF_UP, RTF_NONEXTHOP and RTF_LOCAL, as Linux shows those of table local. */
static void put_route6(struct proc_text *out, const struct inet_addr *dst, u8 prefix, u32 metric,
                       u32 refs, u32 flags, const char *dev)
{
    put_hex(out, dst);
    proc_printf(out, " %02x ", prefix);
    put_hex(out, &inet_addr_any6);
    proc_puts(out, " 00 ");
    put_hex(out, &inet_addr_any6);
    proc_printf(out, " %08x %08x %08x %08x %8s\n", metric, refs, 0, flags, dev);
}

int proc_show_net_ipv6_route(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    struct inet_route *r;

    if (!ns)
        return 0;
    put_route6(out, &inet_addr_any6, 0, UINT32_MAX, 1, 0x00200200, "lo");
    rwlock_read(&ns->lock);
    list_for_each(r, &ns->routes, node) {
        if (!inet_addr_is4(&r->dst))
            put_route6(out, &r->dst, r->prefix, 0, 2, 0x80200001, r->dev->name);
    }
    rwlock_unlock(&ns->lock);
    put_route6(out, &inet_addr_any6, 0, UINT32_MAX, 1, 0x00200200, "lo");
    return 0;
}
