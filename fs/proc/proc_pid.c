/* /proc/PID and /proc/PID/task/TID: what they hold, threads, and the links exe, cwd, root. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/file.h"
#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fs_context.h"

#include <errno.h>
#include <string.h>

#define DIR      (LX_S_IFDIR | 0555)
#define FILE_RO  (LX_S_IFREG | 0444)
#define FILE_OWN (LX_S_IFREG | 0400)
#define FILE_WO  (LX_S_IFREG | 0200)
#define FILE_RW  (LX_S_IFREG | 0644)
#define LINK     (LX_S_IFLNK | 0777)

/* --- threads --- */

static int find_tid(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    s32 nr = proc_number(name, len);
    struct thread_group *tg = proc_group(dir);
    struct pid *p;
    int rc = -ENOENT;

    if (!tg)
        return -ENOENT;
    pid_lock();
    p = nr > 0 ? pid_find_locked(dir->ns, nr) : NULL;
    if (p && ((p->task && p->task->tg == tg) || p->tg == tg)) {
        out->entry = &proc_tid_dir;
        out->pid = pid_get(p);
        out->thread = true;
        rc = 0;
    }
    pid_unlock();
    thread_group_put(tg);
    return rc;
}

static s32 next_tid(const struct proc_node *dir, s32 from)
{
    struct thread_group *tg = proc_group(dir);
    struct task *t;
    s32 best = -1;

    if (!tg)
        return -1;
    mutex_lock(&tg->lock);
    list_for_each(t, &tg->tasks, in_group) {
        s32 nr = pid_nr(t->pid, dir->ns);

        if (nr >= from && nr > 0 && (best < 0 || nr < best))
            best = nr;
    }
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    return best;
}

static const struct proc_dynamic tids = {.find = find_tid, .next = next_tid, .type = LX_DT_DIR};

/* --- links --- */

static int follow_exe(const struct proc_node *n, struct path *out)
{
    struct thread_group *tg = proc_group(n);
    struct file *exe = NULL;

    if (!tg)
        return -ESRCH;
    mutex_lock(&tg->lock);
    exe = file_get(tg->exe);
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    if (!exe)
        return -ENOENT;
    *out = path_get(&exe->path);
    file_put(exe);
    return 0;
}

static int follow_fs(const struct proc_node *n, bool root, struct path *out)
{
    struct fs_context *fs = proc_fs(n);

    if (!fs)
        return -ENOENT;
    mutex_lock(&fs->lock);
    *out = path_get(root ? &fs->root : &fs->cwd);
    mutex_unlock(&fs->lock);
    fs_context_put(fs);
    return 0;
}

static int follow_cwd(const struct proc_node *n, struct path *out)
{
    return follow_fs(n, false, out);
}

static int follow_root(const struct proc_node *n, struct path *out)
{
    return follow_fs(n, true, out);
}

/* read_path() - a link's text is where it leads, as the reader's root has it. */
static ssize_t read_path(const struct proc_node *n, char *buf, size_t cap)
{
    struct walk_ctx ctx;
    bool unreachable = false;
    char full[LIMIT_PATH];
    struct path p;
    ssize_t len;
    int rc = n->entry->follow(n, &p);

    if (rc < 0)
        return rc;
    if (current)
        fs_context_walk(current, &ctx);
    len = vfs_path_string(&p, current ? &ctx.root : NULL, full, sizeof(full), true, &unreachable);
    if (current)
        fs_context_walk_end(&ctx);
    path_put(&p);
    if (len < 0)
        return len == -ERANGE ? -ENAMETOOLONG : len;
    len = min_of(len - 1, (ssize_t)cap);
    memcpy(buf, full, (size_t)len);
    return len;
}

/* --- tables --- */

/* What a process and each of its threads have alike. */
#define BOTH                                                                                      \
    {.name = "auxv", .mode = FILE_OWN, .flags = PROC_MEMORY, .show = proc_show_pid_auxv},         \
        {.name = "cgroup", .mode = FILE_RO, .show = proc_show_pid_cgroup},                        \
        {.name = "clear_refs", .mode = FILE_WO, .store = proc_store_pid_clear_refs},              \
        {.name = "cmdline", .mode = FILE_RO, .show = proc_show_pid_cmdline},                      \
        {.name = "comm",                                                                          \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_comm,                                                              \
         .store = proc_store_pid_comm},                                                           \
        {.name = "coredump_filter",                                                               \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_coredump_filter,                                                   \
         .store = proc_store_pid_coredump_filter},                                                \
        {.name = "cwd",                                                                           \
         .mode = LINK,                                                                            \
         .flags = PROC_INSPECT,                                                                   \
         .readlink = read_path,                                                                   \
         .follow = follow_cwd},                                                                   \
        {.name = "environ",                                                                       \
         .mode = FILE_OWN,                                                                        \
         .flags = PROC_MEMORY,                                                                    \
         .show = proc_show_pid_environ},                                                          \
        {.name = "exe",                                                                           \
         .mode = LINK,                                                                            \
         .flags = PROC_INSPECT,                                                                   \
         .readlink = read_path,                                                                   \
         .follow = follow_exe},                                                                   \
        {.name = "fd",                                                                            \
         .mode = (LX_S_IFDIR | 0500),                                                             \
         .flags = PROC_INSPECT,                                                                   \
         .dynamic = &proc_fd_names},                                                              \
        {.name = "fdinfo", .mode = DIR, .flags = PROC_INSPECT, .dynamic = &proc_fdinfo_names},    \
        {.name = "gid_map",                                                                       \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_gid_map,                                                           \
         .store = proc_store_pid_gid_map},                                                        \
        {.name = "io", .mode = FILE_OWN, .flags = PROC_INSPECT, .show = proc_show_pid_io},        \
        {.name = "limits", .mode = FILE_RO, .show = proc_show_pid_limits},                        \
        {.name = "loginuid", .mode = FILE_RO, .show = proc_show_pid_loginuid},                    \
        {.name = "maps", .mode = FILE_RO, .flags = PROC_MEMORY, .show = proc_show_pid_maps},      \
        {.name = "mem", .mode = (LX_S_IFREG | 0600), .flags = PROC_MEMORY, .ops = &proc_mem_ops}, \
        {.name = "mountinfo", .mode = FILE_RO, .show = proc_show_pid_mountinfo},                  \
        {.name = "mounts", .mode = FILE_RO, .show = proc_show_pid_mounts},                        \
        {.name = "mountstats", .mode = FILE_OWN, .show = proc_show_pid_mountstats},               \
        {.name = "net", .mode = DIR, .children = proc_net_children},                              \
        {.name = "ns", .mode = (LX_S_IFDIR | 0511), .children = proc_ns_children},                \
        {.name = "oom_adj",                                                                       \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_oom_adj,                                                           \
         .store = proc_store_pid_oom_adj},                                                        \
        {.name = "oom_score", .mode = FILE_RO, .show = proc_show_pid_oom_score},                  \
        {.name = "oom_score_adj",                                                                 \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_oom_score_adj,                                                     \
         .store = proc_store_pid_oom_score_adj},                                                  \
        {.name = "pagemap", .mode = FILE_OWN, .flags = PROC_MEMORY, .ops = &proc_pagemap_ops},    \
        {.name = "personality",                                                                   \
         .mode = FILE_OWN,                                                                        \
         .flags = PROC_INSPECT,                                                                   \
         .show = proc_show_pid_personality},                                                      \
        {.name = "root",                                                                          \
         .mode = LINK,                                                                            \
         .flags = PROC_INSPECT,                                                                   \
         .readlink = read_path,                                                                   \
         .follow = follow_root},                                                                  \
        {.name = "schedstat", .mode = FILE_RO, .show = proc_show_pid_schedstat},                  \
        {.name = "sessionid", .mode = FILE_RO, .show = proc_show_pid_sessionid},                  \
        {.name = "setgroups",                                                                     \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_setgroups,                                                         \
         .store = proc_store_pid_setgroups},                                                      \
        {.name = "smaps", .mode = FILE_RO, .flags = PROC_MEMORY, .show = proc_show_pid_smaps},    \
        {.name = "smaps_rollup",                                                                  \
         .mode = FILE_RO,                                                                         \
         .flags = PROC_MEMORY,                                                                    \
         .show = proc_show_pid_smaps_rollup},                                                     \
        {.name = "stack", .mode = FILE_OWN, .show = proc_show_pid_stack},                         \
        {.name = "stat", .mode = FILE_RO, .show = proc_show_pid_stat},                            \
        {.name = "statm", .mode = FILE_RO, .show = proc_show_pid_statm},                          \
        {.name = "status", .mode = FILE_RO, .show = proc_show_pid_status},                        \
        {.name = "uid_map",                                                                       \
         .mode = FILE_RW,                                                                         \
         .show = proc_show_pid_uid_map,                                                           \
         .store = proc_store_pid_uid_map},                                                        \
    {                                                                                             \
        .name = "wchan", .mode = FILE_RO, .show = proc_show_pid_wchan                             \
    }

static const struct proc_entry tid_children[] = {
    BOTH, {.name = "children", .mode = FILE_RO, .show = proc_show_tid_children}, {0}};

static const struct proc_entry pid_children[] = {BOTH,
                                                 {.name = "task", .mode = DIR, .dynamic = &tids},
                                                 {.name = "timerslack_ns",
                                                  .mode = LX_S_IFREG | 0666,
                                                  .show = proc_show_pid_timerslack,
                                                  .store = proc_store_pid_timerslack},
                                                 {0}};

const struct proc_entry proc_tid_dir = {.name = "", .mode = DIR, .children = tid_children};
const struct proc_entry proc_pid_dir = {.name = "", .mode = DIR, .children = pid_children};
