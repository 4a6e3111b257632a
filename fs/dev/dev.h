/* Character devices: the table of drivers, and a file system of device nodes. */
#pragma once

#include "fs/vfs/mount.h"

struct chrdev {
    const char *name;
    const struct file_ops *ops; /* what open(2) gives the file before open() */
    /* open() - NULL: nothing to do. It may set file->ops and file->private. */
    int (*open)(struct inode *ino, struct file *f);
};

#define CHRDEV_ANY_MINOR UINT32_MAX

/* chrdev_register() - `dev` (borrowed, for good) serves (major, minor), in the place of what did
 * before. Nodes on any file system lead to it. Return: 0, -ENOSPC (the table is full). */
int chrdev_register(u32 major, u32 minor, const struct chrdev *dev);

/* dev_init() - register null, zero, full, random, urandom; tty, console and ptmx, which answer
 * ENXIO until something better is registered. */
void dev_init(void);

extern const struct fs_type devtmpfs_type;
/* dev_populate() - the standard nodes, links and directories of /dev in the root of `sb`, as far as
 * they are not there. Return: 0, errno. */
int dev_populate(struct super *sb);
