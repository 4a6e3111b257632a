/* Host calls about memory and randomness; see host_mem.h. */
#include "sentry/base/host_mem.h"

#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* host-calls(sentry gofer): mmap munmap mremap — heap, stacks, shared channels */
int host_map_shared(int fd, size_t len, void **out)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED)
        return -errno;
    *out = p;
    return 0;
}

int host_unmap(void *p, size_t len)
{
    return munmap(p, len) < 0 ? -errno : 0;
}

int host_memfd(const char *name, size_t len)
{
    auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)len) < 0)
        return -errno;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        return -errno;
    return take_fd(fd);
}

/* host-calls(sentry): getrandom — the guest's randomness, AT_RANDOM, layout */
int host_random(void *buf, size_t len)
{
    u8 *p = buf;

    while (len) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}
