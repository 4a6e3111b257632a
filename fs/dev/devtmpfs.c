/*
 * /dev: a tmpfs with the nodes, links and directories that a container expects (the OCI runtime
 * spec's default devices). The drivers of tty and ptmx are fs/devpts'; nothing is behind console
 * until a container's terminal is mounted on it.
 */
#include "fs/dev/dev_priv.h"
#include "fs/tmpfs/tmpfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    u32 mode, major, minor;
} nodes[] = {
    {"null", LX_S_IFCHR | 0666, DEV_MAJOR_MEM, 3},
    {"zero", LX_S_IFCHR | 0666, DEV_MAJOR_MEM, 5},
    {"full", LX_S_IFCHR | 0666, DEV_MAJOR_MEM, 7},
    {"random", LX_S_IFCHR | 0666, DEV_MAJOR_MEM, 8},
    {"urandom", LX_S_IFCHR | 0666, DEV_MAJOR_MEM, 9},
    {"tty", LX_S_IFCHR | 0666, DEV_MAJOR_TTY, 0},
    {"console", LX_S_IFCHR | 0600, DEV_MAJOR_TTY, 1},
    {"ptmx", LX_S_IFCHR | 0666, DEV_MAJOR_TTY, 2},
    {"shm", LX_S_IFDIR | LX_S_ISVTX | 0777, 0, 0},
    {"pts", LX_S_IFDIR | 0755, 0, 0},
    {"mqueue", LX_S_IFDIR | LX_S_ISVTX | 0777, 0, 0},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

int dev_populate(struct super *sb)
{
    struct inode *root = sb->root->inode, *ino;
    int err = 0;

    mutex_lock(&root->dir_lock);
    for (size_t i = 0; i < ARRAY_SIZE(nodes) && !err; i++) {
        u32 len = (u32)strlen(nodes[i].name);

        err = root->ops->lookup(root, nodes[i].name, len, &ino);
        if (err == -ENOENT)
            err = root->ops->create(root, nodes[i].name, len, nodes[i].mode, 0, 0, nodes[i].major,
                                    nodes[i].minor, &ino);
        if (!err)
            inode_put(ino);
    }
    for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++) {
        u32 len = (u32)strlen(links[i].name);

        err = root->ops->lookup(root, links[i].name, len, &ino);
        if (err == -ENOENT)
            err = root->ops->symlink(root, links[i].name, len, links[i].target, 0, 0, &ino);
        if (!err)
            inode_put(ino);
    }
    mutex_unlock(&root->dir_lock);
    return err;
}

static int devtmpfs_mount(const struct fs_type *type, const struct fs_mount_args *args,
                          struct super **out)
{
    struct fs_mount_args own = *args;
    char options[256];
    struct super *sb;
    int n, err;

    n = snprintf(options, sizeof(options), "mode=755,%s", args->options ? args->options : "");
    if (n < 0 || (size_t)n >= sizeof(options))
        return -EINVAL;
    own.options = options;
    err = tmpfs_mount_as(type, &own, &sb);
    if (err)
        return err;
    err = dev_populate(sb);
    if (err) {
        super_put(sb);
        return err;
    }
    *out = sb;
    return 0;
}

const struct fs_type devtmpfs_type = {.name = "devtmpfs", .mount = devtmpfs_mount};

static const struct chrdev tty_dev = {.name = "tty"};
static const struct chrdev console_dev = {.name = "console"};
static const struct chrdev ptmx_dev = {.name = "ptmx"};

void dev_init(void)
{
    chrdev_install();
    mem_init();
    chrdev_register(DEV_MAJOR_TTY, 0, &tty_dev);
    chrdev_register(DEV_MAJOR_TTY, 1, &console_dev);
    chrdev_register(DEV_MAJOR_TTY, 2, &ptmx_dev);
}
