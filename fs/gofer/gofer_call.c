/* Requests: how a node is named to the gofer, and the handles that take part in it. */
#include "fs/gofer/gofer_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Handles are given back so many at a time, or an eighth of what the gofer keeps, if that is less. */
enum { RELEASE_BATCH = 64 };

static u32 batch_size(const struct gofer_conn *c)
{
    return max_of(min_of((u32)RELEASE_BATCH, c->max_handles / 8), 1u);
}

static struct gofer_place *first_place(struct gofer_node *n)
{
    return list_first(&n->places, struct gofer_place, of_node);
}

/* append() - one component to the target's path. */
static void append(struct gofer_target *t, const char *name, u32 len)
{
    memcpy(t->path + t->len, name, len);
    t->path[t->len + len] = '\0';
    t->len += len + 1;
}

/*
 * aim_locked() - from `n` up to a node with a handle. Return: 0 and the target; 1 and *below, a new
 * reference: that directory should have a handle first, it is GOFER_STEPS below one; -ESTALE: no way
 * leads there.
 */
static int aim_locked(struct gofer_conn *c, struct gofer_node *n, struct gofer_target *t,
                      struct inode **below) REQUIRES(c->lock)
{
    struct gofer_place *steps[GOFER_STEPS];
    struct gofer_node *at = n;
    u32 depth = 0;

    while (!at->handle) {
        struct gofer_place *p = first_place(at);

        if (!p)
            return -ESTALE;
        steps[depth++ % GOFER_STEPS] = p;
        at = gofer_node(p->parent);
    }
    if (depth > GOFER_STEPS) {
        *below = inode_get(steps[depth % GOFER_STEPS]->node->inode);
        return 1;
    }
    t->len = 0;
    for (u32 i = depth; i > 0; i--)
        append(t, steps[i - 1]->name, steps[i - 1]->len);
    at->pins++;
    t->pinned = at;
    t->ref = inode_get(at->inode);
    if (list_linked(&at->handle_lru)) {
        list_del(&at->handle_lru);
        list_add(&c->handle_lru, &at->handle_lru);
    }
    return 0;
}

static void target_done(struct gofer_conn *c, struct gofer_target *t)
{
    if (!t->pinned)
        return;
    mutex_lock(&c->lock);
    t->pinned->pins--;
    mutex_unlock(&c->lock);
    t->pinned = NULL;
    inode_put(t->ref);
}

/* acquire() - get a handle to a directory that is within reach. */
static int acquire(struct gofer_super *gs, struct gofer_node *dir)
{
    struct proto_attr attrs[GOFER_STEPS];
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_WALK, dir, NULL, 0);

    if (err < 0)
        return err;
    r.call.req.flags = PROTO_WANT_HANDLE;
    r.call.out = attrs;
    r.call.out_cap = sizeof(attrs);
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    if (!(r.call.reply.flags & PROTO_HAS_HANDLE))
        return gs->exclusive ? -EIO : -ESTALE;
    gofer_handle_set(dir, r.call.reply.handle);
    return 0;
}

/* aim() - fill in target `i` of the request: `n`, and `name` in it if len is not 0. */
static int aim(struct gofer_request *r, u32 i, struct gofer_node *n, const char *name, u32 len)
{
    struct gofer_conn *c = r->gs->conn;
    struct gofer_target *t = &r->target[i];
    struct proto_target *to = &r->call.req.target[i];
    struct inode *below;
    int err;

    if (len > LIMIT_NAME)
        return -ENAMETOOLONG;
    for (;;) {
        mutex_lock(&c->lock);
        err = aim_locked(c, n, t, &below);
        if (err == 0)
            to->handle = t->pinned->handle;
        mutex_unlock(&c->lock);
        if (err <= 0)
            break;
        err = acquire(r->gs, gofer_node(below));
        inode_put(below);
        if (err < 0)
            break;
    }
    if (err < 0)
        return err;
    if (len) {
        append(t, name, len);
    } else if (i == 0 && t->len && !r->gs->exclusive) {
        r->call.req.expect_dev = n->host_dev;
        r->call.req.expect_ino = n->host_ino;
    }
    to->path_len = t->len;
    r->call.path[i] = t->path;
    return 0;
}

int gofer_request_new(struct gofer_request *r, u32 op, struct gofer_node *n, const char *name,
                      u32 len)
{
    memset(&r->call, 0, sizeof(r->call));
    r->call.req.op = op;
    r->call.fd = -1;
    r->gs = gofer_super_of(n);
    r->target[0].pinned = r->target[1].pinned = NULL;
    return aim(r, 0, n, name, len);
}

int gofer_request_second(struct gofer_request *r, struct gofer_node *n, const char *name, u32 len)
{
    int err = aim(r, 1, n, name, len);

    if (err < 0)
        target_done(r->gs->conn, &r->target[0]);
    return err;
}

bool gofer_request_more(struct gofer_request *r, const char *name, u32 len)
{
    struct gofer_target *t = &r->target[0];

    if (len > LIMIT_NAME || t->len + len + 1 > sizeof(t->path))
        return false;
    append(t, name, len);
    r->call.req.target[0].path_len = t->len;
    return true;
}

/* release_batch() - give handles back, if enough have come together. */
static void release_batch(struct gofer_conn *c)
{
    u64 batch[RELEASE_BATCH];
    struct channel_call call = {.req = {.op = PROTO_RELEASE}};
    u32 n;

    mutex_lock(&c->lock);
    n = c->nrelease < batch_size(c) ? 0 : min_of(c->nrelease, (u32)RELEASE_BATCH);
    c->nrelease -= n;
    if (n)
        memcpy(batch, c->release + c->nrelease, n * sizeof(batch[0]));
    mutex_unlock(&c->lock);
    if (!n)
        return;
    call.data[0] = batch;
    call.data_len[0] = n * (u32)sizeof(batch[0]);
    channel_call(c->client, &call);
}

int gofer_request_run(struct gofer_request *r)
{
    struct gofer_conn *c = r->gs->conn;
    int status = channel_call(c->client, &r->call);

    for (u32 i = 0; i < 2; i++)
        target_done(c, &r->target[i]);
    release_batch(c);
    return status;
}

/* queue_locked() - have a handle given back. Without memory the gofer keeps it to its end. */
static void queue_locked(struct gofer_conn *c, u64 handle) REQUIRES(c->lock)
{
    if (c->nrelease == c->release_cap) {
        u32 cap = c->release_cap ? c->release_cap * 2 : RELEASE_BATCH * 2;
        u64 *more = reallocarray(c->release, cap, sizeof(*more));

        if (!more)
            return;
        c->release = more;
        c->release_cap = cap;
    }
    c->release[c->nrelease++] = handle;
}

void gofer_handle_drop_locked(struct gofer_conn *c, struct gofer_node *n)
{
    if (!n->handle)
        return;
    queue_locked(c, n->handle);
    n->handle = 0;
    list_del(&n->handle_lru);
    c->nhandles--;
}

/* reclaim_locked() - drop the handles that were not used for longest. */
static void reclaim_locked(struct gofer_conn *c) REQUIRES(c->lock)
{
    struct list_node *at = c->handle_lru.prev;

    /* Those queued still count at the gofer. */
    while (c->nhandles + c->nrelease > c->max_handles / 4 * 3 && at != &c->handle_lru) {
        struct gofer_node *n = list_entry(at, struct gofer_node, handle_lru);

        at = at->prev;
        if (n->pins || list_empty(&n->places))
            continue;
        gofer_handle_drop_locked(c, n);
        if (c->nrelease >= RELEASE_BATCH)
            break; /* the rest with the next one */
    }
}

void gofer_handle_set(struct gofer_node *n, u64 handle)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;

    if (!handle)
        return; /* no gofer of ours gives that out */
    mutex_lock(&c->lock);
    if (n->handle) {
        queue_locked(c, handle);
    } else {
        n->handle = handle;
        c->nhandles++;
        list_add(&c->handle_lru, &n->handle_lru);
        reclaim_locked(c);
    }
    mutex_unlock(&c->lock);
}
