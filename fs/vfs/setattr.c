/*
 * Attributes: stat(2), chmod(2), chown(2), utimensat(2), truncate(2), with Linux's rules on who may
 * and on what is cleared by the way.
 */
#include "fs/vfs/setattr.h"

#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"
#include "sentry/abi/lx_cred.h"

#include <errno.h>

int vfs_getattr(const struct path *p, struct attr *out)
{
    struct inode *ino = p->dentry->inode;

    if (ino->ops->getattr)
        return ino->ops->getattr(ino, out);
    inode_attr(ino, out);
    return 0;
}

/* apply() - let the file system do it. */
static int apply(struct inode *ino, const struct setattr *s)
{
    int err;

    if (!ino->ops->setattr)
        return -EPERM;
    mutex_lock(&ino->lock);
    err = ino->ops->setattr(ino, s);
    mutex_unlock(&ino->lock);
    return err;
}

int setattr_size(struct inode *ino, u64 size)
{
    struct setattr s = {.valid = SET_SIZE | SET_MTIME_NOW, .size = size};

    return apply(ino, &s);
}

/* privs_killed() - mode without set-user-id, and set-group-id where it means that. */
static u32 privs_killed(u32 mode)
{
    mode &= ~LX_S_ISUID;
    return mode & LX_S_IXGRP ? mode & ~LX_S_ISGID : mode;
}

int setattr_kill_privs(struct file *f)
{
    struct inode *ino = f->inode;
    u32 mode = inode_mode(ino);
    struct setattr s = {.valid = SET_MODE, .mode = privs_killed(mode) & LX_S_IALLUGO};
    int err;

    if (likely(!(mode & (LX_S_ISUID | LX_S_ISGID))) || !LX_S_ISREG(mode) ||
        privs_killed(mode) == mode || inode_capable(ino, f->cred, LX_CAP_FSETID))
        return 0;
    err = apply(ino, &s);
    if (!err)
        notify_file(f, LX_IN_ATTRIB);
    return err;
}

/* may_chown() - to the owner's own uid and a group of its own, or with CAP_CHOWN. */
static bool may_chown(const struct inode *ino, const struct cred *cred, const struct setattr *s)
{
    u32 uid = inode_get_u32(&ino->uid);

    if (inode_capable(ino, cred, LX_CAP_CHOWN))
        return true;
    if ((s->valid & SET_UID) && (cred->fsuid != uid || s->uid != uid))
        return false;
    if ((s->valid & SET_GID) && (cred->fsuid != uid || (s->gid != inode_get_u32(&ino->gid) &&
                                                        !cred_in_group(cred, s->gid))))
        return false;
    return true;
}

static int check_size(const struct path *p, const struct cred *cred, const struct setattr *s)
{
    struct inode *ino = p->dentry->inode;
    u32 mode = inode_mode(ino);
    int err;

    if (LX_S_ISDIR(mode))
        return -EISDIR;
    if (!LX_S_ISREG(mode) || s->size > INT64_MAX)
        return -EINVAL;
    err = vfs_permission(p, cred, MAY_WRITE);
    if (!err && atomic_load(&ino->writers) < 0)
        err = -ETXTBSY;
    return err ? err : file_size_limit(s->size);
}

static int check_times(const struct path *p, const struct cred *cred, const struct setattr *s)
{
    u32 explicit = s->valid & (SET_ATIME | SET_MTIME);
    u32 now = s->valid & (SET_ATIME_NOW | SET_MTIME_NOW);

    if (inode_owner_or_capable(p->dentry->inode, cred))
        return 0;
    /* "Now" for both is what any writer may set. */
    if (explicit || now != (SET_ATIME_NOW | SET_MTIME_NOW))
        return -EPERM;
    return vfs_permission(p, cred, MAY_WRITE);
}

/* clear_privs() - what a change of owner or size takes from the mode. */
static void clear_privs(const struct inode *ino, const struct cred *cred, struct setattr *s)
{
    u32 mode = s->valid & SET_MODE ? s->mode : inode_mode(ino) & LX_S_IALLUGO;
    u32 killed = privs_killed(mode);

    if (LX_S_ISDIR(inode_mode(ino)) || killed == mode)
        return;
    if (!(s->valid & (SET_UID | SET_GID)) && inode_capable(ino, cred, LX_CAP_FSETID))
        return;
    s->valid |= SET_MODE;
    s->mode = killed;
}

/* events_of() - what a change is reported as. */
static u32 events_of(u32 valid)
{
    bool atime = valid & (SET_ATIME | SET_ATIME_NOW), mtime = valid & (SET_MTIME | SET_MTIME_NOW);
    u32 mask = valid & (SET_MODE | SET_UID | SET_GID) ? LX_IN_ATTRIB : 0;

    if (valid & SET_SIZE)
        mask |= LX_IN_MODIFY;
    if (atime && mtime)
        mask |= LX_IN_ATTRIB;
    else if (atime || mtime)
        mask |= atime ? LX_IN_ACCESS : LX_IN_MODIFY;
    return mask;
}

int vfs_setattr(const struct path *p, const struct cred *cred, const struct setattr *s)
{
    struct inode *ino = p->dentry->inode;
    struct setattr change = *s;
    int err = mount_writable(p->mount);

    if (!err && (s->valid & SET_SIZE))
        err = check_size(p, cred, s);
    if (!err && (s->valid & (SET_UID | SET_GID)) && !may_chown(ino, cred, s))
        err = -EPERM;
    if (!err && (s->valid & SET_MODE)) {
        u32 gid = s->valid & SET_GID ? s->gid : inode_get_u32(&ino->gid);

        if (LX_S_ISLNK(inode_mode(ino)))
            err = -EOPNOTSUPP;
        else if (!inode_owner_or_capable(ino, cred))
            err = -EPERM;
        else if (!cred_in_group(cred, gid) && !inode_capable(ino, cred, LX_CAP_FSETID))
            change.mode &= ~LX_S_ISGID;
    }
    if (!err && (s->valid & (SET_ATIME | SET_MTIME | SET_ATIME_NOW | SET_MTIME_NOW)) &&
        !(s->valid & SET_SIZE))
        err = check_times(p, cred, s);
    if (err)
        return err;
    if (s->valid & (SET_UID | SET_GID | SET_SIZE))
        clear_privs(ino, cred, &change);
    err = apply(ino, &change);
    if (!err && notify_any())
        notify_dentry(p->dentry, events_of(change.valid));
    return err;
}
