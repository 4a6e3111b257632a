/* /proc/sys: what sysctl(8) shows. Settings that can be written say what they do. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/uname.h"

#include <errno.h>
#include <string.h>

#define DIR     (LX_S_IFDIR | 0555)
#define FILE_RO (LX_S_IFREG | 0444)
#define FILE_RW (LX_S_IFREG | 0644)

/* --- numbers that are what they are --- */

#define NUMBER(fn, value)                                           \
    static int fn(const struct proc_node *n, struct proc_text *out) \
    {                                                               \
        proc_printf(out, "%lu\n", (unsigned long)(value));          \
        return 0;                                                   \
    }

NUMBER(show_pid_max, PID_MAX)
NUMBER(show_threads_max, LIMIT_PIDS)
NUMBER(show_ngroups_max, LIMIT_GROUPS)
NUMBER(show_cap_last_cap, LX_CAP_LAST)
NUMBER(show_file_max, LIMIT_FILES)
NUMBER(show_nr_open, LIMIT_NOFILE)
NUMBER(show_pipe_max, LIMIT_PIPE_BYTES)
NUMBER(show_map_count, LIMIT_VMAS)
NUMBER(show_mount_max, LIMIT_MOUNTS)
NUMBER(show_mmap_min, PLAT_GUEST_MIN)
NUMBER(show_namespaces, LIMIT_NAMESPACES)
NUMBER(show_entropy, 256)
NUMBER(show_watches, LIMIT_EPOLL_WATCHES)
NUMBER(show_inotify_events, LIMIT_INOTIFY_EVENTS)
NUMBER(show_inotify_instances, LIMIT_INOTIFY_INSTANCES)
NUMBER(show_inotify_watches, LIMIT_INOTIFY_WATCHES)
/* The host decides about overcommit; the default heuristic is what programs meet. */
NUMBER(show_overcommit, 0)
/* What Linux has as defaults and nothing here changes. */
NUMBER(show_0, 0)
NUMBER(show_1, 1)
NUMBER(show_2, 2)
NUMBER(show_overflow_id, 65534)
NUMBER(show_ratio, 50)
NUMBER(show_swappiness, 60)
NUMBER(show_dirty_ratio, 20)
NUMBER(show_dirty_background, 10)
NUMBER(show_cache_pressure, 100)
NUMBER(show_page_cluster, 3)
NUMBER(show_min_free, 4096)
NUMBER(show_reserve, 8192)
NUMBER(show_poolsize, 256)
NUMBER(show_reseed, 60)
NUMBER(show_lease_break, 45)
NUMBER(show_pipe_soft, LIMIT_PIPE_PAGES_USER)
NUMBER(show_random_place, 2)

static int show_core_pattern(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "core\n");
    return 0;
}

static int show_printk(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "4\t4\t1\t7\n");
    return 0;
}

static int show_last_pid(const struct proc_node *n, struct proc_text *out)
{
    s32 last;

    pid_lock();
    last = n->ns->last;
    pid_unlock();
    proc_printf(out, "%d\n", last);
    return 0;
}

static int show_file_nr(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%u\t0\t%u\n", file_count(), (unsigned int)LIMIT_FILES);
    return 0;
}

/* --- names --- */

static int show_ostype(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, UNAME_SYSNAME "\n");
    return 0;
}

static int show_osrelease(const struct proc_node *n, struct proc_text *out)
{
    char release[UNAME_RELEASE];

    uname_release(current ? current->tg->container : NULL, release);
    proc_printf(out, "%s\n", release);
    return 0;
}

static int show_kernel_version(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, UNAME_VERSION "\n");
    return 0;
}

/* show_uts() - one of the two names of the reader's UTS namespace. */
static int show_uts(struct proc_text *out, bool domain)
{
    struct uts_ns *uts = current ? current->ns->uts : NULL;
    char name[UTS_LEN];

    if (!uts)
        return -ENOENT;
    mutex_lock(&uts->lock);
    memcpy(name, domain ? uts->domainname : uts->nodename, sizeof(name));
    mutex_unlock(&uts->lock);
    proc_printf(out, "%.64s\n", name);
    return 0;
}

static int show_hostname(const struct proc_node *n, struct proc_text *out)
{
    return show_uts(out, false);
}

static int show_domainname(const struct proc_node *n, struct proc_text *out)
{
    return show_uts(out, true);
}

/* store_uts() - the text up to its first newline, cut to what a name may have. */
static int store_uts(const char *text, bool domain)
{
    struct uts_ns *uts = current ? current->ns->uts : NULL;
    size_t len = min_of(strcspn(text, "\n"), (size_t)UTS_LEN - 1);
    char *name;

    if (!uts || !cred_has_cap(task_cred(current), uts->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    name = domain ? uts->domainname : uts->nodename;
    mutex_lock(&uts->lock);
    memset(name, 0, UTS_LEN);
    memcpy(name, text, len);
    mutex_unlock(&uts->lock);
    return 0;
}

static int store_hostname(const struct proc_node *n, const struct cred *opener, const char *text,
                          size_t len)
{
    return store_uts(text, false);
}

static int store_domainname(const struct proc_node *n, const struct cred *opener, const char *text,
                            size_t len)
{
    return store_uts(text, true);
}

/* --- random --- */

/* put_uuid() - a random UUID, version 4. */
static void put_uuid(struct proc_text *out, u8 b[16])
{
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (int i = 0; i < 16; i++)
        proc_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    proc_puts(out, "\n");
}

static int show_uuid(const struct proc_node *n, struct proc_text *out)
{
    u8 b[16];
    int rc = host_random(b, sizeof(b));

    if (rc < 0)
        return rc;
    put_uuid(out, b);
    return 0;
}

/* show_boot_id() - made at the first question, the same from then on. */
static int show_boot_id(const struct proc_node *n, struct proc_text *out)
{
    static struct mutex lock = MUTEX_INIT(LEAF);
    static u8 id[16]; /* guarded by lock */
    static bool made;
    u8 fresh[16];
    int rc = host_random(fresh, sizeof(fresh));

    if (rc < 0)
        return rc;
    mutex_lock(&lock);
    if (!made)
        memcpy(id, fresh, sizeof(id));
    made = true;
    memcpy(fresh, id, sizeof(id));
    mutex_unlock(&lock);
    put_uuid(out, fresh);
    return 0;
}

/* --- tables --- */

/* What the mode forbids nobody may do, whatever his capabilities. */
#define NUMBER_FILE(file, fn)                                           \
    {                                                                   \
        .name = file, .mode = FILE_RO, .flags = PROC_SYSCTL, .show = fn \
    }

static const struct proc_entry random_children[] = {
    NUMBER_FILE("boot_id", show_boot_id),
    NUMBER_FILE("entropy_avail", show_entropy),
    NUMBER_FILE("poolsize", show_poolsize),
    NUMBER_FILE("urandom_min_reseed_secs", show_reseed),
    NUMBER_FILE("uuid", show_uuid),
    NUMBER_FILE("write_wakeup_threshold", show_poolsize),
    {0},
};

static const struct proc_entry kernel_children[] = {
    NUMBER_FILE("cap_last_cap", show_cap_last_cap),
    NUMBER_FILE("core_pattern", show_core_pattern),
    NUMBER_FILE("core_pipe_limit", show_0),
    NUMBER_FILE("core_uses_pid", show_0),
    NUMBER_FILE("dmesg_restrict", show_0),
    {.name = "domainname", .mode = FILE_RW, .show = show_domainname, .store = store_domainname},
    {.name = "hostname", .mode = FILE_RW, .show = show_hostname, .store = store_hostname},
    NUMBER_FILE("io_uring_disabled", show_2),
    NUMBER_FILE("kptr_restrict", show_1),
    NUMBER_FILE("modules_disabled", show_1),
    {.name = "msgmax", .mode = FILE_RW, .show = proc_show_msgmax, .store = proc_store_msgmax},
    {.name = "msgmnb", .mode = FILE_RW, .show = proc_show_msgmnb, .store = proc_store_msgmnb},
    {.name = "msgmni", .mode = FILE_RW, .show = proc_show_msgmni, .store = proc_store_msgmni},
    NUMBER_FILE("ngroups_max", show_ngroups_max),
    NUMBER_FILE("ns_last_pid", show_last_pid),
    NUMBER_FILE("numa_balancing", show_0),
    NUMBER_FILE("osrelease", show_osrelease),
    NUMBER_FILE("ostype", show_ostype),
    NUMBER_FILE("overflowgid", show_overflow_id),
    NUMBER_FILE("overflowuid", show_overflow_id),
    NUMBER_FILE("panic", show_0),
    NUMBER_FILE("panic_on_oops", show_0),
    NUMBER_FILE("perf_event_paranoid", show_2),
    NUMBER_FILE("pid_max", show_pid_max),
    NUMBER_FILE("printk", show_printk),
    {.name = "random", .mode = DIR, .children = random_children},
    NUMBER_FILE("randomize_va_space", show_random_place),
    {.name = "sem", .mode = FILE_RW, .show = proc_show_sem, .store = proc_store_sem},
    {.name = "shm_rmid_forced", .mode = FILE_RO, .show = proc_show_rmid_forced},
    {.name = "shmall", .mode = FILE_RW, .show = proc_show_shmall, .store = proc_store_shmall},
    {.name = "shmmax", .mode = FILE_RW, .show = proc_show_shmmax, .store = proc_store_shmmax},
    {.name = "shmmni", .mode = FILE_RW, .show = proc_show_shmmni, .store = proc_store_shmmni},
    NUMBER_FILE("tainted", show_0),
    NUMBER_FILE("threads-max", show_threads_max),
    NUMBER_FILE("unprivileged_bpf_disabled", show_2),
    NUMBER_FILE("version", show_kernel_version),
    {0},
};

static const struct proc_entry vm_children[] = {
    NUMBER_FILE("admin_reserve_kbytes", show_reserve),
    NUMBER_FILE("dirty_background_ratio", show_dirty_background),
    NUMBER_FILE("dirty_ratio", show_dirty_ratio),
    NUMBER_FILE("legacy_va_layout", show_0),
    NUMBER_FILE("max_map_count", show_map_count),
    NUMBER_FILE("min_free_kbytes", show_min_free),
    NUMBER_FILE("mmap_min_addr", show_mmap_min),
    NUMBER_FILE("nr_hugepages", show_0),
    NUMBER_FILE("nr_overcommit_hugepages", show_0),
    NUMBER_FILE("oom_kill_allocating_task", show_0),
    NUMBER_FILE("overcommit_kbytes", show_0),
    NUMBER_FILE("overcommit_memory", show_overcommit),
    NUMBER_FILE("overcommit_ratio", show_ratio),
    NUMBER_FILE("page-cluster", show_page_cluster),
    NUMBER_FILE("panic_on_oom", show_0),
    NUMBER_FILE("swappiness", show_swappiness),
    NUMBER_FILE("unprivileged_userfaultfd", show_0),
    NUMBER_FILE("user_reserve_kbytes", show_reserve),
    NUMBER_FILE("vfs_cache_pressure", show_cache_pressure),
    NUMBER_FILE("zone_reclaim_mode", show_0),
    {0},
};

static const struct proc_entry epoll_children[] = {
    NUMBER_FILE("max_user_watches", show_watches),
    {0},
};

static const struct proc_entry inotify_children[] = {
    NUMBER_FILE("max_queued_events", show_inotify_events),
    NUMBER_FILE("max_user_instances", show_inotify_instances),
    NUMBER_FILE("max_user_watches", show_inotify_watches),
    {0},
};

static const struct proc_entry mqueue_children[] = {
    {.name = "msg_default",
     .mode = FILE_RW,
     .show = proc_show_mq_msg_default,
     .store = proc_store_mq_msg_default},
    {.name = "msg_max",
     .mode = FILE_RW,
     .show = proc_show_mq_msg_max,
     .store = proc_store_mq_msg_max},
    {.name = "msgsize_default",
     .mode = FILE_RW,
     .show = proc_show_mq_msgsize_default,
     .store = proc_store_mq_msgsize_default},
    {.name = "msgsize_max",
     .mode = FILE_RW,
     .show = proc_show_mq_msgsize_max,
     .store = proc_store_mq_msgsize_max},
    {.name = "queues_max",
     .mode = FILE_RW,
     .show = proc_show_mq_queues_max,
     .store = proc_store_mq_queues_max},
    {0},
};

static const struct proc_entry fs_children[] = {
    NUMBER_FILE("aio-max-nr", show_0),
    NUMBER_FILE("aio-nr", show_0),
    {.name = "epoll", .mode = DIR, .children = epoll_children},
    NUMBER_FILE("file-max", show_file_max),
    NUMBER_FILE("file-nr", show_file_nr),
    {.name = "inotify", .mode = DIR, .children = inotify_children},
    NUMBER_FILE("lease-break-time", show_lease_break),
    NUMBER_FILE("leases-enable", show_0),
    NUMBER_FILE("mount-max", show_mount_max),
    {.name = "mqueue", .mode = DIR, .children = mqueue_children},
    NUMBER_FILE("nr_open", show_nr_open),
    NUMBER_FILE("overflowgid", show_overflow_id),
    NUMBER_FILE("overflowuid", show_overflow_id),
    NUMBER_FILE("pipe-max-size", show_pipe_max),
    NUMBER_FILE("pipe-user-pages-hard", show_0),
    NUMBER_FILE("pipe-user-pages-soft", show_pipe_soft),
    NUMBER_FILE("protected_fifos", show_0),
    NUMBER_FILE("protected_hardlinks", show_0),
    NUMBER_FILE("protected_regular", show_0),
    NUMBER_FILE("protected_symlinks", show_0),
    NUMBER_FILE("suid_dumpable", show_0),
    {0},
};

static const struct proc_entry user_children[] = {
    NUMBER_FILE("max_cgroup_namespaces", show_namespaces),
    NUMBER_FILE("max_ipc_namespaces", show_namespaces),
    NUMBER_FILE("max_mnt_namespaces", show_namespaces),
    NUMBER_FILE("max_net_namespaces", show_namespaces),
    NUMBER_FILE("max_pid_namespaces", show_namespaces),
    NUMBER_FILE("max_user_namespaces", show_namespaces),
    NUMBER_FILE("max_uts_namespaces", show_namespaces),
    {0},
};

const struct proc_entry proc_sys_children[] = {
    {.name = "fs", .mode = DIR, .children = fs_children},
    {.name = "kernel", .mode = DIR, .children = kernel_children},
    {.name = "net", .mode = DIR, .children = proc_sys_net_children},
    {.name = "user", .mode = DIR, .children = user_children},
    {.name = "vm", .mode = DIR, .children = vm_children},
    {0},
};

/* child_named() - a directory's entry by the first word of `name`; NULL: none. */
static const struct proc_entry *child_named(const struct proc_entry *e, const char *name, size_t len)
{
    for (; e && e->name; e++) {
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
            return e;
    }
    return NULL;
}

int proc_sysctl_set(const char *name, const char *value)
{
    const char *separator = strchr(name, '/') ? "/" : ".";
    const struct proc_entry *e = NULL, *children = proc_sys_children;

    for (;;) {
        size_t len = strcspn(name, separator);

        e = child_named(children, name, len);
        if (!e)
            return -ENOENT;
        if (!name[len])
            break;
        children = e->children;
        name += len + 1;
    }
    if (e->children)
        return -ENOENT;
    if (!e->store)
        return -EACCES;
    return e->store(NULL, task_cred(current), value, strlen(value));
}
