/*
 * Consoles: a terminal in the container's own devpts whose far side is a terminal of the host, for
 * init or for a process of exec. The guest finds it as under runc: /dev/pts/N, and init's as
 * /dev/console too.
 */
#include "fs/devpts/devpts.h"
#include "fs/tty/tty.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"
#include "sentry/boot.h"
#include "sentry/kernel/container.h"
#include "sentry/oci/oci_process.h"

#include <errno.h>
#include <stdio.h>

#define CONSOLE "/dev/console"

/* begin_walk() - as root of the container's user namespace. Return: 0, -ENOMEM. */
static int begin_walk(struct container *c, struct walk_ctx *ctx)
{
    struct cred *cred = cred_root(c->user_ns);

    if (!cred)
        return -ENOMEM;
    *ctx = (struct walk_ctx){.cred = cred, .ns = c->mount_ns, .root = mount_ns_root(c->mount_ns)};
    ctx->cwd = path_get(&ctx->root);
    return 0;
}

static void end_walk(struct walk_ctx *ctx)
{
    path_put(&ctx->root);
    path_put(&ctx->cwd);
    cred_put((struct cred *)ctx->cred);
}

int boot_console(struct container *c, const struct oci_process *process, int fd,
                 struct file *stdio[3], struct tty **tty)
{
    u32 owner = uid_to_kuid(c->user_ns, process->user.uid);
    struct walk_ctx ctx;
    struct path pts;
    struct file *f;
    int err = begin_walk(c, &ctx);

    if (err)
        return err;
    err = walk(&ctx, NULL, "/dev/pts", WALK_DIRECTORY, &pts);
    if (!err) {
        err = devpts_console(&pts, fd, owner, ctx.cred, &f, tty);
        path_put(&pts);
    }
    end_walk(&ctx);
    if (err)
        return err;
    stdio[0] = f;
    stdio[1] = file_get(f);
    stdio[2] = file_get(f);
    return 0;
}

int boot_console_mount(struct container *c, const struct tty *tty)
{
    struct path pts, console;
    struct walk_ctx ctx;
    char name[32];
    int err = begin_walk(c, &ctx);

    if (err)
        return err;
    snprintf(name, sizeof(name), "/dev/pts/%u", tty->index);
    err = walk(&ctx, NULL, name, 0, &pts);
    if (!err) {
        err = walk(&ctx, NULL, CONSOLE, WALK_FOLLOW, &console);
        if (err == -ENOENT) {
            err = vfs_mknod(&ctx, NULL, CONSOLE, LX_S_IFREG | 0600, 0, 0);
            if (!err)
                err = walk(&ctx, NULL, CONSOLE, WALK_FOLLOW, &console);
        }
        if (!err) {
            err = mount_bind(c->mount_ns, &pts, &console, false, 0);
            path_put(&console);
        }
        path_put(&pts);
    }
    end_walk(&ctx);
    return err;
}
