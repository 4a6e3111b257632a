/*
 * Mappings that grow down: a touch below the start of one maps what lies between, within
 * RLIMIT_STACK and with the guard gap to the mapping below. The host's mapping never grows by
 * itself; whoever met the fault asks here, and tries again.
 *
 * The main stack grows to twice its size where it may, since each step is a stop of the task.
 */
#include "sentry/mm/mm_priv.h"

/* may_reach() - may v start at `to`? */
static bool may_reach(struct mm *mm, struct vma *v, uaddr_t to)
{
    const struct vma *prev = vma_prev(mm, v);
    u64 more = v->start - to;

    if (v->end - to > mm->limit_stack)
        return false;
    if (prev && prev->end > to)
        return false;
    if (prev && prev->prot && !(prev->flags & VMA_GROWSDOWN) && to - prev->end < MM_STACK_GUARD)
        return false;
    if ((v->flags & VMA_LOCKED) && !mm_may_lock(mm, more))
        return false;
    return mm_may_grow(mm, v->prot, v->flags, more, 0);
}

/* target() - where v starts once addr belongs to it; 0: it may not grow so far. */
static uaddr_t target(struct mm *mm, struct vma *v, uaddr_t addr)
{
    u64 size = v->end - v->start;
    uaddr_t to = page_down(addr);

    if (!may_reach(mm, v, to))
        return 0;
    if (v->end == mm->stack_top && v->start > size && v->start - size < to &&
        may_reach(mm, v, v->start - size))
        return v->start - size;
    return to;
}

/* grow_locked() - Return: true if addr belongs to v now. */
static bool grow_locked(struct mm_change *c, struct plat_thread *th, struct vma *v, uaddr_t addr)
{
    struct mm *mm = c->mm;
    uaddr_t to = target(mm, v, addr);
    struct plat_map m = {.addr = to, .len = v->start - to, .prot = v->prot, .fd = -1};
    struct vma *more;

    if (!to || mm->platform->map(th, &m) < 0)
        return false;
    more = vma_take(c);
    more->start = to;
    more->end = v->start;
    more->prot = v->prot;
    more->may_prot = v->may_prot;
    more->flags = v->flags;
    more->name = v->name;
    vma_insert(mm, more);
    vma_merge_range(c, to, more->end);
    return true;
}

/* above_locked() - the mapping that would have to grow for addr to belong to it, or has; NULL: none. */
static struct vma *above_locked(struct mm *mm, uaddr_t addr)
{
    struct vma *v = mm_find_locked(mm, addr);

    return v && (v->flags & VMA_GROWSDOWN) && !v->mappable ? v : NULL;
}

bool mm_grow(struct mm *mm, struct plat_thread *th, uaddr_t addr)
{
    struct mm_change c;
    struct vma *v;
    bool there;

    if (addr < PLAT_GUEST_MIN || addr >= PLAT_TASK_SIZE)
        return false;
    rwlock_read(&mm->lock);
    v = above_locked(mm, addr);
    rwlock_unlock(&mm->lock);
    if (!v || mm_change_begin(&c, mm, 1) < 0)
        return false;
    v = above_locked(mm, addr);
    /* Another thread may have been faster. */
    there = v && (v->start <= addr || grow_locked(&c, th, v, addr));
    mm_change_end(&c);
    return there;
}
