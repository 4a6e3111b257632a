/*
 * Makes missing mount points beneath a root, as runtimes do. Every step is resolved by the kernel
 * with that root as "/": symbolic links of the image lead nowhere else.
 */
#include "cmd/runsc/mount_points.h"

#include "cmd/runsc/gofer_mounts.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Components of a path that are made at most. */
#define DEPTH_MAX 64

/* parent_of() - the path's folder: "/a/b/" to "/a"; "/" stays. New memory, or NULL. */
static char *parent_of(const char *path, const char **name)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    *name = path + start;
    return strndup(path, start > 1 ? start - 1 : 1);
}

/* open_dir() - a directory beneath the root, made with its parents if missing. */
static int open_dir(int root, const char *path, unsigned int depth)
{
    auto_free char *parent = NULL, *last = NULL;
    auto_fd int above = -1;
    const char *name;
    int fd = host_file_open_beneath(root, path, O_PATH | O_DIRECTORY);

    if (fd != -ENOENT || depth == 0)
        return fd;
    parent = parent_of(path, &name);
    last = parent ? strndup(name, strcspn(name, "/")) : NULL;
    if (!last || !*last)
        return -ENOENT;
    above = open_dir(root, parent, depth - 1);
    if (above < 0)
        return above;
    fd = host_file_mkdir(above, last, 0755);
    return fd && fd != -EEXIST ? fd : host_file_open_beneath(root, path, O_PATH | O_DIRECTORY);
}

static void make_dir(int root, const char *path)
{
    int fd = open_dir(root, path, DEPTH_MAX);

    clean_fd(&fd);
}

/* make_file() - an empty file for a mount that is one. */
static void make_file(int root, const char *path)
{
    auto_free char *parent = NULL, *last = NULL;
    auto_fd int above = -1, fd = host_file_open_beneath(root, path, O_PATH);
    const char *name;

    if (fd != -ENOENT)
        return;
    parent = parent_of(path, &name);
    last = parent ? strndup(name, strcspn(name, "/")) : NULL;
    above = parent ? open_dir(root, parent, DEPTH_MAX) : -1;
    if (above >= 0 && last && *last)
        fd = host_file_open(above, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
}

/* is_below() - is path strictly below dir, which isn't "/"? */
static bool is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    while (n > 0 && dir[n - 1] == '/')
        n--;
    return n > 0 && strncmp(path, dir, n) == 0 && path[n] == '/' && path[n + 1] != '\0';
}

/* covered() - is it in another mount, where the root's own file would not be seen? */
static bool covered(const struct oci_spec *spec, const char *path)
{
    for (size_t i = 0; i < spec->mounts.count; i++)
        if (is_below(path, spec->mounts.items[i].destination))
            return true;
    return is_below(path, "/dev") || is_below(path, "/proc") || is_below(path, "/sys");
}

void mount_points_make(const struct oci_spec *spec, const char *bundle, const char *root)
{
    static const char *const mandatory[] = {"/proc", "/sys", "/dev"};
    auto_fd int fd = host_file_open(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0);

    if (fd < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++)
        make_dir(fd, mandatory[i]);
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct oci_mount *mount = &spec->mounts.items[i];
        bool file = (mount->flags & OCI_MOUNT_BIND) && gofer_mounts_is_dir(mount, bundle) == 0;

        if (covered(spec, mount->destination))
            continue;
        if (file)
            make_file(fd, mount->destination);
        else
            make_dir(fd, mount->destination);
    }
}
