/*
 * Copies from and to guest memory over the platform of an address space. Whatever range a guest
 * names is first cut to [PLAT_GUEST_MIN, PLAT_TASK_SIZE), so that no copy reaches the stub; what is
 * mapped inside that range and with which protection is for the host kernel to say.
 */
#include "sentry/mm/usermem.h"

#include "sentry/mm/mm.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <string.h>

/* Clears go out from here; never written, so it costs no memory. */
static u8 zeros[16 * GUEST_PAGE_SIZE];

/* clip() - how much of [addr, addr + len) may be touched at all: from addr on, without a gap. */
static size_t clip(uaddr_t addr, size_t len)
{
    if (addr < PLAT_GUEST_MIN || addr >= PLAT_TASK_SIZE)
        return 0;
    return min_of(len, (size_t)(PLAT_TASK_SIZE - addr));
}

static bool nothing_comes(struct mm *mm, uaddr_t addr)
{
    (void)mm, (void)addr;
    return false;
}

static bool (*fault_in)(struct mm *mm, uaddr_t addr) = nothing_comes;

void usermem_set_fault_in(bool (*fn)(struct mm *mm, uaddr_t addr))
{
    fault_in = fn;
}

/* copy_once() - to guest memory (`out`) or from it. */
static ssize_t copy_once(struct mm *mm, bool out, void *buf, uaddr_t at, size_t n)
{
    return out ? mm->platform->copy_out(mm->plat, at, buf, n)
               : mm->platform->copy_in(mm->plat, buf, at, n);
}

/* copy() - as far as memory goes, also where it comes only when it is asked for. */
static ssize_t copy(struct mm *mm, bool out, void *buf, uaddr_t at, size_t len)
{
    size_t n = clip(at, len), done;
    ssize_t r;

    if (!len)
        return 0;
    if (!n)
        return -EFAULT;
    r = copy_once(mm, out, buf, at, n);
    if (likely(r == (ssize_t)n))
        return r;
    for (done = r > 0 ? (size_t)r : 0; done < n && fault_in(mm, at + done); done += (size_t)r) {
        r = copy_once(mm, out, (u8 *)buf + done, at + done, n - done);
        if (r <= 0)
            break;
    }
    return done ? (ssize_t)done : r;
}

ssize_t usermem_read(struct mm *mm, void *dst, uaddr_t src, size_t len)
{
    return copy(mm, false, dst, src, len);
}

ssize_t usermem_write(struct mm *mm, uaddr_t dst, const void *src, size_t len)
{
    return copy(mm, true, (void *)(uintptr_t)src, dst, len);
}

int usermem_in(struct mm *mm, void *dst, uaddr_t src, size_t len)
{
    if (clip(src, len) != len)
        return -EFAULT;
    return usermem_read(mm, dst, src, len) == (ssize_t)len ? 0 : -EFAULT;
}

int usermem_out(struct mm *mm, uaddr_t dst, const void *src, size_t len)
{
    return usermem_write(mm, dst, src, len) == (ssize_t)len ? 0 : -EFAULT;
}

ssize_t usermem_write_zeros(struct mm *mm, uaddr_t dst, size_t len)
{
    return usermem_write(mm, dst, zeros, min_of(len, sizeof(zeros)));
}

int usermem_zero(struct mm *mm, uaddr_t dst, size_t len)
{
    while (len) {
        ssize_t n = usermem_write_zeros(mm, dst, len);

        if (n <= 0)
            return -EFAULT;
        dst += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

ssize_t usermem_string(struct mm *mm, char *dst, uaddr_t src, size_t cap)
{
    size_t done = 0;

    /* Page by page: a string may end right before an unmapped page. Each byte is read once. */
    while (done < cap) {
        size_t page_left = GUEST_PAGE_SIZE - (src & (GUEST_PAGE_SIZE - 1));
        ssize_t n = usermem_read(mm, dst + done, src, min_of(cap - done, page_left));
        const char *end;

        if (n <= 0)
            return -EFAULT;
        end = memchr(dst + done, '\0', (size_t)n);
        if (end)
            return end - dst;
        done += (size_t)n;
        src += (size_t)n;
    }
    return -ENAMETOOLONG;
}
