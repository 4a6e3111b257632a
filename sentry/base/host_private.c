/* Host calls about the Sentry's private files; see host_private.h. */
#include "sentry/base/host_private.h"

#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct private_name {
    char text[32];
};

static struct private_name name_of(u64 id)
{
    struct private_name n;

    snprintf(n.text, sizeof(n.text), "/t%llu", (unsigned long long)id);
    return n;
}

static int open_both(u64 id, int create, int *rw_fd, int *ro_fd)
{
    struct private_name n = name_of(id);
    int rw = open(n.text, O_RDWR | create | O_CLOEXEC | O_NOFOLLOW, 0600), ro, err;

    if (rw < 0)
        return -errno;
    ro = open(n.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (ro < 0) {
        err = -errno;
        host_close(rw);
        return err;
    }
    *rw_fd = rw;
    *ro_fd = ro;
    return 0;
}

/* host-calls(sentry): openat unlink — private files in the Sentry's own tmpfs, its whole root */
int host_private_create(u64 *id, int *rw_fd, int *ro_fd)
{
    static _Atomic(u64) serial = 1;
    u64 fresh = atomic_fetch_add(&serial, 1);
    int err = open_both(fresh, O_CREAT | O_EXCL, rw_fd, ro_fd);

    if (err)
        host_private_remove(fresh);
    else
        *id = fresh;
    return err;
}

int host_private_open(u64 id, int *rw_fd, int *ro_fd)
{
    return open_both(id, 0, rw_fd, ro_fd);
}

void host_private_remove(u64 id)
{
    struct private_name n = name_of(id);

    unlink(n.text);
}
