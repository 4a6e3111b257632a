/*
 * Feeds requests to netlink sockets, for routes or for sock_diag as the first byte says, and takes the
 * answers apart: each message is whole and lies within its datagram.
 */
#include "net_task.h"

#include "sentry/abi/lx_netlink.h"
#include "sentry/abi/lx_socket.h"
#include "sentry/mm/usermem.h"
#include "sentry/socket/socket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const u8 *answer, size_t len)
{
    while (len) {
        struct lx_nlmsghdr h;
        size_t step;

        assert(len >= sizeof(h));
        memcpy(&h, answer, sizeof(h));
        assert(h.len >= sizeof(h) && h.len <= len);
        step = (h.len + 3) & ~3u;
        step = step < len ? step : len;
        answer += step;
        len -= step;
    }
}

static void drain(struct socket *s)
{
    static u8 buf[65536];
    ssize_t n;

    do {
        struct uio uio;
        struct uio_vec vec;
        struct socket_msg m = {.data = &uio, .flags = LX_MSG_DONTWAIT};

        uio_kernel(&uio, &vec, buf, sizeof(buf));
        n = s->ops->recvmsg(s, &m);
        if (n > 0)
            check(buf, (size_t)n);
    } while (n >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_ns *net = net_task();
    struct socket *s, *others[3];
    struct uio uio;
    struct uio_vec vec;
    struct socket_msg m = {.data = &uio};
    u8 *copy;
    int on = 1;

    if (!size || size > 32768)
        return 0;
    assert(socket_create(net, LX_AF_NETLINK, LX_SOCK_RAW,
                         data[0] & 1 ? LX_NETLINK_SOCK_DIAG : LX_NETLINK_ROUTE, &s) == 0);
    assert(socket_create(net, LX_AF_INET6, LX_SOCK_STREAM, 0, &others[0]) == 0);
    assert(socket_create(net, LX_AF_INET, LX_SOCK_DGRAM, 0, &others[1]) == 0);
    assert(socket_create(net, LX_AF_UNIX, LX_SOCK_STREAM, 0, &others[2]) == 0);
    assert(others[0]->ops->listen(others[0], 1) == 0);
    others[2]->ino = 7; /* as if it had a file */
    if (data[0] & 2)
        s->ops->setsockopt(s, LX_SOL_NETLINK, LX_NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    if (data[0] & 4)
        s->ops->setsockopt(s, LX_SOL_NETLINK, LX_NETLINK_CAP_ACK, &on, sizeof(on));
    copy = malloc(size); /* never empty */
    assert(copy);
    memcpy(copy, data + 1, size - 1);
    uio_kernel(&uio, &vec, copy, size - 1);
    s->ops->sendmsg(s, &m);
    drain(s);
    free(copy);
    socket_put(s);
    for (int i = 0; i < 3; i++)
        socket_put(others[i]);
    return 0;
}
