/* --strace: addresses of sockets. */
#include "sentry/abi/lx_socket.h"
#include "sentry/mm/usermem.h"
#include "sentry/socket/socket.h"
#include "sentry/syscalls/strace_priv.h"

#include <arpa/inet.h>

/* put_unix() - a path, "@name" if it is abstract, nothing if it has none. */
static void put_unix(struct strace_line *l, const struct lx_sockaddr_un *un, u64 len)
{
    bool abstract = len && !un->path[0];
    u64 n = 0;

    while (n < len && (abstract || un->path[n]))
        n++;
    strace_put(l, "AF_UNIX, path=%s", abstract ? "@" : "");
    strace_put_bytes(l, (const u8 *)un->path + abstract, n - abstract, false);
}

static void put_inet(struct strace_line *l, const struct lx_sockaddr_in *in)
{
    const u8 *b = (const u8 *)&in->addr;

    strace_put(l, "AF_INET, port=%u, addr=%u.%u.%u.%u", ntohs(in->port), b[0], b[1], b[2], b[3]);
}

static void put_inet6(struct strace_line *l, const struct lx_sockaddr_in6 *in)
{
    strace_put(l, "AF_INET6, port=%u, addr=", ntohs(in->port));
    for (u32 i = 0; i < sizeof(in->addr); i += 2)
        strace_put(l, "%s%x", i ? ":" : "", (u32)in->addr[i] << 8 | in->addr[i + 1]);
    strace_put(l, ", scope=%u", in->scope_id);
}

void strace_put_sockaddr(struct strace_line *l, struct mm *mm, uaddr_t at, u64 len)
{
    struct socket_addr a = {0};

    if (len > sizeof(a.bytes) || len < sizeof(a.family) || usermem_in(mm, a.bytes, at, len) < 0)
        return;
    strace_put(l, " {");
    if (a.family == LX_AF_UNIX)
        put_unix(l, &a.un, len - sizeof(a.family));
    else if (a.family == LX_AF_INET && len >= sizeof(a.in))
        put_inet(l, &a.in);
    else if (a.family == LX_AF_INET6 && len >= sizeof(a.in6))
        put_inet6(l, &a.in6);
    else if (a.family == LX_AF_NETLINK && len >= sizeof(a.nl))
        strace_put(l, "AF_NETLINK, pid=%u, groups=%#x", a.nl.pid, a.nl.groups);
    else
        strace_put(l, "family=%u", a.family);
    strace_put(l, "}");
}
