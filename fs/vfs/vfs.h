/*
 * The virtual file system's objects and the tables that file systems implement.
 *
 * super   a mounted instance of a file system.
 * inode   one file of a super. The super keeps the identity (ino); attributes that the file system
 *         caches stand here, guarded by inode->lock.
 * dentry  a name in the cached tree; NULL inode: known not to exist. A dentry holds a reference
 *         to its parent and its inode. Unused ones are kept under LIMIT_DENTRIES.
 * mount   a super seen at a place of a mount namespace.
 * file    an open file description.
 *
 * A NULL operation means what Linux does for that NULL. Operations are called without vfs locks
 * but for: the directory's inode->dir_lock around create, link, unlink, rename of entries, and
 * inode->lock around setattr. An operation that changes attributes updates the inode's copy.
 *
 * Who may drop what: the last reference to a file, path, dentry or inode calls into its file system
 * and takes locks from DIR down, so it is put while none of those (and none below) is held.
 */
#pragma once

#include "sentry/abi/lx_fs.h"
#include "sentry/base/hash.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"
#include "sentry/cred/cred.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/usermem.h"
#include "sentry/wait/wait.h"

struct file_async;
struct inode;
struct dentry;
struct file;
struct mount;
struct mount_ns;
struct super;
struct timespec;

struct lx_time {
    s64 sec;
    u32 nsec;
};

/* What stat(2) and statx(2) answer with; kuids and kgids. */
struct attr {
    u64 ino, size, blocks; /* blocks of 512 bytes */
    u32 mode, nlink, uid, gid, blksize;
    u32 rdev_major, rdev_minor;
    struct lx_time atime, mtime, ctime, btime;
    bool has_btime;
};

enum {
    SET_MODE = 1,
    SET_UID = 2,
    SET_GID = 4,
    SET_SIZE = 8,
    SET_ATIME = 16,
    SET_MTIME = 32,
    SET_ATIME_NOW = 64,
    SET_MTIME_NOW = 128
};

struct setattr {
    u32 valid; /* SET_* */
    u32 mode, uid, gid;
    u64 size;
    struct lx_time atime, mtime;
};

struct fs_mount_args {
    const char *source, *options; /* may be NULL */
    u32 flags;                    /* LX_MS_* */
    const struct cred *cred;
    void *data; /* file system's own, from boot (the gofer's connection) or NULL */
};

struct fs_type {
    const char *name;
    bool guest_mountable; /* mount(2) may name it */
    /* mount() - a new super whose root dentry is set. Return: 0 and a new reference. */
    int (*mount)(const struct fs_type *type, const struct fs_mount_args *args, struct super **out);
};

struct statfs_info {
    u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen;
};

struct super_ops {
    int (*statfs)(struct super *sb, struct statfs_info *out); /* NULL: zeros with magic */
    int (*sync)(struct super *sb);
    void (*free)(struct super *sb); /* release sb->private */
    /* show_options() - what /proc/mounts adds (",size=64k"), at most cap. Return: its length. */
    size_t (*show_options)(struct super *sb, char *buf, size_t cap);
};

struct super {
    struct obj obj;
    const struct super_ops *ops;
    const struct fs_type *type;
    u32 dev_major, dev_minor; /* st_dev; major 0, minor allocated by super_new() */
    u64 magic;
    u32 flags;                /* SUPER_* */
    _Atomic(u32) mount_flags; /* LX_MS_RDONLY … of the super itself */
    struct dentry *root;      /* a reference */
    struct user_ns *user_ns;  /* a reference: capabilities are checked against it */
    struct mutex rename_lock;
    _Atomic(u32) names_gen;    /* changes with every change of a name, for lookup_ahead() */
    _Atomic(u64) next_ino;     /* of inode_new() */
    struct list_node marks;    /* on its inodes; guarded by the notify lock */
    struct list_node in_cache; /* and below: guarded by the dentry lock */
    struct list_node lru;      /* its cached dentries, most recent first */
    void *private;
};
OBJ_REFS(super)

enum {
    SUPER_REVALIDATE = 1u << 0,  /* dentries must pass inode_ops.revalidate at each use */
    SUPER_NO_CACHE = 1u << 1,    /* unused dentries are dropped at once */
    SUPER_OWN_SPECIAL = 1u << 2, /* devices and FIFOs are opened by inode_ops.open */
};

/* Names of a path that is being walked, each in the one before it. */
enum { LOOKUP_AHEAD = 8 };
struct name_ahead {
    const char *name;
    u32 len;
};

struct inode_ops {
    /* lookup() - find `name` in a directory. Return: 0 and a new inode reference, -ENOENT. */
    int (*lookup)(struct inode *dir, const char *name, u32 len, struct inode **out);
    /* lookup_ahead() - for file systems that are asked over some distance: the inodes, new
     * references, of as many of `n` names as can be had with one question; `intent` (MAY_READ,
     * MAY_WRITE): the last one will be opened so. Return: 0, -ENOENT: name number *found does not
     * exist; errno. NULL: one by one. */
    int (*lookup_ahead)(struct inode *dir, const struct name_ahead *names, u32 n, u32 intent,
                        struct inode **out, u32 *found);
    /* revalidate() - is the cached dentry still right? Return: 1 yes, 0 no, errno. */
    int (*revalidate)(struct dentry *d);

    /* create() - S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK by mode's type; new files
     * belong to cred's fsuid and fsgid (set-gid directories pass theirs on: vfs has done so in
     * `gid`). symlink(): target in `target`. */
    int (*create)(struct inode *dir, const char *name, u32 len, u32 mode, u32 uid, u32 gid,
                  u32 rdev_major, u32 rdev_minor, struct inode **out);
    int (*symlink)(struct inode *dir, const char *name, u32 len, const char *target, u32 uid,
                   u32 gid, struct inode **out);
    /* tmpfile() - a regular file without a name (O_TMPFILE). NULL: -EOPNOTSUPP. */
    int (*tmpfile)(struct inode *dir, u32 mode, u32 uid, u32 gid, struct inode **out);
    int (*link)(struct inode *dir, const char *name, u32 len, struct inode *target);
    int (*unlink)(struct inode *dir, const char *name, u32 len, struct inode *victim);
    int (*rmdir)(struct inode *dir, const char *name, u32 len, struct inode *victim);
    int (*rename)(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                  const char *to, u32 to_len, u32 flags);

    /* readlink() - Return: length of the target, at most cap. */
    ssize_t (*readlink)(struct inode *ino, char *buf, size_t cap);
    /* follow() - a magic link (/proc/PID/fd/N): the path it leads to, a new reference. */
    int (*follow)(struct inode *ino, struct mount **mount, struct dentry **dentry);

    int (*getattr)(struct inode *ino, struct attr *out);        /* NULL: the inode's own fields */
    int (*setattr)(struct inode *ino, const struct setattr *s); /* NULL: -EPERM */
    int (*permission)(struct inode *ino, const struct cred *cred, u32 may); /* NULL: generic */
    /* open() - fill in file->ops and file->private; NULL: -ENXIO for what can't be opened. */
    int (*open)(struct inode *ino, struct file *file);
    /* the host object behind it, for AF_UNIX sockets and FIFOs, is found through private */
    const struct xattr_ops *xattr;   /* NULL: -EOPNOTSUPP */
    void (*free)(struct inode *ino); /* release ino->private */
};

struct xattr_ops {
    ssize_t (*get)(struct inode *ino, const char *name, void *buf, size_t cap);
    int (*set)(struct inode *ino, const char *name, const void *buf, size_t len, int flags);
    ssize_t (*list)(struct inode *ino, char *buf, size_t cap);
    int (*remove)(struct inode *ino, const char *name);
};

struct inode {
    struct obj obj;
    struct super *super; /* borrowed: dentries and files pin it through their mount */
    const struct inode_ops *ops;
    struct hash_node by_ino; /* of file systems that look inodes up by number */
    u64 ino;
    u32 rdev_major, rdev_minor;
    struct mutex dir_lock;      /* directories: entries change under it */
    _Atomic(u32) dir_gen;       /* directories: changes with every change of a name, for lookups */
    _Atomic(s32) writers;       /* > 0: opened for writing so often; < 0: being executed so often */
    _Atomic(const char *) link; /* symlinks: the target if the file system keeps it for the inode's
                                 * life; spares readlink() in walks. NULL: ask */
    _Atomic(u32) watched;       /* LX_IN_* that marks want; see notify.h */
    struct notify_mark *marks;  /* guarded by the notify lock */
    bool linkable;              /* an O_TMPFILE file that may still get a name */
    struct mutex lock;
    /* and below: guarded by lock; mode's type never changes. Walks read mode, uid and gid without
     * it, so they are set with inode_set(). */
    u32 mode, nlink, uid, gid;
    u64 size;
    u32 blksize;
    struct lx_time atime, mtime, ctime, btime;
    struct file_locks *locks; /* POSIX and flock locks; NULL: none ever */
    struct pipe *fifo;        /* S_IFIFO while open */
    void *private;
};
OBJ_REFS(inode)

struct dentry {
    struct obj obj;
    struct super *super;   /* borrowed */
    struct dentry *parent; /* a reference; itself's root: NULL. Guarded by the dentry lock */
    struct inode *inode;   /* a reference; NULL: negative */
    struct hash_node by_name;
    struct list_node lru; /* in super->lru while the cache holds a reference; guarded likewise */
    struct hash children;
    char *name; /* owned, or `short_name`; "" for a root */
    u32 len;
    _Atomic(bool) unhashed; /* unlinked: no longer found by name */
    bool cached;            /* the cache holds a reference */
    bool doomed;            /* lru is on the list of who drops the cache's reference */
    bool dead;              /* a directory that was removed: no name is hashed in it any more */
    _Atomic(u32) mounts;    /* mount points on it, in any namespace */
    _Atomic(bool) used;     /* since the cache last looked */
    char short_name[40];
};
OBJ_REFS(dentry)

struct path {
    struct mount *mount;   /* a reference */
    struct dentry *dentry; /* a reference */
};

struct dir_emit; /* see file_ops.readdir */
typedef bool dir_emit_fn(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type,
                         s64 next_pos);
/* emit() - one entry (LX_DT_* type); `next_pos` continues after it. Return: false: full, stop.
 * finish() - all is emitted: copy it out, under no lock but pos_lock. An error leaves the file's
 * position where it was. NULL: nothing to do. */
struct dir_emit {
    dir_emit_fn *emit;
    int (*finish)(struct dir_emit *e);
};

/* What O_ASYNC tells, as Linux has it for each kind (sentry/kernel/async_io.h). */
enum file_async_kind {
    FILE_ASYNC_NONE,     /* it can't be set */
    FILE_ASYNC_PIPE,     /* each read and write, and the other side's end */
    FILE_ASYNC_STREAM,   /* input, and room after there was none */
    FILE_ASYNC_TERMINAL, /* the same; it gets an owner at once */
    FILE_ASYNC_SOCKET,   /* the same, errors, ends, urgent data */
    FILE_ASYNC_QUIET,    /* nothing */
};

struct file_ops {
    enum file_async_kind async;
    /* read(), write() - at *pos, which they advance; a stream ignores pos. Blocking style: they
     * sleep through wait_event unless LX_O_NONBLOCK is set in file->flags. */
    ssize_t (*read)(struct file *f, struct uio *to, s64 *pos);
    ssize_t (*write)(struct file *f, struct uio *from, s64 *pos);
    /* seek() - the new position, which file_seek() stores; pos_lock held. NULL: -ESPIPE. */
    s64 (*seek)(struct file *f, s64 offset, int whence);
    /* poll() - readiness now, LX_POLL*; queue() - what wakes when it changes. NULL: always ready */
    u32 (*poll)(struct file *f);
    struct waitq *(*queue)(struct file *f);
    s64 (*ioctl)(struct file *f, struct mm *mm, u32 cmd, u64 arg); /* NULL: -ENOTTY */
    /* readdir() - emit entries from *pos on, *pos advanced past those that were taken. */
    int (*readdir)(struct file *f, s64 *pos, struct dir_emit *e);
    int (*fsync)(struct file *f, bool data_only); /* NULL: -EINVAL */
    int (*truncate)(struct file *f, u64 size);    /* NULL: through setattr */
    int (*fallocate)(struct file *f, int mode, u64 offset, u64 len);
    /* map_fd() - see mappable.h. NULL: -ENODEV. */
    int (*map_fd)(struct file *f, bool shared, bool may_write);
    /* map_writable() - see count_writable() in mappable.h. NULL: not counted. */
    int (*map_writable)(struct file *f, enum map_count what);
    void (*flush)(struct file *f);   /* each close(2) of a descriptor */
    void (*release)(struct file *f); /* the last reference is gone */
};

struct file {
    struct obj obj;
    struct mappable mappable;
    struct path path;
    struct inode *inode; /* borrowed from path.dentry, or a reference of its own if anonymous */
    const struct file_ops *ops;
    const struct cred *cred; /* opener's, a reference */
    _Atomic(u32) flags;      /* LX_O_*: access mode and status flags */
    bool seekable;           /* read(2) and write(2) use and advance pos */
    struct mutex pos_lock;
    s64 pos;
    struct file_async *_Atomic async; /* owned; NULL: it has no owner. sentry/kernel/async_io.h */
    struct list_node epolls; /* epoll watches on this file; guarded by epoll's own lock */
    atomic_bool was_watched; /* by one, ever: whoever frees it asks epoll, under that lock */
    bool announced;          /* opened by name: what happens to it is reported (notify.h) */
    bool map_anonymous;      /* /dev/zero: a mapping of it is anonymous memory */
    int8_t writer_share;     /* what it added to inode->writers */
    void *private;
};
OBJ_REFS(file)

/* Access mode 3 is open(2)'s "for ioctl only": neither. */
static inline bool file_readable(const struct file *f)
{
    u32 acc = f->flags & LX_O_ACCMODE;

    return (acc == LX_O_RDONLY || acc == LX_O_RDWR) && !(f->flags & LX_O_PATH);
}

static inline bool file_writable(const struct file *f)
{
    u32 acc = f->flags & LX_O_ACCMODE;

    return (acc == LX_O_WRONLY || acc == LX_O_RDWR) && !(f->flags & LX_O_PATH);
}

/* --- what file systems call --- */

/* super_new() - a super with a device number of its own. */
struct super *super_new(const struct fs_type *type, const struct super_ops *ops, u64 magic,
                        const struct cred *cred);
/* super_set_root() - make `root` (taken) the super's root directory. Return: 0, -ENOMEM. */
int super_set_root(struct super *sb, struct inode *root);
/* inode_new() - an inode with mode, ids and now as its times; nlink 1; ino 0: next number of the
 * super. NULL: out of memory. */
struct inode *inode_new(struct super *sb, const struct inode_ops *ops, u32 mode, u32 uid, u32 gid,
                        u64 ino);
/* inode_touch() - set times to now: INODE_ATIME | INODE_MTIME | INODE_CTIME; takes inode->lock.
 * inode_touch_locked(): the same under it, as in setattr(). */
enum { INODE_ATIME = 1, INODE_MTIME = 2, INODE_CTIME = 4 };
void inode_touch(struct inode *ino, u32 which);
void inode_touch_locked(struct inode *ino, u32 which);
void lx_time_now(struct lx_time *t);

/* inode_set() - store to mode, uid or gid (inode->lock held); inode_get_u32() - load without it. */
static inline void inode_set(u32 *field, u32 value)
{
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static inline u32 inode_get_u32(const u32 *field)
{
    return __atomic_load_n(field, __ATOMIC_RELAXED);
}

static inline u32 inode_mode(const struct inode *ino)
{
    return inode_get_u32(&ino->mode);
}

/* inode_setattr_generic() - copy what `s` names into the inode's fields and set ctime (and mtime for
 * a size); inode->lock held. For file systems that keep attributes in the inode. */
void inode_setattr_generic(struct inode *ino, const struct setattr *s);
/* inode_attr() - the inode's own fields as an attr; takes inode->lock. */
void inode_attr(struct inode *ino, struct attr *out);

/* vfs_set_special_open() - how files of a type that no file system opens (LX_S_IFCHR, LX_S_IFBLK,
 * LX_S_IFIFO) are opened, whatever file system holds their name. NULL: -ENXIO. */
void vfs_set_special_open(u32 type, int (*open)(struct inode *ino, struct file *file));
/* vfs_open_special() - open as that table says: for file systems that open their own special files
 * (SUPER_OWN_SPECIAL) and have an ordinary one. */
int vfs_open_special(struct inode *ino, struct file *file);
