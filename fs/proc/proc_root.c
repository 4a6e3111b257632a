/* /proc itself: what it holds beside processes. */
#include "fs/proc/proc_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_RO (LX_S_IFREG | 0444)
#define LINK    (LX_S_IFLNK | 0777)

/* --- self, thread-self: as the reader is numbered where this /proc is mounted --- */

/* put_text() - a link's text, cut to the buffer. Return: its length. */
static ssize_t put_text(char *buf, size_t cap, const char *text)
{
    size_t len = min_of(strlen(text), cap);

    memcpy(buf, text, len);
    return (ssize_t)len;
}

static ssize_t read_self(const struct proc_node *n, char *buf, size_t cap)
{
    s32 nr = current ? pid_nr(current->tg->pid, n->ns) : 0;
    char text[16];

    if (!nr)
        return -ENOENT;
    snprintf(text, sizeof(text), "%d", nr);
    return put_text(buf, cap, text);
}

static ssize_t read_thread_self(const struct proc_node *n, char *buf, size_t cap)
{
    s32 tgid = current ? pid_nr(current->tg->pid, n->ns) : 0;
    char text[40];

    if (!tgid)
        return -ENOENT;
    snprintf(text, sizeof(text), "%d/task/%d", tgid, pid_nr(current->pid, n->ns));
    return put_text(buf, cap, text);
}

static ssize_t read_mounts(const struct proc_node *n, char *buf, size_t cap)
{
    return put_text(buf, cap, "self/mounts");
}

static ssize_t read_net(const struct proc_node *n, char *buf, size_t cap)
{
    return put_text(buf, cap, "self/net");
}

/* --- processes --- */

/* find_pid() - a process, or a thread by its own number: found though not listed, as on Linux. */
static int find_pid(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    s32 nr = proc_number(name, len);
    struct pid *p;
    int rc = -ENOENT;

    if (nr <= 0)
        return -ENOENT;
    pid_lock();
    p = pid_find_locked(dir->ns, nr);
    if (p && (p->tg || p->task)) {
        out->entry = &proc_pid_dir;
        out->pid = pid_get(p);
        rc = 0;
    }
    pid_unlock();
    return rc;
}

static s32 next_pid(const struct proc_node *dir, s32 from)
{
    return pid_next_group(dir->ns, from);
}

static const struct proc_dynamic pids = {.find = find_pid, .next = next_pid, .type = LX_DT_DIR};

static const struct proc_entry root_children[] = {
    {.name = "cgroups", .mode = FILE_RO, .show = proc_show_cgroups},
    {.name = "cmdline", .mode = FILE_RO, .show = proc_show_cmdline},
    {.name = "consoles", .mode = FILE_RO, .show = proc_show_nothing},
    {.name = "cpuinfo", .mode = FILE_RO, .show = proc_show_cpuinfo},
    {.name = "devices", .mode = FILE_RO, .show = proc_show_devices},
    {.name = "diskstats", .mode = FILE_RO, .show = proc_show_nothing},
    {.name = "execdomains", .mode = FILE_RO, .show = proc_show_execdomains},
    {.name = "filesystems", .mode = FILE_RO, .show = proc_show_filesystems},
    {.name = "interrupts", .mode = FILE_RO, .show = proc_show_interrupts},
    {.name = "loadavg", .mode = FILE_RO, .show = proc_show_loadavg},
    {.name = "locks", .mode = FILE_RO, .show = proc_show_locks},
    {.name = "meminfo", .mode = FILE_RO, .show = proc_show_meminfo},
    {.name = "misc", .mode = FILE_RO, .show = proc_show_nothing},
    {.name = "modules", .mode = FILE_RO, .show = proc_show_nothing},
    {.name = "mounts", .mode = LINK, .readlink = read_mounts},
    {.name = "net", .mode = LINK, .readlink = read_net},
    {.name = "partitions", .mode = FILE_RO, .show = proc_show_nothing},
    {.name = "self", .mode = LINK, .readlink = read_self},
    {.name = "softirqs", .mode = FILE_RO, .show = proc_show_softirqs},
    {.name = "stat", .mode = FILE_RO, .show = proc_show_stat},
    {.name = "swaps", .mode = FILE_RO, .show = proc_show_swaps},
    {.name = "sys", .mode = LX_S_IFDIR | 0555, .children = proc_sys_children},
    {.name = "sysvipc", .mode = LX_S_IFDIR | 0555, .children = proc_sysvipc_children},
    {.name = "thread-self", .mode = LINK, .readlink = read_thread_self},
    {.name = "uptime", .mode = FILE_RO, .show = proc_show_uptime},
    {.name = "version", .mode = FILE_RO, .show = proc_show_version},
    {.name = "vmstat", .mode = FILE_RO, .show = proc_show_vmstat},
    {0},
};

const struct proc_entry proc_root = {
    .name = "", .mode = LX_S_IFDIR | 0555, .children = root_children, .dynamic = &pids};
