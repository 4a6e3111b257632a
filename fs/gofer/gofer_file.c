/*
 * Open regular files: reading, writing and mapping on donated descriptors. Bytes go through a bounce
 * buffer, so that no lock is held and no host file waits while guest memory is copied. After a write
 * the attributes count as stale; only O_APPEND needs the size at once and takes inode->lock for it.
 */
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BOUNCE_STACK = 4096, BOUNCE_HEAP = 256 * 1024, APPEND_MAX = 1024 * 1024 };

/* file->private holds the descriptor that the file was opened with, plus one. */
static int reg_fd(const struct file *f)
{
    return (int)(intptr_t)f->private - 1;
}

/* bounce() - room for up to `want` bytes: the caller's `small` one or the heap. */
static u8 *bounce(u8 *small, u64 want, u64 max, u8 **heap, size_t *len)
{
    *heap = NULL;
    *len = BOUNCE_STACK;
    if (want <= BOUNCE_STACK)
        return small;
    *heap = malloc(min_of(want, max));
    if (!*heap)
        return small;
    *len = min_of(want, max);
    return *heap;
}

static ssize_t reg_read(struct file *f, struct uio *to, s64 *pos)
{
    u8 small[BOUNCE_STACK] __attribute__((uninitialized));
    auto_free u8 *heap = NULL;
    ssize_t done = 0, n = 0;
    size_t room;
    u8 *buf = bounce(small, to->left, BOUNCE_HEAP, &heap, &room);

    while (to->left) {
        size_t want = min_of((u64)room, to->left);
        ssize_t copied;

        n = host_pread(reg_fd(f), buf, want, (u64)*pos);
        if (n <= 0)
            break;
        copied = uio_to(to, buf, (size_t)n);
        if (copied < 0) {
            n = copied;
            break;
        }
        *pos += copied;
        done += copied;
        if (copied < n || (size_t)n < want)
            break;
    }
    if (done && !(f->flags & LX_O_NOATIME) && gofer_super(f->inode->super)->exclusive)
        atomic_store_explicit(&gofer_node(f->inode)->stale, true, memory_order_relaxed);
    return done ? done : n;
}

/* append() - at the end of the file, wherever that is now. */
static ssize_t append(struct file *f, const u8 *buf, size_t len, s64 *pos)
{
    struct mutex *auto_unlock lock = mutex_locked(&f->inode->lock);
    struct stat st;
    ssize_t n;
    int r = host_fstat(reg_fd(f), &st);

    if (r < 0)
        return r;
    n = host_pwrite(reg_fd(f), buf, len, (u64)st.st_size);
    if (n > 0)
        *pos = st.st_size + n;
    return n;
}

static ssize_t write_once(struct file *f, const u8 *buf, size_t len, s64 *pos)
{
    ssize_t n;

    if (f->flags & LX_O_APPEND)
        return append(f, buf, len, pos);
    n = host_pwrite(reg_fd(f), buf, len, (u64)*pos);
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t reg_write(struct file *f, struct uio *from, s64 *pos)
{
    const u64 max = f->flags & LX_O_APPEND ? APPEND_MAX : BOUNCE_HEAP;
    u8 small[BOUNCE_STACK] __attribute__((uninitialized));
    auto_free u8 *heap = NULL;
    ssize_t done = 0, n = 0;
    size_t room;
    u8 *buf = bounce(small, from->left, max, &heap, &room);

    while (from->left) {
        ssize_t got = uio_from(from, buf, min_of((u64)room, from->left));

        if (got <= 0) {
            n = got;
            break;
        }
        n = write_once(f, buf, (size_t)got, pos);
        if (n <= 0)
            break;
        done += n;
        if (n < got)
            break;
    }
    if (done)
        atomic_store(&gofer_node(f->inode)->stale, true);
    return done ? done : n;
}

static s64 reg_seek(struct file *f, s64 offset, int whence)
{
    struct attr attr;
    s64 pos;
    int r;

    if (whence == LX_SEEK_DATA || whence == LX_SEEK_HOLE) {
        pos = host_lseek(reg_fd(f), offset, whence == LX_SEEK_DATA ? SEEK_DATA : SEEK_HOLE);
        if (pos >= 0)
            f->pos = pos;
        return pos;
    }
    if (whence == LX_SEEK_END) {
        r = gofer_getattr(f->inode, &attr);
        if (r < 0)
            return r;
        if (__builtin_add_overflow(offset, (s64)attr.size, &pos))
            return -EOVERFLOW;
        offset = pos;
        whence = LX_SEEK_SET;
    }
    return file_seek_generic(f, offset, whence);
}

static int reg_fsync(struct file *f, bool data_only)
{
    return host_fsync(reg_fd(f), data_only);
}

static int reg_truncate(struct file *f, u64 size)
{
    int r = host_ftruncate(reg_fd(f), size);

    atomic_store(&gofer_node(f->inode)->stale, true);
    return r;
}

static int reg_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
    int r = host_fallocate(reg_fd(f), mode, offset, len);

    atomic_store(&gofer_node(f->inode)->stale, true);
    return r;
}

static int reg_map_fd(struct file *f, bool shared, bool may_write)
{
    struct gofer_node *n = gofer_node(f->inode);

    if (!shared || !may_write)
        return gofer_fd_get(n, false);
    atomic_store(&n->mapped, true);
    return gofer_fd_get(n, true);
}

static void reg_release(struct file *f)
{
    if (f->private)
        gofer_fd_close(gofer_node(f->inode));
}

static const struct file_ops gofer_file_ops = {
    .read = reg_read,
    .write = reg_write,
    .seek = reg_seek,
    .fsync = reg_fsync,
    .truncate = reg_truncate,
    .fallocate = reg_fallocate,
    .map_fd = reg_map_fd,
    .release = reg_release,
};

int gofer_open(struct inode *ino, struct file *file)
{
    int fd;

    if (LX_S_ISDIR(ino->mode))
        return gofer_dir_open(ino, file);
    if (!LX_S_ISREG(ino->mode))
        return -ENXIO;
    fd = gofer_fd_open(gofer_node(ino), file_writable(file));
    if (fd < 0)
        return fd;
    file->private = (void *)(intptr_t)(fd + 1);
    file->seekable = true;
    file->ops = &gofer_file_ops;
    return 0;
}
