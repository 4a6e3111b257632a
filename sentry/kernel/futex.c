/*
 * Futexes. A sleeper stands in the bucket of its key: (address space, address) for private ones,
 * (file, offset) for shared ones.
 *
 * Guest memory is never touched under a bucket's lock. A waiter queues itself first and then reads
 * the word: a waker changes the word before it looks into the bucket, so either the waiter sees the
 * new value (and leaves the queue with EAGAIN, unless it has been woken meanwhile, which then counts
 * as its wake-up), or the waker finds it queued. Linux reads the word under the lock; the difference
 * can't be seen but as a wake-up that finds one waiter more, which then returns 0.
 */
#include "sentry/kernel/futex.h"

#include "sentry/base/hash.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS = 256, PRIVATE_KEY = 1 };

struct futex_waiter {
    struct list_node node; /* unlinked: woken */
    struct futex_key key;  /* and below: guarded by the lock of `bucket` */
    u32 bitset;
    bool woken;
    struct sleeper *sleeper;
    _Atomic(struct bucket *) bucket; /* changes at requeue */
};

struct bucket {
    struct mutex lock;
    struct list_node waiters; /* in order of arrival */
};

static struct bucket buckets[BUCKETS];
static atomic_uint waiters;

__attribute__((constructor)) static void init_buckets(void)
{
    for (u32 i = 0; i < BUCKETS; i++) {
        mutex_init(&buckets[i].lock, LOCK_FUTEX);
        list_init(&buckets[i].waiters);
    }
}

static struct bucket *bucket_of(const struct futex_key *key)
{
    return &buckets[hash_bytes(key, sizeof(*key), 0) % BUCKETS];
}

static bool same_key(const struct futex_key *a, const struct futex_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static int get_key(struct mm *mm, uaddr_t uaddr, bool shared, struct futex_key *key)
{
    if (uaddr & 3)
        return -EINVAL;
    if (uaddr >= PLAT_TASK_SIZE)
        return -EFAULT;
    if (shared)
        return mm_futex_key(mm, uaddr, true, key);
    /* Linux tells a private futex from a shared one on the same private memory. */
    *key = (struct futex_key){{mm->obj.id, uaddr, PRIVATE_KEY}};
    return 0;
}

/* lock_waiter() - the lock of the bucket that the waiter is in now. */
static struct bucket *lock_waiter(struct futex_waiter *w)
{
    for (;;) {
        struct bucket *b = atomic_load(&w->bucket);

        mutex_lock(&b->lock);
        if (b == atomic_load(&w->bucket))
            return b;
        mutex_unlock(&b->lock);
    }
}

/* unqueue() - leave the queue. Return: was it woken before? */
static bool unqueue(struct futex_waiter *w)
{
    struct bucket *b = lock_waiter(w);
    bool woken = w->woken;

    list_del(&w->node);
    mutex_unlock(&b->lock);
    atomic_fetch_sub(&waiters, 1);
    return woken;
}

int futex_wait(struct task *t, uaddr_t uaddr, u32 val, u32 bitset, bool shared, u64 deadline)
{
    struct futex_waiter w = {.bitset = bitset, .sleeper = &t->sleeper};
    struct bucket *b;
    u32 now;
    int err;

    if (!bitset)
        return -EINVAL;
    err = get_key(t->mm, uaddr, shared, &w.key);
    if (err < 0)
        return err;
    if (atomic_fetch_add(&waiters, 1) >= LIMIT_FUTEX_WAITERS) {
        atomic_fetch_sub(&waiters, 1);
        return -ENOMEM;
    }
    b = bucket_of(&w.key);
    atomic_init(&w.bucket, b);
    sleeper_arm(&t->sleeper);
    mutex_lock(&b->lock);
    list_add_tail(&b->waiters, &w.node);
    mutex_unlock(&b->lock);
    err = usermem_get(t->mm, &now, uaddr);
    if (!err && now != val)
        err = -EAGAIN;
    while (!err && !__atomic_load_n(&w.woken, __ATOMIC_ACQUIRE)) {
        err = sleeper_sleep(&t->sleeper, deadline);
        if (!err && !__atomic_load_n(&w.woken, __ATOMIC_ACQUIRE))
            sleeper_arm(&t->sleeper); /* a stray wake-up: sleep on, unless it has come now */
    }
    return unqueue(&w) ? 0 : err;
}

static void wake_waiter(struct futex_waiter *w)
{
    struct sleeper *s = w->sleeper;

    list_del(&w->node);
    __atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
    sleeper_wake(s); /* under the bucket's lock, which unqueue() takes: the waiter is still there */
}

/* wake_locked() - Return: how many sleepers of `key` were woken, at most n. */
static s64 wake_locked(struct bucket *b, const struct futex_key *key, s32 n, u32 bitset)
{
    struct futex_waiter *w, *tmp;
    s64 woken = 0;

    list_for_each_safe(w, tmp, &b->waiters, node) {
        if (woken >= n)
            break;
        if (!same_key(&w->key, key) || !(w->bitset & bitset))
            continue;
        wake_waiter(w);
        woken++;
    }
    return woken;
}

s64 futex_wake(struct mm *mm, uaddr_t uaddr, s32 n, u32 bitset, bool shared)
{
    struct futex_key key;
    struct bucket *b;
    s64 woken;
    int err;

    if (!bitset)
        return -EINVAL;
    err = get_key(mm, uaddr, shared, &key);
    if (err < 0)
        return err;
    b = bucket_of(&key);
    mutex_lock(&b->lock);
    woken = wake_locked(b, &key, max_of(n, 1), bitset);
    mutex_unlock(&b->lock);
    return woken;
}

/* move_locked() - put up to n sleepers of `from` under `to`. Both buckets locked. */
static s64 move_locked(struct bucket *b1, const struct futex_key *from, struct bucket *b2,
                       const struct futex_key *to, s32 n)
{
    struct futex_waiter *w, *tmp;
    struct list_node moving;
    s64 moved = 0;

    list_init(&moving);
    list_for_each_safe(w, tmp, &b1->waiters, node) {
        if (moved >= n)
            break;
        if (!same_key(&w->key, from))
            continue;
        list_del(&w->node);
        w->key = *to;
        atomic_store(&w->bucket, b2);
        list_add_tail(&moving, &w->node);
        moved++;
    }
    list_splice_tail(&b2->waiters, &moving);
    return moved;
}

s64 futex_requeue(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                  bool shared, bool cmp, u32 val)
{
    struct futex_key key, key2;
    struct bucket *b, *b2;
    s64 woken, moved;
    u32 now;
    int err;

    if (wake < 0 || requeue < 0)
        return -EINVAL;
    err = get_key(t->mm, uaddr, shared, &key);
    if (!err)
        err = get_key(t->mm, uaddr2, shared, &key2);
    if (!err && cmp)
        err = usermem_get(t->mm, &now, uaddr);
    if (err < 0)
        return err;
    if (cmp && now != val)
        return -EAGAIN;
    b = bucket_of(&key);
    b2 = bucket_of(&key2);
    mutex_lock_two(&b->lock, &b2->lock);
    woken = wake_locked(b, &key, wake, FUTEX_MATCH_ANY);
    moved = same_key(&key, &key2) ? 0 : move_locked(b, &key, b2, &key2, requeue);
    mutex_unlock_two(&b->lock, &b2->lock);
    return woken + moved;
}

/* The operation of FUTEX_WAKE_OP: op in bits 28-31 (8: shift), cmp in 24-27, oparg, cmparg. */
struct wake_op {
    u32 op, cmp;
    s32 oparg, cmparg;
};

static int decode_wake_op(u32 v, struct wake_op *o)
{
    o->op = (v >> 28) & 7;
    o->cmp = (v >> 24) & 15;
    o->oparg = (s32)(v << 8) >> 20;
    o->cmparg = (s32)(v << 20) >> 20;
    if (v >> 31)
        o->oparg = (s32)(1u << (o->oparg & 31));
    return o->op > 4 || o->cmp > 5 ? -ENOSYS : 0;
}

static bool compare(const struct wake_op *o, s32 old)
{
    switch (o->cmp) {
    case 0:
        return old == o->cmparg;
    case 1:
        return old != o->cmparg;
    case 2:
        return old < o->cmparg;
    case 3:
        return old <= o->cmparg;
    case 4:
        return old > o->cmparg;
    default:
        return old >= o->cmparg;
    }
}

s64 futex_wake_op(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 wake2, u32 op,
                  bool shared)
{
    static const enum plat_atomic_op atomics[] = {PLAT_ATOMIC_XCHG, PLAT_ATOMIC_ADD,
                                                  PLAT_ATOMIC_OR, PLAT_ATOMIC_ANDN,
                                                  PLAT_ATOMIC_XOR};
    struct futex_key key, key2;
    struct wake_op o = {0};
    s64 woken;
    u32 old;
    int err;

    err = get_key(t->mm, uaddr, shared, &key);
    if (!err)
        err = get_key(t->mm, uaddr2, shared, &key2);
    if (!err)
        err = decode_wake_op(op, &o);
    if (!err)
        err = t->mm->platform->atomic(t->thread, uaddr2, atomics[o.op], (u32)o.oparg, 0, &old);
    if (err < 0)
        return err;
    woken = futex_wake(t->mm, uaddr, wake, FUTEX_MATCH_ANY, shared);
    if (woken >= 0 && compare(&o, (s32)old)) {
        s64 more = futex_wake(t->mm, uaddr2, wake2, FUTEX_MATCH_ANY, shared);

        woken = more < 0 ? more : woken + more;
    }
    return woken;
}
