/*
 * tmpfs's directories: a hash by name and a tree by position. vfs holds dir_lock around every
 * change, so a directory changes under one hand at a time; inode->lock, taken for one inode after
 * the other, keeps lookups and readdir from seeing it half done.
 *
 * A tree of directories may be deep, so freeing one must not recurse: tmpfs_dir_free() takes the
 * names from all directories below before it puts them.
 *
 * A further link of a file counts as an inode, since names cost memory too.
 */
#include "fs/tmpfs/tmpfs_priv.h"

#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_cookies(const struct tmpfs_dirent *a, const struct tmpfs_dirent *b)
{
    return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

RB_GENERATE_INTERNAL(tmpfs_cookies, tmpfs_dirent, by_cookie, compare_cookies,
                     static __attribute__((unused)))

static u64 name_hash(const char *name, u32 len)
{
    return hash_bytes(name, len, 1);
}

static struct tmpfs_dirent *find(const struct inode *dir, const char *name, u32 len)
{
    struct hash_node *n = hash_first(&tmpfs_node(dir)->dir.names, name_hash(name, len));

    for (; n; n = hash_next(n)) {
        struct tmpfs_dirent *e = container_of(n, struct tmpfs_dirent, by_name);

        if (e->len == len && !memcmp(e->name, name, len))
            return e;
    }
    return NULL;
}

static struct tmpfs_dirent *dirent_new(const char *name, u32 len, struct inode *ino)
{
    struct tmpfs_dirent *e = malloc(sizeof(*e) + len);

    if (!e)
        return NULL;
    e->len = len;
    e->inode = inode_get(ino);
    memcpy(e->name, name, len);
    return e;
}

static int insert_locked(struct inode *dir, struct tmpfs_dirent *e)
{
    struct tmpfs_dir *d = &tmpfs_node(dir)->dir;

    if (d->dead)
        return -ENOENT;
    if (hash_insert(&d->names, &e->by_name, name_hash(e->name, e->len)) < 0)
        return -ENOMEM;
    e->cookie = d->next_cookie++;
    RB_INSERT(tmpfs_cookies, &d->cookies, e);
    return 0;
}

static void remove_locked(struct inode *dir, struct tmpfs_dirent *e)
{
    struct tmpfs_dir *d = &tmpfs_node(dir)->dir;

    hash_remove(&d->names, &e->by_name);
    RB_REMOVE(tmpfs_cookies, &d->cookies, e);
}

static bool is_dir(const struct inode *ino)
{
    return LX_S_ISDIR(ino->mode);
}

int tmpfs_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    struct tmpfs_dirent *e;

    if (!is_dir(dir))
        return -ENOTDIR;
    mutex_lock(&dir->lock);
    e = find(dir, name, len);
    if (e)
        *out = inode_get(e->inode);
    mutex_unlock(&dir->lock);
    return e ? 0 : -ENOENT;
}

/* add() - a name in dir; by how much its nlink grows. */
static int add(struct inode *dir, const char *name, u32 len, struct inode *ino)
{
    struct tmpfs_dirent *e = dirent_new(name, len, ino);
    int err;

    if (!e)
        return -ENOMEM;
    mutex_lock(&dir->lock);
    err = insert_locked(dir, e);
    if (!err) {
        dir->nlink += is_dir(ino);
        inode_touch_locked(dir, INODE_MTIME | INODE_CTIME);
    }
    mutex_unlock(&dir->lock);
    if (err) {
        inode_put(e->inode);
        free(e);
    }
    return err;
}

int tmpfs_dir_add(struct inode *dir, const char *name, u32 len, struct inode *ino)
{
    return add(dir, name, len, ino);
}

int tmpfs_link(struct inode *dir, const char *name, u32 len, struct inode *target)
{
    struct tmpfs_super *ts = tmpfs_node(dir)->super;
    int err = tmpfs_inode_charge(ts, 1);
    bool first;

    if (err)
        return err;
    err = add(dir, name, len, target);
    if (err) {
        tmpfs_inode_charge(ts, -1);
        return err;
    }
    mutex_lock(&target->lock);
    first = target->nlink++ == 0;
    inode_touch_locked(target, INODE_CTIME);
    mutex_unlock(&target->lock);
    if (first)
        tmpfs_inode_charge(ts, -1);
    return 0;
}

/* drop() - take the name out of dir. Return: its inode, a reference. */
static struct inode *drop(struct inode *dir, const char *name, u32 len)
{
    struct inode *ino = NULL;
    struct tmpfs_dirent *e;

    mutex_lock(&dir->lock);
    e = find(dir, name, len);
    if (e) {
        remove_locked(dir, e);
        ino = e->inode;
        dir->nlink -= is_dir(ino);
        inode_touch_locked(dir, INODE_MTIME | INODE_CTIME);
    }
    mutex_unlock(&dir->lock);
    free(e);
    return ino;
}

/* unlinked() - a name of `ino` is gone. */
static void unlinked(struct inode *ino)
{
    bool others;

    mutex_lock(&ino->lock);
    ino->nlink = is_dir(ino) ? 0 : ino->nlink - 1;
    others = ino->nlink > 0;
    inode_touch_locked(ino, INODE_CTIME);
    mutex_unlock(&ino->lock);
    if (others)
        tmpfs_inode_charge(tmpfs_node(ino)->super, -1);
}

int tmpfs_unlink(struct inode *dir, const char *name, u32 len, struct inode *victim)
{
    struct inode *ino = drop(dir, name, len);

    if (!ino)
        return -ENOENT;
    unlinked(ino);
    inode_put(ino);
    return 0;
}

/* bury() - an empty directory takes no more names. Return: 0, -ENOTEMPTY. */
static int bury(struct inode *ino)
{
    struct tmpfs_dir *d = &tmpfs_node(ino)->dir;
    int err = 0;

    mutex_lock(&ino->lock);
    if (d->names.count)
        err = -ENOTEMPTY;
    else
        d->dead = true;
    mutex_unlock(&ino->lock);
    return err;
}

int tmpfs_rmdir(struct inode *dir, const char *name, u32 len, struct inode *victim)
{
    int err = bury(victim);

    return err ? err : tmpfs_unlink(dir, name, len, victim);
}

/* retarget() - the name in dir means `ino` from now on. Return: what it meant, a reference. */
static struct inode *retarget(struct inode *dir, const char *name, u32 len, struct inode *ino)
{
    struct inode *old;
    struct tmpfs_dirent *e;

    mutex_lock(&dir->lock);
    e = find(dir, name, len);
    old = e->inode;
    e->inode = inode_get(ino);
    dir->nlink += (u32)is_dir(ino) - (u32)is_dir(old);
    inode_touch_locked(dir, INODE_MTIME | INODE_CTIME);
    mutex_unlock(&dir->lock);
    return old;
}

int tmpfs_rename(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                 const char *to, u32 to_len, u32 flags)
{
    struct inode *moved, *there = NULL;
    int err = tmpfs_lookup(from_dir, from, from_len, &moved);

    if (err)
        return err;
    err = tmpfs_lookup(to_dir, to, to_len, &there);
    if (!err && (flags & LX_RENAME_EXCHANGE)) {
        inode_put(retarget(to_dir, to, to_len, moved));
        inode_put(retarget(from_dir, from, from_len, there));
        inode_touch(there, INODE_CTIME);
    } else if (!err) {
        err = is_dir(there) ? bury(there) : 0;
        if (!err) {
            inode_put(retarget(to_dir, to, to_len, moved));
            inode_put(drop(from_dir, from, from_len));
            unlinked(there);
        }
    } else if (flags & LX_RENAME_EXCHANGE) {
        err = -ENOENT;
    } else {
        err = add(to_dir, to, to_len, moved);
        if (!err)
            inode_put(drop(from_dir, from, from_len));
    }
    if (!err)
        inode_touch(moved, INODE_CTIME);
    inode_put(there);
    inode_put(moved);
    return err;
}

/* --- readdir --- */

struct listed {
    u64 ino;
    s64 cookie;
    u32 type, len; /* the name follows, the whole rounded up to 8 */
};

/* list_some() - copy entries from *pos on into buf. Return: bytes used, 0 at the end. */
static size_t list_some(struct inode *dir, s64 pos, u8 *buf, size_t cap)
{
    struct tmpfs_dirent key = {.cookie = pos}, *e;
    size_t used = 0;

    mutex_lock(&dir->lock);
    for (e = RB_NFIND(tmpfs_cookies, &tmpfs_node(dir)->dir.cookies, &key); e;
         e = RB_NEXT(tmpfs_cookies, &tmpfs_node(dir)->dir.cookies, e)) {
        struct listed l = {e->inode->ino, e->cookie, LX_DT_OF_MODE(e->inode->mode), e->len};
        size_t need = (sizeof(l) + e->len + 7) & ~(size_t)7;

        if (cap - used < need)
            break;
        memcpy(buf + used, &l, sizeof(l));
        memcpy(buf + used + sizeof(l), e->name, e->len);
        used += need;
    }
    mutex_unlock(&dir->lock);
    return used;
}

/* emit_listed() - Return: false: full. */
static bool emit_listed(const u8 *buf, size_t used, s64 *pos, struct dir_emit *e)
{
    for (size_t at = 0; at < used;) {
        struct listed l;

        memcpy(&l, buf + at, sizeof(l));
        if (!e->emit(e, (const char *)buf + at + sizeof(l), l.len, l.ino, l.type, l.cookie + 1))
            return false;
        *pos = l.cookie + 1;
        at += (sizeof(l) + l.len + 7) & ~(size_t)7;
    }
    return true;
}

static int tmpfs_readdir(struct file *f, s64 *pos, struct dir_emit *e)
{
    u8 *buf;
    size_t used;

    if (!dir_emit_dots(f, pos, e))
        return 0;
    buf = bounce_get();
    if (!buf)
        return -ENOMEM;
    do {
        used = list_some(f->inode, *pos, buf, BOUNCE_BYTES / 4);
    } while (used && emit_listed(buf, used, pos, e));
    bounce_put(buf);
    file_accessed(f);
    return 0;
}

static int dir_fsync(struct file *f, bool data_only)
{
    return 0;
}

const struct file_ops tmpfs_dir_file_ops = {
    .seek = file_seek_dir,
    .readdir = tmpfs_readdir,
    .fsync = dir_fsync,
};

/* --- the end --- */

/* steal() - the names of d go to the front of the chain `todo`. */
static void steal(struct tmpfs_dir *d, struct tmpfs_dirent **todo)
{
    struct tmpfs_dirent *e;

    while ((e = RB_MIN(tmpfs_cookies, &d->cookies))) {
        RB_REMOVE(tmpfs_cookies, &d->cookies, e);
        e->by_name.next = *todo ? &(*todo)->by_name : NULL;
        *todo = e;
    }
    hash_free(&d->names);
}

void tmpfs_dir_free(struct tmpfs_dir *d)
{
    struct tmpfs_dirent *todo = NULL;

    steal(d, &todo);
    while (todo) {
        struct tmpfs_dirent *e = todo;

        todo = e->by_name.next ? container_of(e->by_name.next, struct tmpfs_dirent, by_name) : NULL;
        /* The super is going: nobody else sees the tree. */
        if (is_dir(e->inode))
            steal(&tmpfs_node(e->inode)->dir, &todo);
        inode_put(e->inode);
        free(e);
    }
}
