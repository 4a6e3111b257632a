/* Bringing data to storage: fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2), and advice. */
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

static s64 sync_fd(struct task *t, u64 fd, bool data_only)
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, fd, &f);

    if (err < 0)
        return err;
    return f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
}

s64 sys_fsync(struct task *t, const u64 a[6])
{
    return sync_fd(t, a[0], false);
}

s64 sys_fdatasync(struct task *t, const u64 a[6])
{
    return sync_fd(t, a[0], true);
}

static int sync_super(struct super *sb)
{
    return sb->ops->sync ? sb->ops->sync(sb) : 0;
}

s64 sys_syncfs(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, a[0], &f);

    return err < 0 ? err : sync_super(f->path.dentry->super);
}

/* next_super() - the super of mount number `i` of the task's namespace, a new reference or NULL. */
static struct super *next_super(struct mount_ns *ns, u32 i)
{
    struct super *sb = NULL;
    struct mount *m;

    rwlock_read(&mounts_lock);
    list_for_each(m, &ns->mounts, in_ns) {
        if (i-- == 0) {
            sb = super_get(m->super);
            break;
        }
    }
    rwlock_unlock(&mounts_lock);
    return sb;
}

s64 sys_sync(struct task *t, const u64 a[6])
{
    struct super *sb;

    for (u32 i = 0; (sb = next_super(t->ns->mount, i)); i++) {
        sync_super(sb);
        super_put(sb);
    }
    return 0;
}

enum { RANGE_WAIT_BEFORE = 1, RANGE_WRITE = 2, RANGE_WAIT_AFTER = 4 };

s64 sys_sync_file_range(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u32 type;
    int err;

    if (a[3] & ~(u64)(RANGE_WAIT_BEFORE | RANGE_WRITE | RANGE_WAIT_AFTER))
        return -EINVAL;
    if ((s64)a[1] < 0 || (s64)a[2] < 0 || (s64)(a[1] + a[2]) < 0)
        return -EINVAL;
    err = arg_fd(t, a[0], &f);
    if (err < 0)
        return err;
    type = f->inode->mode & LX_S_IFMT;
    if (type != LX_S_IFREG && type != LX_S_IFBLK && type != LX_S_IFDIR && type != LX_S_IFLNK)
        return -ESPIPE;
    /* Stronger than asked for: the host can sync whole files only. */
    return f->ops->fsync && (a[3] & RANGE_WAIT_AFTER) ? f->ops->fsync(f, true) : 0;
}

enum { ADVICE_LAST = 5 };

/* posix_fadvise(2): advice that is checked and then not needed, since the page cache is the host's. */
s64 sys_fadvise64(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, a[0], &f);

    if (err < 0)
        return err;
    if ((f->inode->mode & LX_S_IFMT) == LX_S_IFIFO)
        return -ESPIPE;
    return (s64)a[2] < 0 || (u32)a[3] > ADVICE_LAST ? -EINVAL : 0;
}

s64 sys_readahead(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    int err = arg_fd(t, a[0], &f);

    if (err < 0)
        return err;
    if (!file_readable(f))
        return -EBADF;
    return (f->inode->mode & LX_S_IFMT) == LX_S_IFREG ? 0 : -EINVAL;
}
