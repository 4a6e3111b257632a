/* Sending on sockets: sendto(2), sendmsg(2), sendmmsg(2). */
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/socket_args.h"

#include <errno.h>

s64 socket_send(struct task *t, struct file *f, struct socket *s, struct socket_msg *m)
{
    bool quiet = m->flags & LX_MSG_NOSIGNAL;
    u64 asked = m->data->left;
    s64 rc;

    if (f->flags & LX_O_NONBLOCK)
        m->flags |= LX_MSG_DONTWAIT;
    rc = s->ops->sendmsg ? s->ops->sendmsg(s, m) : -EOPNOTSUPP;
    if (rc == -EAGAIN || (rc >= 0 && (u64)rc < asked))
        file_async_full(f);
    if (rc == -EPIPE && !quiet && socket_sigpipe(f))
        signal_raise(t, LX_SIGPIPE);
    return rc;
}

s64 sys_sendto(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket_msg m = {.flags = (u32)a[3]};
    struct uio_vec vec;
    struct socket *s;
    struct uio from;
    u64 end;
    int rc;

    if (__builtin_add_overflow(a[1], a[2], &end) || end > PLAT_TASK_SIZE)
        return -EFAULT;
    rc = arg_socket(t, a[0], &f, &s);
    if (rc == 0 && a[4])
        rc = arg_sockaddr(t, a[4], (s32)a[5], &m.name);
    if (rc < 0)
        return rc;
    uio_user(&from, &vec, t->mm, a[1], min_of(a[2], (u64)LIMIT_RW_BYTES));
    m.data = &from;
    return socket_send(t, f, s, &m);
}

int msghdr_begin(struct task *t, struct msg_arg *a, u64 uhdr)
{
    int rc;

    a->vec = a->fast;
    a->msg = (struct socket_msg){.data = &a->uio};
    if (usermem_get(t->mm, &a->hdr, uhdr) < 0)
        return -EFAULT;
    if (!a->hdr.name)
        a->hdr.namelen = 0;
    if (a->hdr.namelen < 0)
        return -EINVAL;
    a->hdr.namelen = min_of(a->hdr.namelen, (s32)LX_SOCKADDR_MAX);
    if (a->hdr.iovlen > LIMIT_IOV)
        return -EMSGSIZE;
    rc = usermem_iovec(t->mm, a->hdr.iov, a->hdr.iovlen, a->fast, MSG_FAST_VECS, &a->vec);
    if (rc == 0)
        uio_init(&a->uio, t->mm, a->vec, (u32)a->hdr.iovlen);
    return rc;
}

void msghdr_end(struct msg_arg *a)
{
    if (a->vec != a->fast)
        free(a->vec);
    if (a->msg.control.data != a->control)
        free(a->msg.control.data);
}

/* take_control() - copy control data in, once. */
static int take_control(struct task *t, struct msg_arg *a)
{
    struct socket_control *c = &a->msg.control;
    u64 len = a->hdr.controllen;

    if (!len)
        return 0;
    if (len > LIMIT_SOCKET_CONTROL)
        return -ENOBUFS;
    c->data = len <= sizeof(a->control) ? a->control : malloc(len);
    if (!c->data)
        return -ENOBUFS;
    c->len = (u32)len;
    return usermem_in(t->mm, c->data, a->hdr.control, len);
}

s64 msghdr_send(struct task *t, struct file *f, struct socket *s, u64 uhdr, u32 flags)
{
    struct msg_arg a;
    s64 rc = msghdr_begin(t, &a, uhdr);

    if (rc == 0 && a.hdr.namelen)
        rc = arg_sockaddr(t, a.hdr.name, a.hdr.namelen, &a.msg.name);
    if (rc == 0)
        rc = take_control(t, &a);
    a.msg.flags = flags;
    if (rc == 0)
        rc = socket_send(t, f, s, &a.msg);
    msghdr_end(&a);
    return rc;
}

s64 sys_sendmsg(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    return rc < 0 ? rc : msghdr_send(t, f, s, a[1], (u32)a[2]);
}

s64 sys_sendmmsg(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u32 n = min_of((u32)a[2], (u32)LIMIT_IOV), done = 0;
    struct socket *s;
    s64 rc = arg_socket(t, a[0], &f, &s);

    if (rc < 0)
        return rc;
    for (; done < n; done++) {
        u64 at = a[1] + done * sizeof(struct lx_mmsghdr);
        u32 len;

        rc = msghdr_send(t, f, s, at, (u32)a[3]);
        len = (u32)rc;
        if (rc >= 0)
            rc = usermem_put(t->mm, at + offsetof(struct lx_mmsghdr, len), &len);
        if (rc < 0)
            break;
        if (signal_pending(t)) {
            done++;
            break;
        }
    }
    return done ? (s64)done : rc;
}
