/*
 * Pipes and FIFOs (pipe(7), fifo(7)).
 *
 * A write to a pipe without readers returns -EPIPE and raises nothing: whoever serves the system
 * call raises SIGPIPE for -EPIPE of a write. Part of a write that was done before the last reader
 * went is returned as such; the next write tells.
 */
#pragma once

#include "fs/vfs/vfs.h"

/* pipe_init() - FIFOs of every file system open through here; once, at boot. */
void pipe_init(void);

/* pipe_new() - a pipe's two ends; flags: LX_O_NONBLOCK and LX_O_DIRECT (packets) as pipe2(2) takes
 * them. Return: 0 and two new references, -ENFILE, -ENOMEM. */
int pipe_new(const struct cred *cred, u32 flags, struct file **read_end, struct file **write_end);

/* pipe_is() - is it an open pipe or FIFO? */
bool pipe_is(const struct file *f);
/* pipe_peek() - copy up to n bytes of what is in a pipe and leave it there. Return: bytes; 0: empty
 * and nobody will write; -EAGAIN: empty. */
ssize_t pipe_peek(const struct file *f, void *buf, size_t n);
/* pipe_size(), pipe_set_size() - F_GETPIPE_SZ, F_SETPIPE_SZ. Return: bytes, -EBADF (no pipe),
 * -EPERM (beyond LIMIT_PIPE_BYTES), -EBUSY (more is in it), -EINVAL. */
s64 pipe_size(const struct file *f);
s64 pipe_set_size(struct file *f, u64 bytes, const struct cred *cred);
