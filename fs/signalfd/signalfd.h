/* signalfd(2): a process's signals behind a descriptor. */
#pragma once

#include "fs/vfs/vfs.h"

/* signalfd_open() - for the signals of `mask`. flags: LX_SFD_*. */
int signalfd_open(u64 mask, u32 flags, const struct cred *cred, struct file **out);
/* signalfd_mask() - is f one? Then *mask is what it takes. */
bool signalfd_mask(struct file *f, u64 *mask);
/* signalfd_set_mask() - of a file that is one. */
void signalfd_set_mask(struct file *f, u64 mask);
