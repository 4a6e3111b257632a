/* Inodes: life, times, the attributes that stand in them. */
#include "fs/vfs/vfs.h"

#include "fs/vfs/locks.h"
#include "sentry/base/host_thread.h"

#include <stdlib.h>

void lx_time_now(struct lx_time *t)
{
    u64 now = host_clock(CLOCK_REALTIME_COARSE);

    t->sec = (s64)(now / NS_PER_SEC);
    t->nsec = (u32)(now % NS_PER_SEC);
}

static void inode_free(struct obj *o)
{
    struct inode *ino = container_of(o, struct inode, obj);

    if (ino->ops->free)
        ino->ops->free(ino);
    file_locks_free(ino->locks);
    mutex_destroy(&ino->lock);
    mutex_destroy(&ino->dir_lock);
    free(ino);
}

static struct obj_type inode_type = {.name = "inode", .free = inode_free};

struct inode *inode_new(struct super *sb, const struct inode_ops *ops, u32 mode, u32 uid, u32 gid,
                        u64 ino)
{
    struct inode *i = calloc(1, sizeof(*i));

    if (!i)
        return NULL;
    obj_init(&i->obj, &inode_type);
    i->super = sb;
    i->ops = ops;
    i->ino = ino ? ino : atomic_fetch_add_explicit(&sb->next_ino, 1, memory_order_relaxed);
    mutex_init(&i->dir_lock, LOCK_DIR);
    mutex_init(&i->lock, LOCK_INODE);
    i->mode = mode;
    i->uid = uid;
    i->gid = gid;
    i->nlink = 1;
    i->blksize = GUEST_PAGE_SIZE;
    lx_time_now(&i->btime);
    i->atime = i->mtime = i->ctime = i->btime;
    return i;
}

void inode_touch_locked(struct inode *ino, u32 which)
{
    struct lx_time now;

    lx_time_now(&now);
    if (which & INODE_ATIME)
        ino->atime = now;
    if (which & INODE_MTIME)
        ino->mtime = now;
    if (which & INODE_CTIME)
        ino->ctime = now;
}

void inode_touch(struct inode *ino, u32 which)
{
    mutex_lock(&ino->lock);
    inode_touch_locked(ino, which);
    mutex_unlock(&ino->lock);
}

void inode_setattr_generic(struct inode *ino, const struct setattr *s)
{
    u32 touch = INODE_CTIME;

    if (s->valid & SET_MODE)
        inode_set(&ino->mode, (ino->mode & LX_S_IFMT) | (s->mode & LX_S_IALLUGO));
    if (s->valid & SET_UID)
        inode_set(&ino->uid, s->uid);
    if (s->valid & SET_GID)
        inode_set(&ino->gid, s->gid);
    if (s->valid & SET_SIZE) {
        ino->size = s->size;
        touch |= INODE_MTIME;
    }
    if (s->valid & SET_ATIME_NOW)
        touch |= INODE_ATIME;
    if (s->valid & SET_MTIME_NOW)
        touch |= INODE_MTIME;
    inode_touch_locked(ino, touch);
    if (s->valid & SET_ATIME)
        ino->atime = s->atime;
    if (s->valid & SET_MTIME)
        ino->mtime = s->mtime;
}

void inode_attr(struct inode *ino, struct attr *out)
{
    mutex_lock(&ino->lock);
    *out = (struct attr){
        .ino = ino->ino,
        .size = ino->size,
        .blocks = LX_S_ISREG(ino->mode) ? (ino->size + 511) / 512 : 0,
        .mode = ino->mode,
        .nlink = ino->nlink,
        .uid = ino->uid,
        .gid = ino->gid,
        .blksize = ino->blksize,
        .rdev_major = ino->rdev_major,
        .rdev_minor = ino->rdev_minor,
        .atime = ino->atime,
        .mtime = ino->mtime,
        .ctime = ino->ctime,
        .btime = ino->btime,
        .has_btime = true,
    };
    mutex_unlock(&ino->lock);
}
