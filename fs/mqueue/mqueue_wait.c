/*
 * Sending and receiving. Messages stand by priority, the oldest first in each. A message goes straight
 * to the first receiver that waits; a sender that waits for room has its message taken in by whoever
 * makes room. A queue holds few messages (msg_max), so the place of one is looked for from the end.
 *
 * One process may be told, once, when a message comes to an empty queue for which nobody waits.
 */
#include "fs/mqueue/mqueue_priv.h"

#include "sentry/abi/lx_epoll.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/wait/wait.h"

#include <errno.h>

/* A task that waits: a sender with its message, a receiver without one. */
struct mqueue_waiter {
    struct ipc_waiter w;
    struct msg *m;
};

static void insert_locked(struct mqueue *q, struct msg *m)
{
    struct list_node *before = q->messages.prev;

    while (before != &q->messages && list_entry(before, struct msg, node)->type < m->type)
        before = before->prev;
    list_add(before, &m->node);
    q->count++;
    q->bytes += m->len;
}

static struct msg *take_first_locked(struct mqueue *q)
{
    struct msg *m = list_first(&q->messages, struct msg, node);

    list_del(&m->node);
    q->count--;
    q->bytes -= m->len;
    return m;
}

/* wait_turn() - sleep among `on`. Return: 0: somebody did it for us; -ETIMEDOUT, -ERESTARTSYS. The
 * lock is held before and after. */
static int wait_turn(struct mqueue *q, struct list_node *on, struct mqueue_waiter *me, u64 deadline)
{
    ipc_waiter_init(&me->w);
    list_add_tail(on, &me->w.node);
    mutex_unlock(&q->lock);
    return ipc_wait(&me->w, &q->lock, deadline);
}

static struct mqueue_waiter *first_waiter(struct list_node *of)
{
    struct ipc_waiter *w = list_first(of, struct ipc_waiter, node);

    return w ? container_of(w, struct mqueue_waiter, w) : NULL;
}

/* tell_locked() - a message has come to an empty queue. Return: whom nobody needs any more. */
static struct mqueue_told tell_locked(struct mqueue *q)
{
    struct lx_siginfo info = {.signo = q->event.signo, .code = LX_SI_MESGQ};

    if (!q->told)
        return (struct mqueue_told){0};
    if (q->event.notify == LX_SIGEV_SIGNAL && q->event.signo) {
        info.rt.pid = pid_nr(current->tg->pid, q->told->pid->ns);
        info.rt.uid = uid_from_kuid(q->told_ns, task_cred(current)->uid);
        info.rt.value = q->event.value;
        signal_send_group(q->told, &info);
    }
    return mqueue_quiet_locked(q);
}

int mqueue_send(struct file *f, struct msg *m, u64 deadline)
{
    struct mqueue *q = mqueue_of(f->inode);
    struct mqueue_waiter me = {.m = m}, *to;
    struct mqueue_told told = {0};
    int err = 0;

    mutex_lock(&q->lock);
    if (q->count == q->maxmsg) {
        err = f->flags & LX_O_NONBLOCK ? -EAGAIN : wait_turn(q, &q->senders, &me, deadline);
    } else if ((to = first_waiter(&q->receivers))) {
        to->m = m;
        ipc_wake_locked(&to->w, 0);
    } else {
        insert_locked(q, m);
        if (q->count == 1)
            told = tell_locked(q);
        waitq_wake(&q->poll, LX_POLLIN | LX_POLLRDNORM);
    }
    mutex_unlock(&q->lock);
    mqueue_told_put(&told);
    if (!err)
        inode_touch(f->inode, INODE_ATIME | INODE_MTIME | INODE_CTIME);
    return err;
}

int mqueue_receive(struct file *f, u64 deadline, struct msg **out)
{
    struct mqueue *q = mqueue_of(f->inode);
    struct mqueue_waiter me = {0}, *from;
    int err = 0;

    mutex_lock(&q->lock);
    if (!q->count) {
        err = f->flags & LX_O_NONBLOCK ? -EAGAIN : wait_turn(q, &q->receivers, &me, deadline);
    } else {
        me.m = take_first_locked(q);
        from = first_waiter(&q->senders);
        if (from) {
            insert_locked(q, from->m);
            ipc_wake_locked(&from->w, 0);
        } else {
            waitq_wake(&q->poll, LX_POLLOUT | LX_POLLWRNORM);
        }
    }
    mutex_unlock(&q->lock);
    if (err)
        return err;
    inode_touch(f->inode, INODE_ATIME | INODE_MTIME | INODE_CTIME);
    *out = me.m;
    return 0;
}
