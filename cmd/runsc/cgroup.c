/*
 * The container's cgroup. In hierarchies of v1 its path is made in each; a new cpuset is given its
 * parent's CPUs and nodes, as it could hold no process otherwise; in v2 the controllers are enabled
 * on the way down. The folder must be empty of processes when it is planned: what is in it later is
 * the container's, and is killed when the container is deleted.
 */
#include "cmd/runsc/cgroup.h"

#include "cmd/runsc/cgroup_limits.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PROCS_BYTES_MAX     (4u << 20)
#define MOUNTINFO_BYTES_MAX (16u << 20)
#define DEPTH_MAX           8
#define REMOVE_TRIES        60

int cgroup_check_path(const char *path)
{
    size_t parts = 0;

    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");

        if ((n == 2 && strncmp(p, "..", 2) == 0) || (n == 1 && *p == '.'))
            return error_set(
                -EINVAL, "config.json: linux.cgroupsPath: must not contain '.' or '..', is '%s'",
                path);
        parts += n > 0;
        p += n;
        p += strspn(p, "/");
    }
    if (strchr(path, ':') && path[0] != '/')
        return error_set(-EOPNOTSUPP,
                         "config.json: linux.cgroupsPath: '%s' is a systemd scope; not built yet",
                         path);
    if (!parts)
        return error_set(-EINVAL, "config.json: linux.cgroupsPath: '%s' is the root of all cgroups",
                         path);
    return 0;
}

/* inherit_cpuset() - v1: a folder without CPUs or nodes gets its parent's. */
static void inherit_cpuset(const char *dir)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        auto_free char *own = NULL, *parent = NULL, *mine = NULL, *above = NULL;

        if (asprintf(&mine, "%s/%s", dir, files[i]) < 0 ||
            asprintf(&above, "%s/../%s", dir, files[i]) < 0)
            return;
        if (host_file_read(AT_FDCWD, mine, 4096, &own, NULL) == 0 && own[0] != '\n' && own[0])
            continue;
        if (host_file_read(AT_FDCWD, above, 4096, &parent, NULL) == 0)
            host_file_put(AT_FDCWD, mine, parent);
    }
}

/* enable_controllers() - v2: children of this folder may use all that it has itself. */
static void enable_controllers(const char *dir)
{
    auto_free char *file = NULL, *control = NULL, *have = NULL;
    char *rest;

    if (asprintf(&file, "%s/cgroup.controllers", dir) < 0 ||
        asprintf(&control, "%s/cgroup.subtree_control", dir) < 0 ||
        host_file_read(AT_FDCWD, file, 4096, &have, NULL))
        return;
    rest = have;
    for (char *name; (name = strsep(&rest, " \n"));) {
        char enable[80];

        if (!*name)
            continue;
        snprintf(enable, sizeof(enable), "+%s", name);
        host_file_put(AT_FDCWD, control, enable); /* what can't be had is missed when it's set */
    }
}

/* make_dirs() - the path below a hierarchy's mount, and what a new folder on it needs. */
static int make_dirs(const struct cgroup_mount *mount, char *dir)
{
    bool cpuset = !mount->v2 && strstr(mount->controllers, "cpuset");
    size_t from = strlen(mount->path);
    int r = 0;

    if (mount->v2)
        enable_controllers(mount->path);
    for (char *p = dir + from + 1;; p++) {
        bool last = *p == '\0';

        if (*p != '/' && !last)
            continue;
        *p = '\0';
        r = host_file_mkdir(AT_FDCWD, dir, 0755);
        if (r && r != -EEXIST)
            break;
        if (cpuset)
            inherit_cpuset(dir);
        if (mount->v2 && !last)
            enable_controllers(dir);
        r = 0;
        if (last)
            break;
        *p = '/';
    }
    return r ? error_errno(r, "config.json: linux.cgroupsPath: can't make %s", dir) : 0;
}

/* read_pids() - one folder's processes. */
static int read_pids(const char *dir, pid_t **pids, size_t *count)
{
    auto_free char *path = NULL, *text = NULL;
    pid_t *list = NULL;
    size_t n = 0;
    int r;

    if (asprintf(&path, "%s/cgroup.procs", dir) < 0)
        return -ENOMEM;
    r = host_file_read(AT_FDCWD, path, PROCS_BYTES_MAX, &text, NULL);
    if (r)
        return r;
    for (char *p = text, *end; *p; p = end + strspn(end, "\n")) {
        long pid = strtol(p, &end, 10);
        pid_t *grown;

        if (end == p)
            break;
        grown = n % 64 ? list : reallocarray(list, n + 64, sizeof(*list));
        if (!grown) {
            free(list);
            return -ENOMEM;
        }
        list = grown;
        list[n++] = (pid_t)pid;
    }
    *pids = list;
    *count = n;
    return 0;
}

/* check_empty() - nobody is in there yet; it may not be there at all. */
static int check_empty(const char *dir)
{
    auto_free pid_t *pids = NULL;
    size_t count = 0;
    int r = read_pids(dir, &pids, &count);

    if (r == -ENOENT)
        return 0;
    if (r)
        return error_errno(r, "can't read the processes of %s", dir);
    if (count)
        return error_set(-EBUSY,
                         "config.json: linux.cgroupsPath: %s has %zu processes in it already; "
                         "a container needs a cgroup of its own",
                         dir, count);
    return 0;
}

/* plan_in() - the container's folder in one hierarchy. */
static int plan_in(struct container *c, const struct cgroup_mount *mount, const char *path)
{
    char *dir;
    int r;

    if (asprintf(&dir, "%s/%s", mount->path, path + strspn(path, "/")) < 0)
        return error_set(-ENOMEM, "out of memory");
    r = check_empty(dir);
    if (r) {
        free(dir);
        return r;
    }
    c->cgroups[c->cgroup_count++] = dir;
    return 0;
}

/* find_mounts() - the host's hierarchies. */
static int find_mounts(struct cgroup_mounts *mounts)
{
    auto_free char *mountinfo = NULL;
    int r = host_file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_BYTES_MAX, &mountinfo, NULL);

    if (!r)
        r = cgroup_mounts_read(mountinfo, mounts);
    if (r)
        return error_errno(r, "can't find the host's cgroups");
    if (!mounts->count)
        return error_set(-ENOENT,
                         "this host has no cgroups mounted; --ignore-cgroups goes without");
    return 0;
}

int cgroup_plan(struct container *c, const struct oci_linux *l, struct cgroup_mounts *mounts)
{
    const char *path = l->cgroups_path;
    auto_free char *own = NULL;
    int r;

    if (path && !*path)
        path = NULL;
    if (!path && !cgroup_limits_any(&l->resources))
        return 0;
    if (!path && asprintf(&own, "/runsc/%s", c->id) < 0)
        return error_set(-ENOMEM, "out of memory");
    path = path ? path : own;
    r = cgroup_check_path(path);
    if (!r)
        r = find_mounts(mounts);
    if (!r)
        r = cgroup_limits_check(mounts, &l->resources);
    for (size_t i = 0; i < mounts->count && !r; i++)
        r = plan_in(c, &mounts->items[i], path);
    while (r && c->cgroup_count)
        free(c->cgroups[--c->cgroup_count]);
    return r;
}

int cgroup_make(struct container *c, const struct oci_linux *l, const struct cgroup_mounts *mounts)
{
    int r = 0;

    for (size_t i = 0; i < c->cgroup_count && !r; i++) {
        r = make_dirs(&mounts->items[i], c->cgroups[i]);
        if (!r)
            r = cgroup_limits_write(&mounts->items[i], c->cgroups[i], &l->resources);
    }
    return r;
}

int cgroup_enter(const struct container *c, pid_t pid, const char **where)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    for (size_t i = 0; i < c->cgroup_count; i++) {
        auto_free char *procs = NULL;
        int r;

        if (where)
            *where = c->cgroups[i];
        if (asprintf(&procs, "%s/cgroup.procs", c->cgroups[i]) < 0)
            return -ENOMEM;
        r = host_file_put(AT_FDCWD, procs, text);
        if (r)
            return r;
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

int cgroup_members(const struct container *c, pid_t **pids, size_t *count)
{
    int r = -ENOENT;

    /* the same processes are in each; the first that can be read will do */
    for (size_t i = 0; i < c->cgroup_count && r; i++)
        r = read_pids(c->cgroups[i], pids, count);
    if (!r && *count)
        qsort(*pids, *count, sizeof(**pids), by_number);
    return r;
}

static void kill_members(const char *dir)
{
    auto_free pid_t *pids = NULL;
    size_t count = 0;

    if (read_pids(dir, &pids, &count))
        return;
    for (size_t i = 0; i < count; i++)
        if (pids[i] > 1)
            host_process_kill(pids[i], SIGKILL);
}

static int remove_dir(const char *dir, unsigned int depth);

/* remove_below() - the folders in a folder. */
static void remove_below(const char *dir, unsigned int depth)
{
    auto_fd int fd = host_file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    char **names = NULL;
    size_t count = 0;

    if (fd < 0 || host_file_names(fd, &names, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        auto_free char *below = NULL;
        struct stat st;

        if (host_file_stat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
            asprintf(&below, "%s/%s", dir, names[i]) >= 0)
            remove_dir(below, depth + 1);
    }
    host_file_names_free(names, count);
}

/* remove_dir() - one folder and, if it can't go because of them, those below it and its members,
 * with bounded patience. */
static int remove_dir(const char *dir, unsigned int depth)
{
    int r = host_file_unlink(AT_FDCWD, dir, AT_REMOVEDIR);

    if (r == -EBUSY && depth < DEPTH_MAX)
        remove_below(dir, depth);
    for (int i = 0; i < REMOVE_TRIES && r == -EBUSY; i++) {
        struct timespec pause = {0, i < 10 ? 1000000 : 50000000};

        r = host_file_unlink(AT_FDCWD, dir, AT_REMOVEDIR);
        if (r != -EBUSY)
            break;
        kill_members(dir);
        nanosleep(&pause, NULL);
    }
    return r == -ENOENT ? 0 : r;
}

int cgroup_remove(const struct container *c)
{
    int result = 0;

    for (size_t i = 0; i < c->cgroup_count; i++) {
        int r = remove_dir(c->cgroups[i], 0);

        if (r && !result)
            result = error_errno(r, "can't remove the cgroup %s", c->cgroups[i]);
    }
    return result;
}
