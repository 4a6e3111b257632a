/*
 * A POSIX message queue: its life, what its file shows, who is told of messages. It belongs to its
 * inode, so it goes with the last name and the last descriptor. What it may hold at most is charged to
 * its maker's RLIMIT_MSGQUEUE when it is made; the messages themselves come out of the sandbox's bound
 * for all kinds (msg_new()).
 */
#include "fs/mqueue/mqueue_priv.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_epoll.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What Linux counts for a message and for each priority in use, beside the text. */
enum { MESSAGE_COST = 48, PRIORITY_COST = 48 };

int mqueue_new(u32 maxmsg, u32 msgsize, struct mqueue **out)
{
    u64 prios = min_of(maxmsg, (u32)LX_MQ_PRIO_MAX);
    u64 charge = (u64)maxmsg * (msgsize + (u64)MESSAGE_COST) + prios * PRIORITY_COST;
    struct mqueue *q = calloc(1, sizeof(*q));
    int err;

    if (!q)
        return -ENOMEM;
    q->uid = task_cred(current)->uid;
    err = task_count_mqueue(q->uid, charge, task_rlimit(current, LX_RLIMIT_MSGQUEUE));
    if (err) {
        free(q);
        return err;
    }
    q->charge = charge;
    q->maxmsg = maxmsg;
    q->msgsize = msgsize;
    waitq_init(&q->poll);
    mutex_init(&q->lock, LOCK_IPC);
    list_init(&q->messages);
    list_init(&q->receivers);
    list_init(&q->senders);
    *out = q;
    return 0;
}

void mqueue_free(struct mqueue *q)
{
    struct mqueue_told told = mqueue_quiet_locked(q); /* nobody else has it any more */
    struct msg *m, *tmp;

    mqueue_told_put(&told);
    list_for_each_safe(m, tmp, &q->messages, node)
        msg_free(m);
    task_count_mqueue_release(q->uid, q->charge);
    waitq_destroy(&q->poll);
    mutex_destroy(&q->lock);
    free(q);
}

struct mqueue_told mqueue_quiet_locked(struct mqueue *q)
{
    struct mqueue_told told = {q->told, q->told_ns};

    q->told = NULL;
    q->told_ns = NULL;
    return told;
}

void mqueue_told_put(struct mqueue_told *t)
{
    thread_group_put(t->tg);
    user_ns_put(t->ns);
}

bool mqueue_file(const struct file *f)
{
    return f->ops == &mqueue_file_ops;
}

u64 mqueue_message_max(const struct file *f)
{
    return mqueue_of(f->inode)->msgsize;
}

void mqueue_attr(struct file *f, struct lx_mq_attr *out)
{
    struct mqueue *q = mqueue_of(f->inode);

    *out = (struct lx_mq_attr){
        .flags = f->flags & LX_O_NONBLOCK, .maxmsg = q->maxmsg, .msgsize = q->msgsize};
    mutex_lock(&q->lock);
    out->curmsgs = q->count;
    mutex_unlock(&q->lock);
}

int mqueue_notify(struct file *f, const struct lx_sigevent *event)
{
    struct mqueue *q = mqueue_of(f->inode);
    struct mqueue_told told = {0};
    int err = 0;

    mutex_lock(&q->lock);
    if (!event) {
        if (q->told == current->tg)
            told = mqueue_quiet_locked(q);
    } else if (q->told) {
        err = -EBUSY;
    } else {
        q->told = thread_group_get(current->tg);
        q->told_ns = user_ns_get(task_cred(current)->user_ns);
        q->event = *event;
    }
    mutex_unlock(&q->lock);
    mqueue_told_put(&told);
    if (!err)
        inode_touch(f->inode, INODE_ATIME | INODE_CTIME);
    return err;
}

/* --- its file --- */

/* mqueue_flush() - a descriptor that is closed takes its process's wish with it. */
static void mqueue_flush(struct file *f)
{
    if (current)
        mqueue_notify(f, NULL);
}

static ssize_t mqueue_read(struct file *f, struct uio *to, s64 *pos)
{
    struct mqueue *q = mqueue_of(f->inode);
    char text[MQUEUE_TEXT];
    bool signals;
    ssize_t n;
    int len;

    mutex_lock(&q->lock);
    signals = q->told && q->event.notify == LX_SIGEV_SIGNAL;
    len = snprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                   (unsigned long long)q->bytes, q->told ? q->event.notify : 0,
                   signals ? q->event.signo : 0,
                   q->told && current ? pid_nr(q->told->pid, current->pid->ns) : 0);
    mutex_unlock(&q->lock);
    if (*pos < 0 || *pos >= len)
        return 0;
    n = uio_to(to, text + *pos, (size_t)min_of((u64)(len - *pos), to->left));
    if (n > 0)
        *pos += n;
    inode_touch(f->inode, INODE_ATIME | INODE_CTIME);
    return n;
}

static u32 mqueue_poll(struct file *f)
{
    struct mqueue *q = mqueue_of(f->inode);
    u32 events = 0;

    mutex_lock(&q->lock);
    if (q->count)
        events |= LX_POLLIN | LX_POLLRDNORM;
    if (q->count < q->maxmsg)
        events |= LX_POLLOUT | LX_POLLWRNORM;
    mutex_unlock(&q->lock);
    return events;
}

static struct waitq *mqueue_queue(struct file *f)
{
    return &mqueue_of(f->inode)->poll;
}

const struct file_ops mqueue_file_ops = {
    .read = mqueue_read,
    .seek = file_seek_generic,
    .poll = mqueue_poll,
    .queue = mqueue_queue,
    .flush = mqueue_flush,
};
