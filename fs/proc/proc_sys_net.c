/* /proc/sys/net: settings of the reader's network namespace (ip(7), tcp(7), ipv6(7)). What can be written
 * has an effect; what can't is how things are. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/namei.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/cred/cred.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/socket/inet/inet_ns.h"
#include "sentry/socket/socket.h"

#include <errno.h>

#define DIR     (LX_S_IFDIR | 0555)
#define FILE_RO (LX_S_IFREG | 0444)
#define FILE_RW (LX_S_IFREG | 0644)

enum { PORT_MAX = 65535, SECONDS_MAX = 32767, SYN_MAX = 127, TRIPLE = 3 };

/* reader_ns() - NULL: out of memory. */
static struct inet_ns *reader_ns(void)
{
    return current ? inet_ns_of(current->ns->net) : NULL;
}

int proc_sysctl_net_permission(const struct proc_node *n, const struct cred *cred, u32 may)
{
    const struct user_ns *owner = current->ns->net->user_ns;
    bool admin = cred_has_cap(cred, owner, LX_CAP_NET_ADMIN) || cred->euid == uid_to_kuid(owner, 0);
    u32 mode = admin ? n->entry->mode >> 6 : n->entry->mode;

    return may & ~mode & 07 ? -EACCES : 0;
}

/* --- one number --- */

static int show_number(struct proc_text *out, size_t offset)
{
    struct inet_ns *ns = reader_ns();
    const _Atomic(u32) *at;

    if (!ns)
        return -ENOMEM;
    at = (const _Atomic(u32) *)(const void *)((const char *)&ns->set + offset);
    proc_printf(out, "%u\n", *at);
    return 0;
}

static int store_number(const char *text, size_t offset, u32 min, u32 max)
{
    struct inet_ns *ns = reader_ns();
    u64 v;

    if (!ns)
        return -ENOMEM;
    if (proc_parse_numbers(text, &v, 1) < 0 || v < min || v > max)
        return -EINVAL;
    *(_Atomic(u32) *)(void *)((char *)&ns->set + offset) = (u32)v;
    return 0;
}

/* SETTING() - show and store a field of inet_settings. */
#define SETTING(field, min, max)                                                             \
    static int show_##field(const struct proc_node *n, struct proc_text *out)                \
    {                                                                                        \
        return show_number(out, offsetof(struct inet_settings, field));                      \
    }                                                                                        \
    static int store_##field(const struct proc_node *n, const struct cred *opener,           \
                             const char *text, size_t len)                                   \
    {                                                                                        \
        return store_number(text, offsetof(struct inet_settings, field), min, max);          \
    }

SETTING(somaxconn, 0, LIMIT_SOMAXCONN)
SETTING(nonlocal_bind, 0, 1)
SETTING(nonlocal_bind6, 0, 1)
SETTING(bindv6only, 0, 1)
SETTING(default_ttl, 1, 255)
SETTING(fin_timeout, 0, SECONDS_MAX)
SETTING(syn_retries, 1, SYN_MAX)
SETTING(keepalive_time, 1, SECONDS_MAX)
SETTING(keepalive_intvl, 1, SECONDS_MAX)
SETTING(keepalive_probes, 1, SYN_MAX)

/* --- ports --- */

static int show_port_range(const struct proc_node *n, struct proc_text *out)
{
    struct inet_ns *ns = reader_ns();
    u32 range = ns ? ns->set.port_range : 0;

    proc_printf(out, "%u\t%u\n", range & UINT16_MAX, range >> 16);
    return ns ? 0 : -ENOMEM;
}

static int store_port_range(const struct proc_node *n, const struct cred *opener, const char *text,
                            size_t len)
{
    struct inet_ns *ns = reader_ns();
    u64 v[2];

    if (!ns)
        return -ENOMEM;
    v[0] = ns->set.port_range & UINT16_MAX;
    v[1] = ns->set.port_range >> 16;
    if (proc_parse_numbers(text, v, 2) < 0 || v[0] < 1 || v[1] > PORT_MAX || v[1] < v[0] ||
        v[0] < ns->set.unprivileged_port)
        return -EINVAL;
    ns->set.port_range = (u32)(v[1] << 16 | v[0]);
    return 0;
}

static int show_unprivileged_port(const struct proc_node *n, struct proc_text *out)
{
    return show_number(out, offsetof(struct inet_settings, unprivileged_port));
}

static int store_unprivileged_port(const struct proc_node *n, const struct cred *opener,
                                   const char *text, size_t len)
{
    struct inet_ns *ns = reader_ns();

    if (!ns)
        return -ENOMEM;
    /* Ports that the kernel chooses are nobody's privilege. */
    return store_number(text, offsetof(struct inet_settings, unprivileged_port), 0,
                        ns->set.port_range & UINT16_MAX);
}

/* --- who may ping --- */

static int show_ping_groups(const struct proc_node *n, struct proc_text *out)
{
    struct inet_ns *ns = reader_ns();
    u64 range = ns ? ns->set.ping_groups : 0;
    const struct user_ns *user = current ? task_cred(current)->user_ns : NULL;

    if (!ns)
        return -ENOMEM;
    proc_printf(out, "%u\t%u\n", gid_from_kgid(user, (u32)range),
                gid_from_kgid(user, (u32)(range >> 32)));
    return 0;
}

static int store_ping_groups(const struct proc_node *n, const struct cred *opener, const char *text,
                             size_t len)
{
    struct inet_ns *ns = reader_ns();
    u64 v[2] = {0};
    u32 low, high;

    if (!ns)
        return -ENOMEM;
    if (proc_parse_numbers(text, v, 2) < 0 || v[0] > INT32_MAX || v[1] > INT32_MAX)
        return -EINVAL;
    low = gid_to_kgid(opener->user_ns, (u32)v[0]);
    high = gid_to_kgid(opener->user_ns, (u32)v[1]);
    if (low == ID_INVALID || high == ID_INVALID)
        return -EINVAL;
    ns->set.ping_groups = low <= high ? (u64)high << 32 | low : 1; /* from 1 to 0: nobody */
    return 0;
}

/* --- buffers --- */

static int show_triple(struct proc_text *out, const _Atomic(u32) *v)
{
    proc_printf(out, "%u\t%u\t%u\n", v[0], v[1], v[2]);
    return 0;
}

/* store_triple() - least, first, most; each at least 1, and the first within what setsockopt() may set. */
static int store_triple(const char *text, _Atomic(u32) *to)
{
    u64 v[TRIPLE] = {to[0], to[1], to[2]};

    if (proc_parse_numbers(text, v, TRIPLE) < 0)
        return -EINVAL;
    for (u32 i = 0; i < TRIPLE; i++) {
        if (v[i] < 1 || v[i] > INT32_MAX)
            return -EINVAL;
    }
    if (v[1] > 2 * LIMIT_SOCKET_BUFFER)
        return -EINVAL;
    for (u32 i = 0; i < TRIPLE; i++)
        to[i] = (u32)v[i];
    return 0;
}

static int show_rmem(const struct proc_node *n, struct proc_text *out)
{
    struct inet_ns *ns = reader_ns();

    return ns ? show_triple(out, ns->set.rmem) : -ENOMEM;
}

static int store_rmem(const struct proc_node *n, const struct cred *opener, const char *text,
                      size_t len)
{
    struct inet_ns *ns = reader_ns();

    return ns ? store_triple(text, ns->set.rmem) : -ENOMEM;
}

static int show_wmem(const struct proc_node *n, struct proc_text *out)
{
    struct inet_ns *ns = reader_ns();

    return ns ? show_triple(out, ns->set.wmem) : -ENOMEM;
}

static int store_wmem(const struct proc_node *n, const struct cred *opener, const char *text,
                      size_t len)
{
    struct inet_ns *ns = reader_ns();

    return ns ? store_triple(text, ns->set.wmem) : -ENOMEM;
}

/* --- IPv6 as a whole --- */

static int show_disable_ipv6(const struct proc_node *n, struct proc_text *out)
{
    return show_number(out, offsetof(struct inet_settings, disable_ipv6));
}

static int store_disable_ipv6(const struct proc_node *n, const struct cred *opener,
                              const char *text, size_t len)
{
    struct inet_ns *ns = reader_ns();
    u64 v;

    if (!ns)
        return -ENOMEM;
    if (proc_parse_numbers(text, &v, 1) < 0 || v > INT32_MAX)
        return -EINVAL;
    return inet_ns_disable_ipv6(ns, v != 0);
}

/* --- what is so --- */

#define FIXED(fn, text)                                             \
    static int fn(const struct proc_node *n, struct proc_text *out) \
    {                                                               \
        proc_puts(out, text "\n");                                  \
        return 0;                                                   \
    }

FIXED(show_0, "0")
FIXED(show_1, "1")
FIXED(show_congestions, "reno cubic")
FIXED(show_congestion, "cubic")

#define NUMBER(fn, value)                                           \
    static int fn(const struct proc_node *n, struct proc_text *out) \
    {                                                               \
        proc_printf(out, "%lu\n", (unsigned long)(value));          \
        return 0;                                                   \
    }

NUMBER(show_buffer, SOCKET_BUFFER_DEFAULT)
NUMBER(show_buffer_max, LIMIT_SOCKET_BUFFER)
NUMBER(show_control_max, LIMIT_SOCKET_CONTROL)
NUMBER(show_dgram_qlen, UNIX_MAX_QUEUE)

/* --- tables --- */

#define RW(file, fn)                                                                               \
    {                                                                                              \
        .name = file, .mode = FILE_RW, .flags = PROC_SYSCTL_NET, .show = show_##fn,                \
        .store = store_##fn                                                                        \
    }
#define RO(file, fn) {.name = file, .mode = FILE_RO, .flags = PROC_SYSCTL_NET, .show = fn}

static const struct proc_entry core_children[] = {
    RO("optmem_max", show_control_max),
    RO("rmem_default", show_buffer),
    RO("rmem_max", show_buffer_max),
    RW("somaxconn", somaxconn),
    RO("wmem_default", show_buffer),
    RO("wmem_max", show_buffer_max),
    {0},
};

static const struct proc_entry ipv4_children[] = {
    RW("ip_default_ttl", default_ttl),
    RO("ip_forward", show_0),
    RW("ip_local_port_range", port_range),
    RW("ip_nonlocal_bind", nonlocal_bind),
    RW("ip_unprivileged_port_start", unprivileged_port),
    RW("ping_group_range", ping_groups),
    RO("tcp_allowed_congestion_control", show_congestions),
    RO("tcp_available_congestion_control", show_congestions),
    RO("tcp_congestion_control", show_congestion),
    RW("tcp_fin_timeout", fin_timeout),
    RW("tcp_keepalive_intvl", keepalive_intvl),
    RW("tcp_keepalive_probes", keepalive_probes),
    RW("tcp_keepalive_time", keepalive_time),
    RW("tcp_rmem", rmem),
    RO("tcp_sack", show_1),
    RW("tcp_syn_retries", syn_retries),
    RO("tcp_timestamps", show_1),
    RO("tcp_window_scaling", show_1),
    RW("tcp_wmem", wmem),
    {0},
};

/* lo is the only interface: `all` and `default` are it. */
static const struct proc_entry conf6_children[] = {
    RW("disable_ipv6", disable_ipv6),
    RO("forwarding", show_0),
    {0},
};

static const struct proc_entry conf6_dirs[] = {
    {.name = "all", .mode = DIR, .children = conf6_children},
    {.name = "default", .mode = DIR, .children = conf6_children},
    {.name = "lo", .mode = DIR, .children = conf6_children},
    {0},
};

static const struct proc_entry ipv6_children[] = {
    RW("bindv6only", bindv6only),
    {.name = "conf", .mode = DIR, .children = conf6_dirs},
    RW("ip_nonlocal_bind", nonlocal_bind6),
    {0},
};

static const struct proc_entry unix_children[] = {
    RO("max_dgram_qlen", show_dgram_qlen),
    {0},
};

const struct proc_entry proc_sys_net_children[] = {
    {.name = "core", .mode = DIR, .children = core_children},
    {.name = "ipv4", .mode = DIR, .children = ipv4_children},
    {.name = "ipv6", .mode = DIR, .children = ipv6_children},
    {.name = "unix", .mode = DIR, .children = unix_children},
    {0},
};
