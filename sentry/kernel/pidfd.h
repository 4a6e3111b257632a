/* Process descriptors: pidfd_open(2). */
#pragma once

#include "fs/vfs/vfs.h"

struct pid;

#define LX_PIDFD_NONBLOCK 04000u

/* pidfd_file() - a descriptor's file for `pid` (a reference is taken), which is readable once its
 * process has ended. flags: LX_PIDFD_NONBLOCK. Return: 0 and a new reference, -ENOMEM, -ENFILE. */
int pidfd_file(struct pid *pid, u32 flags, const struct cred *cred, struct file **out);
/* pidfd_pid() - whose descriptor it is, borrowed from f; NULL: it is none. */
struct pid *pidfd_pid(const struct file *f);
