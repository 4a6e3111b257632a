/* What the parts of futexes share; the theory of operation stands in futex.c and futex_pi.c. */
#pragma once

#include "sentry/kernel/futex.h"

#include "sentry/kernel/task.h"

#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu

struct bucket {
    struct mutex lock;
    struct list_node waiters; /* in order of arrival */
};

/* A waiter for a futex that has an owner; guarded by the PI lock. */
struct pi_waiter {
    struct list_node node; /* pi_futex.waiters */
    struct task *task;     /* borrowed: it is its own */
    struct pi_futex *at;   /* a use; NULL: not there yet */
    u32 priority;
    bool granted;          /* it has the futex; also read without the lock */
    bool fix;              /* and must write the word, since its owner died */
};

struct futex_waiter {
    struct list_node node; /* unlinked: woken */
    struct futex_key key;  /* and below: guarded by the lock of `bucket` */
    u32 bitset;
    bool woken;
    struct sleeper *sleeper;
    _Atomic(struct bucket *) bucket; /* changes at requeue */
    struct pi_waiter *pi;            /* FUTEX_WAIT_REQUEUE_PI; NULL: an ordinary one */
    struct futex_key pi_key;         /* where that is to go */
};

/* futex_key() - Return: 0, -EINVAL (not aligned), -EFAULT. */
int futex_key(struct mm *mm, uaddr_t uaddr, bool shared, struct futex_key *key);
bool futex_same_key(const struct futex_key *a, const struct futex_key *b);
struct bucket *futex_bucket(const struct futex_key *key);
/* futex_lock_waiter() - the lock of the bucket that the waiter is in now. */
struct bucket *futex_lock_waiter(struct futex_waiter *w);
/* futex_has_ordinary() - does anybody wait there who knows no owner? */
bool futex_has_ordinary(const struct futex_key *key);

/* futex_pi_waits() - does anybody wait there for an owner? */
bool futex_pi_waits(const struct futex_key *key);
