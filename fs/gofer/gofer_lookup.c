/* Finding names, and whether what was found still holds. */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a WALK to one name answers with: attributes of each step, and a link's text. */
struct walk_answer {
    u8 data[(GOFER_STEPS + LOOKUP_AHEAD) * sizeof(struct proto_attr) + PROTO_PATH_MAX];
};

/* set_link() - remember a symbolic link's text, which never changes. */
static void set_link(struct inode *ino, const u8 *text, size_t len)
{
    const char *none = NULL;
    char *copy;

    if (len == 0 || len >= LIMIT_PATH || memchr(text, '\0', len) || atomic_load(&ino->link))
        return;
    copy = malloc(len + 1);
    if (!copy)
        return;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!atomic_compare_exchange_strong(&ino->link, &none, copy))
        free(copy);
}

/* ask() - look `name` up at the gofer, with a handle if it is a directory and `handle`.
 * Return: 0 and a new reference. */
static int ask(struct gofer_node *dir, const char *name, u32 len, bool handle, struct inode **out)
{
    struct gofer_super *gs = gofer_super_of(dir);
    auto_free struct walk_answer *answer = malloc(sizeof(*answer));
    struct gofer_request r;
    u64 text;
    int err;

    if (!answer)
        return -ENOMEM;
    err = gofer_request_new(&r, PROTO_WALK, dir, name, len);
    if (err < 0)
        return err;
    r.call.req.flags = handle ? PROTO_WANT_HANDLE : 0;
    r.call.out = answer;
    r.call.out_cap = sizeof(*answer);
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    if (!(r.call.reply.flags & PROTO_HAS_ATTR))
        return -EIO;
    err = gofer_node_get(gs, &r.call.reply.attr, dir, name, len, out);
    if (err < 0)
        return err;
    text = r.call.reply.arg[0];
    if (LX_S_ISLNK(inode_mode(*out)) && text && text <= r.call.out_len)
        set_link(*out, answer->data + r.call.out_len - text, text);
    if (r.call.reply.flags & PROTO_HAS_HANDLE)
        gofer_handle_set(gofer_node(*out), r.call.reply.handle);
    return 0;
}

int gofer_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    struct gofer_node *n = gofer_node(dir);
    struct gofer_super *gs = gofer_super_of(n);
    struct proto_attr attr;
    int r = -EAGAIN;

    if (gs->exclusive)
        r = gofer_listing_find(n, name, len, &attr);
    if (r == 1)
        return gofer_node_get(gs, &attr, n, name, len, out);
    if (r == -ENOENT)
        return r;
    r = ask(n, name, len, true, out);
    /* The directory itself is gone. */
    if (r == -ESTALE)
        r = -ENOENT;
    if (r == 0 && !gs->exclusive)
        atomic_store(&gofer_node(*out)->fresh, host_monotonic());
    return r;
}

/* --- several names at once --- */

struct ahead {
    struct gofer_request r;
    struct gofer_node *dir;
    const struct name_ahead *names;
    u32 n;      /* names in the request */
    u32 before; /* components of the way to the directory */
    u32 access; /* PROTO_OPEN_*, of the last name */
    struct walk_answer answer;
};

static u32 components(const struct gofer_target *t)
{
    u32 n = 0;

    for (u32 i = 0; i < t->len; i++)
        n += !t->path[i];
    return n;
}

/* ahead_call() - ask. Return: the status. */
static int ahead_call(struct ahead *a, u32 n, u32 intent)
{
    struct gofer_request *r = &a->r;
    int err = gofer_request_new(r, PROTO_WALK, a->dir, a->names[0].name, a->names[0].len);

    if (err < 0)
        return err;
    a->before = components(&r->target[0]) - 1;
    for (a->n = 1; a->n < n && gofer_request_more(r, a->names[a->n].name, a->names[a->n].len);)
        a->n++;
    if (intent && a->n == n && gofer_fd_room(r->gs->conn)) {
        a->access = PROTO_OPEN_READ | (intent & MAY_WRITE ? PROTO_OPEN_WRITE : 0);
        r->call.req.arg[0] = a->access;
        r->call.want_fd = r->call.maybe_fd = true;
    }
    r->call.req.flags = PROTO_WANT_HANDLE;
    r->call.out = &a->answer;
    r->call.out_cap = sizeof(a->answer);
    return gofer_request_run(r);
}

/* ahead_nodes() - inodes of what the answer has. Return: how many. */
static u32 ahead_nodes(struct ahead *a, u32 reached, struct inode **out)
{
    struct gofer_node *dir = a->dir;
    u32 got = 0;

    for (; got < reached; got++) {
        struct proto_attr attr;

        memcpy(&attr, a->answer.data + (a->before + got) * sizeof(attr), sizeof(attr));
        if (gofer_node_get(a->r.gs, &attr, dir, a->names[got].name, a->names[got].len, &out[got]) <
            0)
            break;
        dir = gofer_node(out[got]);
        if (!LX_S_ISDIR(inode_mode(out[got])))
            return got + 1;
    }
    return got;
}

/* ahead_last() - what comes with the last component that was reached. */
static void ahead_last(struct ahead *a, struct inode *last, bool all)
{
    struct proto_reply *reply = &a->r.call.reply;
    u64 text = reply->arg[0];

    if (LX_S_ISLNK(inode_mode(last)) && text && text <= a->r.call.out_len)
        set_link(last, a->answer.data + a->r.call.out_len - text, text);
    if (!all)
        return;
    if ((reply->flags & PROTO_HAS_HANDLE) && LX_S_ISDIR(inode_mode(last)))
        gofer_handle_set(gofer_node(last), reply->handle);
    if (a->r.call.fd >= 0 && LX_S_ISREG(inode_mode(last))) {
        gofer_fd_give(gofer_node(last), a->access & PROTO_OPEN_WRITE, a->r.call.fd);
        a->r.call.fd = -1;
    }
}

/* ahead_take() - the answer, whose status is `err`. Return: 0, -ENOENT: the next name is not there. */
static int ahead_take(struct ahead *a, int err, struct inode **out, u32 *found)
{
    u64 text = a->r.call.reply.arg[0];
    u32 len = a->r.call.out_len, reached;

    if (text > len)
        return 0;
    reached = (len - (u32)text) / (u32)sizeof(struct proto_attr);
    /* Not even the directory itself. */
    if (reached < a->before)
        return 0;
    reached = min_of(reached - a->before, a->n);
    *found = ahead_nodes(a, reached, out);
    if (*found < reached)
        return 0;
    if (reached)
        ahead_last(a, out[reached - 1], err == 0 && reached == a->n);
    return err == -ENOENT && reached < a->n ? -ENOENT : 0;
}

int gofer_lookup_ahead(struct inode *dir, const struct name_ahead *names, u32 n, u32 intent,
                       struct inode **out, u32 *found)
{
    auto_free struct ahead *a = calloc(1, sizeof(*a));
    struct proto_attr attr;
    int err;

    *found = 0;
    if (!a)
        return -ENOMEM;
    a->dir = gofer_node(dir);
    a->names = names;
    /* What a listing knows costs nothing, one by one. */
    if (!gofer_super_of(a->dir)->exclusive ||
        gofer_listing_find(a->dir, names[0].name, names[0].len, &attr) != -EAGAIN)
        return 0;
    err = ahead_call(a, n, intent);
    if (err == 0 || err == -ENOENT || err == -ENOTDIR)
        err = ahead_take(a, err, out, found);
    if (a->r.call.fd >= 0)
        host_close(a->r.call.fd);
    return err;
}

int gofer_revalidate(struct dentry *d)
{
    struct dentry *parent = dentry_parent(d);
    char name[LIMIT_NAME + 1];
    struct inode *now = NULL;
    ssize_t len;
    int r = 1;

    if (!parent)
        return 1;
    len = dentry_name(d, name, sizeof(name));
    if (len > 0) {
        r = ask(gofer_node(parent->inode), name, (u32)len, false, &now);
        if (r == 0 && now == d->inode) {
            atomic_store(&gofer_node(now)->fresh, host_monotonic());
            r = 1;
        } else if (r == -ENOENT || r == -ESTALE || r == -ENOTDIR) {
            r = 0;
        }
    }
    inode_put(now);
    dentry_put(parent);
    return r;
}

ssize_t gofer_readlink(struct inode *ino, char *buf, size_t cap)
{
    const char *text = atomic_load(&ino->link);
    struct gofer_request r;
    size_t len;
    int err;

    if (!text) {
        auto_free u8 *target = malloc(LIMIT_PATH);

        if (!target)
            return -ENOMEM;
        err = gofer_request_new(&r, PROTO_READLINK, gofer_node(ino), NULL, 0);
        if (err < 0)
            return err;
        r.call.out = target;
        r.call.out_cap = LIMIT_PATH;
        err = gofer_request_run(&r);
        if (err < 0)
            return err;
        set_link(ino, target, r.call.out_len);
        text = atomic_load(&ino->link);
        if (!text)
            return -EIO;
    }
    len = strlen(text);
    memcpy(buf, text, min_of(len, cap));
    return (ssize_t)min_of(len, cap);
}
