/*
 * Feeds control data to cmsg_next(), whose steps stay within it and end, and to the sockets that read it:
 * UDP over both IPs, and AF_UNIX, as the first byte says.
 */
#include "net_task.h"

#include "sentry/abi/lx_socket.h"
#include "sentry/mm/usermem.h"
#include "sentry/socket/families.h"
#include "sentry/socket/socket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct socket_control *c)
{
    struct cmsg m;
    u32 at = 0, before = 0;

    while (cmsg_next(c, &at, &m) > 0) {
        assert(at > before && at <= c->len);
        assert(m.data >= c->data && m.len <= c->len);
        assert((size_t)(m.data - c->data) + m.len <= c->len);
        before = at;
    }
}

/* send_it() - one byte with this control data, over loopback or to a peer. */
static void send_it(struct socket *s, struct socket_control *c, const struct socket_addr *to)
{
    char byte = 'x';
    struct uio uio;
    struct uio_vec vec;
    struct socket_msg m = {.data = &uio, .flags = LX_MSG_DONTWAIT, .control = *c};

    if (to)
        m.name = *to;
    uio_kernel(&uio, &vec, &byte, 1);
    s->ops->sendmsg(s, &m);
}

static void over_udp(struct net_ns *net, struct socket_control *c, bool six)
{
    struct socket_addr to = {.len = six ? sizeof(to.in6) : sizeof(to.in)};
    struct socket *s;

    to.family = six ? LX_AF_INET6 : LX_AF_INET;
    assert(socket_create(net, to.family, LX_SOCK_DGRAM, 0, &s) == 0);
    assert(s->ops->bind(s, &to) == 0);
    assert(s->ops->getname(s, false, &to) == 0);
    send_it(s, c, &to);
    socket_put(s);
}

static void over_unix(struct net_ns *net, struct socket_control *c)
{
    struct socket *a, *b;

    assert(socket_create(net, LX_AF_UNIX, LX_SOCK_STREAM, 0, &a) == 0);
    assert(socket_create(net, LX_AF_UNIX, LX_SOCK_STREAM, 0, &b) == 0);
    assert(unix_family.pair(a, b) == 0);
    send_it(a, c, NULL);
    a->ops->release(a, true);
    b->ops->release(b, true);
    socket_put(a);
    socket_put(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_ns *net = net_task();
    struct socket_control c = {0};

    if (!size || size > 20480)
        return 0;
    c.len = (u32)size - 1;
    c.data = malloc(c.len + !c.len); /* of exactly its size, so that a step beside it is seen */
    assert(c.data);
    memcpy(c.data, data + 1, c.len);
    walk(&c);
    switch (data[0] % 3) {
    case 0:
        over_udp(net, &c, false);
        break;
    case 1:
        over_udp(net, &c, true);
        break;
    default:
        over_unix(net, &c);
        break;
    }
    free(c.data);
    return 0;
}
