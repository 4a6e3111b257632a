/* inotify(7): a descriptor from which a program reads what happens to files. */
#pragma once

#include "fs/vfs/vfs.h"

/* inotify_open() - an instance; `flags`: LX_IN_NONBLOCK. Return: 0 and a new reference, -EMFILE,
 * -ENFILE, -ENOMEM. */
int inotify_open(u32 flags, const struct cred *cred, struct file **out);
bool inotify_is(const struct file *f);
/* inotify_add() - watch `ino` for `mask` (LX_IN_*), or change its watch. Return: the watch's number,
 * -EEXIST (LX_IN_MASK_CREATE), -ENOSPC, -ENOMEM. */
int inotify_add(struct file *f, struct inode *ino, u32 mask);
/* inotify_remove() - Return: 0, -EINVAL (there is no such watch). */
int inotify_remove(struct file *f, s32 wd);
/* inotify_for_each() - for fdinfo: under the notify lock. */
void inotify_for_each(struct file *f, void (*fn)(void *arg, s32 wd, struct inode *ino, u32 mask),
                      void *arg);
