/* linux.resources of config.json as files of a cgroup. */
#pragma once

#include "cmd/runsc/cgroup.h"

/*
 * cgroup_limits_write() - the limits that belong to this hierarchy's controllers.
 * @dir: the container's folder there. Return: 0 or an error, error set.
 */
int cgroup_limits_write(const struct cgroup_mount *mount, const char *dir,
                        const struct oci_resources *resources);

/* cgroup_limits_check() - is there a controller for each limit? Return: 0 or -ENOENT, error set. */
int cgroup_limits_check(const struct cgroup_mounts *mounts, const struct oci_resources *resources);

/* cgroup_limits_any() - does it limit anything that a cgroup does? */
bool cgroup_limits_any(const struct oci_resources *resources);

/* cgroup_limits_weight() - v2's cpu.weight (1-10000) for v1's shares (2-262144). */
u64 cgroup_limits_weight(u64 shares);

/* cgroup_limits_pids() - the host's pids.max for a container's limit of tasks. */
s64 cgroup_limits_pids(s64 limit);
