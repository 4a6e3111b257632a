/* Inside fs/vfs: the dentry lock and changes of the tree. */
#pragma once

#include "fs/vfs/dentry.h"

/*
 * The dentry lock guards the tree (parents, children, names), the cache's lists and the mount
 * points of every namespace. Walks only read it, for a few hundred ns and without blocking; each
 * thread marks its reading in a slot of its own cache line, so that walks on different CPUs share
 * none. A writer takes the mutex (class DENTRY) and waits until all slots are empty.
 */
u32 tree_read(void);
void tree_read_end(u32 slot);
void tree_write(void);
void tree_write_end(void);

/* dentry_new() - an unhashed dentry below `parent` (NULL: a root); `inode` is taken, and put by the
 * caller on failure. */
struct dentry *dentry_new(struct super *sb, struct dentry *parent, const char *name, u32 len);
/* dentry_look_ahead() - have `names` cached, as far as one question of the file system goes; nothing
 * is lost if they can't be. `intent`: as in inode_ops.lookup_ahead(). */
void dentry_look_ahead(struct dentry *dir, const struct name_ahead *names, u32 n, u32 intent);
/* dentry_child() - dentry lock held: the cached child, borrowed, or NULL. */
struct dentry *dentry_child(struct dentry *dir, const char *name, u32 len);

/* A change of names under the directories' dir_lock, after the file system has made it. They can't
 * fail. dentry_added(): `d` (unhashed, its inode set) is the name now. dentry_removed(): the name is
 * gone. */
void dentry_added(struct dentry *d);
void dentry_removed(struct dentry *d);
/* dentry_dead() - a directory's name is gone for good: what the cache keeps of names that it has not
 * goes, which else kept the directory itself. */
void dentry_dead(struct dentry *dir);
/* dentry_name_alloc() - room for a move to a name of `len` bytes; NULL with 0 for short names.
 * dentry_moved(): d is now `name` in `dir`, in the place of whatever was there; dentry_swapped().
 * Buffers are taken. */
int dentry_name_alloc(u32 len, char **out);
void dentry_moved(struct dentry *d, struct dentry *dir, const char *name, u32 len, char *buf);
void dentry_swapped(struct dentry *a, struct dentry *b, char *buf_a, char *buf_b);

/* Cache: dentry lock held; victims go to `kill`, which dentry_kill() puts without the lock. */
void cache_add_locked(struct dentry *d, struct list_node *kill);
void cache_unhash_locked(struct dentry *d, struct list_node *kill);
void dentry_kill(struct list_node *kill);
/* cache_prune() - the super is going: drop all its cached dentries. */
void cache_prune(struct super *sb);
