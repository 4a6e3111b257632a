/* Host calls made before confinement: CPUs and files under /proc; see host_machine.h. Not declared
 * for any seccomp list, since no filter is loaded yet. */
#include "sentry/base/host_machine.h"

#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

int host_cpus_allowed(u64 *mask, u32 words)
{
    size_t size = words * sizeof(*mask);

    memset(mask, 0, size);
    if (sched_getaffinity(0, size, (cpu_set_t *)(void *)mask) < 0)
        return -errno;
    return CPU_COUNT_S(size, (cpu_set_t *)(void *)mask);
}

ssize_t host_text_file(const char *path, size_t cap, char **out)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_free char *text = malloc(cap + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0)
        return -errno;
    if (!text)
        return -ENOMEM;
    while (len < cap && n > 0) {
        n = host_read(fd, text + len, cap - len);
        if (n < 0)
            return n;
        len += (size_t)n;
    }
    text[len] = 0;
    *out = take(text);
    return (ssize_t)len;
}
