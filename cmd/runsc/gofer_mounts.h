/* The file system that a gofer sees: its container's files and nothing else. */
#pragma once

#include "cmd/runsc/container.h"
#include "sentry/oci/oci_spec.h"

/* gofer_mounts_check() - is everything that is to be mounted there? Return: 0 or an error, set. */
int gofer_mounts_check(const struct oci_spec *spec, const char *bundle, const char *rootfs);

/*
 * gofer_mounts_build() - in the gofer's process, in a mount namespace of its own: makes a tree of
 * /root and /mnt/<index of the bind mount> and makes it the root.
 * @place: a folder of the host that is used as mount point.
 * @before_pivot: called when all is mounted and the host's tree still there, or NULL.
 * Return: 0 or an error, error set.
 */
int gofer_mounts_build(const struct oci_spec *spec, const char *bundle, const char *rootfs,
                       const char *place, int (*before_pivot)(void *), void *arg);

/* gofer_mounts_next() - the next bind mount after spec->mounts.items[*i]; start with -1. */
bool gofer_mounts_next(const struct oci_spec *spec, ssize_t *i);

/* gofer_mounts_is_dir() - is the mount's source a directory? Return: 0, 1 or an error, set. */
int gofer_mounts_is_dir(const struct oci_mount *mount, const char *bundle);
