/* What the handlers about sockets share: arguments in, addresses out. */
#pragma once

#include "sentry/socket/socket.h"
#include "sentry/syscalls/syscall.h"

/* arg_socket() - the socket of a descriptor; *file is a new reference that keeps it.
 * Return: 0, -EBADF, -ENOTSOCK. */
int arg_socket(struct task *t, u64 fd, struct file **file, struct socket **s);
/* arg_sockaddr() - an address of `len` bytes. Return: 0, -EINVAL (its length), -EFAULT. */
int arg_sockaddr(struct task *t, u64 uaddr, s32 len, struct socket_addr *out);
/* put_sockaddr() - an address to `uaddr`, its length to the int at `ulen`, which said how much room
 * there is. Return: 0, -EFAULT, -EINVAL. */
int put_sockaddr(struct task *t, const struct socket_addr *addr, u64 uaddr, u64 ulen);
/* socket_send(), socket_recv() - one message, data in m->data; SIGPIPE as the flags say. */
s64 socket_send(struct task *t, struct file *f, struct socket *s, struct socket_msg *m);
s64 socket_recv(const struct file *f, struct socket *s, struct socket_msg *m);

/* One struct msghdr while it is served (sendmsg(2), recvmsg(2)). */
enum { MSG_FAST_VECS = 8, MSG_FAST_CONTROL = 256 };
struct msg_arg {
    struct lx_msghdr hdr; /* as the guest gave it */
    struct uio_vec fast[MSG_FAST_VECS];
    struct uio_vec *vec; /* `fast`, or owned */
    struct uio uio;
    struct socket_msg msg;
    u8 control[MSG_FAST_CONTROL]; /* sending */
};
/* msghdr_send(), msghdr_recv() - one message described at `uhdr`, as sendmsg(2) and recvmsg(2) do. */
s64 msghdr_send(struct task *t, struct file *f, struct socket *s, u64 uhdr, u32 flags);
s64 msghdr_recv(struct task *t, const struct file *f, struct socket *s, u64 uhdr, u32 flags);
/* msghdr_begin() - read the header and its vector. msghdr_end(): release what was allocated. */
int msghdr_begin(struct task *t, struct msg_arg *a, u64 uhdr);
void msghdr_end(struct msg_arg *a);
