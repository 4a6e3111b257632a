/*
 * Memory that is to be there before it is touched: MADV_POPULATE_READ and _WRITE, MAP_POPULATE, and
 * what mlock(2) and its family promise. The host does it for a piece at a time: between two pieces
 * others get at the address space.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

#define PIECE (16ull << 20)

/* order_locked() - an interrupt is no reason to stop: who is killed finds his process gone. */
static int order_locked(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end,
                        int advice)
{
    int err;

    do
        err = mm->platform->advise(th, start, end - start, advice);
    while (err == -EINTR);
    return err;
}

/* advise_locked() - POPULATE_* as far as the table has memory: nothing else may be asked for. */
static int advise_locked(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end,
                         int advice)
{
    struct vma *v = mm_find_locked(mm, start);
    uaddr_t to = start;
    int err;

    for (; v && v->start <= to && to < end; v = mm_next_locked(v))
        to = min_of(v->end, end);
    err = to > start ? order_locked(mm, th, start, to, advice) : 0;
    return err ? err : to < end ? -ENOMEM : 0;
}

int mm_populate_advise(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end,
                       int advice)
{
    int err = 0;

    for (uaddr_t to; !err && start < end; start = to) {
        to = min_of(end, start + PIECE);
        rwlock_write(&mm->lock);
        err = advise_locked(mm, th, start, to, advice);
        rwlock_unlock(&mm->lock);
    }
    return err;
}

/* advice_for() - as the kernel does it for itself: private memory is written to, other memory read. */
static int advice_for(const struct vma *v)
{
    bool own = (v->prot & LX_PROT_WRITE) && !(v->flags & VMA_SHARED);

    return own || v->prot == LX_PROT_WRITE ? LX_MADV_POPULATE_WRITE : LX_MADV_POPULATE_READ;
}

/* populate_piece() - what is mapped at *at or behind it; *at moves on, to `end` when that is all. */
static int populate_piece(struct mm *mm, struct plat_thread *th, uaddr_t *at, uaddr_t end)
{
    struct vma *v;
    int err = 0;

    rwlock_write(&mm->lock);
    v = mm_find_locked(mm, *at);
    if (!v || v->start >= end) {
        *at = end;
    } else {
        uaddr_t from = max_of(v->start, *at), to = min_of(v->end, end);

        *at = min_of(to, from + PIECE);
        if (!(v->flags & (VMA_SPECIAL | VMA_LOCKONFAULT)) && v->prot != LX_PROT_EXEC)
            err = order_locked(mm, th, from, *at, advice_for(v));
    }
    rwlock_unlock(&mm->lock);
    return err;
}

int mm_populate(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end)
{
    int first = 0;

    while (start < end) {
        int err = populate_piece(mm, th, &start, end);

        if (err == -ESRCH)
            return err;
        first = first ? first : err;
    }
    return first;
}
