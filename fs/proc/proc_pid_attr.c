/* /proc/PID: names, limits, namespaces' maps, cgroup, the OOM score, mounts. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OOM_ADJ_MIN (-1000)
#define OOM_ADJ_MAX 1000
#define OLD_DISABLE (-17)
#define OLD_ADJ_MAX 15
#define NO_LOGIN    UINT32_MAX /* loginuid and sessionid of who never logged in */

/* --- comm --- */

int proc_show_pid_comm(const struct proc_node *n, struct proc_text *out)
{
    struct task *t = proc_task(n);
    char comm[sizeof(t->comm)];

    if (!t)
        return -ESRCH;
    mutex_lock(&t->lock);
    memcpy(comm, t->comm, sizeof(comm));
    mutex_unlock(&t->lock);
    task_put(t);
    proc_printf(out, "%.15s\n", comm);
    return 0;
}

/* proc_store_pid_comm() - a thread may name itself and the threads beside it. */
int proc_store_pid_comm(const struct proc_node *n, const struct cred *opener, const char *text,
                        size_t len)
{
    struct task *t = proc_task(n);
    int rc = t ? 0 : -ESRCH;

    if (t && (!current || t->tg != current->tg))
        rc = -EINVAL;
    if (rc == 0) {
        mutex_lock(&t->lock);
        memset(t->comm, 0, sizeof(t->comm));
        memcpy(t->comm, text, min_of(len, sizeof(t->comm) - 1));
        mutex_unlock(&t->lock);
    }
    task_put(t);
    return rc;
}

/* --- limits --- */

static void put_limit(struct proc_text *out, u64 v)
{
    if (v == RLIM_NONE)
        proc_printf(out, "%-20s ", "unlimited");
    else
        proc_printf(out, "%-20lu ", (unsigned long)v);
}

int proc_show_pid_limits(const struct proc_node *n, struct proc_text *out)
{
    static const struct {
        const char *name, *unit;
    } rows[RLIMIT_COUNT] = {
        {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
        {"Max data size", "bytes"},      {"Max stack size", "bytes"},
        {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"},  {"Max open files", "files"},
        {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
        {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
        {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
    };
    struct thread_group *tg = proc_group(n);
    struct rlimit_pair limits[RLIMIT_COUNT];

    if (!tg)
        return -ESRCH;
    mutex_lock(&tg->lock);
    memcpy(limits, tg->limits, sizeof(limits));
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    proc_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < RLIMIT_COUNT; i++) {
        proc_printf(out, "%-25s ", rows[i].name);
        put_limit(out, limits[i].soft);
        put_limit(out, limits[i].hard);
        proc_printf(out, rows[i].unit[0] ? "%-10s\n" : "\n", rows[i].unit);
    }
    return 0;
}

/* --- the OOM score --- */

static int oom_adj(const struct proc_node *n, s32 *adj)
{
    struct thread_group *tg = proc_group(n);

    if (!tg)
        return -ESRCH;
    mutex_lock(&tg->lock);
    *adj = tg->oom_score_adj;
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    return 0;
}

int proc_show_pid_oom_score_adj(const struct proc_node *n, struct proc_text *out)
{
    s32 adj;
    int rc = oom_adj(n, &adj);

    if (rc == 0)
        proc_printf(out, "%d\n", adj);
    return rc;
}

/* proc_show_pid_oom_score() - as Linux computes it for a process that uses next to nothing. */
int proc_show_pid_oom_score(const struct proc_node *n, struct proc_text *out)
{
    s32 adj;
    int rc = oom_adj(n, &adj);

    if (rc == 0)
        proc_printf(out, "%d\n", max_of((OOM_ADJ_MAX + adj) * 2 / 3, 0));
    return rc;
}

/* set_oom_adj() - to choose it less often takes a capability. */
static int set_oom_adj(const struct proc_node *n, s32 adj)
{
    struct thread_group *tg = proc_group(n);
    int rc = 0;

    if (!tg)
        return -ESRCH;
    mutex_lock(&tg->lock);
    if (adj < tg->oom_score_adj && current &&
        !cred_capable(task_cred(current), LX_CAP_SYS_RESOURCE))
        rc = -EACCES;
    else
        tg->oom_score_adj = adj;
    mutex_unlock(&tg->lock);
    thread_group_put(tg);
    return rc;
}

int proc_store_pid_oom_score_adj(const struct proc_node *n, const struct cred *opener,
                                 const char *text, size_t len)
{
    s32 v;
    int rc = proc_parse_s32(text, &v);

    if (rc < 0)
        return rc;
    return v < OOM_ADJ_MIN || v > OOM_ADJ_MAX ? -EINVAL : set_oom_adj(n, v);
}

/* oom_adj: the same in the steps of old. Its ends are the ends of oom_score_adj. */
int proc_show_pid_oom_adj(const struct proc_node *n, struct proc_text *out)
{
    s32 adj;
    int rc = oom_adj(n, &adj);

    if (rc < 0)
        return rc;
    if (adj == OOM_ADJ_MAX)
        adj = OLD_ADJ_MAX;
    else
        adj = adj * -OLD_DISABLE / OOM_ADJ_MAX;
    proc_printf(out, "%d\n", min_of(adj, OLD_ADJ_MAX));
    return 0;
}

int proc_store_pid_oom_adj(const struct proc_node *n, const struct cred *opener, const char *text,
                           size_t len)
{
    s32 v;
    int rc = proc_parse_s32(text, &v);

    if (rc < 0)
        return rc;
    if (v < OLD_DISABLE || v > OLD_ADJ_MAX)
        return -EINVAL;
    return set_oom_adj(n, v == OLD_ADJ_MAX ? OOM_ADJ_MAX : v * OOM_ADJ_MAX / -OLD_DISABLE);
}

/* --- small ones --- */

int proc_show_pid_cgroup(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0::/\n");
    return 0;
}

int proc_show_pid_loginuid(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u", NO_LOGIN);
    return 0;
}

int proc_show_pid_sessionid(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u", NO_LOGIN);
    return 0;
}

/* --- mounts --- */

static int show_mount_table(const struct proc_node *n, struct proc_text *out,
                            enum mount_format format)
{
    struct nsproxy *ns = proc_ns(n);
    struct fs_context *fs = proc_fs(n);
    struct path root = {0};
    char *text = NULL;
    size_t len = 0;
    int rc = -EINVAL;

    if (ns && fs) {
        mutex_lock(&fs->lock);
        root = path_get(&fs->root);
        mutex_unlock(&fs->lock);
        rc = mount_text(ns->mount, &root, format, &text, &len);
        path_put(&root);
    }
    if (rc == 0)
        proc_put_bytes(out, text, len);
    free(text);
    nsproxy_put(ns);
    fs_context_put(fs);
    return rc;
}

int proc_show_pid_mounts(const struct proc_node *n, struct proc_text *out)
{
    return show_mount_table(n, out, MOUNT_FORMAT_MOUNTS);
}

int proc_show_pid_mountinfo(const struct proc_node *n, struct proc_text *out)
{
    return show_mount_table(n, out, MOUNT_FORMAT_INFO);
}

int proc_show_pid_mountstats(const struct proc_node *n, struct proc_text *out)
{
    return show_mount_table(n, out, MOUNT_FORMAT_STATS);
}
