/*
 * Names of AF_UNIX sockets. An abstract name (it begins with a NUL) is in a table of its network
 * namespace, by type. A path is a node that bind() makes in a file system; who is bound to it is found
 * by the node's inode, which the socket holds, so that another name of it leads there too and a later
 * node with the same path doesn't. Both tables hold no references: a socket is taken out when it dies.
 *
 * A name is set once, under the lock of its table and the socket's own, and then read without any.
 */
#include "sentry/socket/unix_names.h"

#include "fs/vfs/namei.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FAMILY = sizeof(u16), AUTO_NAMES = 1 << 20, AUTO_LEN = FAMILY + 6, DEV_MINOR_BITS = 20 };

static struct mutex paths_lock = MUTEX_INIT(UNIX_NAMES);
static struct hash paths; /* by inode; guarded by paths_lock */

static void unix_net_free(struct obj *o)
{
    struct unix_net *n = container_of(o, struct unix_net, obj);

    hash_free(&n->names);
    mutex_destroy(&n->lock);
    free(n);
}

static struct obj_type unix_net_type = {.name = "unix_net", .free = unix_net_free};

static struct obj *make_net(struct net_ns *ns)
{
    struct unix_net *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    obj_init(&n->obj, &unix_net_type);
    mutex_init(&n->lock, LOCK_UNIX_NAMES);
    list_init(&n->sockets);
    return &n->obj;
}

struct unix_net *unix_net_of(struct net_ns *net)
{
    return (struct unix_net *)net_ns_state(net, NET_STATE_UNIX, make_net);
}

int unix_list_add(struct unix_socket *u)
{
    struct unix_net *n = unix_net_of(u->s.net);

    if (!n)
        return -ENOMEM;
    mutex_lock(&n->lock);
    list_add_tail(&n->sockets, &u->in_net);
    mutex_unlock(&n->lock);
    return 0;
}

void unix_list_del(struct unix_socket *u)
{
    struct unix_net *n = unix_net_of(u->s.net);

    if (!n)
        return;
    mutex_lock(&n->lock);
    list_del(&u->in_net);
    mutex_unlock(&n->lock);
}

/* --- addresses --- */

static struct unix_addr *addr_new(const char *path, u32 path_len)
{
    struct unix_addr *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    atomic_init(&a->refs, 1);
    a->un.family = LX_AF_UNIX;
    a->len = FAMILY + path_len;
    memcpy(a->un.path, path, min_of(path_len, (u32)LX_UNIX_PATH_MAX));
    return a;
}

void unix_addr_put(struct unix_addr *a)
{
    if (a && atomic_fetch_sub(&a->refs, 1) == 1)
        free(a);
}

void unix_tell_addr(struct unix_socket *u, struct socket_addr *out)
{
    const struct unix_addr *a = u->addr;

    out->len = FAMILY;
    out->family = LX_AF_UNIX;
    if (!a)
        return;
    /* A path of 108 bytes has its NUL after them. */
    out->len = a->len;
    memset(out->bytes, 0, min_of(a->len, (u32)LX_SOCKADDR_MAX));
    memcpy(out->bytes, &a->un, min_of(a->len, (u32)sizeof(a->un)));
}

int unix_check_addr(const struct socket_addr *addr)
{
    if (addr->len <= FAMILY || addr->len > sizeof(addr->un) || addr->family != LX_AF_UNIX)
        return -EINVAL;
    return 0;
}

/* path_of() - an address's path with a NUL at its end. */
static const char *path_of(const struct socket_addr *addr, char buf[LX_UNIX_PATH_MAX + 1])
{
    u32 n = addr->len - FAMILY;

    memcpy(buf, addr->un.path, n);
    buf[n] = '\0';
    return buf;
}

/* --- abstract names --- */

static u64 name_hash(const char *name, u32 len, u16 type)
{
    return hash_bytes(name, len, type);
}

/* find_name_locked() - who has this name; borrowed. */
static struct unix_socket *find_name_locked(struct unix_net *n, const char *name, u32 len, u16 type)
{
    struct hash_node *node = hash_first(&n->names, name_hash(name, len, type));

    for (; node; node = hash_next(node)) {
        struct unix_socket *u = container_of(node, struct unix_socket, by_name);
        const struct unix_addr *a = u->addr;

        if (u->s.type == type && a->len == FAMILY + len && memcmp(a->un.path, name, len) == 0)
            return u;
    }
    return NULL;
}

/* claim_name_locked() - `a`, taken on success, becomes u's name. Return: 0, -EADDRINUSE, -EINVAL (it has one),
 * -ENOMEM. */
static int claim_name_locked(struct unix_net *n, struct unix_socket *u, struct unix_addr *a)
{
    u32 len = a->len - FAMILY;
    int err = 0;

    if (find_name_locked(n, a->un.path, len, u->s.type))
        return -EADDRINUSE;
    mutex_lock(&u->s.lock);
    if (u->addr || u->dead)
        err = -EINVAL;
    else
        err = hash_insert(&n->names, &u->by_name, name_hash(a->un.path, len, u->s.type));
    if (!err) {
        u->hashed = true;
        u->addr = a;
    }
    mutex_unlock(&u->s.lock);
    return err;
}

static int bind_abstract(struct unix_socket *u, const char *name, u32 len)
{
    struct unix_net *n = unix_net_of(u->s.net);
    struct unix_addr *a = addr_new(name, len);
    int err;

    if (!a || !n) {
        unix_addr_put(a);
        return -ENOMEM;
    }
    mutex_lock(&n->lock);
    err = u->addr ? -EINVAL : claim_name_locked(n, u, a);
    mutex_unlock(&n->lock);
    if (err)
        unix_addr_put(a);
    return err;
}

int unix_autobind(struct unix_socket *u)
{
    static const char blank[AUTO_LEN];
    struct unix_net *n = unix_net_of(u->s.net);
    struct unix_addr *a;
    int err = -EADDRINUSE;

    if (u->addr)
        return 0;
    a = addr_new(blank, AUTO_LEN - FAMILY);
    if (!a || !n) {
        unix_addr_put(a);
        return -ENOMEM;
    }
    mutex_lock(&n->lock);
    if (!n->next_auto)
        n->next_auto = (u32)hash_u64(n->obj.id);
    for (u32 i = 0; i < AUTO_NAMES && err == -EADDRINUSE; i++) {
        char hex[AUTO_LEN];

        snprintf(hex, sizeof(hex), "%05x", n->next_auto++ % AUTO_NAMES);
        memcpy(a->un.path + 1, hex, AUTO_LEN - FAMILY - 1);
        err = claim_name_locked(n, u, a);
    }
    mutex_unlock(&n->lock);
    if (err)
        unix_addr_put(a);
    if (err == -EADDRINUSE)
        return -ENOSPC;
    return err == -EINVAL ? 0 : err; /* another thread was faster */
}

/* --- paths --- */

static u64 inode_hash(const struct inode *ino)
{
    return hash_u64((u64)(uintptr_t)ino);
}

/* claim_path() - the node at `p` (taken on success) is u's. */
static int claim_path(struct unix_socket *u, const struct path *p, struct unix_addr *a)
{
    int err = -EINVAL;

    mutex_lock(&paths_lock);
    mutex_lock(&u->s.lock);
    if (!u->addr && !u->dead)
        err = hash_insert(&paths, &u->by_inode, inode_hash(p->dentry->inode));
    if (!err) {
        u->path = *p;
        u->addr = a;
    }
    mutex_unlock(&u->s.lock);
    mutex_unlock(&paths_lock);
    return err;
}

static int bind_path(struct unix_socket *u, const struct socket_addr *addr)
{
    char name[LX_UNIX_PATH_MAX + 1];
    u32 len = (u32)strlen(path_of(addr, name));
    struct unix_addr *a = addr_new(name, len + 1);
    struct walk_ctx ctx;
    struct path p;
    int err;

    if (!a)
        return -ENOMEM;
    fs_context_walk(current, &ctx);
    err = vfs_mksock(&ctx, name, 0777 & ~current->fs->umask, &p);
    if (err == 0) {
        err = claim_path(u, &p, a);
        if (err) {
            vfs_unlink(&ctx, NULL, name, false);
            path_put(&p);
        }
    }
    fs_context_walk_end(&ctx);
    if (err)
        unix_addr_put(a);
    return err == -EEXIST ? -EADDRINUSE : err;
}

int unix_bind(struct socket *s, const struct socket_addr *addr)
{
    struct unix_socket *u = unix_of(s);
    int err;

    if (addr->len == FAMILY && addr->family == LX_AF_UNIX)
        return unix_autobind(u);
    err = unix_check_addr(addr);
    if (err)
        return err;
    if (addr->un.path[0])
        return bind_path(u, addr);
    return bind_abstract(u, addr->un.path, addr->len - FAMILY);
}

void unix_unbind(struct unix_socket *u)
{
    struct unix_net *n = u->hashed ? unix_net_of(u->s.net) : NULL;
    struct path p = {0};

    if (n) {
        mutex_lock(&n->lock);
        if (u->hashed)
            hash_remove(&n->names, &u->by_name);
        u->hashed = false;
        mutex_unlock(&n->lock);
    }
    mutex_lock(&paths_lock);
    if (u->path.dentry) {
        hash_remove(&paths, &u->by_inode);
        p = u->path;
        u->path = (struct path){0};
    }
    if (!paths.count)
        hash_free(&paths);
    mutex_unlock(&paths_lock);
    if (p.dentry)
        path_put(&p);
}

void unix_path_id(struct unix_socket *u, u64 *ino, u32 *dev)
{
    *ino = *dev = 0;
    mutex_lock(&paths_lock);
    if (u->path.dentry) {
        const struct inode *i = u->path.dentry->inode;

        *ino = i->ino;
        *dev = i->super->dev_major << DEV_MINOR_BITS | i->super->dev_minor;
    }
    mutex_unlock(&paths_lock);
}

/* --- finding --- */

/* alive() - a new reference, unless it is on its way out. */
static struct unix_socket *alive(struct unix_socket *u)
{
    return u && obj_get_unless_zero(&u->s.obj) ? u : NULL;
}

static struct unix_socket *find_by_inode(const struct inode *ino)
{
    struct unix_socket *found = NULL;
    struct hash_node *n;

    mutex_lock(&paths_lock);
    for (n = hash_first(&paths, inode_hash(ino)); n && !found; n = hash_next(n)) {
        struct unix_socket *u = container_of(n, struct unix_socket, by_inode);

        if (u->path.dentry->inode == ino)
            found = alive(u);
    }
    mutex_unlock(&paths_lock);
    return found;
}

static int find_path(struct unix_socket *u, const struct socket_addr *addr,
                     struct unix_socket **out)
{
    char name[LX_UNIX_PATH_MAX + 1];
    struct walk_ctx ctx;
    struct inode *ino;
    struct path p;
    int err;

    path_of(addr, name);
    fs_context_walk(current, &ctx);
    err = walk(&ctx, NULL, name, WALK_FOLLOW, &p);
    if (err == 0) {
        ino = p.dentry->inode;
        err = inode_permission(ino, ctx.cred, MAY_WRITE);
        if (err == 0) {
            *out = LX_S_ISSOCK(inode_mode(ino)) ? find_by_inode(ino) : NULL;
            err = *out ? 0 : -ECONNREFUSED;
        }
        path_put(&p);
    }
    fs_context_walk_end(&ctx);
    if (err == 0 && (*out)->s.type != u->s.type) {
        unix_put(*out);
        err = -EPROTOTYPE;
    }
    return err;
}

int unix_find(struct unix_socket *u, const struct socket_addr *addr, struct unix_socket **out)
{
    struct unix_net *n;

    if (addr->un.path[0])
        return find_path(u, addr, out);
    n = unix_net_of(u->s.net);
    if (!n)
        return -ENOMEM;
    mutex_lock(&n->lock);
    *out = alive(find_name_locked(n, addr->un.path, addr->len - FAMILY, u->s.type));
    mutex_unlock(&n->lock);
    return *out ? 0 : -ECONNREFUSED;
}
