/* Inside fs/tmpfs. */
#pragma once

#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/file.h"

#include <bsd/sys/tree.h>

struct tmpfs_super {
    _Atomic(u64) pages, inodes;         /* in use */
    _Atomic(u64) max_pages, max_inodes; /* UINT64_MAX: no bound */
    u32 mode, uid, gid;                 /* of the root */
};

/* One name in a directory. `cookie` is its position for readdir: names keep theirs for life. */
struct tmpfs_dirent {
    struct hash_node by_name;
    RB_ENTRY(tmpfs_dirent) by_cookie;
    s64 cookie;
    struct inode *inode; /* a reference */
    u32 len;
    char name[];
};
RB_HEAD(tmpfs_cookies, tmpfs_dirent);

struct tmpfs_dir {
    struct hash names;
    struct tmpfs_cookies cookies;
    s64 next_cookie;
    bool dead; /* removed: takes no more names */
};

/*
 * A regular file's bytes: in `mem` while there are at most LIMIT_TMPFS_INLINE and nobody has mapped
 * the file, then in a file of the Sentry's own tmpfs, whose size is always the inode's.
 * Bytes of mem from the size on are zero.
 */
struct tmpfs_data {
    u8 *mem; /* owned */
    u32 cap;
    u32 users;        /* guests' open descriptions */
    u32 present;      /* pages of mem that are no holes, a bit each */
    u64 file;         /* number of the host's file; 0: in memory */
    int rw_fd, ro_fd; /* of the file; -1: not open now */
    u64 pages;        /* charged to the super */
    u64 dense;        /* fd: the first so many pages are no holes */
    bool sparse;      /* fd: there may be pages behind those */
    bool mapped;      /* fd: mapped writable, so pages may come at any time */
};

struct tmpfs_xattr {
    struct list_node node;
    char *name; /* owned; the value is behind it */
    u8 *value;
    size_t len;
};

/* inode->private; guarded by inode->lock. */
struct tmpfs_node {
    struct tmpfs_super *super; /* borrowed */
    struct inode *inode;       /* whose private this is */
    struct list_node idle;     /* of tmpfs_fds.c, and guarded by its lock */
    struct tmpfs_dir dir;
    struct tmpfs_data data;
    u32 seals;    /* LX_F_SEAL_* */
    u32 writable; /* of what may be sealed: shared mappings that may write, a plan of one too */
    char *target; /* owned; a symlink's */
    struct list_node xattrs;
    u64 xattr_bytes;
};

static inline struct tmpfs_node *tmpfs_node(const struct inode *ino)
{
    return ino->private;
}

extern const struct inode_ops tmpfs_inode_ops;
extern const struct xattr_ops tmpfs_xattr_ops;
extern const struct file_ops tmpfs_file_ops, tmpfs_dir_file_ops;

/* tmpfs_charge() - n pages more. Return: 0, -ENOSPC. tmpfs_charge_some(): as many of n as there
 * are. tmpfs_uncharge(): n pages less. */
int tmpfs_charge(struct tmpfs_super *ts, u64 n);
u64 tmpfs_charge_some(struct tmpfs_super *ts, u64 n);
void tmpfs_uncharge(struct tmpfs_super *ts, u64 n);
/* tmpfs_inode_charge() - one inode more or, on -1, less. Return: 0, -ENOSPC. */
int tmpfs_inode_charge(struct tmpfs_super *ts, int by);

/* tmpfs_options() - parse mount options. Return: 0, -EINVAL. */
int tmpfs_options(const char *options, const struct cred *cred, struct tmpfs_super *ts);
u64 tmpfs_memory(void);

/* tmpfs_inode() - a new inode without a name; NULL: no room for it. */
struct inode *tmpfs_inode(struct super *sb, u32 mode, u32 uid, u32 gid);

/* Directories; tmpfs_dir.c. */
int tmpfs_lookup(struct inode *dir, const char *name, u32 len, struct inode **out);
int tmpfs_dir_add(struct inode *dir, const char *name, u32 len, struct inode *ino);
int tmpfs_link(struct inode *dir, const char *name, u32 len, struct inode *target);
int tmpfs_unlink(struct inode *dir, const char *name, u32 len, struct inode *victim);
int tmpfs_rmdir(struct inode *dir, const char *name, u32 len, struct inode *victim);
int tmpfs_rename(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                 const char *to, u32 to_len, u32 flags);
void tmpfs_dir_free(struct tmpfs_dir *d);

/* Seals; tmpfs_seal.c. inode->lock held. They say -EPERM where a seal forbids: tmpfs_seal_write() a
 * write at pos, *len being cut to what may be written; tmpfs_seal_resize(), tmpfs_seal_mode().
 * tmpfs_map_writable(): file_ops.map_writable, without the lock. */
int tmpfs_seal_write(const struct inode *ino, u64 pos, u64 *len);
int tmpfs_seal_allocate(const struct inode *ino, u64 end, bool punch);
int tmpfs_seal_resize(const struct inode *ino, u64 size);
int tmpfs_seal_mode(const struct inode *ino, u32 mode);
int tmpfs_map_writable(struct file *f, enum map_count what);

/* Data; tmpfs_data.c. inode->lock held, but for tmpfs_data_free(). */
ssize_t tmpfs_data_read(struct inode *ino, void *buf, size_t len, u64 pos);
ssize_t tmpfs_data_write(struct inode *ino, const void *buf, size_t len, u64 pos);
int tmpfs_data_resize(struct inode *ino, u64 size);
int tmpfs_data_allocate(struct inode *ino, u64 pos, u64 len, bool keep_size);
int tmpfs_data_punch(struct inode *ino, u64 pos, u64 len);
s64 tmpfs_data_seek(struct inode *ino, u64 pos, int whence);
/* Descriptors of big files; tmpfs_fds.c. inode->lock held, but for room, close and trim.
 * tmpfs_fds_user(): one more description of the guest's. tmpfs_fds_made(): they were just opened.
 * tmpfs_fds_need(): open them if they are not. Return: 0, -ENFILE. tmpfs_fds_idle(): done; without
 * users they may be closed now. tmpfs_fds_close(): the inode is going. */
void tmpfs_fds_user(struct tmpfs_node *node);
void tmpfs_fds_made(struct tmpfs_node *node);
int tmpfs_fds_need(struct tmpfs_node *node);
void tmpfs_fds_idle(struct tmpfs_node *node);
void tmpfs_fds_close(struct tmpfs_node *node);
/* tmpfs_fds_room() - may one more file be open? Return: 0, -ENFILE. */
int tmpfs_fds_room(void);
/* tmpfs_fds_trim() - close what is idle beyond LIMIT_TMPFS_IDLE; no lock held. */
void tmpfs_fds_trim(void);

/* tmpfs_data_file() - make it a file of the host. Return: 0, -ENOSPC, -ENOMEM. */
int tmpfs_data_file(struct inode *ino);
/* tmpfs_data_recount() - what a mapping may have added is charged. */
void tmpfs_data_recount(struct inode *ino);
void tmpfs_data_free(struct tmpfs_node *node);
void tmpfs_xattr_free(struct tmpfs_node *node);
