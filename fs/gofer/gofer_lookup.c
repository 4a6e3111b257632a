/* Finding names, and whether what was found still holds. */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/dentry.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a WALK to one name answers with: attributes of each step, and a link's text. */
struct walk_answer {
    u8 data[(GOFER_STEPS + 1) * sizeof(struct proto_attr) + PROTO_PATH_MAX];
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
