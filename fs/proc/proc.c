/*
 * proc(5): the file system. Nothing is stored: a lookup makes an inode for the entry and the process
 * it found, and the names are dropped when nobody uses them (SUPER_NO_CACHE). A name that is in use
 * is checked at each walk (SUPER_REVALIDATE), so a dead process's directory is not found again, and
 * what is still open of it answers ESRCH.
 */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/file.h"
#include "fs/vfs/namei.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/fsize_limit.h"
#include "sentry/kernel/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_INO      1u
#define FIRST_DYNAMIC 256 /* position of number 0 in a directory */

static const struct inode_ops dir_ops, text_link_ops, magic_link_ops;

/* --- inodes --- */

static const struct inode_ops *ops_of(const struct proc_entry *e)
{
    if (LX_S_ISDIR(e->mode))
        return &dir_ops;
    if (!LX_S_ISLNK(e->mode))
        return &proc_file_ops;
    return e->follow ? &magic_link_ops : &text_link_ops;
}

/* node_ino() - a number that stays the same for the same thing. */
static u64 node_ino(const struct proc_node *n)
{
    u64 h = hash_u64((uintptr_t)n->entry) ^ hash_u64(n->pid ? n->pid->obj.id : 0) * 31 ^
            hash_u64((u64)(u32)n->nr + n->thread * (1ull << 32)) * 17;

    return (h & 0xffffffffffull) | 2;
}

struct inode *proc_inode(struct super *sb, const struct proc_node *from)
{
    struct proc_node *n = malloc(sizeof(*n));
    u32 uid = 0, gid = 0;
    struct inode *ino;

    if (!n) {
        pid_put(from->pid);
        return NULL;
    }
    *n = *from;
    n->ns = sb->private;
    if (n->pid)
        proc_owner(n, &uid, &gid);
    ino = inode_new(sb, ops_of(n->entry), n->entry->mode, uid, gid, node_ino(n));
    if (!ino) {
        pid_put(n->pid);
        free(n);
        return NULL;
    }
    ino->private = n;
    if (LX_S_ISDIR(n->entry->mode))
        ino->nlink = 2;
    return ino;
}

void proc_node_free(struct inode *ino)
{
    struct proc_node *n = ino->private;

    if (!n)
        return;
    pid_put(n->pid);
    free(n);
}

int proc_node_revalidate(struct dentry *d)
{
    const struct proc_node *n = proc_node_of(d->inode);
    u32 uid, gid;

    if (!n->pid)
        return 1;
    if (!proc_alive(n) || (n->found_by && n->found_by->alive && !n->found_by->alive(n)))
        return 0;
    proc_owner(n, &uid, &gid);
    mutex_lock(&d->inode->lock);
    inode_set(&d->inode->uid, uid);
    inode_set(&d->inode->gid, gid);
    mutex_unlock(&d->inode->lock);
    return 1;
}

/* proc_node_getattr() - the times are the moment's, as nothing here has any. */
int proc_node_getattr(struct inode *ino, struct attr *out)
{
    const struct proc_node *n = proc_node_of(ino);

    if (n->pid && !proc_alive(n))
        return -ESRCH;
    inode_attr(ino, out);
    return 0;
}

int proc_node_setattr(struct inode *ino, const struct setattr *s)
{
    /* O_TRUNC on a file that can be written is fine and does nothing. */
    return s->valid & ~(u32)SET_SIZE ? -EPERM : 0;
}

/* --- directories --- */

static const struct proc_entry *find_child(const struct proc_entry *dir, const char *name, u32 len)
{
    for (const struct proc_entry *e = dir->children; e && e->name; e++)
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
            return e;
    return NULL;
}

static int dir_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    const struct proc_node *n = proc_node_of(dir);
    const struct proc_entry *e = find_child(n->entry, name, len);
    struct proc_node found = {.entry = e, .ns = n->ns};
    int rc;

    if (n->pid && !proc_alive(n))
        return -ENOENT;
    if (e) {
        found.pid = pid_get(n->pid);
        found.thread = n->thread;
        found.nr = n->nr;
    } else {
        rc = n->entry->dynamic ? n->entry->dynamic->find(n, name, len, &found) : -ENOENT;
        if (rc < 0)
            return rc;
        found.found_by = n->entry->dynamic;
    }
    *out = proc_inode(dir->super, &found);
    return *out ? 0 : -ENOMEM;
}

/* dir_permission() - the names of a process's descriptors are for who may look into it. */
static int dir_permission(struct inode *dir, const struct cred *cred, u32 may)
{
    const struct proc_node *n = proc_node_of(dir);
    int rc;

    if (may & MAY_WRITE)
        return -EACCES;
    if (!(n->entry->flags & PROC_INSPECT))
        return 0;
    rc = proc_may_inspect(n);
    return rc < 0 ? -EACCES : 0;
}

/* emit_children() - the fixed names from *pos on. Return: false: full. */
static bool emit_children(const struct proc_node *n, s64 *pos, struct dir_emit *e)
{
    for (s64 i = 0; n->entry->children && n->entry->children[i].name; i++) {
        const struct proc_entry *c = &n->entry->children[i];
        struct proc_node child = {.entry = c, .pid = n->pid, .thread = n->thread, .nr = n->nr};

        if (i + 2 < *pos)
            continue;
        if (!e->emit(e, c->name, (u32)strlen(c->name), node_ino(&child), LX_DT_OF_MODE(c->mode),
                     i + 3))
            return false;
        *pos = i + 3;
    }
    return true;
}

static void emit_numbers(const struct proc_node *n, s64 *pos, struct dir_emit *e)
{
    const struct proc_dynamic *d = n->entry->dynamic;
    s64 from = max_of(*pos, (s64)FIRST_DYNAMIC) - FIRST_DYNAMIC;
    char name[32];
    s32 nr;

    while (from <= INT32_MAX && (nr = d->next(n, (s32)from)) >= 0) {
        int len = snprintf(name, sizeof(name), "%s%d", d->prefix ? d->prefix : "", nr);
        struct proc_node child = {0};
        u64 ino;

        from = (s64)nr + 1;
        if (d->find(n, name, (u32)len, &child) < 0)
            continue;
        ino = node_ino(&child);
        pid_put(child.pid);
        if (!e->emit(e, name, (u32)len, ino, d->type, from + FIRST_DYNAMIC))
            return;
        *pos = from + FIRST_DYNAMIC;
    }
}

static int dir_readdir(struct file *f, s64 *pos, struct dir_emit *e)
{
    const struct proc_node *n = proc_node_of(f->inode);

    if (n->pid && !proc_alive(n))
        return -ENOENT;
    if (!dir_emit_dots(f, pos, e) || !emit_children(n, pos, e))
        return 0;
    if (n->entry->dynamic)
        emit_numbers(n, pos, e);
    return 0;
}

static const struct file_ops dir_file_ops = {.readdir = dir_readdir, .seek = file_seek_dir};

static int dir_open(struct inode *ino, struct file *f)
{
    f->ops = &dir_file_ops;
    return 0;
}

static const struct inode_ops dir_ops = {
    .lookup = dir_lookup,
    .revalidate = proc_node_revalidate,
    .getattr = proc_node_getattr,
    .setattr = proc_node_setattr,
    .permission = dir_permission,
    .open = dir_open,
    .free = proc_node_free,
};

/* --- links --- */

static ssize_t link_readlink(struct inode *ino, char *buf, size_t cap)
{
    const struct proc_node *n = proc_node_of(ino);
    int rc = n->entry->flags & PROC_INSPECT ? proc_may_inspect(n) : 0;

    return rc < 0 ? rc : n->entry->readlink(n, buf, cap);
}

static int link_follow(struct inode *ino, struct mount **mount, struct dentry **dentry)
{
    const struct proc_node *n = proc_node_of(ino);
    struct path p;
    int rc = proc_may_inspect(n);

    if (rc == 0)
        rc = n->entry->follow(n, &p);
    if (rc < 0)
        return rc;
    *mount = p.mount;
    *dentry = p.dentry;
    return 0;
}

static const struct inode_ops text_link_ops = {
    .revalidate = proc_node_revalidate,
    .readlink = link_readlink,
    .getattr = proc_node_getattr,
    .setattr = proc_node_setattr,
    .free = proc_node_free,
};

/* Links that lead somewhere whatever their text says. */
static const struct inode_ops magic_link_ops = {
    .revalidate = proc_node_revalidate,
    .readlink = link_readlink,
    .follow = link_follow,
    .getattr = proc_node_getattr,
    .setattr = proc_node_setattr,
    .free = proc_node_free,
};

/* --- the file system --- */

static void proc_free(struct super *sb)
{
    pid_ns_put(sb->private);
}

static const struct super_ops proc_super_ops = {.free = proc_free};

int proc_mount_tree(const struct fs_type *type, const struct fs_mount_args *args, u64 magic,
                    const struct proc_entry *entry, struct pid_ns *ns, struct super **out)
{
    struct super *sb = super_new(type, &proc_super_ops, magic, args->cred);
    struct proc_node root = {.entry = entry};
    struct inode *ino;

    if (!sb)
        return -ENOMEM;
    sb->flags = SUPER_REVALIDATE | SUPER_NO_CACHE;
    sb->private = pid_ns_get(ns);
    ino = proc_inode(sb, &root);
    if (!ino || super_set_root(sb, ino) < 0) {
        super_put(sb);
        return -ENOMEM;
    }
    ino->ino = ROOT_INO;
    *out = sb;
    return 0;
}

static int proc_mount(const struct fs_type *type, const struct fs_mount_args *args,
                      struct super **out)
{
    struct pid_ns *ns = args->data ? args->data : current ? current->pid->ns : NULL;

    if (!ns)
        return -EINVAL;
    if (!args->data && !cred_has_cap(args->cred, ns->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    return proc_mount_tree(type, args, LX_PROC_SUPER_MAGIC, &proc_root, ns, out);
}

const struct fs_type proc_fs_type = {.name = "proc", .guest_mountable = true, .mount = proc_mount};

int proc_boot(void)
{
    fsize_limit_init();
    return machine_init(0, 0);
}

struct pid *proc_file_pid(const struct file *f)
{
    const struct proc_node *n = f->inode->super->type == &proc_fs_type ? f->inode->private : NULL;

    return n && n->entry == &proc_pid_dir ? n->pid : NULL;
}
