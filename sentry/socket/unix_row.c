/* Snapshots of a namespace's AF_UNIX sockets; see unix_row.h. */
#include "sentry/socket/unix_row.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/socket/unix_names.h"

#include <errno.h>
#include <stdlib.h>

ssize_t unix_socks(struct net_ns *net, struct unix_socket ***socks)
{
    struct unix_net *n = unix_net_of(net);
    struct unix_socket *u;
    u32 cap = 1, got = 0;

    *socks = NULL;
    if (!n)
        return -ENOMEM;
    mutex_lock(&n->lock);
    list_for_each(u, &n->sockets, in_net)
        cap++;
    *socks = calloc(cap, sizeof(struct unix_socket *));
    if (*socks) {
        list_for_each(u, &n->sockets, in_net) {
            if (obj_get_unless_zero(&u->s.obj))
                (*socks)[got++] = u;
        }
    }
    mutex_unlock(&n->lock);
    return *socks ? (ssize_t)got : -ENOMEM;
}

void unix_socks_put(struct unix_socket **socks, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++)
        unix_put(socks[i]);
    free(socks);
}

/* state_of() - in the words of TCP. */
static u8 state_of(const struct unix_socket *u)
{
    switch (u->state) {
    case UNIX_LISTENING:
        return LX_TCP_LISTEN;
    case UNIX_CONNECTED:
        return LX_TCP_ESTABLISHED;
    case UNIX_CLOSED:
        break;
    }
    return LX_TCP_CLOSE;
}

bool unix_row(struct unix_socket *u, struct unix_row *out)
{
    struct unix_row r = {.type = u->s.type, .uid = u->s.uid, .ino = u->s.ino, .addr = u->addr,
                         .cookie = u->s.obj.id, .wmem = u->wmem};
    bool dead;

    /* Linux counts one more for its own list of sockets; the caller's is not told. */
    r.refs = atomic_load(&u->s.obj.count);
    unix_path_id(u, &r.path_ino, &r.path_dev);
    mutex_lock(&u->s.lock);
    dead = u->dead;
    r.state = state_of(u);
    r.shutdown = (u8)u->shutdown;
    r.peer = u->peer ? u->peer->s.ino : 0;
    r.sndbuf = u->s.opt.sndbuf;
    r.rcvbuf = u->s.opt.rcvbuf;
    r.received = (u32)unix_queued_locked(u);
    r.sent = r.wmem;
    if (r.state == LX_TCP_LISTEN) {
        r.received = u->nembryos;
        r.sent = u->backlog;
    }
    mutex_unlock(&u->s.lock);
    *out = r;
    return !dead;
}

/* client_of() - who waits for an embryo to be accepted; 0: it has gone again. */
static u64 client_of(struct unix_socket *embryo)
{
    u64 ino;

    mutex_lock(&embryo->s.lock);
    ino = embryo->peer ? embryo->peer->s.ino : 0;
    mutex_unlock(&embryo->s.lock);
    return ino;
}

ssize_t unix_waiting(struct unix_socket *u, u32 **inos)
{
    struct unix_socket **embryos;
    ssize_t n = unix_embryos(u, &embryos);

    *inos = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(u32));
    for (ssize_t i = 0; *inos && i < n; i++)
        (*inos)[i] = (u32)client_of(embryos[i]);
    unix_socks_put(embryos, n);
    return *inos ? n : -ENOMEM;
}
