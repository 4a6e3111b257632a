/* POSIX message queues: mq_open(2) and the calls on its descriptors (mq_overview(7)). */
#include "fs/mqueue/mqueue.h"
#include "fs/vfs/file.h"
#include "sentry/abi/lx_time.h"
#include "sentry/base/clean.h"
#include "sentry/ipc/msg.h"
#include "sentry/kernel/clock.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_mq_open(struct task *t, const u64 a[6])
{
    auto_free char *name = NULL;
    u32 flags = (u32)a[1];
    struct lx_mq_attr attr;
    struct file *f;
    s64 r;

    if (a[3] && usermem_get(t->mm, &attr, a[3]) < 0)
        return -EFAULT;
    r = arg_path(t, a[0], &name);
    if (r < 0)
        return r;
    r = mqueue_open(t->ns->ipc, name, flags, (u32)a[2] & 07777 & ~fs_context_umask(t->fs),
                    a[3] ? &attr : NULL, &f);
    if (r < 0)
        return r;
    r = fd_install(t->files, f, 0, task_rlimit(t, LX_RLIMIT_NOFILE), true);
    if (r < 0)
        file_put(f);
    return r;
}

s64 sys_mq_unlink(struct task *t, const u64 a[6])
{
    auto_free char *name = NULL;
    int err = arg_path(t, a[0], &name);

    return err < 0 ? err : mqueue_unlink(t->ns->ipc, name);
}

/* arg_deadline() - a time of CLOCK_REALTIME, or none. */
static int arg_deadline(struct task *t, u64 uaddr, u64 *deadline)
{
    u64 ns;
    int err = 0;

    *deadline = DEADLINE_NEVER;
    if (uaddr)
        err = arg_timespec(t, uaddr, &ns);
    if (uaddr && !err)
        *deadline = clock_deadline(LX_CLOCK_REALTIME, ns);
    return err;
}

/* arg_queue() - the descriptor of a queue. Return: 0 and a new reference, -EBADF. */
static int arg_queue(struct task *t, u64 fd, struct file **out)
{
    int err = arg_fd(t, fd, out);

    if (!err && !mqueue_file(*out)) {
        *out = file_put(*out);
        err = -EBADF;
    }
    return err;
}

s64 sys_mq_timedsend(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u64 deadline, len = a[2];
    struct msg *m;
    int err;

    if ((u32)a[3] >= LX_MQ_PRIO_MAX)
        return -EINVAL;
    err = arg_deadline(t, a[4], &deadline);
    if (!err)
        err = arg_queue(t, a[0], &f);
    if (err)
        return err;
    if (!file_writable(f))
        return -EBADF;
    if (len > mqueue_message_max(f))
        return -EMSGSIZE;
    m = msg_new((u32)a[3], len);
    if (!m)
        return -ENOMEM;
    err = usermem_in(t->mm, m->text, a[1], len) < 0 ? -EFAULT : mqueue_send(f, m, deadline);
    if (err)
        msg_free(m);
    return err;
}

s64 sys_mq_timedreceive(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u64 deadline;
    struct msg *m;
    u32 prio;
    int err = arg_deadline(t, a[4], &deadline);
    s64 r;

    if (!err)
        err = arg_queue(t, a[0], &f);
    if (err)
        return err;
    if (!file_readable(f))
        return -EBADF;
    if (a[2] < mqueue_message_max(f))
        return -EMSGSIZE;
    err = mqueue_receive(f, deadline, &m);
    if (err)
        return err;
    prio = (u32)m->type;
    r = (s64)m->len;
    if ((a[3] && usermem_put(t->mm, a[3], &prio) < 0) ||
        usermem_out(t->mm, a[1], m->text, m->len) < 0)
        r = -EFAULT;
    msg_free(m);
    return r;
}

s64 sys_mq_notify(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct lx_sigevent event;
    int err;

    if (a[1]) {
        if (usermem_get(t->mm, &event, a[1]) < 0)
            return -EFAULT;
        if (event.notify == LX_SIGEV_THREAD)
            return -EOPNOTSUPP;
        if (event.notify != LX_SIGEV_NONE && event.notify != LX_SIGEV_SIGNAL)
            return -EINVAL;
        if (event.notify == LX_SIGEV_SIGNAL && (event.signo < 0 || event.signo > LX_NSIG))
            return -EINVAL;
    }
    err = arg_queue(t, a[0], &f);
    return err ? err : mqueue_notify(f, a[1] ? &event : NULL);
}

s64 sys_mq_getsetattr(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct lx_mq_attr fresh, old;
    int err;

    if (a[1] && usermem_get(t->mm, &fresh, a[1]) < 0)
        return -EFAULT;
    if (a[1] && (fresh.flags & ~(s64)LX_O_NONBLOCK))
        return -EINVAL;
    err = arg_queue(t, a[0], &f);
    if (err)
        return err;
    mqueue_attr(f, &old);
    if (a[1] && fresh.flags)
        atomic_fetch_or(&f->flags, LX_O_NONBLOCK);
    else if (a[1])
        atomic_fetch_and(&f->flags, ~(u32)LX_O_NONBLOCK);
    return a[2] && usermem_put(t->mm, a[2], &old) < 0 ? -EFAULT : 0;
}
