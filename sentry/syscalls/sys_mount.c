/* mount(2), umount2(2), pivot_root(2). */
#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_BYTES 64u

/* may_mount() - mounts belong to who administers the mount namespace. */
static bool may_mount(struct task *t)
{
    return cred_has_cap(task_cred(t), t->ns->mount->user_ns, LX_CAP_SYS_ADMIN);
}

/* may_reconfigure() - a file system, under all its mounts, belongs to who mounted it first. */
static bool may_reconfigure(struct task *t, const struct path *at)
{
    return cred_has_cap(task_cred(t), at->mount->super->user_ns, LX_CAP_SYS_ADMIN);
}

/* opt_string() - an argument that may be NULL. */
static int opt_string(struct task *t, u64 uaddr, char **out)
{
    *out = NULL;
    return uaddr ? arg_path(t, uaddr, out) : 0;
}

/* mount_fresh() - a new instance of the file system `type` on `at`. */
static int mount_fresh(struct task *t, const struct path *at, const char *source, u64 utype,
                       u32 flags, const char *options)
{
    auto_put(super) struct super *sb = NULL;
    struct fs_mount_args args = {.source = source ? source : "none",
                                 .options = options,
                                 .flags = flags,
                                 .cred = task_cred(t)};
    const struct fs_type *type;
    char name[TYPE_BYTES];
    ssize_t n;
    int rc;

    if (!utype)
        return -EINVAL;
    n = usermem_string(t->mm, name, utype, sizeof(name));
    if (n < 0)
        return n == -ENAMETOOLONG ? -ENODEV : (int)n;
    type = fs_type_find(name);
    if (!type)
        return -ENODEV;
    if (!type->guest_mountable)
        return -EPERM;
    rc = type->mount(type, &args, &sb);
    return rc < 0
               ? rc
               : mount_attach(t->ns->mount, sb, NULL, at, flags & LX_MS_MOUNT_FLAGS, args.source);
}

/* mount_from() - MS_BIND and MS_MOVE: `source` is a path. */
static int mount_from(struct task *t, const struct path *at, u64 usource, u32 flags)
{
    struct at_walk w;
    struct path from;
    int rc;

    if (!usource)
        return -EINVAL;
    rc = at_begin(t, &w, (u64)LX_AT_FDCWD, usource, true);
    if (rc < 0)
        return rc;
    rc = *w.path ? walk(&w.ctx, NULL, w.path, WALK_FOLLOW, &from) : -EINVAL;
    at_end(&w);
    if (rc < 0)
        return rc;
    if (flags & LX_MS_MOVE)
        rc = mount_move(t->ns->mount, &from, at);
    else
        rc = mount_bind(t->ns->mount, &from, at, flags & LX_MS_REC, 0);
    path_put(&from);
    return rc;
}

/* do_mount() - what the flags ask for, in Linux's order. */
static int do_mount(struct task *t, const struct path *at, const u64 a[6], u32 flags)
{
    auto_free char *source = NULL;
    auto_free char *options = NULL;
    u32 change = flags & LX_MS_PROPAGATION;
    int rc;

    if (flags & LX_MS_REMOUNT && !(flags & LX_MS_BIND) && !may_reconfigure(t, at))
        return at->mount->root == at->dentry ? -EPERM : -EINVAL;
    if (flags & LX_MS_REMOUNT)
        return mount_remount(t->ns->mount, at, flags & ~LX_MS_REMOUNT);
    if (flags & (LX_MS_BIND | LX_MS_MOVE))
        return mount_from(t, at, a[0], flags);
    if (change) {
        /* One of them and nothing else. */
        if ((change & (change - 1)) || (flags & ~(change | LX_MS_REC | LX_MS_SILENT)))
            return -EINVAL;
        return mount_set_propagation(t->ns->mount, at, change, flags & LX_MS_REC);
    }
    rc = opt_string(t, a[0], &source);
    if (rc == 0)
        rc = opt_string(t, a[4], &options);
    return rc < 0 ? rc : mount_fresh(t, at, source, a[2], flags, options);
}

s64 sys_mount(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[3];
    struct path at;
    s64 rc;

    if ((flags & LX_MS_MGC_MSK) == LX_MS_MGC_VAL)
        flags &= ~LX_MS_MGC_MSK;
    rc = at_resolve(t, (u64)LX_AT_FDCWD, a[1], WALK_FOLLOW, &at);
    if (rc < 0)
        return rc;
    rc = may_mount(t) ? do_mount(t, &at, a, flags) : -EPERM;
    path_put(&at);
    return rc;
}

/* topmost() - what is mounted over a place: a "." that something was mounted on means that. */
static void topmost(struct task *t, struct path *p)
{
    struct mount *over = mount_lookup(t->ns->mount, p->mount, p->dentry);
    struct path top;

    if (!over)
        return;
    top = (struct path){over, over->root};
    top = path_get(&top);
    mount_put(over);
    path_put(p);
    *p = top;
}

s64 sys_umount2(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1], walk_flags = flags & LX_UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW;
    struct path at;
    s64 rc;

    if (flags & ~(LX_MNT_FORCE | LX_MNT_DETACH | LX_MNT_EXPIRE | LX_UMOUNT_NOFOLLOW))
        return -EINVAL;
    rc = at_resolve(t, (u64)LX_AT_FDCWD, a[0], walk_flags, &at);
    if (rc < 0)
        return rc;
    topmost(t, &at);
    rc = may_mount(t) ? mount_detach(t->ns->mount, &at, (int)flags) : -EPERM;
    path_put(&at);
    return rc;
}

/* pivot() - the mounts, then everybody whose root or working directory was the old root. */
static int pivot(struct task *t, const struct path *fresh, const struct path *put_old)
{
    struct fs_context_list list;
    struct path root;
    int err = fs_context_pivot_prepare(&list);

    if (err)
        return err;
    mutex_lock(&t->fs->lock);
    root = path_get(&t->fs->root);
    mutex_unlock(&t->fs->lock);
    err = mount_pivot(t->ns->mount, &root, fresh, put_old);
    if (!err)
        fs_context_pivot(&list, t->tg->container->pid_ns, &root, fresh);
    path_put(&root);
    free(list.all);
    return err;
}

s64 sys_pivot_root(struct task *t, const u64 a[6])
{
    struct path fresh, put_old;
    s64 rc;

    if (!may_mount(t))
        return -EPERM;
    rc = at_resolve(t, (u64)LX_AT_FDCWD, a[0], WALK_FOLLOW | WALK_DIRECTORY, &fresh);
    if (rc < 0)
        return rc;
    rc = at_resolve(t, (u64)LX_AT_FDCWD, a[1], WALK_FOLLOW | WALK_DIRECTORY, &put_old);
    if (rc == 0) {
        rc = pivot(t, &fresh, &put_old);
        path_put(&put_old);
    }
    path_put(&fresh);
    return rc;
}
