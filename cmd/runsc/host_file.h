/*
 * Host calls about files that only the command line makes, and small wholes made of them. All
 * return a value or a negative errno; descriptors are close-on-exec.
 */
#pragma once

#include "sentry/base/types.h"

#include <sys/stat.h>

int host_file_open(int dir, const char *path, int flags, mode_t mode);
/* host_file_open_beneath() - resolved as if @dir were the root; no device, no magic link. */
int host_file_open_beneath(int dir, const char *path, int flags);
int host_file_mkdir(int dir, const char *path, mode_t mode);
int host_file_unlink(int dir, const char *path, int flags);
int host_file_stat(int dir, const char *path, struct stat *st, int flags);
/* host_file_link() - gives an open file, made with O_TMPFILE, its name. */
int host_file_link(int fd, int dir, const char *name);
int host_file_lock(int fd, int operation);
int host_file_dup(int from, int to);

/* host_file_mkdirs() - an absolute path with all its parents; fine if it is there. */
int host_file_mkdirs(const char *path, mode_t mode);

/* host_file_write() - all of it. Return: 0 or a negative errno. */
int host_file_write(int fd, const void *data, size_t len);

/* host_file_put() - opens an existing file, such as one of a cgroup, and writes text in one write. */
int host_file_put(int dir, const char *path, const char *text);

/* host_file_create() - a new file with that text; nobody reads it before it is complete. */
int host_file_create(int dir, const char *name, const char *text, size_t len, mode_t mode);

/* host_file_replace() - writes a file anew, so that readers see the old one or the new one. */
int host_file_replace(int dir, const char *name, const char *text, size_t len, mode_t mode);

/*
 * host_file_read() - a whole file, at most @max bytes, with a NUL after it.
 * Return: 0, -EFBIG if it's longer, ...; *text is the caller's to free.
 */
int host_file_read(int dir, const char *path, size_t max, char **text, size_t *len);

/* host_file_memfd() - text in a memfd; sealed: nothing about it can change any more. */
int host_file_memfd(const char *name, const char *text, size_t len, bool sealed);

/* host_file_names() - what is in a directory, sorted, without . and ..; names and array to free. */
int host_file_names(int dir, char ***names, size_t *count);
void host_file_names_free(char **names, size_t count);
