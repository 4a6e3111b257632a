/* Extended attributes (xattr(7)): who may see and change which. */
#pragma once

#include "fs/vfs/vfs.h"

/* vfs_xattr_get(), vfs_xattr_list() - with cap 0: the size needed. Return: bytes, -ENODATA, -ERANGE,
 * -EOPNOTSUPP, -EACCES … */
ssize_t vfs_xattr_get(const struct path *p, const struct cred *cred, const char *name, void *buf,
                      size_t cap);
ssize_t vfs_xattr_list(const struct path *p, const struct cred *cred, char *buf, size_t cap);
int vfs_xattr_set(const struct path *p, const struct cred *cred, const char *name, const void *buf,
                  size_t len, int flags);
int vfs_xattr_remove(const struct path *p, const struct cred *cred, const char *name);
