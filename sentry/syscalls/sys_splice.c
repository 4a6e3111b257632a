/*
 * Copies between descriptors: sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2).
 *
 * The bytes go through a buffer of ours, a piece at a time. A source with a position is read at a
 * position of ours that moves by what was written, so a short write loses nothing; a pipe is read
 * only when the other side can take a piece, and the piece is then written to its end.
 */
#include "fs/pipe/pipe.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/poll_wait.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define LX_SPLICE_F_NONBLOCK 2u
#define LX_SPLICE_F_ALL      15u
#define VMSPLICE_FAST        8

/* One side of a copy: pos NULL is the description's own position (or none). */
struct side {
    struct file *file;
    s64 *pos;
};

static ssize_t read_piece(const struct side *from, void *buf, size_t len, s64 *pos)
{
    struct uio_vec vec;
    struct uio to;
    ssize_t n;

    uio_kernel(&to, &vec, buf, len);
    n = file_read(from->file, &to, pos);
    io_count_read(&current->io, n);
    return n;
}

static ssize_t write_piece(const struct side *to, void *buf, size_t len)
{
    struct uio_vec vec;
    struct uio from;
    ssize_t n;

    uio_kernel(&from, &vec, buf, len);
    n = file_write(to->file, &from, to->pos);
    io_count_write(&current->io, n);
    return n;
}

/* wait_writable() - until `f` takes a piece. Return: 0, -EAGAIN (nonblock), -ERESTARTSYS. */
static s64 wait_writable(struct file *f, bool nonblock)
{
    struct poll_item item = {.file = f, .events = LX_POLLOUT | LX_POLLERR};
    s64 n = poll_wait(&item, 1, nonblock ? 0 : DEADLINE_NEVER);

    return n > 0 ? 0 : n < 0 ? n : -EAGAIN;
}

/* write_whole() - a piece that was taken from a pipe and can't be put back.
 * Return: bytes, fewer only after an error. */
static ssize_t write_whole(const struct side *to, u8 *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write_piece(to, buf + done, len - done);

        if (n == -EAGAIN && wait_writable(to->file, false) == 0)
            continue;
        if (n <= 0)
            return done ? (ssize_t)done : n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* copy_seekable() - up to len bytes of a file with positions. Return: bytes or errno if none. */
static s64 copy_seekable(struct task *t, const struct side *from, const struct side *to, u64 len)
{
    s64 pos = from->pos ? *from->pos : from->file->pos;
    void *buf = bounce_get();
    u64 done = 0;
    s64 n = 0;

    if (!buf)
        return -ENOMEM;
    while (done < len) {
        s64 at = pos;

        n = read_piece(from, buf, min_of(len - done, (u64)BOUNCE_BYTES), &at);
        if (n > 0)
            n = write_piece(to, buf, (size_t)n);
        if (n <= 0)
            break;
        pos += n;
        done += (u64)n;
        if (signal_pending(t))
            break;
    }
    bounce_put(buf);
    if (from->pos)
        *from->pos = pos;
    else if (done)
        file_seek(from->file, pos, LX_SEEK_SET);
    return done ? (s64)done : n;
}

/* copy_pipe() - what a pipe has, up to len; the first piece is waited for unless nonblock. */
static s64 copy_pipe(const struct side *from, const struct side *to, u64 len, bool nonblock)
{
    size_t piece = pipe_is(to->file) ? LX_PIPE_BUF : BOUNCE_BYTES;
    u8 *buf;
    s64 n;

    n = wait_writable(to->file, nonblock);
    if (n < 0)
        return n;
    if (nonblock && !(file_poll(from->file) & (LX_POLLIN | LX_POLLHUP)))
        return -EAGAIN;
    buf = bounce_get();
    if (!buf)
        return -ENOMEM;
    n = read_piece(from, buf, min_of(len, (u64)piece), NULL);
    if (n > 0)
        n = write_whole(to, buf, (size_t)n);
    bounce_put(buf);
    return n;
}

static s64 finish(struct task *t, s64 rc)
{
    if (rc == -EPIPE)
        signal_raise(t, LX_SIGPIPE);
    return rc;
}

/* arg_pos() - an offset argument that may be NULL. Return: 0, -EFAULT, -EINVAL. */
static int arg_pos(struct task *t, u64 uaddr, s64 *pos)
{
    if (!uaddr)
        return 0;
    if (usermem_get(t->mm, pos, uaddr) < 0)
        return -EFAULT;
    return *pos < 0 ? -EINVAL : 0;
}

/* --- sendfile --- */

static s64 send_file(struct task *t, const struct side *in, const struct side *out, u64 len)
{
    u32 mode = in->file->inode->mode;

    if (!file_readable(in->file) || !file_writable(out->file))
        return -EBADF;
    if (in->pos && !in->file->seekable)
        return -ESPIPE;
    if (!LX_S_ISREG(mode) && !LX_S_ISBLK(mode) && !LX_S_ISCHR(mode))
        return -EINVAL;
    if (out->file->flags & LX_O_APPEND)
        return -EINVAL;
    return copy_seekable(t, in, out, min_of(len, (u64)LIMIT_RW_BYTES));
}

s64 sys_sendfile(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *in = NULL;
    auto_put(file) struct file *out = NULL;
    s64 pos = 0, rc = arg_pos(t, a[2], &pos);

    if (rc == 0)
        rc = arg_fd(t, a[1], &in);
    if (rc == 0)
        rc = arg_fd(t, a[0], &out);
    if (rc < 0)
        return rc;
    rc = send_file(t, &(struct side){in, a[2] ? &pos : NULL}, &(struct side){out, NULL}, a[3]);
    if (a[2] && usermem_put(t->mm, a[2], &pos) < 0)
        return -EFAULT;
    return finish(t, rc);
}

/* --- copy_file_range --- */

/* range_check() - copy_file_range(2)'s rules about its two files, in Linux's order; *len is cut to what
 * there is to be read. Return: 0, -errno. */
static s64 range_check(const struct side *in, const struct side *out, u64 *len)
{
    u32 from = in->file->inode->mode, to = out->file->inode->mode;
    u64 a = (u64)(in->pos ? *in->pos : in->file->pos);
    u64 b = (u64)(out->pos ? *out->pos : out->file->pos);
    struct attr attr;
    int err;

    if (LX_S_ISDIR(from) || LX_S_ISDIR(to))
        return -EISDIR;
    if (!LX_S_ISREG(from) || !LX_S_ISREG(to))
        return -EINVAL;
    if (!file_readable(in->file) || !file_writable(out->file) || (out->file->flags & LX_O_APPEND))
        return -EBADF;
    if (a + *len < a || b + *len < b)
        return -EOVERFLOW;
    err = vfs_getattr(&in->file->path, &attr);
    if (err < 0)
        return err;
    *len = a < attr.size ? min_of(*len, attr.size - a) : 0;
    if (*len)
        err = file_write_limit(b, len);
    if (!err && in->file->inode == out->file->inode && a < b + *len && b < a + *len)
        err = -EINVAL;
    return err;
}

s64 sys_copy_file_range(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *fin = NULL;
    auto_put(file) struct file *fout = NULL;
    s64 from = 0, to = 0, rc = arg_fd(t, a[0], &fin);
    u64 len = a[4];
    struct side in, out;

    if (rc == 0)
        rc = arg_fd(t, a[2], &fout);
    if (rc == 0)
        rc = arg_pos(t, a[1], &from);
    if (rc == 0)
        rc = arg_pos(t, a[3], &to);
    if (rc == 0 && a[5])
        rc = -EINVAL;
    if (rc < 0)
        return rc;
    in = (struct side){fin, a[1] ? &from : NULL};
    out = (struct side){fout, a[3] ? &to : NULL};
    rc = range_check(&in, &out, &len);
    if (rc == 0)
        rc = copy_seekable(t, &in, &out, min_of(len, (u64)LIMIT_RW_BYTES));
    if (rc > 0 && ((a[1] && usermem_put(t->mm, a[1], &from) < 0) ||
                   (a[3] && usermem_put(t->mm, a[3], &to) < 0)))
        return -EFAULT;
    return rc;
}

/* --- splice --- */

static s64 do_splice(struct task *t, const struct side *in, const struct side *out, u64 len,
                     u32 flags)
{
    bool from_pipe = pipe_is(in->file), to_pipe = pipe_is(out->file);
    bool nonblock = flags & LX_SPLICE_F_NONBLOCK;
    s64 rc;

    if (!file_readable(in->file) || !file_writable(out->file))
        return -EBADF;
    if (!from_pipe && !to_pipe)
        return -EINVAL;
    if ((from_pipe && in->pos) || (to_pipe && out->pos))
        return -ESPIPE;
    if ((in->pos && !in->file->seekable) || (out->pos && !out->file->seekable))
        return -EINVAL;
    if (from_pipe && to_pipe && in->file->inode == out->file->inode)
        return -EINVAL;
    if (!to_pipe && (out->file->flags & LX_O_APPEND))
        return -EINVAL;
    if (from_pipe || !in->file->seekable)
        return copy_pipe(in, out, len, nonblock || (in->file->flags & LX_O_NONBLOCK));
    rc = wait_writable(out->file, nonblock || (out->file->flags & LX_O_NONBLOCK));
    return rc < 0 ? rc : copy_seekable(t, in, out, min_of(len, (u64)LX_PIPE_BUF));
}

s64 sys_splice(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *fin = NULL;
    auto_put(file) struct file *fout = NULL;
    s64 from = 0, to = 0, rc;

    if (!a[4])
        return 0;
    if ((u32)a[5] & ~LX_SPLICE_F_ALL)
        return -EINVAL;
    rc = arg_fd(t, a[0], &fin);
    if (rc == 0)
        rc = arg_fd(t, a[2], &fout);
    if (rc == 0)
        rc = arg_pos(t, a[1], &from);
    if (rc == 0)
        rc = arg_pos(t, a[3], &to);
    if (rc < 0)
        return rc;
    rc = do_splice(t, &(struct side){fin, a[1] ? &from : NULL},
                   &(struct side){fout, a[3] ? &to : NULL}, a[4], (u32)a[5]);
    if (rc > 0 && ((a[1] && usermem_put(t->mm, a[1], &from) < 0) ||
                   (a[3] && usermem_put(t->mm, a[3], &to) < 0)))
        return -EFAULT;
    return finish(t, rc);
}

/* wait_readable() - until `f` has something, or never will. Return: 0, -ERESTARTSYS. */
static s64 wait_readable(struct file *f)
{
    struct poll_item item = {.file = f, .events = LX_POLLIN | LX_POLLHUP};
    s64 n = poll_wait(&item, 1, DEADLINE_NEVER);

    return n < 0 ? n : 0;
}

/* do_tee() - what a pipe has, up to a page, into another; it stays in the first. */
static s64 do_tee(struct file *in, struct file *out, u64 len, bool nonblock)
{
    const struct side to = {out, NULL};
    u8 *buf = bounce_get();
    s64 n;

    if (!buf)
        return -ENOMEM;
    do {
        n = wait_writable(out, nonblock);
        if (n == 0)
            n = pipe_peek(in, buf, min_of(len, (u64)LX_PIPE_BUF));
        if (n != -EAGAIN || nonblock)
            break;
        n = wait_readable(in);
    } while (n == 0);
    if (n > 0)
        n = write_piece(&to, buf, (size_t)n);
    bounce_put(buf);
    return n;
}

s64 sys_tee(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *in = NULL;
    auto_put(file) struct file *out = NULL;
    s64 rc;

    if ((u32)a[3] & ~LX_SPLICE_F_ALL)
        return -EINVAL;
    if (!a[2])
        return 0;
    rc = arg_fd(t, a[0], &in);
    if (rc == 0)
        rc = arg_fd(t, a[1], &out);
    if (rc < 0)
        return rc;
    if (!file_readable(in) || !file_writable(out))
        return -EBADF;
    if (!pipe_is(in) || !pipe_is(out) || in->inode == out->inode)
        return -EINVAL;
    return finish(t, do_tee(in, out, a[2],
                            ((u32)a[3] & LX_SPLICE_F_NONBLOCK) ||
                                ((in->flags | out->flags) & LX_O_NONBLOCK)));
}

s64 sys_vmsplice(struct task *t, const u64 a[6])
{
    struct uio_vec fast[VMSPLICE_FAST], *vec;
    auto_put(file) struct file *f = NULL;
    struct uio io;
    s64 rc;

    if ((u32)a[3] & ~LX_SPLICE_F_ALL)
        return -EINVAL;
    rc = arg_fd(t, a[0], &f);
    if (rc < 0)
        return rc;
    if (!pipe_is(f))
        return -EBADF;
    rc = usermem_iovec(t->mm, a[1], a[2], fast, VMSPLICE_FAST, &vec);
    if (rc < 0)
        return rc;
    uio_init(&io, t->mm, vec, (u32)a[2]);
    if (file_writable(f))
        rc = (u32)a[3] & LX_SPLICE_F_NONBLOCK ? wait_writable(f, true) : 0;
    else
        rc = (u32)a[3] & LX_SPLICE_F_NONBLOCK && !(file_poll(f) & (LX_POLLIN | LX_POLLHUP))
                 ? -EAGAIN
                 : 0;
    if (rc == 0)
        rc = file_writable(f) ? file_write(f, &io, NULL) : file_read(f, &io, NULL);
    if (vec != fast)
        free(vec);
    return finish(t, rc);
}
