/*
 * Mutexes and read-write locks with ranks. Every lock belongs to a class of lock_rank.def; a thread
 * takes locks in the order of that file only, which debug builds assert at run time. Two locks of
 * one class go through mutex_lock_two(). None of these may be held over guest-memory access, a
 * gofer call or a blocking host call, but for the classes marked `copy` there.
 */
#pragma once

#include "sentry/base/types.h"

#include <pthread.h>

enum lock_class {
#define LOCK_CLASS(name, about) LOCK_##name,
#include "sentry/base/lock_rank.def"
#undef LOCK_CLASS
    LOCK_CLASSES
};

#if defined(__clang__) && defined(THREAD_SAFETY_ANALYSIS)
#define LOCK_ATTR(x) __attribute__((x))
#else
#define LOCK_ATTR(x)
#endif
#define REQUIRES(...) LOCK_ATTR(requires_capability(__VA_ARGS__))

struct LOCK_ATTR(capability("mutex")) mutex {
    pthread_mutex_t m;
    enum lock_class class;
};

struct LOCK_ATTR(capability("rwlock")) rwlock {
    pthread_rwlock_t l;
    enum lock_class class;
};

#define MUTEX_INIT(cls) {PTHREAD_MUTEX_INITIALIZER, LOCK_##cls}
#define RWLOCK_INIT(cls) {PTHREAD_RWLOCK_INITIALIZER, LOCK_##cls}

void mutex_init(struct mutex *m, enum lock_class class);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m) LOCK_ATTR(acquire_capability(*m));
bool mutex_trylock(struct mutex *m) LOCK_ATTR(try_acquire_capability(true, *m));
void mutex_unlock(struct mutex *m) LOCK_ATTR(release_capability(*m));
/* mutex_lock_two() - both locks of one class, in address order; a == b takes it once. */
void mutex_lock_two(struct mutex *a, struct mutex *b) LOCK_ATTR(no_thread_safety_analysis);
void mutex_unlock_two(struct mutex *a, struct mutex *b) LOCK_ATTR(no_thread_safety_analysis);

void rwlock_init(struct rwlock *l, enum lock_class class);
void rwlock_destroy(struct rwlock *l);
/* rwlock_read(), rwlock_write() - for sharing, for oneself; rwlock_unlock() ends both. */
void rwlock_read(struct rwlock *l) LOCK_ATTR(acquire_shared_capability(*l));
void rwlock_write(struct rwlock *l) LOCK_ATTR(acquire_capability(*l));
void rwlock_unlock(struct rwlock *l) LOCK_ATTR(release_generic_capability(*l));

/* lock_assert_none() - debug builds: panic if this thread holds any lock (before it sleeps). */
void lock_assert_none(void);

static inline void mutex_cleanup(struct mutex **m) LOCK_ATTR(no_thread_safety_analysis)
{
    mutex_unlock(*m);
}
/* auto_unlock - `struct mutex *auto_unlock m = mutex_locked(&x->lock);` unlocks at scope's end. */
#define auto_unlock __attribute__((cleanup(mutex_cleanup), unused))
static inline struct mutex *mutex_locked(struct mutex *m) LOCK_ATTR(no_thread_safety_analysis)
{
    mutex_lock(m);
    return m;
}
