/* Host calls on descriptors; see host_fd.h. */
#include "sentry/base/host_fd.h"

#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* result() - libc's convention to ours. */
static inline ssize_t result(ssize_t r)
{
    return r < 0 ? -errno : r;
}

/* host-calls(sentry gofer): read write — stdio, event descriptors, control */
ssize_t host_read(int fd, void *buf, size_t len)
{
    return result(read(fd, buf, len));
}

ssize_t host_write(int fd, const void *buf, size_t len)
{
    return result(write(fd, buf, len));
}

/* host-calls(sentry): pread64 pwrite64 preadv pwritev — donated and private files */
ssize_t host_pread(int fd, void *buf, size_t len, u64 offset)
{
    return result(pread(fd, buf, len, (off_t)offset));
}

ssize_t host_pwrite(int fd, const void *buf, size_t len, u64 offset)
{
    return result(pwrite(fd, buf, len, (off_t)offset));
}

ssize_t host_preadv(int fd, const struct iovec *iov, int n, u64 offset)
{
    return result(preadv(fd, iov, n, (off_t)offset));
}

ssize_t host_pwritev(int fd, const struct iovec *iov, int n, u64 offset)
{
    return result(pwritev(fd, iov, n, (off_t)offset));
}

/* host-calls(sentry): preadv2 pwritev2 — stdio without waiting */
ssize_t host_stream_read(int fd, void *buf, size_t len)
{
    struct iovec iov = {buf, len};
    ssize_t n = result(preadv2(fd, &iov, 1, -1, RWF_NOWAIT));

    return n == -EOPNOTSUPP ? host_read(fd, buf, len) : n;
}

ssize_t host_stream_write(int fd, const void *buf, size_t len)
{
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    ssize_t n = result(pwritev2(fd, &iov, 1, -1, RWF_NOWAIT));

    return n == -EOPNOTSUPP ? host_write(fd, buf, len) : n;
}

/* host-calls(sentry gofer): close — every descriptor ends */
int host_close(int fd)
{
    return (int)result(close(fd));
}

void clean_fd(const int *fd)
{
    if (*fd >= 0)
        host_close(*fd);
}

/* host-calls(sentry gofer): fstat newfstatat — size and times of donated and private files */
int host_fstat(int fd, struct stat *st)
{
    return (int)result(fstat(fd, st));
}

/* host-calls(sentry): ftruncate fallocate fsync fdatasync lseek — donated and private files */
int host_ftruncate(int fd, u64 len)
{
    return (int)result(ftruncate(fd, (off_t)len));
}

int host_fallocate(int fd, int mode, u64 offset, u64 len)
{
    return (int)result(fallocate(fd, mode, (off_t)offset, (off_t)len));
}

int host_fsync(int fd, bool data_only)
{
    return (int)result(data_only ? fdatasync(fd) : fsync(fd));
}

s64 host_lseek(int fd, s64 offset, int whence)
{
    return result(lseek(fd, offset, whence));
}

/* host-calls(sentry gofer): fcntl — flags of stdio and of received descriptors */
int host_fcntl(int fd, int cmd, u64 arg)
{
    return (int)result(fcntl(fd, cmd, arg));
}

/* ioctl is declared where a request is made, with its number. */
int host_ioctl(int fd, unsigned long cmd, void *arg)
{
    return (int)result(ioctl(fd, cmd, arg));
}

/* host-calls(sentry): eventfd2 — to wake the epoll thread */
int host_eventfd(unsigned int value, int flags)
{
    return (int)result(eventfd(value, flags | EFD_CLOEXEC));
}

/* host-calls(sentry gofer): poll — readiness of one descriptor */
int host_poll(struct pollfd *fds, u32 n, int timeout_ms)
{
    return (int)result(poll(fds, n, timeout_ms));
}

/* host-calls(sentry): epoll_create1 epoll_ctl epoll_wait — the one thread that watches host descriptors */
int host_epoll_create(void)
{
    return (int)result(epoll_create1(EPOLL_CLOEXEC));
}

int host_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
    return (int)result(epoll_ctl(epfd, op, fd, ev));
}

int host_epoll_wait(int epfd, struct epoll_event *ev, int n, int timeout_ms)
{
    return (int)result(epoll_wait(epfd, ev, n, timeout_ms));
}

/* host-calls(sentry gofer): sendmsg recvmsg — control messages, donated descriptors */
ssize_t host_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return result(sendmsg(fd, msg, flags | MSG_NOSIGNAL));
}

ssize_t host_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return result(recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC));
}

/* host-calls(sentry): accept4 — connections to the control socket */
int host_accept(int fd)
{
    return (int)result(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

/* host-calls(sentry): openat unlink — private files in the Sentry's own tmpfs, its whole root */
int host_open_private(int *rw_fd, int *ro_fd)
{
    static _Atomic(u64) serial;
    char name[32];
    int rw, ro, err;

    snprintf(name, sizeof(name), "/f%llu", (unsigned long long)serial++);
    rw = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (rw < 0)
        return -errno;
    ro = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    err = ro < 0 ? -errno : 0;
    unlink(name);
    if (err) {
        host_close(rw);
        return err;
    }
    *rw_fd = rw;
    *ro_fd = ro;
    return 0;
}

/* host-calls(sentry): prlimit64(0=0,1=RLIMIT_NOFILE) — its own limit of descriptors, up to the hard
 * one */
u32 host_fd_limit(void)
{
    struct rlimit lim;

    if (prlimit(0, RLIMIT_NOFILE, NULL, &lim) < 0)
        return 0;
    if (lim.rlim_cur < lim.rlim_max) {
        struct rlimit more = {lim.rlim_max, lim.rlim_max};

        if (prlimit(0, RLIMIT_NOFILE, &more, NULL) == 0)
            lim = more;
    }
    return (u32)min_of(lim.rlim_cur, (rlim_t)INT32_MAX);
}
