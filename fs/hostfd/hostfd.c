/*
 * Files that are host descriptors: pipes, sockets, terminals and plain files that runsc was given as
 * a container's stdio. Their O_NONBLOCK is not ours to change, since the other side shares the
 * description; so reads and writes ask the host not to wait, and waiting is on the watch's queue.
 */
#include "fs/hostfd/hostfd.h"

#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/wait/host_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

enum {
    READABLE = LX_POLLIN | LX_POLLHUP | LX_POLLERR,
    WRITABLE = LX_POLLOUT | LX_POLLERR | LX_POLLHUP
};

/* One host descriptor: its inode and every description of it hold a reference. */
struct hostfd {
    struct obj obj;
    int fd;     /* owned */
    u32 access; /* what it was opened for: LX_O_ACCMODE bits */
    bool tty, plain; /* plain: a regular file */
    bool append;     /* the host puts what is written at the end */
    struct host_watch watch;
};
OBJ_REFS(hostfd)

static void hostfd_free(struct obj *o)
{
    struct hostfd *h = container_of(o, struct hostfd, obj);

    host_watch_del(&h->watch);
    host_close(h->fd);
    free(h);
}

static struct obj_type hostfd_type = {.name = "hostfd", .free = hostfd_free};

static struct hostfd *hostfd_of(struct file *f)
{
    return f->private;
}

/* wait_ready() - sleep until the descriptor may be ready. Return: 0, -EAGAIN, -ERESTARTSYS. */
static int wait_ready(struct file *f, u32 events)
{
    struct hostfd *h = hostfd_of(f);

    if (f->flags & LX_O_NONBLOCK)
        return host_watch_poll(&h->watch) & events ? 0 : -EAGAIN;
    return wait_event(&h->watch.queue, events, DEADLINE_NEVER, host_watch_poll(&h->watch) & events);
}

static ssize_t hostfd_read(struct file *f, struct uio *to, s64 *pos)
{
    struct hostfd *h = hostfd_of(f);
    size_t want = min_of(to->left, (u64)BOUNCE_BYTES);
    auto_free u8 *buf = malloc(want ? want : 1);
    ssize_t n;

    (void)pos;
    if (!buf)
        return -ENOMEM;
    do {
        int err = wait_ready(f, READABLE);

        if (err < 0)
            return err;
        n = host_stream_read(h->fd, buf, want);
        if (n == -EAGAIN && !h->watch.pollable)
            n = host_read(h->fd, buf, want); /* a plain file whose page isn't cached */
    } while (n == -EAGAIN && !(f->flags & LX_O_NONBLOCK));
    return n > 0 ? uio_to(to, buf, (size_t)n) : n;
}

/* write_some() - one piece. Return: bytes, -errno. */
static ssize_t write_some(struct file *f, const u8 *buf, size_t len)
{
    struct hostfd *h = hostfd_of(f);
    ssize_t n;

    do {
        int err = wait_ready(f, WRITABLE);

        if (err < 0)
            return err;
        n = host_stream_write(h->fd, buf, len);
        if (n == -EAGAIN && !h->watch.pollable)
            n = host_write(h->fd, buf, len);
    } while (n == -EAGAIN && !(f->flags & LX_O_NONBLOCK));
    return n;
}

/* limit_write() - cut *len to what RLIMIT_FSIZE allows where a plain file is written next.
 * Return: 0, -EFBIG, -errno. */
static int limit_write(const struct hostfd *h, u64 *len)
{
    struct stat st;
    s64 at;

    if (!h->plain)
        return 0;
    at = h->append ? host_fstat(h->fd, &st) : host_lseek(h->fd, 0, LX_SEEK_CUR);
    if (at < 0)
        return (int)at;
    return file_write_limit((u64)(h->append ? st.st_size : at), len);
}

static ssize_t hostfd_write(struct file *f, struct uio *from, s64 *pos)
{
    auto_free u8 *buf = malloc(BOUNCE_BYTES);
    u64 left = from->left;
    ssize_t done = 0;
    int err = limit_write(hostfd_of(f), &left);

    (void)pos;
    if (err < 0)
        return err;
    if (!buf)
        return -ENOMEM;
    while ((u64)done < left) {
        ssize_t have = uio_from(from, buf, min_of(left - (u64)done, (u64)BOUNCE_BYTES));

        if (have < 0)
            return done ? done : have;
        for (ssize_t at = 0; at < have;) {
            ssize_t n = write_some(f, buf + at, (size_t)(have - at));

            if (n < 0)
                return done ? done : n;
            at += n;
            done += n;
        }
    }
    return done;
}

static u32 hostfd_poll(struct file *f)
{
    return host_watch_poll(&hostfd_of(f)->watch);
}

static struct waitq *hostfd_queue(struct file *f)
{
    return &hostfd_of(f)->watch.queue;
}

/* host-calls(sentry): ioctl(1=TCGETS|TCSETS|TCSETSW|TCSETSF|TIOCGWINSZ|TIOCSWINSZ|FIONREAD) — terminals that are stdio */
static s64 hostfd_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct hostfd *h = hostfd_of(f);
    u8 buf[64] = {0};
    int err, n;

    switch (cmd) {
    case FIONREAD:
        err = host_ioctl(h->fd, FIONREAD, &n);
        return err < 0 ? err : usermem_put(mm, arg, &n);
    case TCGETS:
    case TIOCGWINSZ:
        if (!h->tty)
            return -ENOTTY;
        err = host_ioctl(h->fd, cmd, buf);
        /* struct termios of the kernel has 36 bytes, struct winsize 8 */
        return err < 0 ? err : usermem_out(mm, arg, buf, cmd == TCGETS ? 36 : 8);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TIOCSWINSZ:
        if (!h->tty)
            return -ENOTTY;
        if (usermem_in(mm, buf, arg, cmd == TIOCSWINSZ ? 8 : 36) < 0)
            return -EFAULT;
        return host_ioctl(h->fd, cmd, buf);
    default: return -ENOTTY;
    }
}

static int hostfd_fsync(struct file *f, bool data_only)
{
    return host_fsync(hostfd_of(f)->fd, data_only);
}

static void hostfd_release(struct file *f)
{
    hostfd_put(hostfd_of(f));
}

static const struct file_ops hostfd_ops = {
    .async = FILE_ASYNC_STREAM,
    .read = hostfd_read,
    .write = hostfd_write,
    .poll = hostfd_poll,
    .queue = hostfd_queue,
    .ioctl = hostfd_ioctl,
    .fsync = hostfd_fsync,
    .release = hostfd_release,
};

/* --- opened again, as /dev/stdout is through /proc/self/fd/1 --- */

/* inode_open() - one more description of the descriptor; it shares the host's position. */
static int inode_open(struct inode *ino, struct file *f)
{
    struct hostfd *h = ino->private;

    if ((file_readable(f) && h->access == LX_O_WRONLY) ||
        (file_writable(f) && h->access == LX_O_RDONLY))
        return -EACCES;
    f->ops = &hostfd_ops;
    f->private = hostfd_get(h);
    return 0;
}

/* inode_setattr() - O_TRUNC leaves what runsc's caller has there; owner and mode are the guest's. */
static int inode_setattr(struct inode *ino, const struct setattr *s)
{
    struct setattr own = *s;

    own.valid &= ~(u32)SET_SIZE;
    if (own.valid)
        inode_setattr_generic(ino, &own);
    return 0;
}

static void inode_free(struct inode *ino)
{
    hostfd_put(ino->private);
}

static const struct inode_ops hostfd_inode_ops = {
    .open = inode_open,
    .setattr = inode_setattr,
    .free = inode_free,
};

/* name_of() - what /proc/PID/fd shows, and the file type that fstat tells. */
static const char *name_of(const struct stat *st, bool tty, u32 *mode)
{
    if (tty) {
        *mode = LX_S_IFCHR | 0620;
        return "host:[terminal]";
    }
    *mode = (st->st_mode & LX_S_IFMT) | 0600;
    if (S_ISFIFO(st->st_mode))
        return "host:[pipe]";
    return S_ISSOCK(st->st_mode) ? "host:[socket]" : "host:[file]";
}

int hostfd_new(int fd, const struct cred *cred, struct file **out)
{
    struct hostfd *h = calloc(1, sizeof(*h));
    struct stat st;
    const char *name;
    u8 termios[64];
    u32 mode;
    int err, flags;

    if (!h)
        return -ENOMEM;
    flags = host_fcntl(fd, F_GETFL, 0);
    err = flags < 0 ? flags : host_fstat(fd, &st);
    if (!err)
        err = host_watch_add(&h->watch, fd);
    if (err < 0) {
        free(h);
        return err;
    }
    h->access = (u32)flags & LX_O_ACCMODE;
    h->tty = S_ISCHR(st.st_mode) && host_ioctl(fd, TCGETS, termios) == 0;
    h->plain = S_ISREG(st.st_mode);
    h->append = flags & O_APPEND;
    name = name_of(&st, h->tty, &mode);
    err = file_new_anon_inode(&hostfd_ops, &hostfd_inode_ops, name, mode, cred,
                              (u32)flags & (LX_O_ACCMODE | LX_O_APPEND), h, out);
    if (err < 0) {
        host_watch_del(&h->watch);
        free(h);
        return err;
    }
    h->fd = fd;
    obj_init(&h->obj, &hostfd_type);
    (*out)->inode->private = hostfd_get(h);
    return 0;
}
