/* Receiving on sockets: recvfrom(2), recvmsg(2), recvmmsg(2). */
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/socket_args.h"

#include <errno.h>
#include <stddef.h>

s64 socket_recv(const struct file *f, struct socket *s, struct socket_msg *m)
{
    if (f->flags & LX_O_NONBLOCK)
        m->flags |= LX_MSG_DONTWAIT;
    return s->ops->recvmsg ? s->ops->recvmsg(s, m) : -EOPNOTSUPP;
}

s64 sys_recvfrom(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket_msg m = {.flags = (u32)a[3]};
    struct uio_vec vec;
    struct socket *s;
    struct uio to;
    u64 end;
    s64 rc;
    int err;

    if (__builtin_add_overflow(a[1], a[2], &end) || end > PLAT_TASK_SIZE)
        return -EFAULT;
    rc = arg_socket(t, a[0], &f, &s);
    if (rc < 0)
        return rc;
    uio_user(&to, &vec, t->mm, a[1], min_of(a[2], (u64)LIMIT_RW_BYTES));
    m.data = &to;
    rc = socket_recv(f, s, &m);
    if (rc < 0 || !a[4])
        return rc;
    err = put_sockaddr(t, &m.name, a[4], a[5]);
    return err < 0 ? err : rc;
}

/* tell() - name, flags and the length of the control data of what was received. Return: 0, -EFAULT. */
static int tell(struct task *t, struct msg_arg *a, u64 uhdr)
{
    u64 controllen = a->msg.control.len;
    int rc = 0;

    if (a->hdr.name) {
        s32 have = (s32)a->msg.name.len, len = min_of(have, a->hdr.namelen);

        rc = usermem_put(t->mm, uhdr + offsetof(struct lx_msghdr, namelen), &have);
        if (rc == 0 && len)
            rc = usermem_out(t->mm, a->hdr.name, a->msg.name.bytes, (size_t)len);
    }
    if (rc == 0)
        rc = usermem_put(t->mm, uhdr + offsetof(struct lx_msghdr, flags), &a->msg.out_flags);
    if (rc == 0)
        rc = usermem_put(t->mm, uhdr + offsetof(struct lx_msghdr, controllen), &controllen);
    return rc;
}

s64 msghdr_recv(struct task *t, const struct file *f, struct socket *s, u64 uhdr, u32 flags)
{
    struct msg_arg a;
    s64 rc = msghdr_begin(t, &a, uhdr);
    int err;

    if (rc == 0 && a.hdr.control) {
        a.msg.control.to = a.hdr.control;
        a.msg.control.cap = (u32)min_of(a.hdr.controllen, (u64)INT32_MAX);
    }
    a.msg.flags = flags;
    a.msg.out_flags = flags & LX_MSG_CMSG_CLOEXEC;
    if (rc == 0)
        rc = socket_recv(f, s, &a.msg);
    err = rc < 0 ? (int)rc : tell(t, &a, uhdr);
    msghdr_end(&a);
    return err < 0 ? err : rc;
}

s64 sys_recvmsg(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    return rc < 0 ? rc : msghdr_recv(t, f, s, a[1], (u32)a[2]);
}

/* recv_many() - up to n messages; `deadline` is looked at after each. Return: how many, or errno. */
static s64 recv_many(struct task *t, struct file *f, struct socket *s, const u64 a[6], u64 deadline)
{
    u32 n = (u32)a[2], done = 0, flags = (u32)a[3];
    s64 rc = socket_error(s);

    while (rc >= 0 && done < n) {
        u64 at = a[1] + done * sizeof(struct lx_mmsghdr);
        u32 len;

        rc = msghdr_recv(t, f, s, at, flags & ~(u32)LX_MSG_WAITFORONE);
        if (rc < 0)
            break;
        len = (u32)rc;
        rc = usermem_put(t->mm, at + offsetof(struct lx_mmsghdr, len), &len);
        if (rc < 0)
            break;
        done++;
        if (flags & LX_MSG_WAITFORONE)
            flags |= LX_MSG_DONTWAIT;
        if (signal_pending(t) || (deadline != DEADLINE_NEVER && host_monotonic() >= deadline))
            break;
    }
    /* What went wrong after some messages is the next call's to tell. */
    if (done && rc < 0 && rc != -EAGAIN && rc > -ERESTARTSYS)
        s->error = (int)-rc;
    return done ? (s64)done : rc;
}

s64 sys_recvmmsg(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u64 deadline = DEADLINE_NEVER, ns = 0, now;
    struct socket *s;
    s64 rc = 0;

    if (a[4])
        rc = arg_timespec(t, a[4], &ns);
    if (rc < 0)
        return rc;
    if (a[4])
        deadline = deadline_in(ns);
    rc = arg_socket(t, a[0], &f, &s);
    if (rc < 0)
        return rc;
    rc = recv_many(t, f, s, a, deadline);
    if (rc > 0 && a[4]) {
        now = host_monotonic();
        if (put_timespec(t, a[4], deadline > now ? deadline - now : 0) < 0)
            return -EFAULT;
    }
    return rc;
}
