/* NETLINK_SOCK_DIAG (sock_diag(7)): who of the families knows about its sockets. */
#include "sentry/socket/netlink/nl_diag.h"

#include "sentry/abi/lx_socket.h"

#include <errno.h>

int nl_diag(struct nl_answer *a, const void *body, u32 len)
{
    u8 family = len ? *(const u8 *)body : 0;

    switch (a->request->type) {
    case LX_SOCK_DIAG_BY_FAMILY:
        break;
    case LX_TCPDIAG_GETSOCK:
        return nl_diag_tcp(a, body, len);
    case LX_DCCPDIAG_GETSOCK:
        return -ENOENT;
    case LX_SOCK_DESTROY:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
    if (len < 2 || family >= LX_AF_MAX)
        return -EINVAL;
    switch (family) {
    case LX_AF_INET:
    case LX_AF_INET6:
        return nl_diag_inet(a, body, len);
    case LX_AF_UNIX:
        return nl_diag_unix(a, body, len);
    default:
        return -ENOENT;
    }
}
