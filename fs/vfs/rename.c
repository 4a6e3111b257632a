/*
 * rename(2), renameat2(2).
 *
 * Renames between directories of one super go one at a time (rename_lock), so the tree above both
 * stands still while it is checked that no directory moves into itself; then both directories are
 * locked. Nothing else locks two directories.
 */
#include "fs/vfs/name_priv.h"

#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission.h"

#include <errno.h>

struct renaming {
    struct name_slot from, to;
    const struct cred *cred;
    u32 flags;
    struct dentry *old, *new; /* references; new NULL: the name is free */
};

static bool is_dir(const struct dentry *d)
{
    return LX_S_ISDIR(inode_mode(d->inode));
}

static struct inode *dir_of(const struct name_slot *s)
{
    return s->dir.dentry->inode;
}

/* lock_dirs(), unlock_dirs() - dir_lock of both, in the order that keeps others from deadlock. */
static void lock_dirs(struct renaming *r)
{
    if (dir_of(&r->from) != dir_of(&r->to))
        mutex_lock(&dir_of(&r->from)->super->rename_lock);
    mutex_lock_two(&dir_of(&r->from)->dir_lock, &dir_of(&r->to)->dir_lock);
}

static void unlock_dirs(struct renaming *r)
{
    mutex_unlock_two(&dir_of(&r->from)->dir_lock, &dir_of(&r->to)->dir_lock);
    if (dir_of(&r->from) != dir_of(&r->to))
        mutex_unlock(&dir_of(&r->from)->super->rename_lock);
}

/* look_up() - both names, and what their presence and slashes forbid. */
static int look_up(struct renaming *r)
{
    bool exchange = r->flags & LX_RENAME_EXCHANGE;
    int err = dentry_lookup(r->from.dir.dentry, r->from.name, r->from.len, true, &r->old);

    if (err)
        return err;
    err = dentry_lookup(r->to.dir.dentry, r->to.name, r->to.len, true, &r->new);
    if (err && err != -ENOENT)
        return err;
    if (r->new && (r->flags & LX_RENAME_NOREPLACE))
        return -EEXIST;
    if (!r->new &&exchange)
        return -ENOENT;
    if (exchange && !is_dir(r->new) && r->to.trailing)
        return -ENOTDIR;
    if (!is_dir(r->old) && (r->from.trailing || (!exchange && r->to.trailing)))
        return -ENOTDIR;
    return 0;
}

/* check_tree() - a directory can't move below itself, nor replace what it is in. */
static int check_tree(struct renaming *r)
{
    if (r->from.dir.dentry == r->to.dir.dentry)
        return 0;
    if (dentry_below(r->to.dir.dentry, r->old))
        return -EINVAL;
    if (r->new &&dentry_below(r->from.dir.dentry, r->new))
        return r->flags & LX_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return 0;
}

static int check_permission(struct renaming *r)
{
    bool exchange = r->flags & LX_RENAME_EXCHANGE;
    bool other_dir = r->from.dir.dentry != r->to.dir.dentry;
    int err = permission_delete(&r->from.dir, r->old, r->cred, is_dir(r->old));

    if (!err && r->new)
        err = permission_delete(&r->to.dir, r->new, r->cred, is_dir(exchange ? r->new : r->old));
    else if (!err)
        err = permission_create(&r->to.dir, r->cred);
    /* A directory that moves gets another "..": that is a write to it. */
    if (!err && other_dir && is_dir(r->old))
        err = inode_permission(r->old->inode, r->cred, MAY_WRITE);
    if (!err && other_dir && exchange && is_dir(r->new))
        err = inode_permission(r->new->inode, r->cred, MAY_WRITE);
    return err;
}

static void report(const struct renaming *r)
{
    struct inode *from = dir_of(&r->from), *to = dir_of(&r->to);

    notify_move(from, r->from.name, r->from.len, to, r->to.name, r->to.len, is_dir(r->old));
    if (r->new && !(r->flags & LX_RENAME_EXCHANGE))
        notify_inode(r->new->inode, LX_IN_ATTRIB);
    notify_inode(r->old->inode, LX_IN_MOVE_SELF);
    if (!(r->flags & LX_RENAME_EXCHANGE))
        return;
    notify_move(to, r->to.name, r->to.len, from, r->from.name, r->from.len, is_dir(r->new));
    notify_inode(r->new->inode, LX_IN_MOVE_SELF);
}

/* commit() - by the file system, then in the tree of dentries. */
static int commit(struct renaming *r)
{
    struct inode *from = dir_of(&r->from), *to = dir_of(&r->to);
    bool exchange = r->flags & LX_RENAME_EXCHANGE;
    char *buf_old = NULL, *buf_new = NULL;
    int err;

    if (!from->ops->rename)
        return -EPERM;
    err = dentry_name_alloc(r->to.len, &buf_old);
    if (!err && exchange)
        err = dentry_name_alloc(r->from.len, &buf_new);
    if (!err)
        err =
            from->ops->rename(from, r->from.name, r->from.len, to, r->to.name, r->to.len, r->flags);
    if (err) {
        free(buf_old);
        free(buf_new);
        return err;
    }
    if (exchange)
        dentry_swapped(r->old, r->new, buf_old, buf_new);
    else
        dentry_moved(r->old, r->to.dir.dentry, r->to.name, r->to.len, buf_old);
    if (notify_any())
        report(r);
    return 0;
}

static int rename_locked(struct renaming *r)
{
    int err = look_up(r);

    if (!err)
        err = check_tree(r);
    /* Two names of one file: nothing to do. */
    if (!err && r->new && r->old->inode == r->new->inode)
        return 0;
    if (!err)
        err = check_permission(r);
    return err ? err : commit(r);
}

/* replaced_dir() - after success: did a directory lose its name to another? */
static bool replaced_dir(const struct renaming *r)
{
    return r->new && r->new->inode != r->old->inode && is_dir(r->new) &&
           !(r->flags & LX_RENAME_EXCHANGE);
}

static int rename_slots(struct renaming *r)
{
    int err;

    if (r->from.dir.mount != r->to.dir.mount)
        return -EXDEV;
    if (!name_is_plain(&r->from))
        return -EBUSY;
    if (!name_is_plain(&r->to))
        return r->flags & LX_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    err = mount_writable(r->from.dir.mount);
    if (err)
        return err;
    lock_dirs(r);
    err = rename_locked(r);
    unlock_dirs(r);
    if (!err && replaced_dir(r))
        dentry_dead(r->new);
    return err;
}

int vfs_rename(const struct walk_ctx *ctx, const struct path *from_start, const char *from,
               const struct path *to_start, const char *to, u32 flags)
{
    struct renaming r = {.cred = ctx->cred, .flags = flags};
    int err;

    if (flags & ~(u32)(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE))
        return -EINVAL;
    if (flags == (LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE))
        return -EINVAL;
    err = name_slot_find(ctx, from_start, from, &r.from);
    if (err)
        return err;
    err = name_slot_find(ctx, to_start, to, &r.to);
    if (!err) {
        err = rename_slots(&r);
        dentry_put(r.old);
        dentry_put(r.new);
        path_put(&r.to.dir);
    }
    path_put(&r.from.dir);
    return err;
}
