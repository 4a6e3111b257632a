/*
 * The only way to guest memory: copies, strings, iovecs. Each argument is read once. Never called
 * under a lock that two guest processes share (lock_rank.def says which may be held).
 */
#pragma once

#include "sentry/base/types.h"

struct mm;

/* usermem_in(), usermem_out() - all of it or -EFAULT (what could be copied out is). */
int usermem_in(struct mm *mm, void *dst, uaddr_t src, size_t len);
int usermem_out(struct mm *mm, uaddr_t dst, const void *src, size_t len);
/* usermem_read(), usermem_write() - as much as there is. Return: bytes, -EFAULT if none. */
ssize_t usermem_read(struct mm *mm, void *dst, uaddr_t src, size_t len);
ssize_t usermem_write(struct mm *mm, uaddr_t dst, const void *src, size_t len);
/* usermem_zero() - clear guest memory. Return: 0, -EFAULT. */
int usermem_zero(struct mm *mm, uaddr_t dst, size_t len);
/* usermem_string() - a NUL-terminated string of at most cap - 1 bytes. Return: its length,
 * -EFAULT, -ENAMETOOLONG (no NUL within cap). */
ssize_t usermem_string(struct mm *mm, char *dst, uaddr_t src, size_t cap);

/* usermem_set_fault_in() - once, at boot: what a copy that ended early asks. fault_in() says whether
 * there is memory at addr now that was not there before; it may take MM locks and order. */
void usermem_set_fault_in(bool (*fault_in)(struct mm *mm, uaddr_t addr));

#define usermem_get(mm, ptr, uaddr) usermem_in((mm), (ptr), (uaddr), sizeof(*(ptr)))
#define usermem_put(mm, uaddr, ptr) usermem_out((mm), (uaddr), (ptr), sizeof(*(ptr)))

/*
 * struct uio: where a read puts or a write finds its bytes: guest memory (mm set) or a buffer of
 * ours (mm NULL). uio_to()/uio_from() advance it.
 */
struct uio_vec {
    uaddr_t base; /* guest address; with mm NULL: (uintptr_t) of our buffer */
    u64 len;
};

struct uio {
    struct mm *mm;
    const struct uio_vec *vec; /* borrowed */
    u32 nvec;
    u64 offset; /* into vec[0] */
    u64 left;   /* bytes to go in all */
    bool append; /* a write that goes to the file's end, wherever its position is */
};

void uio_init(struct uio *u, struct mm *mm, const struct uio_vec *vec, u32 nvec);
/* uio_kernel() - one buffer of ours; `vec` is the caller's storage. */
void uio_kernel(struct uio *u, struct uio_vec *vec, void *buf, size_t len);
/* uio_user() - one guest buffer. */
void uio_user(struct uio *u, struct uio_vec *vec, struct mm *mm, uaddr_t addr, size_t len);
/* uio_to() - copy to the caller's buffers (a read); uio_from() - from them (a write).
 * Return: bytes, short at a fault; -EFAULT if none (0 only for len or left 0). */
ssize_t uio_to(struct uio *u, const void *src, size_t len);
ssize_t uio_from(struct uio *u, void *dst, size_t len);
/* uio_zero() - `len` zero bytes to the caller's buffers. Return: as uio_to(). */
ssize_t uio_zero(struct uio *u, size_t len);

/* usermem_iovec() - read and check a guest's struct iovec array (readv(2): n ≤ 1,024, sum ≤
 * SSIZE_MAX, clipped to MAX_RW_COUNT). *vec: the caller's `fast` of `nfast`, or allocated (free()
 * it when it differs). Return: 0, -EINVAL, -EFAULT, -ENOMEM. */
int usermem_iovec(struct mm *mm, uaddr_t uaddr, u64 n, struct uio_vec *fast, u32 nfast,
                  struct uio_vec **vec);
