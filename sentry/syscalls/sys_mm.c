/*
 * Memory: mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), msync(2), mincore(2), the
 * mlock(2) family, membarrier(2).
 */
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_thread.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* file_may_prot() - what mprotect(2) may ever make of a mapping of this description. */
static u32 file_may_prot(const struct file *f)
{
    bool noexec = f->path.mount && (f->path.mount->flags & LX_MS_NOEXEC);

    return (file_readable(f) ? LX_PROT_READ : 0) | (file_writable(f) ? LX_PROT_WRITE : 0) |
           (noexec ? 0 : LX_PROT_EXEC);
}

/* implied() - the personality with which readable memory is executable. */
static u32 implied(const struct task *t, u32 prot, u32 may_prot)
{
    bool exec = (t->personality & LX_PER_READ_IMPLIES_EXEC) && (prot & LX_PROT_READ);

    return exec ? prot | (may_prot & LX_PROT_EXEC) : prot;
}

/* mmap_anonymous() - /dev/zero: what is mapped is anonymous memory, by the file's rights. */
static int mmap_anonymous(struct mm_map_args *args)
{
    u32 type = args->flags & LX_MAP_TYPE;
    bool shared = type == LX_MAP_SHARED || type == LX_MAP_SHARED_VALIDATE;
    u32 needed = LX_PROT_READ | (shared ? args->prot & LX_PROT_WRITE : 0);

    if (needed & ~args->may_prot)
        return -EACCES;
    if (shared)
        args->flags = (args->flags & ~LX_MAP_TYPE) | LX_MAP_SHARED;
    args->flags |= LX_MAP_ANONYMOUS;
    args->mappable = NULL;
    return 0;
}

s64 sys_mmap(struct task *t, const u64 a[6])
{
    struct mm_map_args args = {
        .addr = a[0],
        .len = a[1],
        .prot = (u32)a[2],
        .flags = (u32)a[3],
        .offset = a[5],
        .may_prot = LX_PROT_RWX,
    };
    auto_put(file) struct file *f = NULL;
    uaddr_t out;
    int err;

    if (args.offset & ~GUEST_PAGE_MASK)
        return -EINVAL;
    if (!(args.flags & LX_MAP_ANONYMOUS)) {
        err = arg_fd(t, a[4], &f);
        if (err)
            return err;
        args.mappable = &f->mappable;
        args.may_prot = file_may_prot(f);
    }
    args.prot = implied(t, args.prot, args.may_prot);
    err = f && f->map_anonymous ? mmap_anonymous(&args) : 0;
    if (err)
        return err;
    err = mm_map(task_own_mm(t), t->thread, &args, &out);
    return err ? err : (s64)out;
}

s64 sys_munmap(struct task *t, const u64 a[6])
{
    return mm_unmap(t->mm, t->thread, a[0], a[1]);
}

s64 sys_mprotect(struct task *t, const u64 a[6])
{
    return mm_protect(task_own_mm(t), t->thread, a[0], a[1], implied(t, (u32)a[2], LX_PROT_EXEC));
}

s64 sys_mremap(struct task *t, const u64 a[6])
{
    uaddr_t out;
    int err = mm_remap(task_own_mm(t), t->thread, a[0], a[1], a[2], (u32)a[3], a[4], &out);

    return err ? err : (s64)out;
}

s64 sys_madvise(struct task *t, const u64 a[6])
{
    return mm_advise(t->mm, t->thread, a[0], a[1], (int)a[2]);
}

s64 sys_brk(struct task *t, const u64 a[6])
{
    return (s64)mm_brk(task_own_mm(t), t->thread, a[0]);
}

s64 sys_msync(struct task *t, const u64 a[6])
{
    return mm_msync(t->mm, t->thread, a[0], a[1], (int)a[2]);
}

s64 sys_mincore(struct task *t, const u64 a[6])
{
    return mm_mincore(t->mm, a[0], a[1], a[2]);
}

s64 sys_mlock(struct task *t, const u64 a[6])
{
    return mm_lock(task_own_mm(t), t->thread, a[0], a[1], VMA_LOCKED);
}

s64 sys_mlock2(struct task *t, const u64 a[6])
{
    u32 onfault = (u32)a[2] & LX_MLOCK_ONFAULT ? VMA_LOCKONFAULT : 0;

    if ((u32)a[2] & ~LX_MLOCK_ONFAULT)
        return -EINVAL;
    return mm_lock(task_own_mm(t), t->thread, a[0], a[1], VMA_LOCKED | onfault);
}

s64 sys_munlock(struct task *t, const u64 a[6])
{
    return mm_lock(t->mm, t->thread, a[0], a[1], 0);
}

s64 sys_mlockall(struct task *t, const u64 a[6])
{
    int flags = (int)a[0];
    u32 onfault = flags & LX_MCL_ONFAULT ? VMA_LOCKONFAULT : 0;

    if (!flags || (flags & ~(LX_MCL_CURRENT | LX_MCL_FUTURE | LX_MCL_ONFAULT)) ||
        flags == LX_MCL_ONFAULT)
        return -EINVAL;
    return mm_lock_all(task_own_mm(t), t->thread, flags & LX_MCL_CURRENT, flags & LX_MCL_FUTURE,
                       VMA_LOCKED | onfault);
}

s64 sys_munlockall(struct task *t, const u64 a[6])
{
    return mm_unlock_all(t->mm);
}

/* --- membarrier(2) --- */

#define MEMBARRIER_PRIVATE \
    (LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED | LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE)
#define MEMBARRIER_COMMANDS                                             \
    (LX_MEMBARRIER_CMD_GLOBAL | LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED |    \
     LX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_PRIVATE | \
     LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                     \
     LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

/* register_private() - a command of the table is its own bit; its registration is the one above. */
static s64 register_private(struct task *t, int cmd)
{
    int err = t->mm->platform->barrier(t->thread, cmd);

    if (!err)
        atomic_fetch_or(&t->mm->membarriers, (u32)cmd >> 1);
    return err;
}

static s64 private_barrier(struct task *t, int cmd)
{
    if (!(atomic_load(&t->mm->membarriers) & (u32)cmd))
        return -EPERM;
    /* A task that is alone with its memory is in order with itself. */
    if (cmd == LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED && atomic_load(&t->mm->obj.count) == 1)
        return 0;
    return t->mm->platform->barrier(t->thread, cmd);
}

/*
 * A private barrier is the host's, made by the task's own host thread: the process is one there too.
 * A global one is made here and covers each thread of the machine, so those of the guest, whoever
 * runs them.
 */
s64 sys_membarrier(struct task *t, const u64 a[6])
{
    int cmd = (int)a[0];

    if ((u32)a[1])
        return -EINVAL;
    switch (cmd) {
    case LX_MEMBARRIER_CMD_QUERY: return host_membarrier(true) ? 0 : MEMBARRIER_COMMANDS;
    case LX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: return 0;
    case LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: return register_private(t, cmd);
    case LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE: return private_barrier(t, cmd);
    case LX_MEMBARRIER_CMD_GLOBAL:
    case LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED: return host_membarrier(false);
    default: return -EINVAL;
    }
}
