/* /sys/devices/system/node: a container sees one memory node, with all CPUs and all memory. */
#include "fs/sys/sys_priv.h"

#include "sentry/kernel/machine.h"

#include <string.h>

static int show_zero(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0\n");
    return 0;
}

static int show_distance(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "10\n");
    return 0;
}

static int show_cpu_list(const struct proc_node *n, struct proc_text *out)
{
    u64 all[MACHINE_CPUS_MAX / 64];

    memset(all, 0xff, sizeof(all));
    proc_put_cpu_list(out, all, sys_cpus());
    return 0;
}

static int show_cpu_map(const struct proc_node *n, struct proc_text *out)
{
    u64 all[MACHINE_CPUS_MAX / 64];

    memset(all, 0xff, sizeof(all));
    proc_put_cpu_mask(out, all, sys_cpus());
    return 0;
}

static const struct proc_entry node0_children[] = {
    {.name = "cpulist", .mode = SYS_FILE, .show = show_cpu_list},
    {.name = "cpumap", .mode = SYS_FILE, .show = show_cpu_map},
    {.name = "distance", .mode = SYS_FILE, .show = show_distance},
    {.name = "meminfo", .mode = SYS_FILE, .show = proc_show_node_meminfo},
    {0},
};

const struct proc_entry sys_node_children[] = {
    {.name = "has_cpu", .mode = SYS_FILE, .show = show_zero},
    {.name = "has_memory", .mode = SYS_FILE, .show = show_zero},
    {.name = "has_normal_memory", .mode = SYS_FILE, .show = show_zero},
    {.name = "node0", .mode = SYS_DIR, .children = node0_children},
    {.name = "online", .mode = SYS_FILE, .show = show_zero},
    {.name = "possible", .mode = SYS_FILE, .show = show_zero},
    {0},
};
