/*
 * Open file descriptions: making and dropping them, with and without a name.
 *
 * Anonymous ones (pipes, sockets, eventfds) have an inode and a dentry like any other, in a super
 * that is mounted nowhere, so that nobody has to ask whether there is one.
 */
#include "fs/vfs/file.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/locks.h"
#include "fs/vfs/mount_priv.h"
#include "fs/vfs/namei.h"
#include "fs/vfs/notify.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint nfiles;

static void (*epoll_gone)(struct file *f);

void vfs_set_epoll_hook(void (*gone)(struct file *f))
{
    epoll_gone = gone;
}

static void (*async_gone)(struct file *f);
static void (*async_full)(struct file *f);

void vfs_set_async_hooks(void (*gone)(struct file *f), void (*full)(struct file *f))
{
    async_gone = gone;
    async_full = full;
}

void file_async_full(struct file *f)
{
    if (unlikely(f->async != NULL))
        async_full(f);
}

static void file_free(struct obj *o)
{
    struct file *f = container_of(o, struct file, obj);

    notify_file(f, file_writable(f) ? LX_IN_CLOSE_WRITE : LX_IN_CLOSE_NOWRITE);
    if (atomic_load(&f->was_watched))
        epoll_gone(f);
    if (f->async)
        async_gone(f);
    file_locks_release(f);
    if (f->ops && f->ops->release)
        f->ops->release(f);
    if (f->writer_share)
        atomic_fetch_sub(&f->inode->writers, f->writer_share);
    if (f->writer_share > 0)
        atomic_fetch_sub(&f->path.mount->writers, 1);
    path_put(&f->path);
    cred_put((struct cred *)f->cred);
    mutex_destroy(&f->pos_lock);
    free(f);
    atomic_fetch_sub_explicit(&nfiles, 1, memory_order_relaxed);
}

static struct obj_type file_type = {.name = "file", .free = file_free};

/* --- as something that can be mapped --- */

static struct file *mapped_file(struct mappable *m)
{
    return container_of(m, struct file, mappable);
}

static int mapped_fd(struct mappable *m, bool shared, bool may_write)
{
    struct file *f = mapped_file(m);

    return f->ops->map_fd ? f->ops->map_fd(f, shared, may_write) : -ENODEV;
}

static int mapped_writable(struct mappable *m, enum map_count what)
{
    struct file *f = mapped_file(m);

    return f->ops->map_writable ? f->ops->map_writable(f, what) : 0;
}

static void mapped_identity(struct mappable *m, u32 *dev_major, u32 *dev_minor, u64 *ino)
{
    struct file *f = mapped_file(m);

    *dev_major = f->inode->super->dev_major;
    *dev_minor = f->inode->super->dev_minor;
    *ino = f->inode->ino;
}

static int mapped_path(struct mappable *m, char *buf, size_t cap)
{
    ssize_t n = vfs_path_string(&mapped_file(m)->path, NULL, buf, cap, true, NULL);

    return n < 0 ? (int)n : (int)n - 1;
}

static struct mappable *mapped_get(struct mappable *m)
{
    file_get(mapped_file(m));
    return m;
}

static void mapped_put(struct mappable *m)
{
    file_put(mapped_file(m));
}

static const struct mappable_ops file_mappable_ops = {
    .map_fd = mapped_fd,
    .count_writable = mapped_writable,
    .identity = mapped_identity,
    .path = mapped_path,
    .get = mapped_get,
    .put = mapped_put,
};

/* --- making them --- */

u32 file_count(void)
{
    return atomic_load_explicit(&nfiles, memory_order_relaxed);
}

int file_new(const struct path *path, const struct cred *cred, u32 flags, struct file **out)
{
    struct file *f;

    if (atomic_fetch_add_explicit(&nfiles, 1, memory_order_relaxed) >= LIMIT_FILES) {
        atomic_fetch_sub_explicit(&nfiles, 1, memory_order_relaxed);
        return -ENFILE;
    }
    f = calloc(1, sizeof(*f));
    if (!f) {
        atomic_fetch_sub_explicit(&nfiles, 1, memory_order_relaxed);
        return -ENOMEM;
    }
    obj_init(&f->obj, &file_type);
    f->mappable.ops = &file_mappable_ops;
    f->path = path_get(path);
    f->inode = f->path.dentry->inode;
    f->cred = cred_get((struct cred *)cred);
    atomic_init(&f->flags, flags);
    mutex_init(&f->pos_lock, LOCK_FILE);
    list_init(&f->epolls);
    *out = f;
    return 0;
}

/* anon_open() - /proc/PID/fd leads to anonymous files too: pipes can be opened again, others not. */
static int anon_open(struct inode *ino, struct file *f)
{
    return LX_S_ISFIFO(inode_mode(ino)) ? vfs_open_special(ino, f) : -ENXIO;
}

static const struct inode_ops anon_inode_ops = {.open = anon_open};
static const struct super_ops anon_super_ops = {0};
static const struct fs_type anon_type = {.name = "anon_inodefs"};
static struct mount *anon_mount; /* made once, never put */

static void anon_init(void)
{
    struct super *sb = super_new(&anon_type, &anon_super_ops, LX_ANON_INODE_FS_MAGIC, NULL);
    struct inode *root = sb ? inode_new(sb, &anon_inode_ops, LX_S_IFDIR | 0500, 0, 0, 0) : NULL;

    if (sb)
        sb->flags = SUPER_OWN_SPECIAL;
    if (root && super_set_root(sb, root) == 0)
        anon_mount = mount_keep(mount_alloc(sb, NULL, LX_MS_NOSUID, "none"));
    super_put(sb);
}

/* anon_dentry() - a dentry with an inode of its own. */
static struct dentry *anon_dentry(const struct inode_ops *inode_ops, const char *name, u32 mode,
                                  const struct cred *cred)
{
    struct super *sb = anon_mount->super;
    struct inode *ino = inode_new(sb, inode_ops, mode, cred->fsuid, cred->fsgid, 0);
    char full[64];
    size_t len = strlen(name);
    struct dentry *d;

    if (!ino)
        return NULL;
    snprintf(full, sizeof(full), len && name[len - 1] == ':' ? "%s[%llu]" : "%s", name,
             (unsigned long long)ino->ino);
    d = dentry_new(sb, NULL, full, (u32)strlen(full));
    if (!d)
        inode_put(ino);
    else
        d->inode = ino;
    return d;
}

int file_new_anon(const struct file_ops *ops, const char *name, u32 mode, const struct cred *cred,
                  u32 flags, void *private, struct file **out)
{
    return file_new_anon_inode(ops, &anon_inode_ops, name, mode, cred, flags, private, out);
}

int file_new_anon_inode(const struct file_ops *ops, const struct inode_ops *inode_ops,
                        const char *name, u32 mode, const struct cred *cred, u32 flags,
                        void *private, struct file **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct path path;
    struct file *f;
    int err;

    pthread_once(&once, anon_init);
    if (!anon_mount)
        return -ENOMEM;
    path = (struct path){anon_mount, anon_dentry(inode_ops, name, mode, cred)};
    if (!path.dentry)
        return -ENOMEM;
    err = file_new(&path, cred, flags, &f);
    dentry_put(path.dentry);
    if (err)
        return err;
    f->ops = ops;
    f->private = private;
    f->seekable = ops->seek != NULL;
    *out = f;
    return 0;
}

int file_new_unlinked(struct mount *m, struct inode *ino, const char *name,
                      const struct cred *cred, u32 flags, struct file **out)
{
    struct path path = {m, dentry_new(m->super, NULL, name, (u32)strlen(name))};
    struct file *f;
    int err;

    if (!path.dentry) {
        inode_put(ino);
        return -ENOMEM;
    }
    path.dentry->inode = ino;
    err = file_new(&path, cred, flags, &f);
    dentry_put(path.dentry);
    if (err)
        return err;
    err = ino->ops->open(ino, f);
    if (err) {
        file_put(f);
        return err;
    }
    f->seekable = f->ops->seek != NULL;
    *out = f;
    return 0;
}

int file_new_shared(struct file *other, const struct file_ops *ops, u32 flags, void *private,
                    struct file **out)
{
    struct file *f;
    int err = file_new(&other->path, other->cred, flags, &f);

    if (err)
        return err;
    f->ops = ops;
    f->private = private;
    f->seekable = ops->seek != NULL;
    *out = f;
    return 0;
}
