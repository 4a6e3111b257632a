/* brk(2): the heap as one anonymous mapping that grows up from where exec placed it. */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

/* grow_locked() - map [from, to) as heap. Return: 0, -ENOMEM, the platform's errno. */
static int grow_locked(struct mm_change *c, struct plat_thread *th, uaddr_t from, uaddr_t to)
{
    struct mm *mm = c->mm;
    u32 prot = LX_PROT_READ | LX_PROT_WRITE, flags = mm->lock_future;
    struct plat_map m = {.addr = from, .len = to - from, .prot = prot, .fd = -1};
    const struct vma *next = mm_find_locked(mm, from);
    struct vma *v;
    u64 guard = GUEST_PAGE_SIZE;
    int err;

    if (to > PLAT_TASK_SIZE || from < PLAT_GUEST_MIN || mm->nvmas > LIMIT_VMAS)
        return -ENOMEM;
    if (next && (next->flags & VMA_GROWSDOWN))
        guard = MM_STACK_GUARD;
    if (next && to + guard > next->start)
        return -ENOMEM;
    if (flags && !mm_may_lock(mm, to - from))
        return -EAGAIN;
    if (!mm_may_grow(mm, prot, flags, to - from, 0))
        return -ENOMEM;
    err = mm->platform->map(th, &m);
    if (err)
        return err;
    v = vma_take(c);
    v->start = from;
    v->end = to;
    v->prot = prot;
    v->may_prot = LX_PROT_RWX;
    v->flags = flags;
    v->name = "[heap]";
    vma_insert(mm, v);
    vma_merge_range(c, from, to);
    return 0;
}

/* over_limit() - RLIMIT_DATA covers the heap and the executable's data. */
static bool over_limit(const struct mm *mm, uaddr_t brk)
{
    return brk - mm->brk_start + (mm->end_data - mm->start_data) > mm->limit_data;
}

uaddr_t mm_brk(struct mm *mm, struct plat_thread *th, uaddr_t brk)
{
    struct mm_change c;
    uaddr_t from = 0, to = 0, now;
    bool populate = false;
    int err;

    if (mm_change_begin(&c, mm, 2) < 0)
        return mm->brk;
    if (brk >= mm->brk_start && brk <= PLAT_TASK_SIZE && !over_limit(mm, brk)) {
        from = page_up(mm->brk);
        to = page_up(brk);
        if (to == from)
            err = 0;
        else if (to < from)
            err = mm_unmap_locked(&c, th, to, from - to);
        else
            err = grow_locked(&c, th, from, to);
        if (!err)
            mm->brk = brk;
        populate = !err && to > from && mm->lock_future == VMA_LOCKED;
    }
    now = mm->brk;
    mm_change_end(&c);
    if (populate)
        mm_populate(mm, th, from, to);
    return now;
}
