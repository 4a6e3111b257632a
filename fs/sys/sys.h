/* sysfs(5): the little of it that programs look for. */
#pragma once

#include "fs/vfs/vfs.h"

extern const struct fs_type sysfs_fs_type;
