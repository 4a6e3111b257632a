/*
 * Boot: the lists of what exists, and a container from its spec. In three parts, since the host is
 * there only in the first: boot_host() before the Sentry confines itself, boot_threads() after it,
 * boot_container() to build one.
 */
#pragma once

#include "platform/platform.h"
#include "sentry/base/types.h"

struct gofer_conn;
struct container;
struct file;
struct oci_error;
struct oci_process;
struct oci_spec;
struct thread_group;
struct tty;

/* A bind mount that the gofer serves as /mnt/<index>, for spec->mounts.items[spec]. */
struct boot_bind {
    u32 index, spec;
    bool readonly, dir;
};

struct boot_args {
    const char *id;
    struct oci_spec *spec; /* taken by boot_container() on success */
    const struct platform_ops *platform;
    struct plat_zygote *zygote;
    struct gofer_conn *gofer;
    bool root_readonly, root_shared, mounts_shared;
    const struct boot_bind *binds;
    u32 nbinds, pids_limit;
    const char *kernel_release; /* NULL: the default */
    bool allow_suid;
};

/* boot_host() - what needs the host: the platform and a zygote for the first container. */
int boot_host(const char *platform, const struct platform_ops **ops, struct plat_zygote **zygote);
/* boot_threads() - timers, watches, the platform's threads; needs no privilege. */
int boot_threads(const struct platform_ops *ops);
/* boot_container() - the objects and the mount tree of a container in state created.
 * Return: 0, or -errno with a line for people in err->text. */
int boot_container(const struct boot_args *args, struct container **out, struct oci_error *err);
/* boot_console() - a terminal for `process` with `fd`, a terminal of the host in raw mode and with
 * O_NONBLOCK, behind it (fd is taken on success). stdio: three references. *tty: a reference.
 * boot_console_mount() - it is /dev/console too. Return: 0, -errno. */
int boot_console(struct container *c, const struct oci_process *process, int fd,
                 struct file *stdio[3], struct tty **tty);
int boot_console_mount(struct container *c, const struct tty *tty);
/* boot_sysctls() - the settings of the container's namespaces that its spec asks for (boot_sysctl.c). */
int boot_sysctls(struct container *c, const struct oci_spec *spec, struct oci_error *err);
/* boot_mounts() - the container's mount namespace from its spec (boot_mounts.c). */
int boot_mounts(struct container *c, const struct boot_args *args, struct oci_error *err);
