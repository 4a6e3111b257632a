/*
 * struct uio: the caller's side of a read or write, guest memory or a buffer of ours, as a list of
 * ranges with a position. A copy that faults half-way leaves the position behind the last byte that
 * was copied.
 */
#include "sentry/base/limits.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/mm_priv.h"
#include "sentry/mm/usermem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void uio_init(struct uio *u, struct mm *mm, const struct uio_vec *vec, u32 nvec)
{
    *u = (struct uio){.mm = mm, .vec = vec, .nvec = nvec};
    for (u32 i = 0; i < nvec; i++)
        u->left += vec[i].len;
}

void uio_kernel(struct uio *u, struct uio_vec *vec, void *buf, size_t len)
{
    *vec = (struct uio_vec){.base = (uintptr_t)buf, .len = len};
    uio_init(u, NULL, vec, 1);
}

void uio_user(struct uio *u, struct uio_vec *vec, struct mm *mm, uaddr_t addr, size_t len)
{
    *vec = (struct uio_vec){.base = addr, .len = len};
    uio_init(u, mm, vec, 1);
}

/* uio_piece() - the next unbroken range, at most `len` long. Return: its length, 0 at the end. */
static size_t uio_piece(struct uio *u, size_t len, uaddr_t *base)
{
    while (u->nvec && u->offset == u->vec->len) {
        u->vec++;
        u->nvec--;
        u->offset = 0;
    }
    if (!u->nvec)
        return 0;
    *base = u->vec->base + u->offset;
    return min_of(len, (size_t)(u->vec->len - u->offset));
}

static void uio_advance(struct uio *u, size_t n)
{
    u->offset += n;
    u->left -= n;
}

/* One piece in one of three ways; `at` is a guest address or, with no mm, one of ours. */
static ssize_t piece_to(struct uio *u, uaddr_t at, const void *src, size_t n)
{
    if (u->mm)
        return usermem_write(u->mm, at, src, n);
    memcpy((void *)(uintptr_t)at, src, n);
    return (ssize_t)n;
}

static ssize_t piece_from(struct uio *u, uaddr_t at, void *dst, size_t n)
{
    if (u->mm)
        return usermem_read(u->mm, dst, at, n);
    memcpy(dst, (const void *)(uintptr_t)at, n);
    return (ssize_t)n;
}

static ssize_t piece_zero(struct uio *u, uaddr_t at, size_t n)
{
    if (u->mm)
        return usermem_write_zeros(u->mm, at, n);
    memset((void *)(uintptr_t)at, 0, n);
    return (ssize_t)n;
}

ssize_t uio_to(struct uio *u, const void *src, size_t len)
{
    size_t done = 0, n;
    uaddr_t at;

    while (done < len && (n = uio_piece(u, len - done, &at))) {
        ssize_t r = piece_to(u, at, (const u8 *)src + done, n);

        if (r <= 0)
            return done ? (ssize_t)done : -EFAULT;
        uio_advance(u, (size_t)r);
        done += (size_t)r;
    }
    return (ssize_t)done;
}

ssize_t uio_from(struct uio *u, void *dst, size_t len)
{
    size_t done = 0, n;
    uaddr_t at;

    while (done < len && (n = uio_piece(u, len - done, &at))) {
        ssize_t r = piece_from(u, at, (u8 *)dst + done, n);

        if (r <= 0)
            return done ? (ssize_t)done : -EFAULT;
        uio_advance(u, (size_t)r);
        done += (size_t)r;
    }
    return (ssize_t)done;
}

ssize_t uio_zero(struct uio *u, size_t len)
{
    size_t done = 0, n;
    uaddr_t at;

    while (done < len && (n = uio_piece(u, len - done, &at))) {
        ssize_t r = piece_zero(u, at, n);

        if (r <= 0)
            return done ? (ssize_t)done : -EFAULT;
        uio_advance(u, (size_t)r);
        done += (size_t)r;
    }
    return (ssize_t)done;
}

/* struct iovec of the 64-bit ABI. */
struct lx_iovec {
    u64 base, len;
};

/* iovec_check() - clip the sum to MAX_RW_COUNT. Return: 0, -EINVAL (a negative length). */
static int iovec_check(struct uio_vec *vec, u32 n)
{
    u64 total = 0;

    for (u32 i = 0; i < n; i++) {
        if ((s64)vec[i].len < 0)
            return -EINVAL;
        vec[i].len = min_of(vec[i].len, (u64)LIMIT_RW_BYTES - total);
        total += vec[i].len;
    }
    return 0;
}

int usermem_iovec(struct mm *mm, uaddr_t uaddr, u64 n, struct uio_vec *fast, u32 nfast,
                  struct uio_vec **vec)
{
    struct uio_vec *v = fast;
    int err;

    _Static_assert(sizeof(struct uio_vec) == sizeof(struct lx_iovec), "read in place");
    _Static_assert(offsetof(struct uio_vec, len) == offsetof(struct lx_iovec, len), "likewise");

    if (n > LIMIT_IOV)
        return -EINVAL;
    if (n > nfast) {
        v = calloc(n, sizeof(*v));
        if (!v)
            return -ENOMEM;
    }
    err = n ? usermem_in(mm, v, uaddr, n * sizeof(*v)) : 0;
    if (!err)
        err = iovec_check(v, (u32)n);
    if (err) {
        if (v != fast)
            free(v);
        return err;
    }
    *vec = v;
    return 0;
}
