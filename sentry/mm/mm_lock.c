/*
 * mlock(2), mlockall(2) and their opposites: bookkeeping against RLIMIT_MEMLOCK, and the memory is
 * there when they return. Nothing is pinned on the host: what a container may keep in memory is its
 * memory limit's matter, and a page that was swapped out is slow, not wrong.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

#define LOCK_FLAGS (VMA_LOCKED | VMA_LOCKONFAULT)

/* locked_within() - bytes of [start, end) that are locked already. */
static u64 locked_within(struct mm *mm, uaddr_t start, uaddr_t end)
{
    u64 bytes = 0;

    for (struct vma *v = mm_find_locked(mm, start); v && v->start < end; v = mm_next_locked(v)) {
        if (v->flags & VMA_LOCKED)
            bytes += min_of(v->end, end) - max_of(v->start, start);
    }
    return bytes;
}

/* lock_vma() - `flags` instead of the ones that it has. */
static void lock_vma(struct mm *mm, struct vma *v, u32 flags)
{
    if (!(v->flags & VMA_SPECIAL))
        vma_set_flags(mm, v, (v->flags & ~(u32)LOCK_FLAGS) | flags);
}

/* mark_locked() - up to the first hole. Return: 0, -ENOMEM. */
static int mark_locked(struct mm_change *c, uaddr_t start, uaddr_t end, u32 flags)
{
    struct mm *mm = c->mm;
    uaddr_t at = start;
    struct vma *v;

    if (mm->nvmas + 2 > LIMIT_VMAS)
        return -ENOMEM;
    vma_isolate(c, start, end);
    for (v = mm_find_locked(mm, start); v && v->start == at && at < end; v = mm_next_locked(v)) {
        lock_vma(mm, v, flags);
        at = v->end;
    }
    vma_merge_range(c, start, end);
    return at < end ? -ENOMEM : 0;
}

int mm_lock(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, u32 flags)
{
    u64 bytes = page_up(len + (addr & ~GUEST_PAGE_MASK));
    uaddr_t start = page_down(addr), end = start + bytes;
    struct mm_change c;
    int err;

    if (flags && !mm->limit_memlock)
        return -EPERM;
    if (end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    err = mm_change_begin(&c, mm, 2);
    if (err)
        return err;
    if (flags && !mm_may_lock(mm, bytes - min_of(bytes, locked_within(mm, start, end))))
        err = -ENOMEM;
    else
        err = mark_locked(&c, start, end, flags);
    mm_change_end(&c);
    if (err || !flags)
        return err;
    err = mm_populate(mm, th, start, end);
    return !err || err == -EAGAIN ? err : err == -ENOMEM ? -EAGAIN : -ENOMEM;
}

int mm_lock_all(struct mm *mm, struct plat_thread *th, bool current, bool future, u32 flags)
{
    struct mm_change c;
    int err;

    if (!mm->limit_memlock)
        return -EPERM;
    err = mm_change_begin(&c, mm, 0);
    if (err)
        return err;
    if (current && mm->total_bytes > page_down(mm->limit_memlock)) {
        err = -ENOMEM;
    } else {
        mm->lock_future = future ? flags : 0;
        for (struct vma *v = mm_first_locked(mm); current && v; v = mm_next_locked(v))
            lock_vma(mm, v, flags);
        vma_merge_range(&c, 0, PLAT_TASK_SIZE);
    }
    mm_change_end(&c);
    if (!err && current)
        mm_populate(mm, th, 0, PLAT_TASK_SIZE); /* what can't be there is no error */
    return err;
}

int mm_unlock_all(struct mm *mm)
{
    struct mm_change c;
    int err = mm_change_begin(&c, mm, 0);

    if (err)
        return err;
    mm->lock_future = 0;
    for (struct vma *v = mm_first_locked(mm); v; v = mm_next_locked(v))
        lock_vma(mm, v, 0);
    vma_merge_range(&c, 0, PLAT_TASK_SIZE);
    mm_change_end(&c);
    return 0;
}
