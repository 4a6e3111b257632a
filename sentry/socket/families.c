/* The table of families, and socket(2) without the descriptor. */
#include "sentry/socket/families.h"

#include "sentry/socket/inet/inet.h"
#include "sentry/socket/netlink/netlink.h"

#include <errno.h>

const struct socket_family *const socket_families[] = {
    &unix_family,
    &inet_family,
    &inet6_family,
    &netlink_family,
    NULL,
};

const struct socket_family *socket_family(int family)
{
    for (u32 i = 0; socket_families[i]; i++)
        if (socket_families[i]->family == family)
            return socket_families[i];
    return NULL;
}

int socket_create(struct net_ns *net, int family, int type, int protocol, struct socket **out)
{
    const struct socket_family *f;

    if (family < 0 || family >= LX_AF_MAX)
        return -EAFNOSUPPORT;
    if (type < 0 || type > LX_SOCK_PACKET)
        return -EINVAL;
    f = socket_family(family);
    return f ? f->create(net, (u16)type, protocol, out) : -EAFNOSUPPORT;
}
