/* Mounts and mount namespaces. */
#pragma once

#include "fs/vfs/vfs.h"

struct mount {
    struct obj obj;
    struct super *super; /* a reference */
    struct dentry *root; /* a reference: what of the super is seen */
    u32 id;
    char *source;         /* what /proc/mounts shows; owned */
    _Atomic(u32) flags;   /* LX_MS_RDONLY, NOSUID, NODEV, NOEXEC, NOATIME … */
    _Atomic(u32) writers; /* regular files that are open for writing through it */
    /* guarded by the dentry lock, changed under mounts_lock too */
    struct mount *parent; /* a reference; NULL: the namespace's root mount, or detached */
    struct dentry *at;    /* a reference: the mount point, a dentry of parent */
    struct mount_ns *ns;  /* borrowed; NULL: detached */
    struct hash_node by_point;
    /* and below: guarded by mounts_lock */
    struct list_node in_ns;              /* order of mounting */
    struct list_node children, as_child; /* what is mounted on it; among its parent's */
    bool locked;      /* hides something: came with a namespace of somebody with more rights */
    u32 locked_flags; /* of flags: can't be taken away, for the same reason */
    struct mount_group *group;  /* NULL: not shared; its members keep it */
    struct mount_group *master; /* what is mounted there comes here too; NULL: nobody's slave */
    struct list_node in_group, in_master;
    bool unbindable;
    /* of one change that is being made; see mount_priv.h */
    struct mount *copy;
    struct mount *left_parent;
    struct dentry *left_at;
    struct list_node left, work;
    u32 fate;
};
OBJ_REFS(mount)

/* mounts_lock guards the mount trees of all namespaces, for a change of one may come to others. */
extern struct rwlock mounts_lock;

struct mount_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
    struct list_node mounts; /* and below: guarded by mounts_lock */
    struct hash points;      /* changes under the dentry lock too */
    u32 count;
    u32 coming; /* while a tree is being attached: mounts that will be added */
    struct mount *root;   /* a reference */
    _Atomic(u64) event;   /* changes with every change, for poll on /proc/mounts */
    struct waitq changed; /* woken then with LX_POLLPRI | LX_POLLERR */
};
OBJ_REFS(mount_ns)

/* fs_type_register() - boot's list of what exists. fs_type_find(): by name, NULL. */
void fs_type_register(const struct fs_type *type);
const struct fs_type *fs_type_find(const char *name);
const struct fs_type *fs_type_next(const struct fs_type *t);

/* mount_ns_new() - a namespace whose root is `sb` (its reference is taken, on success). */
int mount_ns_new(struct user_ns *user_ns, struct super *sb, u32 flags, const char *source,
                 struct mount_ns **out);
/* mount_ns_copy() - the same tree again (CLONE_NEWNS). Each of `paths` (a task's root and cwd) is
 * moved to its copy. */
int mount_ns_copy(struct mount_ns *old, struct user_ns *user_ns, struct path *const *paths,
                  u32 npaths, struct mount_ns **out);
/* mount_ns_root() - the topmost mount on the root, for a first task's root and cwd: a new reference. */
struct path mount_ns_root(struct mount_ns *ns);
/* mount_alloc() - a mount that is attached nowhere. Return: a new reference or NULL. */
struct mount *mount_alloc(struct super *sb, struct dentry *root, u32 flags, const char *source);
/* mount_keep() - `m`, which is attached nowhere, stays until the process ends, with its super and
 * root: see obj_keep(). Return: m, which may be NULL. */
struct mount *mount_keep(struct mount *m);
/* mount_attach() - mount `sb`'s `root` (NULL: its root; both borrowed) on `at`, and where else that
 * comes to. Return: 0, -EBUSY, -ENOENT, -ENOTDIR, -EINVAL (`at` is of another namespace), -ENOSPC. */
int mount_attach(struct mount_ns *ns, struct super *sb, struct dentry *root, const struct path *at,
                 u32 flags, const char *source);
/* mount_lookup() - the topmost mount on (m, d) as a new reference, or NULL. */
struct mount *mount_lookup(struct mount_ns *ns, struct mount *m, struct dentry *d);
/* mount_detach() - umount2(2). `at` holds one reference to the mount, that doesn't make it busy.
 * Return: 0, -EBUSY, -EINVAL (no mount's root). */
int mount_detach(struct mount_ns *ns, const struct path *at, int flags);
/* mount_remount() - new flags; without LX_MS_BIND the super's too. Return: 0, -EINVAL (no mount's
 * root), -EBUSY (read-only was asked for while files are open for writing). */
int mount_remount(struct mount_ns *ns, const struct path *at, u32 flags);
/* mount_set_propagation() - LX_MS_SHARED, SLAVE, PRIVATE, UNBINDABLE for the mount whose root is
 * `at`; `rec`: and for all below it. Return: 0, -EINVAL (no mount's root), -ENOMEM. */
int mount_set_propagation(struct mount_ns *ns, const struct path *at, u32 type, bool rec);
/* mount_bind() - what `from` names is seen at `at` too, with from's flags and `flags`; `rec`: and
 * what is mounted below it. */
int mount_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool rec,
               u32 flags);
/* mount_move() - MS_MOVE: the mount whose root is `from`. */
int mount_move(struct mount_ns *ns, const struct path *from, const struct path *at);
/* mount_pivot() - pivot_root(2): `fresh` becomes what `root` (the caller's) was, which is seen at
 * `put_old` from then on. Return: 0, -EINVAL, -EBUSY, -ENOENT. */
int mount_pivot(struct mount_ns *ns, const struct path *root, const struct path *fresh,
                const struct path *put_old);
/* mount_writable() - 0, or -EROFS by the mount or its super. */
int mount_writable(const struct mount *m);

/* mount_text() - /proc/PID/mounts or mountinfo: the mounts that are reachable from `root`.
 * Return: 0 and *out (free() it) of *len bytes, -ENOMEM. */
enum mount_format { MOUNT_FORMAT_MOUNTS, MOUNT_FORMAT_INFO, MOUNT_FORMAT_STATS };
int mount_text(struct mount_ns *ns, const struct path *root, enum mount_format format, char **out,
               size_t *len);
