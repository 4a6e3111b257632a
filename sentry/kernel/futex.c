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
#include "sentry/base/hash.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/futex_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, PRIVATE_KEY = 1 };

static struct bucket buckets[BUCKETS];
static atomic_uint waiters;

__attribute__((constructor)) static void init_buckets(void)
{
    for (u32 i = 0; i < BUCKETS; i++) {
        mutex_init(&buckets[i].lock, LOCK_FUTEX);
        list_init(&buckets[i].waiters);
    }
}

struct bucket *futex_bucket(const struct futex_key *key)
{
    return &buckets[hash_bytes(key, sizeof(*key), 0) % BUCKETS];
}

bool futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

int futex_key(struct mm *mm, uaddr_t uaddr, bool shared, struct futex_key *key)
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

struct bucket *futex_lock_waiter(struct futex_waiter *w)
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
    struct bucket *b = futex_lock_waiter(w);
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
    err = futex_key(t->mm, uaddr, shared, &w.key);
    if (err < 0)
        return err;
    if (atomic_fetch_add(&waiters, 1) >= LIMIT_FUTEX_WAITERS) {
        atomic_fetch_sub(&waiters, 1);
        return -ENOMEM;
    }
    b = futex_bucket(&w.key);
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

/* queue_all() - a waiter for each word. Return: 0, -EINVAL, -EFAULT: none is queued. */
static int queue_all(struct task *t, const struct futex_word *words, struct futex_waiter *ws, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        int err = futex_key(t->mm, words[i].uaddr, words[i].shared, &ws[i].key);

        if (err < 0)
            return err;
        ws[i].bitset = FUTEX_MATCH_ANY;
        ws[i].sleeper = &t->sleeper;
        atomic_init(&ws[i].bucket, futex_bucket(&ws[i].key));
    }
    sleeper_arm(&t->sleeper);
    for (u32 i = 0; i < n; i++) {
        struct bucket *b = atomic_load(&ws[i].bucket);

        mutex_lock(&b->lock);
        list_add_tail(&b->waiters, &ws[i].node);
        mutex_unlock(&b->lock);
    }
    return 0;
}

static bool any_woken(const struct futex_waiter *ws, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (__atomic_load_n(&ws[i].woken, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* check_values() - Return: 0: every word is as expected, -EAGAIN, -EFAULT. */
static int check_values(struct task *t, const struct futex_word *words, u32 n)
{
    u32 now;

    for (u32 i = 0; i < n; i++) {
        int err = usermem_get(t->mm, &now, words[i].uaddr);

        if (err < 0)
            return err;
        if (now != words[i].val)
            return -EAGAIN;
    }
    return 0;
}

int futex_wait_any(struct task *t, const struct futex_word *words, u32 n, u64 deadline)
{
    struct futex_waiter *ws;
    int err, woken = -1;

    if (atomic_fetch_add(&waiters, n) > LIMIT_FUTEX_WAITERS - n) {
        atomic_fetch_sub(&waiters, n);
        return -ENOMEM;
    }
    ws = calloc(n, sizeof(*ws));
    err = ws ? queue_all(t, words, ws, n) : -ENOMEM;
    if (err < 0) {
        atomic_fetch_sub(&waiters, n);
        free(ws);
        return err;
    }
    err = check_values(t, words, n);
    while (!err && !any_woken(ws, n)) {
        err = sleeper_sleep(&t->sleeper, deadline);
        if (!err && !any_woken(ws, n))
            sleeper_arm(&t->sleeper);
    }
    for (u32 i = 0; i < n; i++)
        if (unqueue(&ws[i]))
            woken = (int)i;
    free(ws);
    return woken >= 0 ? woken : err;
}

static void wake_waiter(struct futex_waiter *w)
{
    struct sleeper *s = w->sleeper;

    list_del(&w->node);
    __atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
    sleeper_wake(s); /* under the bucket's lock, which unqueue() takes: the waiter is still there */
}

bool futex_has_ordinary(const struct futex_key *key)
{
    struct bucket *b = futex_bucket(key);
    struct futex_waiter *w;
    bool has = false;

    mutex_lock(&b->lock);
    list_for_each(w, &b->waiters, node)
        has = has || (futex_same_key(&w->key, key) && !w->pi);
    mutex_unlock(&b->lock);
    return has;
}

/* wake_locked() - Return: how many sleepers of `key` were woken, at most n; -EINVAL if one of them
 * waits for an owner. */
static s64 wake_locked(struct bucket *b, const struct futex_key *key, s32 n, u32 bitset)
{
    struct futex_waiter *w, *tmp;
    s64 woken = 0;

    list_for_each_safe(w, tmp, &b->waiters, node) {
        if (woken >= n)
            break;
        if (!futex_same_key(&w->key, key) || !(w->bitset & bitset))
            continue;
        if (w->pi)
            return -EINVAL;
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
    err = futex_key(mm, uaddr, shared, &key);
    if (err < 0)
        return err;
    if (unlikely(futex_pi_waits(&key)))
        return -EINVAL;
    b = futex_bucket(&key);
    mutex_lock(&b->lock);
    woken = wake_locked(b, &key, n, bitset);
    mutex_unlock(&b->lock);
    return woken;
}

/* move_locked() - put up to n sleepers of `from` under `to`. Both buckets locked. Return: how many,
 * -EINVAL if one of them waits to be moved to an owner. */
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
        if (!futex_same_key(&w->key, from))
            continue;
        if (w->pi) {
            moved = -EINVAL;
            break;
        }
        list_del(&w->node);
        w->key = *to;
        atomic_store(&w->bucket, b2);
        list_add_tail(&moving, &w->node);
        moved++;
    }
    list_splice_tail(&b2->waiters, &moving);
    return moved;
}

/* requeue_keys() - wake some sleepers of one key and move others to the other. */
static s64 requeue_keys(const struct futex_key *key, const struct futex_key *key2, s32 wake,
                        s32 requeue)
{
    struct bucket *b = futex_bucket(key), *b2 = futex_bucket(key2);
    s64 woken, moved = 0;

    mutex_lock_two(&b->lock, &b2->lock);
    woken = wake_locked(b, key, wake, FUTEX_MATCH_ANY);
    if (woken >= 0 && !futex_same_key(key, key2))
        moved = move_locked(b, key, b2, key2, requeue);
    mutex_unlock_two(&b->lock, &b2->lock);
    return woken < 0 || moved < 0 ? -EINVAL : woken + moved;
}

/* requeue_from() - from one word to another; `cmp`: if the first has its value. */
static s64 requeue_from(struct task *t, const struct futex_word *from, const struct futex_word *to,
                        s32 wake, s32 requeue, bool cmp)
{
    struct futex_key key, key2;
    u32 now;
    int err;

    if (wake < 0 || requeue < 0)
        return -EINVAL;
    err = futex_key(t->mm, from->uaddr, from->shared, &key);
    if (!err)
        err = futex_key(t->mm, to->uaddr, to->shared, &key2);
    if (!err && cmp)
        err = usermem_get(t->mm, &now, from->uaddr);
    if (!err && cmp && now != from->val)
        err = -EAGAIN;
    return err < 0 ? err : requeue_keys(&key, &key2, wake, requeue);
}

s64 futex_requeue(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                  bool shared, bool cmp, u32 val)
{
    const struct futex_word from = {uaddr, val, shared}, to = {uaddr2, 0, shared};

    return requeue_from(t, &from, &to, wake, requeue, cmp);
}

s64 futex_requeue_words(struct task *t, const struct futex_word *words, s32 wake, s32 requeue)
{
    return requeue_from(t, &words[0], &words[1], wake, requeue, true);
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

    err = futex_key(t->mm, uaddr, shared, &key);
    if (!err)
        err = futex_key(t->mm, uaddr2, shared, &key2);
    if (!err)
        err = decode_wake_op(op, &o);
    if (!err)
        err = t->mm->platform->atomic(t->thread, uaddr2, atomics[o.op], (u32)o.oparg, 0, &old);
    if (err < 0)
        return err;
    woken = futex_wake(t->mm, uaddr, max_of(wake, 1), FUTEX_MATCH_ANY, shared);
    if (woken >= 0 && compare(&o, (s32)old)) {
        s64 more = futex_wake(t->mm, uaddr2, max_of(wake2, 1), FUTEX_MATCH_ANY, shared);

        woken = more < 0 ? more : woken + more;
    }
    return woken;
}
