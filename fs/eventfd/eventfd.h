/* eventfd(2): a counter behind a descriptor. */
#pragma once

#include "fs/vfs/vfs.h"

/* eventfd_open() - a description with `initval`; flags: LX_EFD_*. Return: 0 and a new reference. */
int eventfd_open(u32 initval, u32 flags, const struct cred *cred, struct file **out);
/* eventfd_count() - for fdinfo. Return: is f one? Then *count. */
bool eventfd_count(struct file *f, u64 *count);
