/*
 * signalfd(2). The descriptor holds a mask and no signals: whoever reads or polls it sees his own
 * pending ones, of his thread and of his process.
 *
 * Who waits for readiness (poll, epoll) stands in the descriptor's own queue. The first time that a
 * process asks for that queue, the descriptor subscribes to that process's wake-ups, by an entry in
 * tg->signal_wait that passes them on. A subscription holds its process and ends with the
 * descriptor, or when the process is dead and another subscribes. Passing on is deferred, since one
 * queue is not woken under the lock of another.
 *
 * Lock: s->lock (PIPE) over WAITQ. It is not held while a reference to a process is dropped.
 */
#include "fs/signalfd/signalfd.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

struct signalfd {
    struct obj obj;
    _Atomic(u64) mask;
    struct waitq queue;
    struct wait_deferred deferred;
    atomic_bool deferring; /* `deferred` is waiting to run and holds a reference */
    struct mutex lock;
    struct list_node subscriptions; /* guarded by lock */
};
OBJ_REFS(signalfd)

struct subscription {
    struct list_node node; /* of its signalfd, or of who frees it */
    struct signalfd *to;   /* borrowed: outlives it */
    struct thread_group *tg; /* a reference */
    struct wait_entry entry; /* in tg->signal_wait */
};

static void signalfd_free(struct obj *o)
{
    struct signalfd *s = container_of(o, struct signalfd, obj);

    waitq_destroy(&s->queue);
    mutex_destroy(&s->lock);
    free(s);
}

static struct obj_type signalfd_type = {.name = "signalfd", .free = signalfd_free};

/* --- subscriptions --- */

static void run_deferred(struct wait_deferred *d)
{
    struct signalfd *s = container_of(d, struct signalfd, deferred);

    atomic_store(&s->deferring, false);
    waitq_wake(&s->queue, LX_POLLIN | LX_POLLRDNORM);
    signalfd_put(s);
}

static bool pass_on(struct wait_entry *e, u32 events)
{
    struct signalfd *s = container_of(e, struct subscription, entry)->to;

    (void)events;
    if (!atomic_exchange(&s->deferring, true)) {
        signalfd_get(s);
        waitq_defer(&s->deferred);
    }
    return true;
}

/* end_all() - subscriptions that are on no signalfd's list any more. No lock held. */
static void end_all(struct list_node *ended)
{
    struct subscription *sub, *tmp;

    list_for_each_safe(sub, tmp, ended, node) {
        waitq_del(&sub->tg->signal_wait, &sub->entry);
        thread_group_put(sub->tg);
        free(sub);
    }
}

/* subscribe() - to the calling process, unless it is done already. Return: false: out of memory. */
static bool subscribe(struct signalfd *s)
{
    struct thread_group *tg = current->tg;
    struct list_node ended = LIST_INIT(ended);
    struct subscription *sub, *tmp, *fresh = calloc(1, sizeof(*fresh));
    bool found = false;

    mutex_lock(&s->lock);
    list_for_each_safe(sub, tmp, &s->subscriptions, node) {
        found = found || sub->tg == tg;
        if (__atomic_load_n(&sub->tg->dead, __ATOMIC_RELAXED)) {
            list_del(&sub->node);
            list_add_tail(&ended, &sub->node);
        }
    }
    if (!found && fresh) {
        *fresh = (struct subscription){.to = s, .tg = thread_group_get(tg)};
        fresh->entry = (struct wait_entry){.wake = pass_on};
        list_add_tail(&s->subscriptions, &fresh->node);
        waitq_add(&tg->signal_wait, &fresh->entry);
        fresh = NULL;
        found = true;
    }
    mutex_unlock(&s->lock);
    free(fresh);
    end_all(&ended);
    return found;
}

/* --- signals as bytes --- */

enum layout { AS_KILL, AS_TIMER, AS_POLL, AS_FAULT, AS_CHLD, AS_RT, AS_SYS };

/* layout_of() - which members of a siginfo its number and code give a meaning (sigaction(2)). */
static enum layout layout_of(const struct lx_siginfo *i)
{
    static const struct {
        s32 signo, codes;
        enum layout layout;
    } by_signal[] = {
        {LX_SIGILL, 11, AS_FAULT}, {LX_SIGFPE, 15, AS_FAULT},  {LX_SIGSEGV, 10, AS_FAULT},
        {LX_SIGBUS, 5, AS_FAULT},  {LX_SIGTRAP, 6, AS_FAULT},  {LX_SIGCHLD, 6, AS_CHLD},
        {LX_SIGIO, 6, AS_POLL},    {LX_SIGSYS, 2, AS_SYS},
    };

    if (i->code == LX_SI_TIMER)
        return AS_TIMER;
    if (i->code == LX_SI_SIGIO)
        return AS_POLL;
    if (i->code < 0)
        return AS_RT;
    if (i->code == LX_SI_USER || i->code >= LX_SI_KERNEL)
        return AS_KILL;
    for (size_t at = 0; at < ARRAY_SIZE(by_signal); at++)
        if (by_signal[at].signo == i->signo && i->code <= by_signal[at].codes)
            return by_signal[at].layout;
    return i->code <= 6 ? AS_POLL : AS_KILL;
}

static struct lx_signalfd_siginfo encode(const struct lx_siginfo *i)
{
    struct lx_signalfd_siginfo out = {
        .signo = (u32)i->signo, .error = i->error, .code = i->code};

    switch (layout_of(i)) {
    case AS_RT:
        out.value_ptr = i->rt.value;
        out.value_int = (s32)i->rt.value;
        __attribute__((fallthrough));
    case AS_KILL:
        out.pid = (u32)i->rt.pid;
        out.uid = i->rt.uid;
        break;
    case AS_TIMER:
        out.tid = (u32)i->timer.timerid;
        out.overrun = (u32)i->timer.overrun;
        out.value_ptr = i->timer.value;
        out.value_int = (s32)i->timer.value;
        break;
    case AS_POLL:
        out.band = (u32)i->poll.band;
        out.fd = i->poll.fd;
        break;
    case AS_FAULT:
        out.addr = i->fault.addr;
        if (i->signo == LX_SIGBUS && i->code >= 4) /* BUS_MCEERR_AR, BUS_MCEERR_AO */
            out.addr_lsb = i->fault.lsb;
        break;
    case AS_CHLD:
        out.pid = (u32)i->chld.pid;
        out.uid = i->chld.uid;
        out.status = i->chld.status;
        out.utime = (u64)i->chld.utime;
        out.stime = (u64)i->chld.stime;
        break;
    case AS_SYS:
        out.call_addr = i->sys.call_addr;
        out.syscall = i->sys.syscall;
        out.arch = i->sys.arch;
        break;
    }
    return out;
}

/* --- the file --- */

/* take() - a signal of the reader's. Return: its number, 0: none. */
static int take_signal(struct signalfd *s, struct lx_siginfo *info)
{
    int signo;

    mutex_lock(&current->tg->lock);
    signo = signal_dequeue_locked(current, atomic_load(&s->mask), info);
    signal_recompute_locked(current);
    mutex_unlock(&current->tg->lock);
    return signo;
}

static ssize_t signalfd_read(struct file *f, struct uio *to, s64 *pos)
{
    struct signalfd *s = f->private;
    struct lx_signalfd_siginfo out;
    struct lx_siginfo info;
    ssize_t total = 0, n;
    int signo, rc = 0;

    (void)pos;
    if (to->left < sizeof(out))
        return -EINVAL;
    while (to->left >= sizeof(out)) {
        signo = take_signal(s, &info);
        if (!signo && !total && !(f->flags & LX_O_NONBLOCK))
            rc = wait_event(&current->tg->signal_wait, 0, DEADLINE_NEVER,
                            (signo = take_signal(s, &info)) != 0);
        if (!signo)
            break;
        out = encode(&info);
        n = uio_to(to, &out, sizeof(out));
        if (n < (ssize_t)sizeof(out))
            return total ? total : -EFAULT;
        total += n;
    }
    if (total)
        return total;
    return rc < 0 ? rc : -EAGAIN;
}

static u32 signalfd_poll(struct file *f)
{
    struct signalfd *s = f->private;
    u64 pending;

    if (!current)
        return 0;
    mutex_lock(&current->tg->lock);
    pending = current->pending.set | current->tg->pending.set;
    mutex_unlock(&current->tg->lock);
    return pending & atomic_load(&s->mask) ? LX_POLLIN | LX_POLLRDNORM : 0;
}

static struct waitq *signalfd_queue(struct file *f)
{
    struct signalfd *s = f->private;

    return current && subscribe(s) ? &s->queue : NULL;
}

static void signalfd_release(struct file *f)
{
    struct signalfd *s = f->private;
    struct list_node ended = LIST_INIT(ended);

    mutex_lock(&s->lock);
    list_splice_tail(&ended, &s->subscriptions);
    mutex_unlock(&s->lock);
    end_all(&ended);
    signalfd_put(s);
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .poll = signalfd_poll,
    .queue = signalfd_queue,
    .release = signalfd_release,
};

int signalfd_open(u64 mask, u32 flags, const struct cred *cred, struct file **out)
{
    struct signalfd *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return -ENOMEM;
    obj_init(&s->obj, &signalfd_type);
    atomic_init(&s->mask, mask);
    waitq_init(&s->queue);
    s->deferred.run = run_deferred;
    mutex_init(&s->lock, LOCK_PIPE);
    list_init(&s->subscriptions);
    rc = file_new_anon(&signalfd_ops, "anon_inode:[signalfd]", 0600, cred,
                       LX_O_RDWR | (flags & LX_O_NONBLOCK), s, out);
    if (rc < 0)
        signalfd_put(s);
    return rc;
}

bool signalfd_mask(struct file *f, u64 *mask)
{
    if (f->ops != &signalfd_ops)
        return false;
    *mask = atomic_load(&((struct signalfd *)f->private)->mask);
    return true;
}

void signalfd_set_mask(struct file *f, u64 mask)
{
    struct signalfd *s = f->private;

    atomic_store(&s->mask, mask);
    waitq_wake(&current->tg->signal_wait, 0);
}
