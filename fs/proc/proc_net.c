/* /proc/PID/net: its table; IPv4 and IPv6 are in proc_net_inet.c. On lo there are no neighbours, and no
 * route of table main. */
#include "fs/proc/proc_priv.h"

#define FILE_RO (LX_S_IFREG | 0444)

static int show_unix(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    return 0;
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

const struct proc_entry proc_net_children[] = {
    {.name = "arp", .mode = FILE_RO, .show = show_arp},
    {.name = "dev", .mode = FILE_RO, .show = proc_show_net_dev},
    {.name = "if_inet6", .mode = FILE_RO, .show = proc_show_net_if_inet6},
    {.name = "ipv6_route", .mode = FILE_RO, .show = proc_show_net_ipv6_route},
    {.name = "raw", .mode = FILE_RO, .show = proc_show_net_raw},
    {.name = "raw6", .mode = FILE_RO, .show = proc_show_net_raw6},
    {.name = "route", .mode = FILE_RO, .show = show_route},
    {.name = "snmp", .mode = FILE_RO, .show = proc_show_net_snmp},
    {.name = "sockstat", .mode = FILE_RO, .show = proc_show_net_sockstat},
    {.name = "sockstat6", .mode = FILE_RO, .show = proc_show_net_sockstat6},
    {.name = "tcp", .mode = FILE_RO, .show = proc_show_net_tcp},
    {.name = "tcp6", .mode = FILE_RO, .show = proc_show_net_tcp6},
    {.name = "udp", .mode = FILE_RO, .show = proc_show_net_udp},
    {.name = "udp6", .mode = FILE_RO, .show = proc_show_net_udp6},
    {.name = "unix", .mode = FILE_RO, .show = show_unix},
    {0},
};
