/* The fixture of tests of files; see vfs_fixture.h. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct fixture fx;

void fx_thread_init(struct sleeper *s)
{
    sleeper_init(s);
    sleeper_current = s;
}

void fixture_init_with(const char *options)
{
    struct fs_mount_args args = {.options = options};
    struct super *sb;

    fx_thread_init(&fx.sleeper);
    fx.user_ns = user_ns_first();
    fx.root = cred_root(fx.user_ns);
    args.cred = fx.root;
    dev_init();
    cr_assert_eq(tmpfs_type.mount(&tmpfs_type, &args, &sb), 0);
    cr_assert_eq(mount_ns_new(fx.user_ns, sb, 0, "tmpfs", &fx.ns), 0);
    fx.ctx.cred = fx.root;
    fx.ctx.ns = fx.ns;
    fx.ctx.root = mount_ns_root(fx.ns);
    fx.ctx.cwd = path_get(&fx.ctx.root);
}

void fixture_init(void)
{
    fixture_init_with(NULL);
}

/* leaked() - are objects of this type alive beyond `keep`? */
static bool leaked(const char *name, u64 keep)
{
    for (struct obj_type *t = obj_types(); t; t = t->next)
        if (!strcmp(t->name, name) && atomic_load(&t->live) > keep)
            return true;
    return false;
}

void fixture_fini(void)
{
    bool anon = leaked("super", 1); /* pipes have made the super without a name, which stays */

    path_put(&fx.ctx.cwd);
    path_put(&fx.ctx.root);
    mount_ns_put(fx.ns);
    cr_expect_not(leaked("file", 0), "files leak");
    cr_expect_not(leaked("mount", anon), "mounts leak");
    cr_expect_not(leaked("super", anon), "supers leak");
    cr_expect_not(leaked("dentry", anon), "dentries leak");
    cr_expect_not(leaked("inode", anon), "inodes leak");
    cr_expect_eq(dentry_cached(), 0);
    cred_put(fx.root);
    user_ns_put(fx.user_ns);
}

struct cred *fx_user(u32 uid, u32 gid)
{
    struct cred *c = cred_dup(fx.root);

    c->uid = c->euid = c->suid = c->fsuid = uid;
    c->gid = c->egid = c->sgid = c->fsgid = gid;
    c->cap_permitted = c->cap_effective = 0;
    return c;
}

void fx_as(struct cred *cred)
{
    fx.ctx.cred = cred;
}

struct file *fx_open(const char *name, u32 flags, u32 mode)
{
    struct file *f = NULL;
    int err = vfs_open(&fx.ctx, NULL, name, flags, mode, 0, &f);

    cr_assert_eq(err, 0, "open %s: %d", name, err);
    return f;
}

int fx_try_open(const char *name, u32 flags, u32 mode)
{
    struct file *f;
    int err = vfs_open(&fx.ctx, NULL, name, flags, mode, 0, &f);

    if (!err)
        file_put(f);
    return err;
}

void fx_file(const char *name, const char *text)
{
    struct file *f = fx_open(name, LX_O_WRONLY | LX_O_CREAT | LX_O_TRUNC, 0644);

    cr_assert_eq(fx_write(f, text, strlen(text)), (ssize_t)strlen(text));
    file_put(f);
}

void fx_mkdir(const char *name)
{
    int err = vfs_mkdir(&fx.ctx, NULL, name, 0755);

    cr_assert_eq(err, 0, "mkdir %s: %d", name, err);
}

static int stat_flags(const char *name, u32 flags, struct attr *out)
{
    struct path p;
    int err = walk(&fx.ctx, NULL, name, flags, &p);

    if (!err) {
        err = vfs_getattr(&p, out);
        path_put(&p);
    }
    return err;
}

int fx_stat(const char *name, struct attr *out)
{
    return stat_flags(name, WALK_FOLLOW, out);
}

int fx_lstat(const char *name, struct attr *out)
{
    return stat_flags(name, 0, out);
}

bool fx_exists(const char *name)
{
    struct attr a;

    return fx_lstat(name, &a) == 0;
}

static int setattr_name(const char *name, const struct setattr *s)
{
    struct path p;
    int err = walk(&fx.ctx, NULL, name, WALK_FOLLOW, &p);

    if (!err) {
        err = vfs_setattr(&p, fx.ctx.cred, s);
        path_put(&p);
    }
    return err;
}

int fx_chmod(const char *name, u32 mode)
{
    return setattr_name(name, &(struct setattr){.valid = SET_MODE, .mode = mode});
}

int fx_chown(const char *name, u32 uid, u32 gid)
{
    return setattr_name(name,
                        &(struct setattr){.valid = SET_UID | SET_GID, .uid = uid, .gid = gid});
}

ssize_t fx_read(struct file *f, void *buf, size_t len)
{
    struct uio_vec vec;
    struct uio io;

    uio_kernel(&io, &vec, buf, len);
    return file_read(f, &io, NULL);
}

ssize_t fx_write(struct file *f, const void *buf, size_t len)
{
    struct uio_vec vec;
    struct uio io;

    uio_kernel(&io, &vec, (void *)(uintptr_t)buf, len);
    return file_write(f, &io, NULL);
}

ssize_t fx_pread(struct file *f, void *buf, size_t len, s64 pos)
{
    struct uio_vec vec;
    struct uio io;

    uio_kernel(&io, &vec, buf, len);
    return file_read(f, &io, &pos);
}

ssize_t fx_pwrite(struct file *f, const void *buf, size_t len, s64 pos)
{
    struct uio_vec vec;
    struct uio io;

    uio_kernel(&io, &vec, (void *)(uintptr_t)buf, len);
    return file_write(f, &io, &pos);
}

const char *fx_path(const char *name, u32 flags)
{
    static char text[4096];
    struct path p;
    ssize_t n;

    if (walk(&fx.ctx, NULL, name, flags, &p) < 0)
        return NULL;
    n = vfs_path_string(&p, &fx.ctx.root, text, sizeof(text), true, NULL);
    path_put(&p);
    return n < 0 ? NULL : text;
}

struct lister {
    struct dir_emit emit;
    char names[256][64];
    u32 n;
};

static bool list_one(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type, s64 next)
{
    struct lister *l = container_of(e, struct lister, emit);

    if (l->n == 256)
        return false;
    if ((len == 1 && name[0] == '.') || (len == 2 && !memcmp(name, "..", 2)))
        return true;
    snprintf(l->names[l->n++], 64, "%.*s", (int)len, name);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

const char *fx_list(const char *name)
{
    static char text[256 * 64];
    static struct lister l;
    struct file *f = fx_open(name, LX_O_RDONLY | LX_O_DIRECTORY, 0);
    size_t at = 0;

    l = (struct lister){.emit.emit = list_one};
    cr_assert_eq(file_readdir(f, &l.emit), 0);
    file_put(f);
    qsort(l.names, l.n, sizeof(l.names[0]), by_name);
    text[0] = '\0';
    for (u32 i = 0; i < l.n; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", l.names[i]);
    return text;
}

int fx_mount(const char *at, const char *options)
{
    struct fs_mount_args args = {.options = options, .cred = fx.root};
    struct super *sb;
    struct path p;
    int err = walk(&fx.ctx, NULL, at, WALK_FOLLOW, &p);

    if (err)
        return err;
    err = tmpfs_type.mount(&tmpfs_type, &args, &sb);
    if (!err) {
        err = mount_attach(fx.ns, sb, NULL, &p, 0, "tmpfs");
        super_put(sb);
    }
    path_put(&p);
    return err;
}
