/* /sys/devices/system/cpu/cpuN: how CPUs lie together, and their caches. */
#include "fs/sys/sys_priv.h"

#include "sentry/kernel/container.h"
#include "sentry/kernel/cpu_cache.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_PREFIX "index"
#define INDEX_SHIFT  4 /* a cache's node: nr = cpu << 4 | index */
#define WORDS        (MACHINE_CPUS_MAX / 64)

u32 sys_cpus(void)
{
    return current ? container_cpus(current->tg->container) : machine_cpus();
}

/* number_of() - a number of the CPU's cpuinfo text, or `fallback`. */
static u64 number_of(u32 cpu, const char *name, u64 fallback)
{
    u64 v;

    return machine_cpu_field(cpu, name, &v) == 0 ? v : fallback;
}

struct cpu_set {
    u64 bits[WORDS];
};

/* alike() - the CPUs that have the same package as `cpu`, and with `core` the same core. */
static void alike(u32 cpu, bool core, struct cpu_set *out)
{
    memset(out, 0, sizeof(*out));
    for (u32 i = 0; i < sys_cpus(); i++) {
        if (number_of(i, "physical id", 0) != number_of(cpu, "physical id", 0))
            continue;
        if (core && number_of(i, "core id", i) != number_of(cpu, "core id", cpu))
            continue;
        out->bits[i / 64] |= 1ull << i % 64;
    }
}

static int show_set(const struct cpu_set *set, bool list, struct proc_text *out)
{
    if (list)
        proc_put_cpu_list(out, set->bits, sys_cpus());
    else
        proc_put_cpu_mask(out, set->bits, sys_cpus());
    return 0;
}

/* --- topology --- */

static int show_alike(const struct proc_node *n, bool core, bool list, struct proc_text *out)
{
    struct cpu_set set;

    alike((u32)n->nr, core, &set);
    return show_set(&set, list, out);
}

static int show_core(const struct proc_node *n, struct proc_text *out)
{
    return show_alike(n, true, false, out);
}

static int show_core_list(const struct proc_node *n, struct proc_text *out)
{
    return show_alike(n, true, true, out);
}

static int show_package(const struct proc_node *n, struct proc_text *out)
{
    return show_alike(n, false, false, out);
}

static int show_package_list(const struct proc_node *n, struct proc_text *out)
{
    return show_alike(n, false, true, out);
}

static int show_core_id(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%lu\n", (long)number_of((u32)n->nr, "core id", (u64)n->nr));
    return 0;
}

static int show_package_id(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%lu\n", (long)number_of((u32)n->nr, "physical id", 0));
    return 0;
}

static int show_die_id(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0\n");
    return 0;
}

const struct proc_entry sys_topology_children[] = {
    {.name = "core_cpus", .mode = SYS_FILE, .show = show_core},
    {.name = "core_cpus_list", .mode = SYS_FILE, .show = show_core_list},
    {.name = "core_id", .mode = SYS_FILE, .show = show_core_id},
    {.name = "core_siblings", .mode = SYS_FILE, .show = show_package},
    {.name = "core_siblings_list", .mode = SYS_FILE, .show = show_package_list},
    {.name = "die_cpus", .mode = SYS_FILE, .show = show_package},
    {.name = "die_cpus_list", .mode = SYS_FILE, .show = show_package_list},
    {.name = "die_id", .mode = SYS_FILE, .show = show_die_id},
    {.name = "package_cpus", .mode = SYS_FILE, .show = show_package},
    {.name = "package_cpus_list", .mode = SYS_FILE, .show = show_package_list},
    {.name = "physical_package_id", .mode = SYS_FILE, .show = show_package_id},
    {.name = "thread_siblings", .mode = SYS_FILE, .show = show_core},
    {.name = "thread_siblings_list", .mode = SYS_FILE, .show = show_core_list},
    {0},
};

/* --- caches --- */

static u32 cpu_of(const struct proc_node *n)
{
    return (u32)n->nr >> INDEX_SHIFT;
}

static int cache_of(const struct proc_node *n, struct cpu_cache *out)
{
    return cpu_cache_get((u32)n->nr & ((1u << INDEX_SHIFT) - 1), out);
}

/* sharing() - the CPUs whose number on the bus says that they have this cache together. */
static void sharing(const struct proc_node *n, const struct cpu_cache *c, struct cpu_set *out)
{
    u64 mine = number_of(cpu_of(n), "apicid", cpu_of(n)) >> c->share_shift;

    memset(out, 0, sizeof(*out));
    for (u32 i = 0; i < sys_cpus(); i++)
        if (number_of(i, "apicid", i) >> c->share_shift == mine)
            out->bits[i / 64] |= 1ull << i % 64;
}

#define CACHE_FILE(fn, format, value)                               \
    static int fn(const struct proc_node *n, struct proc_text *out) \
    {                                                               \
        struct cpu_cache c;                                         \
        int rc = cache_of(n, &c);                                   \
                                                                    \
        if (rc == 0)                                                \
            proc_printf(out, format "\n", value);                   \
        return rc;                                                  \
    }

CACHE_FILE(show_level, "%u", c.level)
CACHE_FILE(show_type, "%s", c.type)
CACHE_FILE(show_size, "%uK", c.bytes / 1024)
CACHE_FILE(show_line, "%u", c.line)
CACHE_FILE(show_ways, "%u", c.ways)
CACHE_FILE(show_sets, "%u", c.sets)
CACHE_FILE(show_partitions, "%u", c.partitions)

static int show_shared(const struct proc_node *n, struct proc_text *out)
{
    struct cpu_cache c;
    struct cpu_set set;
    int rc = cache_of(n, &c);

    if (rc < 0)
        return rc;
    sharing(n, &c, &set);
    return show_set(&set, false, out);
}

static int show_shared_list(const struct proc_node *n, struct proc_text *out)
{
    struct cpu_cache c;
    struct cpu_set set;
    int rc = cache_of(n, &c);

    if (rc < 0)
        return rc;
    sharing(n, &c, &set);
    return show_set(&set, true, out);
}

static const struct proc_entry cache_children[] = {
    {.name = "coherency_line_size", .mode = SYS_FILE, .show = show_line},
    {.name = "level", .mode = SYS_FILE, .show = show_level},
    {.name = "number_of_sets", .mode = SYS_FILE, .show = show_sets},
    {.name = "physical_line_partition", .mode = SYS_FILE, .show = show_partitions},
    {.name = "shared_cpu_list", .mode = SYS_FILE, .show = show_shared_list},
    {.name = "shared_cpu_map", .mode = SYS_FILE, .show = show_shared},
    {.name = "size", .mode = SYS_FILE, .show = show_size},
    {.name = "type", .mode = SYS_FILE, .show = show_type},
    {.name = "ways_of_associativity", .mode = SYS_FILE, .show = show_ways},
    {0},
};
static const struct proc_entry cache_entry = {
    .name = "", .mode = SYS_DIR, .children = cache_children};

static int find_cache(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    s32 index = sys_number_behind(name, len, INDEX_PREFIX);
    struct cpu_cache c;

    if (index < 0 || index >= 1 << INDEX_SHIFT || cpu_cache_get((u32)index, &c) < 0)
        return -ENOENT;
    out->entry = &cache_entry;
    out->nr = dir->nr << INDEX_SHIFT | index;
    return 0;
}

static s32 next_cache(const struct proc_node *dir, s32 from)
{
    struct cpu_cache c;

    return from < 1 << INDEX_SHIFT && cpu_cache_get((u32)from, &c) == 0 ? from : -1;
}

const struct proc_dynamic sys_cache_names = {
    .find = find_cache, .next = next_cache, .prefix = INDEX_PREFIX, .type = LX_DT_DIR};
