/*
 * Open regular files: reading, writing and mapping on donated descriptors. Bytes go through a bounce
 * buffer, so that no lock is held and no host file waits while guest memory is copied. After a write
 * the attributes count as stale; only O_APPEND needs the size at once and takes inode->lock for it.
 */
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/file.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { SMALL_BYTES = 4096, APPEND_MAX = 1024 * 1024 };

/* file->private holds the descriptor that the file was opened with, plus one. */
static int reg_fd(const struct file *f)
{
    return (int)(intptr_t)f->private - 1;
}

/* Where bytes are on their way: the stack, for what is small, or a buffer of the vfs or the heap. */
struct bounce {
    u8 *buf;
    size_t len;
    void *shared, *heap;
    u8 small[SMALL_BYTES];
};

static void bounce_begin(struct bounce *b, u64 want, u64 max)
{
    b->shared = b->heap = NULL;
    b->buf = b->small;
    b->len = SMALL_BYTES;
    if (want > BOUNCE_BYTES && max > BOUNCE_BYTES && (b->heap = malloc(min_of(want, max)))) {
        b->buf = b->heap;
        b->len = min_of(want, max);
    } else if (want > SMALL_BYTES && (b->shared = bounce_get())) {
        b->buf = b->shared;
        b->len = BOUNCE_BYTES;
    }
}

static void bounce_end(struct bounce *b)
{
    bounce_put(b->shared);
    free(b->heap);
}

static ssize_t reg_read(struct file *f, struct uio *to, s64 *pos)
{
    struct bounce b __attribute__((uninitialized));
    ssize_t done = 0, n = 0;

    bounce_begin(&b, to->left, BOUNCE_BYTES);
    while (to->left) {
        size_t want = min_of((u64)b.len, to->left);
        ssize_t copied;

        n = host_pread(reg_fd(f), b.buf, want, (u64)*pos);
        if (n <= 0)
            break;
        copied = uio_to(to, b.buf, (size_t)n);
        if (copied < 0) {
            n = copied;
            break;
        }
        *pos += copied;
        done += copied;
        if (copied < n || (size_t)n < want)
            break;
    }
    bounce_end(&b);
    if (done && !(f->flags & LX_O_NOATIME) && gofer_super(f->inode->super)->exclusive)
        atomic_store_explicit(&gofer_node(f->inode)->stale, true, memory_order_relaxed);
    return done ? done : n;
}

/* append() - at the end of the file, wherever that is now. */
static ssize_t append(struct file *f, const u8 *buf, size_t len, s64 *pos)
{
    struct mutex *auto_unlock lock = mutex_locked(&f->inode->lock);
    u64 allowed = len;
    struct stat st;
    ssize_t n;
    int r = host_fstat(reg_fd(f), &st);

    if (r == 0)
        r = file_write_limit((u64)st.st_size, &allowed);
    if (r < 0)
        return r;
    n = host_pwrite(reg_fd(f), buf, allowed, (u64)st.st_size);
    if (n > 0)
        *pos = st.st_size + n;
    return n;
}

static ssize_t write_once(struct file *f, const u8 *buf, size_t len, bool at_end, s64 *pos)
{
    u64 allowed = len;
    ssize_t n;

    if (at_end)
        return append(f, buf, len, pos);
    n = file_write_limit((u64)*pos, &allowed);
    if (n < 0)
        return n;
    n = host_pwrite(reg_fd(f), buf, allowed, (u64)*pos);
    if (n > 0)
        *pos += n;
    return n;
}

/* synced() - what O_SYNC and O_DSYNC promise, after a write of `done` bytes. */
static ssize_t synced(struct file *f, ssize_t done)
{
    int r = 0;

    if (f->flags & LX_O_DSYNC)
        r = host_fsync(reg_fd(f), (f->flags & LX_O_SYNC) != LX_O_SYNC);
    return r < 0 ? r : done;
}

static ssize_t reg_write(struct file *f, struct uio *from, s64 *pos)
{
    struct bounce b __attribute__((uninitialized));
    bool at_end = from->append || (f->flags & LX_O_APPEND);
    ssize_t done = 0, n = 0;

    bounce_begin(&b, from->left, at_end ? APPEND_MAX : BOUNCE_BYTES);
    while (from->left) {
        ssize_t got = uio_from(from, b.buf, min_of((u64)b.len, from->left));

        if (got <= 0) {
            n = got;
            break;
        }
        n = write_once(f, b.buf, (size_t)got, at_end, pos);
        if (n <= 0)
            break;
        done += n;
        if (n < got)
            break;
    }
    bounce_end(&b);
    if (!done)
        return n;
    atomic_store(&gofer_node(f->inode)->stale, true);
    return synced(f, done);
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

    if (!shared || !may_write) {
        int fd = gofer_fd_get(n, false);

        /* An O_TMPFILE file can't be opened another way; who may write anyway gets no more. */
        return fd == -ESTALE && file_writable(f) ? gofer_fd_get(n, true) : fd;
    }
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

    if (LX_S_ISDIR(inode_mode(ino)))
        return gofer_dir_open(ino, file);
    if (!LX_S_ISREG(inode_mode(ino)))
        return -ENXIO;
    fd = gofer_fd_open(gofer_node(ino), file_writable(file));
    if (fd < 0)
        return fd;
    file->private = (void *)(intptr_t)(fd + 1);
    file->seekable = true;
    file->ops = &gofer_file_ops;
    return 0;
}
