/*
 * Signal-driven I/O. A description that has an owner, a signal or O_ASYNC has a struct file_async,
 * whose entry in the file's wait queue hears of all that pollers hear of.
 *
 * A wake-up comes under locks that no signal may be sent under, so it only notes the events and puts
 * the rest off until its thread holds no lock: a task's, before it sleeps or leaves its step, so that
 * a signal is there when the call that caused it returns; any other thread's, to a thread of our own
 * that starts with the first file_async. What a signal tells is then asked of the file again, but for
 * pipes, where Linux signals each read and write.
 *
 * As on Linux a socket or terminal tells of room only after it has had none (`full`).
 *
 * The owner is guarded by the pid lock. `file` is NULL from its release on.
 */
#include "sentry/kernel/async_io.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    SAYS_IN = LX_POLLRDNORM,
    SAYS_OUT = LX_POLLWRNORM | LX_POLLWRBAND,
    SAYS_GONE = LX_POLLHUP | LX_POLLERR,
};

struct file_async {
    struct obj obj;
    struct mutex lock;
    struct file *file; /* borrowed; guarded by lock */
    struct waitq *queue; /* the file's, or NULL */
    struct wait_entry entry;
    struct wait_deferred todo; /* on a list while `queued`, with a reference */
    atomic_bool queued, full;
    _Atomic(u32) events; /* LX_POLL* to be looked at */

    struct pid *pid; /* a reference; and below: guarded by the pid lock */
    u32 type;        /* LX_F_OWNER_* */
    u32 uid, euid;   /* who named the owner */
    u32 signo;
    s32 fd;
};
OBJ_REFS(file_async)

static void async_free(struct obj *o)
{
    struct file_async *a = container_of(o, struct file_async, obj);

    pid_put(a->pid);
    mutex_destroy(&a->lock);
    free(a);
}

static struct obj_type async_type = {.name = "file_async", .free = async_free};

/* --- telling --- */

/* may_signal() - may who named the owner signal t? */
static bool may_signal(const struct file_async *a, struct task *t)
{
    struct cred *to = task_cred_of(t);
    bool ok = a->euid == 0 || a->euid == to->suid || a->euid == to->uid || a->uid == to->suid ||
              a->uid == to->uid;

    cred_put(to);
    return ok;
}

/* has_codes() - do the si_codes of this signal mean something else than LX_POLL_IN and so on? */
static bool has_codes(u32 signo)
{
    const u64 those = sigbit(LX_SIGILL) | sigbit(LX_SIGFPE) | sigbit(LX_SIGSEGV) |
                      sigbit(LX_SIGBUS) | sigbit(LX_SIGTRAP) | sigbit(LX_SIGCHLD) |
                      sigbit(LX_SIGSYS);

    return sigbit((int)signo) & those;
}

/* details() - of a->signo with this code. */
static struct lx_siginfo details(const struct file_async *a, s32 code)
{
    static const u32 bands[] = {
        [LX_POLL_IN] = LX_POLLIN | LX_POLLRDNORM,
        [LX_POLL_OUT] = LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND,
        [LX_POLL_ERR] = LX_POLLERR,
        [LX_POLL_PRI] = LX_POLLPRI | LX_POLLRDBAND,
        [LX_POLL_HUP] = LX_POLLHUP | LX_POLLERR,
    };
    struct lx_siginfo info = {.signo = (s32)a->signo, .code = code};

    if (has_codes(a->signo))
        info.code = LX_SI_SIGIO;
    info.poll.band = bands[code];
    info.poll.fd = a->fd;
    return info;
}

static int send_info(struct task *t, bool to_thread, const struct lx_siginfo *info)
{
    return to_thread ? signal_send_task(t, info) : signal_send_group(t->tg, info);
}

/* send_locked() - to one task or its group: signal `plain` if it isn't 0, else what `code` asks for.
 * pid lock held. */
static void send_locked(struct file_async *a, struct task *t, int plain, s32 code)
{
    struct lx_siginfo info = siginfo_kernel(plain ? plain : LX_SIGIO), rich;
    bool to_thread = a->type == LX_F_OWNER_TID;

    if (!t || !may_signal(a, t))
        return;
    if (!plain && a->signo) {
        rich = details(a, code);
        if (send_info(t, to_thread, &rich) == 0)
            return; /* else its queue is full */
    }
    send_info(t, to_thread, &info);
}

static void tell_locked(struct file_async *a, int plain, s32 code)
{
    struct thread_group *tg;

    if (!a->pid)
        return;
    if (a->type == LX_F_OWNER_TID) {
        send_locked(a, a->pid->task, plain, code);
    } else if (a->type == LX_F_OWNER_PID) {
        if (a->pid->tg)
            send_locked(a, a->pid->tg->leader, plain, code);
    } else if (a->pid->pgrp) {
        list_for_each(tg, &a->pid->pgrp->members, in_pgrp)
            send_locked(a, tg->leader, plain, code);
    }
}

/* tell() - the owner, by what was asked for with O_ASYNC. */
static void tell(struct file_async *a, s32 code)
{
    pid_lock();
    tell_locked(a, 0, code);
    pid_unlock();
}

/* tell_urgent() - SIGURG needs no O_ASYNC; with it a signal that was asked for comes too. */
static void tell_urgent(struct file_async *a, bool async)
{
    pid_lock();
    tell_locked(a, LX_SIGURG, 0);
    if (async && a->signo)
        tell_locked(a, 0, LX_POLL_PRI);
    pid_unlock();
}

/* report_pipe(), report_state() - tell what of `events` is so. */
static void report_pipe(struct file_async *a, struct file *f, u32 events, u32 ready)
{
    bool ended = events & SAYS_GONE;

    if (file_readable(f) && (ended ? ready & LX_POLLHUP : events & SAYS_IN))
        tell(a, LX_POLL_IN);
    if (file_writable(f) && (ended ? ready & LX_POLLERR : events & SAYS_OUT))
        tell(a, LX_POLL_OUT);
}

static void report_state(struct file_async *a, bool terminal, u32 events, u32 ready)
{
    if (terminal && (ready & LX_POLLHUP))
        return; /* a hangup ends it */
    if (events & ready & LX_POLLERR)
        tell(a, LX_POLL_ERR);
    else if ((events & (LX_POLLHUP | SAYS_IN)) && (ready & LX_POLLHUP))
        tell(a, LX_POLL_HUP);
    else if ((events & SAYS_IN) && (ready & LX_POLLIN))
        tell(a, LX_POLL_IN);
    else if ((events & SAYS_OUT) && (ready & LX_POLLOUT))
        tell(a, LX_POLL_OUT);
    else if (events & SAYS_OUT)
        atomic_store(&a->full, true); /* not yet */
}

static void report(struct file_async *a, struct file *f, u32 events)
{
    u32 ready = f->ops->poll(f);
    bool async = f->flags & LX_O_ASYNC;

    if (f->ops->async == FILE_ASYNC_SOCKET && (events & ready & LX_POLLPRI))
        tell_urgent(a, async);
    if (!async)
        return;
    if (f->ops->async == FILE_ASYNC_PIPE)
        report_pipe(a, f, events, ready);
    else
        report_state(a, f->ops->async == FILE_ASYNC_TERMINAL, events, ready);
}

/* run() - what a wake-up put off; drops the reference that `queued` stood for. */
static void run(struct wait_deferred *d)
{
    struct file_async *a = container_of(d, struct file_async, todo);
    struct file *f = NULL;
    u32 events;

    atomic_store(&a->queued, false);
    events = atomic_exchange(&a->events, 0);
    mutex_lock(&a->lock);
    if (a->file && obj_get_unless_zero(&a->file->obj))
        f = a->file;
    mutex_unlock(&a->lock);
    if (f)
        report(a, f, events);
    file_put(f);
    file_async_put(a);
}

/* --- a thread for those that have no step to end --- */

static struct mutex helper_lock = MUTEX_INIT(LEAF);
static struct wait_deferred *helper_todo; /* latest first; guarded by helper_lock */
static atomic_uint helper_bell;

static void helper_add(struct wait_deferred *d)
{
    mutex_lock(&helper_lock);
    d->next = helper_todo;
    helper_todo = d;
    mutex_unlock(&helper_lock);
    atomic_fetch_add(&helper_bell, 1);
    host_futex_wake(&helper_bell, 1, false);
}

static void *helper_thread(void *arg)
{
    struct sleeper sleeper;

    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
    for (;;) {
        u32 bell = atomic_load(&helper_bell);
        struct wait_deferred *d;

        mutex_lock(&helper_lock);
        d = helper_todo;
        helper_todo = NULL;
        mutex_unlock(&helper_lock);
        if (!d)
            host_futex_wait(&helper_bell, bell, DEADLINE_NEVER, false);
        wait_deferred_run(d);
    }
    return arg;
}

static int helper_start(void)
{
    static struct mutex starting = MUTEX_INIT(LEAF);
    static bool started; /* guarded by starting */
    int err = 0;

    mutex_lock(&starting);
    if (!started)
        err = host_thread_start("async-io", helper_thread, NULL);
    started = started || !err;
    mutex_unlock(&starting);
    return err;
}

/* --- hearing --- */

static void note(struct file_async *a, u32 events)
{
    atomic_fetch_or(&a->events, events);
    if (atomic_exchange(&a->queued, true))
        return;
    file_async_get(a);
    if (!wait_put_off(&a->todo))
        helper_add(&a->todo);
}

/* hear() - the file's queue is woken. */
static bool hear(struct wait_entry *e, u32 events)
{
    struct file_async *a = container_of(e, struct file_async, entry);
    const struct file *f = a->file; /* the entry goes before the file does */

    events &= e->events;
    if (!(f->flags & LX_O_ASYNC))
        events &= f->ops->async == FILE_ASYNC_SOCKET ? LX_POLLPRI : 0;
    else if (f->ops->async != FILE_ASYNC_PIPE && (events & SAYS_OUT) &&
             !atomic_exchange(&a->full, false))
        events &= ~(u32)SAYS_OUT;
    if (events)
        note(a, events);
    return false;
}

/* has_room() - could it be written to? One that isn't connected says so too. */
static bool has_room(struct file *f)
{
    return (f->ops->poll(f) & (LX_POLLOUT | LX_POLLHUP)) == LX_POLLOUT;
}

void async_io_full(struct file *f)
{
    struct file_async *a = f->async;

    if (!a || !a->queue || f->ops->async == FILE_ASYNC_PIPE)
        return;
    atomic_store(&a->full, true);
    if (has_room(f) && (f->flags & LX_O_ASYNC) && atomic_exchange(&a->full, false))
        note(a, SAYS_OUT); /* it came before anybody could hear of it */
}

static void gone(struct file *f)
{
    struct file_async *a = f->async;

    if (a->queue)
        waitq_del(a->queue, &a->entry);
    mutex_lock(&a->lock);
    a->file = NULL;
    mutex_unlock(&a->lock);
    file_async_put(a);
}

void async_io_init(void)
{
    vfs_set_async_hooks(gone, async_io_full);
}

/* --- what is set --- */

static bool tells(const struct file *f)
{
    return f->ops->async != FILE_ASYNC_NONE && !LX_S_ISREG(inode_mode(f->inode));
}

static struct file_async *async_new(struct file *f)
{
    struct file_async *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    obj_init(&a->obj, &async_type);
    mutex_init(&a->lock, LOCK_LEAF);
    a->file = f;
    a->queue = tells(f) && f->ops->queue && f->ops->poll ? f->ops->queue(f) : NULL;
    a->entry = (struct wait_entry){.events = SAYS_IN | SAYS_OUT | SAYS_GONE | LX_POLLPRI,
                                   .wake = hear};
    a->todo.run = run;
    list_init(&a->entry.node);
    return a;
}

/* async_of() - f's, made if need be. Return: 0, -ENOMEM, -EAGAIN. */
static int async_of(struct file *f, struct file_async **out)
{
    struct file_async *have = f->async, *a;
    int err = 0;

    if (!have)
        err = helper_start();
    if (!have && !err) {
        a = async_new(f);
        if (!a) {
            err = -ENOMEM;
        } else if (atomic_compare_exchange_strong(&f->async, &have, a)) {
            have = a;
            if (a->queue)
                waitq_add(a->queue, &a->entry);
        } else {
            file_async_put(a);
        }
    }
    *out = have;
    return err;
}

/* set_owner_locked() - by the calling task. pid lock held. */
static void set_owner_locked(struct file_async *a, u32 type, struct pid *pid)
{
    pid_get(pid);
    pid_put(a->pid);
    a->pid = pid;
    a->type = type;
    if (pid) {
        a->uid = current->cred->uid;
        a->euid = current->cred->euid;
    }
}

/* own_terminal_locked() - a terminal is owned from the start. */
static void own_terminal_locked(struct file_async *a, struct ctty *tty)
{
    if (a->pid)
        return;
    if (tty && tty->foreground)
        set_owner_locked(a, LX_F_OWNER_PGRP, tty->foreground);
    else
        set_owner_locked(a, LX_F_OWNER_PID, current->tg->pid);
}

int async_io_set(struct file *f, s32 fd, bool on, struct ctty *tty)
{
    struct file_async *a;
    int err;

    if (!tells(f))
        return -ENOTTY;
    if (!on) {
        atomic_fetch_and(&f->flags, ~LX_O_ASYNC);
        return 0;
    }
    err = async_of(f, &a);
    if (err)
        return err;
    pid_lock();
    a->fd = fd;
    if (f->ops->async == FILE_ASYNC_TERMINAL)
        own_terminal_locked(a, tty);
    pid_unlock();
    atomic_fetch_or(&f->flags, LX_O_ASYNC);
    if (a->queue && !has_room(f))
        async_io_full(f); /* such as a socket that is about to be connected */
    return 0;
}

int async_io_set_owner(struct file *f, u32 type, s32 nr)
{
    struct file_async *a;
    struct pid *pid;
    int err = async_of(f, &a);

    if (err)
        return err;
    pid_lock();
    pid = nr ? pid_find_locked(current->pid->ns, nr) : NULL;
    if (nr && !pid)
        err = -ESRCH;
    else
        set_owner_locked(a, type, pid);
    pid_unlock();
    return err;
}

int async_io_set_owner_nr(struct file *f, s32 nr)
{
    if (nr == INT32_MIN)
        return -EINVAL;
    return nr < 0 ? async_io_set_owner(f, LX_F_OWNER_PGRP, -nr)
                  : async_io_set_owner(f, LX_F_OWNER_PID, nr);
}

/* lives_locked() - is the owner still what it was named as? */
static bool lives_locked(const struct file_async *a)
{
    const struct pid *p = a->pid;

    if (!p)
        return false;
    return a->type == LX_F_OWNER_TID ? p->task != NULL
           : a->type == LX_F_OWNER_PID ? p->tg != NULL
                                       : p->pgrp != NULL;
}

void async_io_owner(struct file *f, u32 *type, s32 *nr)
{
    struct file_async *a = f->async;

    *type = LX_F_OWNER_TID;
    *nr = 0;
    if (!a)
        return;
    pid_lock();
    *type = a->type;
    if (lives_locked(a))
        *nr = pid_nr(a->pid, current->pid->ns);
    pid_unlock();
}

s32 async_io_owner_nr(struct file *f)
{
    u32 type;
    s32 nr;

    async_io_owner(f, &type, &nr);
    return type == LX_F_OWNER_PGRP ? -nr : nr;
}

void async_io_owner_uids(struct file *f, u32 *uid, u32 *euid)
{
    struct file_async *a = f->async;

    *uid = *euid = 0;
    if (!a)
        return;
    pid_lock();
    *uid = a->uid;
    *euid = a->euid;
    pid_unlock();
}

int async_io_set_signal(struct file *f, u64 signo)
{
    struct file_async *a;
    int err = signo > LX_NSIG ? -EINVAL : async_of(f, &a);

    if (err)
        return err;
    pid_lock();
    a->signo = (u32)signo;
    pid_unlock();
    return 0;
}

u32 async_io_signal(struct file *f)
{
    struct file_async *a = f->async;
    u32 signo;

    if (!a)
        return 0;
    pid_lock();
    signo = a->signo;
    pid_unlock();
    return signo;
}
