/* Inside fs/vfs: changes of attributes that come with other operations. */
#pragma once

#include "fs/vfs/vfs.h"

/* setattr_size() - set the size without a permission check (open(2)'s O_TRUNC, ftruncate(2)). */
int setattr_size(struct inode *ino, u64 size);
/* setattr_kill_privs() - before a write: set-user-id and set-group-id go, unless CAP_FSETID. */
int setattr_kill_privs(struct file *f);
