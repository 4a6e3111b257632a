/* /proc/PID/net: its table; IPv4 and IPv6 are in proc_net_inet.c. On lo there are no neighbours, and no
 * route of table main. */
#include "fs/proc/proc_priv.h"

#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/socket/netlink/netlink.h"

#define FILE_RO (LX_S_IFREG | 0444)

struct net_ns *proc_net_ns(const struct proc_node *n)
{
    struct nsproxy *ns = proc_ns(n);
    struct net_ns *net = ns ? net_ns_get(ns->net) : NULL;

    nsproxy_put(ns);
    return net;
}

static int show_route(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"
                   "IRTT                                                       \n");
    return 0;
}

static int show_arp(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "IP address       HW type     Flags       HW address            Mask     "
                   "Device\n");
    return 0;
}

/* Packet sockets: there are none. */
static int show_packet(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
    return 0;
}

static int show_netlink(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    auto_free struct nl_row *rows = NULL;
    ssize_t count = net ? nl_rows(net, &rows) : 0;

    proc_puts(out, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops"
                   "    Inode\n");
    for (ssize_t i = 0; i < count; i++)
        proc_printf(out, "%016llx %-3u %-10u %08x %-8u %-8u %-5d %-8u %-8u %-8llu\n",
                    (unsigned long long)rows[i].cookie, rows[i].protocol, rows[i].pid,
                    rows[i].groups, rows[i].received, 0, 0, 2, rows[i].drops,
                    (unsigned long long)rows[i].ino);
    return count < 0 ? (int)count : 0;
}

const struct proc_entry proc_net_children[] = {
    {.name = "arp", .mode = FILE_RO, .show = show_arp},
    {.name = "dev", .mode = FILE_RO, .show = proc_show_net_dev},
    {.name = "icmp", .mode = FILE_RO, .show = proc_show_net_icmp},
    {.name = "icmp6", .mode = FILE_RO, .show = proc_show_net_icmp6},
    {.name = "if_inet6", .mode = FILE_RO, .show = proc_show_net_if_inet6},
    {.name = "igmp", .mode = FILE_RO, .show = proc_show_net_igmp},
    {.name = "igmp6", .mode = FILE_RO, .show = proc_show_net_igmp6},
    {.name = "ipv6_route", .mode = FILE_RO, .show = proc_show_net_ipv6_route},
    {.name = "netlink", .mode = FILE_RO, .show = show_netlink},
    {.name = "netstat", .mode = FILE_RO, .show = proc_show_net_netstat},
    {.name = "packet", .mode = FILE_RO, .show = show_packet},
    {.name = "raw", .mode = FILE_RO, .show = proc_show_net_raw},
    {.name = "raw6", .mode = FILE_RO, .show = proc_show_net_raw6},
    {.name = "route", .mode = FILE_RO, .show = show_route},
    {.name = "snmp", .mode = FILE_RO, .show = proc_show_net_snmp},
    {.name = "snmp6", .mode = FILE_RO, .show = proc_show_net_snmp6},
    {.name = "sockstat", .mode = FILE_RO, .show = proc_show_net_sockstat},
    {.name = "sockstat6", .mode = FILE_RO, .show = proc_show_net_sockstat6},
    {.name = "tcp", .mode = FILE_RO, .show = proc_show_net_tcp},
    {.name = "tcp6", .mode = FILE_RO, .show = proc_show_net_tcp6},
    {.name = "udp", .mode = FILE_RO, .show = proc_show_net_udp},
    {.name = "udp6", .mode = FILE_RO, .show = proc_show_net_udp6},
    {.name = "udplite", .mode = FILE_RO, .show = proc_show_net_udplite},
    {.name = "udplite6", .mode = FILE_RO, .show = proc_show_net_udplite6},
    {.name = "unix", .mode = FILE_RO, .show = proc_show_net_unix},
    {0},
};
