/*
 * Marks on inodes and the reports to them. One lock guards all marks: it is taken only for an inode
 * whose `watched`, the union of its marks' masks, says that somebody wants the event. Reports of
 * names come under the directory's dir_lock, so that they are in the order of the changes.
 *
 * A mark holds a reference to its inode, but none to the super: when that goes, or the file's last
 * name and last use do, the mark goes too. A mark that was taken off waits on a list until the lock
 * is dropped, for the inode's last reference may be its, and holds the super until then. If that is
 * going already, the mark stays on its list, and the super is not gone before the mark is.
 */
#include "fs/vfs/notify.h"

#include "fs/vfs/dentry_priv.h"
#include "sentry/base/limits.h"

#include <string.h>

/* Marks that are not on the object alone: what tells of a directory event by its own mask. */
#define SELF_ONLY ((u32)(LX_IN_DELETE_SELF | LX_IN_MOVE_SELF))

_Atomic(u32) notify_marks;

static struct mutex lock = MUTEX_INIT(NOTIFY);
static struct notify_mark *off; /* taken off, to be freed; guarded by lock */

void notify_lock(void)
{
    mutex_lock(&lock);
}

static void mark_free(struct notify_mark *m)
{
    struct inode *ino = m->inode;

    m->ops->free(m);
    inode_put(ino);
}

void notify_unlock(void)
{
    struct notify_mark *m = off, *next;

    off = NULL;
    mutex_unlock(&lock);
    for (; m; m = next) {
        struct super *sb = m->inode->super;

        next = m->next;
        mark_free(m);
        super_put(sb);
    }
}

static void update_locked(struct inode *ino)
{
    u32 all = 0;

    for (struct notify_mark *m = ino->marks; m; m = m->next)
        all |= m->mask;
    atomic_store_explicit(&ino->watched, all, memory_order_relaxed);
}

void notify_attach_locked(struct notify_mark *m, struct inode *ino)
{
    m->inode = inode_get(ino);
    m->next = ino->marks;
    ino->marks = m;
    list_add(&ino->super->marks, &m->of_super);
    update_locked(ino);
    atomic_fetch_add(&notify_marks, 1);
}

void notify_set_mask_locked(struct notify_mark *m, u32 mask)
{
    m->mask = mask;
    update_locked(m->inode);
}

struct notify_mark *notify_first_locked(struct inode *ino)
{
    return ino->marks;
}

void notify_detach_locked(struct notify_mark *m)
{
    struct notify_mark **at = &m->inode->marks;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    m->detached = true;
    update_locked(m->inode);
    atomic_fetch_sub(&notify_marks, 1);
    if (!obj_get_unless_zero(&m->inode->super->obj))
        return; /* notify_super_gone() frees it */
    list_del(&m->of_super);
    m->next = off;
    off = m;
}

static bool wants(struct inode *ino, u32 mask)
{
    return atomic_load_explicit(&ino->watched, memory_order_relaxed) & mask;
}

/* tell_locked() - every mark of ino that wants it. `unlinked`: the object was reached through a name
 * that is gone. */
static void tell_locked(struct inode *ino, const struct notify_event *e, bool unlinked)
{
    struct notify_mark *m, *next;

    for (m = ino->marks; m; m = next) {
        next = m->next;
        if (!(m->mask & e->mask & LX_IN_ALL_EVENTS) || (unlinked && (m->mask & LX_IN_EXCL_UNLINK)))
            continue;
        if (m->ops->event(m, e))
            notify_detach_locked(m);
    }
}

static void tell(struct inode *ino, const struct notify_event *e)
{
    if (!wants(ino, e->mask & LX_IN_ALL_EVENTS))
        return;
    notify_lock();
    tell_locked(ino, e, false);
    notify_unlock();
}

static u32 dir_bit(struct inode *ino)
{
    return LX_S_ISDIR(inode_mode(ino)) ? LX_IN_ISDIR : 0;
}

/* watching_parent() - d's directory, a new reference, and d's name there, if it wants to know. */
static struct dentry *watching_parent(struct dentry *d, u32 mask, char name[LIMIT_NAME + 1],
                                      u32 *len)
{
    struct dentry *parent = NULL;
    u32 slot = tree_read();

    if (d->parent && wants(d->parent->inode, mask) && d->len <= LIMIT_NAME) {
        parent = dentry_get(d->parent);
        memcpy(name, d->name, d->len);
        *len = d->len;
    }
    tree_read_end(slot);
    return parent;
}

void notify_dentry_slow(struct dentry *d, u32 mask, bool opened)
{
    char name[LIMIT_NAME + 1] NO_AUTO_INIT;
    struct notify_event e = {.mask = mask | dir_bit(d->inode), .name = name};
    struct dentry *parent = watching_parent(d, mask, name, &e.len);
    bool unlinked = opened && d->unhashed;

    if (parent || wants(d->inode, mask)) {
        notify_lock();
        if (parent)
            tell_locked(parent->inode, &e, unlinked);
        e.name = NULL;
        e.len = 0;
        tell_locked(d->inode, &e, unlinked);
        notify_unlock();
    }
    dentry_put(parent);
}

void notify_name_slow(struct inode *dir, u32 mask, const char *name, u32 len, u32 cookie,
                      bool is_dir)
{
    struct notify_event e = {mask | (is_dir ? LX_IN_ISDIR : 0), cookie, name, len};

    tell(dir, &e);
}

void notify_move_slow(struct inode *from_dir, const char *from, u32 from_len, struct inode *to_dir,
                      const char *to, u32 to_len, bool is_dir)
{
    static _Atomic(u32) cookies;
    u32 cookie = atomic_fetch_add(&cookies, 1) + 1;

    notify_name_slow(from_dir, LX_IN_MOVED_FROM, from, from_len, cookie, is_dir);
    notify_name_slow(to_dir, LX_IN_MOVED_TO, to, to_len, cookie, is_dir);
}

void notify_inode_slow(struct inode *ino, u32 mask)
{
    struct notify_event e = {.mask = mask & SELF_ONLY ? mask : mask | dir_bit(ino)};

    tell(ino, &e);
}

/* end_locked() - the mark goes, after a last event. */
static void end_locked(struct notify_mark *m, u32 mask)
{
    struct notify_event e = {.mask = mask};

    if (m->mask & mask)
        m->ops->event(m, &e);
    m->ops->gone(m);
    notify_detach_locked(m);
}

void notify_gone_slow(struct inode *ino)
{
    if (!wants(ino, UINT32_MAX))
        return;
    notify_lock();
    while (ino->marks)
        end_locked(ino->marks, LX_IN_DELETE_SELF);
    notify_unlock();
}

void notify_super_gone(struct super *sb)
{
    struct notify_mark *m, *tmp;

    if (list_empty(&sb->marks))
        return;
    notify_lock();
    list_for_each(m, &sb->marks, of_super)
        if (!m->detached)
            end_locked(m, LX_IN_UNMOUNT);
    notify_unlock();
    list_for_each_safe(m, tmp, &sb->marks, of_super)
        mark_free(m);
    list_init(&sb->marks);
}
