/*
 * The cgroup file system as a container in a namespace of its own sees it: version 2, one group, its
 * root, to be read. Limits are those of the container's config.json; the host enforces those of CPU
 * and memory, the Sentry those of pids.
 */
#include "fs/sys/sys.h"

#include "fs/sys/sys_priv.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/usage.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>

enum {
    PERIOD_DEFAULT = 100000, /* us */
    SHARES_MIN = 2,
    SHARES_MAX = 262144,
    WEIGHT_DEFAULT = 100,
    WEIGHT_MAX = 10000,
    NS_PER_US = 1000,
};

static struct container *reader(void)
{
    return current->tg->container;
}

static const struct oci_resources *resources(void)
{
    static const struct oci_resources none;

    return reader()->spec ? &reader()->spec->linux_.resources : &none;
}

/* put_limit() - a limit that may be none. */
static int put_limit(struct proc_text *out, bool set, s64 limit)
{
    if (set && limit >= 0)
        proc_printf(out, "%ld\n", limit);
    else
        proc_puts(out, "max\n");
    return 0;
}

static int show_controllers(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "cpuset cpu memory pids\n");
    return 0;
}

static int show_type(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "domain\n");
    return 0;
}

/* show_events() - whoever reads lives in it and runs. */
static int show_events(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "populated 1\nfrozen 0\n");
    return 0;
}

static int show_procs(const struct proc_node *n, struct proc_text *out)
{
    for (s32 pid = 1; (pid = pid_next_group(current->pid->ns, pid)) >= 0; pid++)
        proc_printf(out, "%d\n", pid);
    return 0;
}

static int show_cpu_max(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_cpu *cpu = &resources()->cpu;
    u64 period = cpu->period.set && cpu->period.value ? cpu->period.value : PERIOD_DEFAULT;

    if (cpu->quota.set && cpu->quota.value > 0)
        proc_printf(out, "%ld %lu\n", cpu->quota.value, period);
    else
        proc_printf(out, "max %lu\n", period);
    return 0;
}

/* show_cpu_weight() - the shares of config.json, which are those of version 1, on this scale. */
static int show_cpu_weight(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_opt_u64 *shares = &resources()->cpu.shares;
    u64 weight = WEIGHT_DEFAULT;

    if (shares->set && shares->value) {
        u64 v = min_of(max_of(shares->value, (u64)SHARES_MIN), (u64)SHARES_MAX);

        weight = 1 + (v - SHARES_MIN) * (WEIGHT_MAX - 1) / (SHARES_MAX - SHARES_MIN);
    }
    proc_printf(out, "%lu\n", weight);
    return 0;
}

static int show_cpu_stat(const struct proc_node *n, struct proc_text *out)
{
    u64 utime, stime;

    usage_cpu(reader()->pid_ns, &utime, &stime);
    proc_printf(out, "usage_usec %lu\nuser_usec %lu\nsystem_usec %lu\n",
                (utime + stime) / NS_PER_US, utime / NS_PER_US, stime / NS_PER_US);
    return 0;
}

static int show_cpus(const struct proc_node *n, struct proc_text *out)
{
    u32 last = sys_cpus() - 1;

    if (last)
        proc_printf(out, "0-%u\n", last);
    else
        proc_puts(out, "0\n");
    return 0;
}

static int show_nodes(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0\n");
    return 0;
}

static int show_memory_max(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_opt_i64 *limit = &resources()->memory.limit;

    return put_limit(out, limit->set && limit->value, limit->value);
}

/* show_memory_low() - what config.json reserves. */
static int show_memory_low(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_opt_i64 *reserved = &resources()->memory.reservation;

    proc_printf(out, "%ld\n", reserved->set && reserved->value > 0 ? reserved->value : 0);
    return 0;
}

/* show_swap_max() - config.json's limit is that of memory and swap together. */
static int show_swap_max(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_memory *m = &resources()->memory;
    bool both = m->swap.set && m->swap.value > 0 && m->limit.set && m->limit.value > 0;

    return put_limit(out, both && m->swap.value >= m->limit.value, m->swap.value - m->limit.value);
}

static int show_memory_current(const struct proc_node *n, struct proc_text *out)
{
    struct usage_memory m;

    usage_memory(reader(), &m);
    proc_printf(out, "%lu\n", m.total);
    return 0;
}

static int show_memory_stat(const struct proc_node *n, struct proc_text *out)
{
    struct usage_memory m;

    usage_memory(reader(), &m);
    proc_printf(out, "anon %lu\nfile %lu\npagetables %lu\nshmem %lu\npgfault %lu\npgmajfault %lu\n",
                m.anon, m.file + m.shmem, m.page_tables, m.shmem, m.min_flt + m.maj_flt, m.maj_flt);
    return 0;
}

static int show_pids_max(const struct proc_node *n, struct proc_text *out)
{
    const struct oci_opt_i64 *limit = &resources()->pids_limit;

    return put_limit(out, limit->set && limit->value > 0, limit->value);
}

static int show_pids_current(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u\n", atomic_load(&reader()->ntasks));
    return 0;
}

static const struct proc_entry group_children[] = {
    {.name = "cgroup.controllers", .mode = SYS_FILE, .show = show_controllers},
    {.name = "cgroup.events", .mode = SYS_FILE, .show = show_events},
    {.name = "cgroup.procs", .mode = SYS_FILE, .show = show_procs},
    {.name = "cgroup.type", .mode = SYS_FILE, .show = show_type},
    {.name = "cpu.max", .mode = SYS_FILE, .show = show_cpu_max},
    {.name = "cpu.stat", .mode = SYS_FILE, .show = show_cpu_stat},
    {.name = "cpu.weight", .mode = SYS_FILE, .show = show_cpu_weight},
    {.name = "cpuset.cpus.effective", .mode = SYS_FILE, .show = show_cpus},
    {.name = "cpuset.mems.effective", .mode = SYS_FILE, .show = show_nodes},
    {.name = "memory.current", .mode = SYS_FILE, .show = show_memory_current},
    {.name = "memory.low", .mode = SYS_FILE, .show = show_memory_low},
    {.name = "memory.max", .mode = SYS_FILE, .show = show_memory_max},
    {.name = "memory.stat", .mode = SYS_FILE, .show = show_memory_stat},
    {.name = "memory.swap.max", .mode = SYS_FILE, .show = show_swap_max},
    {.name = "pids.current", .mode = SYS_FILE, .show = show_pids_current},
    {.name = "pids.max", .mode = SYS_FILE, .show = show_pids_max},
    {0},
};
static const struct proc_entry group = {
    .name = "", .mode = SYS_DIR, .children = group_children};

static int cgroup_mount(const struct fs_type *type, const struct fs_mount_args *args,
                        struct super **out)
{
    if (current && !cred_has_cap(args->cred, current->ns->cgroup->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    return proc_mount_tree(type, args, LX_CGROUP2_SUPER_MAGIC, &group, NULL, out);
}

const struct fs_type cgroup2_fs_type = {
    .name = "cgroup2", .guest_mountable = true, .mount = cgroup_mount};
