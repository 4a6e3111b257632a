/*
 * Namespaces as files (ioctl_ns(2)). Each time one is asked for, an inode is made that holds it; that
 * two inodes are the same namespace is told by their number. An open file keeps its namespace.
 */
#include "fs/nsfs/nsfs.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_GET_USERNS    0xb701u
#define NS_GET_PARENT    0xb702u
#define NS_GET_NSTYPE    0xb703u
#define NS_GET_OWNER_UID 0xb704u

struct ns_inode {
    enum ns_kind kind;
    struct obj *ns; /* a reference */
};

static struct ns_inode *of_inode(const struct inode *ino)
{
    return ino->private;
}

/* open_other() - a descriptor of a namespace (NULL: there is none) for the calling task. */
static s64 open_other(enum ns_kind kind, struct obj *ns)
{
    struct file *f;
    s32 fd;
    int err;

    if (!ns)
        return -EPERM;
    obj_ref(ns);
    err = nsfs_file(kind, ns, task_cred(current), &f);
    if (err)
        return err;
    fd = fd_install(current->files, f, 0, task_rlimit(current, LX_RLIMIT_NOFILE), true);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* get_owner() - one's own, or one below it, can be looked at. */
static s64 get_owner(const struct ns_inode *n)
{
    struct user_ns *owner = ns_owner(n->kind, n->ns);

    if (!user_ns_below(owner, task_cred(current)->user_ns))
        return -EPERM;
    return open_other(NS_USER, owner ? &owner->obj : NULL);
}

/* sees_parent() - is the one above `ns` the caller's own, or below that? */
static bool sees_parent(const struct ns_inode *n, struct obj *parent)
{
    if (n->kind == NS_USER)
        return user_ns_below(container_of(parent, struct user_ns, obj),
                             task_cred(current)->user_ns);
    for (struct obj *at = parent; at; at = ns_parent(NS_PID, at))
        if (at == &current->pid->ns->obj)
            return true;
    return false;
}

static s64 get_parent(const struct ns_inode *n)
{
    struct obj *parent;

    if (n->kind != NS_USER && n->kind != NS_PID)
        return -EINVAL;
    parent = ns_parent(n->kind, n->ns);
    return parent && sees_parent(n, parent) ? open_other(n->kind, parent) : -EPERM;
}

static s64 get_owner_uid(const struct ns_inode *n, struct mm *mm, u64 to)
{
    const struct user_ns *ns;
    u32 uid;

    if (n->kind != NS_USER)
        return -EINVAL;
    ns = container_of(n->ns, struct user_ns, obj);
    uid = uid_from_kuid(task_cred(current)->user_ns, ns->owner_uid);
    return usermem_put(mm, to, &uid);
}

static s64 nsfs_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    const struct ns_inode *n = of_inode(f->inode);

    switch (cmd) {
    case NS_GET_USERNS: return get_owner(n);
    case NS_GET_PARENT: return get_parent(n);
    case NS_GET_NSTYPE: return (s64)ns_flag(n->kind);
    case NS_GET_OWNER_UID: return get_owner_uid(n, mm, arg);
    default: return -ENOTTY;
    }
}

static const struct file_ops nsfs_ops = {.ioctl = nsfs_ioctl};

static int nsfs_open(struct inode *ino, struct file *f)
{
    if (file_writable(f))
        return -EACCES;
    f->ops = &nsfs_ops;
    return 0;
}

static void nsfs_free(struct inode *ino)
{
    struct ns_inode *n = of_inode(ino);

    if (!n)
        return;
    obj_put_(n->ns);
    free(n);
}

static const struct inode_ops nsfs_inode_ops = {.open = nsfs_open, .free = nsfs_free};

int nsfs_file(enum ns_kind kind, struct obj *ns, const struct cred *cred, struct file **out)
{
    struct ns_inode *n = malloc(sizeof(*n));
    char name[48];
    int err = -ENOMEM;

    snprintf(name, sizeof(name), "%s:[%llu]", ns_name(kind), (unsigned long long)ns_ino(kind, ns));
    if (n)
        err = file_new_anon_inode(&nsfs_ops, &nsfs_inode_ops, name, LX_S_IFREG | 0444, cred,
                                  LX_O_RDONLY, NULL, out);
    if (err) {
        free(n);
        obj_put_(ns);
        return err;
    }
    *n = (struct ns_inode){.kind = kind, .ns = ns};
    (*out)->inode->private = n;
    (*out)->inode->ino = ns_ino(kind, ns);
    return 0;
}

struct obj *nsfs_of(const struct file *f, enum ns_kind *kind)
{
    const struct ns_inode *n;

    if (f->ops != &nsfs_ops)
        return NULL;
    n = of_inode(f->inode);
    *kind = n->kind;
    return n->ns;
}
