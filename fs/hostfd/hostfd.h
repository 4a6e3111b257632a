/* Files that are descriptors of the host: a container's stdin, stdout and stderr. */
#pragma once

#include "fs/vfs/vfs.h"

/* hostfd_new() - a description over `fd` (taken on success), with the access mode that fd has.
 * Return: 0 and a new reference, or -errno. */
int hostfd_new(int fd, const struct cred *cred, struct file **out);
