/* sysfs(5) and cgroups(7): the little of them that programs look for. */
#pragma once

#include "fs/vfs/vfs.h"

extern const struct fs_type sysfs_fs_type, cgroup2_fs_type;
