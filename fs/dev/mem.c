/* The devices of major 1: null, zero, full, random, urandom (null(4), full(4), random(4)). */
#include "fs/dev/dev_priv.h"

#include "fs/vfs/file.h"
#include "sentry/base/host_mem.h"

#include <errno.h>

enum { RANDOM_PIECE = 256, ENTROPY_BITS = 256 };

static ssize_t null_read(struct file *f, struct uio *to, s64 *pos)
{
    return 0;
}

static ssize_t null_write(struct file *f, struct uio *from, s64 *pos)
{
    u64 n = from->left;

    from->left = 0;
    return (ssize_t)n;
}

static s64 null_seek(struct file *f, s64 offset, int whence)
{
    return 0;
}

static ssize_t zero_read(struct file *f, struct uio *to, s64 *pos)
{
    ssize_t done = 0;

    while (to->left) {
        u64 want = min_of(to->left, (u64)1024 * 1024);
        ssize_t n = uio_zero(to, want);

        if (n > 0)
            done += n;
        if (n < (ssize_t)want)
            return done ? done : n;
        /* A read of gigabytes ends early when the task is wanted. */
        if (sleeper_current && atomic_load(&sleeper_current->interrupt))
            break;
    }
    return done;
}

static int zero_open(struct inode *ino, struct file *f)
{
    f->map_anonymous = true;
    return 0;
}

static ssize_t full_write(struct file *f, struct uio *from, s64 *pos)
{
    return -ENOSPC;
}

static ssize_t random_read(struct file *f, struct uio *to, s64 *pos)
{
    u8 piece[RANDOM_PIECE];
    ssize_t done = 0;

    while (to->left) {
        size_t want = min_of(to->left, (u64)sizeof(piece));
        ssize_t n = host_random(piece, want);

        if (n >= 0)
            n = uio_to(to, piece, want);
        if (n > 0)
            done += n;
        if (n < (ssize_t)want)
            return done ? done : n;
        if (sleeper_current && atomic_load(&sleeper_current->interrupt))
            break;
    }
    return done;
}

/* random_write() - entropy from a guest is read and not needed. */
static ssize_t random_write(struct file *f, struct uio *from, s64 *pos)
{
    u8 piece[RANDOM_PIECE];
    ssize_t done = 0;

    while (from->left) {
        size_t want = min_of(from->left, (u64)sizeof(piece));
        ssize_t n = uio_from(from, piece, want);

        if (n > 0)
            done += n;
        if (n < (ssize_t)want)
            return done ? done : n;
    }
    return done;
}

static s64 random_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    u32 bits = ENTROPY_BITS;

    return cmd == LX_RNDGETENTCNT ? usermem_put(mm, arg, &bits) : -EINVAL;
}

static s64 random_seek(struct file *f, s64 offset, int whence)
{
    return f->pos;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write, .seek = null_seek};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write, .seek = null_seek};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write, .seek = null_seek};
static const struct file_ops random_ops = {.async = FILE_ASYNC_QUIET,
                                            .read = random_read,
                                            .write = random_write,
                                            .seek = random_seek,
                                            .ioctl = random_ioctl};

static const struct chrdev null_dev = {.name = "null", .ops = &null_ops};
static const struct chrdev zero_dev = {.name = "zero", .ops = &zero_ops, .open = zero_open};
static const struct chrdev full_dev = {.name = "full", .ops = &full_ops};
static const struct chrdev random_dev = {.name = "random", .ops = &random_ops};
static const struct chrdev urandom_dev = {.name = "urandom", .ops = &random_ops};

void mem_init(void)
{
    chrdev_register(DEV_MAJOR_MEM, 3, &null_dev);
    chrdev_register(DEV_MAJOR_MEM, 5, &zero_dev);
    chrdev_register(DEV_MAJOR_MEM, 7, &full_dev);
    chrdev_register(DEV_MAJOR_MEM, 8, &random_dev);
    chrdev_register(DEV_MAJOR_MEM, 9, &urandom_dev);
}
