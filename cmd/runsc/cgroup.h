/*
 * Host cgroups of a container: its folder in every hierarchy, limits, members. v1 (also hybrid: v1
 * controllers beside a v2 hierarchy without any) and v2.
 */
#pragma once

#include "cmd/runsc/container.h"
#include "sentry/oci/oci_linux.h"

/* A mounted hierarchy of the host. */
struct cgroup_mount {
    char *path;
    char *controllers; /* "cpu,cpuacct"; "" for v2 */
    bool v2;
};

struct cgroup_mounts {
    size_t count;
    struct cgroup_mount items[CONTAINER_CGROUPS_MAX];
};

/* cgroup_mounts_read() - from text in the form of /proc/self/mountinfo. Return: 0 or -ENOMEM. */
int cgroup_mounts_read(const char *mountinfo, struct cgroup_mounts *out);
void cgroup_mounts_free(struct cgroup_mounts *mounts);

/* cgroup_check_path() - Return: 0, or an error for a cgroupsPath that can't be used, error set. */
int cgroup_check_path(const char *path);

/*
 * cgroup_plan() - finds the container's folders and names them in c->cgroups: none if config.json
 * asks for no cgroup. To be recorded before anything is made of it.
 * @mounts: filled, for cgroup_make(); cgroup_mounts_free() frees it also after a failure.
 * Return: 0; -EBUSY if there are processes in there already; ... error set, nothing planned.
 */
int cgroup_plan(struct container *c, const struct oci_linux *l, struct cgroup_mounts *mounts);

/* cgroup_make() - makes the folders of a plan and sets limits. Return: 0 or an error, error set. */
int cgroup_make(struct container *c, const struct oci_linux *l, const struct cgroup_mounts *mounts);

/* cgroup_enter() - moves a process into all. Return: 0, or an error; *where is then a folder. */
int cgroup_enter(const struct container *c, pid_t pid, const char **where);

/*
 * cgroup_members() - pids in the container's cgroup, as this process sees them, sorted.
 * Return: 0 and new memory; -ENOENT if it has no cgroup.
 */
int cgroup_members(const struct container *c, pid_t **pids, size_t *count);

/* cgroup_remove() - kills what is in there and removes the folders. Return: 0 or an error, set. */
int cgroup_remove(const struct container *c);
