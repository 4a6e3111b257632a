/* RLIMIT_FSIZE: how far a task may write into a file (setrlimit(2)). */
#pragma once

#include "fs/vfs/vfs.h"

struct task;

/* rw_limit_clip() - shorten a write of `from` at *pos (NULL: the description's own position or its
 * end) so that the file doesn't outgrow the caller's limit. Return: 0, or -EFBIG after SIGXFSZ. */
int rw_limit_clip(struct task *t, struct file *f, const s64 *pos, struct uio *from);
/* rw_limit_size() - the same for a new size: ftruncate(2), fallocate(2). */
int rw_limit_size(struct task *t, u64 size);
