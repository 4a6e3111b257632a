/*
 * Locks on files. Record locks (POSIX and OFD) of an inode stand in one list and exclude each other
 * by owner; flock(2)'s stand in another. Both wait on the inode's queue and try again when anything
 * was unlocked.
 *
 * A cycle of waiting POSIX owners is found when one is about to sleep: each sleeper notes whom it
 * waits for in one table for the whole Sentry, and the chain is followed from there, ten steps as
 * on Linux. OFD and flock locks take no part, as on Linux. A note counts until its sleeper has the
 * lock, or anything of that inode is unlocked: then every sleeper of it tries, and notes, again.
 */
#include "fs/vfs/locks.h"

#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>

enum { DEADLOCK_STEPS = 10 };

struct file_lock {
    struct list_node node;
    enum file_lock_kind kind;
    const void *owner;
    struct file_lock_range range;
};

struct file_locks {
    struct waitq wait;
    struct inode *inode;  /* borrowed: whose they are */
    struct list_node all; /* in `tables` */
    struct mutex lock;
    struct list_node records, flocks; /* guarded by lock */
    u32 released;                     /* how often a record lock went or became weaker; atomic */
};

static atomic_uint nlocks; /* of the whole Sentry */

static struct mutex tables_lock = MUTEX_INIT(FILE_LOCK_TABLES);
static struct list_node tables = LIST_INIT(tables); /* guarded by tables_lock */

/* --- who waits for whom --- */

struct lock_waiter {
    struct hash_node by_owner;
    const void *owner, *blocker;
    struct file_locks *locks; /* borrowed: where it waits */
    u32 released;             /* of locks, when it was noted */
    bool listed;              /* changed by its own thread only */
};

static struct mutex waiters_lock = MUTEX_INIT(FILE_LOCK_WAITERS);
static struct hash waiters; /* guarded by waiters_lock */

/* waiter_of() - what owner waits for, if it still may. */
static struct lock_waiter *waiter_of(const void *owner)
{
    struct hash_node *n = hash_first(&waiters, hash_u64((u64)(uintptr_t)owner));

    for (; n; n = hash_next(n)) {
        struct lock_waiter *w = container_of(n, struct lock_waiter, by_owner);

        if (w->owner == owner &&
            w->released == __atomic_load_n(&w->locks->released, __ATOMIC_ACQUIRE))
            return w;
    }
    return NULL;
}

static void waiter_forget(struct lock_waiter *w)
{
    if (!w->listed)
        return;
    mutex_lock(&waiters_lock);
    hash_remove(&waiters, &w->by_owner);
    w->listed = false;
    mutex_unlock(&waiters_lock);
}

/* waiter_note() - owner waits for blocker now. Return: 0, -EDEADLK: blocker waits for owner.
 * Locks: w->locks->lock is held. */
static int waiter_note(struct lock_waiter *w, const void *blocker)
{
    const void *b = blocker;
    int err = 0;

    mutex_lock(&waiters_lock);
    for (u32 i = 0; i < DEADLOCK_STEPS && !err; i++) {
        struct lock_waiter *next = waiter_of(b);

        if (!next)
            break;
        b = next->blocker;
        if (b == w->owner)
            err = -EDEADLK;
    }
    w->blocker = blocker;
    w->released = __atomic_load_n(&w->locks->released, __ATOMIC_RELAXED);
    if (!err && !w->listed)
        w->listed = hash_insert(&waiters, &w->by_owner, hash_u64((u64)(uintptr_t)w->owner)) == 0;
    mutex_unlock(&waiters_lock);
    return err;
}

/* --- the lists --- */

/* locks_of() - the inode's lists, made at the first lock; NULL: out of memory, or none yet. */
static struct file_locks *locks_of(struct inode *ino, bool make)
{
    struct file_locks *l = __atomic_load_n(&ino->locks, __ATOMIC_ACQUIRE), *fresh;

    if (l || !make)
        return l;
    fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return NULL;
    waitq_init(&fresh->wait);
    mutex_init(&fresh->lock, LOCK_FILE_LOCKS);
    list_init(&fresh->records);
    list_init(&fresh->flocks);
    list_init(&fresh->all);
    fresh->inode = ino;
    if (!__atomic_compare_exchange_n(&ino->locks, &l, fresh, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        file_locks_free(fresh);
        return l;
    }
    mutex_lock(&tables_lock);
    list_add_tail(&tables, &fresh->all);
    mutex_unlock(&tables_lock);
    return fresh;
}

static struct file_lock *lock_alloc(void)
{
    struct file_lock *k;

    if (atomic_fetch_add_explicit(&nlocks, 1, memory_order_relaxed) >= LIMIT_FILE_LOCKS) {
        atomic_fetch_sub_explicit(&nlocks, 1, memory_order_relaxed);
        return NULL;
    }
    k = calloc(1, sizeof(*k));
    if (!k) {
        atomic_fetch_sub_explicit(&nlocks, 1, memory_order_relaxed);
        return NULL;
    }
    list_init(&k->node);
    return k;
}

static void lock_free(struct file_lock *k)
{
    if (!k)
        return;
    list_del(&k->node);
    free(k);
    atomic_fetch_sub_explicit(&nlocks, 1, memory_order_relaxed);
}

void file_locks_free(struct file_locks *l)
{
    struct file_lock *k, *tmp;

    if (!l)
        return;
    mutex_lock(&tables_lock);
    list_del(&l->all);
    mutex_unlock(&tables_lock);
    list_for_each_safe(k, tmp, &l->records, node)
        lock_free(k);
    list_for_each_safe(k, tmp, &l->flocks, node)
        lock_free(k);
    mutex_destroy(&l->lock);
    waitq_destroy(&l->wait);
    free(l);
}

static bool overlap(const struct file_lock_range *a, const struct file_lock_range *b)
{
    return a->start <= b->end && b->start <= a->end;
}

/* conflict() - the first lock of another owner that is in the way, or NULL. */
static struct file_lock *conflict(struct list_node *list, const void *owner,
                                  const struct file_lock_range *r)
{
    struct file_lock *k;

    list_for_each(k, list, node)
        if (k->owner != owner && overlap(&k->range, r) &&
            (k->range.type == LX_F_WRLCK || r->type == LX_F_WRLCK))
            return k;
    return NULL;
}

/* A request, with what it may need prepared. */
struct lock_request {
    struct file_locks *locks;
    enum file_lock_kind kind;
    const void *owner;
    struct file_lock_range range;
    struct file_lock *fresh, *split; /* owned until used */
    struct lock_waiter waiter;
    bool wait;
    int err;
};

/* carve() - take r out of k. A part behind r goes to the spare `split`. */
static void carve(struct file_lock *k, const struct file_lock_range *r, struct file_lock **split)
{
    bool left = k->range.start<r->start, right = k->range.end> r->end;

    if (!left && !right) {
        lock_free(k);
    } else if (left && right) {
        struct file_lock *rest = *split;

        *split = NULL;
        rest->kind = k->kind;
        rest->owner = k->owner;
        rest->range = k->range;
        rest->range.start = r->end + 1;
        k->range.end = r->start - 1;
        list_add(&k->node, &rest->node);
    } else if (left) {
        k->range.end = r->start - 1;
    } else {
        k->range.start = r->end + 1;
    }
}

/* touches() - would two locks of one type be one? */
static bool touches(const struct file_lock_range *a, const struct file_lock_range *b)
{
    return overlap(a, b) || (a->end != INT64_MAX && a->end + 1 == b->start) ||
           (b->end != INT64_MAX && b->end + 1 == a->start);
}

/* apply_locked() - nothing is in the way: the owner's locks become what the request says. */
static void apply_locked(struct lock_request *q)
{
    struct file_lock_range r = q->range;
    struct file_lock *k, *tmp;

    list_for_each_safe(k, tmp, &q->locks->records, node) {
        if (k->owner != q->owner || k->kind != q->kind)
            continue;
        if (r.type != LX_F_UNLCK && k->range.type == r.type && touches(&k->range, &r)) {
            r.start = min_of(r.start, k->range.start);
            r.end = max_of(r.end, k->range.end);
            lock_free(k);
        } else if (overlap(&k->range, &r)) {
            carve(k, &r, &q->split);
        }
    }
    if (r.type == LX_F_UNLCK)
        return;
    k = q->fresh;
    q->fresh = NULL;
    k->kind = q->kind;
    k->owner = q->owner;
    k->range = r;
    list_add_tail(&q->locks->records, &k->node);
}

/* record_try() - Return: true: decided, see q->err. */
static bool record_try(struct lock_request *q)
{
    struct file_lock *in_way = NULL;

    mutex_lock(&q->locks->lock);
    if (q->range.type != LX_F_UNLCK)
        in_way = conflict(&q->locks->records, q->owner, &q->range);
    q->err = 0;
    if (!in_way) {
        apply_locked(q);
        waiter_forget(&q->waiter);
        if (q->range.type != LX_F_WRLCK)
            __atomic_fetch_add(&q->locks->released, 1, __ATOMIC_RELEASE);
    } else if (!q->wait) {
        q->err = -EAGAIN;
    } else if (q->kind == FILE_LOCK_POSIX && in_way->kind == FILE_LOCK_POSIX) {
        q->err = waiter_note(&q->waiter, in_way->owner);
    }
    mutex_unlock(&q->locks->lock);
    return !in_way || q->err;
}

static struct file_lock *flock_of(struct file_locks *l, const void *owner)
{
    struct file_lock *k;

    list_for_each(k, &l->flocks, node)
        if (k->owner == owner)
            return k;
    return NULL;
}

/* flock_try() - as record_try(). A change of kind drops the old lock first (flock(2)). */
static bool flock_try(struct lock_request *q)
{
    struct file_lock *own, *in_way = NULL;
    bool freed = false;

    mutex_lock(&q->locks->lock);
    q->err = 0;
    own = flock_of(q->locks, q->owner);
    if (own && own->range.type == q->range.type) {
        mutex_unlock(&q->locks->lock);
        return true;
    }
    freed = own != NULL;
    lock_free(own);
    if (q->range.type != LX_F_UNLCK)
        in_way = conflict(&q->locks->flocks, q->owner, &q->range);
    if (in_way) {
        q->err = q->wait ? 0 : -EAGAIN;
    } else if (q->range.type != LX_F_UNLCK) {
        q->fresh->kind = q->kind;
        q->fresh->owner = q->owner;
        q->fresh->range = q->range;
        list_add_tail(&q->locks->flocks, &q->fresh->node);
        q->fresh = NULL;
    }
    mutex_unlock(&q->locks->lock);
    if (freed)
        waitq_wake_all(&q->locks->wait, LX_POLLIN);
    return !in_way || q->err;
}

static bool lock_try(struct lock_request *q)
{
    return q->kind == FILE_LOCK_FLOCK ? flock_try(q) : record_try(q);
}

int file_lock_set(struct file *f, enum file_lock_kind kind, const void *owner,
                  const struct file_lock_range *range, bool wait)
{
    bool unlock = range->type == LX_F_UNLCK;
    struct lock_request q = {
        .locks = locks_of(f->inode, !unlock), .kind = kind, .range = *range, .wait = wait};
    int err = 0;

    q.owner = q.waiter.owner = kind == FILE_LOCK_POSIX ? owner : f;
    q.waiter.locks = q.locks;
    if (!q.locks)
        return unlock ? 0 : -ENOMEM;
    q.fresh = lock_alloc();
    q.split = lock_alloc();
    /* Unlocking needs room only to split a lock. */
    if (!q.split || !q.fresh) {
        lock_free(q.fresh);
        lock_free(q.split);
        return -ENOLCK;
    }
    if (!lock_try(&q))
        err = wait_event(&q.locks->wait, LX_POLLIN, DEADLINE_NEVER, lock_try(&q));
    if (!err)
        err = q.err;
    waiter_forget(&q.waiter); /* interrupted, or refused */
    lock_free(q.fresh);
    lock_free(q.split);
    /* A lock that became weaker or went lets others in. */
    if (!err && kind != FILE_LOCK_FLOCK && range->type != LX_F_WRLCK)
        waitq_wake_all(&q.locks->wait, LX_POLLIN);
    return err;
}

int file_lock_test(struct file *f, enum file_lock_kind kind, const void *owner,
                   struct file_lock_range *range)
{
    struct file_locks *l = locks_of(f->inode, false);
    struct file_lock *k = NULL;

    if (l) {
        mutex_lock(&l->lock);
        k = conflict(&l->records, kind == FILE_LOCK_POSIX ? owner : f, range);
        if (k) {
            *range = k->range;
            if (k->kind == FILE_LOCK_OFD)
                range->pid = -1;
        }
        mutex_unlock(&l->lock);
    }
    if (!k)
        range->type = LX_F_UNLCK;
    return 0;
}

int file_lock_range(struct file *f, const struct lx_flock *fl, struct file_lock_range *out)
{
    s64 start = fl->start, base = 0, end;
    struct attr attr;
    int err;

    switch (fl->whence) {
    case LX_SEEK_SET: break;
    case LX_SEEK_CUR:
        mutex_lock(&f->pos_lock);
        base = f->pos;
        mutex_unlock(&f->pos_lock);
        break;
    case LX_SEEK_END:
        err = vfs_getattr(&f->path, &attr);
        if (err < 0)
            return err;
        base = (s64)attr.size;
        break;
    default: return -EINVAL;
    }
    if (fl->type != LX_F_RDLCK && fl->type != LX_F_WRLCK && fl->type != LX_F_UNLCK)
        return -EINVAL;
    if (__builtin_add_overflow(base, start, &start))
        return -EOVERFLOW;
    end = INT64_MAX;
    if (fl->len > 0 && __builtin_add_overflow(start, fl->len - 1, &end))
        return -EOVERFLOW;
    if (fl->len < 0) {
        end = start - 1;
        start += fl->len;
    }
    if (start < 0)
        return -EINVAL;
    *out = (struct file_lock_range){(u8)fl->type, (u64)start, (u64)end, fl->pid};
    return 0;
}

/* drop_owned() - every lock of the owner and kind. Return: whether there was one. */
static bool drop_owned(struct list_node *list, const void *owner, enum file_lock_kind kind)
{
    struct file_lock *k, *tmp;
    bool any = false;

    list_for_each_safe(k, tmp, list, node) {
        if (k->owner != owner || k->kind != kind)
            continue;
        lock_free(k);
        any = true;
    }
    return any;
}

void file_locks_close(struct file *f, const void *owner)
{
    struct file_locks *l = locks_of(f->inode, false);
    bool any;

    if (likely(!l))
        return;
    mutex_lock(&l->lock);
    any = drop_owned(&l->records, owner, FILE_LOCK_POSIX);
    if (any)
        __atomic_fetch_add(&l->released, 1, __ATOMIC_RELEASE);
    mutex_unlock(&l->lock);
    if (any)
        waitq_wake_all(&l->wait, LX_POLLIN);
}

void file_locks_release(struct file *f)
{
    struct file_locks *l = locks_of(f->inode, false);
    bool any;

    if (!l)
        return;
    mutex_lock(&l->lock);
    any = drop_owned(&l->records, f, FILE_LOCK_OFD);
    any |= drop_owned(&l->flocks, f, FILE_LOCK_FLOCK);
    mutex_unlock(&l->lock);
    if (any)
        waitq_wake_all(&l->wait, LX_POLLIN);
}

/* --- /proc/locks --- */

/* Locks as they are gathered. */
struct gathering {
    struct file_lock_info *info;
    u32 n, cap;
};

static void gather(struct gathering *g, const struct inode *ino, struct list_node *list)
{
    struct file_lock *k;

    list_for_each(k, list, node) {
        if (g->n == g->cap)
            return;
        g->info[g->n++] = (struct file_lock_info){.kind = k->kind,
                                                  .range = k->range,
                                                  .dev_major = ino->super->dev_major,
                                                  .dev_minor = ino->super->dev_minor,
                                                  .ino = ino->ino};
    }
}

int file_locks_list(struct file_lock_info **out, u32 *n)
{
    struct gathering g = {.cap = atomic_load(&nlocks)};
    struct file_locks *l;

    g.info = calloc(g.cap + 1, sizeof(*g.info));
    if (!g.info)
        return -ENOMEM;
    mutex_lock(&tables_lock);
    list_for_each(l, &tables, all) {
        mutex_lock(&l->lock);
        gather(&g, l->inode, &l->flocks);
        gather(&g, l->inode, &l->records);
        mutex_unlock(&l->lock);
    }
    mutex_unlock(&tables_lock);
    *out = g.info;
    *n = g.n;
    return 0;
}
