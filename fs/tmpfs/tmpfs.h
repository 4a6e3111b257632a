/* tmpfs(5): files in memory. */
#pragma once

#include "fs/vfs/mount.h"

extern const struct fs_type tmpfs_type;

/* tmpfs_set_memory() - what sizes in percent refer to, and what all instances together may hold;
 * before the first mount. */
void tmpfs_set_memory(u64 bytes);
/* tmpfs_bytes() - what all instances together hold. */
u64 tmpfs_bytes(void);
/* tmpfs_mount_as() - an instance that is shown as another type (devtmpfs). */
int tmpfs_mount_as(const struct fs_type *type, const struct fs_mount_args *args,
                   struct super **out);
