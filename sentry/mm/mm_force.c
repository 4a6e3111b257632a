/*
 * A debugger's look into memory: what mprotect(2) could make accessible is, for one copy. Linux does
 * it by the page table alone (FOLL_FORCE); here the page is made accessible to its own process for a
 * moment, with nothing taken away, so that its other threads don't notice.
 *
 * Only a private mapping is written so: a page of it is a copy, and a file stays as it is.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

/* may_force() - has the mapping what `wanted` asks, or could it have? */
static bool may_force(const struct vma *v, u32 wanted)
{
    if ((v->prot & wanted) == wanted)
        return true;
    if ((wanted & LX_PROT_WRITE) && !(v->prot & LX_PROT_WRITE) && (v->flags & VMA_SHARED))
        return false;
    return (v->may_prot & wanted) == wanted && !(v->flags & VMA_SPECIAL);
}

/* force_piece() - within one page. mm->lock is held over the copy: it is what keeps the protection
 * that is put back the right one, and nothing but the copy waits for the host. */
static int force_piece(struct mm *mm, struct plat_thread *th, uaddr_t addr, void *buf, size_t len,
                       bool write)
{
    u32 wanted = LX_PROT_READ | (write ? LX_PROT_WRITE : 0);
    uaddr_t page = addr & GUEST_PAGE_MASK;
    struct vma *v = mm_find_locked(mm, addr);
    ssize_t n;
    int err;

    if (!v || v->start > addr || !may_force(v, wanted))
        return -EFAULT;
    err = mm->platform->protect(th, page, GUEST_PAGE_SIZE, v->prot | wanted);
    if (err)
        return err;
    /* Not by usermem, which would take the lock to let a stack grow. */
    n = write ? mm->platform->copy_out(mm->plat, addr, buf, len)
              : mm->platform->copy_in(mm->plat, buf, addr, len);
    mm->platform->protect(th, page, GUEST_PAGE_SIZE, v->prot);
    return n == (ssize_t)len ? 0 : -EFAULT;
}

int mm_force(struct mm *mm, struct plat_thread *th, uaddr_t addr, void *buf, size_t len, bool write)
{
    u8 *at = buf;
    int err = 0;

    rwlock_write(&mm->lock);
    while (len && !err) {
        size_t n = min_of(len, (size_t)(GUEST_PAGE_SIZE - (addr & ~GUEST_PAGE_MASK)));

        err = force_piece(mm, th, addr, at, n, write);
        addr += n;
        at += n;
        len -= n;
    }
    rwlock_unlock(&mm->lock);
    return err;
}
