/* /proc/PID/net: the headings of the tables; there is no network yet that would fill them. */
#include "fs/proc/proc_priv.h"

#define FILE_RO (LX_S_IFREG | 0444)

static int show_dev(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
                   "packets errs drop fifo colls carrier compressed\n");
    return 0;
}

static int show_tcp(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                   "uid  timeout inode                                                     \n");
    return 0;
}

static int show_udp(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                   "uid  timeout inode ref pointer drops             \n");
    return 0;
}

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
    {.name = "dev", .mode = FILE_RO, .show = show_dev},
    {.name = "route", .mode = FILE_RO, .show = show_route},
    {.name = "tcp", .mode = FILE_RO, .show = show_tcp},
    {.name = "udp", .mode = FILE_RO, .show = show_udp},
    {.name = "unix", .mode = FILE_RO, .show = show_unix},
    {0},
};
