/*
 * open(2). Resolve (create), check, open. A description is made last, so a failure leaves nothing
 * but, as on Linux, a file that O_CREAT made.
 */
#include "fs/vfs/file.h"

#include "fs/vfs/mount.h"
#include "fs/vfs/name_priv.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"
#include "fs/vfs/setattr.h"
#include "fs/vfs/walk_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Beside the guest's flags: opened to be executed. */
#define OPEN_EXEC (1u << 31)

/* What of the flags stays in a description. */
#define KEPT_FLAGS \
    (~(LX_O_CREAT | LX_O_EXCL | LX_O_NOCTTY | LX_O_TRUNC | LX_O_CLOEXEC | OPEN_EXEC) | 0u)

static const struct file_ops path_file_ops = {0}; /* O_PATH: nothing works */

static int (*special_open[16])(struct inode *ino, struct file *file);

void vfs_set_special_open(u32 type, int (*open)(struct inode *ino, struct file *file))
{
    special_open[(type & LX_S_IFMT) >> 12] = open;
}

/* may_open() - open(2)'s checks on what was found. */
static int may_open(const struct path *p, const struct cred *cred, u32 flags, bool created)
{
    static const u32 acc_may[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
    struct inode *ino = p->dentry->inode;
    u32 mode = inode_mode(ino), may = acc_may[flags & LX_O_ACCMODE];

    if (flags & LX_O_TRUNC)
        may |= MAY_WRITE;
    if (flags & OPEN_EXEC)
        may = MAY_EXEC;
    switch (mode & LX_S_IFMT) {
    case LX_S_IFLNK: return -ELOOP;
    case LX_S_IFDIR:
        if (may & MAY_WRITE)
            return -EISDIR;
        break;
    case LX_S_IFBLK:
    case LX_S_IFCHR:
        if (p->mount->flags & LX_MS_NODEV)
            return -EACCES;
        break;
    case LX_S_IFREG:
        if ((may & MAY_EXEC) && (p->mount->flags & LX_MS_NOEXEC))
            return -EACCES;
        break;
    default: break;
    }
    if ((may & MAY_EXEC) && !LX_S_ISREG(mode))
        return -EACCES;
    if (!created) {
        int err = vfs_permission(p, cred, may);

        if (err)
            return err;
    }
    if ((flags & LX_O_NOATIME) && !inode_owner_or_capable(ino, cred))
        return -EPERM;
    return 0;
}

/* count_writer() - writers and executors of a regular file exclude each other. */
static int count_writer(struct inode *ino, int share)
{
    s32 n = atomic_load(&ino->writers);

    do {
        if (share > 0 ? n < 0 : n > 0)
            return -ETXTBSY;
    } while (!atomic_compare_exchange_weak(&ino->writers, &n, n + share));
    return 0;
}

int vfs_open_special(struct inode *ino, struct file *f)
{
    u32 type = (inode_mode(ino) & LX_S_IFMT) >> 12;

    return special_open[type] ? special_open[type](ino, f) : -ENXIO;
}

static int call_open(struct file *f)
{
    struct inode *ino = f->inode;
    u32 type = (inode_mode(ino) & LX_S_IFMT) >> 12;
    bool special = type == LX_DT_CHR || type == LX_DT_BLK || type == LX_DT_FIFO;
    int err = -ENXIO;

    if (type == LX_DT_SOCK)
        return -ENXIO;
    if (special && !(ino->super->flags & SUPER_OWN_SPECIAL)) {
        err = vfs_open_special(ino, f);
    } else if (ino->ops->open) {
        err = ino->ops->open(ino, f);
    }
    if (!err)
        f->seekable = f->ops->seek != NULL;
    return err;
}

/* open_found() - a description of p after all checks. Return: 0, errno. */
static int open_found(const struct path *p, const struct cred *cred, u32 flags, struct file **out)
{
    struct inode *ino = p->dentry->inode;
    struct file *f;
    int err = file_new(p, cred, flags & (KEPT_FLAGS | LX_O_NOCTTY), &f);

    if (err)
        return err;
    if (flags & LX_O_PATH) {
        f->ops = &path_file_ops;
        *out = f;
        return 0;
    }
    if (LX_S_ISREG(inode_mode(ino))) {
        int share = flags & OPEN_EXEC ? -1 : file_writable(f) || (flags & LX_O_TRUNC) ? 1 : 0;

        err = share ? count_writer(ino, share) : 0;
        if (!err)
            f->writer_share = (int8_t)share;
        if (!err && share > 0)
            atomic_fetch_add(&p->mount->writers, 1);
    }
    if (!err)
        err = call_open(f); /* terminals look at O_NOCTTY */
    atomic_fetch_and(&f->flags, ~LX_O_NOCTTY);
    if (!err && (flags & LX_O_TRUNC) && LX_S_ISREG(inode_mode(ino)))
        err = setattr_size(ino, 0);
    if (err) {
        file_put(f);
        return err;
    }
    f->announced = true;
    notify_file(f, LX_IN_OPEN);
    if (flags & LX_O_TRUNC)
        notify_file(f, LX_IN_MODIFY);
    *out = f;
    return 0;
}

int vfs_open_path(const struct path *path, const struct cred *cred, u32 flags, struct file **out)
{
    int err = 0;

    flags |= LX_O_LARGEFILE;
    if (!(flags & LX_O_PATH))
        err = may_open(path, cred, flags, false);
    return err ? err : open_found(path, cred, flags, out);
}

static int call_maker(const struct walk_state *w, struct inode *dir, const struct dentry *d,
                      const struct new_ids *ids, struct inode **out)
{
    const struct new_file as = {ids->mode, ids->uid, ids->gid};

    if (w->maker)
        return w->maker->make(dir, d->name, d->len, &as, w->maker->arg, out);
    if (!dir->ops->create)
        return -EACCES;
    return dir->ops->create(dir, d->name, d->len, as.mode, as.uid, as.gid, 0, 0, out);
}

/* make_file() - dir->dir_lock held and the name is free: create it. */
static int make_file(const struct walk_state *w, u32 mode, struct dentry **out)
{
    struct inode *dir = w->at.dentry->inode, *ino;
    struct dentry *d;
    struct new_ids ids;
    int err = mount_writable(w->at.mount);

    if (!err)
        err = permission_create(&w->at, w->cred);
    if (err)
        return err;
    ids = name_new_ids(dir, w->cred, (mode & LX_S_IALLUGO) | LX_S_IFREG);
    d = dentry_new(dir->super, w->at.dentry, w->comp, w->len);
    if (!d)
        return -ENOMEM;
    err = call_maker(w, dir, d, &ids, &ino);
    if (err) {
        dentry_put(d);
        return err;
    }
    d->inode = ino;
    dentry_added(d);
    notify_name(dir, LX_IN_CREATE, d->name, d->len, false);
    *out = d;
    return 0;
}

/* find_or_make() - the last component of an O_CREAT walk. Return: 0, *out a new reference. */
static int find_or_make(struct walk_state *w, u32 mode, struct dentry **out, bool *created)
{
    struct dentry *dir = w->at.dentry;
    int err = dentry_lookup(dir, w->comp, w->len, false, out);

    if (err != -ENOENT)
        return err;
    mutex_lock(&dir->inode->dir_lock);
    err = dentry_lookup(dir, w->comp, w->len, true, out);
    if (err == -ENOENT) {
        err = make_file(w, mode, out);
        *created = !err;
    }
    mutex_unlock(&dir->inode->dir_lock);
    return err;
}

/* create_last() - one turn of an O_CREAT walk, which stands at its last component. Return: 0: *p is
 * found or made, new references; 1: a link was followed, walk on; errno. */
static int create_last(struct walk_state *w, u32 flags, u32 mode, struct path *p, bool *created)
{
    struct dentry *d;
    u32 slot;
    int err;

    if (w->kind != LAST_NORM) {
        *p = path_get(&w->at);
        return 0;
    }
    if (w->must_dir)
        return -EISDIR;
    err = find_or_make(w, mode, &d, created);
    if (err)
        return err;
    *p = (struct path){w->at.mount, d};
    slot = tree_read();
    walk_cross_locked(&p->mount, &p->dentry);
    *p = path_get(p);
    tree_read_end(slot);
    dentry_put(d);
    if (!LX_S_ISLNK(inode_mode(p->dentry->inode)) || (flags & (LX_O_NOFOLLOW | LX_O_EXCL)))
        return 0;
    err = walk_link(w, p->mount, p->dentry);
    path_put(p);
    return err ? err : 1;
}

static int open_create(struct walk_state *w, u32 flags, u32 mode, struct file **out)
{
    struct path p;
    bool created = false;
    int err;

    do {
        err = walk_run(w);
        if (!err)
            err = create_last(w, flags, mode, &p, &created);
    } while (err == 1);
    if (err)
        return err;
    if (!created && (flags & LX_O_EXCL))
        err = -EEXIST;
    else if (!created && LX_S_ISDIR(inode_mode(p.dentry->inode)))
        err = -EISDIR;
    if (!err)
        err = may_open(&p, w->cred, flags, created);
    if (!err)
        err = open_found(&p, w->cred, created ? flags & ~LX_O_TRUNC : flags, out);
    path_put(&p);
    return err;
}

/* open_tmpfile() - a file without a name in the directory that the walk finds. */
static int open_tmpfile(struct walk_state *w, u32 flags, u32 mode, struct file **out)
{
    struct path p = {0};
    struct inode *dir, *ino;
    struct new_ids ids;
    char name[32];
    int err = walk_run(w);

    if (!err)
        err = vfs_permission(&w->at, w->cred, MAY_WRITE | MAY_EXEC);
    if (err)
        return err;
    dir = w->at.dentry->inode;
    if (!dir->ops->tmpfile)
        return -EOPNOTSUPP;
    ids = name_new_ids(dir, w->cred, (mode & LX_S_IALLUGO) | LX_S_IFREG);
    err = dir->ops->tmpfile(dir, ids.mode, ids.uid, ids.gid, &ino);
    if (err)
        return err;
    ino->linkable = !(flags & LX_O_EXCL);
    snprintf(name, sizeof(name), "#%llu", (unsigned long long)ino->ino);
    p.dentry = dentry_new(dir->super, w->at.dentry, name, (u32)__builtin_strlen(name));
    if (!p.dentry) {
        inode_put(ino);
        return -ENOMEM;
    }
    p.dentry->inode = ino;
    p.mount = mount_get(w->at.mount);
    err = may_open(&p, w->cred, flags, true);
    if (!err)
        err = open_found(&p, w->cred, flags, out);
    path_put(&p);
    return err;
}

static int open_existing(struct walk_state *w, u32 flags, struct file **out)
{
    u32 access = flags & LX_O_ACCMODE;
    int err;

    if (!(flags & (LX_O_PATH | LX_O_DIRECTORY)))
        w->intent = access == LX_O_RDONLY ? MAY_READ : MAY_READ | MAY_WRITE;
    err = walk_run(w);
    if (!err && !(flags & LX_O_PATH))
        err = may_open(&w->at, w->cred, flags, false);
    return err ? err : open_found(&w->at, w->cred, flags, out);
}

/* check_flags() - combinations that open(2) refuses; *flags loses what has no meaning. */
static int check_flags(u32 *flags)
{
    if (*flags & LX_O_PATH) {
        *flags &= LX_O_PATH | LX_O_DIRECTORY | LX_O_NOFOLLOW;
        return 0;
    }
    if (*flags & LX_O_TMPFILE_) {
        u32 acc = *flags & LX_O_ACCMODE;

        if (!(*flags & LX_O_DIRECTORY) || (*flags & LX_O_CREAT))
            return -EINVAL;
        if (acc != LX_O_WRONLY && acc != LX_O_RDWR)
            return -EINVAL;
    } else if ((*flags & LX_O_CREAT) && (*flags & LX_O_DIRECTORY)) {
        return -EINVAL;
    }
    if ((*flags & LX_O_CREAT) && (*flags & LX_O_EXCL))
        *flags |= LX_O_NOFOLLOW;
    *flags |= LX_O_LARGEFILE;
    return 0;
}

int vfs_open(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
             u32 mode, u32 walk_flags, struct file **out)
{
    struct walk_state w;
    bool create;
    int err = check_flags(&flags);

    if (err)
        return err;
    create = (flags & LX_O_CREAT) != 0;
    walk_flags &= ~(u32)(WALK_FOLLOW | WALK_EMPTY);
    if (!(flags & LX_O_NOFOLLOW))
        walk_flags |= WALK_FOLLOW;
    if (flags & LX_O_DIRECTORY)
        walk_flags |= WALK_DIRECTORY;
    err = walk_begin(&w, ctx, start, name, walk_flags, create);
    if (!err && (flags & LX_O_TMPFILE_))
        err = open_tmpfile(&w, flags, mode, out);
    else if (!err && create)
        err = open_create(&w, flags, mode, out);
    else if (!err)
        err = open_existing(&w, flags, out);
    walk_end(&w);
    return err;
}

int vfs_open_in(const struct path *dir, const struct cred *cred, const char *name, u32 flags,
                u32 mode, const struct file_maker *maker, struct file **out)
{
    struct walk_state w = {.cred = cred, .at = *dir, .maker = maker, .comp = name};
    struct path p = {.mount = dir->mount};
    bool created = false;
    int err;

    w.len = (u32)strlen(name);
    err = inode_permission(dir->dentry->inode, cred, MAY_EXEC);
    if (!err && (flags & LX_O_CREAT))
        err = find_or_make(&w, mode, &p.dentry, &created);
    else if (!err)
        err = dentry_lookup(dir->dentry, name, w.len, false, &p.dentry);
    if (err)
        return err;
    if (!created && (flags & LX_O_CREAT) && (flags & LX_O_EXCL))
        err = -EEXIST;
    if (!err)
        err = may_open(&p, cred, flags, created);
    if (!err)
        err = open_found(&p, cred, flags, out);
    dentry_put(p.dentry);
    return err;
}

int vfs_open_exec(const struct walk_ctx *ctx, const struct path *start, const char *name,
                  u32 walk_flags, struct file **out)
{
    struct walk_state w;
    int err = walk_begin(&w, ctx, start, name, walk_flags, false);

    if (!err)
        err = open_existing(&w, LX_O_RDONLY | LX_O_LARGEFILE | OPEN_EXEC, out);
    walk_end(&w);
    return err;
}
