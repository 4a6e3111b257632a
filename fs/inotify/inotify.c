/*
 * Instances and their watches. A watch is a mark on an inode (fs/vfs/notify.h) with a number; the
 * table of an instance's watches is guarded by the notify lock, as are the marks. A number is not
 * used again until all others have been.
 */
#include "fs/inotify/inotify_priv.h"

#include "fs/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

/* What a watch's mask keeps of the caller's. */
#define KEPT (LX_IN_ALL_EVENTS | LX_IN_EXCL_UNLINK | LX_IN_ONESHOT)

static struct inotify_watch *of_mark(struct notify_mark *m)
{
    return container_of(m, struct inotify_watch, mark);
}

/* forget_locked() - the number is gone; the reader hears of that. */
static void forget_locked(struct notify_mark *m)
{
    static const struct notify_event ignored = {.mask = LX_IN_IGNORED};
    struct inotify_watch *w = of_mark(m);

    inotify_queue(w->group, w->wd, &ignored);
    hash_remove(&w->group->watches, &w->by_wd);
}

static bool watch_event(struct notify_mark *m, const struct notify_event *e)
{
    struct inotify_watch *w = of_mark(m);

    inotify_queue(w->group, w->wd, e);
    /* An object's end takes the watch off anyway. */
    if (!(m->mask & LX_IN_ONESHOT) || (e->mask & (LX_IN_DELETE_SELF | LX_IN_UNMOUNT)))
        return false;
    forget_locked(m);
    return true;
}

static void watch_free(struct notify_mark *m)
{
    struct inotify_watch *w = of_mark(m);

    inotify_user_uncharge(w->user, INOTIFY_WATCH);
    inotify_user_put(w->user);
    free(w);
}

static const struct notify_ops watch_ops = {
    .event = watch_event, .gone = forget_locked, .free = watch_free};

static struct inotify_watch *find_locked(struct inotify *g, s32 wd)
{
    struct hash_node *n = hash_first(&g->watches, hash_u64((u64)wd));

    for (; n; n = hash_next(n)) {
        struct inotify_watch *w = container_of(n, struct inotify_watch, by_wd);

        if (w->wd == wd)
            return w;
    }
    return NULL;
}

/* on_inode_locked() - the instance's watch of an inode, or NULL. */
static struct inotify_watch *on_inode_locked(struct inotify *g, struct inode *ino)
{
    struct notify_mark *m = notify_first_locked(ino);

    for (; m; m = m->next)
        if (m->ops == &watch_ops && of_mark(m)->group == g)
            return of_mark(m);
    return NULL;
}

static s32 next_wd_locked(struct inotify *g)
{
    s32 wd;

    do {
        wd = g->next_wd;
        g->next_wd = wd == INT32_MAX ? 1 : wd + 1;
    } while (find_locked(g, wd));
    return wd;
}

/* watch_new() - one that is charged and on no inode. */
static int watch_new(struct inotify *g, u32 mask, struct inotify_watch **out)
{
    struct inotify_watch *w;

    if (!inotify_user_charge(g->user, INOTIFY_WATCH))
        return -ENOSPC;
    w = calloc(1, sizeof(*w));
    if (!w) {
        inotify_user_uncharge(g->user, INOTIFY_WATCH);
        return -ENOMEM;
    }
    w->mark.ops = &watch_ops;
    w->mark.mask = (mask & KEPT) | LX_IN_UNMOUNT;
    w->group = g;
    w->user = inotify_user_ref(g->user);
    *out = w;
    return 0;
}

/* change_locked() - add_watch of an inode that has one. Return: its number, -EEXIST. */
static int change_locked(struct inotify_watch *w, u32 mask)
{
    u32 fresh = (mask & KEPT) | LX_IN_UNMOUNT;

    if (mask & LX_IN_MASK_CREATE)
        return -EEXIST;
    if (mask & LX_IN_MASK_ADD)
        fresh |= w->mark.mask;
    notify_set_mask_locked(&w->mark, fresh);
    return w->wd;
}

/* try_change() - Return: as change_locked(), -ENOENT: there is no watch. */
static int try_change(struct inotify *g, struct inode *ino, u32 mask)
{
    struct inotify_watch *w;
    int wd;

    notify_lock();
    w = on_inode_locked(g, ino);
    wd = w ? change_locked(w, mask) : -ENOENT;
    notify_unlock();
    return wd;
}

int inotify_add(struct file *f, struct inode *ino, u32 mask)
{
    struct inotify *g = f->private;
    struct inotify_watch *w, *there;
    int wd = try_change(g, ino, mask);

    if (wd != -ENOENT)
        return wd;
    wd = watch_new(g, mask, &w);
    if (wd < 0)
        return wd;
    notify_lock();
    there = on_inode_locked(g, ino);
    if (there) {
        wd = change_locked(there, mask);
    } else {
        w->wd = wd = next_wd_locked(g);
        if (hash_insert(&g->watches, &w->by_wd, hash_u64((u64)wd)) < 0)
            wd = -ENOMEM;
        else
            notify_attach_locked(&w->mark, ino);
    }
    notify_unlock();
    if (there || wd < 0)
        watch_free(&w->mark);
    return wd;
}

int inotify_remove(struct file *f, s32 wd)
{
    struct inotify_watch *w;

    notify_lock();
    w = find_locked(f->private, wd);
    if (w) {
        forget_locked(&w->mark);
        notify_detach_locked(&w->mark);
    }
    notify_unlock();
    return w ? 0 : -EINVAL;
}

void inotify_free_watches(struct inotify *g)
{
    struct hash_node *n;
    u32 i;

    notify_lock();
    hash_for_each(&g->watches, i, n)
        notify_detach_locked(&container_of(n, struct inotify_watch, by_wd)->mark);
    hash_free(&g->watches);
    notify_unlock();
}

void inotify_for_each(struct file *f, void (*fn)(void *arg, s32 wd, struct inode *ino, u32 mask),
                      void *arg)
{
    struct inotify *g = f->private;
    struct hash_node *n;
    u32 i;

    notify_lock();
    hash_for_each(&g->watches, i, n) {
        struct inotify_watch *w = container_of(n, struct inotify_watch, by_wd);

        fn(arg, w->wd, w->mark.inode, w->mark.mask & LX_IN_ALL_EVENTS);
    }
    notify_unlock();
}

bool inotify_is(const struct file *f)
{
    return f->ops == &inotify_file_ops;
}

static struct inotify *inotify_new(const struct cred *cred)
{
    struct inotify *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->user = inotify_user_get(cred->uid);
    if (!g->user) {
        free(g);
        return NULL;
    }
    g->next_wd = 1;
    mutex_init(&g->lock, LOCK_PIPE);
    list_init(&g->events);
    waitq_init(&g->queue);
    return g;
}

static void inotify_drop(struct inotify *g)
{
    inotify_user_put(g->user);
    waitq_destroy(&g->queue);
    mutex_destroy(&g->lock);
    free(g);
}

int inotify_open(u32 flags, const struct cred *cred, struct file **out)
{
    struct inotify *g = inotify_new(cred);
    int rc;

    if (!g)
        return -ENOMEM;
    if (!inotify_user_charge(g->user, INOTIFY_INSTANCE)) {
        inotify_drop(g);
        return -EMFILE;
    }
    rc = file_new_anon(&inotify_file_ops, "anon_inode:inotify", 0600, cred,
                       LX_O_RDONLY | (flags & LX_IN_NONBLOCK), g, out);
    if (rc < 0) {
        inotify_user_uncharge(g->user, INOTIFY_INSTANCE);
        inotify_drop(g);
    }
    return rc;
}
