/* Reading and writing descriptors: read(2), pread(2), readv(2), preadv2(2), lseek(2). */
#include "fs/vfs/file.h"
#include "sentry/base/limits.h"
#include "sentry/socket/socket.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define FAST_VECS     8
#define RWF_SUPPORTED (LX_RWF_HIPRI | LX_RWF_DSYNC | LX_RWF_SYNC | LX_RWF_APPEND)

/* A vector of the guest's, decoded. */
struct vec_arg {
    struct uio_vec fast[FAST_VECS];
    struct uio_vec *vec; /* `fast`, or owned */
    struct uio uio;
};

/* vec_begin() - readv(2)'s array. vec_end() releases it. */
static int vec_begin(struct task *t, struct vec_arg *v, u64 uaddr, u64 n)
{
    int rc = usermem_iovec(t->mm, uaddr, n, v->fast, FAST_VECS, &v->vec);

    if (rc == 0)
        uio_init(&v->uio, t->mm, v->vec, (u32)n);
    return rc;
}

static void vec_end(struct vec_arg *v)
{
    if (v->vec != v->fast)
        free(v->vec);
}

/* buf_begin() - one buffer: the range must be the guest's own, its length is clipped.
 * Return: 0, -EFAULT. */
static int buf_begin(struct task *t, struct vec_arg *v, u64 addr, u64 len)
{
    u64 end;

    if (__builtin_add_overflow(addr, len, &end) || end > PLAT_TASK_SIZE)
        return -EFAULT;
    uio_user(&v->uio, v->fast, t->mm, addr, min_of(len, (u64)LIMIT_RW_BYTES));
    return 0;
}

/* do_read() - `pos` NULL: at the description's own position. */
static s64 do_read(struct task *t, struct file *f, struct vec_arg *v, s64 *pos)
{
    s64 rc = file_read(f, &v->uio, pos);

    io_count_read(&t->io, rc);
    return rc;
}

static s64 do_write(struct task *t, struct file *f, struct vec_arg *v, s64 *pos)
{
    s64 rc = file_write(f, &v->uio, pos);

    io_count_write(&t->io, rc);
    if (rc == -EPIPE && socket_sigpipe(f))
        signal_raise(t, LX_SIGPIPE);
    return rc;
}

/* positioned() - may the description be read or written at a position of the caller's? */
static int positioned(const struct file *f, s64 pos)
{
    if (pos < 0)
        return -EINVAL;
    return f->seekable ? 0 : -ESPIPE;
}

s64 sys_read(struct task *t, const u64 a[6])
{
    struct vec_arg v;
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = file_readable(f) ? buf_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0)
        rc = do_read(t, f, &v, NULL);
    file_put(f);
    return rc;
}

s64 sys_write(struct task *t, const u64 a[6])
{
    struct vec_arg v;
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = file_writable(f) ? buf_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0)
        rc = do_write(t, f, &v, NULL);
    file_put(f);
    return rc;
}

s64 sys_pread64(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3], rc;
    struct vec_arg v;
    struct file *f;

    if (pos < 0)
        return -EINVAL;
    rc = arg_fd(t, a[0], &f);
    if (rc < 0)
        return rc;
    rc = positioned(f, pos);
    if (rc == 0)
        rc = file_readable(f) ? buf_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0)
        rc = do_read(t, f, &v, &pos);
    file_put(f);
    return rc;
}

s64 sys_pwrite64(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3], rc;
    struct vec_arg v;
    struct file *f;

    if (pos < 0)
        return -EINVAL;
    rc = arg_fd(t, a[0], &f);
    if (rc < 0)
        return rc;
    rc = positioned(f, pos);
    if (rc == 0)
        rc = file_writable(f) ? buf_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0)
        rc = do_write(t, f, &v, &pos);
    file_put(f);
    return rc;
}

/* read_vec() - the family of readv(2); `pos` NULL: the description's own position. */
static s64 read_vec(struct task *t, const u64 a[6], s64 *pos)
{
    struct vec_arg v;
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    if (pos)
        rc = positioned(f, *pos);
    if (rc == 0)
        rc = file_readable(f) ? vec_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0) {
        rc = do_read(t, f, &v, pos);
        vec_end(&v);
    }
    file_put(f);
    return rc;
}

/* write_vec() - the family of writev(2); `flags` are LX_RWF_*. */
static s64 write_vec(struct task *t, const u64 a[6], s64 *pos, u32 flags)
{
    bool sync = flags & (LX_RWF_SYNC | LX_RWF_DSYNC);
    struct vec_arg v;
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    if (pos)
        rc = positioned(f, *pos);
    if (rc == 0)
        rc = file_writable(f) ? vec_begin(t, &v, a[1], a[2]) : -EBADF;
    if (rc == 0) {
        v.uio.append = flags & LX_RWF_APPEND;
        rc = do_write(t, f, &v, pos);
        vec_end(&v);
    }
    if (rc > 0 && sync && f->ops->fsync) {
        int err = f->ops->fsync(f, !(flags & LX_RWF_SYNC));

        rc = err < 0 ? err : rc;
    }
    file_put(f);
    return rc;
}

s64 sys_readv(struct task *t, const u64 a[6])
{
    return read_vec(t, a, NULL);
}

s64 sys_writev(struct task *t, const u64 a[6])
{
    return write_vec(t, a, NULL, 0);
}

s64 sys_preadv(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3];

    return pos < 0 ? -EINVAL : read_vec(t, a, &pos);
}

s64 sys_pwritev(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3];

    return pos < 0 ? -EINVAL : write_vec(t, a, &pos, 0);
}

/* rw_flags() - preadv2(2)'s and pwritev2(2)'s flags and position (-1: the description's own). */
static s64 rw_flags(const u64 a[6])
{
    if (a[5] & ~(u64)RWF_SUPPORTED)
        return -EOPNOTSUPP;
    return (s64)a[3] < -1 ? -EINVAL : 0;
}

s64 sys_preadv2(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3], rc = rw_flags(a);

    return rc < 0 ? rc : read_vec(t, a, pos == -1 ? NULL : &pos);
}

s64 sys_pwritev2(struct task *t, const u64 a[6])
{
    s64 pos = (s64)a[3], rc = rw_flags(a);

    return rc < 0 ? rc : write_vec(t, a, pos == -1 ? NULL : &pos, (u32)a[5]);
}

s64 sys_lseek(struct task *t, const u64 a[6])
{
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    rc = (u32)a[2] <= LX_SEEK_HOLE ? file_seek(f, (s64)a[1], (int)a[2]) : -EINVAL;
    file_put(f);
    return rc;
}
