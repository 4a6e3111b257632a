/*
 * A container's mount tree: the gofer's root, the mounts of the spec in their order, the mandatory
 * ones that it leaves out, then masked and read-only paths. Mount points that are missing are made,
 * as runc makes them.
 */
#include "sentry/boot.h"

#include "fs/gofer/gofer.h"
#include "fs/proto/proto.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"
#include "sentry/kernel/container.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct builder {
    struct container *c;
    const struct boot_args *args;
    struct oci_error *err;
    struct walk_ctx ctx;
    struct cred *cred;
};

/* Mounts that every container has, made where the spec has none at that place. */
static const struct {
    const char *type, *at, *options;
} mandatory[] = {
    {"proc", "/proc", NULL},
    {"sysfs", "/sys", NULL},
    {"devtmpfs", "/dev", NULL},
    {"devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"tmpfs", "/dev/shm", "mode=1777,size=67108864"},
};

static int fail(struct builder *b, int err, const char *what, const char *at)
{
    snprintf(b->err->text, sizeof(b->err->text), "%s \"%s\": %s", what, at, strerror(-err));
    return err;
}

/* make_dirs() - mkdir -p of all but the last component, or of all with `whole`. */
static int make_dirs(struct builder *b, const char *path, bool whole)
{
    auto_free char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    for (char *p = copy + 1;; p++) {
        char was = *p;
        int err;

        if (was != '/' && was != 0)
            continue;
        if (was == 0 && !whole)
            return 0;
        *p = 0;
        err = vfs_mkdir(&b->ctx, NULL, copy, 0755);
        *p = was;
        if (err < 0 && err != -EEXIST)
            return err;
        if (was == 0)
            return 0;
    }
}

/* mount_point() - the place for a mount, made if it is missing. */
static int mount_point(struct builder *b, const char *at, bool dir, struct path *out)
{
    int err = walk(&b->ctx, NULL, at, WALK_FOLLOW, out);

    if (err != -ENOENT)
        return err;
    err = make_dirs(b, at, dir);
    if (!err && !dir)
        err = vfs_mknod(&b->ctx, NULL, at, LX_S_IFREG | 0644, 0, 0);
    if (err < 0 && err != -EEXIST)
        return err;
    return walk(&b->ctx, NULL, at, WALK_FOLLOW, out);
}

/* attach() - mount a file system of `type` at a path. */
static int attach(struct builder *b, const char *type, const char *at, const char *source,
                  const char *options, u32 flags, bool dir, void *data)
{
    const struct fs_type *fs = fs_type_find(type);
    struct fs_mount_args args = {
        .source = source, .options = options, .flags = flags, .cred = b->cred, .data = data};
    auto_put(super) struct super *sb = NULL;
    struct path where;
    int err;

    if (!fs)
        return fail(b, -ENODEV, "mount: no such file system as", type);
    if (strcmp(type, "proc") == 0)
        args.data = b->c->pid_ns;
    if (strcmp(type, "mqueue") == 0)
        args.data = b->c->ipc_ns;
    err = fs->mount(fs, &args, &sb);
    if (err < 0)
        return fail(b, err, "mount on", at);
    if (strcmp(at, "/") == 0)
        return fail(b, -EBUSY, "mount on", at);
    err = mount_point(b, at, dir, &where);
    if (err < 0)
        return fail(b, err, "mount point", at);
    err = mount_attach(b->c->mount_ns, sb, NULL, &where, flags, source);
    path_put(&where);
    return err < 0 ? fail(b, err, "mount on", at) : 0;
}

/* join_options() - ["a=1","b"] to "a=1,b"; NULL for none or out of memory. */
static char *join_options(const struct oci_strings *list)
{
    size_t len = 1;
    char *out, *p;

    for (size_t i = 0; i < list->count; i++)
        len += strlen(list->items[i]) + 1;
    out = p = calloc(1, len);
    for (size_t i = 0; out && i < list->count; i++)
        p += snprintf(p, len - (size_t)(p - out), "%s%s", i ? "," : "", list->items[i]);
    return out;
}

static const struct boot_bind *find_bind(const struct boot_args *args, size_t spec)
{
    for (u32 i = 0; i < args->nbinds; i++)
        if (args->binds[i].spec == spec)
            return &args->binds[i];
    return NULL;
}

static int mount_bind_entry(struct builder *b, const struct oci_mount *m,
                            const struct boot_bind *bind)
{
    struct gofer_mount data = {
        .conn = b->args->gofer,
        .index = bind->index,
        .exclusive = !b->args->mounts_shared,
    };
    u32 flags = (u32)m->flags & LX_MS_MOUNT_FLAGS;

    if (bind->readonly)
        flags |= LX_MS_RDONLY;
    return attach(b, "gofer", m->destination, m->source, NULL, flags, bind->dir, &data);
}

static int mount_spec_entry(struct builder *b, size_t i)
{
    const struct oci_mount *m = &b->args->spec->mounts.items[i];
    const struct boot_bind *bind = find_bind(b->args, i);
    auto_free char *options = join_options(&m->data);
    const char *type = m->type;

    if (bind)
        return mount_bind_entry(b, m, bind);
    if (strcmp(type, "cgroup") == 0)
        type = "cgroup2"; /* the version is ours to choose */
    if (strcmp(type, "tmpfs") == 0 && strcmp(m->destination, "/dev") == 0)
        type = "devtmpfs";
    return attach(b, type, m->destination, m->source, options,
                  (u32)m->flags & LX_MS_MOUNT_FLAGS, true, NULL);
}

/* propagate() - what options and rootfsPropagation say of mounts, as it is among the sandbox's own:
 * all are private so far, so nothing is left to do for private and slave. */
static int propagate(struct builder *b, const char *at, u32 type, bool rec)
{
    struct path where;
    int err;

    if (!(type & (LX_MS_SHARED | LX_MS_UNBINDABLE)))
        return 0;
    err = walk(&b->ctx, NULL, at, WALK_FOLLOW, &where);
    if (err < 0)
        return fail(b, err, "mount on", at);
    err = mount_set_propagation(b->c->mount_ns, &where, type, rec);
    path_put(&where);
    return err < 0 ? fail(b, err, "propagation of the mount on", at) : 0;
}

static int propagate_all(struct builder *b)
{
    const struct oci_spec *spec = b->args->spec;
    const char *root = spec->linux_.rootfs_propagation;
    bool rec = root && root[0] == 'r';
    int err = 0;

    for (size_t i = 0; !err && i < spec->mounts.count; i++) {
        const struct oci_mount *m = &spec->mounts.items[i];

        err = propagate(b, m->destination, (u32)m->propagation & LX_MS_PROPAGATION,
                        m->propagation & OCI_MOUNT_REC);
    }
    if (err || !root)
        return err;
    if (strcmp(root + rec, "shared") == 0)
        return propagate(b, "/", LX_MS_SHARED, rec);
    return strcmp(root + rec, "unbindable") == 0 ? propagate(b, "/", LX_MS_UNBINDABLE, rec) : 0;
}

static bool spec_mounts(const struct oci_spec *spec, const char *at)
{
    for (size_t i = 0; i < spec->mounts.count; i++)
        if (strcmp(spec->mounts.items[i].destination, at) == 0)
            return true;
    return false;
}

static int mount_mandatory(struct builder *b)
{
    for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++) {
        int err;

        if (spec_mounts(b->args->spec, mandatory[i].at) || !fs_type_find(mandatory[i].type))
            continue;
        err = attach(b, mandatory[i].type, mandatory[i].at, mandatory[i].type,
                     mandatory[i].options, LX_MS_NOSUID, true, NULL);
        if (err < 0)
            return err;
    }
    return 0;
}

/* mask() - an empty read-only tmpfs over a directory, /dev/null over a file; what is not there
 * needs none. */
static int mask(struct builder *b, const char *at)
{
    struct path where, null;
    int err = walk(&b->ctx, NULL, at, WALK_FOLLOW, &where);

    if (err < 0)
        return err == -ENOENT || err == -ENOTDIR ? 0 : fail(b, err, "masked path", at);
    if ((where.dentry->inode->mode & LX_S_IFMT) == LX_S_IFDIR) {
        path_put(&where);
        return attach(b, "tmpfs", at, "tmpfs", "size=0,mode=755", LX_MS_RDONLY, true, NULL);
    }
    err = walk(&b->ctx, NULL, "/dev/null", WALK_FOLLOW, &null);
    if (!err) {
        err = mount_bind(b->c->mount_ns, &null, &where, false, 0);
        path_put(&null);
    }
    path_put(&where);
    return err < 0 ? fail(b, err, "masked path", at) : 0;
}

static int make_readonly(struct builder *b, const char *at)
{
    struct path where;
    int err = walk(&b->ctx, NULL, at, WALK_FOLLOW, &where);

    if (err < 0)
        return err == -ENOENT || err == -ENOTDIR ? 0 : fail(b, err, "read-only path", at);
    err = mount_bind(b->c->mount_ns, &where, &where, true, LX_MS_RDONLY);
    path_put(&where);
    return err < 0 ? fail(b, err, "read-only path", at) : 0;
}

static int protect_paths(struct builder *b)
{
    const struct oci_linux *l = &b->args->spec->linux_;
    int err = 0;

    for (size_t i = 0; !err && i < l->masked_paths.count; i++)
        err = mask(b, l->masked_paths.items[i]);
    for (size_t i = 0; !err && i < l->readonly_paths.count; i++)
        err = make_readonly(b, l->readonly_paths.items[i]);
    return err;
}

static int mount_root(struct builder *b)
{
    const struct fs_type *fs = fs_type_find("gofer");
    struct gofer_mount data = {
        .conn = b->args->gofer,
        .index = PROTO_MOUNT_ROOT,
        .exclusive = !b->args->root_shared,
    };
    struct fs_mount_args args = {.source = "root", .cred = b->cred, .data = &data};
    struct super *sb;
    int err = fs->mount(fs, &args, &sb);

    if (err < 0)
        return fail(b, err, "root file system", b->args->spec->root_path);
    err = mount_ns_new(b->c->user_ns, sb, 0, "root", &b->c->mount_ns);
    if (err < 0)
        super_put(sb);
    return err;
}

/* root_readonly() - last of all, since mount points may have to be made first. */
static int root_readonly(struct builder *b)
{
    return b->args->root_readonly
               ? mount_remount(b->c->mount_ns, &b->ctx.root, LX_MS_RDONLY | LX_MS_BIND)
               : 0;
}

static int build(struct builder *b)
{
    int err = 0;

    for (size_t i = 0; !err && i < b->args->spec->mounts.count; i++)
        err = mount_spec_entry(b, i);
    if (!err)
        err = mount_mandatory(b);
    if (!err)
        err = protect_paths(b);
    if (!err)
        err = propagate_all(b);
    return err ? err : root_readonly(b);
}

int boot_mounts(struct container *c, const struct boot_args *args, struct oci_error *err)
{
    struct builder b = {.c = c, .args = args, .err = err, .cred = cred_root(c->user_ns)};
    int ret;

    if (!b.cred)
        return -ENOMEM;
    ret = mount_root(&b);
    if (!ret) {
        b.ctx.cred = b.cred;
        b.ctx.ns = c->mount_ns;
        b.ctx.root = mount_ns_root(c->mount_ns);
        b.ctx.cwd = path_get(&b.ctx.root);
        ret = build(&b);
        path_put(&b.ctx.root);
        path_put(&b.ctx.cwd);
    }
    cred_put(b.cred);
    return ret;
}
