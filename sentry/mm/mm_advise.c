/*
 * madvise(2). An advice is one of four things: a mark in the table, an order to the host that may be
 * ignored, an order that changes what memory holds, or a hole in a shared object. Holes in the range
 * are passed over and reported at the end; a VMA that refuses ends the walk.
 *
 * Not offered, with the EINVAL of a kernel without them: MERGEABLE (side channel between containers),
 * HWPOISON and SOFT_OFFLINE, COLLAPSE, GUARD_INSTALL and GUARD_REMOVE.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <linux/falloc.h>

enum advice_kind {
    ADVICE_NONE,     /* accepted, changes nothing that can be seen */
    ADVICE_HINT,     /* order to the host, whatever it says */
    ADVICE_DROP,     /* order that takes contents away */
    ADVICE_POPULATE, /* mm_populate_advise() */
    ADVICE_PUNCH,    /* hole in the shared object */
    ADVICE_MARK,     /* VMA_* set or cleared */
};

struct advice {
    int number;
    enum advice_kind kind;
    u32 set, clear; /* ADVICE_MARK */
};

static const struct advice advices[] = {
    {LX_MADV_NORMAL, ADVICE_NONE},
    {LX_MADV_RANDOM, ADVICE_NONE},
    {LX_MADV_SEQUENTIAL, ADVICE_NONE},
    {LX_MADV_WILLNEED, ADVICE_HINT},
    {LX_MADV_DONTNEED, ADVICE_DROP},
    {LX_MADV_FREE, ADVICE_DROP},
    {LX_MADV_REMOVE, ADVICE_PUNCH},
    {LX_MADV_DONTFORK, ADVICE_MARK, .set = VMA_DONTFORK},
    {LX_MADV_DOFORK, ADVICE_MARK, .clear = VMA_DONTFORK},
    {LX_MADV_HUGEPAGE, ADVICE_HINT},
    {LX_MADV_NOHUGEPAGE, ADVICE_HINT},
    {LX_MADV_DONTDUMP, ADVICE_MARK, .set = VMA_DONTDUMP},
    {LX_MADV_DODUMP, ADVICE_MARK, .clear = VMA_DONTDUMP},
    {LX_MADV_WIPEONFORK, ADVICE_MARK, .set = VMA_WIPEONFORK},
    {LX_MADV_KEEPONFORK, ADVICE_MARK, .clear = VMA_WIPEONFORK},
    {LX_MADV_COLD, ADVICE_HINT},
    {LX_MADV_PAGEOUT, ADVICE_HINT},
    {LX_MADV_POPULATE_READ, ADVICE_POPULATE},
    {LX_MADV_POPULATE_WRITE, ADVICE_POPULATE},
    {LX_MADV_DONTNEED_LOCKED, ADVICE_DROP},
};

static const struct advice *find_advice(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
        if (advices[i].number == number)
            return &advices[i];
    }
    return NULL;
}

/* refuses() - the errno with which a VMA answers an advice, or 0. */
static int refuses(const struct vma *v, const struct advice *a)
{
    switch (a->number) {
    case LX_MADV_DONTNEED:
    case LX_MADV_COLD:
    case LX_MADV_PAGEOUT: return v->flags & VMA_LOCKED ? -EINVAL : 0;
    case LX_MADV_FREE: return v->mappable || (v->flags & (VMA_LOCKED | VMA_SPECIAL)) ? -EINVAL : 0;
    case LX_MADV_REMOVE:
        if (!v->mappable || (v->flags & VMA_LOCKED))
            return -EINVAL;
        return (v->flags & VMA_SHARED) && (v->may_prot & LX_PROT_WRITE) ? 0 : -EACCES;
    case LX_MADV_DODUMP: return v->flags & VMA_SPECIAL ? -EINVAL : 0;
    case LX_MADV_WIPEONFORK:
        return v->mappable || (v->flags & (VMA_SHARED | VMA_SPECIAL)) ? -EINVAL : 0;
    default: return 0;
    }
}

/* punch() - a hole in the object behind [start, end) of v. */
static int punch(const struct vma *v, uaddr_t start, uaddr_t end)
{
    int fd;
    int err = vma_map_fd(v, &fd);

    if (err)
        return err;
    return host_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                          v->offset + (start - v->start), end - start);
}

/* act_locked() - one unbroken range, all of one VMA unless it is only ordered. */
static int act_locked(struct mm *mm, struct plat_thread *th, const struct advice *a, uaddr_t start,
                      uaddr_t end)
{
    if (a->kind == ADVICE_HINT)
        mm->platform->advise(th, start, end - start, a->number);
    else if (a->kind == ADVICE_DROP) /* nothing is locked on the host */
        return mm->platform->advise(th, start, end - start,
                                    a->number == LX_MADV_DONTNEED_LOCKED ? LX_MADV_DONTNEED
                                                                         : a->number);
    else if (a->kind == ADVICE_PUNCH)
        return punch(mm_find_locked(mm, start), start, end);
    return 0;
}

static void mark_locked(struct mm *mm, struct vma *v, const struct advice *a)
{
    vma_set_flags(mm, v, (v->flags | a->set) & ~a->clear);
}

/* walk_locked() - Return: 0, -ENOMEM (holes), or what a VMA or the host refused with. */
static int walk_locked(struct mm *mm, struct plat_thread *th, const struct advice *a, uaddr_t start,
                       uaddr_t end)
{
    struct vma *v = mm_find_locked(mm, start);
    uaddr_t from = start, to = start; /* gathered, not yet acted on */
    int err = 0, holes = 0;

    for (; v && v->start < end; v = mm_next_locked(v)) {
        if (v->start > to)
            holes = -ENOMEM;
        if (to > from && (v->start > to || a->kind == ADVICE_PUNCH)) {
            err = act_locked(mm, th, a, from, to);
            from = to;
        }
        if (!err)
            err = refuses(v, a);
        if (err)
            break;
        if (v->start > from && to == from)
            from = v->start;
        to = min_of(v->end, end);
        if (a->kind == ADVICE_MARK)
            mark_locked(mm, v, a);
    }
    if (to > from) {
        int last = act_locked(mm, th, a, from, to);

        err = err ? err : last;
    }
    if (to < end && !err)
        holes = -ENOMEM;
    return err ? err : holes;
}

int mm_advise(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, int advice)
{
    const struct advice *a = find_advice(advice);
    u64 bytes = page_up(len);
    struct mm_change c;
    int err;

    if (!a || (addr & ~GUEST_PAGE_MASK) || (len && !bytes) || addr + bytes < addr)
        return -EINVAL;
    if (!bytes)
        return 0;
    if (a->kind == ADVICE_POPULATE)
        return mm_populate_advise(mm, th, addr, addr + bytes, advice);
    err = mm_change_begin(&c, mm, 2);
    if (err)
        return err;
    if (a->kind == ADVICE_MARK && mm->nvmas + 2 > LIMIT_VMAS)
        err = -ENOMEM;
    else if (a->kind == ADVICE_MARK)
        vma_isolate(&c, addr, addr + bytes);
    if (!err)
        err = walk_locked(mm, th, a, addr, addr + bytes);
    if (a->kind == ADVICE_MARK)
        vma_merge_range(&c, addr, addr + bytes);
    mm_change_end(&c);
    return err;
}
