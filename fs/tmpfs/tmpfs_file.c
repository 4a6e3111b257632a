/*
 * tmpfs's open files. Guest memory is copied to and from a bounce buffer without locks, in pieces of
 * at most BOUNCE_BYTES; each piece is one with respect to other reads and writes.
 */
#include "fs/tmpfs/tmpfs_priv.h"

#include "sentry/base/limits.h"

#include <errno.h>

enum { SMALL = 4096 };

static ssize_t tmpfs_read(struct file *f, struct uio *to, s64 *pos)
{
    struct inode *ino = f->inode;
    u8 small[SMALL] NO_AUTO_INIT, *buf = to->left > SMALL ? bounce_get() : small;
    size_t cap = buf == small ? SMALL : BOUNCE_BYTES;
    ssize_t done = 0, n, out = 0;

    if (!buf)
        return -ENOMEM;
    while (to->left) {
        mutex_lock(&ino->lock);
        n = tmpfs_data_read(ino, buf, min_of((u64)cap, to->left), (u64)*pos);
        mutex_unlock(&ino->lock);
        out = n > 0 ? uio_to(to, buf, (size_t)n) : n;
        if (out > 0) {
            done += out;
            *pos += out;
        }
        if (out <= 0 || out < n)
            break;
    }
    if (buf != small)
        bounce_put(buf);
    file_accessed(f);
    return done ? done : out;
}

/* write_piece() - Return: bytes, negative errno. */
static ssize_t write_piece(struct file *f, const u8 *buf, size_t len, bool append, s64 *pos)
{
    struct inode *ino = f->inode;
    u64 want = len;
    ssize_t n;

    mutex_lock(&ino->lock);
    if (append)
        *pos = (s64)ino->size;
    n = file_write_limit((u64)*pos, &want);
    if (!n)
        n = tmpfs_seal_write(ino, (u64)*pos, &want);
    if (!n)
        n = tmpfs_data_write(ino, buf, want, (u64)*pos);
    if (n > 0)
        inode_touch_locked(ino, INODE_MTIME | INODE_CTIME);
    mutex_unlock(&ino->lock);
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t tmpfs_write(struct file *f, struct uio *from, s64 *pos)
{
    u8 small[SMALL] NO_AUTO_INIT, *buf = from->left > SMALL ? bounce_get() : small;
    size_t cap = buf == small ? SMALL : BOUNCE_BYTES;
    bool append = from->append || (f->flags & LX_O_APPEND);
    ssize_t done = 0, n = 0;

    if (!buf)
        return -ENOMEM;
    while (from->left) {
        u64 want = min_of((u64)cap, from->left);
        ssize_t in = uio_from(from, buf, want);

        n = in > 0 ? write_piece(f, buf, (size_t)in, append, pos) : in;
        if (n > 0)
            done += n;
        if (n <= 0 || n < (ssize_t)want)
            break;
    }
    if (buf != small)
        bounce_put(buf);
    return done ? done : n;
}

static s64 tmpfs_seek(struct file *f, s64 offset, int whence)
{
    s64 to;

    if (whence != LX_SEEK_DATA && whence != LX_SEEK_HOLE)
        return file_seek_generic(f, offset, whence);
    if (offset < 0)
        return -ENXIO;
    mutex_lock(&f->inode->lock);
    to = tmpfs_data_seek(f->inode, (u64)offset, whence);
    mutex_unlock(&f->inode->lock);
    return to;
}

static int tmpfs_fsync(struct file *f, bool data_only)
{
    return 0;
}

static int tmpfs_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
    struct inode *ino = f->inode;
    bool punch = mode & LX_FALLOC_FL_PUNCH_HOLE;
    int err;

    if (mode & ~(LX_FALLOC_FL_KEEP_SIZE | LX_FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    mutex_lock(&ino->lock);
    err = tmpfs_seal_allocate(ino, offset + len, punch);
    if (!err && punch)
        err = tmpfs_data_punch(ino, offset, len);
    else if (!err)
        err = tmpfs_data_allocate(ino, offset, len, mode & LX_FALLOC_FL_KEEP_SIZE);
    if (!err)
        inode_touch_locked(ino, INODE_MTIME | INODE_CTIME);
    mutex_unlock(&ino->lock);
    return err;
}

static int tmpfs_map_fd(struct file *f, bool shared, bool may_write)
{
    struct inode *ino = f->inode;
    struct tmpfs_data *d = &tmpfs_node(ino)->data;
    int fd;

    mutex_lock(&ino->lock);
    fd = tmpfs_data_file(ino);
    if (!fd) {
        d->mapped |= shared && may_write;
        fd = shared && may_write ? d->rw_fd : d->ro_fd;
    }
    mutex_unlock(&ino->lock);
    return fd;
}

static void tmpfs_release(struct file *f)
{
    struct inode *ino = f->inode;

    mutex_lock(&ino->lock);
    tmpfs_node(ino)->data.users--;
    tmpfs_fds_idle(tmpfs_node(ino));
    mutex_unlock(&ino->lock);
    tmpfs_fds_trim();
}

const struct file_ops tmpfs_file_ops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .seek = tmpfs_seek,
    .fsync = tmpfs_fsync,
    .fallocate = tmpfs_fallocate,
    .map_fd = tmpfs_map_fd,
    .map_writable = tmpfs_map_writable,
    .release = tmpfs_release,
};
