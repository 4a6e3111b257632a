/* proc(5): processes and the system as files. */
#pragma once

#include "fs/vfs/vfs.h"

/* Mounted with fs_mount_args.data the struct pid_ns that it shows; NULL: the calling task's. */
struct pid;

extern const struct fs_type proc_fs_type;

/* proc_file_pid() - of a directory /proc/PID: whose it is, borrowed from f; NULL: f is none. */
struct pid *proc_file_pid(const struct file *f);

/* proc_sysctl_set() - a setting by its name, "net.core.somaxconn" or with slashes, as a write to /proc/sys
 * by the calling task would. Return: 0, -ENOENT: there is none, -EACCES: it can't be set, what the write
 * yields. */
int proc_sysctl_set(const char *name, const char *value);

/* proc_boot() - read what is told of the host's machine, while its files are there. Return: 0, errno. */
int proc_boot(void);
