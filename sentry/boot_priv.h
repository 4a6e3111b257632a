/* What boot knows by name: the instances behind the lists in boot.c. */
#pragma once

struct fs_type;

extern const struct fs_type gofer_fs_type, tmpfs_fs_type, devtmpfs_fs_type, proc_fs_type,
    sysfs_fs_type;

/* proc_boot() - read what /proc tells of the host (CPUs) while the host's files are there. */
void proc_boot(void);
