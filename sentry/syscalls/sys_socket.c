/* Making sockets and naming them: socket(2), bind(2), connect(2), accept(2) and so on. */
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/socket/families.h"
#include "sentry/syscalls/socket_args.h"

#include <errno.h>

#define TYPE_FLAGS (LX_SOCK_CLOEXEC | LX_SOCK_NONBLOCK)

_Static_assert(LX_SOCK_CLOEXEC == LX_O_CLOEXEC && LX_SOCK_NONBLOCK == LX_O_NONBLOCK, "flags");

int arg_socket(struct task *t, u64 fd, struct file **file, struct socket **s)
{
    struct file *f;
    int rc = arg_fd(t, fd, &f);

    if (rc < 0)
        return rc;
    *s = socket_of(f);
    if (!*s) {
        file_put(f);
        return -ENOTSOCK;
    }
    *file = f;
    return 0;
}

int arg_sockaddr(struct task *t, u64 uaddr, s32 len, struct socket_addr *out)
{
    if (len < 0 || len > LX_SOCKADDR_MAX)
        return -EINVAL;
    if (len && usermem_in(t->mm, out->bytes, uaddr, (size_t)len) < 0)
        return -EFAULT;
    out->len = (u32)len;
    return 0;
}

int put_sockaddr(struct task *t, const struct socket_addr *addr, u64 uaddr, u64 ulen)
{
    s32 len, have = (s32)addr->len;

    if (usermem_get(t->mm, &len, ulen) < 0)
        return -EFAULT;
    if (len < 0)
        return -EINVAL;
    if (usermem_put(t->mm, ulen, &have) < 0)
        return -EFAULT;
    len = min_of(len, have);
    return len ? usermem_out(t->mm, uaddr, addr->bytes, (size_t)len) : 0;
}

/* install_socket() - a descriptor for `s`, which is taken. */
static s64 install_socket(struct task *t, struct socket *s, u32 flags)
{
    struct file *f;
    int rc = socket_file(s, flags, &f);

    if (rc < 0) {
        socket_put(s);
        return rc;
    }
    return install_fd(t, f, flags);
}

s64 sys_socket(struct task *t, const u64 a[6])
{
    s32 type = (s32)a[1];
    struct socket *s;
    int rc;

    if (type & ~(LX_SOCK_TYPE_MASK | TYPE_FLAGS))
        return -EINVAL;
    rc = socket_create(t->ns->net, (s32)a[0], type & LX_SOCK_TYPE_MASK, (s32)a[2], &s);
    return rc < 0 ? rc : install_socket(t, s, (u32)(type & TYPE_FLAGS));
}

/* make_pair() - two connected sockets as files. */
static int make_pair(struct task *t, s32 family, s32 type, s32 protocol, struct file *out[2])
{
    const struct socket_family *f = socket_family(family);
    auto_put(socket) struct socket *a = NULL;
    auto_put(socket) struct socket *b = NULL;
    u32 flags = (u32)(type & TYPE_FLAGS);
    int rc;

    rc = socket_create(t->ns->net, family, type & LX_SOCK_TYPE_MASK, protocol, &a);
    if (rc == 0)
        rc = socket_create(t->ns->net, family, type & LX_SOCK_TYPE_MASK, protocol, &b);
    if (rc == 0)
        rc = f->pair ? f->pair(a, b) : -EOPNOTSUPP;
    if (rc == 0)
        rc = socket_file(a, flags, &out[0]);
    if (rc < 0)
        return rc;
    a = NULL;
    rc = socket_file(b, flags, &out[1]);
    if (rc < 0) {
        file_put(out[0]);
        return rc;
    }
    b = NULL;
    return 0;
}

s64 sys_socketpair(struct task *t, const u64 a[6])
{
    s32 type = (s32)a[1], fds[2] = {-1, -1};
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);
    struct file *ends[2];
    int rc;

    if (type & ~(LX_SOCK_TYPE_MASK | TYPE_FLAGS))
        return -EINVAL;
    if (!fd_available(t->files, limit))
        return -EMFILE;
    rc = make_pair(t, (s32)a[0], type, (s32)a[2], ends);
    if (rc < 0)
        return rc;
    fds[0] = (s32)install_fd(t, ends[0], (u32)type);
    if (fds[0] < 0) {
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = (s32)install_fd(t, ends[1], (u32)type);
    rc = fds[1] < 0 ? fds[1] : usermem_put(t->mm, a[3], &fds);
    if (rc < 0) {
        fd_close(t->files, fds[0]);
        fd_close(t->files, fds[1]);
    }
    return rc;
}

s64 sys_bind(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket_addr addr = {0};
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc == 0)
        rc = arg_sockaddr(t, a[1], (s32)a[2], &addr);
    if (rc == 0)
        rc = s->ops->bind ? s->ops->bind(s, &addr) : -EOPNOTSUPP;
    return rc;
}

s64 sys_connect(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket_addr addr = {0};
    struct socket *s;
    int rc = arg_fd(t, a[0], &f);

    if (rc == 0)
        rc = arg_sockaddr(t, a[1], (s32)a[2], &addr);
    if (rc < 0)
        return rc;
    s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    return s->ops->connect ? s->ops->connect(s, &addr, f->flags & LX_O_NONBLOCK) : -EOPNOTSUPP;
}

s64 sys_listen(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc < 0)
        return rc;
    return s->ops->listen ? s->ops->listen(s, (s32)a[1]) : -EOPNOTSUPP;
}

/* tell_peer() - accept(2)'s address of who connected. */
static int tell_peer(struct task *t, struct socket *s, u64 uaddr, u64 ulen)
{
    struct socket_addr addr = {0};

    if (!uaddr)
        return 0;
    if (!s->ops->getname || s->ops->getname(s, true, &addr) < 0)
        return -ECONNABORTED;
    return put_sockaddr(t, &addr, uaddr, ulen);
}

/* do_accept() - Return: the new descriptor's file in *out, or errno. */
static int do_accept(struct task *t, struct file *f, const u64 a[6], u32 flags, struct file **out)
{
    struct socket *s = socket_of(f), *fresh;
    int rc;

    if (!s)
        return -ENOTSOCK;
    if (!s->ops->accept)
        return -EOPNOTSUPP;
    rc = s->ops->accept(s, f->flags & LX_O_NONBLOCK, &fresh);
    if (rc < 0)
        return rc;
    rc = socket_file(fresh, flags, out);
    if (rc < 0) {
        socket_put(fresh);
        return rc;
    }
    rc = tell_peer(t, fresh, a[1], a[2]);
    if (rc < 0)
        file_put(*out);
    return rc;
}

s64 sys_accept4(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u32 flags = (u32)a[3];
    struct file *fresh;
    int rc = arg_fd(t, a[0], &f);

    if (rc < 0)
        return rc;
    if (flags & ~(u32)TYPE_FLAGS)
        return -EINVAL;
    if (!fd_available(t->files, task_rlimit(t, LX_RLIMIT_NOFILE)))
        return -EMFILE;
    rc = do_accept(t, f, a, flags, &fresh);
    return rc < 0 ? rc : install_fd(t, fresh, flags);
}

s64 sys_accept(struct task *t, const u64 a[6])
{
    const u64 args[6] = {a[0], a[1], a[2]};

    return sys_accept4(t, args);
}

static s64 get_name(struct task *t, const u64 a[6], bool peer)
{
    auto_put(file) struct file *f = NULL;
    struct socket_addr addr = {0};
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc == 0)
        rc = s->ops->getname ? s->ops->getname(s, peer, &addr) : -EOPNOTSUPP;
    return rc < 0 ? rc : put_sockaddr(t, &addr, a[1], a[2]);
}

s64 sys_getsockname(struct task *t, const u64 a[6])
{
    return get_name(t, a, false);
}

s64 sys_getpeername(struct task *t, const u64 a[6])
{
    return get_name(t, a, true);
}

s64 sys_shutdown(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct socket *s;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc < 0)
        return rc;
    return s->ops->shutdown ? s->ops->shutdown(s, (s32)a[1]) : -EOPNOTSUPP;
}
