/*
 * Messages of AF_UNIX, and who pays for them: the sender, against its SO_SNDBUF, until the receiver is
 * done with them. The price is what Linux's buffers would take, so that as many writes fit as there.
 */
#include "fs/vfs/vfs.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/pid.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>
#include <stdlib.h>

/* Sizes of Linux's buffers: header and tail beside the data, what fits in one page, in four. */
enum { BUF_HEAD = 256, BUF_TAIL = 320, ONE_PAGE = 4096 - BUF_TAIL, FOUR_PAGES = 16384 - BUF_TAIL };
enum { FRAGMENTS = 17 * 4096 };

static _Atomic(u64) total;

static u32 power_of_two(u32 n)
{
    return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static u32 charge(u32 linear, u32 paged)
{
    return BUF_HEAD + power_of_two(linear + BUF_TAIL) + (u32)page_up(paged);
}

u32 unix_stream_charge(u32 n)
{
    u32 paged = n > ONE_PAGE ? min_of((u32)page_up(n - ONE_PAGE), n) : 0;

    return charge(n - paged, paged);
}

u32 unix_dgram_charge(u32 n)
{
    u32 paged = n > FOUR_PAGES ? (u32)page_up(min_of(n - FOUR_PAGES, (u32)FRAGMENTS)) : 0;

    return charge(n - paged, paged);
}

bool unix_writable(const struct unix_socket *u)
{
    return u->state != UNIX_LISTENING && u->wmem <= u->s.opt.sndbuf / 4;
}

/* may_send() - what a send has to wait for, is. Return: 1 go on, 0 wait, errno. */
static int may_send(struct unix_socket *u)
{
    int err = socket_error(&u->s);
    u32 shut;

    if (err)
        return err;
    mutex_lock(&u->s.lock);
    shut = u->shutdown;
    mutex_unlock(&u->s.lock);
    if (shut & UNIX_NO_SEND)
        return -EPIPE;
    return u->wmem < u->s.opt.sndbuf;
}

s64 unix_reserve(struct unix_socket *u, u32 len, bool nonblock)
{
    u32 cost = u->s.type == LX_SOCK_STREAM ? unix_stream_charge(len) : unix_dgram_charge(len);
    int ok = may_send(u);

    if (!ok) {
        u64 deadline = socket_deadline(&u->s, true);
        int rc;

        if (nonblock)
            return -EAGAIN;
        rc = socket_wait(&u->s, LX_POLLOUT | LX_POLLERR | LX_POLLHUP, deadline,
                         (ok = may_send(u)) != 0);
        if (rc < 0)
            return rc;
    }
    if (ok < 0)
        return ok;
    if (atomic_fetch_add(&total, cost) > LIMIT_UNIX_BYTES) {
        atomic_fetch_sub(&total, cost);
        return -ENOBUFS;
    }
    atomic_fetch_add(&u->wmem, cost);
    return cost;
}

void unix_unreserve(struct unix_socket *u, u32 cost)
{
    atomic_fetch_sub(&total, cost);
    atomic_fetch_sub(&u->wmem, cost);
    if (unix_writable(u))
        waitq_wake(&u->s.queue, LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND);
}

struct unix_msg *unix_msg_new(struct unix_socket *from, u32 len, u32 cost)
{
    struct unix_msg *m = malloc(sizeof(*m) + len);

    if (!m)
        return NULL;
    *m = (struct unix_msg){.len = len, .charge = cost, .ids = {NULL, ID_INVALID, ID_INVALID}};
    list_init(&m->node);
    atomic_init(&m->refs, 1);
    m->from = unix_get(from);
    return m;
}

/* free_msg() - but for its rights. */
static void free_msg(struct unix_msg *m)
{
    unix_unreserve(m->from, m->charge);
    unix_put(m->from);
    unix_ids_put(&m->ids);
    free(m);
}

void unix_msg_put(struct unix_msg *m)
{
    if (atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    unix_rights_put(m->rights);
    free_msg(m);
}

void unix_queue_locked(struct unix_socket *to, struct unix_msg *m)
{
    list_add_tail(&to->queue, &m->node);
    to->qlen++;
    to->qbytes += m->len - m->off;
}

void unix_unqueue_locked(struct unix_socket *u, struct unix_msg *m)
{
    list_del(&m->node);
    u->qlen--;
    u->qbytes -= m->len - m->off;
    if (u->urgent == m)
        u->urgent = NULL;
}

/* drop_file() - put a file that was in flight. If it was the last reference to a socket, that
 * socket's own messages go to `junk` first, so that chains of sockets are taken apart in a loop. */
static void drop_file(struct file *f, struct list_node *junk)
{
    struct socket *s;

    if (!obj_drop_(&f->obj))
        return;
    s = socket_of(f);
    if (s && s->family == LX_AF_UNIX)
        unix_kill(unix_of(s), junk);
    f->obj.type->free(&f->obj);
}

/* drop_rights() - Return: were there sockets among them? */
static bool drop_rights(struct unix_rights *r, struct list_node *junk)
{
    bool sockets = r->nsockets;

    unix_gc_in(r);
    for (u32 i = 0; i < r->n; i++)
        drop_file(r->files[i], junk);
    free(r);
    return sockets;
}

/* junk_all() - Return: were there sockets in flight? */
static bool junk_all(struct list_node *junk)
{
    bool sockets = false;

    while (!list_empty(junk)) {
        struct unix_msg *m = list_first(junk, struct unix_msg, node);
        struct unix_rights *r = m->rights;

        list_del(&m->node);
        if (r && atomic_load(&m->refs) == 1) {
            m->rights = NULL;
            sockets |= drop_rights(r, junk);
        }
        unix_msg_put(m);
    }
    return sockets;
}

void unix_junk(struct list_node *junk)
{
    if (junk_all(junk))
        unix_gc_run(NULL);
}

void unix_rights_put(struct unix_rights *r)
{
    struct list_node junk = LIST_INIT(junk);
    bool sockets;

    if (!r)
        return;
    sockets = drop_rights(r, &junk);
    if (junk_all(&junk) || sockets)
        unix_gc_run(NULL);
}
