/* Host calls about mounts; see host_mount.h. */
#include "cmd/runsc/host_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* What mount_setattr(2) takes; the attributes of the same names have these values. */
struct host_mount_attr {
    u64 attr_set, attr_clr, propagation, userns_fd;
};

enum { ATTR_RDONLY = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4, ATTR_NOEXEC = 8 };

static int result(long r)
{
    return r < 0 ? -errno : 0;
}

int host_mount_propagation(const char *path, enum host_mount_propagation propagation)
{
    return result(mount(NULL, path, NULL,
                        MS_REC | (propagation == HOST_MOUNT_SLAVE ? MS_SLAVE : MS_PRIVATE), NULL));
}

int host_mount_tmpfs(const char *path, unsigned long flags, const char *data)
{
    return result(mount("tmpfs", path, "tmpfs", flags, data));
}

int host_mount_bind(const char *source, const char *target, bool recursive)
{
    return result(mount(source, target, NULL, MS_BIND | (recursive ? MS_REC : 0), NULL));
}

/* remount() - for kernels without mount_setattr: the top mount only. */
static int remount(const char *path, unsigned long flags)
{
    struct statvfs st;

    if (statvfs(path, &st) < 0)
        return -errno;
    flags |= st.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME |
                          MS_NODIRATIME | MS_RELATIME);
    return result(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL));
}

int host_mount_restrict(const char *path, unsigned long flags, bool recursive)
{
    struct host_mount_attr attr = {.attr_set = 0};
    int r;

    attr.attr_set |= flags & MS_RDONLY ? ATTR_RDONLY : 0;
    attr.attr_set |= flags & MS_NOSUID ? ATTR_NOSUID : 0;
    attr.attr_set |= flags & MS_NODEV ? ATTR_NODEV : 0;
    attr.attr_set |= flags & MS_NOEXEC ? ATTR_NOEXEC : 0;
    r = result(syscall(SYS_mount_setattr, AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &attr,
                       sizeof(attr)));
    return r == -ENOSYS ? remount(path, flags) : r;
}

int host_mount_pivot_here(void)
{
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}
