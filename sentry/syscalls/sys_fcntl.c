/* fcntl(2) and flock(2). */
#include "fs/pipe/pipe.h"
#include "fs/tmpfs/memfd.h"
#include "fs/tty/tty.h"
#include "fs/vfs/file.h"
#include "fs/vfs/locks.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/async_io.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* What F_GETFL hides: flags that open(2) has used up. */
#define OPEN_ONLY (LX_O_CREAT | LX_O_EXCL | LX_O_NOCTTY | LX_O_TRUNC | LX_O_CLOEXEC)

static s64 dup_fd(struct task *t, struct file *f, u64 from, bool cloexec)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);
    s64 rc;

    if ((u32)from >= limit)
        return -EINVAL;
    rc = fd_install(t->files, file_get(f), (s32)from, limit, cloexec);
    if (rc < 0)
        file_put(f);
    return rc;
}

static s64 set_flags(struct task *t, struct file *f, s32 fd, u32 arg)
{
    u32 old = f->flags, fresh;
    int err;

    if ((arg & ~old) & LX_O_NOATIME) {
        const struct cred *c = task_cred(t);

        if (c->fsuid != f->inode->uid && !cred_has_cap(c, f->inode->super->user_ns, LX_CAP_FOWNER))
            return -EPERM;
    }
    if ((arg ^ old) & LX_O_ASYNC) {
        err = async_io_set(f, fd, arg & LX_O_ASYNC, tty_controls(f));
        if (err && err != -ENOTTY)
            return err;
        old = f->flags;
    }
    do {
        fresh = (old & ~LX_O_SETFL) | (arg & LX_O_SETFL);
    } while (!atomic_compare_exchange_weak(&f->flags, &old, fresh));
    return 0;
}

/* --- record locks --- */

/* lock_pid() - a locker's pid as the caller's namespace sees it; 0: not at all. */
static s32 lock_pid(struct task *t, s32 stored)
{
    struct thread_group *tg;
    s32 nr;

    if (stored <= 0)
        return stored;
    tg = pid_find_group(t->tg->container->pid_ns, stored);
    nr = tg ? pid_nr(tg->pid, t->pid->ns) : 0;
    thread_group_put(tg);
    return nr;
}

static s64 get_lock(struct task *t, struct file *f, u64 uaddr, enum file_lock_kind kind)
{
    struct file_lock_range range;
    struct lx_flock fl;
    s64 rc;

    if (usermem_get(t->mm, &fl, uaddr) < 0)
        return -EFAULT;
    if (fl.type != LX_F_RDLCK && fl.type != LX_F_WRLCK)
        return -EINVAL;
    if (kind == FILE_LOCK_OFD && fl.pid)
        return -EINVAL;
    rc = file_lock_range(f, &fl, &range);
    if (rc == 0)
        rc = file_lock_test(f, kind, t->files, &range);
    if (rc < 0)
        return rc;
    fl.type = range.type;
    if (range.type != LX_F_UNLCK) {
        fl.whence = LX_SEEK_SET;
        fl.start = (s64)range.start;
        fl.len = range.end == INT64_MAX ? 0 : (s64)(range.end - range.start + 1);
        fl.pid = lock_pid(t, range.pid);
    }
    return usermem_put(t->mm, uaddr, &fl);
}

static s64 set_lock(struct task *t, struct file *f, u64 uaddr, enum file_lock_kind kind, bool wait)
{
    struct file_lock_range range;
    struct lx_flock fl;
    s64 rc;

    if (usermem_get(t->mm, &fl, uaddr) < 0)
        return -EFAULT;
    if (kind == FILE_LOCK_OFD && fl.pid)
        return -EINVAL;
    rc = file_lock_range(f, &fl, &range);
    if (rc < 0)
        return rc;
    if ((range.type == LX_F_RDLCK && !file_readable(f)) ||
        (range.type == LX_F_WRLCK && !file_writable(f)))
        return -EBADF;
    range.pid = t->tg->pid->numbers[0].nr;
    return file_lock_set(f, kind, t->files, &range, wait);
}

/* --- who gets SIGIO --- */

static s64 set_owner_ex(struct task *t, struct file *f, u64 uaddr)
{
    struct lx_f_owner_ex ex;

    if (usermem_get(t->mm, &ex, uaddr) < 0)
        return -EFAULT;
    if (ex.type < LX_F_OWNER_TID || ex.type > LX_F_OWNER_PGRP)
        return -EINVAL;
    return async_io_set_owner(f, (u32)ex.type, ex.pid);
}

static s64 get_owner_ex(struct task *t, struct file *f, u64 uaddr)
{
    struct lx_f_owner_ex ex;
    u32 type;

    async_io_owner(f, &type, &ex.pid);
    ex.type = (s32)type;
    return usermem_put(t->mm, uaddr, &ex);
}

static s64 get_owner_uids(struct task *t, struct file *f, u64 uaddr)
{
    const struct user_ns *ns = task_cred(t)->user_ns;
    u32 uids[2];

    async_io_owner_uids(f, &uids[0], &uids[1]);
    uids[0] = uid_from_kuid(ns, uids[0]);
    uids[1] = uid_from_kuid(ns, uids[1]);
    return usermem_out(t->mm, uaddr, uids, sizeof(uids));
}

/* fcntl_file() - the commands on the description itself. */
static s64 fcntl_file(struct task *t, struct file *f, s32 fd, u32 cmd, u64 arg)
{
    switch (cmd) {
    case LX_F_SETFL: return set_flags(t, f, fd, (u32)arg);
    case LX_F_GETLK: return get_lock(t, f, arg, FILE_LOCK_POSIX);
    case LX_F_SETLK: return set_lock(t, f, arg, FILE_LOCK_POSIX, false);
    case LX_F_SETLKW: return set_lock(t, f, arg, FILE_LOCK_POSIX, true);
    case LX_F_OFD_GETLK: return get_lock(t, f, arg, FILE_LOCK_OFD);
    case LX_F_OFD_SETLK: return set_lock(t, f, arg, FILE_LOCK_OFD, false);
    case LX_F_OFD_SETLKW: return set_lock(t, f, arg, FILE_LOCK_OFD, true);
    case LX_F_SETOWN: return async_io_set_owner_nr(f, (s32)arg);
    case LX_F_GETOWN: return async_io_owner_nr(f);
    case LX_F_SETOWN_EX: return set_owner_ex(t, f, arg);
    case LX_F_GETOWN_EX: return get_owner_ex(t, f, arg);
    case LX_F_GETOWNER_UIDS: return get_owner_uids(t, f, arg);
    case LX_F_SETSIG: return async_io_set_signal(f, arg);
    case LX_F_GETSIG: return async_io_signal(f);
    case LX_F_GETLEASE: return LX_F_UNLCK;
    /* Without events it ends the notifications of the directory, of which there are never any. */
    case LX_F_NOTIFY: return (u32)arg & ~LX_DN_MULTISHOT ? -EINVAL : 0;
    case LX_F_SETPIPE_SZ: return pipe_set_size(f, (u32)arg, task_cred(t));
    case LX_F_GETPIPE_SZ: return pipe_size(f);
    case LX_F_ADD_SEALS: return memfd_add_seals(f, (u32)arg);
    case LX_F_GET_SEALS: return memfd_seals(f);
    default: return -EINVAL;
    }
}

s64 sys_fcntl(struct task *t, const u64 a[6])
{
    s32 fd = (s32)a[0];
    u32 cmd = (u32)a[1];
    struct file *f;
    s64 rc = arg_fd_path(t, a[0], &f);

    if (rc < 0)
        return rc;
    switch (cmd) {
    case LX_F_DUPFD:
    case LX_F_DUPFD_CLOEXEC: rc = dup_fd(t, f, a[2], cmd == LX_F_DUPFD_CLOEXEC); break;
    case LX_F_GETFD: rc = fd_cloexec(t->files, fd); break;
    case LX_F_SETFD: rc = fd_set_cloexec(t->files, fd, a[2] & LX_FD_CLOEXEC); break;
    case LX_F_GETFL: rc = f->flags & ~OPEN_ONLY; break;
    default: rc = f->flags & LX_O_PATH ? -EBADF : fcntl_file(t, f, fd, cmd, a[2]); break;
    }
    file_put(f);
    return rc;
}

s64 sys_flock(struct task *t, const u64 a[6])
{
    u32 op = (u32)a[1];
    struct file_lock_range range = {.start = 0, .end = INT64_MAX};
    struct file *f;
    s64 rc;

    switch (op & ~(u32)LX_LOCK_NB) {
    case LX_LOCK_SH: range.type = LX_F_RDLCK; break;
    case LX_LOCK_EX: range.type = LX_F_WRLCK; break;
    case LX_LOCK_UN: range.type = LX_F_UNLCK; break;
    default: return -EINVAL;
    }
    range.pid = t->tg->pid->numbers[0].nr;
    rc = arg_fd(t, a[0], &f);
    if (rc < 0)
        return rc;
    if (range.type != LX_F_UNLCK && !file_readable(f) && !file_writable(f))
        rc = -EBADF;
    else
        rc = file_lock_set(f, FILE_LOCK_FLOCK, NULL, &range, !(op & LX_LOCK_NB));
    file_put(f);
    return rc;
}
