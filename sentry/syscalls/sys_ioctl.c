/* ioctl(2): what every descriptor has; the rest is its file's. */
#include "fs/tty/tty.h"
#include "fs/vfs/file.h"
#include "sentry/kernel/async_io.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* set_flag() - set or clear a status flag as the int at `uaddr` says. */
static s64 set_flag(struct task *t, struct file *f, u64 uaddr, u32 flag)
{
    s32 on;

    if (usermem_get(t->mm, &on, uaddr) < 0)
        return -EFAULT;
    if (on)
        atomic_fetch_or(&f->flags, flag);
    else
        atomic_fetch_and(&f->flags, ~flag);
    return 0;
}

/* regular_left() - FIONREAD of a regular file: bytes up to its end. */
static s64 regular_left(struct task *t, struct file *f, u64 uaddr)
{
    struct attr attr;
    int rc = vfs_getattr(&f->path, &attr);
    s32 left;

    if (rc < 0)
        return rc;
    left = (s32)((s64)attr.size - f->pos);
    return usermem_put(t->mm, uaddr, &left);
}

static s64 file_size(struct task *t, struct file *f, u64 uaddr)
{
    u32 mode = inode_mode(f->inode);
    struct attr attr;
    s64 size;
    int rc;

    if (!LX_S_ISREG(mode) && !LX_S_ISDIR(mode) && !LX_S_ISLNK(mode))
        return -ENOTTY;
    rc = vfs_getattr(&f->path, &attr);
    if (rc < 0)
        return rc;
    size = (s64)attr.size;
    return usermem_put(t->mm, uaddr, &size);
}

static s64 set_async(struct task *t, struct file *f, s32 fd, u64 uaddr)
{
    s32 on;

    if (usermem_get(t->mm, &on, uaddr) < 0)
        return -EFAULT;
    if (!on == !(f->flags & LX_O_ASYNC))
        return 0;
    return async_io_set(f, fd, on, tty_controls(f));
}

static s64 ioctl_file(struct task *t, struct file *f, s32 fd, u32 cmd, u64 arg)
{
    bool regular = LX_S_ISREG(f->inode->mode);
    s32 block = (s32)f->inode->blksize;

    switch (cmd) {
    case LX_FIONBIO: return set_flag(t, f, arg, LX_O_NONBLOCK);
    case LX_FIOASYNC: return set_async(t, f, fd, arg);
    case LX_FIOQSIZE: return file_size(t, f, arg);
    case LX_FIONREAD:
        if (regular)
            return regular_left(t, f, arg);
        break;
    case LX_FIGETBSZ:
        if (regular || LX_S_ISDIR(f->inode->mode))
            return usermem_put(t->mm, arg, &block);
        break;
    default: break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, t->mm, cmd, arg) : -ENOTTY;
}

s64 sys_ioctl(struct task *t, const u64 a[6])
{
    u32 cmd = (u32)a[1];
    struct file *f;
    s64 rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    if (cmd == LX_FIOCLEX || cmd == LX_FIONCLEX)
        rc = fd_set_cloexec(t->files, (s32)a[0], cmd == LX_FIOCLEX);
    else
        rc = ioctl_file(t, f, (s32)a[0], cmd, a[2]);
    file_put(f);
    return rc;
}
