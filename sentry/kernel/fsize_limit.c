/* RLIMIT_FSIZE (setrlimit(2)); see fsize_limit.h. */
#include "sentry/kernel/fsize_limit.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/task.h"

static u64 limit(void)
{
    return current ? task_rlimit(current, LX_RLIMIT_FSIZE) : RLIM_NONE;
}

static void exceeded(void)
{
    if (current)
        signal_raise(current, LX_SIGXFSZ);
}

void fsize_limit_init(void)
{
    vfs_set_fsize_hook(limit, exceeded);
}
