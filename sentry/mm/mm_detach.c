/* shmdt(2): what was attached is unmapped, and nothing that was mapped over it since. */
#include "sentry/mm/mm_priv.h"

#include <errno.h>

/* attached() - is this VMA a part of an object with `ops` that was attached at addr? */
static bool attached(const struct vma *v, uaddr_t addr, const struct mappable_ops *ops)
{
    return v->mappable && v->mappable->ops == ops && v->start - addr == v->offset;
}

/* detach_locked() - the first part decides which object is meant. */
static int detach_locked(struct mm_change *c, struct plat_thread *th, uaddr_t addr,
                         const struct mappable_ops *ops)
{
    struct vma *v = mm_find_locked(c->mm, addr), *next;
    const struct mappable *object;
    uaddr_t end;
    int err = 0;

    while (v && (v->start < addr || !attached(v, addr, ops)))
        v = mm_next_locked(v);
    if (!v)
        return -EINVAL;
    object = v->mappable;
    end = addr + v->mappable->ops->length(v->mappable);
    for (; v && v->end <= end && !err; v = next) {
        next = mm_next_locked(v);
        if (v->mappable == object && attached(v, addr, ops))
            err = mm_unmap_locked(c, th, v->start, v->end - v->start);
    }
    return err;
}

int mm_detach(struct mm *mm, struct plat_thread *th, uaddr_t addr, const struct mappable_ops *ops)
{
    struct mm_change c;
    int err;

    if (addr & ~GUEST_PAGE_MASK)
        return -EINVAL;
    err = mm_change_begin(&c, mm, 2);
    if (err)
        return err;
    err = detach_locked(&c, th, addr, ops);
    mm_change_end(&c);
    return err;
}
