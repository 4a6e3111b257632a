/* Ranked locks over pthreads; see lock.h. */
#include "sentry/base/lock.h"

#include "sentry/base/log.h"

#if DEBUG_CHECKS
static const char *const class_names[] = {
#define LOCK_CLASS(name, about) #name,
#include "sentry/base/lock_rank.def"
#undef LOCK_CLASS
};

/* What this thread holds: a count per class, and the lowest class as a bit mask. */
static _Thread_local u64 held_mask;
static _Thread_local u8 held_count[LOCK_CLASSES];

_Static_assert(LOCK_CLASSES <= 64, "held_mask has a bit a class");

static void rank_take(enum lock_class class, bool second_of_two)
{
    u64 forbidden = ~0ull << class;

    if (second_of_two)
        forbidden &= ~(1ull << class);
    if (unlikely(held_mask & forbidden))
        panic("lock order: %s taken while %s is held", class_names[class],
              class_names[63 - __builtin_clzll(held_mask)]);
    held_mask |= 1ull << class;
    held_count[class]++;
}

static void rank_drop(enum lock_class class)
{
    if (unlikely(!held_count[class]))
        panic("lock %s released but not held", class_names[class]);
    if (--held_count[class] == 0)
        held_mask &= ~(1ull << class);
}

void lock_assert_none(void)
{
    if (unlikely(held_mask))
        panic("sleeping while lock %s is held", class_names[63 - __builtin_clzll(held_mask)]);
}
#else
static inline void rank_take(enum lock_class class, bool second_of_two)
{
    (void)class;
    (void)second_of_two;
}

static inline void rank_drop(enum lock_class class)
{
    (void)class;
}

void lock_assert_none(void)
{
}
#endif

void mutex_init(struct mutex *m, enum lock_class class)
{
    pthread_mutex_init(&m->m, NULL);
    m->class = class;
}

void mutex_destroy(struct mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

void mutex_lock(struct mutex *m)
{
    rank_take(m->class, false);
    pthread_mutex_lock(&m->m);
}

bool mutex_trylock(struct mutex *m)
{
    if (pthread_mutex_trylock(&m->m) != 0)
        return false;
    /* A trylock can't deadlock, so any order is allowed, but it is held from here on. */
    rank_take(m->class, true);
    return true;
}

void mutex_unlock(struct mutex *m)
{
    rank_drop(m->class);
    pthread_mutex_unlock(&m->m);
}

void mutex_lock_two(struct mutex *a, struct mutex *b)
{
    if (a > b) {
        struct mutex *t = a;

        a = b;
        b = t;
    }
    mutex_lock(a);
    if (a != b) {
        rank_take(b->class, true);
        pthread_mutex_lock(&b->m);
    }
}

void mutex_unlock_two(struct mutex *a, struct mutex *b)
{
    mutex_unlock(a);
    if (a != b)
        mutex_unlock(b);
}

void rwlock_init(struct rwlock *l, enum lock_class class)
{
    pthread_rwlock_init(&l->l, NULL);
    l->class = class;
}

void rwlock_destroy(struct rwlock *l)
{
    pthread_rwlock_destroy(&l->l);
}

void rwlock_read(struct rwlock *l)
{
    rank_take(l->class, false);
    pthread_rwlock_rdlock(&l->l);
}

void rwlock_write(struct rwlock *l)
{
    rank_take(l->class, false);
    pthread_rwlock_wrlock(&l->l);
}

void rwlock_unlock(struct rwlock *l)
{
    rank_drop(l->class);
    pthread_rwlock_unlock(&l->l);
}
