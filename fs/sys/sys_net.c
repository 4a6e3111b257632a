/* /sys/class/net: the interfaces of the reader's network namespace, which has lo alone. */
#include "fs/sys/sys_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/inet/inet_ns.h"

#include <errno.h>
#include <string.h>

#define LINK (LX_S_IFLNK | 0777)

enum { TXQLEN = 1000, NAME_PREDICTABLE = 2 };

/* lo() - NULL: out of memory. */
static struct inet_dev *lo(void)
{
    struct inet_ns *ns = current ? inet_ns_of(current->ns->net) : NULL;

    return ns ? inet_dev_find(ns, INET_LO_INDEX) : NULL;
}

#define NUMBER(fn, format, value)                                   \
    static int fn(const struct proc_node *n, struct proc_text *out) \
    {                                                               \
        const struct inet_dev *d = lo();                            \
                                                                    \
        if (!d)                                                     \
            return -ENOMEM;                                         \
        proc_printf(out, format "\n", value);                       \
        return 0;                                                   \
    }

NUMBER(show_index, "%u", d->index)
NUMBER(show_mtu, "%u", d->mtu)
NUMBER(show_type, "%u", d->type)
NUMBER(show_flags, "0x%x", d->flags & ~(u32)(LX_IFF_RUNNING | LX_IFF_LOWER_UP))
NUMBER(show_addr_len, "%u", d->hwaddr_len)
NUMBER(show_operstate, "%s", d->flags & LX_IFF_UP ? "unknown" : "down")

/* Of an interface that is down there is no carrier to be told. */
static int show_carrier(const struct proc_node *n, struct proc_text *out)
{
    const struct inet_dev *d = lo();

    if (!d || !(d->flags & LX_IFF_UP))
        return d ? -EINVAL : -ENOMEM;
    proc_puts(out, "1\n");
    return 0;
}

static int show_address(const struct proc_node *n, struct proc_text *out)
{
    const struct inet_dev *d = lo();

    for (u32 i = 0; d && i < d->hwaddr_len; i++)
        proc_printf(out, "%02x%s", d->hwaddr[i], i + 1 < d->hwaddr_len ? ":" : "\n");
    return d ? 0 : -ENOMEM;
}

static int show_uevent(const struct proc_node *n, struct proc_text *out)
{
    const struct inet_dev *d = lo();

    if (!d)
        return -ENOMEM;
    proc_printf(out, "INTERFACE=%s\nIFINDEX=%u\n", d->name, d->index);
    return 0;
}

/* What loopback has no such thing as. */
static int show_invalid(const struct proc_node *n, struct proc_text *out)
{
    return -EINVAL;
}

static int show_zero(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0\n");
    return 0;
}

static int show_zero_hex(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0x0\n");
    return 0;
}

static int show_assigned(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u\n", NAME_PREDICTABLE);
    return 0;
}

static int show_queue(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u\n", TXQLEN);
    return 0;
}

static int show_nothing(const struct proc_node *n, struct proc_text *out)
{
    return 0;
}

static ssize_t put_target(char *buf, size_t cap, const char *target)
{
    size_t len = min_of(strlen(target), cap);

    memcpy(buf, target, len);
    return (ssize_t)len;
}

static ssize_t read_lo(const struct proc_node *n, char *buf, size_t cap)
{
    return put_target(buf, cap, "../../devices/virtual/net/lo");
}

static ssize_t read_subsystem(const struct proc_node *n, char *buf, size_t cap)
{
    return put_target(buf, cap, "../../../../class/net");
}

#define FILE(file, fn) {.name = file, .mode = SYS_FILE, .show = fn}

/* On loopback nothing is ever a packet: bytes go from socket to socket. */
static const struct proc_entry statistics_children[] = {
    FILE("collisions", show_zero),        FILE("multicast", show_zero),
    FILE("rx_bytes", show_zero),         FILE("rx_compressed", show_zero),
    FILE("rx_crc_errors", show_zero),     FILE("rx_dropped", show_zero),
    FILE("rx_errors", show_zero),         FILE("rx_fifo_errors", show_zero),
    FILE("rx_frame_errors", show_zero),   FILE("rx_length_errors", show_zero),
    FILE("rx_missed_errors", show_zero),  FILE("rx_nohandler", show_zero),
    FILE("rx_over_errors", show_zero),    FILE("rx_packets", show_zero),
    FILE("tx_aborted_errors", show_zero), FILE("tx_bytes", show_zero),
    FILE("tx_carrier_errors", show_zero), FILE("tx_compressed", show_zero),
    FILE("tx_dropped", show_zero),        FILE("tx_errors", show_zero),
    FILE("tx_fifo_errors", show_zero),    FILE("tx_heartbeat_errors", show_zero),
    FILE("tx_packets", show_zero),     FILE("tx_window_errors", show_zero),
    {0},
};

static const struct proc_entry no_children[] = {{0}};

static const struct proc_entry queues_children[] = {
    {.name = "rx-0", .mode = SYS_DIR, .children = no_children},
    {.name = "tx-0", .mode = SYS_DIR, .children = no_children},
    {0},
};

static const struct proc_entry lo_children[] = {
    FILE("addr_assign_type", show_zero),
    FILE("addr_len", show_addr_len),
    FILE("address", show_address),
    FILE("broadcast", show_address),
    FILE("carrier", show_carrier),
    FILE("carrier_changes", show_zero),
    FILE("dev_id", show_zero_hex),
    FILE("dev_port", show_zero),
    FILE("dormant", show_zero),
    FILE("duplex", show_invalid),
    FILE("flags", show_flags),
    FILE("ifalias", show_nothing),
    FILE("ifindex", show_index),
    FILE("iflink", show_index),
    FILE("link_mode", show_zero),
    FILE("mtu", show_mtu),
    FILE("name_assign_type", show_assigned),
    FILE("netdev_group", show_zero),
    FILE("operstate", show_operstate),
    {.name = "queues", .mode = SYS_DIR, .children = queues_children},
    FILE("speed", show_invalid),
    {.name = "statistics", .mode = SYS_DIR, .children = statistics_children},
    {.name = "subsystem", .mode = LINK, .readlink = read_subsystem},
    FILE("tx_queue_len", show_queue),
    FILE("type", show_type),
    FILE("uevent", show_uevent),
    {0},
};

const struct proc_entry sys_net_devices[] = {
    {.name = "lo", .mode = SYS_DIR, .children = lo_children},
    {0},
};

const struct proc_entry sys_net_class[] = {
    {.name = "lo", .mode = LINK, .readlink = read_lo},
    {0},
};
