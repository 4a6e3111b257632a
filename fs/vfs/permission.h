/* Inside fs/vfs and for file systems: who may do what (path_resolution(7), capabilities(7)). */
#pragma once

#include "fs/vfs/namei.h"

/* inode_permission_generic() - by mode bits and capabilities. `mode`, `uid`, `gid` as the file has
 * them. Return: 0, -EACCES. */
int inode_permission_generic(const struct inode *ino, const struct cred *cred, u32 may);
/* inode_capable() - does cred hold `cap` over this inode? Its owners must be mapped in cred's user
 * namespace. */
bool inode_capable(const struct inode *ino, const struct cred *cred, int cap);
/* inode_owner_or_capable() - owner, or CAP_FOWNER. */
bool inode_owner_or_capable(const struct inode *ino, const struct cred *cred);
/* permission_create() - may names be added to `dir`? Return: 0, -EACCES, -ENOENT (it is gone). */
int permission_create(const struct path *dir, const struct cred *cred);
/* permission_delete() - may `victim` be removed from `dir`? `want_dir`: rmdir, or a rename of or
 * over a directory. Return: 0, -EACCES, -EPERM (sticky), -ENOTDIR, -EISDIR, -EBUSY. */
int permission_delete(const struct path *dir, struct dentry *victim, const struct cred *cred,
                      bool want_dir);
