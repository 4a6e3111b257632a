/* reboot(2), as a process in a pid namespace of its own has it: the end of the namespace's init. */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_system.h"
#include "sentry/kernel/container.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

static bool magic_valid(u32 first, u32 second)
{
    return first == LX_REBOOT_MAGIC1 &&
           (second == LX_REBOOT_MAGIC2 || second == LX_REBOOT_MAGIC2A ||
            second == LX_REBOOT_MAGIC2B || second == LX_REBOOT_MAGIC2C);
}

s64 sys_reboot(struct task *t, const u64 a[6])
{
    if (!cred_has_cap(task_cred(t), t->pid->ns->user_ns, LX_CAP_SYS_BOOT))
        return -EPERM;
    if (!magic_valid((u32)a[0], (u32)a[1]))
        return -EINVAL;
    switch ((u32)a[2]) {
    case LX_REBOOT_CMD_RESTART:
    case LX_REBOOT_CMD_RESTART2:
    case LX_REBOOT_CMD_HALT:
    case LX_REBOOT_CMD_POWER_OFF: return container_kill(t->tg->container, LX_SIGKILL, false);
    default: return -EINVAL;
    }
}
