/*
 * Permission checks. Owner, group, other, by fsuid and fsgid; then CAP_DAC_OVERRIDE and
 * CAP_DAC_READ_SEARCH. The fields are read without inode->lock: a chmod that runs at the same time
 * is seen or not seen, as on Linux.
 */
#include "fs/vfs/permission.h"

#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"

#include <errno.h>

bool inode_capable(const struct inode *ino, const struct cred *cred, int cap)
{
    const struct user_ns *ns = cred->user_ns;

    if (!cred_ns_capable(cred, cap))
        return false;
    /* The first namespace maps every id. */
    if (likely(!ns->parent))
        return true;
    return uid_from_kuid(ns, inode_get_u32(&ino->uid)) != ID_OVERFLOW &&
           gid_from_kgid(ns, inode_get_u32(&ino->gid)) != ID_OVERFLOW;
}

bool inode_owner_or_capable(const struct inode *ino, const struct cred *cred)
{
    return inode_get_u32(&ino->uid) == cred->fsuid || inode_capable(ino, cred, LX_CAP_FOWNER);
}

int inode_permission_generic(const struct inode *ino, const struct cred *cred, u32 may)
{
    u32 mode = inode_mode(ino), bits = mode;

    /* Searching a directory that anybody may search: the commonest question of all. */
    if (may == MAY_EXEC && (mode & LX_S_IXUGO) == LX_S_IXUGO)
        return 0;
    if (cred->fsuid == inode_get_u32(&ino->uid))
        bits >>= 6;
    else if (cred_in_group(cred, inode_get_u32(&ino->gid)))
        bits >>= 3;
    if (!(may & ~bits & 7))
        return 0;

    if (LX_S_ISDIR(mode)) {
        if (!(may & MAY_WRITE) && inode_capable(ino, cred, LX_CAP_DAC_READ_SEARCH))
            return 0;
        return inode_capable(ino, cred, LX_CAP_DAC_OVERRIDE) ? 0 : -EACCES;
    }
    if (may == MAY_READ && inode_capable(ino, cred, LX_CAP_DAC_READ_SEARCH))
        return 0;
    /* Nobody executes what has no x bit at all. */
    if ((!(may & MAY_EXEC) || (mode & LX_S_IXUGO)) && inode_capable(ino, cred, LX_CAP_DAC_OVERRIDE))
        return 0;
    return -EACCES;
}

int inode_permission(struct inode *ino, const struct cred *cred, u32 may)
{
    if (ino->ops->permission)
        return ino->ops->permission(ino, cred, may);
    return inode_permission_generic(ino, cred, may);
}

int vfs_permission(const struct path *p, const struct cred *cred, u32 may)
{
    struct inode *ino = p->dentry->inode;
    u32 mode = inode_mode(ino);

    /* Devices, FIFOs and sockets may be written on a read-only mount. */
    if ((may & MAY_WRITE) && (LX_S_ISREG(mode) || LX_S_ISDIR(mode) || LX_S_ISLNK(mode))) {
        int err = mount_writable(p->mount);

        if (err)
            return err;
    }
    return inode_permission(ino, cred, may);
}

int permission_create(const struct path *dir, const struct cred *cred)
{
    if (dir->dentry->unhashed)
        return -ENOENT;
    return vfs_permission(dir, cred, MAY_WRITE | MAY_EXEC);
}

/* sticky() - does a sticky directory keep `cred` from removing what is another's? */
static bool sticky(struct inode *dir, struct inode *victim, const struct cred *cred)
{
    if (!(inode_mode(dir) & LX_S_ISVTX))
        return false;
    if (inode_get_u32(&victim->uid) == cred->fsuid || inode_get_u32(&dir->uid) == cred->fsuid)
        return false;
    return !inode_capable(victim, cred, LX_CAP_FOWNER);
}

int permission_delete(const struct path *dir, struct dentry *victim, const struct cred *cred,
                      bool want_dir)
{
    int err = vfs_permission(dir, cred, MAY_WRITE | MAY_EXEC);

    if (err)
        return err;
    if (sticky(dir->dentry->inode, victim->inode, cred))
        return -EPERM;
    if (want_dir) {
        if (!LX_S_ISDIR(inode_mode(victim->inode)))
            return -ENOTDIR;
    } else if (LX_S_ISDIR(inode_mode(victim->inode))) {
        return -EISDIR;
    }
    if (dir->dentry->unhashed)
        return -ENOENT;
    return victim->mounts ? -EBUSY : 0;
}
