/*
 * struct obj: what every kernel object begins with: its type, a reference count and an id that is
 * unique in the sandbox. The type table carries the destructor now, and save and load when
 * checkpoints come. Debug builds and the control socket read the live count of each type.
 */
#pragma once

#include "sentry/base/types.h"

#include <stdatomic.h>

struct obj;

struct obj_type {
    const char *name;
    /* free() - the last reference is gone: release what the object owns, then the object. */
    void (*free)(struct obj *o);
    _Atomic(u64) live;
    struct obj_type *next; /* list of all types seen, linked by the first obj_init() */
    atomic_bool listed;
};

struct obj {
    struct obj_type *type;
    atomic_uint count;
    u64 id;
};

/* obj_init() - one reference, a fresh id; the embedding struct is the caller's, zeroed. */
void obj_init(struct obj *o, struct obj_type *type);
/* obj_put_() - drop a reference; the last one calls the type's free(). NULL is fine. */
void obj_put_(struct obj *o);
/* obj_drop_() - drop a reference without freeing. Return: true: it was the last; the caller now does
 * what the type's free() would (chains of owners are unwound in a loop, not by recursion). */
bool obj_drop_(struct obj *o);
/* obj_get_unless_zero() - take a reference unless the object is already dying. */
bool obj_get_unless_zero(struct obj *o);
/* obj_keep() - it stays until the process ends: counts of what is left leave it out. */
void obj_keep(struct obj *o);
/* obj_types() - head of the list of all types, for counts; walk by ->next. */
struct obj_type *obj_types(void);

static inline void obj_ref(struct obj *o)
{
    atomic_fetch_add_explicit(&o->count, 1, memory_order_relaxed);
}

/*
 * OBJ_REFS(foo) - define foo_get() (returns its argument, NULL is fine) and foo_put() (returns
 * NULL) for a `struct foo` whose first member is `struct obj obj`.
 */
#define OBJ_REFS(name)                                                                             \
    static inline struct name *name##_get(struct name *x)                                          \
    {                                                                                              \
        if (x)                                                                                     \
            obj_ref(&x->obj);                                                                      \
        return x;                                                                                  \
    }                                                                                              \
    static inline struct name *name##_put(struct name *x)                                          \
    {                                                                                              \
        _Static_assert(offsetof(struct name, obj) == 0, "struct obj comes first");                 \
        obj_put_((struct obj *)x);                                                                 \
        return NULL;                                                                               \
    }                                                                                              \
    static inline __attribute__((unused)) void name##_putp(struct name **x)                        \
    {                                                                                              \
        name##_put(*x);                                                                            \
    }
