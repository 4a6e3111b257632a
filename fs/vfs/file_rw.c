/*
 * Reading, writing, seeking. A file that has a position is read and written at it under pos_lock,
 * so that two threads that share the description never get the same bytes.
 */
#include "fs/vfs/file.h"

#include "fs/vfs/dentry.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/setattr.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>

static u64 (*fsize_limit)(void);
static void (*fsize_exceeded)(void);

void vfs_set_fsize_hook(u64 (*limit)(void), void (*exceeded)(void))
{
    fsize_limit = limit;
    fsize_exceeded = exceeded;
}

int file_size_limit(u64 size)
{
    if (size > INT64_MAX)
        return -EFBIG;
    if (fsize_limit && size > fsize_limit()) {
        if (fsize_exceeded)
            fsize_exceeded();
        return -EFBIG;
    }
    return 0;
}

int file_write_limit(u64 pos, u64 *len)
{
    u64 limit = fsize_limit ? fsize_limit() : UINT64_MAX;

    if (pos >= INT64_MAX)
        return *len ? -EFBIG : 0;
    if (*len && pos >= limit) {
        if (fsize_exceeded)
            fsize_exceeded();
        return -EFBIG;
    }
    limit = min_of(limit, (u64)INT64_MAX);
    *len = min_of(*len, limit - pos);
    return 0;
}

typedef ssize_t rw_fn(struct file *f, struct uio *io, s64 *pos);

/* at_position() - call op at *pos, or at the file's own position if it has one. */
static ssize_t at_position(struct file *f, rw_fn *op, struct uio *io, s64 *pos)
{
    s64 own = 0;
    ssize_t n;

    if (pos) {
        if (*pos < 0)
            return -EINVAL;
        if (!f->seekable)
            return -ESPIPE;
        return io->left > (u64)(INT64_MAX - *pos) ? -EINVAL : op(f, io, pos);
    }
    if (!f->seekable)
        return op(f, io, &own);
    mutex_lock(&f->pos_lock);
    own = f->pos;
    n = io->left > (u64)(INT64_MAX - own) ? -EINVAL : op(f, io, &own);
    f->pos = own;
    mutex_unlock(&f->pos_lock);
    return n;
}

ssize_t file_read(struct file *f, struct uio *to, s64 *pos)
{
    ssize_t n;

    if (!file_readable(f))
        return -EBADF;
    if (!f->ops->read)
        return LX_S_ISDIR(inode_mode(f->inode)) ? -EISDIR : -EINVAL;
    n = at_position(f, f->ops->read, to, pos);
    if (n > 0)
        notify_file(f, LX_IN_ACCESS);
    return n;
}

ssize_t file_write(struct file *f, struct uio *from, s64 *pos)
{
    u64 asked = from->left;
    ssize_t n;

    if (!file_writable(f))
        return -EBADF;
    if (!f->ops->write)
        return -EINVAL;
    n = setattr_kill_privs(f);
    if (!n)
        n = at_position(f, f->ops->write, from, pos);
    if (n == -EAGAIN || (n >= 0 && (u64)n < asked))
        file_async_full(f);
    if (n > 0)
        notify_file(f, LX_IN_MODIFY);
    return n;
}

ssize_t file_read_kernel(struct file *f, void *buf, size_t cap, u64 offset)
{
    size_t done = 0;

    if (!f->ops->read)
        return LX_S_ISDIR(inode_mode(f->inode)) ? -EISDIR : -EINVAL;
    while (done < cap) {
        s64 pos = (s64)(offset + done);
        struct uio_vec vec;
        struct uio to;
        ssize_t n;

        uio_kernel(&to, &vec, (char *)buf + done, cap - done);
        n = f->ops->read(f, &to, &pos);
        if (n < 0)
            return done ? (ssize_t)done : n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    if (done)
        notify_file(f, LX_IN_ACCESS);
    return (ssize_t)done;
}

s64 file_seek_generic(struct file *f, s64 offset, int whence)
{
    u64 size;
    s64 base = 0;

    mutex_lock(&f->inode->lock);
    size = f->inode->size;
    mutex_unlock(&f->inode->lock);
    switch (whence) {
    case LX_SEEK_SET: break;
    case LX_SEEK_CUR: base = f->pos; break;
    case LX_SEEK_END: base = (s64)size; break;
    case LX_SEEK_DATA: return offset < 0 || (u64)offset >= size ? -ENXIO : offset;
    case LX_SEEK_HOLE: return offset < 0 || (u64)offset >= size ? -ENXIO : (s64)size;
    default: return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &base))
        return -EINVAL;
    return base < 0 ? -EINVAL : base;
}

s64 file_seek_dir(struct file *f, s64 offset, int whence)
{
    if (whence == LX_SEEK_CUR && __builtin_add_overflow(f->pos, offset, &offset))
        return -EINVAL;
    if (whence != LX_SEEK_SET && whence != LX_SEEK_CUR)
        return -EINVAL;
    return offset < 0 ? -EINVAL : offset;
}

s64 file_seek(struct file *f, s64 offset, int whence)
{
    s64 to;

    if (f->flags & LX_O_PATH)
        return -EBADF;
    if (whence < LX_SEEK_SET || whence > LX_SEEK_HOLE)
        return -EINVAL;
    if (!f->ops->seek)
        return -ESPIPE;
    mutex_lock(&f->pos_lock);
    to = f->ops->seek(f, offset, whence);
    if (to >= 0)
        f->pos = to;
    mutex_unlock(&f->pos_lock);
    return to;
}

int file_truncate(struct file *f, u64 size)
{
    int err;

    if (f->flags & LX_O_PATH)
        return -EBADF;
    if (!LX_S_ISREG(inode_mode(f->inode)) || !file_writable(f) || size > INT64_MAX)
        return -EINVAL;
    err = file_size_limit(size);
    if (!err)
        err = setattr_kill_privs(f);
    if (err)
        return err;
    err = f->ops->truncate ? f->ops->truncate(f, size) : setattr_size(f->inode, size);
    if (!err)
        notify_file(f, LX_IN_MODIFY);
    return err;
}

int file_fallocate(struct file *f, int mode, s64 offset, s64 len)
{
    u32 type = inode_mode(f->inode);
    int err;

    if (f->flags & LX_O_PATH)
        return -EBADF;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if (mode & ~(LX_FALLOC_FL_KEEP_SIZE | LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_COLLAPSE_RANGE |
                 LX_FALLOC_FL_ZERO_RANGE | LX_FALLOC_FL_INSERT_RANGE | LX_FALLOC_FL_UNSHARE_RANGE))
        return -EOPNOTSUPP;
    if ((mode & LX_FALLOC_FL_PUNCH_HOLE) &&
        mode != (LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE))
        return -EOPNOTSUPP;
    if (!file_writable(f))
        return -EBADF;
    if (LX_S_ISFIFO(type))
        return -ESPIPE;
    if (LX_S_ISDIR(type))
        return -EISDIR;
    if (!LX_S_ISREG(type) && !LX_S_ISBLK(type))
        return -ENODEV;
    if (offset > INT64_MAX - len)
        return -EFBIG;
    if (!f->ops->fallocate)
        return -EOPNOTSUPP;
    err = mode & LX_FALLOC_FL_KEEP_SIZE ? 0 : file_size_limit((u64)offset + (u64)len);
    if (!err)
        err = setattr_kill_privs(f);
    if (!err)
        err = f->ops->fallocate(f, mode, (u64)offset, (u64)len);
    if (!err)
        notify_file(f, LX_IN_MODIFY);
    return err;
}

u32 file_poll(struct file *f)
{
    u32 events = f->ops->poll ? f->ops->poll(f) : LX_POLL_DEFAULT;

    if (!(events & LX_POLLOUT))
        file_async_full(f);
    return events;
}

/* older() - is a before or at b? */
static bool older(const struct lx_time *a, const struct lx_time *b)
{
    return a->sec < b->sec || (a->sec == b->sec && a->nsec <= b->nsec);
}

void file_accessed(struct file *f)
{
    enum { DAY = 24 * 3600 };
    u32 flags = f->path.mount->flags | f->path.mount->super->mount_flags;
    struct inode *ino = f->inode;
    struct lx_time now;

    if ((f->flags & LX_O_NOATIME) || (flags & (LX_MS_NOATIME | LX_MS_RDONLY)) ||
        ((flags & LX_MS_NODIRATIME) && LX_S_ISDIR(inode_mode(ino))))
        return;
    lx_time_now(&now);
    mutex_lock(&ino->lock);
    if (!(flags & LX_MS_RELATIME) || older(&ino->atime, &ino->mtime) ||
        older(&ino->atime, &ino->ctime) || now.sec - ino->atime.sec >= DAY)
        ino->atime = now;
    mutex_unlock(&ino->lock);
}

int file_readdir(struct file *f, struct dir_emit *e)
{
    s64 pos;
    int err;

    if (f->flags & LX_O_PATH)
        return -EBADF;
    if (!f->ops->readdir)
        return -ENOTDIR;
    if (f->path.dentry->unhashed)
        return -ENOENT;
    mutex_lock(&f->pos_lock);
    pos = f->pos;
    err = f->ops->readdir(f, &pos, e);
    if (!err && e->finish)
        err = e->finish(e);
    if (!err || !e->finish)
        f->pos = pos;
    mutex_unlock(&f->pos_lock);
    notify_file(f, LX_IN_ACCESS);
    return err;
}

bool dir_emit_dots(struct file *f, s64 *pos, struct dir_emit *e)
{
    if (*pos == 0) {
        if (!e->emit(e, ".", 1, f->inode->ino, LX_DT_DIR, 1))
            return false;
        *pos = 1;
    }
    if (*pos == 1) {
        struct dentry *d = f->path.dentry, *up = dentry_parent(d);
        u64 ino = up ? up->inode->ino : f->inode->ino;

        dentry_put(up);
        if (!e->emit(e, "..", 2, ino, LX_DT_DIR, 2))
            return false;
        *pos = 2;
    }
    return true;
}
