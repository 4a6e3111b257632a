/* Finds the host's cgroup hierarchies in /proc/self/mountinfo (proc(5)). */
#include "cmd/runsc/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Options of a v1 hierarchy's super block that are no controllers. */
static bool is_controller(const char *option)
{
    static const char *const others[] = {
        "rw",   "ro",          "xattr", "noprefix", "cpuset_v2_mode", "all", "clone_children",
        "none", "favordynmods"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(option, others[i]) == 0)
            return false;
    return strncmp(option, "release_agent=", 14) != 0;
}

/* keep_controllers() - "rw,cpu,cpuacct" to "cpu,cpuacct", new memory. */
static char *keep_controllers(const char *options)
{
    char *copy = strdup(options), *kept = calloc(1, strlen(options) + 1), *rest = copy;
    size_t at = 0;

    for (char *name; copy && kept && (name = strsep(&rest, ","));) {
        size_t n = strlen(name);

        if (!*name || !is_controller(name))
            continue;
        if (at)
            kept[at++] = ',';
        memcpy(kept + at, name, n);
        at += n;
    }
    free(copy);
    return kept;
}

static bool known(const struct cgroup_mounts *mounts, const char *controllers, bool v2)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->items[i].v2 == v2 && strcmp(mounts->items[i].controllers, controllers) == 0)
            return true;
    return false;
}

static int add(struct cgroup_mounts *mounts, const char *path, const char *options, bool v2)
{
    char *controllers = v2 ? strdup("") : keep_controllers(options);
    char *copy = strdup(path);

    if (controllers && copy && mounts->count < CONTAINER_CGROUPS_MAX &&
        !known(mounts, controllers, v2)) {
        mounts->items[mounts->count++] =
            (struct cgroup_mount){.path = copy, .controllers = controllers, .v2 = v2};
        return 0;
    }
    free(copy);
    free(controllers);
    return controllers && copy ? 0 : -ENOMEM;
}

/* take_line() - one mount: "id parent dev root path options [tags] - type source super". */
static int take_line(struct cgroup_mounts *mounts, char *line)
{
    char *fields[5], *type, *super, *rest = line, *separator = strstr(line, " - ");

    if (!separator)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        fields[i] = strsep(&rest, " ");
    separator += 3;
    type = strsep(&separator, " ");
    strsep(&separator, " ");
    super = strsep(&separator, " ");
    /* a mount of a part of the hierarchy, or at a path with escapes, is none that we could use */
    if (!fields[4] || !super || strcmp(fields[3], "/") != 0 || strchr(fields[4], '\\'))
        return 0;
    if (strcmp(type, "cgroup") == 0)
        return add(mounts, fields[4], super, false);
    if (strcmp(type, "cgroup2") == 0)
        return add(mounts, fields[4], super, true);
    return 0;
}

int cgroup_mounts_read(const char *mountinfo, struct cgroup_mounts *out)
{
    char *copy = strdup(mountinfo), *rest = copy;
    int r = copy ? 0 : -ENOMEM;

    *out = (struct cgroup_mounts){.count = 0};
    for (char *line; !r && (line = strsep(&rest, "\n"));)
        r = take_line(out, line);
    free(copy);
    if (r)
        cgroup_mounts_free(out);
    return r;
}

void cgroup_mounts_free(struct cgroup_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->items[i].path);
        free(mounts->items[i].controllers);
    }
    mounts->count = 0;
}
