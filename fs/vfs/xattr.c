/* Extended attributes: the rules of the name spaces of xattr(7), then the file system's table. */
#include "fs/vfs/xattr.h"

#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <string.h>

static bool in_space(const char *name, const char *space)
{
    return !strncmp(name, space, strlen(space));
}

/* check_user() - user.*: of regular files and directories; a sticky directory's owner's alone. */
static int check_user(struct inode *ino, const struct cred *cred, bool write)
{
    u32 mode = inode_mode(ino);

    if (!LX_S_ISREG(mode) && !LX_S_ISDIR(mode))
        return write ? -EPERM : -ENODATA;
    if (LX_S_ISDIR(mode) && (mode & LX_S_ISVTX) && write && !inode_owner_or_capable(ino, cred))
        return -EPERM;
    return 0;
}

/* check() - may cred read or change this attribute? */
static int check(const struct path *p, const struct cred *cred, const char *name, bool write)
{
    struct inode *ino = p->dentry->inode;
    size_t len = strlen(name);
    int err;

    if (!len || len > LX_XATTR_NAME_MAX)
        return -ERANGE;
    err = write ? mount_writable(p->mount) : 0;
    if (err)
        return err;
    if (in_space(name, "security.")) {
        if (!write ||
            (!strcmp(name, "security.capability") && inode_capable(ino, cred, LX_CAP_SETFCAP)))
            return 0;
        return cred_capable(cred, LX_CAP_SYS_ADMIN) ? 0 : -EPERM;
    }
    if (in_space(name, "trusted."))
        return cred_capable(cred, LX_CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    if (!in_space(name, "user."))
        return -EOPNOTSUPP;
    err = check_user(ino, cred, write);
    return err ? err : vfs_permission(p, cred, write ? MAY_WRITE : MAY_READ);
}

ssize_t vfs_xattr_get(const struct path *p, const struct cred *cred, const char *name, void *buf,
                      size_t cap)
{
    const struct xattr_ops *ops = p->dentry->inode->ops->xattr;
    int err = check(p, cred, name, false);

    if (err)
        return err;
    return ops && ops->get ? ops->get(p->dentry->inode, name, buf, cap) : -EOPNOTSUPP;
}

/* hide_trusted() - take out of a list what cred may not know of. Return: the new length. */
static size_t hide_trusted(char *list, size_t len)
{
    size_t at = 0, kept = 0;

    while (at < len) {
        size_t n = strnlen(list + at, len - at) + 1;

        if (!in_space(list + at, "trusted.")) {
            memmove(list + kept, list + at, n);
            kept += n;
        }
        at += n;
    }
    return kept;
}

ssize_t vfs_xattr_list(const struct path *p, const struct cred *cred, char *buf, size_t cap)
{
    const struct xattr_ops *ops = p->dentry->inode->ops->xattr;
    ssize_t n;

    if (!ops || !ops->list)
        return ops ? -EOPNOTSUPP : 0;
    n = ops->list(p->dentry->inode, buf, cap);
    if (n > 0 && cap && !cred_capable(cred, LX_CAP_SYS_ADMIN))
        n = (ssize_t)hide_trusted(buf, (size_t)n);
    return n;
}

int vfs_xattr_set(const struct path *p, const struct cred *cred, const char *name, const void *buf,
                  size_t len, int flags)
{
    const struct xattr_ops *ops = p->dentry->inode->ops->xattr;
    int err;

    if (flags & ~(LX_XATTR_CREATE | LX_XATTR_REPLACE))
        return -EINVAL;
    if (len > LIMIT_XATTR_BYTES)
        return -E2BIG;
    err = check(p, cred, name, true);
    if (err)
        return err;
    err = ops && ops->set ? ops->set(p->dentry->inode, name, buf, len, flags) : -EOPNOTSUPP;
    if (!err)
        notify_dentry(p->dentry, LX_IN_ATTRIB);
    return err;
}

int vfs_xattr_remove(const struct path *p, const struct cred *cred, const char *name)
{
    const struct xattr_ops *ops = p->dentry->inode->ops->xattr;
    int err = check(p, cred, name, true);

    if (err)
        return err;
    err = ops && ops->remove ? ops->remove(p->dentry->inode, name) : -EOPNOTSUPP;
    if (!err)
        notify_dentry(p->dentry, LX_IN_ATTRIB);
    return err;
}
