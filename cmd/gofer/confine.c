/*
 * What the gofer gives up before it serves: all capabilities but those that files need, the way to
 * new ones, devices, being looked at by others, and every system call that its sources do not
 * declare. Its root, pid, network, ipc and mount namespaces were made by runsc.
 */
#include "cmd/gofer/gofer.h"
#include "cmd/gofer/host_path.h"

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
#include <unistd.h>

#include "cmd/filter/gofer_filter.h"

/* ST_NODEV of statfs(2)'s f_flags, as the kernel has it. */
#define STATFS_NODEV 4

#define BIT(cap) (1ull << (cap))

/* To act on a container's files as the guest's root may, whoever owns them. */
#define KEPT_CAPS                                                                          \
    (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
     BIT(CAP_FSETID) | BIT(CAP_MKNOD) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP))

/* Capabilities stay when a worker's fsuid changes; none comes back through uid 0. */
#define SECUREBITS                                                                           \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

bool gofer_forbid_devices(const struct gofer *g)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID};

    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) == 0)
        return true;
    /* An old kernel or no right to it; and a mount below one of these may still have devices. */
    return false;
}

static int drop_bounding(void)
{
    for (int cap = 0; cap < 64; cap++) {
        if (KEPT_CAPS & BIT(cap))
            continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return errno == EINVAL && cap > CAP_AUDIT_READ ? 0 : -errno;
    }
    return 0;
}

static int keep_caps(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2], keep[2];

    if (syscall(SYS_capget, &head, now) < 0)
        return -errno;
    for (u32 i = 0; i < 2; i++) {
        keep[i].permitted = now[i].permitted & (u32)(KEPT_CAPS >> (i * 32));
        keep[i].effective = keep[i].permitted;
        keep[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, keep) < 0 ? -errno : 0;
}

static int load_filter(void)
{
    struct sock_fprog prog = {.len = gofer_filter_len,
                              .filter = (struct sock_filter *)(uintptr_t)gofer_filter};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ? -errno : 0;
}

int gofer_confine(const char **what)
{
    int r;

    /* Refused in a user namespace that has denied it: then there is nothing to gain by them. */
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return *what = "setgroups", -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return *what = "ambient capabilities", -errno;
    if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
        return *what = "securebits", -errno;
    r = drop_bounding();
    if (r < 0)
        return *what = "bounding set", r;
    r = keep_caps();
    if (r < 0)
        return *what = "capabilities", r;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return *what = "no_new_privs", -errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return *what = "dumpable", -errno;
    r = load_filter();
    if (r < 0)
        return *what = "seccomp filter", r;
    return 0;
}
