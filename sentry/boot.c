/* Boot: what exists, and the objects of a container; see boot.h. The mount tree is boot_mounts.c. */
#include "sentry/boot.h"

#include "fs/dev/dev.h"
#include "fs/devpts/devpts.h"
#include "fs/gofer/gofer.h"
#include "fs/mqueue/mqueue.h"
#include "fs/pipe/pipe.h"
#include "fs/proc/proc.h"
#include "fs/sys/sys.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/mount.h"
#include "sentry/base/hash.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/log.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/async_io.h"
#include "sentry/kernel/fsize_limit.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usermem.h"
#include "sentry/oci/oci_spec.h"
#include "sentry/syscalls/syscall.h"
#include "sentry/time/timer.h"
#include "sentry/wait/host_watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The file systems that exist. */
static const struct fs_type *const fs_types[] = {
    &gofer_fs_type,
    &tmpfs_type,
    &devtmpfs_type,
    &devpts_fs_type,
    &mqueue_fs_type,
    &proc_fs_type,
    &sysfs_fs_type,
    &cgroup2_fs_type,
};

int boot_host(const char *platform, const struct platform_ops **ops, struct plat_zygote **zygote)
{
    static const struct plat_client client = {.step = task_step};
    struct plat_config config = {.client = &client, .uid = 1, .gid = 1};
    u64 seed;
    int err;

    *ops = platform_find(platform);
    if (!*ops)
        return -ENOENT;
    err = host_random(&seed, sizeof(seed));
    if (err < 0)
        return err;
    hash_seed(seed);
    for (size_t i = 0; i < ARRAY_SIZE(fs_types); i++)
        fs_type_register(fs_types[i]);
    dev_init();
    devpts_init();
    pipe_init();
    fsize_limit_init();
    async_io_init();
    err = proc_boot();
    if (err < 0)
        return err;
    task_set_dispatch(syscall_dispatch);
    usermem_set_fault_in(task_fault_in);
    err = (*ops)->init(&config);
    return err < 0 ? err : (*ops)->zygote_create(zygote);
}

int boot_threads(const struct platform_ops *ops)
{
    int err = timer_start();

    if (!err)
        err = host_watch_start();
    return err ? err : ops->start();
}

int boot_container(const struct boot_args *args, struct container **out, struct oci_error *err)
{
    struct user_ns *user_ns = user_ns_first();
    struct container *c;
    int ret;

    if (!user_ns)
        return -ENOMEM;
    ret = container_new(args->id, args->spec, args->platform, args->zygote, user_ns, &c);
    user_ns_put(user_ns);
    if (ret < 0) {
        snprintf(err->text, sizeof(err->text), "the container's objects: %s", strerror(-ret));
        return ret;
    }
    if (args->pids_limit)
        c->pids_limit = args->pids_limit;
    c->allow_suid = args->allow_suid;
    if (args->kernel_release)
        c->kernel_release = args->kernel_release;
    ret = boot_mounts(c, args, err);
    if (ret == 0)
        ret = boot_sysctls(c, args->spec, err);
    if (ret < 0) {
        container_put(c);
        return ret;
    }
    *out = c;
    return 0;
}
