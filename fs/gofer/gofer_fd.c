/* Donated descriptors: asking for them, sharing them among open files, closing them in time. */
#include "fs/gofer/gofer_priv.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>

/* Idle descriptors closed at a time. */
enum { EVICT_MAX = 16 };

/* fd_ok() - is it what we asked for: a regular file, and no more rights than that? */
static bool fd_ok(int fd, bool rw)
{
    struct stat st;
    int flags = host_fcntl(fd, F_GETFL, 0);

    if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) != (rw ? O_RDWR : O_RDONLY))
        return false;
    return host_fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

u32 gofer_fd_drop_locked(struct gofer_conn *c, struct gofer_node *n, int fds[GOFER_FDS + 1])
{
    u32 count = 0;

    for (u32 i = 0; i < GOFER_FDS; i++) {
        if (n->fd[i] >= 0)
            fds[count++] = n->fd[i];
        n->fd[i] = -1;
    }
    if (n->fd_old >= 0)
        fds[count++] = n->fd_old;
    n->fd_old = -1;
    c->nfds -= count;
    list_del(&n->fd_lru);
    return count;
}

/* evict() - close what has been idle for longest while there are too many. */
static void evict(struct gofer_conn *c)
{
    int fds[EVICT_MAX + GOFER_FDS + 1];
    u32 count = 0;

    mutex_lock(&c->lock);
    while (c->nfds > c->max_idle_fds && count < EVICT_MAX && !list_empty(&c->fd_lru)) {
        struct gofer_node *n = list_entry(c->fd_lru.prev, struct gofer_node, fd_lru);

        count += gofer_fd_drop_locked(c, n, fds + count);
    }
    mutex_unlock(&c->lock);
    for (u32 i = 0; i < count; i++)
        host_close(fds[i]);
}

/* open_end_locked() - one open file less. Return: descriptors to close. */
static u32 open_end_locked(struct gofer_conn *c, struct gofer_node *n, int fds[GOFER_FDS + 1])
    REQUIRES(c->lock)
{
    u32 count = 0;

    if (--n->opens)
        return 0;
    if (n->fd_old >= 0) {
        fds[count++] = n->fd_old;
        n->fd_old = -1;
        c->nfds--;
    }
    if (n->unlinked)
        return count + gofer_fd_drop_locked(c, n, fds + count);
    if (n->fd[GOFER_RO] >= 0 || n->fd[GOFER_RW] >= 0)
        list_add(&c->fd_lru, &n->fd_lru);
    return count;
}

void gofer_fd_close(struct gofer_node *n)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    int fds[2 * GOFER_FDS + 1];
    u32 count;

    mutex_lock(&c->lock);
    if (n->opens == 1 && n->mapped) {
        n->mapped = false;
        n->stale = true;
    }
    count = open_end_locked(c, n, fds);
    mutex_unlock(&c->lock);
    for (u32 i = 0; i < count; i++)
        host_close(fds[i]);
}

static void open_begin_locked(struct gofer_node *n)
{
    n->opens++;
    list_del(&n->fd_lru);
}

/* have_locked() - a descriptor with (at least, or exactly) these rights, or -1. */
static int have_locked(const struct gofer_node *n, bool rw, bool exact)
{
    if (rw || (!exact && n->fd[GOFER_RO] < 0))
        return n->fd[GOFER_RW];
    return n->fd[GOFER_RO];
}

static int have(struct gofer_node *n, bool rw, bool exact)
{
    struct mutex *auto_unlock lock = mutex_locked(&gofer_super_of(n)->conn->lock);

    return have_locked(n, rw, exact);
}

void gofer_fd_give(struct gofer_node *n, bool rw, int fd)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    int surplus = -1;
    bool full;

    if (!fd_ok(fd, rw)) {
        host_close(fd);
        return;
    }
    mutex_lock(&c->lock);
    if (n->fd[rw] >= 0) {
        surplus = fd;
    } else {
        n->fd[rw] = fd;
        c->nfds++;
        if (rw && n->fd[GOFER_RO] >= 0 && n->fd_old < 0) {
            n->fd_old = n->fd[GOFER_RO];
            n->fd[GOFER_RO] = -1;
        }
        if (!n->opens && !list_linked(&n->fd_lru))
            list_add(&c->fd_lru, &n->fd_lru);
    }
    full = c->nfds > c->max_idle_fds;
    mutex_unlock(&c->lock);
    if (surplus >= 0)
        host_close(surplus);
    if (full)
        evict(c);
}

static u32 donated(struct gofer_conn *c)
{
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);

    return c->nfds;
}

bool gofer_fd_room(struct gofer_conn *c)
{
    if (donated(c) > c->max_idle_fds)
        evict(c);
    return donated(c) < c->max_fds;
}

/* ask() - have the gofer open the file. */
static int ask(struct gofer_node *n, bool rw)
{
    struct gofer_request r;
    int err;

    if (!gofer_fd_room(gofer_super_of(n)->conn))
        return -ENFILE;
    err = gofer_request_new(&r, PROTO_OPEN, n, NULL, 0);

    if (err < 0)
        return err;
    r.call.req.arg[0] = PROTO_OPEN_READ | (rw ? PROTO_OPEN_WRITE : 0);
    r.call.want_fd = true;
    err = gofer_request_run(&r);
    if (err == 0)
        gofer_fd_give(n, rw, r.call.fd);
    return err;
}

/* get() - with the node counted as open. */
static int get(struct gofer_node *n, bool rw, bool exact)
{
    int fd = have(n, rw, exact), err = 0;

    if (fd >= 0)
        return fd;
    /* One asks for all. */
    mutex_lock(&n->inode->lock);
    fd = have(n, rw, exact);
    if (fd < 0) {
        err = ask(n, rw);
        fd = have(n, rw, exact);
    }
    mutex_unlock(&n->inode->lock);
    return err < 0 ? err : fd >= 0 ? fd : -EIO;
}

int gofer_fd_open(struct gofer_node *n, bool rw)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    int fd;

    mutex_lock(&c->lock);
    open_begin_locked(n);
    fd = have_locked(n, rw, false);
    mutex_unlock(&c->lock);
    if (fd >= 0)
        return fd;
    fd = get(n, rw, false);
    if (fd < 0)
        gofer_fd_close(n);
    return fd;
}

int gofer_fd_get(struct gofer_node *n, bool rw)
{
    return get(n, rw, true);
}

int gofer_fd_use(struct gofer_node *n, bool rw)
{
    struct mutex *auto_unlock lock = mutex_locked(&gofer_super_of(n)->conn->lock);
    int fd = have_locked(n, rw, false);

    if (fd < 0)
        return -ENOENT;
    open_begin_locked(n);
    return fd;
}

void gofer_fd_forget(struct gofer_node *n)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    int fds[GOFER_FDS + 1];
    u32 count = 0;

    mutex_lock(&c->lock);
    if (!n->opens)
        count = gofer_fd_drop_locked(c, n, fds);
    mutex_unlock(&c->lock);
    for (u32 i = 0; i < count; i++)
        host_close(fds[i]);
}
