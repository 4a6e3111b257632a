/*
 * New names: mkdir(2), mknod(2), symlink(2), link(2). All have one shape: find the directory, lock
 * it, see that the name is free, check, let the file system make it, publish the dentry.
 */
#include "fs/vfs/name_priv.h"

#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"
#include "sentry/abi/lx_cred.h"

#include <errno.h>
#include <string.h>

int name_slot_find(const struct walk_ctx *ctx, const struct path *start, const char *name,
                   struct name_slot *out)
{
    return walk_parent(ctx, start, name, 0, &out->dir, &out->name, &out->len, &out->trailing);
}

bool name_is_dot(const struct name_slot *s)
{
    return s->len == 1 && s->name[0] == '.';
}

bool name_is_dotdot(const struct name_slot *s)
{
    return s->len == 2 && s->name[0] == '.' && s->name[1] == '.';
}

bool name_is_plain(const struct name_slot *s)
{
    return s->len && !name_is_dot(s) && !name_is_dotdot(s);
}

struct new_ids name_new_ids(const struct inode *dir, const struct cred *cred, u32 mode)
{
    struct new_ids ids = {mode, cred->fsuid, cred->fsgid};

    if (!(inode_mode(dir) & LX_S_ISGID))
        return ids;
    ids.gid = inode_get_u32(&dir->gid);
    if (LX_S_ISDIR(mode))
        ids.mode |= LX_S_ISGID;
    else if ((mode & (LX_S_ISGID | LX_S_IXGRP)) == (LX_S_ISGID | LX_S_IXGRP) &&
             !cred_in_group(cred, ids.gid) && !inode_capable(dir, cred, LX_CAP_FSETID))
        ids.mode &= ~LX_S_ISGID;
    return ids;
}

/* A name that is about to be made. */
struct creation {
    struct name_slot slot;
    struct inode *dir;
    struct dentry *d; /* unhashed, without inode */
};

/* create_begin() - the slot is locked and free and may be filled by cred.
 * Return: 0: create_end() must follow; errno. */
static int create_begin(const struct walk_ctx *ctx, const struct path *start, const char *name,
                        bool is_dir, struct creation *c)
{
    struct dentry *there;
    int err = name_slot_find(ctx, start, name, &c->slot);

    if (err)
        return err;
    c->d = NULL;
    c->dir = c->slot.dir.dentry->inode;
    mutex_lock(&c->dir->dir_lock);
    err = -EEXIST;
    if (name_is_plain(&c->slot))
        err = dentry_lookup(c->slot.dir.dentry, c->slot.name, c->slot.len, true, &there);
    else
        there = NULL;
    if (err == 0) {
        dentry_put(there);
        err = -EEXIST;
    } else if (err == -ENOENT && (is_dir || !c->slot.trailing)) {
        err = permission_create(&c->slot.dir, ctx->cred);
        if (!err)
            c->d = dentry_new(c->dir->super, c->slot.dir.dentry, c->slot.name, c->slot.len);
        if (!err && !c->d)
            err = -ENOMEM;
    }
    if (err) {
        mutex_unlock(&c->dir->dir_lock);
        path_put(&c->slot.dir);
    }
    return err;
}

/* create_end() - publish `ino` (taken) under the name, or with an error nothing. Return: err. */
static int create_end(struct creation *c, struct inode *ino, int err)
{
    if (!err) {
        c->d->inode = ino;
        dentry_added(c->d);
        notify_name(c->dir, LX_IN_CREATE, c->slot.name, c->slot.len,
                    LX_S_ISDIR(inode_mode(ino)));
    }
    mutex_unlock(&c->dir->dir_lock);
    dentry_put(c->d);
    path_put(&c->slot.dir);
    return err;
}

/* make_node() - *made, unless it is NULL: the new object's path, references. */
static int make_node(const struct walk_ctx *ctx, const struct path *start, const char *name,
                     u32 mode, u32 rdev_major, u32 rdev_minor, struct path *made)
{
    struct inode *ino = NULL;
    struct creation c;
    struct new_ids ids;
    int err = create_begin(ctx, start, name, LX_S_ISDIR(mode), &c);

    if (err)
        return err;
    if (!c.dir->ops->create)
        return create_end(&c, NULL, -EPERM);
    ids = name_new_ids(c.dir, ctx->cred, mode);
    err = c.dir->ops->create(c.dir, c.d->name, c.d->len, ids.mode, ids.uid, ids.gid, rdev_major,
                             rdev_minor, &ino);
    if (!err && made)
        *made = path_get(&(struct path){c.slot.dir.mount, c.d});
    return create_end(&c, ino, err);
}

int vfs_mkdir(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 mode)
{
    mode &= LX_S_IRWXU | LX_S_IRWXG | LX_S_IRWXO | LX_S_ISVTX;
    return make_node(ctx, start, name, mode | LX_S_IFDIR, 0, 0, NULL);
}

int vfs_mknod(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 mode,
              u32 rdev_major, u32 rdev_minor)
{
    u32 type = mode & LX_S_IFMT;

    switch (type) {
    case 0: type = LX_S_IFREG; break;
    case LX_S_IFREG:
    case LX_S_IFIFO:
    case LX_S_IFSOCK: break;
    case LX_S_IFCHR:
    case LX_S_IFBLK:
        if (!cred_capable(ctx->cred, LX_CAP_MKNOD))
            return -EPERM;
        return make_node(ctx, start, name, type | (mode & LX_S_IALLUGO), rdev_major, rdev_minor,
                         NULL);
    case LX_S_IFDIR: return -EPERM;
    default: return -EINVAL;
    }
    return make_node(ctx, start, name, type | (mode & LX_S_IALLUGO), 0, 0, NULL);
}

int vfs_mksock(const struct walk_ctx *ctx, const char *name, u32 mode, struct path *made)
{
    return make_node(ctx, NULL, name, LX_S_IFSOCK | (mode & LX_S_IALLUGO), 0, 0, made);
}

int vfs_symlink(const struct walk_ctx *ctx, const char *target, const struct path *start,
                const char *name)
{
    struct inode *ino = NULL;
    struct creation c;
    struct new_ids ids;
    int err;

    if (!*target)
        return -ENOENT;
    err = create_begin(ctx, start, name, false, &c);
    if (err)
        return err;
    if (!c.dir->ops->symlink)
        return create_end(&c, NULL, -EPERM);
    ids = name_new_ids(c.dir, ctx->cred, LX_S_IFLNK | 0777);
    err = c.dir->ops->symlink(c.dir, c.d->name, c.d->len, target, ids.uid, ids.gid, &ino);
    return create_end(&c, ino, err);
}

/* may_link() - link(2)'s checks of what gets the name. */
static int may_link(const struct path *old, const struct path *dir)
{
    struct inode *ino = old->dentry->inode;
    u32 nlink;

    if (old->mount != dir->mount)
        return -EXDEV;
    if (LX_S_ISDIR(inode_mode(ino)) || !dir->dentry->inode->ops->link)
        return -EPERM;
    mutex_lock(&ino->lock);
    nlink = ino->nlink;
    mutex_unlock(&ino->lock);
    return nlink || ino->linkable ? 0 : -ENOENT;
}

int vfs_link(const struct walk_ctx *ctx, const struct path *old, const struct path *start,
             const char *name)
{
    struct inode *ino = old->dentry->inode;
    struct creation c;
    int err = create_begin(ctx, start, name, false, &c);

    if (err)
        return err;
    err = may_link(old, &c.slot.dir);
    if (!err)
        err = c.dir->ops->link(c.dir, c.d->name, c.d->len, ino);
    if (!err)
        notify_inode(ino, LX_IN_ATTRIB);
    return create_end(&c, err ? NULL : inode_get(ino), err);
}
