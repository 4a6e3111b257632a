/*
 * Signal-driven I/O (fcntl(2), "Managing signals"; socket(7) for SIGURG): who owns a file
 * description, and what it is told of it.
 */
#pragma once

#include "fs/vfs/vfs.h"

struct ctty;

void async_io_init(void);

/* async_io_set() - O_ASYNC on or off by descriptor `fd`, which signals will name. A terminal gets an
 * owner if it has none: the foreground of `tty`, or if NULL the caller. Return: 0, -ENOTTY (the file
 * has no such thing), -ENOMEM, -EAGAIN. */
int async_io_set(struct file *f, s32 fd, bool on, struct ctty *tty);
/* async_io_full() - a write has found no room: tell when there is some. */
void async_io_full(struct file *f);

/* async_io_set_owner() - LX_F_OWNER_* and its number as the caller sees it; 0: nobody.
 * Return: 0, -ESRCH, -ENOMEM, -EAGAIN. async_io_set_owner_nr(): a process group is a negative
 * number; -EINVAL too. */
int async_io_set_owner(struct file *f, u32 type, s32 nr);
int async_io_set_owner_nr(struct file *f, s32 nr);
/* async_io_owner() - the same the other way; 0: nobody, or it has ended. */
void async_io_owner(struct file *f, u32 *type, s32 *nr);
s32 async_io_owner_nr(struct file *f);
/* async_io_owner_uids() - the kuids that the owner was set with. */
void async_io_owner_uids(struct file *f, u32 *uid, u32 *euid);

/* async_io_set_signal() - 0: SIGIO without details. Return: 0, -EINVAL, -ENOMEM, -EAGAIN. */
int async_io_set_signal(struct file *f, u64 signo);
u32 async_io_signal(struct file *f);
