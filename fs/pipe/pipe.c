/*
 * Pipes: reading, writing, readiness.
 *
 * Guest memory is never copied under the pipe's lock. A writer looks whether there is room, copies
 * into a buffer of its own, and puts that in; a reader takes buffers out, copies, and puts back in
 * front what a fault left over. So several of each work at once, a write of at most PIPE_BUF bytes
 * goes in whole or not at all, and a task whose copy stalls holds up nobody else.
 */
#include "fs/pipe/pipe_priv.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 4096 };

struct pipe *pipe_alloc(const struct cred *cred)
{
    struct pipe *p = calloc(1, sizeof(*p));
    bool rich;

    if (!p)
        return NULL;
    p->max_pages = PIPE_DEFAULT_PAGES;
    p->user = user_pages_get(cred->uid, PIPE_DEFAULT_PAGES);
    if (!p->user) {
        free(p);
        return NULL;
    }
    rich = cred_capable(cred, LX_CAP_SYS_RESOURCE) || cred_capable(cred, LX_CAP_SYS_ADMIN);
    if (!rich && user_pages_change(p->user, 0) > LIMIT_PIPE_PAGES_USER) {
        user_pages_change(p->user, (s64)PIPE_POOR_PAGES - PIPE_DEFAULT_PAGES);
        p->max_pages = PIPE_POOR_PAGES;
    }
    mutex_init(&p->lock, LOCK_PIPE);
    list_init(&p->bufs);
    waitq_init(&p->wait);
    return p;
}

void pipe_free(struct pipe *p)
{
    buf_free_list(&p->bufs);
    for (u32 i = 0; i < PIPE_SPARES; i++)
        free(p->spare[i]);
    user_pages_put(p->user, p->max_pages);
    waitq_destroy(&p->wait);
    mutex_destroy(&p->lock);
    free(p);
}

void pipe_end_in_locked(struct pipe *p, const struct file *f)
{
    if (file_readable(f)) {
        p->readers++;
        p->reads++;
    }
    if (file_writable(f)) {
        p->writers++;
        p->writes++;
    }
}

void pipe_end_out_locked(struct pipe *p, const struct file *f)
{
    p->readers -= file_readable(f);
    p->writers -= file_writable(f);
}

/* --- reading --- */

enum content { PIPE_NOTHING, PIPE_DATA, PIPE_END };

static enum content content(struct pipe *p)
{
    enum content c = PIPE_DATA;

    mutex_lock(&p->lock);
    if (list_empty(&p->bufs))
        c = p->writers ? PIPE_NOTHING : PIPE_END;
    mutex_unlock(&p->lock);
    return c;
}

/* put_back() - bytes that a fault kept from being read. */
static void put_back(struct pipe *p, const u8 *bytes, size_t n)
{
    struct pipe_buf *b = buf_new((u32)n);

    if (!b)
        return;
    memcpy(b->data, bytes, n);
    b->len = (u32)n;
    mutex_lock(&p->lock);
    buf_return_locked(p, b);
    mutex_unlock(&p->lock);
    waitq_wake(&p->wait, LX_POLLIN | LX_POLLRDNORM);
}

/* read_small() - up to n bytes through `tmp`. Return: bytes, 0: nothing there, -EFAULT. */
static ssize_t read_small(struct pipe *p, struct uio *to, u8 *tmp, size_t n)
{
    struct list_node dead = LIST_INIT(dead);
    ssize_t out;
    size_t got;

    mutex_lock(&p->lock);
    got = buf_gather_locked(p, tmp, n, &dead);
    mutex_unlock(&p->lock);
    buf_free_list(&dead);
    if (!got)
        return 0;
    out = uio_to(to, tmp, got);
    if (out < (ssize_t)got)
        put_back(p, tmp + max_of(out, (ssize_t)0), got - (size_t)max_of(out, (ssize_t)0));
    return out;
}

/* read_whole() - the first stretch, out of the pipe and into guest memory without a copy between.
 * Return: bytes, -EFAULT. */
static ssize_t read_whole(struct pipe *p, struct uio *to, struct pipe_buf *b)
{
    ssize_t out = uio_to(to, b->data + b->off, b->len);
    bool kept = false;

    mutex_lock(&p->lock);
    if (out < (ssize_t)b->len) {
        u32 done = (u32)max_of(out, (ssize_t)0);

        b->off += done;
        b->len -= done;
        buf_return_locked(p, b);
        kept = true;
    } else {
        kept = buf_keep_locked(p, b);
    }
    mutex_unlock(&p->lock);
    if (!kept)
        free(b);
    return out;
}

/* read_some() - Return: bytes, 0: nothing there, -EFAULT. */
static ssize_t read_some(struct pipe *p, struct uio *to, u8 *tmp)
{
    struct pipe_buf *b = NULL;
    u64 first;

    mutex_lock(&p->lock);
    first = list_empty(&p->bufs) ? 0 : list_entry(p->bufs.next, struct pipe_buf, node)->len;
    if (first > SMALL && first <= to->left)
        b = buf_take_locked(p);
    mutex_unlock(&p->lock);
    return b ? read_whole(p, to, b) : read_small(p, to, tmp, min_of(to->left, (u64)SMALL));
}

static ssize_t pipe_read(struct file *f, struct uio *to, s64 *pos)
{
    struct pipe *p = pipe_of(f);
    bool packet = f->flags & LX_O_DIRECT;
    u8 tmp[SMALL] NO_AUTO_INIT;
    ssize_t done = 0, n;

    while (to->left) {
        n = read_some(p, to, tmp);
        if (n > 0) {
            done += n;
            waitq_wake(&p->wait, LX_POLLOUT | LX_POLLWRNORM);
            if (packet)
                break;
            continue;
        }
        if (n < 0)
            return done ? done : n;
        if (done)
            break;
        switch (content(p)) {
        case PIPE_END: return 0;
        case PIPE_DATA: continue; /* it came meanwhile */
        case PIPE_NOTHING: break;
        }
        if (f->flags & LX_O_NONBLOCK)
            return -EAGAIN;
        n = wait_event(&p->wait, LX_POLLIN | LX_POLLHUP, DEADLINE_NEVER,
                       content(p) != PIPE_NOTHING);
        if (n)
            return n;
    }
    return done;
}

/* --- writing --- */

/* room_for() - room for a write of `want` bytes, or -EPIPE. *spare: a buffer to use, or NULL. */
static s64 room_for(struct pipe *p, u64 want, bool packet, struct pipe_buf **spare)
{
    s64 room;

    mutex_lock(&p->lock);
    room = p->readers ? (s64)buf_room_locked(p, want, packet) : -EPIPE;
    if (room > 0 && spare)
        *spare = buf_get_locked(p, (u32)min_of(room, (s64)PIPE_PIECE));
    mutex_unlock(&p->lock);
    return room;
}

/* wait_room() - until a write of `want` bytes can go on. Return: 0, -EAGAIN, -ERESTARTSYS. */
static int wait_room(struct file *f, struct pipe *p, u64 want, bool packet)
{
    if (f->flags & LX_O_NONBLOCK)
        return -EAGAIN;
    return wait_event(&p->wait, LX_POLLOUT | LX_POLLERR, DEADLINE_NEVER,
                      room_for(p, want, packet, NULL) != 0);
}

/* put_in() - all of b, waiting where others took the room. Return: bytes, less than b had only with
 * an error in *err. */
static ssize_t put_in(struct file *f, struct pipe *p, struct pipe_buf *b, bool atomic, int *err)
{
    u32 len = b->len;
    bool packet = b->packet;

    *err = 0;
    while (b && !*err) {
        u32 was = b->len;

        mutex_lock(&p->lock);
        if (p->readers)
            buf_append_locked(p, &b, atomic);
        else
            *err = -EPIPE;
        mutex_unlock(&p->lock);
        if (!b || b->len < was)
            waitq_wake(&p->wait, LX_POLLIN | LX_POLLRDNORM);
        if (b && !*err)
            *err = wait_room(f, p, b->len, packet);
    }
    if (b)
        len -= b->len;
    free(b);
    return (ssize_t)len;
}

/* write_some() - one piece. Return: bytes; 0 and *err: none. */
static ssize_t write_some(struct file *f, struct pipe *p, struct uio *from, bool atomic, int *err)
{
    bool packet = f->flags & LX_O_DIRECT;
    struct pipe_buf *b = NULL;
    s64 room = room_for(p, from->left, packet, &b);
    u32 n;
    ssize_t in;

    *err = room < 0 ? (int)room : 0;
    if (room == 0)
        *err = wait_room(f, p, from->left, packet);
    if (room <= 0)
        return 0;
    n = (u32)min_of(room, (s64)PIPE_PIECE);
    if (!b)
        b = buf_new(n);
    if (!b) {
        *err = -ENOMEM;
        return 0;
    }
    in = uio_from(from, b->data, n);
    /* A fault in an atomic write: none of it. */
    if (in <= 0 || (in < (ssize_t)n && atomic)) {
        free(b);
        *err = in < 0 ? (int)in : -EFAULT;
        return 0;
    }
    b->len = (u32)in;
    b->packet = packet;
    return put_in(f, p, b, atomic || packet, err);
}

static ssize_t pipe_write(struct file *f, struct uio *from, s64 *pos)
{
    struct pipe *p = pipe_of(f);
    bool atomic = from->left <= LX_PIPE_BUF;
    ssize_t done = 0;
    int err = 0;

    while (from->left && !err) {
        ssize_t n = write_some(f, p, from, atomic, &err);

        done += n;
    }
    return done ? done : err;
}

/* --- the rest --- */

static u32 pipe_poll(struct file *f)
{
    struct pipe *p = pipe_of(f);
    u32 events = 0;

    mutex_lock(&p->lock);
    if (file_readable(f)) {
        if (p->bytes)
            events |= LX_POLLIN | LX_POLLRDNORM;
        /* f->pos: how many writers had come when a FIFO was opened without one. */
        if (!p->writers && f->pos != (s64)p->writes + 1)
            events |= LX_POLLHUP;
    }
    if (file_writable(f)) {
        if (p->pages < p->max_pages)
            events |= LX_POLLOUT | LX_POLLWRNORM;
        if (!p->readers)
            events |= LX_POLLERR;
    }
    mutex_unlock(&p->lock);
    return events;
}

static struct waitq *pipe_queue(struct file *f)
{
    return &pipe_of(f)->wait;
}

static s64 pipe_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct pipe *p = pipe_of(f);
    s32 n;

    if (cmd != LX_FIONREAD)
        return -ENOTTY;
    mutex_lock(&p->lock);
    n = (s32)p->bytes;
    mutex_unlock(&p->lock);
    return usermem_put(mm, arg, &n);
}

static void pipe_release(struct file *f)
{
    struct inode *ino = f->inode;
    struct pipe *p = pipe_of(f), *dead = NULL;

    mutex_lock(&p->lock);
    pipe_end_out_locked(p, f);
    mutex_unlock(&p->lock);
    waitq_wake_all(&p->wait, LX_POLLIN | LX_POLLOUT | LX_POLLHUP | LX_POLLERR | LX_POLLRDNORM |
                                 LX_POLLWRNORM);
    mutex_lock(&ino->lock);
    if (--p->files == 0) {
        ino->fifo = NULL;
        dead = p;
    }
    mutex_unlock(&ino->lock);
    if (dead)
        pipe_free(dead);
}

const struct file_ops pipe_ops = {
    .async = FILE_ASYNC_PIPE,
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .queue = pipe_queue,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
};

bool pipe_is(const struct file *f)
{
    return f->ops == &pipe_ops;
}

int pipe_new(const struct cred *cred, u32 flags, struct file **read_end, struct file **write_end)
{
    struct pipe *p = pipe_alloc(cred);
    struct file *r, *w;
    int err;

    if (!p)
        return -ENOMEM;
    flags &= LX_O_NONBLOCK | LX_O_DIRECT;
    err = file_new_anon(&pipe_ops, "pipe:", LX_S_IFIFO | 0600, cred, LX_O_RDONLY | flags, p, &r);
    if (err) {
        pipe_free(p);
        return err;
    }
    r->inode->fifo = p;
    p->files = 1;
    pipe_end_in_locked(p, r);
    err = file_new_shared(r, &pipe_ops, LX_O_WRONLY | flags, p, &w);
    if (err) {
        file_put(r);
        return err;
    }
    mutex_lock(&r->inode->lock);
    p->files++;
    mutex_unlock(&r->inode->lock);
    mutex_lock(&p->lock);
    pipe_end_in_locked(p, w);
    mutex_unlock(&p->lock);
    *read_end = r;
    *write_end = w;
    return 0;
}

s64 pipe_size(const struct file *f)
{
    struct pipe *p = pipe_of(f);
    s64 size;

    if (!pipe_is(f))
        return -EBADF;
    mutex_lock(&p->lock);
    size = (s64)p->max_pages * (s64)GUEST_PAGE_SIZE;
    mutex_unlock(&p->lock);
    return size;
}

s64 pipe_set_size(struct file *f, u64 bytes, const struct cred *cred)
{
    bool rich = cred_capable(cred, LX_CAP_SYS_RESOURCE) || cred_capable(cred, LX_CAP_SYS_ADMIN);
    struct pipe *p = pipe_of(f);
    s64 err = 0;
    u32 pages = 1, was;

    if (!pipe_is(f))
        return -EBADF;
    if (bytes > 1u << 31 || !bytes)
        return -EINVAL;
    while (pages * GUEST_PAGE_SIZE < bytes)
        pages *= 2;
    /* Even who may pass the limit on Linux may not here: it bounds the Sentry's memory. */
    if (pages * GUEST_PAGE_SIZE > LIMIT_PIPE_BYTES)
        return -EPERM;
    mutex_lock(&p->lock);
    was = p->max_pages;
    if (pages < p->pages) {
        err = -EBUSY;
    } else if (user_pages_change(p->user, (s64)pages - was) > LIMIT_PIPE_PAGES_USER &&
               pages > was && !rich) {
        user_pages_change(p->user, (s64)was - pages);
        err = -EPERM;
    } else {
        p->max_pages = pages;
    }
    mutex_unlock(&p->lock);
    if (err)
        return err;
    waitq_wake(&p->wait, LX_POLLOUT | LX_POLLWRNORM);
    return (s64)pages * (s64)GUEST_PAGE_SIZE;
}

ssize_t pipe_peek(const struct file *f, void *buf, size_t n)
{
    struct pipe *p = pipe_of(f);
    ssize_t got;

    mutex_lock(&p->lock);
    got = (ssize_t)buf_peek_locked(p, buf, n);
    if (!got && p->writers)
        got = -EAGAIN;
    mutex_unlock(&p->lock);
    return got;
}
