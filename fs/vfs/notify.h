/*
 * Who wants to know what happens to files (inotify(7)). A mark on an inode asks for events, which
 * vfs reports here. While there is no mark anywhere a report costs one load.
 */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_inotify.h"

struct notify_event {
    u32 mask, cookie;
    const char *name; /* in the marked directory; NULL: the marked inode itself */
    u32 len;
};

struct notify_mark;
struct notify_ops {
    /* event() - one that the mark wants, under the notify lock, other marks' ends not yet carried
     * out. Return: true: take the mark off. */
    bool (*event)(struct notify_mark *m, const struct notify_event *e);
    /* gone() - under the lock: the inode or its super goes, and the mark with it. */
    void (*gone)(struct notify_mark *m);
    /* free() - it is off its inode; no lock of notify is held. */
    void (*free)(struct notify_mark *m);
};

/* Embedded in what watches. */
struct notify_mark {
    const struct notify_ops *ops;
    u32 mask;            /* LX_IN_*; and below: guarded by the notify lock */
    struct inode *inode; /* a reference, from attaching to free() */
    struct notify_mark *next;
    struct list_node of_super;
    bool detached; /* off its inode, to be freed */
};

extern _Atomic(u32) notify_marks; /* how many there are */

/* The notify lock guards all marks, and what watchers keep about theirs. */
void notify_lock(void);
void notify_unlock(void);
/* notify_attach_locked() - the inode gets the mark. notify_set_mask_locked(): its mask is another.
 * notify_first_locked(): an inode's marks. */
void notify_attach_locked(struct notify_mark *m, struct inode *ino);
void notify_set_mask_locked(struct notify_mark *m, u32 mask);
struct notify_mark *notify_first_locked(struct inode *ino);
/* notify_detach_locked() - take it off; notify_unlock() then calls free(), when the lock is
 * dropped. Whoever detaches holds other references to the inode and its super, or no lock from DIR
 * down. */
void notify_detach_locked(struct notify_mark *m);

/* notify_dentry_slow() - and below: the functions without `_slow`, where there is a mark. */
void notify_dentry_slow(struct dentry *d, u32 mask, bool opened);
void notify_name_slow(struct inode *dir, u32 mask, const char *name, u32 len, u32 cookie,
                      bool is_dir);
void notify_inode_slow(struct inode *ino, u32 mask);
void notify_gone_slow(struct inode *ino);
void notify_move_slow(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                      const char *to, u32 to_len, bool is_dir);

static inline bool notify_any(void)
{
    return unlikely(atomic_load_explicit(&notify_marks, memory_order_relaxed) != 0);
}

/* notify_dentry() - something happened to the object: its marks and those of its directory hear. */
static inline void notify_dentry(struct dentry *d, u32 mask)
{
    if (notify_any())
        notify_dentry_slow(d, mask, false);
}

/* notify_file() - the same, by way of an open description. */
static inline void notify_file(struct file *f, u32 mask)
{
    if (notify_any() && f->announced)
        notify_dentry_slow(f->path.dentry, mask, true);
}

/* notify_name() - a name came or went in a directory, whose dir_lock is held. */
static inline void notify_name(struct inode *dir, u32 mask, const char *name, u32 len, bool is_dir)
{
    if (notify_any())
        notify_name_slow(dir, mask, name, len, 0, is_dir);
}

/* notify_move() - a rename, as both directories see it. */
static inline void notify_move(struct inode *from_dir, const char *from, u32 from_len,
                               struct inode *to_dir, const char *to, u32 to_len, bool is_dir)
{
    if (notify_any())
        notify_move_slow(from_dir, from, from_len, to_dir, to, to_len, is_dir);
}

/* notify_inode() - what only the object's own marks hear. */
static inline void notify_inode(struct inode *ino, u32 mask)
{
    if (notify_any())
        notify_inode_slow(ino, mask);
}

/* notify_gone() - the last name and the last use of the name are gone. */
static inline void notify_gone(struct inode *ino)
{
    if (notify_any())
        notify_gone_slow(ino);
}

/* notify_super_gone() - the super is going. */
void notify_super_gone(struct super *sb);
