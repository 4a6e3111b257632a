/* Namespaces: unshare(2), setns(2). */
#include "fs/nsfs/nsfs.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_unshare(struct task *t, const u64 a[6])
{
    return ns_unshare(t, a[0]);
}

s64 sys_setns(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    enum ns_kind kind;
    struct obj *ns;
    int err = arg_fd(t, a[0], &f);

    if (err)
        return err;
    ns = nsfs_of(f, &kind);
    if (!ns || ((s32)a[1] && (u64)(u32)a[1] != ns_flag(kind)))
        return -EINVAL;
    return ns_enter(t, kind, ns);
}
