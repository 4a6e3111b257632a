/* Open file descriptions: making, reading, writing, readiness. */
#pragma once

#include "fs/vfs/vfs.h"

/* file_new() - a description of `path` (reference taken over from the caller's copy by get) with
 * ops still NULL. file_new_anon() - one without a name: pipes, eventfds, epoll; `inode` is taken,
 * shown as `name` ("pipe:[N]", "anon_inode:[eventpoll]"). */
int file_new(const struct path *path, const struct cred *cred, u32 flags, struct file **out);
int file_new_anon(const struct file_ops *ops, const char *name, u32 mode, const struct cred *cred,
                  u32 flags, void *private, struct file **out);

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
/* file_read_all() - read up to `cap` bytes at `offset` into our buffer (exec, boot). */
ssize_t file_read_kernel(struct file *f, void *buf, size_t cap, u64 offset);
/* file_dir_read_generic() - readdir for file systems whose directories are dentry children. */
