/* A gofer that was taken over: nothing that it answers harms the Sentry. */
#include "fs/gofer/gofer.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/base/host_thread.h"
#include "tests/unit/gofer/fake_gofer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the requests of an operation are answered with; others get sensible answers. The fake
 * gofer's thread reads it; `op` is 0 while that is honest. */
static struct lie {
    _Atomic u32 op;
    void (*_Atomic tell)(const struct proto_request *req, struct fake_answer *a);
} lie;

static struct fake_gofer fake;
static struct gofer_conn *conn;
static struct mount_ns *ns;
static struct cred *cred;
static struct walk_ctx ctx;
static u32 fds_before;

/* honest() - an answer as a gofer gives it: every name is a directory or, from 'f' on, a file. */
static void honest(const struct proto_request *req, const u8 *data, struct fake_answer *a)
{
    const char *last = (const char *)data;
    u32 mode = 0040755;

    a->reply.flags = PROTO_HAS_ATTR;
    for (u32 i = 0; i + 1 < req->target[0].path_len; i++) {
        if (!data[i])
            last = (const char *)data + i + 1;
    }
    if (req->target[0].path_len && last[0] >= 'f')
        mode = 0100644;
    a->reply.attr = fake_attr(mode, req->target[0].path_len ? 100 + (u8)last[0] : 2);
    switch (req->op) {
    case PROTO_ATTACH:
        a->reply.flags |= PROTO_HAS_HANDLE;
        a->reply.handle = 1;
        a->reply.arg[0] = 1000;
        break;
    case PROTO_WALK:
        if (mode == 0040755) {
            a->reply.flags |= PROTO_HAS_HANDLE;
            a->reply.handle = req->seq;
        }
        break;
    case PROTO_OPEN:
    case PROTO_CREATE:
        a->fd = req->arg[0] & PROTO_OPEN_WRITE || req->op == PROTO_CREATE ? FAKE_RW : FAKE_RO;
        a->reply.flags |= PROTO_HAS_FD;
        break;
    default: break;
    }
}

static void answer(void *arg, const struct proto_request *req, const u8 *data,
                   struct fake_answer *a)
{
    u32 op = lie.op;

    honest(req, data, a);
    if (op && req->op == op)
        atomic_load(&lie.tell)(req, a);
}

static void start_with(bool exclusive)
{
    struct gofer_mount data = {.index = PROTO_MOUNT_ROOT, .exclusive = exclusive};
    struct fs_mount_args args = {.data = &data};
    struct user_ns *user_ns = user_ns_first();
    struct super *sb;

    lie.op = 0;
    fake_gofer_start(&fake, answer, NULL);
    cr_assert(gofer_conn_new(fake.shm, fake.client_sock, &conn) == 0);
    cred = cred_root(user_ns);
    args.cred = cred;
    data.conn = conn;
    cr_assert(gofer_fs_type.mount(&gofer_fs_type, &args, &sb) == 0);
    cr_assert(mount_ns_new(user_ns, sb, 0, "root", &ns) == 0);
    user_ns_put(user_ns);
    ctx = (struct walk_ctx){.cred = cred, .ns = ns};
    ctx.root = (struct path){mount_get(ns->root), dentry_get(ns->root->root)};
    ctx.cwd = path_get(&ctx.root);
    fds_before = open_fds();
}

static void start(void)
{
    start_with(true);
}

static void stop(void)
{
    cr_assert(open_fds() <= fds_before, "descriptors leak: %u, were %u", open_fds(), fds_before);
    path_put(&ctx.root);
    path_put(&ctx.cwd);
    mount_ns_put(ns);
    cred_put(cred);
    fake_gofer_stop(&fake);
    gofer_conn_free(conn);
    fake_gofer_unmap(&fake);
}

TestSuite(hostile, .init = start, .fini = stop, .timeout = 20);

static int try_open(const char *name, u32 flags)
{
    struct file *f;
    int r = vfs_open(&ctx, NULL, name, flags, 0644, WALK_FOLLOW, &f);

    if (r == 0)
        file_put(f);
    return r;
}

static int try_stat(const char *name)
{
    struct attr attr;
    struct path p;
    int r = walk(&ctx, NULL, name, 0, &p);

    if (r == 0) {
        r = vfs_getattr(&p, &attr);
        path_put(&p);
    }
    return r;
}

static bool count(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type, s64 next_pos)
{
    return true;
}

static int try_list(void)
{
    struct dir_emit e = {count};
    struct file *f;
    int r = vfs_open(&ctx, NULL, "/", LX_O_RDONLY | LX_O_DIRECTORY, 0, 0, &f);

    if (r == 0) {
        r = file_readdir(f, &e);
        file_put(f);
    }
    return r;
}

#define LIE(what) static void tell_##what(const struct proto_request *req, struct fake_answer *a)
#define TELL(operation, what)       \
    do {                            \
        lie.tell = tell_##what;     \
        lie.op = PROTO_##operation; \
    } while (0)

Test(hostile, the_honest_one_works)
{
    cr_assert(try_stat("/a/b/file") == 0);
    cr_assert(try_open("/a/b/file", LX_O_RDWR) == 0);
    cr_assert(try_list() == 0);
    fds_before += 1; /* the one that stays in the cache */
}

LIE(other_seq)
{
    a->reply.seq++;
}

LIE(success)
{
    a->reply.status = 5;
}

LIE(restart)
{
    a->reply.status = -512;
}

LIE(too_long)
{
    a->reply.data_len = UINT32_MAX;
}

Test(hostile, headers_that_cannot_be)
{
    TELL(WALK, other_seq);
    cr_assert(try_stat("/f1") == -EIO);
    TELL(WALK, success);
    cr_assert(try_stat("/f2") == -EIO);
    TELL(WALK, restart);
    cr_assert(try_stat("/f3") == -EIO);
    TELL(WALK, too_long);
    cr_assert(try_stat("/f4") == -EIO);
    lie.op = 0;
    cr_assert(try_stat("/f1") == 0);
}

LIE(no_attr)
{
    a->reply.flags = 0;
}

LIE(odd_type)
{
    a->reply.attr.mode = 0170000;
}

LIE(huge)
{
    a->reply.attr.size = UINT64_MAX;
    a->reply.attr.atime_nsec = UINT32_MAX;
    a->reply.attr.nlink = UINT32_MAX;
    a->reply.attr.blksize = 0;
}

LIE(same_inode)
{
    a->reply.attr.ino = 2;
    a->reply.attr.mode = 0100644;
}

Test(hostile, attributes_that_cannot_be)
{
    struct attr attr;
    struct path p;

    TELL(WALK, no_attr);
    cr_assert(try_stat("/f1") == -EIO);
    TELL(WALK, odd_type);
    cr_assert(try_stat("/f1") == -EIO);
    TELL(WALK, huge);
    cr_assert(walk(&ctx, NULL, "/f1", 0, &p) == 0);
    cr_assert(vfs_getattr(&p, &attr) == 0);
    cr_assert(attr.size == INT64_MAX && attr.atime.nsec < 1000000000 && attr.blksize > 0);
    path_put(&p);
    TELL(WALK, same_inode);
    cr_assert(try_stat("/f2") == 0, "the root's number is taken for another file's");
    cr_assert(try_stat("/") == 0);
}

LIE(a_directory_in_itself)
{
    a->reply.attr = fake_attr(0040755, 2);
    a->reply.flags |= PROTO_HAS_HANDLE;
    a->reply.handle = 77;
}

Test(hostile, a_directory_in_itself)
{
    TELL(WALK, a_directory_in_itself);
    try_stat("/a/a/a/a/a/a");
    try_open("/a/a/a", LX_O_RDONLY | LX_O_DIRECTORY);
    vfs_rename(&ctx, NULL, "/a/a/b", NULL, "/a/c", 0);
    vfs_unlink(&ctx, NULL, "/a", true);
    try_stat("/a/a");
}

LIE(no_fd)
{
    a->fd = FAKE_NONE;
}

LIE(no_flag)
{
    a->reply.flags &= ~(u32)PROTO_HAS_FD;
}

LIE(read_only)
{
    a->fd = FAKE_RO;
}

LIE(read_write)
{
    a->fd = FAKE_RW;
}

LIE(directory)
{
    a->fd = FAKE_DIR;
}

LIE(pipe)
{
    a->fd = FAKE_PIPE;
}

LIE(path)
{
    a->fd = FAKE_PATH;
}

LIE(three)
{
    a->fd_count = 3;
}

LIE(other_slot)
{
    a->tag_slot_xor = 3;
}

LIE(wild_slot)
{
    a->tag_slot_xor = 0xffff0000;
}

LIE(other_request)
{
    a->tag_seq_xor = 1;
}

LIE(no_tag)
{
    a->no_tag = true;
}

Test(hostile, descriptors_that_were_not_asked_for)
{
    TELL(OPEN, no_fd);
    cr_assert(try_open("/f1", LX_O_RDWR) == -EIO);
    TELL(OPEN, no_flag);
    cr_assert(try_open("/f1", LX_O_RDWR) == -EIO);
    TELL(OPEN, read_only);
    cr_assert(try_open("/f1", LX_O_RDWR) == -EIO);
    TELL(OPEN, read_write);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO, "more rights than asked for");
    TELL(OPEN, directory);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, pipe);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, path);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, other_slot);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, wild_slot);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, other_request);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(OPEN, no_tag);
    cr_assert(try_open("/f1", LX_O_RDONLY) == -EIO);
    TELL(WALK, directory);
    cr_assert(try_stat("/f7") == 0, "one that nobody waits for");
    lie.op = 0;
    cr_assert(try_open("/f7", LX_O_RDONLY) == 0, "that one is closed on the way");
    TELL(OPEN, three);
    try_open("/g", LX_O_RDONLY);
    fds_before += 2; /* /f7's, and the first of three */
}

static void put_entry(struct fake_answer *a, const char *name, u32 len, bool attr)
{
    struct proto_dirent e = {.len = (u16)len, .type = 8, .has_attr = attr, .ino = 5};
    struct proto_attr at = fake_attr(0100644, 5);
    u8 *p = a->data + a->len;

    memcpy(p, &e, sizeof(e));
    if (attr)
        memcpy(p + sizeof(e), &at, sizeof(at));
    memcpy(p + sizeof(e) + (attr ? sizeof(at) : 0), name, len);
    a->len += proto_dirent_bytes(len, attr);
    a->reply.data_len = a->len;
}

LIE(slash)
{
    put_entry(a, "a/b", 3, true);
}

LIE(dotdot)
{
    put_entry(a, "..", 2, false);
}

LIE(twice)
{
    put_entry(a, "same", 4, true);
    put_entry(a, "same", 4, true);
}

LIE(cut)
{
    put_entry(a, "name", 4, true);
    a->reply.data_len -= 8;
}

LIE(endless_nothing)
{
    a->reply.flags |= PROTO_MORE;
    a->reply.handle = 9;
}

LIE(endless_same)
{
    put_entry(a, "name", 4, false);
    a->reply.flags |= PROTO_MORE;
    a->reply.handle = 9;
}

Test(hostile, listings_that_cannot_be)
{
    TELL(READDIR, slash);
    cr_assert(try_list() == -EIO);
    TELL(READDIR, dotdot);
    cr_assert(try_list() == -EIO);
    TELL(READDIR, twice);
    cr_assert(try_list() == -EIO);
    TELL(READDIR, cut);
    cr_assert(try_list() == -EIO);
    TELL(READDIR, endless_nothing);
    cr_assert(try_list() == -EIO);
    TELL(READDIR, endless_same);
    cr_assert(try_list() == -EIO);
    lie.op = 0;
    cr_assert(try_list() == 0);
}

LIE(link)
{
    a->reply.attr.mode = 0120777;
    a->reply.arg[0] = 200;
    a->reply.data_len = a->len = 100;
}

LIE(link_with_nul)
{
    tell_link(req, a);
    a->reply.arg[0] = 50;
}

Test(hostile, links_that_cannot_be)
{
    char buf[16];
    struct path p;

    TELL(WALK, link);
    cr_assert(walk(&ctx, NULL, "/l1", 0, &p) == 0);
    cr_assert(vfs_readlink(&p, buf, sizeof(buf)) == -EIO, "an empty answer to READLINK");
    path_put(&p);
    TELL(WALK, link_with_nul);
    cr_assert(walk(&ctx, NULL, "/m2", 0, &p) == 0);
    cr_assert(vfs_readlink(&p, buf, sizeof(buf)) == -EIO);
    path_put(&p);
}

LIE(xattr)
{
    a->reply.arg[0] = 1ull << 40;
}

LIE(short_statfs)
{
    a->reply.data_len = 8;
}

Test(hostile, sizes_that_cannot_be)
{
    struct statfs_info st;
    struct path p;
    char buf[16];

    cr_assert(walk(&ctx, NULL, "/f", 0, &p) == 0);
    TELL(LISTXATTR, xattr);
    cr_assert(p.dentry->inode->ops->xattr->list(p.dentry->inode, buf, sizeof(buf)) == -EIO);
    path_put(&p);
    TELL(STATFS, short_statfs);
    cr_assert(ns->root->super->ops->statfs(ns->root->super, &st) == -EIO);
}

LIE(hang_up)
{
    a->hang_up = true;
}

Test(hostile, hanging_up_in_the_middle)
{
    TELL(WALK, hang_up);
    cr_assert(try_stat("/f") == -EIO);
    cr_assert(try_stat("/g") == -EIO);
    fds_before -= 1;
}

static atomic_bool scribbling;

/* scribble() - the hostile side: it races with everybody on purpose, so it is not watched for that. */
__attribute__((no_sanitize("thread"))) static void *scribble(void *arg)
{
    struct channel_shm *shm = arg;
    u32 *words = arg;
    u64 x = 88172645463325252ull;

    while (atomic_load(&scribbling)) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        words[(x >> 8) % (CHANNEL_HEAD_BYTES / 4)] = (u32)(x >> 32);
        words[(CHANNEL_HEAD_BYTES + offsetof(struct channel_slot, reply)) / 4 + (x >> 40) % 36] =
            (u32)x;
        /* Bits that get lost are the gofer's loss, but the test is to go on. */
        atomic_fetch_or(&shm->submitted, 1);
        host_futex_wake(&shm->submitted, 1, true);
    }
    return NULL;
}

Test(hostile, shared_memory_that_changes_all_the_time)
{
    pthread_t th;

    atomic_store(&scribbling, true);
    cr_assert(pthread_create(&th, NULL, scribble, fake.channel.shm) == 0);
    for (u32 i = 0; i < 300; i++) {
        char name[16];

        snprintf(name, sizeof(name), "/g%u", i);
        if (i % 3 == 0)
            try_stat(name);
        else
            try_open(name, LX_O_RDWR);
    }
    atomic_store(&scribbling, false);
    pthread_join(th, NULL);
    fds_before += 300;
}
