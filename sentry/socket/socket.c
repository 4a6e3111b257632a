/* What sockets of all families share: life, the file of one, errors, waiting. See socket.h. */
#include "sentry/socket/socket.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_ioctl.h"
#include "sentry/kernel/async_io.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/inet/inet.h"

#include <errno.h>

void socket_init(struct socket *s, struct obj_type *type, const struct socket_ops *ops,
                 struct net_ns *net, u16 family, u16 sock_type, u32 protocol)
{
    obj_init(&s->obj, type);
    s->ops = ops;
    s->net = net_ns_get(net);
    s->user_ns = user_ns_get(task_cred(current)->user_ns);
    s->uid = task_cred(current)->fsuid;
    s->family = family;
    s->type = sock_type;
    s->protocol = protocol;
    waitq_init(&s->queue);
    mutex_init(&s->lock, LOCK_SOCKET);
    s->opt.sndbuf = s->opt.rcvbuf = SOCKET_BUFFER_DEFAULT;
    s->opt.rcvlowat = 1;
    s->opt.linger = -1;
    s->opt.peek_off = -1;
    s->opt.incoming_cpu = UINT32_MAX;
}

void socket_destroy(struct socket *s)
{
    if (s->ino)
        s->net->sockets--;
    waitq_destroy(&s->queue);
    mutex_destroy(&s->lock);
    user_ns_put(s->user_ns);
    net_ns_put(s->net);
}

void socket_inherit(struct socket *to, struct socket *from)
{
    mutex_lock(&from->lock);
    to->opt = from->opt;
    mutex_unlock(&from->lock);
    to->opt.flags &= ~(u32)SOCKET_ACCEPTCONN;
}

u64 socket_count(const struct net_ns *net)
{
    return net->sockets;
}

void socket_set_error(struct socket *s, int err)
{
    s->error = err < 0 ? -err : err;
    waitq_wake_all(&s->queue, LX_POLLERR | LX_POLLIN | LX_POLLOUT | LX_POLLHUP);
}

int socket_error(struct socket *s)
{
    return atomic_load_explicit(&s->error, memory_order_relaxed) ? -atomic_exchange(&s->error, 0)
                                                                 : 0;
}

u64 socket_deadline(const struct socket *s, bool sending)
{
    u64 ns = sending ? s->opt.sndtimeo : s->opt.rcvtimeo, at;

    if (!ns || __builtin_add_overflow(host_monotonic(), ns, &at))
        return DEADLINE_NEVER;
    return at;
}

int socket_wait_result(int r, u64 deadline)
{
    if (r == -ETIMEDOUT)
        return -EAGAIN;
    return r == -ERESTARTSYS && deadline != DEADLINE_NEVER ? -EINTR : r;
}

/* --- the file --- */

static struct socket *of(const struct file *f)
{
    return f->private;
}

static u32 file_msg_flags(const struct file *f)
{
    return f->flags & LX_O_NONBLOCK ? LX_MSG_DONTWAIT : 0;
}

static ssize_t socket_read(struct file *f, struct uio *to, s64 *pos)
{
    struct socket *s = of(f);
    struct socket_msg m = {.data = to, .flags = file_msg_flags(f)};

    if (!to->left)
        return 0;
    return s->ops->recvmsg ? s->ops->recvmsg(s, &m) : -EOPNOTSUPP;
}

static ssize_t socket_write(struct file *f, struct uio *from, s64 *pos)
{
    struct socket *s = of(f);
    struct socket_msg m = {.data = from, .flags = file_msg_flags(f)};

    if (s->type == LX_SOCK_SEQPACKET)
        m.flags |= LX_MSG_EOR;
    return s->ops->sendmsg ? s->ops->sendmsg(s, &m) : -EOPNOTSUPP;
}

static u32 socket_poll(struct file *f)
{
    struct socket *s = of(f);

    return s->ops->poll ? s->ops->poll(s) : 0;
}

static struct waitq *socket_queue(struct file *f)
{
    return &of(f)->queue;
}

/* owner_ioctl() - who gets SIGIO and SIGURG: a pid, or a process group as a negative number. */
static s64 owner_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    s32 pid = async_io_owner_nr(f);

    if (cmd == LX_FIOGETOWN || cmd == LX_SIOCGPGRP)
        return usermem_put(mm, arg, &pid);
    if (usermem_get(mm, &pid, arg) < 0)
        return -EFAULT;
    return async_io_set_owner_nr(f, pid);
}

static s64 socket_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg)
{
    struct socket *s = of(f);

    switch (cmd) {
    case LX_FIOSETOWN:
    case LX_SIOCSPGRP:
    case LX_FIOGETOWN:
    case LX_SIOCGPGRP: return owner_ioctl(f, mm, cmd, arg);
    default: return (s->ops->ioctl ? s->ops->ioctl : inet_link_ioctl)(s, mm, cmd, arg);
    }
}

static void socket_flush(struct file *f)
{
    struct socket *s = of(f);

    if (s->ops->closing)
        s->ops->closing(s, f);
}

static void socket_release(struct file *f)
{
    struct socket *s = of(f);

    if (s->ops->release)
        s->ops->release(s, f->flags & LX_O_NONBLOCK);
    socket_put(s);
}

static const struct file_ops socket_file_ops = {
    .async = FILE_ASYNC_SOCKET,
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .queue = socket_queue,
    .ioctl = socket_ioctl,
    .flush = socket_flush,
    .release = socket_release,
};

int socket_file(struct socket *s, u32 flags, struct file **out)
{
    struct file *f;
    int err;

    err = file_new_anon(&socket_file_ops, "socket:", LX_S_IFSOCK | 0777, task_cred(current),
                        LX_O_RDWR | (flags & LX_O_NONBLOCK), s, &f);
    if (err)
        return err;
    s->ino = f->inode->ino;
    s->net->sockets++;
    *out = f;
    return 0;
}

struct socket *socket_of(const struct file *f)
{
    return f->ops == &socket_file_ops ? of(f) : NULL;
}

bool socket_sigpipe(const struct file *f)
{
    const struct socket *s = socket_of(f);

    return !s || s->type == LX_SOCK_STREAM;
}
