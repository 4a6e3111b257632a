/*
 * host_* wrappers: files in the Sentry's own tmpfs that are named by a number, so that they can be
 * closed and opened again. See host_fd.h.
 */
#pragma once

#include "sentry/base/types.h"

/* host_private_create() - a new empty file, open read-write and read-only. Return: 0, errno.
 * host_private_open() - open it again. host_private_remove() - its name goes; the file lives on
 * while it is open. */
int host_private_create(u64 *id, int *rw_fd, int *ro_fd);
int host_private_open(u64 id, int *rw_fd, int *ro_fd);
void host_private_remove(u64 id);
