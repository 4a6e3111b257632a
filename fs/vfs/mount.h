/* Mounts and mount namespaces. */
#pragma once

#include "fs/vfs/vfs.h"

struct mount {
    struct obj obj;
    struct super *super;      /* a reference */
    struct dentry *root;      /* a reference: what of the super is seen */
    struct mount *parent;     /* a reference; NULL: the namespace's root mount */
    struct dentry *at;        /* a reference: the mount point, a dentry of parent */
    struct mount_ns *ns;      /* borrowed; NULL: detached */
    struct list_node in_ns;   /* order of mounting */
    struct hash_node by_point;
    u32 id;
    _Atomic(u32) flags; /* LX_MS_RDONLY, NOSUID, NODEV, NOEXEC, NOATIME … */
    char *source;       /* what /proc/mounts shows; owned */
};
OBJ_REFS(mount)

struct mount_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
    struct rwlock lock;
    struct list_node mounts; /* and below: guarded by lock */
    struct hash points;
    u32 count;
    struct mount *root; /* a reference */
    _Atomic(u64) event; /* changes with every change, for poll on /proc/mounts */
};
OBJ_REFS(mount_ns)

/* fs_type_register() - boot's list of what exists. fs_type_find(): by name, NULL. */
void fs_type_register(const struct fs_type *type);
const struct fs_type *fs_type_find(const char *name);
const struct fs_type *fs_type_next(const struct fs_type *t);

/* mount_ns_new() - a namespace whose root is `sb` (reference taken). */
int mount_ns_new(struct user_ns *user_ns, struct super *sb, u32 flags, const char *source,
                 struct mount_ns **out);
/* mount_attach() - mount `sb`'s `root` (NULL: its root) on `at`. Return: 0, -EBUSY, -ENOENT … */
int mount_attach(struct mount_ns *ns, struct super *sb, struct dentry *root,
                 const struct path *at, u32 flags, const char *source);
/* mount_lookup() - the topmost mount on (m, d) as a new reference, or NULL. */
struct mount *mount_lookup(struct mount_ns *ns, struct mount *m, struct dentry *d);
int mount_detach(struct mount_ns *ns, const struct path *at, int flags);
int mount_remount(struct mount_ns *ns, const struct path *at, u32 flags);
int mount_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool rec,
               u32 flags);
/* mount_writable() - 0, or -EROFS by the mount or its super. */
int mount_writable(const struct mount *m);
