/* Open file descriptions: making, reading, writing, readiness. */
#pragma once

#include "fs/vfs/vfs.h"

/* file_count() - descriptions in the sandbox now. */
u32 file_count(void);
/* file_new() - a description of `path` (references of its own are taken) with ops still NULL: for
 * what opens without vfs_open(). Return: 0 and a new reference, -ENFILE, -ENOMEM.
 *
 * file_new_anon() - one without a name in any directory: pipes, sockets, eventfds. It gets an inode
 * of `mode` with a number of its own and is shown as `name` ("anon_inode:[eventpoll]"); a name that
 * ends in ':' gets the inode's number, "pipe:[7]". `private` is the file's from the start: if this
 * fails the caller frees it. file_new_shared(): one more description of such an inode (the other
 * end of a pipe). */
int file_new(const struct path *path, const struct cred *cred, u32 flags, struct file **out);
int file_new_anon(const struct file_ops *ops, const char *name, u32 mode, const struct cred *cred,
                  u32 flags, void *private, struct file **out);
/* file_new_anon_inode() - one whose inode has operations of its own: what opens it again through
 * /proc/PID/fd. The caller sets inode->private. */
int file_new_anon_inode(const struct file_ops *ops, const struct inode_ops *inode_ops,
                        const char *name, u32 mode, const struct cred *cred, u32 flags,
                        void *private, struct file **out);
/* file_new_unlinked() - a description of an inode of a super that is mounted nowhere (`m`: its mount,
 * attached to nothing), opened by its own operations and shown as `name`. `ino` is taken. */
int file_new_unlinked(struct mount *m, struct inode *ino, const char *name,
                      const struct cred *cred, u32 flags, struct file **out);
int file_new_shared(struct file *other, const struct file_ops *ops, u32 flags, void *private,
                    struct file **out);

/* file_read(), file_write() - with read(2)'s checks (EBADF, EISDIR, EINVAL), position handling
 * and O_APPEND. `pos` NULL: the file's own position. Return: bytes or negative errno. */
ssize_t file_read(struct file *f, struct uio *to, s64 *pos);
ssize_t file_write(struct file *f, struct uio *from, s64 *pos);
s64 file_seek(struct file *f, s64 offset, int whence);
int file_truncate(struct file *f, u64 size);
/* file_seek_generic() - SEEK_SET/CUR/END/DATA/HOLE over inode->size for plain files. */
s64 file_seek_generic(struct file *f, s64 offset, int whence);
/* file_poll() - readiness; what a file without poll() is: always readable and writable. */
u32 file_poll(struct file *f);
/* file_read_kernel() - read up to `cap` bytes at `offset` into our buffer (exec, boot); short only
 * at the end. */
ssize_t file_read_kernel(struct file *f, void *buf, size_t cap, u64 offset);

/* file_readdir() - getdents(2): entries from the file's position on, which moves along.
 * Return: 0, -ENOTDIR, -ENOENT (the directory is gone), what e->finish() returned. */
int file_readdir(struct file *f, struct dir_emit *e);
/* dir_emit_dots() - for readdir(): "." and ".." at positions 0 and 1. Return: false: full. */
bool dir_emit_dots(struct file *f, s64 *pos, struct dir_emit *e);
/* file_seek_dir() - for directories: SEEK_SET and SEEK_CUR to what next_pos was. */
s64 file_seek_dir(struct file *f, s64 offset, int whence);

/* file_accessed() - after a read: atime as the mount's flags have it (relatime, noatime). For file
 * systems that keep times in the inode. */
void file_accessed(struct file *f);
/* file_write_limit() - cut a write of *len bytes at `pos` to what RLIMIT_FSIZE and the largest file
 * allow. Return: 0, -EFBIG. file_size_limit(): may a file be extended to `size`? */
int file_write_limit(u64 pos, u64 *len);
int file_size_limit(u64 size);
/* vfs_set_fsize_hook() - where RLIMIT_FSIZE of the calling task comes from, and what raises its
 * SIGXFSZ when a write hits it. Without: no limit. */
void vfs_set_fsize_hook(u64 (*limit)(void), void (*exceeded)(void));
/* vfs_set_epoll_hook() - called when the last reference to a file that epoll watches is dropped,
 * before its release(). */
void vfs_set_epoll_hook(void (*gone)(struct file *f));
/* vfs_set_async_hooks() - for files that have ->async: gone() before their release(), full() when a
 * write found too little room or a poll none. file_async_full() - call that. */
void vfs_set_async_hooks(void (*gone)(struct file *f), void (*full)(struct file *f));
void file_async_full(struct file *f);
/* file_fallocate() - fallocate(2) with its checks. */
int file_fallocate(struct file *f, int mode, s64 offset, s64 len);

/* bounce_get() - a buffer of BOUNCE_BYTES for a copy between guest memory and a file's data, which
 * must not go on under locks. NULL: out of memory. */
enum { BOUNCE_BYTES = 65536 };
void *bounce_get(void);
void bounce_put(void *buf);
