/* The dentry tree: finding, adding and moving names. What file systems may need of it. */
#pragma once

#include "fs/vfs/vfs.h"

/* dentry_lookup() - the entry `name` of directory `dir`, from the cache or the file system.
 * `dir_locked`: the caller holds dir->inode->dir_lock. Return: 0 and a new reference to a positive
 * dentry; -ENOENT, -ENAMETOOLONG, -ENOTDIR, the file system's error. */
int dentry_lookup(struct dentry *dir, const char *name, u32 len, bool dir_locked,
                  struct dentry **out);

/* dentry_find() - the cached entry, positive or negative, as a new reference, or NULL. */
struct dentry *dentry_find(struct dentry *dir, const char *name, u32 len);
/* dentry_drop() - it is no longer found by name (a file system that knows better). */
void dentry_drop(struct dentry *d);
/* dentry_parent() - its directory as a new reference; a root's is NULL. */
struct dentry *dentry_parent(struct dentry *d);
/* dentry_name() - copy its name, which renames change. Return: its length, -ERANGE. */
ssize_t dentry_name(struct dentry *d, char *buf, size_t cap);
/* dentry_below() - is `d` `top` or below it, within one super? */
bool dentry_below(struct dentry *d, struct dentry *top);
/* dentry_cached() - how many dentries the cache holds a reference to. */
u32 dentry_cached(void);
