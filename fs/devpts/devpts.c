/*
 * devpts (mount(8), pts(4)): a directory with `ptmx` and a node for each pseudo-terminal. Every mount
 * is an instance of its own.
 *
 * A slot of the table holds the terminal's inode, which holds the terminal; it is emptied when the
 * terminal's far side closes. While it is full the terminal holds the super, for its master may be
 * open by way of /dev/ptmx, outside of this file system. Names are not kept: each lookup asks the
 * table (SUPER_REVALIDATE, SUPER_NO_CACHE).
 */
#include "fs/devpts/devpts.h"

#include "fs/dev/dev.h"
#include "fs/tty/tty.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/abi/lx_mount.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INO_ROOT = 1, INO_PTMX = 2, INO_FIRST = 3, POS_PTMX = 2, POS_FIRST = 3, BLOCK = 1024 };

struct devpts {
    u32 uid, gid, mode, ptmx_mode, max; /* options; ID_INVALID: who opens the master */
    struct inode *ptmx;                 /* a reference */
    struct mutex lock;
    struct inode **slots; /* and below: guarded by lock; references; NULL: free */
    u32 nslots;
};

static _Atomic(u32) nptys; /* in the sandbox */

static struct devpts *devpts_of(const struct super *sb)
{
    return sb->private;
}

/* --- the table --- */

/* grow_locked() - Return: 0, -ENOMEM. */
static int grow_locked(struct devpts *d)
{
    u32 n = d->nslots ? d->nslots * 2 : 8;
    struct inode **slots = reallocarray(d->slots, n, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    memset(slots + d->nslots, 0, (n - d->nslots) * sizeof(*slots));
    d->slots = slots;
    d->nslots = n;
    return 0;
}

/* take_slot() - the lowest free number, held by `ino` (taken). Return: it, -ENOSPC, -ENOMEM. */
static int take_slot(struct devpts *d, struct inode *ino)
{
    int i = 0, err = 0;

    mutex_lock(&d->lock);
    while ((u32)i < d->nslots && d->slots[i])
        i++;
    if ((u32)i >= d->max)
        err = -ENOSPC;
    else if ((u32)i == d->nslots)
        err = grow_locked(d);
    if (!err)
        d->slots[i] = ino;
    mutex_unlock(&d->lock);
    return err ? err : i;
}

/* find_slot() - the inode of a number, as a new reference, or NULL. */
static struct inode *find_slot(struct devpts *d, u32 i)
{
    struct inode *ino = NULL;

    mutex_lock(&d->lock);
    if (i < d->nslots && d->slots[i] && d->slots[i]->private)
        ino = inode_get(d->slots[i]);
    mutex_unlock(&d->lock);
    return ino;
}

static void drop_name(struct super *sb, u32 index)
{
    char name[16];
    int len = snprintf(name, sizeof(name), "%u", index);
    struct dentry *d = dentry_find(sb->root, name, (u32)len);

    if (d)
        dentry_drop(d);
    dentry_put(d);
}

/* pts_gone() - see struct tty_driver. */
static void pts_gone(struct tty *t)
{
    struct inode *ino = t->data;
    struct super *sb = ino->super;
    struct devpts *d = devpts_of(sb);

    mutex_lock(&d->lock);
    d->slots[t->index] = NULL;
    mutex_unlock(&d->lock);
    atomic_fetch_sub(&nptys, 1);
    mutex_lock(&ino->lock);
    ino->nlink = 0;
    mutex_unlock(&ino->lock);
    drop_name(sb, t->index);
    inode_put(ino);
    super_put(sb);
}

/* --- opening --- */

/* is_devpts() - is p the root of a devpts? */
static bool is_devpts(const struct path *p)
{
    return p->dentry->super->type == &devpts_fs_type && p->dentry == p->dentry->super->root;
}

/* instance_of() - the root of the devpts that an open ptmx node belongs to: its own, or what is
 * mounted on "pts" beside it. Return: 0 and a new reference, -ENODEV, walk()'s errors. */
static int instance_of(struct file *f, struct path *out)
{
    struct path dir = {f->path.mount, dentry_parent(f->path.dentry)};
    struct walk_ctx ctx;
    int err = -ENODEV;

    if (dir.dentry && is_devpts(&dir)) {
        *out = path_get(&dir);
        err = 0;
    } else if (dir.dentry) {
        fs_context_walk(current, &ctx);
        err = walk(&ctx, &dir, "pts", WALK_DIRECTORY, out);
        fs_context_walk_end(&ctx);
        if (!err && !is_devpts(out)) {
            path_put(out);
            err = -ENODEV;
        }
    }
    dentry_put(dir.dentry);
    return err;
}

static s64 pts_peer(struct tty *t, struct file *master, u32 flags);

static const struct tty_driver pts_driver = {.gone = pts_gone, .peer = pts_peer};
static const struct inode_ops pts_inode_ops;

/* pts_inode() - a node that has no terminal and no number yet. */
static struct inode *pts_inode(struct super *sb, u32 owner, const struct cred *cred)
{
    struct devpts *d = devpts_of(sb);
    u32 uid = owner != ID_INVALID ? owner : d->uid != ID_INVALID ? d->uid : cred->fsuid;
    u32 gid = d->gid != ID_INVALID ? d->gid : cred->fsgid;
    struct inode *ino = inode_new(sb, &pts_inode_ops, LX_S_IFCHR | d->mode, uid, gid, INO_FIRST);

    if (ino)
        ino->blksize = BLOCK;
    return ino;
}

/* pts_new() - a terminal with the lowest free number of sb. `locked`: TIOCSPTLCK comes before its
 * first open. Return: 0 and a new reference, -ENOSPC, -ENOMEM. */
static int pts_new(struct super *sb, u32 owner, const struct cred *cred, bool locked,
                   struct tty **out)
{
    struct devpts *d = devpts_of(sb);
    struct inode *ino = pts_inode(sb, owner, cred);
    struct tty *t = NULL;
    int index, err;

    if (!ino)
        return -ENOMEM;
    if (atomic_fetch_add(&nptys, 1) >= LIMIT_PTYS)
        err = index = -ENOSPC;
    else
        err = index = take_slot(d, ino);
    if (index >= 0)
        err = tty_new(&pts_driver, ino, (u32)index, &t);
    if (err < 0) {
        atomic_fetch_sub(&nptys, 1);
        mutex_lock(&d->lock);
        if (index >= 0)
            d->slots[index] = NULL;
        mutex_unlock(&d->lock);
        inode_put(ino);
        return err;
    }
    t->locked = locked;
    super_get(sb);
    ino->ino = INO_FIRST + (u64)index;
    ino->rdev_major = t->ctl.major;
    ino->rdev_minor = (u32)index;
    mutex_lock(&d->lock);
    ino->private = tty_get(t); /* from here on it is found */
    mutex_unlock(&d->lock);
    *out = t;
    return 0;
}

/* open_master() - a new terminal, of which f is the master. */
static int open_master(struct super *sb, struct file *f)
{
    struct tty *t;
    int err = pts_new(sb, ID_INVALID, f->cred, true, &t);

    if (err)
        return err;
    err = tty_open_master(t, f);
    tty_put(t);
    return err;
}

static int ptmx_inode_open(struct inode *ino, struct file *f)
{
    return open_master(ino->super, f);
}

static int pts_open(struct inode *ino, struct file *f)
{
    return tty_open(ino->private, f, f->flags & LX_O_NOCTTY);
}

/* open_named() - the node `index` of the devpts whose root is `root`. */
static int open_named(const struct path *root, u32 index, const struct cred *cred, u32 flags,
                      struct file **out)
{
    struct path p = {root->mount, NULL};
    char name[16];
    int len = snprintf(name, sizeof(name), "%u", index);
    int err = dentry_lookup(root->dentry, name, (u32)len, false, &p.dentry);

    if (err)
        return err;
    err = vfs_open_path(&p, cred, flags, out);
    dentry_put(p.dentry);
    return err;
}

static s64 pts_peer(struct tty *t, struct file *master, u32 flags)
{
    u64 limit = task_rlimit(current, LX_RLIMIT_NOFILE);
    struct path root;
    struct file *f;
    s64 ret = instance_of(master, &root);

    if (ret)
        return ret;
    if (root.dentry->super == ((struct inode *)t->data)->super)
        ret = open_named(&root, t->index, current->cred, flags, &f);
    else
        ret = -ENODEV;
    path_put(&root);
    if (ret)
        return ret;
    ret = fd_install(current->files, f, 0, limit, flags & LX_O_CLOEXEC);
    if (ret < 0)
        file_put(f);
    return ret;
}

int devpts_console(const struct path *root, int fd, u32 owner, const struct cred *cred,
                   struct file **out, struct tty **tty)
{
    struct tty *t;
    int err;

    if (!is_devpts(root))
        return -ENODEV;
    err = pts_new(root->dentry->super, owner, cred, false, &t);
    if (err)
        return err;
    err = open_named(root, t->index, cred, LX_O_RDWR | LX_O_NOCTTY, out);
    if (!err) {
        err = tty_wire_new(t, fd);
        if (err)
            file_put(*out);
    }
    if (err) {
        tty_far_closed(t, true);
        tty_put(t);
        return err;
    }
    *tty = t;
    return 0;
}

/* --- the file system --- */

static int devpts_setattr(struct inode *ino, const struct setattr *s)
{
    struct setattr own = *s;

    own.valid &= ~(u32)SET_SIZE; /* O_TRUNC of a terminal */
    inode_setattr_generic(ino, &own);
    return 0;
}

static void pts_inode_free(struct inode *ino)
{
    tty_put(ino->private);
}

/* pts_revalidate() - is the terminal still there? */
static int pts_revalidate(struct dentry *d)
{
    return __atomic_load_n(&d->inode->nlink, __ATOMIC_RELAXED) > 0;
}

static const struct inode_ops pts_inode_ops = {
    .open = pts_open,
    .setattr = devpts_setattr,
    .revalidate = pts_revalidate,
    .free = pts_inode_free,
};

static const struct inode_ops ptmx_inode_ops = {
    .open = ptmx_inode_open, .setattr = devpts_setattr};

/* parse_index() - a number as the node is named. Return: it, or -1. */
static s64 parse_index(const char *name, u32 len)
{
    s64 n = 0;

    if (!len || len > 7 || (name[0] == '0' && len > 1))
        return -1;
    for (u32 i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        n = n * 10 + (name[i] - '0');
    }
    return n;
}

static int devpts_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    struct devpts *d = devpts_of(dir->super);
    s64 index;

    if (len == 4 && memcmp(name, "ptmx", 4) == 0) {
        *out = inode_get(d->ptmx);
        return 0;
    }
    index = parse_index(name, len);
    *out = index < 0 ? NULL : find_slot(d, (u32)index);
    return *out ? 0 : -ENOENT;
}

static int devpts_readdir(struct file *f, s64 *pos, struct dir_emit *e)
{
    struct devpts *d = devpts_of(f->inode->super);

    if (!dir_emit_dots(f, pos, e))
        return 0;
    if (*pos == POS_PTMX) {
        if (!e->emit(e, "ptmx", 4, INO_PTMX, LX_DT_CHR, POS_FIRST))
            return 0;
        *pos = POS_FIRST;
    }
    for (u32 i = (u32)(*pos - POS_FIRST); i < __atomic_load_n(&d->nslots, __ATOMIC_RELAXED); i++) {
        struct inode *ino = find_slot(d, i);
        char name[16];
        int len = snprintf(name, sizeof(name), "%u", i);
        bool more = !ino || e->emit(e, name, (u32)len, ino->ino, LX_DT_CHR, POS_FIRST + i + 1);

        inode_put(ino);
        if (!more)
            return 0;
        *pos = POS_FIRST + i + 1;
    }
    return 0;
}

static const struct file_ops dir_file_ops = {.seek = file_seek_dir, .readdir = devpts_readdir};

static int root_open(struct inode *ino, struct file *f)
{
    (void)ino;
    f->ops = &dir_file_ops;
    return 0;
}

static const struct inode_ops root_inode_ops = {
    .lookup = devpts_lookup, .open = root_open, .setattr = devpts_setattr};

static int devpts_statfs(struct super *sb, struct statfs_info *out)
{
    *out = (struct statfs_info){.type = sb->magic, .bsize = GUEST_PAGE_SIZE, .namelen = LIMIT_NAME};
    return 0;
}

static size_t devpts_show_options(struct super *sb, char *buf, size_t cap)
{
    struct devpts *d = devpts_of(sb);
    int n = 0;

    if (d->uid != ID_INVALID)
        n += snprintf(buf + n, cap - (size_t)n, ",uid=%u", uid_from_kuid(sb->user_ns, d->uid));
    if (d->gid != ID_INVALID && (size_t)n < cap)
        n += snprintf(buf + n, cap - (size_t)n, ",gid=%u", gid_from_kgid(sb->user_ns, d->gid));
    if ((size_t)n < cap)
        n += snprintf(buf + n, cap - (size_t)n, ",mode=%03o,ptmxmode=%03o", d->mode, d->ptmx_mode);
    if (d->max < LIMIT_PTYS && (size_t)n < cap)
        n += snprintf(buf + n, cap - (size_t)n, ",max=%u", d->max);
    return min_of((size_t)n, cap);
}

static void devpts_free(struct super *sb)
{
    struct devpts *d = devpts_of(sb);

    inode_put(d->ptmx);
    mutex_destroy(&d->lock);
    free(d->slots);
    free(d);
}

static const struct super_ops devpts_super_ops = {
    .statfs = devpts_statfs, .show_options = devpts_show_options, .free = devpts_free};

/* --- mounting --- */

/* parse_option() - name=value. Return: 0, -EINVAL. */
static int parse_option(struct devpts *d, char *name, const struct cred *cred)
{
    char *value = strchr(name, '='), *end;
    unsigned long n;
    bool octal;

    if (strcmp(name, "newinstance") == 0)
        return 0; /* every mount is */
    if (!value || value[1] < '0' || value[1] > '9')
        return -EINVAL;
    *value++ = 0;
    octal = strcmp(name, "mode") == 0 || strcmp(name, "ptmxmode") == 0;
    n = strtoul(value, &end, octal ? 8 : 10);
    if (*end || n > UINT32_MAX)
        return -EINVAL;
    if (strcmp(name, "mode") == 0)
        d->mode = (u32)n & LX_S_IALLUGO;
    else if (strcmp(name, "ptmxmode") == 0)
        d->ptmx_mode = (u32)n & LX_S_IALLUGO;
    else if (strcmp(name, "uid") == 0)
        return (d->uid = uid_to_kuid(cred->user_ns, (u32)n)) == ID_INVALID ? -EINVAL : 0;
    else if (strcmp(name, "gid") == 0)
        return (d->gid = gid_to_kgid(cred->user_ns, (u32)n)) == ID_INVALID ? -EINVAL : 0;
    else if (strcmp(name, "max") == 0 && n <= LIMIT_PTYS)
        d->max = (u32)n;
    else
        return -EINVAL;
    return 0;
}

static int parse_options(struct devpts *d, const char *options, const struct cred *cred)
{
    auto_free char *copy = strdup(options ? options : "");
    char *cursor = copy, *one;
    int err = copy ? 0 : -ENOMEM;

    while (!err && (one = strsep(&cursor, ",")))
        if (*one)
            err = parse_option(d, one, cred);
    return err;
}

/* make_nodes() - the root and ptmx. */
static int make_nodes(struct super *sb)
{
    struct devpts *d = devpts_of(sb);
    struct inode *root = inode_new(sb, &root_inode_ops, LX_S_IFDIR | 0755, 0, 0, INO_ROOT);

    d->ptmx = inode_new(sb, &ptmx_inode_ops, LX_S_IFCHR | d->ptmx_mode, 0, 0, INO_PTMX);
    if (!root || !d->ptmx) {
        inode_put(root);
        return -ENOMEM;
    }
    root->nlink = 2;
    root->blksize = d->ptmx->blksize = BLOCK;
    d->ptmx->rdev_major = 5;
    d->ptmx->rdev_minor = 2;
    return super_set_root(sb, root);
}

static int devpts_mount(const struct fs_type *type, const struct fs_mount_args *args,
                        struct super **out)
{
    struct super *sb = super_new(type, &devpts_super_ops, LX_DEVPTS_SUPER_MAGIC, args->cred);
    struct devpts *d = sb ? calloc(1, sizeof(*d)) : NULL;
    int err = d ? 0 : -ENOMEM;

    if (d) {
        *d = (struct devpts){.uid = ID_INVALID, .gid = ID_INVALID, .mode = 0600, .max = LIMIT_PTYS};
        mutex_init(&d->lock, LOCK_LEAF);
        sb->private = d;
        sb->flags = SUPER_REVALIDATE | SUPER_NO_CACHE | SUPER_OWN_SPECIAL;
        sb->mount_flags = args->flags & LX_MS_SUPER_FLAGS;
        err = parse_options(d, args->options, args->cred);
        if (!err)
            err = make_nodes(sb);
    }
    if (err)
        super_put(sb);
    else
        *out = sb;
    return err;
}

const struct fs_type devpts_fs_type = {
    .name = "devpts", .guest_mountable = true, .mount = devpts_mount};

/* --- devices --- */

/* dev_tty_open() - /dev/tty: the opener's controlling terminal. */
static int dev_tty_open(struct inode *ino, struct file *f)
{
    struct ctty *c = current ? ctty_of(current) : NULL;
    int err = c ? tty_open(tty_of(c), f, true) : -ENXIO;

    (void)ino;
    ctty_put(c);
    return err;
}

static int dev_ptmx_open(struct inode *ino, struct file *f)
{
    struct path root;
    int err = current ? instance_of(f, &root) : -ENODEV;

    (void)ino;
    if (err)
        return err;
    err = open_master(root.dentry->super, f);
    path_put(&root);
    return err;
}

/* dev_pts_open() - a node with a terminal's number that is not in a devpts leads nowhere. */
static int dev_pts_open(struct inode *ino, struct file *f)
{
    (void)ino;
    (void)f;
    return -EIO;
}

static const struct chrdev tty_dev = {.name = "tty", .open = dev_tty_open};
static const struct chrdev ptmx_dev = {.name = "ptmx", .open = dev_ptmx_open};
static const struct chrdev pts_dev = {.name = "pts", .open = dev_pts_open};

void devpts_init(void)
{
    chrdev_register(5, 0, &tty_dev);
    chrdev_register(5, 2, &ptmx_dev);
    chrdev_register(136, CHRDEV_ANY_MINOR, &pts_dev);
}
