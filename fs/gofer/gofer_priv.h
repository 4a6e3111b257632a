/*
 * Inside fs/gofer: the objects. Theory of operation: gofer_super.c.
 *
 * Locks: inode->lock guards attributes; conn->lock (a leaf, never held over a call, a copy or the
 * end of an object) guards what says so here.
 */
#pragma once

#include "fs/gofer/gofer.h"
#include "fs/proto/channel.h"

struct gofer_listing;

struct gofer_conn {
    struct channel_client *client;
    u32 max_handles;           /* set by the first mount */
    u32 max_fds, max_idle_fds; /* donated ones: in all, and from when idle ones are closed */
    struct mutex lock;
    u32 nhandles; /* and below: guarded by lock */
    struct list_node handle_lru;
    u64 *release; /* handles to be given back with the next call that finds enough of them */
    u32 nrelease, release_cap;
    u32 nfds;
    struct list_node fd_lru; /* nodes with descriptors and no open file */
    u32 nlisted;             /* entries of all attached listings */
    struct list_node listing_lru;
};

struct gofer_super {
    struct super *sb;        /* borrowed */
    struct gofer_conn *conn; /* borrowed */
    bool exclusive;
    u64 root_dev;
    _Atomic(s32) appetite; /* are entries of listings looked up later? See gofer_listing.c */
    _Atomic(u64) replaced; /* counts renames that may have removed a name we don't know */
    struct hash by_id;     /* and below: guarded by conn->lock */
    struct hash by_place;
};

/* A name under which a node was last seen. */
struct gofer_place {
    struct hash_node by_place;
    struct list_node of_node;
    struct gofer_node *node; /* borrowed */
    struct inode *parent;    /* a reference */
    u32 len;
    char name[];
};

enum { GOFER_RO, GOFER_RW, GOFER_FDS };

/* What an inode's `private` is. */
struct gofer_node {
    struct inode *inode; /* the inode that owns it */
    u64 host_dev, host_ino;
    bool has_btime;       /* and the inode's btime: set once */
    u64 blocks;           /* and replaced: guarded by inode->lock */
    u64 replaced;         /* gofer_super.replaced when nlink was fetched */
    _Atomic(bool) stale;  /* attributes must be fetched before they are shown */
    _Atomic(bool) mapped; /* shared and writable: they change behind our back */
    _Atomic(bool) no_xattr;
    _Atomic(u64) fresh; /* not exclusive: when they were fetched for a lookup, ns; 0: used up */

    struct hash_node by_id; /* and below: guarded by conn->lock */
    bool hashed;            /* in by_id */
    bool unlinked;          /* its last name is gone */
    struct list_node places;
    u64 handle; /* 0: none */
    u32 pins;   /* requests under way that name the handle */
    struct list_node handle_lru;
    int fd[GOFER_FDS];
    int fd_old; /* a read-only one from before the first writable one */
    u32 opens;  /* open files */
    struct list_node fd_lru;
    struct gofer_listing *listing; /* a reference; directories of exclusive mounts */
    struct list_node listing_lru;
};

static inline struct gofer_node *gofer_node(const struct inode *ino)
{
    return ino->private;
}

static inline struct gofer_super *gofer_super(const struct super *sb)
{
    return sb->private;
}

static inline struct gofer_super *gofer_super_of(const struct gofer_node *n)
{
    return n->inode->super->private;
}

/* --- gofer_call.c: requests --- */

enum { GOFER_STEPS = 4, GOFER_PATH_BYTES = (GOFER_STEPS + 1) * (LIMIT_NAME + 1) };


struct gofer_target {
    struct gofer_node *pinned; /* whose handle it is */
    struct inode *ref;         /* a reference that keeps `pinned` */
    u32 len;
    char path[GOFER_PATH_BYTES];
};

struct gofer_request {
    struct channel_call call;
    struct gofer_super *gs;
    struct gofer_target target[2];
};

/* gofer_request_new() - a request about `n`, or about `name` in the directory n if len is not 0. */
int gofer_request_new(struct gofer_request *r, u32 op, struct gofer_node *n, const char *name,
                      u32 len);
/* gofer_request_second() - target 1: `name` in the directory n. On failure the request is over. */
int gofer_request_second(struct gofer_request *r, struct gofer_node *n, const char *name, u32 len);
/* gofer_request_more() - one more component to target 0. Return: false: there is no room. */
bool gofer_request_more(struct gofer_request *r, const char *name, u32 len);
/* gofer_request_run() - make the call; the request is over, its reply and descriptor remain.
 * Return: the gofer's status, or -EIO. */
int gofer_request_run(struct gofer_request *r);
/* gofer_handle_set() - `n` has this handle from now on (or gives it back, if it has one). */
void gofer_handle_set(struct gofer_node *n, u64 handle);
/* gofer_handle_drop_locked() - the node ends, or a handle is needed elsewhere. */
void gofer_handle_drop_locked(struct gofer_conn *c, struct gofer_node *n) REQUIRES(c->lock);

/* --- gofer_node.c --- */

extern const struct inode_ops gofer_inode_ops;

/* gofer_node_get() - the inode that `attr` describes, found or made. `dir` and `name`: where it was
 * seen (NULL: nowhere). Return: 0 and a new reference. */
int gofer_node_get(struct gofer_super *gs, const struct proto_attr *attr, struct gofer_node *dir,
                   const char *name, u32 len, struct inode **out);
void gofer_node_free(struct inode *ino);
/* gofer_place_add() - `n` is seen as `name` in `dir`, and nothing else is. Without memory that is
 * not remembered. */
void gofer_place_add(struct gofer_node *n, struct gofer_node *dir, const char *name, u32 len);
/* gofer_place_remove() - that name is gone. Return: the node that had it, as a new inode reference,
 * or NULL. */
struct inode *gofer_place_remove(struct gofer_node *dir, const char *name, u32 len);
/* gofer_place_find() - the node that was last seen there, as a new inode reference, or NULL. */
struct inode *gofer_place_find(struct gofer_node *dir, const char *name, u32 len);
/* gofer_place_only() - is `name` in `dir` the only name that we know of n? */
bool gofer_place_only(struct gofer_node *n);
/* gofer_node_unlinked() - its last name is gone: the number may be another file's soon. */
void gofer_node_unlinked(struct gofer_node *n);

/* --- gofer_attr.c --- */

/* gofer_attr_apply_locked() - n->inode->lock held: take over what the gofer said. */
void gofer_attr_apply_locked(struct gofer_node *n, const struct proto_attr *a);
void gofer_attr_apply(struct gofer_node *n, const struct proto_attr *a);
/* gofer_attr_refresh_locked() - n->inode->lock held: fetch attributes if they may be old. */
int gofer_attr_refresh_locked(struct gofer_node *n);
int gofer_getattr(struct inode *ino, struct attr *out);
int gofer_setattr(struct inode *ino, const struct setattr *s);

/* What inode_ops and the rest of the tables are filled with. */
int gofer_lookup(struct inode *dir, const char *name, u32 len, struct inode **out);
int gofer_lookup_ahead(struct inode *dir, const struct name_ahead *names, u32 n, u32 intent,
                       struct inode **out, u32 *found);
int gofer_revalidate(struct dentry *d);
ssize_t gofer_readlink(struct inode *ino, char *buf, size_t cap);
int gofer_create(struct inode *dir, const char *name, u32 len, u32 mode, u32 uid, u32 gid,
                 u32 rdev_major, u32 rdev_minor, struct inode **out);
int gofer_symlink(struct inode *dir, const char *name, u32 len, const char *target, u32 uid,
                  u32 gid, struct inode **out);
int gofer_tmpfile(struct inode *dir, u32 mode, u32 uid, u32 gid, struct inode **out);
int gofer_link(struct inode *dir, const char *name, u32 len, struct inode *target);
int gofer_unlink(struct inode *dir, const char *name, u32 len, struct inode *victim);
int gofer_rmdir(struct inode *dir, const char *name, u32 len, struct inode *victim);
int gofer_rename(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                 const char *to, u32 to_len, u32 flags);
extern const struct xattr_ops gofer_xattr_ops;

/* --- gofer_fd.c: donated descriptors --- */

/* gofer_fd_open() - one more open file, with a descriptor to read from or (rw) to read and write;
 * it stays until gofer_fd_close(). Return: the descriptor, borrowed, or negative errno. */
int gofer_fd_open(struct gofer_node *n, bool rw);
void gofer_fd_close(struct gofer_node *n);
/* gofer_fd_room() - may there be one more? */
bool gofer_fd_room(struct gofer_conn *c);
/* gofer_fd_get() - for an open file: a read-only descriptor (rw: a read-write one). */
int gofer_fd_get(struct gofer_node *n, bool rw);
/* gofer_fd_give() - one came with another answer; taken. */
void gofer_fd_give(struct gofer_node *n, bool rw, int fd);
/* gofer_fd_use() - any descriptor that is there (rw: one to write on), kept open until
 * gofer_fd_close(). Return: it, or -ENOENT. */
int gofer_fd_use(struct gofer_node *n, bool rw);
/* gofer_fd_forget() - close them all if no file is open (its last name is gone). */
void gofer_fd_forget(struct gofer_node *n);
/* gofer_fd_drop_locked() - the node ends: its descriptors, to be closed by the caller. */
u32 gofer_fd_drop_locked(struct gofer_conn *c, struct gofer_node *n, int fds[GOFER_FDS + 1])
    REQUIRES(c->lock);

/* inode_ops.open; gofer_dir_open() does it for directories. */
int gofer_open(struct inode *ino, struct file *file);
int gofer_dir_open(struct inode *ino, struct file *file);
