/*
 * Connections: listen, connect, accept. connect() makes the socket that accept() will return and
 * connects to it; the connection stands, and takes data, before anybody accepts it. An unaccepted
 * socket has no file: its listener holds it, and kills it when it dies itself.
 */
#include "sentry/base/limits.h"
#include "sentry/socket/inet/inet_ns.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>
#include <stdlib.h>

/* What a connection has from its listener. */
static const u32 inherited = SOCKET_PASSCRED | SOCKET_PASSSEC | SOCKET_REFUSE_RIGHTS;

int unix_listen(struct socket *s, int backlog)
{
    struct unix_socket *u = unix_of(s);
    const struct inet_ns *ns = inet_ns_of(s->net); /* somaxconn is all families' */
    u32 most = ns ? ns->set.somaxconn : LIMIT_SOMAXCONN;
    int err = -EINVAL;

    if (!u->addr)
        return -EINVAL;
    mutex_lock(&s->lock);
    if (u->state == UNIX_CLOSED || u->state == UNIX_LISTENING) {
        u->backlog = min_of((u32)backlog, most);
        u->state = UNIX_LISTENING;
        __atomic_fetch_or(&s->opt.flags, (u32)SOCKET_ACCEPTCONN, __ATOMIC_RELAXED);
        unix_set_peer_ids(u);
        err = 0;
    }
    mutex_unlock(&s->lock);
    if (!err)
        waitq_wake_all(&u->room, LX_POLLOUT);
    return err;
}

/* --- connect --- */

/* may_join_locked() - may one more connect to `to`? Return: 0, -EAGAIN (it is full), -ECONNREFUSED. */
static int may_join_locked(const struct unix_socket *to)
{
    if (to->dead || to->state != UNIX_LISTENING || (to->shutdown & UNIX_NO_RECV))
        return -ECONNREFUSED;
    return to->nembryos > to->backlog ? -EAGAIN : 0;
}

static bool full(struct unix_socket *to)
{
    int err;

    mutex_lock(&to->s.lock);
    err = may_join_locked(to);
    mutex_unlock(&to->s.lock);
    return err == -EAGAIN;
}

/* join_locked() - u and the fresh socket e, of to, are connected. All checks are done. */
static void join_locked(struct unix_socket *u, struct unix_socket *to, struct unix_socket *e)
{
    struct unix_addr *name = to->addr;

    if (name) {
        atomic_fetch_add(&name->refs, 1);
        e->addr = name;
    }
    e->s.opt.flags |= to->s.opt.flags & inherited;
    unix_set_peer_ids(e);
    unix_copy_peer_ids(u, to);
    e->peer = unix_get(u);
    u->peer = unix_get(e);
    e->state = u->state = UNIX_CONNECTED;
    list_add_tail(&to->embryos, &e->in_embryos);
    to->nembryos++;
}

/* try_join() - Return: 0, -EAGAIN, -ECONNREFUSED, -EISCONN, -EINVAL (it listens itself). */
static int try_join(struct unix_socket *u, struct unix_socket *to, struct unix_socket *e)
{
    int err;

    mutex_lock_two(&u->s.lock, &to->s.lock);
    err = may_join_locked(to);
    if (!err && u->state == UNIX_CONNECTED)
        err = -EISCONN;
    else if (!err && u->state != UNIX_CLOSED)
        err = -EINVAL;
    if (!err)
        join_locked(u, to, e);
    mutex_unlock_two(&u->s.lock, &to->s.lock);
    return err;
}

/* join() - find who is called `addr` and connect to it, waiting while it is full. The wait gives up at
 * `deadline`. Return: 0 with e in its queue, or errno. */
static int join(struct unix_socket *u, const struct socket_addr *addr, bool nonblock,
                struct unix_socket *e)
{
    u64 deadline = socket_deadline(&u->s, true);
    struct unix_socket *to;
    int err;

    for (;;) {
        err = unix_find(u, addr, &to);
        if (err)
            return err;
        err = try_join(u, to, e);
        if (err == 0)
            unix_wake_readers(to);
        if (err != -EAGAIN || nonblock) {
            unix_put(to);
            return err;
        }
        err = socket_wait_result(wait_event(&to->room, LX_POLLOUT, deadline, !full(to)), deadline);
        unix_put(to);
        if (err < 0)
            return err;
    }
}

int unix_stream_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    struct unix_socket *u = unix_of(s), *e;
    int err = unix_check_addr(addr);

    if (!err && socket_flag(s, SOCKET_PASSCRED))
        err = unix_autobind(u);
    if (err)
        return err;
    e = unix_new(s->net, s->type);
    if (!e)
        return -ENOMEM;
    err = join(u, addr, nonblock, e);
    if (err)
        unix_put(e);
    return err;
}

/* --- accept --- */

/* take_embryo() - Return: 0 and a connection (the listener's reference); -EAGAIN: none yet; -EINVAL. */
static int take_embryo(struct unix_socket *u, struct unix_socket **out)
{
    struct unix_socket *e;
    int err = 0;

    mutex_lock(&u->s.lock);
    e = list_first(&u->embryos, struct unix_socket, in_embryos);
    if (u->state != UNIX_LISTENING)
        err = -EINVAL;
    else if (!e)
        err = u->shutdown & UNIX_NO_RECV ? -EINVAL : -EAGAIN;
    if (!err) {
        list_del(&e->in_embryos);
        u->nembryos--;
        *out = e;
    }
    mutex_unlock(&u->s.lock);
    return err;
}

int unix_accept(struct socket *s, bool nonblock, struct socket **out)
{
    struct unix_socket *u = unix_of(s), *e;
    int err = take_embryo(u, &e), rc;

    if (err == -EAGAIN && !nonblock) {
        u64 deadline = socket_deadline(s, false);

        rc =
            socket_wait(s, LX_POLLIN | LX_POLLHUP, deadline, (err = take_embryo(u, &e)) != -EAGAIN);
        if (rc < 0)
            return rc;
    }
    if (err)
        return err;
    waitq_wake_all(&u->room, LX_POLLOUT);
    *out = &e->s;
    return 0;
}

ssize_t unix_embryos(struct unix_socket *u, struct unix_socket ***out)
{
    struct unix_socket *e;
    ssize_t n = 0;

    *out = NULL;
    mutex_lock(&u->s.lock);
    if (u->nembryos)
        *out = calloc(u->nembryos, sizeof(**out));
    if (*out) {
        list_for_each(e, &u->embryos, in_embryos)
            (*out)[n++] = unix_get(e);
    } else if (u->nembryos) {
        n = -ENOMEM;
    }
    mutex_unlock(&u->s.lock);
    return n;
}
