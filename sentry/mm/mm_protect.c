/*
 * mprotect(2). Linux changes VMA by VMA and stops at the first that it can't; here the table tells
 * beforehand how far that is, so the host is asked once, for exactly that part.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

/* How far a change gets, and what stops it there. */
struct reach {
    uaddr_t start, end;
    int err;
    bool changes; /* does any VMA's protection differ? */
};

/* allowed() - may v become `prot`? `data` counts what has newly come under RLIMIT_DATA. */
static int allowed(const struct mm *mm, const struct vma *v, u32 prot, u64 bytes, u64 *data)
{
    if (prot & ~v->may_prot)
        return -EACCES;
    if (vma_is_data(prot, v->flags) && !vma_is_data(v->prot, v->flags)) {
        if (mm->data_bytes + *data + bytes > page_down(mm->limit_data))
            return -ENOMEM;
        *data += bytes;
    }
    return 0;
}

/* find_reach() - what of [start, end) can be changed. */
static struct reach find_reach(struct mm *mm, uaddr_t start, uaddr_t end, u32 prot)
{
    struct reach r = {.start = start, .end = start};
    struct vma *v = mm_find_locked(mm, start);
    u64 data = 0;

    for (; r.end < end; v = mm_next_locked(v)) {
        uaddr_t to;

        if (!v || v->start > r.end) {
            r.err = -ENOMEM;
            break;
        }
        to = min_of(v->end, end);
        r.err = allowed(mm, v, prot, to - r.end, &data);
        if (r.err)
            break;
        r.changes |= v->prot != prot;
        r.end = to;
    }
    return r;
}

/* crosses() - is addr inside a VMA, so that it would be cut? */
static bool crosses(struct mm *mm, uaddr_t addr)
{
    const struct vma *v = mm_find_locked(mm, addr);

    return v && v->start < addr;
}

static int protect_locked(struct mm_change *c, struct plat_thread *th, uaddr_t start, uaddr_t end,
                          u32 prot)
{
    struct mm *mm = c->mm;
    struct reach r = find_reach(mm, start, end, prot);
    u32 cuts;
    int err;

    if (!r.changes)
        return r.err;
    cuts = (crosses(mm, r.start) ? 1 : 0) + (crosses(mm, r.end) ? 1 : 0);
    if (mm->nvmas + cuts > LIMIT_VMAS)
        return -ENOMEM;
    err = mm->platform->protect(th, r.start, r.end - r.start, prot);
    if (err)
        return err;
    vma_isolate(c, r.start, r.end);
    for (struct vma *v = mm_find_locked(mm, r.start); v && v->start < r.end; v = mm_next_locked(v))
        vma_set_prot(mm, v, prot);
    vma_merge_range(c, r.start, r.end);
    return r.err;
}

/* grown() - PROT_GROWSDOWN: the change begins where the VMA does. Return: 0, -ENOMEM, -EINVAL. */
static int grown(struct mm *mm, uaddr_t *start, uaddr_t end)
{
    const struct vma *v = mm_find_locked(mm, *start);

    if (!v || v->start >= end)
        return -ENOMEM;
    if (!(v->flags & VMA_GROWSDOWN))
        return -EINVAL;
    *start = v->start;
    return 0;
}

int mm_protect(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, u32 prot)
{
    u32 grows = prot & (LX_PROT_GROWSDOWN | LX_PROT_GROWSUP);
    struct mm_change c;
    uaddr_t end;
    int err = 0;

    prot &= ~grows;
    if (grows == (LX_PROT_GROWSDOWN | LX_PROT_GROWSUP) || (addr & ~GUEST_PAGE_MASK))
        return -EINVAL;
    if (!len)
        return 0;
    end = addr + page_up(len);
    if (end <= addr)
        return -ENOMEM;
    if (prot & ~(LX_PROT_RWX | LX_PROT_SEM))
        return -EINVAL;
    err = mm_change_begin(&c, mm, 2);
    if (err)
        return err;
    if (grows == LX_PROT_GROWSUP)
        err = crosses(mm, addr + 1) ? -EINVAL : -ENOMEM; /* nothing grows up here */
    else if (grows)
        err = grown(mm, &addr, end);
    if (!err)
        err = protect_locked(&c, th, addr, end, prot & LX_PROT_RWX);
    mm_change_end(&c);
    return err;
}
