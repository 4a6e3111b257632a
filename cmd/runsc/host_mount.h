/* Host calls about mounts that only the command line makes. All return 0 or a negative errno. */
#pragma once

#include "sentry/base/types.h"

enum host_mount_propagation { HOST_MOUNT_PRIVATE, HOST_MOUNT_SLAVE };

/* host_mount_propagation() - of a mount and all below it. */
int host_mount_propagation(const char *path, enum host_mount_propagation propagation);

/* host_mount_tmpfs() - @data: its options. */
int host_mount_tmpfs(const char *path, unsigned long flags, const char *data);

/* host_mount_bind() - @recursive: with what is mounted below. */
int host_mount_bind(const char *source, const char *target, bool recursive);

/*
 * host_mount_restrict() - adds MS_RDONLY, NOSUID, NODEV, NOEXEC (@flags) to a bind mount, or to it
 * and all below it. Flags that are there already stay.
 */
int host_mount_restrict(const char *path, unsigned long flags, bool recursive);

/* host_mount_pivot_here() - the working directory becomes the root, and the old tree is gone. */
int host_mount_pivot_here(void);
