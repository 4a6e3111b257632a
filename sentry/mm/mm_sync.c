/* msync(2) and mincore(2). */
#include "sentry/abi/lx_mm.h"
#include "sentry/mm/mm_priv.h"
#include "sentry/mm/observer.h"

#include <errno.h>
#include <string.h>

#define PAGEMAP_PRESENT 63   /* bit of a word */
#define MINCORE_CHUNK   1024 /* pages whose answer is written at once */

/*
 * sync_piece() - the part of [*at, end) that lies in one VMA; *at moves behind it. The lock is
 * dropped between pieces, since the host may write for long. Return: 0, errno; *holes is set.
 */
static int sync_piece(struct mm *mm, struct plat_thread *th, uaddr_t *at, uaddr_t end, int flags,
                      bool *holes)
{
    struct vma *v;
    uaddr_t to;
    int err = 0;

    rwlock_write(&mm->lock);
    v = mm_find_locked(mm, *at);
    if (!v || v->start >= end) {
        *holes = true;
        *at = end;
        rwlock_unlock(&mm->lock);
        return 0;
    }
    if (v->start > *at) {
        *holes = true;
        *at = v->start;
    }
    to = min_of(v->end, end);
    if ((flags & LX_MS_INVALIDATE) && (v->flags & VMA_LOCKED))
        err = -EBUSY;
    else if ((flags & LX_MS_SYNC) && v->mappable && (v->flags & VMA_SHARED))
        err = mm->platform->sync(th, *at, to - *at, LX_MS_SYNC);
    *at = to;
    rwlock_unlock(&mm->lock);
    return err;
}

int mm_msync(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, int flags)
{
    uaddr_t end = addr + page_up(len);
    bool holes = false;
    int err = 0;

    if ((flags & ~(LX_MS_ASYNC | LX_MS_INVALIDATE | LX_MS_SYNC)) || (addr & ~GUEST_PAGE_MASK) ||
        (flags & (LX_MS_ASYNC | LX_MS_SYNC)) == (LX_MS_ASYNC | LX_MS_SYNC))
        return -EINVAL;
    if (end < addr)
        return -ENOMEM;
    while (addr < end && !err)
        err = sync_piece(mm, th, &addr, end, flags, &holes);
    if (err)
        return err;
    return holes ? -ENOMEM : 0;
}

/* covered() - is all of [start, end) mapped? */
static bool covered(struct mm *mm, uaddr_t start, uaddr_t end)
{
    bool all;

    rwlock_read(&mm->lock);
    all = vma_overlap(mm, start, end) == end - start;
    rwlock_unlock(&mm->lock);
    return all;
}

/* mark_private() - which of n pages from addr on are nobody else's: 2 in `answer`. */
static void mark_private(struct mm *mm, uaddr_t addr, u64 n, u8 *answer)
{
    uaddr_t end = addr + (n << GUEST_PAGE_SHIFT);

    rwlock_read(&mm->lock);
    for (struct vma *v = mm_find_locked(mm, addr); v && v->start < end; v = mm_next_locked(v)) {
        u64 from = (max_of(v->start, addr) - addr) >> GUEST_PAGE_SHIFT;
        u64 to = (min_of(v->end, end) - addr) >> GUEST_PAGE_SHIFT;

        if (!v->mappable && !(v->flags & VMA_SPECIAL))
            memset(answer + from, 2, to - from);
    }
    rwlock_unlock(&mm->lock);
}

/* resident() - Linux's answer for n pages from addr on, a byte each: for private memory, whether the
 * host has it; pages of files and of shared memory count as cached. */
static void resident(struct mm *mm, uaddr_t addr, u64 n, u8 *answer)
{
    u64 words[MINCORE_CHUNK];

    memset(answer, 1, n);
    mark_private(mm, addr, n, answer);
    if (!memchr(answer, 2, n) || observer_pagemap(mm, addr, words, (u32)n) < 0) {
        memset(answer, 1, n);
        return;
    }
    for (u64 i = 0; i < n; i++)
        if (answer[i] == 2)
            answer[i] = words[i] >> PAGEMAP_PRESENT & 1;
}

int mm_mincore(struct mm *mm, uaddr_t addr, u64 len, uaddr_t vec)
{
    u8 answer[MINCORE_CHUNK];
    u64 pages = page_up(len) >> GUEST_PAGE_SHIFT;

    if (addr & ~GUEST_PAGE_MASK)
        return -EINVAL;
    if (addr > PLAT_TASK_SIZE || len > PLAT_TASK_SIZE - addr)
        return -ENOMEM;
    while (pages) {
        u64 n = min_of(pages, (u64)MINCORE_CHUNK);
        int err;

        if (!covered(mm, addr, addr + (n << GUEST_PAGE_SHIFT)))
            return -ENOMEM;
        resident(mm, addr, n, answer);
        err = usermem_out(mm, vec, answer, n);
        if (err)
            return err;
        addr += n << GUEST_PAGE_SHIFT;
        vec += n;
        pages -= n;
    }
    return 0;
}
