/* The newer futex calls: futex_waitv(2), futex_wake, futex_wait, futex_requeue. */
#include "sentry/abi/lx_time.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/clock.h"
#include "sentry/kernel/futex.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define LX_FUTEX2_SIZE_MASK 3u
#define LX_FUTEX2_SIZE_U32  2u
#define LX_FUTEX2_PRIVATE   128u

enum { WAITV_MAX = 128 };

struct lx_futex_waitv {
    u64 val, uaddr;
    u32 flags, reserved;
};

_Static_assert(sizeof(struct lx_futex_waitv) == 24, "struct futex_waitv is 24 bytes");

/* valid_flags() - words of 32 bits, without the placement on memory nodes that this machine lacks. */
static bool valid_flags(u32 flags)
{
    return (flags & LX_FUTEX2_SIZE_MASK) == LX_FUTEX2_SIZE_U32 &&
           !(flags & ~(LX_FUTEX2_SIZE_MASK | LX_FUTEX2_PRIVATE));
}

static bool fits(u64 v)
{
    return v <= UINT32_MAX;
}

/* arg_words() - n elements at uaddr. Return: 0, -EFAULT, -EINVAL. */
static int arg_words(struct task *t, u64 uaddr, struct futex_word *out, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        struct lx_futex_waitv v;

        if (usermem_get(t->mm, &v, uaddr + i * sizeof(v)) < 0)
            return -EFAULT;
        if (!valid_flags(v.flags) || v.reserved || !fits(v.val))
            return -EINVAL;
        out[i] = (struct futex_word){v.uaddr, (u32)v.val, !(v.flags & LX_FUTEX2_PRIVATE)};
    }
    return 0;
}

/* arg_deadline() - an absolute time of one of two clocks; none: never. Return: 0, -EINVAL, -EFAULT. */
static int arg_deadline(struct task *t, u64 uaddr, s32 clock, u64 *deadline)
{
    u64 ns;
    int rc;

    *deadline = DEADLINE_NEVER;
    if (!uaddr)
        return 0;
    if (clock != LX_CLOCK_REALTIME && clock != LX_CLOCK_MONOTONIC)
        return -EINVAL;
    rc = arg_timespec(t, uaddr, &ns);
    if (rc == 0)
        *deadline = clock_deadline(clock, ns);
    return rc;
}

s64 sys_futex_waitv(struct task *t, const u64 a[6])
{
    auto_free struct futex_word *words = NULL;
    u32 n = (u32)a[1];
    u64 deadline;
    int rc;

    if ((u32)a[2] || !n || n > WAITV_MAX || !a[0])
        return -EINVAL;
    rc = arg_deadline(t, a[3], (s32)a[4], &deadline);
    if (rc < 0)
        return rc;
    words = calloc(n, sizeof(*words));
    if (!words)
        return -ENOMEM;
    rc = arg_words(t, a[0], words, n);
    return rc < 0 ? rc : futex_wait_any(t, words, n, deadline);
}

s64 sys_futex_wake(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[3];

    if (!valid_flags(flags) || !fits(a[1]) || !a[1])
        return -EINVAL;
    return futex_wake(t->mm, a[0], (s32)a[2], (u32)a[1], !(flags & LX_FUTEX2_PRIVATE));
}

s64 sys_futex_wait(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[3];
    u64 deadline;
    int rc;

    if (!valid_flags(flags) || !fits(a[1]) || !fits(a[2]) || !a[2])
        return -EINVAL;
    rc = arg_deadline(t, a[4], (s32)a[5], &deadline);
    if (rc < 0)
        return rc;
    return futex_wait(t, a[0], (u32)a[1], (u32)a[2], !(flags & LX_FUTEX2_PRIVATE), deadline);
}

s64 sys_futex_requeue(struct task *t, const u64 a[6])
{
    struct futex_word words[2];
    int rc;

    if ((u32)a[1] || !a[0])
        return -EINVAL;
    rc = arg_words(t, a[0], words, 2);
    return rc < 0 ? rc : futex_requeue_words(t, words, (s32)a[2], (s32)a[3]);
}
