/* Reference-counted kernel objects; see obj.h. */
#include "sentry/base/obj.h"

#include "sentry/base/log.h"

static _Atomic(u64) next_id = 1;
static _Atomic(struct obj_type *) all_types;

static void type_list(struct obj_type *type)
{
    if (atomic_exchange(&type->listed, true))
        return;
    type->next = atomic_load(&all_types);
    while (!atomic_compare_exchange_weak(&all_types, &type->next, type))
        ;
}

void obj_init(struct obj *o, struct obj_type *type)
{
    o->type = type;
    atomic_init(&o->count, 1);
    o->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
    if (unlikely(!atomic_load_explicit(&type->listed, memory_order_relaxed)))
        type_list(type);
    atomic_fetch_add_explicit(&type->live, 1, memory_order_relaxed);
}

void obj_keep(struct obj *o)
{
    atomic_fetch_sub_explicit(&o->type->live, 1, memory_order_relaxed);
}

bool obj_drop_(struct obj *o)
{
    unsigned int was = atomic_fetch_sub_explicit(&o->count, 1, memory_order_acq_rel);

    if (unlikely(was == 0))
        panic("reference count of %s %lu fell below zero", o->type->name, (unsigned long)o->id);
    if (was == 1)
        atomic_fetch_sub_explicit(&o->type->live, 1, memory_order_relaxed);
    return was == 1;
}

void obj_put_(struct obj *o)
{
    if (o && obj_drop_(o))
        o->type->free(o);
}

bool obj_get_unless_zero(struct obj *o)
{
    unsigned int n = atomic_load_explicit(&o->count, memory_order_relaxed);

    do {
        if (n == 0)
            return false;
    } while (!atomic_compare_exchange_weak(&o->count, &n, n + 1));
    return true;
}

struct obj_type *obj_types(void)
{
    return atomic_load(&all_types);
}
