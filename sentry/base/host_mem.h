/* host_* wrappers about memory: mappings of the Sentry's own, shared memory. See host_fd.h. */
#pragma once

#include "sentry/base/types.h"

/* host_map_shared() - map `len` bytes of fd read-write, shared. Return: 0, *out set. */
int host_map_shared(int fd, size_t len, void **out);
int host_unmap(void *p, size_t len);
/* host_memfd() - a sealable memfd of `len` bytes whose size is sealed (no grow, no shrink). */
int host_memfd(const char *name, size_t len);
int host_random(void *buf, size_t len);
