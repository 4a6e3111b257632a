/* memfd_create(2): files in memory that have no name, and their seals (fcntl(2)). */
#pragma once

#include "fs/vfs/vfs.h"

/* memfd_new() - a new file, shown as "/memfd:<name> (deleted)"; name has at most LX_MFD_NAME_MAX
 * bytes, flags are LX_MFD_* but HUGETLB. Return: 0 and a new reference, -ENOMEM, -ENFILE. */
int memfd_new(const char *name, u32 flags, const struct cred *cred, struct file **out);
/* memfd_add_seals() - F_ADD_SEALS. Return: 0, -EPERM, -EINVAL, -EBUSY. memfd_seals(): F_GET_SEALS.
 * Return: the seals, -EINVAL (no file of a tmpfs). */
int memfd_add_seals(struct file *f, u32 seals);
int memfd_seals(struct file *f);
