/*
 * The mqueue file system: one instance for each IPC namespace, made when it is first needed. The
 * namespace keeps a mount of it, attached to nothing, through which mq_open(2) works; mount(2) shows
 * the same instance. The instance outlives its namespace where it is mounted or open, and makes no
 * queues then.
 *
 * Names are in a table of the instance. vfs holds the directory's dir_lock around every change.
 */
#include "fs/mqueue/mqueue_priv.h"

#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_mount.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mqueue_name {
    struct hash_node by_name;
    struct list_node node;
    struct inode *inode; /* a reference */
    s64 pos;             /* in the directory */
    u32 len;
    char name[];
};

enum { POS_FIRST = 2 };

static const struct inode_ops queue_inode_ops;

static struct mqueue_super *super_of(const struct inode *ino)
{
    return ino->super->private;
}

static u64 name_hash(const char *name, u32 len)
{
    return hash_bytes(name, len, 2);
}

static struct mqueue_name *find_locked(const struct mqueue_super *ms, const char *name, u32 len)
{
    struct hash_node *n = hash_first(&ms->by_name, name_hash(name, len));

    for (; n; n = hash_next(n)) {
        struct mqueue_name *e = container_of(n, struct mqueue_name, by_name);

        if (e->len == len && !memcmp(e->name, name, len))
            return e;
    }
    return NULL;
}

static int mqueue_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    struct mqueue_super *ms = super_of(dir);
    struct mqueue_name *e;

    mutex_lock(&ms->lock);
    e = find_locked(ms, name, len);
    if (e)
        *out = inode_get(e->inode);
    mutex_unlock(&ms->lock);
    return e ? 0 : -ENOENT;
}

/* --- making --- */

/* count_in() - one more queue of the instance, within the namespace's limit; *limits: those that are
 * in force. Return: 0, -EACCES (the namespace is gone), -ENOSPC. */
static int count_in(struct mqueue_super *ms, bool rich, struct ipc_limits *limits)
{
    int err = 0;

    mutex_lock(&ms->lock);
    if (!ms->ns) {
        err = -EACCES;
    } else {
        *limits = ipc_ns_limits(ms->ns);
        if (ms->count >= (rich ? LIMIT_MQUEUES : limits->mq_queues_max))
            err = -ENOSPC;
        else
            ms->count++;
    }
    mutex_unlock(&ms->lock);
    return err;
}

static void count_out(struct mqueue_super *ms)
{
    mutex_lock(&ms->lock);
    ms->count--;
    mutex_unlock(&ms->lock);
}

/* check_attr() - what is asked for, or the default. Return: 0, -EINVAL. */
static int check_attr(const struct lx_mq_attr *attr, const struct ipc_limits *l, bool rich,
                      u32 *maxmsg, u32 *msgsize)
{
    u32 most = rich ? LIMIT_MQ_MESSAGES : l->mq_msg_max;
    u32 longest = rich ? LIMIT_MQ_MESSAGE : l->mq_msgsize_max;

    *maxmsg = min_of(l->mq_msg_default, l->mq_msg_max);
    *msgsize = min_of(l->mq_msgsize_default, l->mq_msgsize_max);
    if (!attr)
        return 0;
    if (attr->maxmsg <= 0 || attr->msgsize <= 0 || attr->maxmsg > most || attr->msgsize > longest)
        return -EINVAL;
    *maxmsg = (u32)attr->maxmsg;
    *msgsize = (u32)attr->msgsize;
    return 0;
}

/* queue_inode() - an inode with its queue, counted already. */
static int queue_inode(struct super *sb, u32 mode, u32 uid, u32 gid, struct mqueue *q,
                       struct inode **out)
{
    struct inode *ino = inode_new(sb, &queue_inode_ops, mode, uid, gid, 0);

    if (!ino)
        return -ENOMEM;
    ino->size = MQUEUE_SIZE;
    ino->private = q;
    q->super = sb->private;
    *out = ino;
    return 0;
}

static int add_name(struct inode *dir, const char *name, u32 len, struct inode *ino)
{
    struct mqueue_super *ms = super_of(dir);
    struct mqueue_name *e = malloc(sizeof(*e) + len);
    int err = -ENOMEM;

    if (!e)
        return err;
    e->inode = ino;
    e->len = len;
    memcpy(e->name, name, len);
    mutex_lock(&ms->lock);
    err = hash_insert(&ms->by_name, &e->by_name, name_hash(name, len));
    if (!err) {
        inode_get(ino);
        e->pos = ++ms->last_pos;
        list_add_tail(&ms->names, &e->node);
    }
    mutex_unlock(&ms->lock);
    if (err)
        free(e);
    return err;
}

/* make_queue() - see struct file_maker; arg: struct lx_mq_attr or NULL. */
static int make_queue(struct inode *dir, const char *name, u32 len, const struct new_file *as,
                      void *arg, struct inode **out)
{
    bool rich = cred_capable(task_cred(current), LX_CAP_SYS_RESOURCE);
    struct mqueue_super *ms = super_of(dir);
    struct ipc_limits limits;
    u32 maxmsg, msgsize;
    struct mqueue *q;
    int err = count_in(ms, rich, &limits);

    if (err)
        return err;
    err = check_attr(arg, &limits, rich, &maxmsg, &msgsize);
    if (!err)
        err = mqueue_new(maxmsg, msgsize, &q);
    if (err) {
        count_out(ms);
        return err;
    }
    err = queue_inode(dir->super, as->mode, as->uid, as->gid, q, out);
    if (err) {
        mqueue_free(q);
        count_out(ms);
        return err;
    }
    err = add_name(dir, name, len, *out);
    if (err) {
        inode_put(*out);
        return err;
    }
    inode_touch(dir, INODE_MTIME | INODE_CTIME | INODE_ATIME);
    return 0;
}

static int mqueue_create(struct inode *dir, const char *name, u32 len, u32 mode, u32 uid, u32 gid,
                         u32 rdev_major, u32 rdev_minor, struct inode **out)
{
    const struct new_file as = {mode, uid, gid};

    return LX_S_ISREG(mode) && current ? make_queue(dir, name, len, &as, NULL, out) : -EPERM;
}

static int mqueue_remove(struct inode *dir, const char *name, u32 len, struct inode *victim)
{
    struct mqueue_super *ms = super_of(dir);
    struct mqueue_name *e;

    mutex_lock(&ms->lock);
    e = find_locked(ms, name, len);
    if (e) {
        hash_remove(&ms->by_name, &e->by_name);
        list_del(&e->node);
    }
    mutex_unlock(&ms->lock);
    if (!e)
        return -ENOENT;
    mutex_lock(&victim->lock);
    victim->nlink--;
    inode_touch_locked(victim, INODE_CTIME);
    mutex_unlock(&victim->lock);
    inode_touch(dir, INODE_MTIME | INODE_CTIME | INODE_ATIME);
    inode_put(e->inode);
    free(e);
    return 0;
}

/* --- files and the directory --- */

static int queue_open(struct inode *ino, struct file *f)
{
    f->ops = &mqueue_file_ops;
    return 0;
}

/* queue_setattr() - O_TRUNC changes no queue. */
static int queue_setattr(struct inode *ino, const struct setattr *s)
{
    struct setattr own = *s;

    own.valid &= ~(u32)SET_SIZE;
    inode_setattr_generic(ino, &own);
    return 0;
}

static void queue_inode_free(struct inode *ino)
{
    struct mqueue *q = mqueue_of(ino);

    count_out(q->super);
    mqueue_free(q);
}

static const struct inode_ops queue_inode_ops = {
    .open = queue_open, .setattr = queue_setattr, .free = queue_inode_free};

/* next_name() - the entry at or behind position `pos`: its name and inode, a reference. */
static struct inode *next_name(struct mqueue_super *ms, s64 pos, char *name, u32 *len, s64 *at)
{
    struct inode *ino = NULL;
    struct mqueue_name *e;

    mutex_lock(&ms->lock);
    list_for_each(e, &ms->names, node) {
        if (e->pos + POS_FIRST <= pos)
            continue;
        ino = inode_get(e->inode);
        memcpy(name, e->name, e->len);
        *len = e->len;
        *at = e->pos + POS_FIRST;
        break;
    }
    mutex_unlock(&ms->lock);
    return ino;
}

static int mqueue_readdir(struct file *f, s64 *pos, struct dir_emit *e)
{
    struct mqueue_super *ms = super_of(f->inode);
    struct inode *ino;
    char name[LIMIT_NAME];
    u32 len;
    s64 at;

    if (!dir_emit_dots(f, pos, e))
        return 0;
    while ((ino = next_name(ms, *pos, name, &len, &at))) {
        bool more = e->emit(e, name, len, ino->ino, LX_DT_REG, at);

        inode_put(ino);
        if (!more)
            return 0;
        *pos = at;
    }
    return 0;
}

static const struct file_ops dir_file_ops = {.seek = file_seek_dir, .readdir = mqueue_readdir};

static int root_open(struct inode *ino, struct file *f)
{
    f->ops = &dir_file_ops;
    return 0;
}

static const struct inode_ops root_inode_ops = {
    .lookup = mqueue_lookup,
    .create = mqueue_create,
    .unlink = mqueue_remove,
    .open = root_open,
    .setattr = queue_setattr,
};

/* --- instances --- */

static int mqueue_statfs(struct super *sb, struct statfs_info *out)
{
    *out = (struct statfs_info){.type = sb->magic, .bsize = GUEST_PAGE_SIZE, .namelen = LIMIT_NAME};
    return 0;
}

static void mqueue_super_free(struct super *sb)
{
    struct mqueue_super *ms = sb->private;

    while (!list_empty(&ms->names)) {
        struct mqueue_name *e = list_entry(ms->names.next, struct mqueue_name, node);

        list_del(&e->node);
        inode_put(e->inode);
        free(e);
    }
    hash_free(&ms->by_name);
    mutex_destroy(&ms->lock);
    free(ms);
}

static const struct super_ops mqueue_super_ops = {
    .statfs = mqueue_statfs, .free = mqueue_super_free};

static struct super *instance_new(struct ipc_ns *ns)
{
    const struct cred owner = {.user_ns = ns->user_ns};
    struct mqueue_super *ms = calloc(1, sizeof(*ms));
    struct super *sb = ms ? super_new(&mqueue_fs_type, &mqueue_super_ops, LX_MQUEUE_MAGIC, &owner)
                          : NULL;
    struct inode *root;

    if (!sb) {
        free(ms);
        return NULL;
    }
    mutex_init(&ms->lock, LOCK_MQUEUE_NAMES);
    list_init(&ms->names);
    ms->ns = ns;
    sb->private = ms;
    root = inode_new(sb, &root_inode_ops, LX_S_IFDIR | LX_S_ISVTX | 0777,
                     uid_to_kuid(ns->user_ns, 0), gid_to_kgid(ns->user_ns, 0), 0);
    if (!root || super_set_root(sb, root) < 0)
        return super_put(sb);
    root->nlink = 2;
    return sb;
}

/* namespace_gone() - see struct ipc_ns. */
static void namespace_gone(struct obj *mount)
{
    struct mount *m = container_of(mount, struct mount, obj);
    struct mqueue_super *ms = m->super->private;

    mutex_lock(&ms->lock);
    ms->ns = NULL;
    mutex_unlock(&ms->lock);
    mount_put(m);
}

/* mount_of() - the namespace's own mount, borrowed; made now if there is none. NULL: no memory. */
static struct mount *mount_of(struct ipc_ns *ns)
{
    auto_put(super) struct super *sb = NULL;
    struct mount *m;
    struct obj *kept = ipc_ns_mqueue(ns);

    if (kept)
        return container_of(kept, struct mount, obj);
    sb = instance_new(ns);
    m = sb ? mount_alloc(sb, NULL, 0, "mqueue") : NULL;
    if (!m)
        return NULL;
    kept = ipc_ns_keep_mqueue(ns, &m->obj, namespace_gone);
    if (kept != &m->obj)
        mount_put(m); /* somebody else was first */
    return container_of(kept, struct mount, obj);
}

static int mqueue_mount(const struct fs_type *type, const struct fs_mount_args *args,
                        struct super **out)
{
    struct ipc_ns *ns = current ? current->ns->ipc : args->data;
    struct mount *m;

    if (!ns)
        return -EINVAL;
    if (!cred_has_cap(args->cred, ns->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    m = mount_of(ns);
    if (!m)
        return -ENOMEM;
    *out = super_get(m->super);
    return 0;
}

const struct fs_type mqueue_fs_type = {
    .name = "mqueue", .guest_mountable = true, .mount = mqueue_mount};

/* --- mq_open, mq_unlink --- */

/* check_name() - one component of a path. Return: 0, -ENOENT, -EACCES, -ENAMETOOLONG. */
static int check_name(const char *name)
{
    if (!*name)
        return -ENOENT;
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EACCES;
    return strlen(name) > LIMIT_NAME ? -ENAMETOOLONG : 0;
}

/* root_of() - the directory of a namespace's queues, borrowed. */
static int root_of(struct ipc_ns *ns, struct path *out)
{
    struct mount *m = mount_of(ns);

    if (!m)
        return -ENOMEM;
    *out = (struct path){m, m->root};
    return 0;
}

int mqueue_open(struct ipc_ns *ns, const char *name, u32 flags, u32 mode,
                const struct lx_mq_attr *attr, struct file **out)
{
    struct lx_mq_attr asked = attr ? *attr : (struct lx_mq_attr){0};
    const struct file_maker maker = {make_queue, attr ? &asked : NULL};
    struct path root;
    int err = check_name(name);

    if (!err && (flags & LX_O_ACCMODE) == LX_O_ACCMODE)
        err = -EINVAL;
    if (!err)
        err = root_of(ns, &root);
    flags &= LX_O_ACCMODE | LX_O_CREAT | LX_O_EXCL | LX_O_NONBLOCK;
    return err ? err : vfs_open_in(&root, task_cred(current), name, flags, mode, &maker, out);
}

int mqueue_unlink(struct ipc_ns *ns, const char *name)
{
    struct walk_ctx ctx;
    struct path root;
    int err = check_name(name);

    if (!err)
        err = root_of(ns, &root);
    if (err)
        return err;
    fs_context_walk(current, &ctx);
    err = vfs_unlink(&ctx, &root, name, false);
    fs_context_walk_end(&ctx);
    return err;
}
