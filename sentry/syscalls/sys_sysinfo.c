/* sysinfo(2). */
#include "sentry/abi/lx_system.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/usage.h"
#include "sentry/syscalls/syscall.h"

s64 sys_sysinfo(struct task *t, const u64 a[6])
{
    struct container *c = t->tg->container;
    struct lx_sysinfo info = {.mem_unit = 1};
    struct usage_tasks tasks;

    info.uptime = (s64)(host_clock(CLOCK_BOOTTIME) / NS_PER_SEC);
    usage_load(t->pid->ns, info.loads);
    usage_tasks(t->pid->ns, &tasks);
    info.procs = (u16)min_of(tasks.total, (u32)UINT16_MAX);
    container_memory(c, &info.totalram, &info.freeram);
    return usermem_put(t->mm, a[0], &info);
}
