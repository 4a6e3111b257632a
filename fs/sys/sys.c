/* /sys: CPUs, a place for cgroups, huge pages. Tables for fs/proc/proc_tree.h. */
#include "fs/sys/sys.h"

#include "fs/sys/sys_priv.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIR        SYS_DIR
#define FILE_RO    SYS_FILE
#define CPU_PREFIX "cpu"

static int show_cpu_list(const struct proc_node *n, struct proc_text *out)
{
    if (sys_cpus() > 1)
        proc_printf(out, "0-%u\n", sys_cpus() - 1);
    else
        proc_puts(out, "0\n");
    return 0;
}

static int show_no_cpus(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "\n");
    return 0;
}

static int show_kernel_max(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u\n", MACHINE_CPUS_MAX - 1);
    return 0;
}

static int show_thp_enabled(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, machine_huge_pages(false));
    return 0;
}

static int show_thp_defrag(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, machine_huge_pages(true));
    return 0;
}

static int show_huge_page(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "2097152\n");
    return 0;
}

static int show_one(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "1\n");
    return 0;
}

static const struct proc_entry no_children[] = {{0}};
static const struct proc_entry cpu_children[] = {
    {.name = "cache", .mode = DIR, .children = no_children, .dynamic = &sys_cache_names},
    {.name = "online", .mode = FILE_RO, .show = show_one},
    {.name = "topology", .mode = DIR, .children = sys_topology_children},
    {0},
};
static const struct proc_entry cpu_entry = {.name = "", .mode = DIR, .children = cpu_children};

s32 sys_number_behind(const char *name, u32 len, const char *prefix)
{
    u32 before = (u32)strlen(prefix);
    char *end;
    long nr;

    if (len <= before || len > before + 4 || memcmp(name, prefix, before) != 0)
        return -1;
    if (name[before] < '0' || name[before] > '9' || (name[before] == '0' && len > before + 1))
        return -1;
    nr = strtol(name + before, &end, 10);
    return end == name + len ? (s32)nr : -1;
}

static int find_cpu(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    s32 nr = sys_number_behind(name, len, CPU_PREFIX);

    if (nr < 0 || nr >= (s32)sys_cpus())
        return -ENOENT;
    out->entry = &cpu_entry;
    out->nr = nr;
    return 0;
}

static s32 next_cpu(const struct proc_node *dir, s32 from)
{
    return from < (s32)sys_cpus() ? from : -1;
}

static const struct proc_dynamic cpu_names = {
    .find = find_cpu, .next = next_cpu, .prefix = CPU_PREFIX, .type = LX_DT_DIR};

static const struct proc_entry cpu_dir_children[] = {
    {.name = "isolated", .mode = FILE_RO, .show = show_no_cpus},
    {.name = "kernel_max", .mode = FILE_RO, .show = show_kernel_max},
    {.name = "offline", .mode = FILE_RO, .show = show_no_cpus},
    {.name = "online", .mode = FILE_RO, .show = show_cpu_list},
    {.name = "possible", .mode = FILE_RO, .show = show_cpu_list},
    {.name = "present", .mode = FILE_RO, .show = show_cpu_list},
    {0},
};
static const struct proc_entry system_children[] = {
    {.name = "cpu", .mode = DIR, .children = cpu_dir_children, .dynamic = &cpu_names},
    {.name = "node", .mode = DIR, .children = sys_node_children},
    {0},
};
static const struct proc_entry virtual_children[] = {
    {.name = "net", .mode = DIR, .children = sys_net_devices},
    {0},
};
static const struct proc_entry devices_children[] = {
    {.name = "system", .mode = DIR, .children = system_children},
    {.name = "virtual", .mode = DIR, .children = virtual_children},
    {0},
};
static const struct proc_entry fs_children[] = {
    {.name = "cgroup", .mode = DIR, .children = no_children},
    {0},
};
static const struct proc_entry thp_children[] = {
    {.name = "defrag", .mode = FILE_RO, .show = show_thp_defrag},
    {.name = "enabled", .mode = FILE_RO, .show = show_thp_enabled},
    {.name = "hpage_pmd_size", .mode = FILE_RO, .show = show_huge_page},
    {.name = "use_zero_page", .mode = FILE_RO, .show = show_one},
    {0},
};
static const struct proc_entry mm_children[] = {
    {.name = "transparent_hugepage", .mode = DIR, .children = thp_children},
    {0},
};
static const struct proc_entry kernel_children[] = {
    {.name = "mm", .mode = DIR, .children = mm_children},
    {0},
};
static const struct proc_entry class_children[] = {
    {.name = "block", .mode = DIR, .children = no_children},
    {.name = "net", .mode = DIR, .children = sys_net_class},
    {0},
};
static const struct proc_entry dev_children[] = {
    {.name = "block", .mode = DIR, .children = no_children},
    {.name = "char", .mode = DIR, .children = no_children},
    {0},
};
static const struct proc_entry root_children[] = {
    {.name = "block", .mode = DIR, .children = no_children},
    {.name = "bus", .mode = DIR, .children = no_children},
    {.name = "class", .mode = DIR, .children = class_children},
    {.name = "dev", .mode = DIR, .children = dev_children},
    {.name = "devices", .mode = DIR, .children = devices_children},
    {.name = "firmware", .mode = DIR, .children = no_children},
    {.name = "fs", .mode = DIR, .children = fs_children},
    {.name = "kernel", .mode = DIR, .children = kernel_children},
    {.name = "module", .mode = DIR, .children = no_children},
    {.name = "power", .mode = DIR, .children = no_children},
    {0},
};
static const struct proc_entry root = {.name = "", .mode = DIR, .children = root_children};

static int sysfs_mount(const struct fs_type *type, const struct fs_mount_args *args,
                       struct super **out)
{
    /* It shows a network namespace, so it is for who has one. */
    if (current && !cred_has_cap(args->cred, current->ns->net->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    return proc_mount_tree(type, args, LX_SYSFS_MAGIC, &root, NULL, out);
}

const struct fs_type sysfs_fs_type = {
    .name = "sysfs", .guest_mountable = true, .mount = sysfs_mount};
