/* /proc/sys: what sysctl(8) shows. Settings that can be written say what they do. */
#include "fs/proc/proc_priv.h"

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
NUMBER(show_entropy, 256)
NUMBER(show_watches, LIMIT_EPOLL_WATCHES)
NUMBER(show_inotify_events, LIMIT_INOTIFY_EVENTS)
NUMBER(show_inotify_instances, LIMIT_INOTIFY_INSTANCES)
NUMBER(show_inotify_watches, LIMIT_INOTIFY_WATCHES)
/* The host decides about overcommit; the default heuristic is what programs meet. */
NUMBER(show_overcommit, 0)

/* --- names --- */

static int show_ostype(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, UNAME_SYSNAME "\n");
    return 0;
}

static int show_osrelease(const struct proc_node *n, struct proc_text *out)
{
    proc_printf(out, "%s\n",
                current ? current->tg->container->kernel_release
                        : container_default_kernel_release);
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

static int store_hostname(const struct proc_node *n, const char *text, size_t len)
{
    struct uts_ns *uts = current ? current->ns->uts : NULL;
    size_t name = strcspn(text, "\n");

    if (!uts || !cred_has_cap(task_cred(current), uts->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    if (name >= UTS_LEN)
        return -EINVAL;
    mutex_lock(&uts->lock);
    memset(uts->nodename, 0, sizeof(uts->nodename));
    memcpy(uts->nodename, text, name);
    mutex_unlock(&uts->lock);
    return 0;
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

static const struct proc_entry random_children[] = {
    {.name = "boot_id", .mode = FILE_RO, .show = show_boot_id},
    {.name = "entropy_avail", .mode = FILE_RO, .show = show_entropy},
    {.name = "uuid", .mode = FILE_RO, .show = show_uuid},
    {0},
};

static const struct proc_entry kernel_children[] = {
    {.name = "cap_last_cap", .mode = FILE_RO, .show = show_cap_last_cap},
    {.name = "domainname", .mode = FILE_RO, .show = show_domainname},
    {.name = "hostname", .mode = FILE_RW, .show = show_hostname, .store = store_hostname},
    {.name = "msgmax", .mode = FILE_RW, .show = proc_show_msgmax, .store = proc_store_msgmax},
    {.name = "msgmnb", .mode = FILE_RW, .show = proc_show_msgmnb, .store = proc_store_msgmnb},
    {.name = "msgmni", .mode = FILE_RW, .show = proc_show_msgmni, .store = proc_store_msgmni},
    {.name = "ngroups_max", .mode = FILE_RO, .show = show_ngroups_max},
    {.name = "osrelease", .mode = FILE_RO, .show = show_osrelease},
    {.name = "ostype", .mode = FILE_RO, .show = show_ostype},
    {.name = "pid_max", .mode = FILE_RO, .show = show_pid_max},
    {.name = "random", .mode = DIR, .children = random_children},
    {.name = "sem", .mode = FILE_RW, .show = proc_show_sem, .store = proc_store_sem},
    {.name = "shm_rmid_forced", .mode = FILE_RO, .show = proc_show_rmid_forced},
    {.name = "shmall", .mode = FILE_RW, .show = proc_show_shmall, .store = proc_store_shmall},
    {.name = "shmmax", .mode = FILE_RW, .show = proc_show_shmmax, .store = proc_store_shmmax},
    {.name = "shmmni", .mode = FILE_RW, .show = proc_show_shmmni, .store = proc_store_shmmni},
    {.name = "threads-max", .mode = FILE_RO, .show = show_threads_max},
    {.name = "version", .mode = FILE_RO, .show = show_kernel_version},
    {0},
};

static const struct proc_entry vm_children[] = {
    {.name = "max_map_count", .mode = FILE_RO, .show = show_map_count},
    {.name = "mmap_min_addr", .mode = FILE_RO, .show = show_mmap_min},
    {.name = "overcommit_memory", .mode = FILE_RO, .show = show_overcommit},
    {0},
};

static const struct proc_entry epoll_children[] = {
    {.name = "max_user_watches", .mode = FILE_RO, .show = show_watches},
    {0},
};

static const struct proc_entry inotify_children[] = {
    {.name = "max_queued_events", .mode = FILE_RO, .show = show_inotify_events},
    {.name = "max_user_instances", .mode = FILE_RO, .show = show_inotify_instances},
    {.name = "max_user_watches", .mode = FILE_RO, .show = show_inotify_watches},
    {0},
};

static const struct proc_entry fs_children[] = {
    {.name = "epoll", .mode = DIR, .children = epoll_children},
    {.name = "file-max", .mode = FILE_RO, .show = show_file_max},
    {.name = "inotify", .mode = DIR, .children = inotify_children},
    {.name = "mount-max", .mode = FILE_RO, .show = show_mount_max},
    {.name = "nr_open", .mode = FILE_RO, .show = show_nr_open},
    {.name = "pipe-max-size", .mode = FILE_RO, .show = show_pipe_max},
    {0},
};

static const struct proc_entry no_children[] = {{0}};

const struct proc_entry proc_sys_children[] = {
    {.name = "fs", .mode = DIR, .children = fs_children},
    {.name = "kernel", .mode = DIR, .children = kernel_children},
    {.name = "net", .mode = DIR, .children = no_children},
    {.name = "vm", .mode = DIR, .children = vm_children},
    {0},
};
