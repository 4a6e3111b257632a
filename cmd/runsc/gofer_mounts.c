/*
 * Prepares the gofer's mount namespace: a small tmpfs with /root, a bind mount of the container's
 * root file system, and /mnt/<n>, one for each bind mount of config.json in its order there; then
 * that is the root and the host's tree is detached. Restrictions that config.json asks for are set
 * on the host's side too; besides, nothing in there is a device or set-user-id for the host.
 * Numbers count bind mounts only.
 */
#include "cmd/runsc/gofer_mounts.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_mount.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/mount_points.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define RESTRICTIONS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

bool gofer_mounts_next(const struct oci_spec *spec, ssize_t *i)
{
    for ((*i)++; (size_t)*i < spec->mounts.count; (*i)++)
        if (spec->mounts.items[*i].flags & OCI_MOUNT_BIND)
            return true;
    return false;
}

/* source_path() - a mount's source, which may be relative to the bundle. New memory, or NULL. */
static char *source_path(const struct oci_mount *mount, const char *bundle)
{
    char *path;

    if (mount->source[0] == '/')
        return strdup(mount->source);
    return asprintf(&path, "%s/%s", bundle, mount->source) < 0 ? NULL : path;
}

int gofer_mounts_is_dir(const struct oci_mount *mount, const char *bundle)
{
    auto_free char *source = source_path(mount, bundle);
    struct stat st;
    int r;

    if (!source)
        return error_set(-ENOMEM, "out of memory");
    r = host_file_stat(AT_FDCWD, source, &st, 0);
    if (r)
        return error_errno(r, "config.json: mounts: can't mount %s on %s", source,
                           mount->destination);
    return S_ISDIR(st.st_mode);
}

int gofer_mounts_check(const struct oci_spec *spec, const char *bundle, const char *rootfs)
{
    struct stat st;
    int r = host_file_stat(AT_FDCWD, rootfs, &st, 0);

    if (r)
        return error_errno(r, "config.json: root.path: can't use %s", rootfs);
    if (!S_ISDIR(st.st_mode))
        return error_set(-ENOTDIR, "config.json: root.path: %s is not a directory", rootfs);
    for (ssize_t i = -1; gofer_mounts_next(spec, &i);) {
        r = gofer_mounts_is_dir(&spec->mounts.items[i], bundle);
        if (r < 0)
            return r;
    }
    return 0;
}

/* place_for() - the empty folder or file that a bind mount covers. */
static int place_for(const char *target, bool dir)
{
    int fd;

    if (dir)
        return host_file_mkdir(AT_FDCWD, target, 0755);
    fd = host_file_open(AT_FDCWD, target, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return fd;
    clean_fd(&fd);
    return 0;
}

/* mount_one() - bind mount number @n. */
static int mount_one(const struct oci_mount *mount, const char *bundle, unsigned int n)
{
    auto_free char *source = source_path(mount, bundle);
    bool deep = mount->flags & OCI_MOUNT_REC;
    char target[32];
    int dir = gofer_mounts_is_dir(mount, bundle), r;

    if (dir < 0)
        return dir;
    snprintf(target, sizeof(target), "mnt/%u", n);
    r = source ? place_for(target, dir) : -ENOMEM;
    if (!r)
        r = host_mount_bind(source, target, deep);
    if (!r)
        r = host_mount_restrict(target, MS_NODEV | MS_NOSUID | (mount->rec_set & RESTRICTIONS),
                                deep);
    if (!r && (mount->flags & RESTRICTIONS))
        r = host_mount_restrict(target, mount->flags & RESTRICTIONS, false);
    return r ? error_errno(r, "config.json: mounts: can't mount %s on %s", source ? source : "",
                           mount->destination)
             : 0;
}

static int mount_root(const struct oci_spec *spec, const char *bundle, const char *rootfs)
{
    unsigned long flags = MS_NODEV | MS_NOSUID | (spec->root_readonly ? MS_RDONLY : 0);
    int r = host_file_mkdir(AT_FDCWD, "root", 0755);

    if (!r)
        r = host_mount_bind(rootfs, "root", true);
    if (!r && spec->root_readonly)
        mount_points_make(spec, bundle, "root");
    if (!r)
        r = host_mount_restrict("root", flags, true);
    return r ? error_errno(r, "config.json: root.path: can't mount %s", rootfs) : 0;
}

/* wants_slave() - does any mount ask to see what the host mounts there later? */
static bool wants_slave(const struct oci_spec *spec)
{
    for (ssize_t i = -1; gofer_mounts_next(spec, &i);)
        if (spec->mounts.items[i].propagation & OCI_MOUNT_SLAVE)
            return true;
    return false;
}

/* prepare_place() - private propagation, and an empty tmpfs as working directory. */
static int prepare_place(const struct oci_spec *spec, const char *place)
{
    int r = host_mount_propagation("/", wants_slave(spec) ? HOST_MOUNT_SLAVE : HOST_MOUNT_PRIVATE);

    if (!r)
        r = host_mount_tmpfs(place, MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=755");
    if (!r)
        r = host_process_chdir(place);
    if (!r)
        r = host_file_mkdir(AT_FDCWD, "mnt", 0755);
    return r ? error_errno(r, "can't make the gofer's file system in %s", place) : 0;
}

/*
 * lend_runtime() - a sanitizer build is dynamic and looks at its own mappings: in the new root, too, it
 * must find its loader, its libraries and /proc. Never in a build that is shipped.
 */
static int lend_runtime(void)
{
    static const char *const folders[] = {"/lib", "/lib64", "/proc"};
    int r = 0;

    for (size_t i = 0; SANITIZED && !r && i < ARRAY_SIZE(folders); i++) {
        r = host_file_mkdir(AT_FDCWD, folders[i] + 1, 0755);
        if (!r)
            r = host_mount_bind(folders[i], folders[i] + 1, false);
    }
    return r ? error_errno(r, "can't lend the sanitizers' runtime to the gofer") : 0;
}

int gofer_mounts_build(const struct oci_spec *spec, const char *bundle, const char *rootfs,
                       const char *place, int (*before_pivot)(void *), void *arg)
{
    unsigned int n = 0;
    int r = prepare_place(spec, place);

    if (!r)
        r = mount_root(spec, bundle, rootfs);
    for (ssize_t i = -1; !r && gofer_mounts_next(spec, &i);)
        r = mount_one(&spec->mounts.items[i], bundle, n++);
    if (!r)
        r = lend_runtime();
    if (!r && before_pivot)
        r = before_pivot(arg);
    if (r)
        return r;
    r = host_mount_pivot_here();
    if (!r)
        r = host_mount_restrict("/", MS_RDONLY, false);
    return r ? error_errno(r, "can't make the gofer's file system its root") : 0;
}
