/* arch_prctl(2), personality(2). */
#include "sentry/kernel/container.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

enum {
    ARCH_SET_GS = 0x1001,
    ARCH_SET_FS = 0x1002,
    ARCH_GET_FS = 0x1003,
    ARCH_GET_GS = 0x1004,
    ARCH_GET_CPUID = 0x1011,
    ARCH_SET_CPUID = 0x1012,
};

s64 sys_arch_prctl(struct task *t, const u64 a[6])
{
    struct arch_regs *r = t->tg->container->platform->regs(t->thread);

    switch ((s32)a[0]) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (a[1] >= PLAT_TASK_SIZE)
            return -EPERM;
        *((s32)a[0] == ARCH_SET_FS ? &r->fs_base : &r->gs_base) = a[1];
        return 0;
    case ARCH_GET_FS:
        return usermem_put(t->mm, a[1], &r->fs_base);
    case ARCH_GET_GS:
        return usermem_put(t->mm, a[1], &r->gs_base);
    case ARCH_GET_CPUID:
        return 1;
    case ARCH_SET_CPUID:
        return -ENODEV; /* as on a CPU that can't fault on cpuid */
    default:
        return -EINVAL;
    }
}

s64 sys_personality(struct task *t, const u64 a[6])
{
    u32 old = t->personality;

    if ((u32)a[0] != UINT32_MAX)
        t->personality = (u32)a[0];
    return old;
}
