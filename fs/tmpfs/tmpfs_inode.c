/* tmpfs's inodes: making them, attributes, the operations on them. */
#include "fs/tmpfs/tmpfs_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What an entry adds to a directory's size; "." and ".." count. */
#define TMPFS_DIRENT_BYTES 20

struct inode *tmpfs_inode(struct super *sb, u32 mode, u32 uid, u32 gid)
{
    struct tmpfs_super *ts = sb->private;
    struct tmpfs_node *node;
    struct inode *ino;

    if (tmpfs_inode_charge(ts, 1) < 0)
        return NULL;
    node = calloc(1, sizeof(*node));
    ino = node ? inode_new(sb, &tmpfs_inode_ops, mode, uid, gid, 0) : NULL;
    if (!ino) {
        free(node);
        tmpfs_inode_charge(ts, -1);
        return NULL;
    }
    node->super = ts;
    node->seals = LX_F_SEAL_SEAL;
    list_init(&node->idle);
    node->data.rw_fd = node->data.ro_fd = -1;
    RB_INIT(&node->dir.cookies);
    node->dir.next_cookie = 2;
    list_init(&node->xattrs);
    ino->private = node;
    node->inode = ino;
    if (LX_S_ISDIR(mode))
        ino->nlink = 2;
    return ino;
}

static int tmpfs_create(struct inode *dir, const char *name, u32 len, u32 mode, u32 uid, u32 gid,
                        u32 rdev_major, u32 rdev_minor, struct inode **out)
{
    struct inode *ino = tmpfs_inode(dir->super, mode, uid, gid);
    int err;

    if (!ino)
        return -ENOSPC;
    ino->rdev_major = rdev_major;
    ino->rdev_minor = rdev_minor;
    err = tmpfs_dir_add(dir, name, len, ino);
    if (err) {
        inode_put(ino);
        return err;
    }
    *out = ino;
    return 0;
}

static int tmpfs_symlink(struct inode *dir, const char *name, u32 len, const char *target, u32 uid,
                         u32 gid, struct inode **out)
{
    struct inode *ino = tmpfs_inode(dir->super, LX_S_IFLNK | 0777, uid, gid);
    struct tmpfs_node *node;
    int err = -ENOMEM;

    if (!ino)
        return -ENOSPC;
    node = tmpfs_node(ino);
    node->target = strdup(target);
    if (node->target) {
        ino->size = strlen(target);
        atomic_init(&ino->link, node->target);
        err = tmpfs_dir_add(dir, name, len, ino);
    }
    if (err) {
        inode_put(ino);
        return err;
    }
    *out = ino;
    return 0;
}

static int tmpfs_tmpfile(struct inode *dir, u32 mode, u32 uid, u32 gid, struct inode **out)
{
    struct inode *ino = tmpfs_inode(dir->super, mode, uid, gid);

    if (!ino)
        return -ENOSPC;
    ino->nlink = 0;
    *out = ino;
    return 0;
}

static int tmpfs_getattr(struct inode *ino, struct attr *out)
{
    struct tmpfs_node *node = tmpfs_node(ino);

    inode_attr(ino, out);
    mutex_lock(&ino->lock);
    if (node->data.mapped)
        tmpfs_data_recount(ino);
    out->blocks = node->data.pages * (GUEST_PAGE_SIZE / 512);
    if (LX_S_ISDIR(out->mode))
        out->size = ((u64)node->dir.names.count + 2) * TMPFS_DIRENT_BYTES;
    mutex_unlock(&ino->lock);
    return 0;
}

static int tmpfs_setattr(struct inode *ino, const struct setattr *s)
{
    int err = s->valid & SET_MODE ? tmpfs_seal_mode(ino, s->mode) : 0;

    if (!err && (s->valid & SET_SIZE))
        err = tmpfs_seal_resize(ino, s->size);
    if (err)
        return err;
    if (s->valid & SET_SIZE) {
        err = tmpfs_data_resize(ino, s->size);

        tmpfs_fds_idle(tmpfs_node(ino));
        if (err)
            return err;
    }
    inode_setattr_generic(ino, s);
    return 0;
}

static int tmpfs_open(struct inode *ino, struct file *f)
{
    f->ops = LX_S_ISDIR(ino->mode) ? &tmpfs_dir_file_ops : &tmpfs_file_ops;
    if (LX_S_ISREG(ino->mode)) {
        mutex_lock(&ino->lock);
        tmpfs_fds_user(tmpfs_node(ino));
        mutex_unlock(&ino->lock);
    }
    return 0;
}

static void tmpfs_inode_free(struct inode *ino)
{
    struct tmpfs_node *node = tmpfs_node(ino);

    if (!node)
        return;
    tmpfs_dir_free(&node->dir);
    tmpfs_data_free(node);
    tmpfs_xattr_free(node);
    tmpfs_inode_charge(node->super, -1);
    free(node->target);
    free(node);
}

const struct inode_ops tmpfs_inode_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .symlink = tmpfs_symlink,
    .tmpfile = tmpfs_tmpfile,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .getattr = tmpfs_getattr,
    .setattr = tmpfs_setattr,
    .open = tmpfs_open,
    .xattr = &tmpfs_xattr_ops,
    .free = tmpfs_inode_free,
};
