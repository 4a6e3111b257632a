/* See sentry_fixture.h. */
#include "tests/unit/gofer/sentry_fixture.h"

#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

void sentry_mount(struct sentry *s, bool exclusive)
{
    struct gofer_mount data = {.index = PROTO_MOUNT_ROOT, .exclusive = exclusive};
    struct fs_mount_args args = {.source = "root", .data = &data};
    struct user_ns *user_ns = user_ns_first();
    struct super *sb;

    /* The connection takes the socket over. */
    cr_assert(gofer_conn_new(s->f.shm, s->f.client->sock, &s->conn) == 0);
    s->f.client->sock = -1;
    s->cred = cred_root(user_ns);
    args.cred = s->cred;
    data.conn = s->conn;
    cr_assert(gofer_fs_type.mount(&gofer_fs_type, &args, &sb) == 0);
    cr_assert(mount_ns_new(user_ns, sb, 0, "root", &s->ns) == 0);
    user_ns_put(user_ns);
    s->ctx.cred = s->cred;
    s->ctx.ns = s->ns;
    s->ctx.root = (struct path){mount_get(s->ns->root), dentry_get(s->ns->root->root)};
    s->ctx.cwd = path_get(&s->ctx.root);
}

void sentry_start(struct sentry *s, bool exclusive)
{
    fixture_start(&s->f);
    sentry_mount(s, exclusive);
}

/* live() - objects of a type that are left. */
static u64 live(const char *name)
{
    for (struct obj_type *t = obj_types(); t; t = t->next) {
        if (!strcmp(t->name, name))
            return t->live;
    }
    return 0;
}

void sentry_stop(struct sentry *s)
{
    path_put(&s->ctx.root);
    path_put(&s->ctx.cwd);
    mount_ns_put(s->ns);
    cred_put(s->cred);
    cr_assert(live("inode") == 0, "%llu inodes left", (unsigned long long)live("inode"));
    cr_assert(live("dentry") == 0);
    cr_assert(live("super") == 0);
    cr_assert(live("file") == 0);
    fixture_stop_conn(&s->f, s->conn);
}

int s_open(struct sentry *s, const char *name, u32 flags, u32 mode, struct file **out)
{
    return vfs_open(&s->ctx, NULL, name, flags, mode, WALK_FOLLOW, out);
}

ssize_t s_read(struct file *f, void *buf, size_t len)
{
    struct uio_vec vec;
    struct uio u;

    uio_kernel(&u, &vec, buf, len);
    return file_read(f, &u, NULL);
}

ssize_t s_write(struct file *f, const void *buf, size_t len)
{
    struct uio_vec vec;
    struct uio u;

    uio_kernel(&u, &vec, (void *)(uintptr_t)buf, len);
    return file_write(f, &u, NULL);
}

int s_stat(struct sentry *s, const char *name, struct attr *out)
{
    struct path p;
    int r = walk(&s->ctx, NULL, name, 0, &p);

    if (r < 0)
        return r;
    r = vfs_getattr(&p, out);
    path_put(&p);
    return r;
}

int s_setattr(struct sentry *s, const char *name, const struct setattr *change)
{
    struct path p;
    int r = walk(&s->ctx, NULL, name, 0, &p);

    if (r < 0)
        return r;
    r = vfs_setattr(&p, s->cred, change);
    path_put(&p);
    return r;
}

enum { NAMES_MAX = 8192 };

struct names {
    struct dir_emit emit;
    char *name[NAMES_MAX];
    u32 count, budget;
};

static bool take_name(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type,
                      s64 next_pos)
{
    struct names *n = container_of(e, struct names, emit);

    if (n->budget-- == 0)
        return false;
    cr_assert(ino != 0 && type != 0);
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        n->name[n->count++] = strndup(name, len);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int s_names(struct sentry *s, const char *name, char *buf, size_t cap)
{
    static struct names n;
    struct file *f;
    size_t at = 0;
    u32 before;
    int r = s_open(s, name, LX_O_RDONLY | LX_O_DIRECTORY, 0, &f);

    if (r < 0)
        return r;
    n.emit.emit = take_name;
    n.count = 0;
    /* In small portions, as a small getdents buffer would ask. */
    do {
        before = n.count;
        n.budget = 7;
        r = file_readdir(f, &n.emit);
    } while (r == 0 && n.count != before);
    file_put(f);
    qsort(n.name, n.count, sizeof(n.name[0]), by_name);
    buf[0] = '\0';
    for (u32 i = 0; i < n.count; i++) {
        if (at < cap)
            at += (size_t)snprintf(buf + at, cap - at, "%s%s", at ? " " : "", n.name[i]);
        free(n.name[i]);
    }
    return r < 0 ? r : (int)n.count;
}
