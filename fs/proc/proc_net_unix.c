/* /proc/PID/net/unix: the AF_UNIX sockets of the process's namespace. */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/socket/unix_row.h"

enum { ACCEPTCON = 1 << 16 };                                   /* SO_ACCEPTCON */
enum { UNCONNECTED = 1, CONNECTED = 3, ALONE = 0, WAITING = 2 }; /* SS_*; without a file: the latter */

static u32 state_of(const struct unix_row *r)
{
    bool connected = r->state == LX_TCP_ESTABLISHED;

    if (!r->ino)
        return connected ? WAITING : ALONE;
    return connected ? CONNECTED : UNCONNECTED;
}

/* put_name() - a path; of an abstract name each NUL is an '@'. */
static void put_name(struct proc_text *out, const struct unix_addr *a)
{
    u32 len = a->len - (u32)sizeof(a->un.family);
    bool abstract = !a->un.path[0];

    proc_puts(out, " ");
    for (u32 i = 0; i < (abstract ? len : len - 1); i++)
        proc_put_bytes(out, a->un.path[i] ? &a->un.path[i] : "@", 1);
}

static void put_row(struct proc_text *out, const struct unix_row *r)
{
    proc_printf(out, "%016llx: %08X %08X %08X %04X %02X %5llu", (unsigned long long)r->cookie,
                r->refs, 0, r->state == LX_TCP_LISTEN ? ACCEPTCON : 0, r->type, state_of(r),
                (unsigned long long)r->ino);
    if (r->addr)
        put_name(out, r->addr);
    proc_puts(out, "\n");
}

int proc_show_net_unix(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct unix_socket **socks;
    ssize_t count;

    proc_puts(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    if (!net)
        return 0;
    count = unix_socks(net, &socks);
    for (ssize_t i = 0; i < count; i++) {
        struct unix_row r;

        if (unix_row(socks[i], &r))
            put_row(out, &r);
    }
    unix_socks_put(socks, count);
    return count < 0 ? (int)count : 0;
}
