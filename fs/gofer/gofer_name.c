/* Changing names: create, link, remove, rename. The directories' dir_lock is held. */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <string.h>

/* dir_changed() - its size, times and links are the host's to tell. */
static void dir_changed(struct gofer_node *dir)
{
    atomic_store(&dir->stale, true);
}

/* added() - `name` in `dir` is now what the answer describes. Return: 0 and a new reference. */
static int added(struct gofer_node *dir, const char *name, u32 len, struct gofer_request *r,
                 struct inode **out)
{
    const struct proto_reply *reply = &r->call.reply;
    int err;

    dir_changed(dir);
    if (!(reply->flags & PROTO_HAS_ATTR))
        return -EIO;
    err = gofer_node_get(r->gs, &reply->attr, dir, name, len, out);
    if (err < 0)
        return err;
    if (reply->flags & PROTO_HAS_HANDLE)
        gofer_handle_set(gofer_node(*out), reply->handle);
    gofer_listing_added(dir, name, len, LX_DT_OF_MODE(inode_mode(*out)), (*out)->ino);
    return 0;
}

int gofer_create(struct inode *dir, const char *name, u32 len, u32 mode, u32 uid, u32 gid,
                 u32 rdev_major, u32 rdev_minor, struct inode **out)
{
    struct gofer_node *n = gofer_node(dir);
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_CREATE, n, name, len);

    if (err < 0)
        return err;
    r.call.req.arg[0] = mode;
    r.call.req.arg[1] = uid;
    r.call.req.arg[2] = gid;
    r.call.req.arg[3] = (u64)rdev_major << 32 | rdev_minor;
    /* Whoever creates a file will open it next. */
    if (LX_S_ISREG(mode) && gofer_fd_room(r.gs->conn)) {
        r.call.req.arg[4] = PROTO_OPEN_READ | PROTO_OPEN_WRITE;
        r.call.want_fd = true;
    } else if (LX_S_ISDIR(mode)) {
        r.call.req.flags = PROTO_WANT_HANDLE;
    }
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    err = added(n, name, len, &r, out);
    if (err < 0) {
        if (r.call.fd >= 0)
            host_close(r.call.fd);
        return err;
    }
    if (r.call.fd >= 0)
        gofer_fd_give(gofer_node(*out), true, r.call.fd);
    /* It is empty: nothing need be asked about what is not in it. */
    if (LX_S_ISDIR(mode) && r.gs->exclusive)
        gofer_listing_attach(gofer_node(*out), gofer_listing_new());
    return 0;
}

int gofer_symlink(struct inode *dir, const char *name, u32 len, const char *target, u32 uid,
                  u32 gid, struct inode **out)
{
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_SYMLINK, gofer_node(dir), name, len);

    if (err < 0)
        return err;
    r.call.req.arg[1] = uid;
    r.call.req.arg[2] = gid;
    r.call.data[0] = target;
    r.call.data_len[0] = (u32)strnlen(target, LIMIT_PATH);
    err = gofer_request_run(&r);
    return err < 0 ? err : added(gofer_node(dir), name, len, &r, out);
}

int gofer_tmpfile(struct inode *dir, u32 mode, u32 uid, u32 gid, struct inode **out)
{
    struct gofer_request r;
    int err;

    if (!gofer_fd_room(gofer_super(dir->super)->conn))
        return -ENFILE;
    err = gofer_request_new(&r, PROTO_CREATE, gofer_node(dir), NULL, 0);
    if (err < 0)
        return err;
    r.call.req.flags = PROTO_TMPFILE;
    r.call.req.arg[0] = LX_S_IFREG | (mode & LX_S_IALLUGO);
    r.call.req.arg[1] = uid;
    r.call.req.arg[2] = gid;
    r.call.req.arg[4] = PROTO_OPEN_READ | PROTO_OPEN_WRITE;
    r.call.want_fd = true;
    err = gofer_request_run(&r);
    if (err == 0 && !(r.call.reply.flags & PROTO_HAS_ATTR))
        err = -EIO;
    if (err == 0)
        err = gofer_node_get(r.gs, &r.call.reply.attr, NULL, NULL, 0, out);
    if (err < 0) {
        if (r.call.fd >= 0)
            host_close(r.call.fd);
        return err;
    }
    if (r.call.reply.flags & PROTO_HAS_HANDLE)
        gofer_handle_set(gofer_node(*out), r.call.reply.handle);
    gofer_fd_give(gofer_node(*out), true, r.call.fd);
    return 0;
}

int gofer_link(struct inode *dir, const char *name, u32 len, struct inode *target)
{
    struct gofer_node *n = gofer_node(dir), *t = gofer_node(target);
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_LINK, t, NULL, 0);

    if (err == 0)
        err = gofer_request_second(&r, n, name, len);
    if (err < 0)
        return err;
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    dir_changed(n);
    if (r.call.reply.flags & PROTO_HAS_ATTR)
        gofer_attr_apply(t, &r.call.reply.attr);
    gofer_place_add(t, n, name, len);
    gofer_listing_added(n, name, len, LX_DT_OF_MODE(inode_mode(target)), target->ino);
    return 0;
}

/* lost_name() - the node has one name less. */
static void lost_name(struct gofer_node *n, bool dir)
{
    bool last;

    mutex_lock(&n->inode->lock);
    if (dir)
        n->inode->nlink = 0;
    else if (n->inode->nlink)
        n->inode->nlink--;
    last = n->inode->nlink == 0;
    mutex_unlock(&n->inode->lock);
    atomic_store(&n->stale, true);
    if (last) {
        gofer_node_unlinked(n);
        gofer_fd_forget(n);
    }
}

/* is_open() - is the file, which is about to lose the only name that we know, still of use? */
static bool is_open(struct gofer_node *n)
{
    struct gofer_conn *c = gofer_super_of(n)->conn;
    bool open;

    mutex_lock(&c->lock);
    open = n->opens > 0 && !n->handle;
    mutex_unlock(&c->lock);
    return open && gofer_place_only(n);
}

static int remove_name(struct inode *dir, const char *name, u32 len, struct inode *victim,
                       bool is_dir)
{
    struct gofer_node *n = gofer_node(dir), *v = gofer_node(victim);
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_REMOVE, n, name, len);

    if (err < 0)
        return err;
    r.call.req.arg[0] = is_dir;
    r.call.req.flags = is_open(v) ? PROTO_KEEP : 0;
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    dir_changed(n);
    if (r.call.reply.flags & PROTO_HAS_HANDLE)
        gofer_handle_set(v, r.call.reply.handle);
    inode_put(gofer_place_remove(n, name, len));
    gofer_listing_removed(n, name, len);
    lost_name(v, is_dir);
    return 0;
}

int gofer_unlink(struct inode *dir, const char *name, u32 len, struct inode *victim)
{
    return remove_name(dir, name, len, victim, false);
}

int gofer_rmdir(struct inode *dir, const char *name, u32 len, struct inode *victim)
{
    return remove_name(dir, name, len, victim, true);
}

/* keep_open() - a file that a rename will replace is open: get a handle to it. */
static void keep_open(struct gofer_node *n)
{
    struct gofer_request r;

    if (gofer_request_new(&r, PROTO_OPEN, n, NULL, 0) < 0)
        return;
    r.call.req.flags = PROTO_WANT_HANDLE;
    r.call.req.arg[0] = PROTO_OPEN_READ;
    r.call.want_fd = true;
    if (gofer_request_run(&r) < 0)
        return;
    host_close(r.call.fd);
    if (r.call.reply.flags & PROTO_HAS_HANDLE)
        gofer_handle_set(n, r.call.reply.handle);
}

struct rename_end {
    struct gofer_node *dir;
    const char *name;
    u32 len;
    struct inode *ino; /* a reference; NULL: not known to us */
};

/* put_name() - `what` is now the name at `at`. */
static void put_name(const struct rename_end *at, struct inode *what)
{
    gofer_listing_removed(at->dir, at->name, at->len);
    gofer_place_add(gofer_node(what), at->dir, at->name, at->len);
    gofer_listing_added(at->dir, at->name, at->len, LX_DT_OF_MODE(inode_mode(what)), what->ino);
    atomic_store(&gofer_node(what)->stale, true);
}

/* renamed() - the gofer has done it. */
static void renamed(struct gofer_super *gs, struct rename_end *from, struct rename_end *to,
                    u32 flags)
{
    dir_changed(from->dir);
    dir_changed(to->dir);
    if (from->ino && from->ino == to->ino)
        return; /* two names of one file: Linux leaves both */
    inode_put(gofer_place_remove(from->dir, from->name, from->len));
    inode_put(gofer_place_remove(to->dir, to->name, to->len));
    gofer_listing_removed(from->dir, from->name, from->len);
    if (from->ino)
        put_name(to, from->ino);
    else
        gofer_listing_removed(to->dir, to->name, to->len);
    if (flags & LX_RENAME_EXCHANGE) {
        if (to->ino)
            put_name(from, to->ino);
    } else if (to->ino) {
        lost_name(gofer_node(to->ino), LX_S_ISDIR(inode_mode(to->ino)));
    } else {
        atomic_fetch_add(&gs->replaced, 1);
    }
}

int gofer_rename(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                 const char *to, u32 to_len, u32 flags)
{
    struct rename_end a = {gofer_node(from_dir), from, from_len, NULL};
    struct rename_end b = {gofer_node(to_dir), to, to_len, NULL};
    struct gofer_request r;
    int err;

    a.ino = gofer_place_find(a.dir, from, from_len);
    b.ino = gofer_place_find(b.dir, to, to_len);
    if (b.ino && LX_S_ISREG(inode_mode(b.ino)) && is_open(gofer_node(b.ino)))
        keep_open(gofer_node(b.ino));
    err = gofer_request_new(&r, PROTO_RENAME, a.dir, from, from_len);
    if (err == 0)
        err = gofer_request_second(&r, b.dir, to, to_len);
    if (err == 0) {
        r.call.req.arg[0] = flags;
        err = gofer_request_run(&r);
    }
    if (err == 0)
        renamed(r.gs, &a, &b, flags);
    inode_put(a.ino);
    inode_put(b.ino);
    return err;
}
