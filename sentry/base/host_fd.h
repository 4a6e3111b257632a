/*
 * host_* wrappers: the only way to the host kernel. Each returns a value or a negative errno; the
 * host's errno is read nowhere else. The declaration above each definition says which processes
 * may make the call and why; the seccomp lists are generated from these.
 * This file: calls on descriptors.
 */
#pragma once

#include "sentry/base/types.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct epoll_event;
struct pollfd;

ssize_t host_read(int fd, void *buf, size_t len);
ssize_t host_write(int fd, const void *buf, size_t len);
ssize_t host_pread(int fd, void *buf, size_t len, u64 offset);
ssize_t host_pwrite(int fd, const void *buf, size_t len, u64 offset);
ssize_t host_preadv(int fd, const struct iovec *iov, int n, u64 offset);
ssize_t host_pwritev(int fd, const struct iovec *iov, int n, u64 offset);
/* host_stream_read(), host_stream_write() - at the descriptor's own position; they don't wait where
 * the host can tell (-EAGAIN), whatever the description's O_NONBLOCK, which others share. */
ssize_t host_stream_read(int fd, void *buf, size_t len);
ssize_t host_stream_write(int fd, const void *buf, size_t len);
int host_close(int fd);
int host_fstat(int fd, struct stat *st);
int host_ftruncate(int fd, u64 len);
int host_fallocate(int fd, int mode, u64 offset, u64 len);
int host_fsync(int fd, bool data_only);
s64 host_lseek(int fd, s64 offset, int whence);
int host_fcntl(int fd, int cmd, u64 arg);
int host_ioctl(int fd, unsigned long cmd, void *arg);
int host_eventfd(unsigned int value, int flags);
int host_poll(struct pollfd *fds, u32 n, int timeout_ms);
int host_epoll_create(void);
int host_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
int host_epoll_wait(int epfd, struct epoll_event *ev, int n, int timeout_ms);
ssize_t host_sendmsg(int fd, const struct msghdr *msg, int flags);
/* host_recvmsg() - received descriptors are close-on-exec. */
ssize_t host_recvmsg(int fd, struct msghdr *msg, int flags);
int host_accept(int fd);
/* host_open_private() - a new unlinked file in the Sentry's own tmpfs (its root): one read-write
 * and one read-only descriptor of the same file. */
int host_open_private(int *rw_fd, int *ro_fd);
/* host_fd_limit() - raise the soft limit of descriptors to the hard one. Return: how many this
 * process may have. */
u32 host_fd_limit(void);
