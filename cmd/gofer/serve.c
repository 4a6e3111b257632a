/*
 * The gofer's server. Each worker takes a request, copies it into memory of its own, checks it, and
 * runs its operation; a request touches nothing but its own job and the handle table, so any number
 * can run at a time. There is always a worker that waits: one that finds all others busy starts a
 * further one, up to as many as there are slots, so that a slow disk holds up nobody else. The main
 * thread only waits for the Sentry to go.
 */
#include "cmd/gofer/host_path.h"
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What the dispatcher does before an operation. */
enum {
    HANDLE_0 = 1 << 0, /* spot 0 is target 0's handle; the operation walks the path itself */
    TARGET_0 = 1 << 1, /* spot 0 is target 0 */
    NAME_0 = 1 << 2,   /* target 0 must have a path */
    NAME_1 = 1 << 3,   /* spot 1 is target 1, which must have a path */
    WRITES = 1 << 4,   /* not on a read-only mount */
};

static const struct op {
    int (*fn)(struct job *j);
    u32 what;
} ops[PROTO_OPS] = {
    [PROTO_ATTACH] = {op_attach, 0},
    [PROTO_WALK] = {op_walk, HANDLE_0},
    [PROTO_OPEN] = {op_open, TARGET_0},
    [PROTO_CREATE] = {op_create, TARGET_0 | WRITES},
    [PROTO_SYMLINK] = {op_symlink, TARGET_0 | NAME_0 | WRITES},
    [PROTO_LINK] = {op_link, TARGET_0 | NAME_1 | WRITES},
    [PROTO_REMOVE] = {op_remove, TARGET_0 | NAME_0 | WRITES},
    [PROTO_RENAME] = {op_rename, TARGET_0 | NAME_0 | NAME_1 | WRITES},
    [PROTO_READLINK] = {op_readlink, TARGET_0},
    [PROTO_SETATTR] = {op_setattr, TARGET_0 | WRITES},
    [PROTO_READDIR] = {op_readdir, TARGET_0},
    [PROTO_STATFS] = {op_statfs, TARGET_0},
    [PROTO_FSYNC] = {op_fsync, TARGET_0},
    [PROTO_FALLOCATE] = {op_fallocate, TARGET_0 | WRITES},
    [PROTO_GETXATTR] = {op_getxattr, TARGET_0},
    [PROTO_SETXATTR] = {op_setxattr, TARGET_0 | WRITES},
    [PROTO_LISTXATTR] = {op_listxattr, TARGET_0},
    [PROTO_DELXATTR] = {op_delxattr, TARGET_0 | WRITES},
    [PROTO_RELEASE] = {op_release, 0},
    [PROTO_CONNECT] = {op_connect, TARGET_0},
};

/* writes() - would this change a mount that is read-only? OPEN says so in its arguments. */
static bool writes(const struct job *j, u32 what)
{
    if (j->req.op == PROTO_OPEN)
        return (j->req.arg[0] & PROTO_OPEN_WRITE) != 0;
    return (what & WRITES) != 0;
}

/* expected() - is target 0 the inode that the Sentry means? */
static int expected(const struct job *j, u32 what)
{
    struct proto_attr attr;
    int r;

    if (!j->req.expect_ino || !(what & TARGET_0))
        return 0;
    r = host_stat(j->spot[0].dirfd, j->spot[0].name, &attr);
    if (r < 0)
        return r == -ENOENT ? -ESTALE : r;
    return attr.ino == j->req.expect_ino && attr.dev == j->req.expect_dev ? 0 : -ESTALE;
}

/* prepare() - check the paths and find the places that the operation needs. */
static int prepare(struct job *j, u32 what)
{
    const struct proto_target *t = j->req.target;
    int r;

    for (u32 i = 0; i < 2; i++) {
        r = proto_path_ok(j->path[i], t[i].path_len);
        if (r < 0)
            return r;
        if (r == 0 && (what & (i ? NAME_1 : NAME_0)))
            return -EINVAL;
    }
    if (what & (TARGET_0 | HANDLE_0)) {
        r = resolve(j->g, t[0].handle, j->path[0], what & TARGET_0 ? t[0].path_len : 0,
                    &j->spot[0]);
        if (r < 0)
            return r;
    }
    if (what & NAME_1) {
        r = resolve(j->g, t[1].handle, j->path[1], t[1].path_len, &j->spot[1]);
        if (r < 0)
            return r;
    }
    if (writes(j, what) && j->g->mounts[j->spot[0].mount].readonly)
        return -EROFS;
    return expected(j, what);
}

void serve(struct worker *w, struct job *j)
{
    const struct op *op = &ops[j->req.op];
    u32 paths = j->req.target[0].path_len + j->req.target[1].path_len;
    int r;

    j->path[0] = (const char *)w->in;
    j->path[1] = (const char *)w->in + j->req.target[0].path_len;
    j->data = w->in + paths;
    for (u32 i = 0; i < 2; i++)
        j->spot[i] = (struct spot){.dirfd = -1, .name = "", .opened = -1};
    r = prepare(j, op->what);
    if (r == 0)
        r = op->fn(j);
    j->reply.status = r;
    if (r < 0 && j->fd >= 0) {
        host_close(j->fd);
        j->fd = -1;
    }
    for (u32 i = 0; i < 2; i++)
        spot_release(j->g, &j->spot[i]);
}

static int start_worker(struct gofer *g);

/* busy_begin() - this worker is busy; see that another one waits. */
static void busy_begin(struct gofer *g)
{
    u32 workers = atomic_load(&g->workers);

    if (atomic_fetch_add(&g->busy, 1) + 1 < workers || workers >= CHANNEL_SLOTS)
        return;
    if (atomic_compare_exchange_strong(&g->workers, &workers, workers + 1) && start_worker(g) < 0)
        atomic_fetch_sub(&g->workers, 1);
}

/* work() - thread. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct gofer *g = w->g;

    for (;;) {
        struct job j = {.g = g, .w = w, .fd = -1};
        u32 slot = channel_server_wait(&g->channel);
        int r = channel_server_request(&g->channel, slot, &j.req, w->in);

        busy_begin(g);
        j.reply.seq = j.req.seq;
        if (r < 0)
            j.reply.status = r;
        else
            serve(w, &j);
        /* Before the answer, upon which the next request may come at once. */
        atomic_fetch_sub(&g->busy, 1);
        channel_server_reply(&g->channel, slot, &j.reply, w->out, j.fd);
        if (j.fd >= 0)
            host_close(j.fd);
    }
    return NULL;
}

static int start_worker(struct gofer *g)
{
    struct worker *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    w->g = g;
    r = host_thread_start("gofer-worker", work, w);
    if (r < 0)
        free(w);
    return r;
}

int gofer_init(struct gofer *g, int shm, int sock, u32 max_handles)
{
    memset(g, 0, sizeof(*g));
    handle_table_init(&g->handles, max_handles);
    return channel_server_init(&g->channel, shm, sock);
}

int gofer_add_mount(struct gofer *g, const struct gofer_mount_point *m)
{
    struct gofer_mount_point *more = reallocarray(g->mounts, g->nmounts + 1, sizeof(*more));

    if (!more)
        return -ENOMEM;
    more[g->nmounts++] = *m;
    g->mounts = more;
    return 0;
}

int gofer_run(struct gofer *g)
{
    /* Any message is a farewell: the Sentry has nothing else to say here. */
    struct pollfd p = {.fd = g->channel.sock, .events = POLLIN};
    int r;

    g->workers = 1;
    r = start_worker(g);
    if (r < 0)
        return r;
    do {
        p.revents = 0;
        r = host_poll(&p, 1, -1);
    } while (r == -EINTR || (r >= 0 && !(p.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))));
    return 0;
}
