/*
 * The file system "gofer": a container's files, as its gofer (cmd/gofer) hands them out.
 *
 * NODE      One for each host file (device, inode) that is known, owned by the inode. Its attributes
 *           stand in the inode. In an *exclusive* mount, where nobody else changes the files, they
 *           and all names are true until we change them ourselves; what we cannot know exactly (times
 *           after a write, a directory's size) is marked stale and fetched when it is asked for, with
 *           fstat() where a descriptor is there. A *shared* mount is asked again at each walk
 *           (revalidate) and each stat.
 * PLACE     A name under which a node was last seen, in a hash by (directory, name). A request names
 *           a file by the handle of the nearest directory above that has one, and the names below
 *           (a directory has one place, so the way up always ends, whatever a gofer may say):
 *           so most files never need a handle, and one that was given back costs nothing to find
 *           again. A file that loses its last name while it is open gets a handle first (KEEP).
 * HANDLES   Numbers for descriptors that the gofer keeps; bounded. Directories get one when
 *           something in them is looked up; the least recently used are given back, in batches.
 * FDS       Regular files are read, written and mapped on donated descriptors: at most one read-only
 *           and one read-write for each node, whatever the number of open files. Without open file
 *           they are kept, least recently used ones being closed. The read-only one is for private
 *           and read-only mappings; it is asked for anew after the first writable one came, since
 *           on overlayfs it may be of the lower file.
 * LISTING   A directory that was read is remembered whole, with attributes, in exclusive mounts:
 *           looking up what it names or does not name needs no request. See gofer_listing.c.
 *
 * Where Linux differs: atime is the host's own business; a file's size seen through a shared writable
 * mapping is that of the host at that moment.
 */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"

#include "sentry/base/host_fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What statfs(2) shows where the host's own type is not known: V9FS_MAGIC, a file system served by
 * another process. */
#define GOFER_MAGIC 0x01021997

/* A gofer that keeps fewer handles than this can't be worked with. */
enum { HANDLES_MIN = 32 };

int gofer_conn_new(int shm, int sock, struct gofer_conn **out)
{
    struct gofer_conn *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return -ENOMEM;
    r = channel_client_new(shm, sock, &c->client);
    if (r < 0) {
        free(c);
        return r;
    }
    r = channel_client_watch(c->client);
    if (r < 0) {
        /* The socket is not taken on failure. */
        c->client->sock = -1;
        channel_client_free(c->client);
        free(c);
        return r;
    }
    /* The Sentry needs some for other things, whatever a guest opens. */
    c->max_fds = host_fd_limit() / 4 * 3;
    c->max_idle_fds = min_of(c->max_fds / 2, (u32)LIMIT_GOFER_FDS);
    mutex_init(&c->lock, LOCK_LEAF);
    list_init(&c->handle_lru);
    list_init(&c->fd_lru);
    list_init(&c->listing_lru);
    *out = c;
    return 0;
}

void gofer_conn_free(struct gofer_conn *c)
{
    if (!c)
        return;
    channel_client_free(c->client);
    free(c->release);
    mutex_destroy(&c->lock);
    free(c);
}

static int gofer_statfs(struct super *sb, struct statfs_info *out)
{
    struct proto_statfs st;
    struct gofer_request r;
    int err;

    err = gofer_request_new(&r, PROTO_STATFS, gofer_node(sb->root->inode), NULL, 0);
    if (err < 0)
        return err;
    r.call.out = &st;
    r.call.out_cap = sizeof(st);
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    if (r.call.out_len != sizeof(st))
        return -EIO;
    *out = (struct statfs_info){.type = st.type,
                                .bsize = st.bsize,
                                .blocks = st.blocks,
                                .bfree = st.bfree,
                                .bavail = st.bavail,
                                .files = st.files,
                                .ffree = st.ffree,
                                .namelen = st.namelen};
    return 0;
}

static int gofer_sync(struct super *sb)
{
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_FSYNC, gofer_node(sb->root->inode), NULL, 0);

    if (err < 0)
        return err;
    r.call.req.arg[0] = PROTO_SYNC_ALL;
    return gofer_request_run(&r);
}

static void gofer_free(struct super *sb)
{
    struct gofer_super *gs = gofer_super(sb);

    hash_free(&gs->by_id);
    hash_free(&gs->by_place);
    free(gs);
}

static const struct super_ops gofer_super_ops = {
    .statfs = gofer_statfs,
    .sync = gofer_sync,
    .free = gofer_free,
};

/* attach() - ask for the mount's root. */
static int attach(struct gofer_super *gs, u32 index, struct inode **out)
{
    struct channel_call call = {.req = {.op = PROTO_ATTACH, .arg = {index}}};
    u32 max;
    int r = channel_call(gs->conn->client, &call);

    if (r < 0)
        return r;
    if (!(call.reply.flags & PROTO_HAS_HANDLE) || !(call.reply.flags & PROTO_HAS_ATTR) ||
        call.reply.arg[0] < HANDLES_MIN)
        return -EIO;
    max = (u32)min_of(call.reply.arg[0], (u64)UINT32_MAX / 4);
    mutex_lock(&gs->conn->lock);
    if (!gs->conn->max_handles || max < gs->conn->max_handles)
        gs->conn->max_handles = max;
    mutex_unlock(&gs->conn->lock);
    gs->root_dev = call.reply.attr.dev;
    r = gofer_node_get(gs, &call.reply.attr, NULL, NULL, 0, out);
    if (r == 0)
        gofer_handle_set(gofer_node(*out), call.reply.handle);
    return r;
}

static int gofer_fs_mount(const struct fs_type *type, const struct fs_mount_args *args,
                          struct super **out)
{
    const struct gofer_mount *m = args->data;
    struct gofer_super *gs;
    struct inode *root;
    struct super *sb;
    int r;

    if (!m || !m->conn)
        return -ENODEV;
    sb = super_new(type, &gofer_super_ops, GOFER_MAGIC, args->cred);
    if (!sb)
        return -ENOMEM;
    gs = calloc(1, sizeof(*gs));
    if (!gs) {
        sb->ops = NULL;
        super_put(sb);
        return -ENOMEM;
    }
    gs->sb = sb;
    gs->conn = m->conn;
    gs->exclusive = m->exclusive;
    sb->private = gs;
    sb->flags = m->exclusive ? 0 : SUPER_REVALIDATE;
    sb->mount_flags = args->flags;
    r = attach(gs, m->index, &root);
    if (r == 0)
        r = super_set_root(sb, root);
    if (r < 0) {
        super_put(sb);
        return r;
    }
    *out = sb;
    return 0;
}

const struct fs_type gofer_fs_type = {.name = "gofer", .mount = gofer_fs_mount};
