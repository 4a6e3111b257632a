/* /proc: texts about the system as the container sees it. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/mount.h"
#include "sentry/base/host_thread.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/uname.h"
#include "sentry/kernel/usage.h"
#include "sentry/oci/oci_spec.h"

#include <stdio.h>

#define TICK_NS (NS_PER_SEC / 100) /* USER_HZ */

/* reader() - the container of who reads; NULL while the Sentry itself does. */
static struct container *reader(void)
{
    return current ? current->tg->container : NULL;
}

static u32 reader_cpus(void)
{
    return reader() ? container_cpus(reader()) : machine_cpus();
}

int proc_show_version(const struct proc_node *n, struct proc_text *out)
{
    char release[UNAME_RELEASE];

    uname_release(reader(), release);
    proc_printf(out, "%s version %s %s\n", UNAME_SYSNAME, release, UNAME_VERSION);
    return 0;
}

/* put_seconds() - a time with two decimals. */
static void put_seconds(struct proc_text *out, u64 ns, char end)
{
    proc_printf(out, "%lu.%02lu%c", (unsigned long)(ns / NS_PER_SEC),
                (unsigned long)(ns % NS_PER_SEC / TICK_NS), end);
}

/* idle_total() - what all CPUs had left since boot, in ns. */
static u64 idle_total(u64 busy)
{
    u64 all = host_clock(CLOCK_BOOTTIME) * reader_cpus();

    return all - min_of(busy, all);
}

int proc_show_uptime(const struct proc_node *n, struct proc_text *out)
{
    u64 u, s;

    usage_cpu(n->ns, &u, &s);
    put_seconds(out, host_clock(CLOCK_BOOTTIME), ' ');
    put_seconds(out, idle_total(u + s), '\n');
    return 0;
}

int proc_show_loadavg(const struct proc_node *n, struct proc_text *out)
{
    struct usage_tasks tasks;
    u64 load[3];
    s32 last;

    usage_load(n->ns, load);
    usage_tasks(n->ns, &tasks);
    for (int i = 0; i < 3; i++) {
        u64 hundredths = (load[i] * 100 + (1u << 15)) >> 16;

        proc_printf(out, "%lu.%02lu ", (unsigned long)(hundredths / 100),
                    (unsigned long)(hundredths % 100));
    }
    pid_lock();
    last = n->ns->last;
    pid_unlock();
    proc_printf(out, "%u/%u %d\n", tasks.running, tasks.total, last);
    return 0;
}

int proc_show_cpuinfo(const struct proc_node *n, struct proc_text *out)
{
    for (u32 i = 0; i < reader_cpus(); i++)
        proc_printf(out, "processor\t: %u\n%s\n", i, machine_cpu_text(i));
    return 0;
}

int proc_show_stat(const struct proc_node *n, struct proc_text *out)
{
    u64 u, s, boot = host_clock(CLOCK_REALTIME) - host_clock(CLOCK_BOOTTIME);
    u32 cpus = reader_cpus();
    struct usage_tasks tasks;

    usage_cpu(n->ns, &u, &s);
    usage_tasks(n->ns, &tasks);
    proc_printf(out, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", (unsigned long)(u / TICK_NS),
                (unsigned long)(s / TICK_NS), (unsigned long)(idle_total(u + s) / TICK_NS));
    /* Which CPU a process ran on is not counted: each gets its share. */
    for (u32 i = 0; i < cpus; i++)
        proc_printf(out, "cpu%u %lu 0 %lu %lu 0 0 0 0 0 0\n", i,
                    (unsigned long)(u / cpus / TICK_NS), (unsigned long)(s / cpus / TICK_NS),
                    (unsigned long)(idle_total(u + s) / cpus / TICK_NS));
    proc_printf(out, "intr 0\nctxt 0\nbtime %lu\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n",
                (unsigned long)(boot / NS_PER_SEC), n->ns->last, tasks.running);
    proc_puts(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    return 0;
}

int proc_show_filesystems(const struct proc_node *n, struct proc_text *out)
{
    for (const struct fs_type *t = fs_type_next(NULL); t; t = fs_type_next(t))
        proc_printf(out, "nodev\t%s\n", t->name);
    return 0;
}

/* proc_show_cgroups() - the controllers of fs/sys/sys_cgroup.c: of version 2, hierarchy 0. */
int proc_show_cgroups(const struct proc_node *n, struct proc_text *out)
{
    static const char *const names[] = {"cpuset", "cpu", "cpuacct", "memory", "pids"};

    proc_puts(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        proc_printf(out, "%s\t0\t1\t1\n", names[i]);
    return 0;
}

int proc_show_cmdline(const struct proc_node *n, struct proc_text *out)
{
    char release[UNAME_RELEASE];

    uname_release(reader(), release);
    proc_printf(out, "BOOT_IMAGE=/vmlinuz-%s quiet\n", release);
    return 0;
}

int proc_show_devices(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
                   "136 pts\n\nBlock devices:\n");
    return 0;
}

int proc_show_interrupts(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "    ");
    for (u32 i = 0; i < reader_cpus(); i++)
        proc_printf(out, "       CPU%-4u", i);
    proc_puts(out, "\n");
    return 0;
}

/* proc_show_softirqs() - the sandbox has no interrupts of its own, so none was ever taken. */
int proc_show_softirqs(const struct proc_node *n, struct proc_text *out)
{
    static const char *const names[] = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                        "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};

    proc_puts(out, "                ");
    for (u32 i = 0; i < reader_cpus(); i++)
        proc_printf(out, "    CPU%-4u", i);
    proc_puts(out, "\n");
    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        proc_printf(out, "%12s:", names[k]);
        for (u32 i = 0; i < reader_cpus(); i++)
            proc_printf(out, " %10u", 0);
        proc_puts(out, "\n");
    }
    return 0;
}

int proc_show_swaps(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

int proc_show_execdomains(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0-0\tLinux           \t[kernel]\n");
    return 0;
}

/* proc_show_nothing() - tables of what a container has none of: disks, modules, consoles. */
int proc_show_nothing(const struct proc_node *n, struct proc_text *out)
{
    return 0;
}
