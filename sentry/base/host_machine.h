/*
 * What the host's machine is: read before a process confines itself, when it can still open files.
 * See host_fd.h.
 */
#pragma once

#include "sentry/base/types.h"

/* host_cpus_allowed() - the CPUs that this process may use, a bit each.
 * Return: how many there are, or negative errno. */
int host_cpus_allowed(u64 *mask, u32 words);
/* host_text_file() - a small text file of the host, at most `cap` bytes, with a NUL behind it.
 * Return: its length and *out (free() it), or negative errno. */
ssize_t host_text_file(const char *path, size_t cap, char **out);
