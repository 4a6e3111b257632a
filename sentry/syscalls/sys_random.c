/* getrandom(2). */
#include "sentry/abi/lx_system.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

#define CHUNK 4096u

s64 sys_getrandom(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[2];
    u64 len = min_of(a[1], (u64)LIMIT_RW_BYTES), done = 0;
    u8 buf[CHUNK];

    if (flags & ~(LX_GRND_NONBLOCK | LX_GRND_RANDOM | LX_GRND_INSECURE))
        return -EINVAL;
    if ((flags & LX_GRND_INSECURE) && (flags & LX_GRND_RANDOM))
        return -EINVAL;
    while (done < len) {
        u64 n = min_of(len - done, (u64)CHUNK);
        int rc = host_random(buf, n);
        ssize_t put;

        if (rc < 0)
            return done ? (s64)done : rc;
        put = usermem_write(t->mm, a[0] + done, buf, n);
        if (put > 0)
            done += (u64)put;
        if (put < (ssize_t)n)
            return done ? (s64)done : -EFAULT;
        if (done < len && signal_pending(t))
            break;
    }
    return (s64)done;
}
