/* devpts: the names of pseudo-terminals, /dev/ptmx, /dev/tty. */
#pragma once

#include "fs/vfs/vfs.h"

struct tty;

extern const struct fs_type devpts_fs_type;

/* devpts_init() - register the drivers of /dev/tty, /dev/ptmx and of nodes outside of devpts. */
void devpts_init(void);

/* devpts_console() - a terminal in the devpts whose root is `root`, for uid `owner` (a kuid), with
 * `fd`, a host's terminal in raw mode and with O_NONBLOCK, as its far side; fd is taken on success.
 * *out: a description of it. *tty: a reference. Return: 0, errno. */
int devpts_console(const struct path *root, int fd, u32 owner, const struct cred *cred,
                   struct file **out, struct tty **tty);
