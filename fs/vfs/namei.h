/* Path walk and the operations on names (path_resolution(7)). */
#pragma once

#include "fs/vfs/vfs.h"

/* What a walk needs of its task; borrowed for its duration. */
struct walk_ctx {
    const struct cred *cred;
    struct path root, cwd; /* references held by the caller */
    struct mount_ns *ns;
};

enum {
    WALK_FOLLOW = 1u << 0,    /* follow a symbolic link at the end */
    WALK_DIRECTORY = 1u << 1, /* the result must be a directory */
    WALK_EMPTY = 1u << 2,     /* "" names the start (AT_EMPTY_PATH) */
    WALK_NO_MAGIC = 1u << 3,
    WALK_BENEATH = 1u << 4, /* openat2's RESOLVE_* */
    WALK_IN_ROOT = 1u << 5,
    WALK_NO_XDEV = 1u << 6,
    WALK_NO_SYMLINKS = 1u << 7,
};

void path_put(struct path *p);
struct path path_get(const struct path *p);
/* path_equal() - the same dentry seen through the same mount? */
bool path_equal(const struct path *a, const struct path *b);

/* walk() - resolve `name` from `start` (NULL: cwd; absolute names start at root).
 * Return: 0 and *out, a new reference. */
int walk(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
         struct path *out);
/* walk_parent() - the directory that holds (or would hold) the last component. `last` borrows from
 * `name`; its length excludes trailing slashes, which *trailing reports. */
int walk_parent(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
                struct path *dir, const char **last, u32 *len, bool *trailing);

/* vfs_open() - open(2): resolve, create as flags say (mode already without umask), check, open. */
int vfs_open(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
             u32 mode, u32 walk_flags, struct file **out);
/* vfs_open_in() - open the entry `name` of a directory, which with LX_O_CREAT a file system makes in a
 * way of its own: make() is inode_ops.create() with `arg`. */
struct new_file {
    u32 mode, uid, gid;
};
struct file_maker {
    int (*make)(struct inode *dir, const char *name, u32 len, const struct new_file *as, void *arg,
                struct inode **out);
    void *arg;
};
int vfs_open_in(const struct path *dir, const struct cred *cred, const char *name, u32 flags,
                u32 mode, const struct file_maker *maker, struct file **out);
/* vfs_open_exec() - open what execve(2) will run: a regular file that may be executed; while it is
 * open nobody opens it for writing. Return: 0, -EACCES, -ETXTBSY, walk's errors. */
int vfs_open_exec(const struct walk_ctx *ctx, const struct path *start, const char *name,
                  u32 walk_flags, struct file **out);
/* vfs_open_path() - open an object that is already found, with open(2)'s checks of it. */
int vfs_open_path(const struct path *path, const struct cred *cred, u32 flags, struct file **out);

/* vfs_mkdir(), vfs_mknod() - modes are without the umask already; `mode` of mknod has a type.
 * vfs_symlink(), vfs_link(): `name` from `start` is what is made. vfs_unlink(): unlink(2), or with
 * `dir` rmdir(2). vfs_rename(): renameat2(2), LX_RENAME_*. Return: 0, or what the man pages say. */
int vfs_mkdir(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 mode);
int vfs_mknod(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 mode,
              u32 rdev_major, u32 rdev_minor);
/* vfs_mksock() - bind(2)'s node. *made: new references to its path. */
int vfs_mksock(const struct walk_ctx *ctx, const char *name, u32 mode, struct path *made);
int vfs_symlink(const struct walk_ctx *ctx, const char *target, const struct path *start,
                const char *name);
int vfs_link(const struct walk_ctx *ctx, const struct path *old, const struct path *start,
             const char *name);
int vfs_unlink(const struct walk_ctx *ctx, const struct path *start, const char *name, bool dir);
int vfs_rename(const struct walk_ctx *ctx, const struct path *from_start, const char *from,
               const struct path *to_start, const char *to, u32 flags);
/* vfs_readlink() - a link's text without a NUL, at most cap. Return: its length, -EINVAL. */
ssize_t vfs_readlink(const struct path *p, char *buf, size_t cap);

/* vfs_getattr() - stat(2). vfs_setattr() - chmod, chown, utimes, truncate, with their checks. */
int vfs_getattr(const struct path *p, struct attr *out);
int vfs_setattr(const struct path *p, const struct cred *cred, const struct setattr *s);
/* vfs_permission() - may `cred` do MAY_READ|MAY_WRITE|MAY_EXEC? Return: 0, -EACCES, -EROFS. */
enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
int vfs_permission(const struct path *p, const struct cred *cred, u32 may);
int inode_permission(struct inode *ino, const struct cred *cred, u32 may);

/* vfs_path_string() - the path as seen from `root`, for getcwd and /proc. Return: length with NUL
 * (-ERANGE); *unreachable: outside root; deleted names get " (deleted)" when `mark_deleted`. */
ssize_t vfs_path_string(const struct path *p, const struct path *root, char *buf, size_t cap,
                        bool mark_deleted, bool *unreachable);
