/* The table of character devices. It only grows, so opening reads it without a lock. */
#include "fs/dev/dev_priv.h"

#include <errno.h>

enum { MAX_DEVICES = 64 };

struct chrdev_row {
    u32 major, minor;
    _Atomic(const struct chrdev *) dev;
};

static struct mutex lock = MUTEX_INIT(LEAF);
static struct chrdev_row rows[MAX_DEVICES]; /* written under lock */
static _Atomic(u32) nrows;

static struct chrdev_row *find(u32 major, u32 minor)
{
    for (u32 i = 0; i < atomic_load(&nrows); i++)
        if (rows[i].major == major && rows[i].minor == minor)
            return &rows[i];
    return NULL;
}

int chrdev_register(u32 major, u32 minor, const struct chrdev *dev)
{
    struct chrdev_row *row;
    int err = 0;

    mutex_lock(&lock);
    row = find(major, minor);
    if (row) {
        atomic_store(&row->dev, dev);
    } else if (nrows == MAX_DEVICES) {
        err = -ENOSPC;
    } else {
        row = &rows[nrows];
        row->major = major;
        row->minor = minor;
        atomic_store(&row->dev, dev);
        atomic_fetch_add(&nrows, 1);
    }
    mutex_unlock(&lock);
    return err;
}

static int chrdev_open(struct inode *ino, struct file *f)
{
    struct chrdev_row *row = find(ino->rdev_major, ino->rdev_minor);
    const struct chrdev *dev;

    if (!row)
        row = find(ino->rdev_major, CHRDEV_ANY_MINOR);
    if (!row)
        return -ENXIO;
    dev = atomic_load(&row->dev);
    f->ops = dev->ops;
    return dev->open ? dev->open(ino, f) : dev->ops ? 0 : -ENXIO;
}

void chrdev_install(void)
{
    vfs_set_special_open(LX_S_IFCHR, chrdev_open);
}
