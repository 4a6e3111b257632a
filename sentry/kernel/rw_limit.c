/* RLIMIT_FSIZE; see rw_limit.h. */
#include "sentry/kernel/rw_limit.h"

#include "sentry/kernel/task.h"

#include <errno.h>

int rw_limit_size(struct task *t, u64 size)
{
    if (likely(size <= task_rlimit(t, LX_RLIMIT_FSIZE)))
        return 0;
    signal_raise(t, LX_SIGXFSZ);
    return -EFBIG;
}

int rw_limit_clip(struct task *t, struct file *f, const s64 *pos, struct uio *from)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_FSIZE), at;

    if (likely(limit == RLIM_NONE) || !LX_S_ISREG(f->inode->mode) || !from->left)
        return 0;
    if (f->flags & LX_O_APPEND)
        at = f->inode->size;
    else
        at = (u64)(pos ? *pos : f->pos);
    if (at >= limit)
        return rw_limit_size(t, UINT64_MAX);
    from->left = min_of(from->left, limit - at);
    return 0;
}
