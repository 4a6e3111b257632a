/*
 * Confinement of the Sentry. When it is done, a Sentry that has been taken over can open only files
 * of its own tmpfs, holds no capability (but the kernel's rule that the owner of a user namespace
 * rules in it, which gives it the guests' processes), and makes the host calls of
 * cmd/sandbox/seccomp.list.
 */
#include "cmd/sandbox/confine.h"

#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "cmd/filter/sentry_filter.h"

#define SECUREBITS                                                                                 \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED)

/* tmpfs_mount() - a detached tmpfs of `bytes`. Return: its descriptor or -errno. */
static int tmpfs_mount(u64 bytes)
{
    auto_fd int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    char size[32];
    int fd;

    snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
        syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    /* Not noexec: guests map programs that lie on their tmpfs. */
    fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return fd < 0 ? -errno : fd;
}

int confine_root(u64 bytes, const char **what)
{
    auto_fd int fd = tmpfs_mount(bytes);

    if (fd < 0)
        return *what = "tmpfs for the private root", fd;
    if (syscall(SYS_move_mount, fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return *what = "mount of the private root", -errno;
    if (fchdir(fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return *what = "pivot_root", -errno;
    if (syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) < 0)
        return *what = "unmount of the host's files", -errno;
    return chdir("/") < 0 ? (*what = "chdir", -errno) : 0;
}

static int drop_bounding(void)
{
    for (int cap = 0; cap < 64; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return errno == EINVAL && cap > CAP_AUDIT_READ ? 0 : -errno;
    return 0;
}

int confine_privileges(const char **what)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    int err;

    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return *what = "setgroups", -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return *what = "ambient capabilities", -errno;
    if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
        return *what = "securebits", -errno;
    err = drop_bounding();
    if (err < 0)
        return *what = "bounding set", err;
    if (syscall(SYS_capset, &head, none) < 0)
        return *what = "capabilities", -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return *what = "no_new_privs", -errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return *what = "dumpable", -errno;
    return 0;
}

int confine_calls(const char **what)
{
    struct sock_fprog prog = {.len = sentry_filter_len,
                              .filter = (struct sock_filter *)(uintptr_t)sentry_filter};

    /* SPEC_ALLOW: the Sentry runs no foreign code, and the mitigation costs at each call. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) != 0)
        return *what = "seccomp filter", -errno;
    return 0;
}
