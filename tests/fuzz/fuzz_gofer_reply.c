/*
 * Feeds answers to the Sentry's client of a gofer, as a hostile gofer would. Input: a byte (1: an
 * exclusive mount), then for each request { struct proto_reply, u32 n, n bytes of data }; after the
 * last all answers are -EIO. Which descriptor is sent with an answer stands in its handle's low
 * bits. The client does a little of everything.
 */
#include "fs/gofer/gofer.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "tests/unit/gofer/fake_gofer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    const uint8_t *data;
    size_t size;
};

static void answer(void *arg, const struct proto_request *req, const u8 *data,
                   struct fake_answer *a)
{
    struct script *s = arg;
    u32 n;

    if (s->size < sizeof(a->reply) + sizeof(n)) {
        a->reply.status = -EIO;
        return;
    }
    memcpy(&a->reply, s->data, sizeof(a->reply));
    memcpy(&n, s->data + sizeof(a->reply), sizeof(n));
    s->data += sizeof(a->reply) + sizeof(n);
    s->size -= sizeof(a->reply) + sizeof(n);
    n = (u32)min_of((size_t)n, s->size);
    n = min_of(n, (u32)sizeof(a->data));
    memcpy(a->data, s->data, n);
    a->len = n;
    s->data += n;
    s->size -= n;
    /* The sequence number's own bits are tried by its high half. */
    if (!(a->reply.seq >> 16))
        a->reply.seq = req->seq;
    if (a->reply.flags & PROTO_HAS_FD)
        a->fd = (enum fake_fd)(a->reply.handle % FAKE_KINDS);
}

static bool take(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type, s64 next_pos)
{
    assert(len > 0 && len <= LIMIT_NAME && !memchr(name, '/', len));
    return true;
}

static void use_file(struct walk_ctx *ctx, const char *name, u32 flags)
{
    struct dir_emit e = {take};
    struct uio_vec vec;
    struct file *f;
    char buf[64];
    struct uio u;

    if (vfs_open(ctx, NULL, name, flags, 0644, WALK_FOLLOW, &f) < 0)
        return;
    uio_kernel(&u, &vec, buf, sizeof(buf));
    file_read(f, &u, NULL);
    uio_kernel(&u, &vec, buf, 3);
    file_write(f, &u, NULL);
    file_seek(f, 0, LX_SEEK_END);
    file_readdir(f, &e);
    if (f->ops->map_fd)
        f->ops->map_fd(f, false, false);
    file_put(f);
}

static void use_path(struct walk_ctx *ctx, const char *name)
{
    struct setattr s = {.valid = SET_MODE | SET_SIZE, .mode = 0600, .size = 5};
    struct attr attr;
    struct path p;
    char buf[64];

    if (walk(ctx, NULL, name, 0, &p) < 0)
        return;
    if (vfs_getattr(&p, &attr) == 0)
        assert(attr.size <= INT64_MAX && attr.mtime.nsec < 1000000000);
    vfs_readlink(&p, buf, sizeof(buf));
    vfs_setattr(&p, ctx->cred, &s);
    if (p.dentry->inode->ops->xattr) {
        p.dentry->inode->ops->xattr->get(p.dentry->inode, "user.x", buf, sizeof(buf));
        p.dentry->inode->ops->xattr->list(p.dentry->inode, buf, sizeof(buf));
        p.dentry->inode->ops->xattr->set(p.dentry->inode, "user.x", buf, 5, 0);
    }
    vfs_link(ctx, &p, NULL, "/linked");
    path_put(&p);
}

static void use(struct walk_ctx *ctx, struct super *sb)
{
    struct statfs_info st;

    use_path(ctx, "/");
    use_file(ctx, "/", LX_O_RDONLY | LX_O_DIRECTORY);
    use_path(ctx, "/a");
    use_path(ctx, "/a/b");
    use_file(ctx, "/a/b", LX_O_RDWR);
    use_file(ctx, "/a", LX_O_RDONLY);
    use_file(ctx, "/a/new", LX_O_CREAT | LX_O_RDWR);
    vfs_mkdir(ctx, NULL, "/a/dir", 0755);
    vfs_symlink(ctx, "to", NULL, "/a/link");
    vfs_rename(ctx, NULL, "/a/new", NULL, "/b", 0);
    vfs_rename(ctx, NULL, "/a", NULL, "/c", 0);
    vfs_unlink(ctx, NULL, "/b", false);
    vfs_unlink(ctx, NULL, "/a/dir", true);
    use_path(ctx, "/a/b/c/d/e");
    sb->ops->statfs(sb, &st);
}

static u64 live(const char *name)
{
    for (struct obj_type *t = obj_types(); t; t = t->next) {
        if (!strcmp(t->name, name))
            return t->live;
    }
    return 0;
}

static void mounted(struct super *sb, struct user_ns *user_ns, struct cred *cred)
{
    struct walk_ctx ctx = {.cred = cred};
    struct mount_ns *ns;

    if (mount_ns_new(user_ns, sb, 0, "root", &ns) < 0)
        abort();
    ctx.ns = ns;
    ctx.root = (struct path){mount_get(ns->root), dentry_get(ns->root->root)};
    ctx.cwd = path_get(&ctx.root);
    use(&ctx, sb);
    path_put(&ctx.root);
    path_put(&ctx.cwd);
    mount_ns_put(ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_gofer fake;
    struct script script = {data + 1, size - 1};
    struct gofer_mount m = {.index = PROTO_MOUNT_ROOT};
    struct fs_mount_args args = {.data = &m};
    struct user_ns *user_ns = user_ns_first();
    struct cred *cred = cred_root(user_ns);
    struct super *sb;
    u32 fds;

    if (size == 0) {
        cred_put(cred);
        user_ns_put(user_ns);
        return 0;
    }
    fds = open_fds();
    args.cred = cred;
    m.exclusive = data[0] & 1;
    fake_gofer_start(&fake, answer, &script);
    if (gofer_conn_new(fake.shm, fake.client_sock, &m.conn) < 0)
        abort();
    if (gofer_fs_type.mount(&gofer_fs_type, &args, &sb) == 0)
        mounted(sb, user_ns, cred);
    assert(live("inode") == 0 && live("dentry") == 0 && live("file") == 0 && live("super") == 0);
    fake_gofer_stop(&fake);
    gofer_conn_free(m.conn);
    fake_gofer_unmap(&fake);
    assert(open_fds() == fds);
    cred_put(cred);
    user_ns_put(user_ns);
    return 0;
}
