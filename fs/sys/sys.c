/* /sys: CPUs, a place for cgroups, huge pages. Tables for fs/proc/proc_tree.h. */
#include "fs/sys/sys.h"

#include "fs/proc/proc_tree.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIR        (LX_S_IFDIR | 0555)
#define FILE_RO    (LX_S_IFREG | 0444)
#define CPU_PREFIX "cpu"

static u32 cpus(void)
{
    return current ? container_cpus(current->tg->container) : machine_cpus();
}

static int show_cpu_list(const struct proc_node *n, struct proc_text *out)
{
    if (cpus() > 1)
        proc_printf(out, "0-%u\n", cpus() - 1);
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

/* show_thp() - the host's huge pages come as it sees fit: what a guest asks for is advice. */
static int show_thp(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "always [madvise] never\n");
    return 0;
}

static int show_one(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "1\n");
    return 0;
}

static const struct proc_entry no_children[] = {{0}};
static const struct proc_entry cpu_children[] = {
    {.name = "online", .mode = FILE_RO, .show = show_one},
    {0},
};
static const struct proc_entry cpu_entry = {.name = "", .mode = DIR, .children = cpu_children};

static int find_cpu(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    u32 prefix = (u32)strlen(CPU_PREFIX);
    char *end;
    long nr;

    if (len <= prefix || len > prefix + 4 || memcmp(name, CPU_PREFIX, prefix) != 0)
        return -ENOENT;
    if (name[prefix] < '0' || name[prefix] > '9' || (name[prefix] == '0' && len > prefix + 1))
        return -ENOENT;
    nr = strtol(name + prefix, &end, 10);
    if (end != name + len || nr >= (long)cpus())
        return -ENOENT;
    out->entry = &cpu_entry;
    out->nr = (s32)nr;
    return 0;
}

static s32 next_cpu(const struct proc_node *dir, s32 from)
{
    return from < (s32)cpus() ? from : -1;
}

static const struct proc_dynamic cpu_names = {
    .find = find_cpu, .next = next_cpu, .prefix = CPU_PREFIX, .type = LX_DT_DIR};

static const struct proc_entry cpu_dir_children[] = {
    {.name = "kernel_max", .mode = FILE_RO, .show = show_kernel_max},
    {.name = "offline", .mode = FILE_RO, .show = show_no_cpus},
    {.name = "online", .mode = FILE_RO, .show = show_cpu_list},
    {.name = "possible", .mode = FILE_RO, .show = show_cpu_list},
    {.name = "present", .mode = FILE_RO, .show = show_cpu_list},
    {0},
};
static const struct proc_entry system_children[] = {
    {.name = "cpu", .mode = DIR, .children = cpu_dir_children, .dynamic = &cpu_names},
    {0},
};
static const struct proc_entry devices_children[] = {
    {.name = "system", .mode = DIR, .children = system_children},
    {0},
};
static const struct proc_entry fs_children[] = {
    {.name = "cgroup", .mode = DIR, .children = no_children},
    {0},
};
static const struct proc_entry thp_children[] = {
    {.name = "enabled", .mode = FILE_RO, .show = show_thp},
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
static const struct proc_entry root_children[] = {
    {.name = "block", .mode = DIR, .children = no_children},
    {.name = "bus", .mode = DIR, .children = no_children},
    {.name = "class", .mode = DIR, .children = no_children},
    {.name = "dev", .mode = DIR, .children = no_children},
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
    return proc_mount_tree(type, args, LX_SYSFS_MAGIC, &root, NULL, out);
}

const struct fs_type sysfs_fs_type = {
    .name = "sysfs", .guest_mountable = true, .mount = sysfs_mount};
