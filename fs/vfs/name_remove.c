/* Names that go: unlink(2), rmdir(2); and readlink(2). */
#include "fs/vfs/name_priv.h"

#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"

#include <errno.h>
#include <string.h>

/* refuse_odd() - what removing ".", ".." and "/" answers. */
static int refuse_odd(const struct name_slot *s, bool dir)
{
    if (!dir)
        return -EISDIR;
    if (name_is_dot(s))
        return -EINVAL;
    return name_is_dotdot(s) ? -ENOTEMPTY : -EBUSY;
}

/* report() - d's name is gone. If nobody else uses d the file's end is told before the name's, as
 * Linux does, and now, so that it is told before anything that comes after it. */
static void report(const struct name_slot *s, struct dentry *d, bool dir)
{
    if (!dir)
        notify_inode(d->inode, LX_IN_ATTRIB);
    if (atomic_load(&d->obj.count) == 1 && !inode_get_u32(&d->inode->nlink))
        notify_gone(d->inode);
    notify_name(s->dir.dentry->inode, LX_IN_DELETE, s->name, s->len, dir);
}

/* remove_locked() - the directory's dir_lock is held. *victim: a new reference for the caller to
 * put without it. */
static int remove_locked(const struct name_slot *s, const struct cred *cred, bool dir,
                         struct dentry **victim)
{
    struct inode *parent = s->dir.dentry->inode;
    struct dentry *d;
    int err = dentry_lookup(s->dir.dentry, s->name, s->len, true, &d);

    if (err)
        return err;
    *victim = d;
    if (!dir && s->trailing)
        return LX_S_ISDIR(inode_mode(d->inode)) ? -EISDIR : -ENOTDIR;
    err = permission_delete(&s->dir, d, cred, dir);
    if (err)
        return err;
    if (dir)
        err = parent->ops->rmdir ? parent->ops->rmdir(parent, s->name, s->len, d->inode) : -EPERM;
    else
        err = parent->ops->unlink ? parent->ops->unlink(parent, s->name, s->len, d->inode) : -EPERM;
    if (err)
        return err;
    dentry_removed(d);
    if (notify_any())
        report(s, d, dir);
    return 0;
}

int vfs_unlink(const struct walk_ctx *ctx, const struct path *start, const char *name, bool dir)
{
    struct dentry *victim = NULL;
    struct name_slot s;
    int err = name_slot_find(ctx, start, name, &s);

    if (err)
        return err;
    if (!name_is_plain(&s))
        err = refuse_odd(&s, dir);
    if (!err)
        err = mount_writable(s.dir.mount);
    if (!err) {
        mutex_lock(&s.dir.dentry->inode->dir_lock);
        err = remove_locked(&s, ctx->cred, dir, &victim);
        mutex_unlock(&s.dir.dentry->inode->dir_lock);
    }
    if (!err && dir)
        dentry_dead(victim);
    dentry_put(victim);
    path_put(&s.dir);
    return err;
}

ssize_t vfs_readlink(const struct path *p, char *buf, size_t cap)
{
    struct inode *ino = p->dentry->inode;
    const char *text;
    size_t len;

    if (!LX_S_ISLNK(inode_mode(ino)))
        return -EINVAL;
    text = atomic_load_explicit(&ino->link, memory_order_acquire);
    if (!text)
        return ino->ops->readlink ? ino->ops->readlink(ino, buf, cap) : -EINVAL;
    len = strlen(text);
    len = min_of(len, cap);
    memcpy(buf, text, len);
    return (ssize_t)len;
}
