/*
 * Futexes with an owner (futex(2), "Priority-inheritance futexes"). The guest's word holds the
 * owner's tid and a bit that somebody waits; while somebody waits there is a struct pi_futex, with
 * the owner and the waiters, the one of the highest real-time priority first. Nothing here schedules,
 * so priorities order the waiters and are not lent to the owner.
 *
 * Linux changes word and queue under one lock; here guest memory is not touched under a lock. In its
 * place a pi_futex has one operation at a time (`busy`), which others wait for asleep. Queue and
 * owner change under the PI lock, and can change in three ways without `busy`: a waiter gives up, a
 * task dies and what it owned goes to the first waiter, which then writes the word itself (`fix`),
 * and an owner dies for whom nobody waits yet. So what was seen before a guest access is looked at
 * again after it.
 *
 * A waiter that was granted the futex is its owner from that moment, also if it was just giving up.
 *
 * Lock: the PI lock (FUTEX_PI), under a bucket's.
 */
#include "sentry/base/hash.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/futex_priv.h"

#include <errno.h>
#include <stdlib.h>

enum { CHAIN_MAX = 1024 }; /* Linux's max_lock_depth */

struct pi_futex {
    struct hash_node node;
    struct futex_key key;
    u32 users;               /* operations and waiters; the last one frees it */
    bool busy;
    bool fixing;             /* the owner has still to write the word */
    struct task *owner;      /* borrowed: leaves when it exits; NULL: not known */
    struct list_node held;   /* owner->pi_held */
    struct list_node waiters;
    struct waitq queue;      /* who wants to be `busy` */
};

static struct mutex lock = MUTEX_INIT(FUTEX_PI);
static struct hash by_key; /* and every pi_futex: guarded by lock */
static atomic_uint count;

/* --- finding, entering, leaving --- */

static struct pi_futex *find_locked(const struct futex_key *key)
{
    struct hash_node *n = hash_first(&by_key, hash_bytes(key, sizeof(*key), 0));

    for (; n; n = hash_next(n)) {
        struct pi_futex *pf = container_of(n, struct pi_futex, node);

        if (futex_same_key(&pf->key, key))
            return pf;
    }
    return NULL;
}

bool futex_pi_waits(const struct futex_key *key)
{
    struct pi_futex *pf;
    bool waits;

    if (!atomic_load(&count))
        return false;
    mutex_lock(&lock);
    pf = find_locked(key);
    waits = pf && !list_empty(&pf->waiters);
    mutex_unlock(&lock);
    return waits;
}

static struct pi_futex *new_locked(const struct futex_key *key)
{
    struct pi_futex *pf = calloc(1, sizeof(*pf));

    if (!pf || hash_insert(&by_key, &pf->node, hash_bytes(key, sizeof(*key), 0)) < 0) {
        free(pf);
        return NULL;
    }
    pf->key = *key;
    list_init(&pf->held);
    list_init(&pf->waiters);
    waitq_init(&pf->queue);
    atomic_fetch_add(&count, 1);
    return pf;
}

static void set_owner_locked(struct pi_futex *pf, struct task *t)
{
    pf->owner = t;
    list_del(&pf->held);
    if (t)
        list_add_tail(&t->pi_held, &pf->held);
}

/* settle_locked() - an owner for whom nobody waits is known by the word alone. */
static void settle_locked(struct pi_futex *pf)
{
    if (list_empty(&pf->waiters) && !pf->fixing)
        set_owner_locked(pf, NULL);
}

static void drop_locked(struct pi_futex *pf)
{
    if (--pf->users)
        return;
    set_owner_locked(pf, NULL);
    hash_remove(&by_key, &pf->node);
    waitq_destroy(&pf->queue);
    free(pf);
    atomic_fetch_sub(&count, 1);
}

static bool try_claim(struct pi_futex *pf)
{
    bool mine;

    mutex_lock(&lock);
    mine = !pf->busy;
    pf->busy = true;
    mutex_unlock(&lock);
    return mine;
}

/* claim() - be the one operation. Return: 0, -ERESTARTNOINTR: the caller is being killed. */
static int claim(struct pi_futex *pf)
{
    int rc = wait_event_killable(&pf->queue, 0, DEADLINE_NEVER, try_claim(pf));

    return rc < 0 ? -ERESTARTNOINTR : 0;
}

static void unclaim(struct pi_futex *pf)
{
    mutex_lock(&lock);
    pf->busy = false;
    waitq_wake_all(&pf->queue, 0);
    mutex_unlock(&lock);
}

/* enter() - find or make, and claim. Return: 0, -ENOMEM, -ERESTARTNOINTR. */
static int enter(const struct futex_key *key, struct pi_futex **out)
{
    struct pi_futex *pf;
    int err;

    mutex_lock(&lock);
    pf = find_locked(key);
    if (!pf)
        pf = new_locked(key);
    if (pf)
        pf->users++;
    mutex_unlock(&lock);
    if (!pf)
        return -ENOMEM;
    err = claim(pf);
    if (err) {
        mutex_lock(&lock);
        drop_locked(pf);
        mutex_unlock(&lock);
        return err;
    }
    *out = pf;
    return 0;
}

static void leave(struct pi_futex *pf)
{
    mutex_lock(&lock);
    pf->busy = false;
    settle_locked(pf);
    waitq_wake_all(&pf->queue, 0);
    drop_locked(pf);
    mutex_unlock(&lock);
}

/* --- the word --- */

static u32 tid_of(const struct task *t)
{
    return (u32)pid_nr(t->pid, t->pid->ns);
}

/* swap() - change the word if it is still `expect`. Return: 0, -EAGAIN (it is not), -EFAULT. */
static int swap(struct task *t, uaddr_t uaddr, u32 expect, u32 fresh)
{
    u32 old;
    int err =
        t->mm->platform->atomic(t->thread, uaddr, PLAT_ATOMIC_CMPXCHG, fresh, expect, &old);

    if (err)
        return -EFAULT;
    return old == expect ? 0 : -EAGAIN;
}

static bool is_killed(struct task *t)
{
    return atomic_load(&t->sleeper.killed);
}

/* --- granting --- */

/* grant_locked() - the futex is w's. `fix`: it writes the word itself. */
static void grant_locked(struct pi_futex *pf, struct pi_waiter *w, bool fix)
{
    list_del(&w->node);
    w->task->pi_wait = NULL;
    w->fix = fix;
    pf->fixing = fix;
    set_owner_locked(pf, w->task);
    settle_locked(pf);
    __atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
}

static struct pi_waiter *first_locked(struct pi_futex *pf)
{
    return list_first(&pf->waiters, struct pi_waiter, node);
}

void futex_pi_exit(struct task *t, bool for_good)
{
    struct pi_futex *pf;

    mutex_lock(&lock);
    if (for_good)
        t->futex_exited = true;
    while ((pf = list_first(&t->pi_held, struct pi_futex, held)) != NULL) {
        struct pi_waiter *w = first_locked(pf);

        pf->fixing = false;
        if (w) {
            struct task *to = w->task;

            grant_locked(pf, w, true);
            sleeper_wake(&to->sleeper); /* under the lock that it needs to go on */
        } else {
            set_owner_locked(pf, NULL);
        }
    }
    mutex_unlock(&lock);
}

/* --- waiting --- */

static u32 priority_of(struct task *t)
{
    u32 priority;

    mutex_lock(&t->lock);
    priority = t->sched.priority;
    mutex_unlock(&t->lock);
    return priority;
}

/* would_deadlock_locked() - does the owner wait, by however many others, for t? */
static bool would_deadlock_locked(const struct pi_futex *pf, const struct task *t)
{
    const struct task *owner = pf->owner;

    for (u32 i = 0; owner && i < CHAIN_MAX; i++) {
        if (owner == t)
            return true;
        owner = owner->pi_wait ? owner->pi_wait->at->owner : NULL;
    }
    return owner != NULL;
}

/* queue_locked() - w waits for pf, which then has one user more. */
static void queue_locked(struct pi_futex *pf, struct pi_waiter *w)
{
    struct pi_waiter *other;

    w->at = pf;
    w->task->pi_wait = w;
    pf->users++;
    list_for_each(other, &pf->waiters, node)
        if (other->priority < w->priority)
            break;
    list_add_tail(&other->node, &w->node); /* before it, or at the end */
}

/* wait_granted() - sleep until the futex is ours. Return: 0, -ETIMEDOUT, -ERESTARTSYS. */
static int wait_granted(struct task *t, struct pi_waiter *w, u64 deadline)
{
    int err = 0;

    while (!err && !__atomic_load_n(&w->granted, __ATOMIC_ACQUIRE)) {
        err = sleeper_sleep(&t->sleeper, deadline);
        if (!err && !__atomic_load_n(&w->granted, __ATOMIC_ACQUIRE))
            sleeper_arm(&t->sleeper);
    }
    return err;
}

/* fix_word() - the owner died: the new one writes the word. */
static int fix_word(struct task *t, uaddr_t uaddr)
{
    u32 word;
    int err;

    do {
        err = usermem_get(t->mm, &word, uaddr);
        if (!err)
            err = swap(t, uaddr, word, tid_of(t) | FUTEX_WAITERS | FUTEX_OWNER_DIED);
    } while (err == -EAGAIN && !is_killed(t));
    return err;
}

/* finish_wait() - after wait_granted(), which gave `err`: leave the queue, or become the owner.
 * Return: 0: it is ours, -EFAULT: it is and the word can't be written, else err. */
static int finish_wait(struct task *t, struct pi_waiter *w, uaddr_t uaddr, int err)
{
    struct pi_futex *pf = w->at;
    bool granted, mine = false;

    mutex_lock(&lock);
    granted = w->granted;
    if (!granted) {
        list_del(&w->node);
        t->pi_wait = NULL;
        settle_locked(pf);
    }
    mutex_unlock(&lock);
    if (granted) {
        /* Who granted it may still be writing the word. */
        mine = claim(pf) == 0;
        err = mine && w->fix ? fix_word(t, uaddr) : 0;
    }
    if (mine)
        unclaim(pf);
    mutex_lock(&lock);
    if (granted && w->fix && pf->owner == t) {
        pf->fixing = false;
        settle_locked(pf);
    }
    drop_locked(pf);
    mutex_unlock(&lock);
    return err;
}

/* --- locking --- */

/* attach() - the task `nr` is the owner. Return: 0, -ESRCH: there is none that lives. */
static int attach(struct task *t, struct pi_futex *pf, u32 nr)
{
    struct task *owner = pid_find_task(t->pid->ns, (s32)nr);
    int err = -ESRCH;

    if (!owner)
        return -ESRCH;
    mutex_lock(&lock);
    if (!owner->futex_exited) {
        set_owner_locked(pf, owner);
        err = 0;
    }
    mutex_unlock(&lock);
    task_put(owner);
    return err;
}

static bool has_owner(struct pi_futex *pf)
{
    bool has;

    mutex_lock(&lock);
    has = pf->owner && (!list_empty(&pf->waiters) || pf->fixing);
    mutex_unlock(&lock);
    return has;
}

/* find_owner() - whom to wait for, with the word told that somebody waits. For `who`, by t.
 * Return: 1: nobody, the word was `*word`; 0: pf->owner, -EDEADLK, -ESRCH, -EINVAL, -EFAULT. */
static int find_owner(struct task *t, struct pi_futex *pf, uaddr_t uaddr, const struct task *who,
                      u32 *word)
{
    u32 now;
    int err;

    do {
        err = usermem_get(t->mm, word, uaddr);
        if (err)
            return err;
        if ((*word & FUTEX_TID_MASK) == tid_of(who))
            return -EDEADLK;
        if (has_owner(pf))
            return 0;
        if (futex_has_ordinary(&pf->key))
            return -EINVAL;
        if (!(*word & FUTEX_TID_MASK))
            return 1;
        err = *word & FUTEX_WAITERS ? 0 : swap(t, uaddr, *word, *word | FUTEX_WAITERS);
        if (!err) {
            err = attach(t, pf, *word & FUTEX_TID_MASK);
            /* It may just have died, and left the word to others. */
            if (err && usermem_get(t->mm, &now, uaddr) == 0 && now != (*word | FUTEX_WAITERS))
                err = -EAGAIN;
        }
    } while (err == -EAGAIN && !is_killed(t));
    return err == -EAGAIN ? -ERESTARTNOINTR : err;
}

/* join() - wait behind the owner that find_owner() found. Return: 0, -EDEADLK, -EAGAIN: it is gone. */
static int join(struct pi_futex *pf, struct pi_waiter *w)
{
    int err = 0;

    w->priority = priority_of(w->task);
    mutex_lock(&lock);
    if (!pf->owner)
        err = -EAGAIN;
    else if (would_deadlock_locked(pf, w->task))
        err = -EDEADLK;
    else
        queue_locked(pf, w);
    mutex_unlock(&lock);
    return err;
}

/* take_or_join() - Return: 1: it is t's, 0: w waits, errno. */
static int take_or_join(struct task *t, struct pi_futex *pf, uaddr_t uaddr, struct pi_waiter *w,
                        bool try_only)
{
    u32 word;
    int err;

    do {
        err = find_owner(t, pf, uaddr, t, &word);
        if (err == 1)
            err = swap(t, uaddr, word, tid_of(t) | (word & FUTEX_OWNER_DIED)) ?: 1;
        else if (err == 0 && try_only)
            return -EAGAIN;
        else if (err == 0)
            err = join(pf, w);
    } while (err == -EAGAIN && !is_killed(t));
    return err == -EAGAIN ? -ERESTARTNOINTR : err;
}

s64 futex_lock_pi(struct task *t, uaddr_t uaddr, bool shared, u64 deadline, bool try_only)
{
    struct pi_waiter w = {.task = t};
    struct futex_key key;
    struct pi_futex *pf;
    int err = futex_key(t->mm, uaddr, shared, &key);

    if (!err)
        err = enter(&key, &pf);
    if (err)
        return err;
    list_init(&w.node);
    err = take_or_join(t, pf, uaddr, &w, try_only);
    leave(pf);
    if (err)
        return err == 1 ? 0 : err;
    sleeper_arm(&t->sleeper);
    err = finish_wait(t, &w, uaddr, wait_granted(t, &w, deadline));
    return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* --- unlocking --- */

/* pass_on() - the first waiter becomes the owner. Return: a new reference to it, its tid in *tid;
 * NULL with *err set or, if nobody waits, 0. */
static struct task *pass_on(struct task *t, struct pi_futex *pf, u32 *tid, int *err)
{
    struct task *to = NULL;
    struct pi_waiter *w;

    mutex_lock(&lock);
    w = first_locked(pf);
    *err = w && pf->owner != t ? -EINVAL : 0;
    if (w && !*err) {
        to = task_get(w->task);
        *tid = tid_of(to);
        grant_locked(pf, w, false);
    }
    mutex_unlock(&lock);
    return to;
}

/* unlock() - Return: 0, -EPERM, -EINVAL, -EFAULT, -ERESTARTNOINTR. */
static int unlock(struct task *t, struct pi_futex *pf, uaddr_t uaddr)
{
    struct task *to = NULL;
    u32 word, tid = 0;
    int err;

    do {
        err = usermem_get(t->mm, &word, uaddr);
        if (!err && (word & FUTEX_TID_MASK) != tid_of(t))
            err = to ? -EINVAL : -EPERM;
        if (!err && !to)
            to = pass_on(t, pf, &tid, &err);
        if (!err)
            err = swap(t, uaddr, word, to ? tid | FUTEX_WAITERS : 0);
    } while (err == -EAGAIN && !is_killed(t));
    if (to)
        sleeper_wake(&to->sleeper);
    task_put(to);
    return err == -EAGAIN ? -ERESTARTNOINTR : err;
}

s64 futex_unlock_pi(struct task *t, uaddr_t uaddr, bool shared)
{
    struct futex_key key;
    struct pi_futex *pf;
    u32 word;
    int err = usermem_get(t->mm, &word, uaddr);

    if (!err && (word & FUTEX_TID_MASK) != tid_of(t))
        err = -EPERM;
    if (!err)
        err = futex_key(t->mm, uaddr, shared, &key);
    if (!err)
        err = enter(&key, &pf);
    if (err)
        return err;
    err = unlock(t, pf, uaddr);
    leave(pf);
    return err;
}

/* --- requeueing --- */

s64 futex_wait_requeue_pi(struct task *t, uaddr_t uaddr, u32 val, u32 bitset, bool shared,
                          u64 deadline, uaddr_t uaddr2)
{
    struct pi_waiter pw = {.task = t};
    struct futex_waiter w = {.bitset = bitset, .sleeper = &t->sleeper, .pi = &pw};
    struct bucket *b;
    u32 now;
    int err;

    if (!bitset || uaddr == uaddr2)
        return -EINVAL;
    err = futex_key(t->mm, uaddr, shared, &w.key);
    if (!err)
        err = futex_key(t->mm, uaddr2, shared, &w.pi_key);
    if (!err && futex_same_key(&w.key, &w.pi_key))
        err = -EINVAL;
    if (err)
        return err;
    pw.priority = priority_of(t);
    list_init(&pw.node);
    b = futex_bucket(&w.key);
    atomic_init(&w.bucket, b);
    sleeper_arm(&t->sleeper);
    mutex_lock(&b->lock);
    list_add_tail(&b->waiters, &w.node);
    mutex_unlock(&b->lock);
    err = usermem_get(t->mm, &now, uaddr);
    if (!err && now != val)
        err = -EAGAIN;
    if (!err)
        err = wait_granted(t, &pw, deadline);
    b = futex_lock_waiter(&w);
    list_del(&w.node);
    mutex_unlock(&b->lock);
    if (pw.at) {
        err = finish_wait(t, &pw, uaddr2, err);
        return err == -ERESTARTSYS ? -EAGAIN : err;
    }
    return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* check_first() - who would be moved first. Return: 1 with a reference in *task, 0: nobody waits,
 * -EINVAL: not one that waits to be moved there. */
static int check_first(struct bucket *b, const struct futex_key *key, const struct futex_key *to,
                       struct task **task)
{
    struct futex_waiter *w;
    int rc = 0;

    mutex_lock(&b->lock);
    list_for_each(w, &b->waiters, node) {
        if (!futex_same_key(&w->key, key))
            continue;
        rc = w->pi && futex_same_key(&w->pi_key, to) ? 1 : -EINVAL;
        if (rc == 1)
            *task = task_get(w->pi->task);
        break;
    }
    mutex_unlock(&b->lock);
    return rc;
}

/* move() - up to n waiters from a bucket to pf's queue. Return: how many; -EINVAL if the first that
 * can't be moved there is the very first. */
static s64 move(struct bucket *b, const struct futex_key *key, struct pi_futex *pf, s64 n)
{
    struct futex_waiter *w, *tmp;
    s64 moved = 0;

    mutex_lock(&b->lock);
    mutex_lock(&lock);
    list_for_each_safe(w, tmp, &b->waiters, node) {
        if (moved >= n)
            break;
        if (!futex_same_key(&w->key, key))
            continue;
        if (!w->pi || !futex_same_key(&w->pi_key, &pf->key)) {
            moved = moved ? moved : -EINVAL;
            break;
        }
        list_del(&w->node);
        queue_locked(pf, w->pi);
        moved++;
    }
    mutex_unlock(&lock);
    mutex_unlock(&b->lock);
    return moved;
}

/* grant_first() - the word says `tid`: its task is the owner, if it is still the first in line.
 * `fix`: nobody could say who the owner is, so whoever is first. Return: a reference, or NULL. */
static struct task *grant_first(struct pi_futex *pf, u32 tid, bool fix)
{
    struct task *to = NULL;
    struct pi_waiter *w;

    mutex_lock(&lock);
    w = first_locked(pf);
    if (w && (fix || tid_of(w->task) == tid)) {
        to = task_get(w->task);
        grant_locked(pf, w, fix);
    }
    mutex_unlock(&lock);
    return to;
}

static u32 first_tid(struct pi_futex *pf)
{
    struct pi_waiter *w;
    u32 tid;

    mutex_lock(&lock);
    w = pf->owner ? NULL : first_locked(pf);
    tid = w ? tid_of(w->task) : 0;
    mutex_unlock(&lock);
    return tid;
}

/* give() - waiters without an owner: the first of them gets the futex, or they wait for whom the
 * word names. What was written for one that has given up meanwhile is written anew. */
static void give(struct task *t, struct pi_futex *pf, uaddr_t uaddr)
{
    struct task *to = NULL;
    u32 word, tid, written = 0;
    int err = 0;

    while (!to && !is_killed(t) && ((tid = first_tid(pf)) != 0 || written)) {
        err = usermem_get(t->mm, &word, uaddr);
        if (!err && (word & FUTEX_TID_MASK) && (word & FUTEX_TID_MASK) != written) {
            err = word & FUTEX_WAITERS ? 0 : swap(t, uaddr, word, word | FUTEX_WAITERS);
            if (!err)
                err = attach(t, pf, word & FUTEX_TID_MASK);
            written = 0;
        } else if (!err) {
            u32 fresh = tid ? tid | FUTEX_WAITERS | (word & FUTEX_OWNER_DIED) : 0;

            err = swap(t, uaddr, word, fresh);
            written = err ? written : tid;
            to = err || !tid ? NULL : grant_first(pf, tid, false);
        }
        if (err && err != -EAGAIN)
            to = grant_first(pf, 0, true);
        if (err && err != -EAGAIN)
            break;
    }
    if (to)
        sleeper_wake(&to->sleeper);
    task_put(to);
}

s64 futex_requeue_pi(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                     bool shared, u32 val)
{
    struct futex_key key, key2;
    struct task *first = NULL;
    struct pi_futex *pf;
    struct bucket *b;
    s64 moved;
    u32 word;
    int err;

    if (wake != 1 || requeue < 0 || uaddr == uaddr2)
        return -EINVAL;
    err = futex_key(t->mm, uaddr, shared, &key);
    if (!err)
        err = futex_key(t->mm, uaddr2, shared, &key2);
    if (!err && futex_same_key(&key, &key2))
        err = -EINVAL;
    if (!err)
        err = usermem_get(t->mm, &word, uaddr);
    if (!err && word != val)
        err = -EAGAIN;
    if (!err)
        err = enter(&key2, &pf);
    if (err)
        return err;
    b = futex_bucket(&key);
    err = check_first(b, &key, &key2, &first);
    if (err == 1)
        err = find_owner(t, pf, uaddr2, first, &word);
    moved = first || err < 0 ? err : 0;
    if (first && err >= 0) {
        moved = move(b, &key, pf, (s64)requeue + 1);
        give(t, pf, uaddr2);
    }
    leave(pf);
    task_put(first);
    return moved;
}
