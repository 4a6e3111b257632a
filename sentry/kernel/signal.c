/*
 * Signal sets, queues and actions: what signal_send.c puts in and signal_deliver.c takes out.
 *
 * A signal is pending for a task (task->pending) or for its group (tg->pending); both are a bit set
 * and a queue of siginfo. A standard signal is queued once, a real-time one as often as sent, up to
 * RLIMIT_SIGPENDING and LIMIT_SIGQUEUE for all of one user's processes (signal(7)).
 */
#include "sentry/kernel/signal.h"

#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void sighand_free(struct obj *o)
{
    struct sighand *sh = container_of(o, struct sighand, obj);

    mutex_destroy(&sh->lock);
    free(sh);
}

static struct obj_type sighand_type = {.name = "sighand", .free = sighand_free};

struct sighand *sighand_new(const struct sighand *copy_of)
{
    struct sighand *sh = calloc(1, sizeof(*sh));

    if (!sh)
        return NULL;
    obj_init(&sh->obj, &sighand_type);
    mutex_init(&sh->lock, LOCK_SIGHAND);
    if (copy_of)
        memcpy(sh->action, copy_of->action, sizeof(sh->action));
    return sh;
}

void sighand_exec(struct sighand *sh)
{
    mutex_lock(&sh->lock);
    for (int i = 0; i < LX_NSIG; i++) {
        u64 handler = sh->action[i].handler == LX_SIG_IGN ? LX_SIG_IGN : LX_SIG_DFL;

        sh->action[i] = (struct lx_sigaction){.handler = handler};
    }
    mutex_unlock(&sh->lock);
}

void sigqueue_free(struct sigqueue *q)
{
    if (q->timer) {
        posix_timer_dropped_locked(q->timer);
        return;
    }
    task_count_signal_release(q->uid);
    free(q);
}

void sigpending_init(struct sigpending *p)
{
    *p = (struct sigpending){0};
    list_init(&p->queue);
}

void sigpending_clear(struct sigpending *p)
{
    struct sigqueue *q, *tmp;

    list_for_each_safe(q, tmp, &p->queue, node) {
        list_del(&q->node);
        sigqueue_free(q);
    }
    p->set = 0;
    p->queued = 0;
}

void sigpending_remove(struct sigpending *p, struct sigqueue *q)
{
    struct sigqueue *other;

    list_del(&q->node);
    p->queued--;
    list_for_each(other, &p->queue, node)
        if (other->info.signo == q->info.signo)
            return;
    p->set &= ~sigbit(q->info.signo);
}

/* take_info() - unlink the first siginfo of signo; a signal without one gets SI_USER's zeros. */
static void take_info(struct sigpending *p, int signo, struct lx_siginfo *out)
{
    struct sigqueue *q, *tmp, *found = NULL;
    bool more = false;

    list_for_each_safe(q, tmp, &p->queue, node) {
        if (q->info.signo != signo)
            continue;
        if (found) {
            more = true;
            break;
        }
        found = q;
    }
    if (!more)
        p->set &= ~sigbit(signo);
    if (found) {
        list_del(&found->node);
        p->queued--;
        *out = found->info;
        if (found->timer)
            posix_timer_taken_locked(found->timer, out);
        else
            sigqueue_free(found);
    } else {
        *out = (struct lx_siginfo){.signo = signo, .code = LX_SI_USER};
    }
}

/* Faults come before other signals, as in Linux; then the lowest number. */
static int next_signal(u64 set)
{
    static const u64 synchronous = 1ull << (LX_SIGSEGV - 1) | 1ull << (LX_SIGBUS - 1) |
                                   1ull << (LX_SIGILL - 1) | 1ull << (LX_SIGTRAP - 1) |
                                   1ull << (LX_SIGFPE - 1) | 1ull << (LX_SIGSYS - 1);

    if (set & synchronous)
        set &= synchronous;
    return set ? __builtin_ctzll(set) + 1 : 0;
}

int signal_dequeue_locked(struct task *t, u64 set, struct lx_siginfo *out)
{
    int signo = next_signal(t->pending.set & set);

    if (signo) {
        take_info(&t->pending, signo, out);
        return signo;
    }
    signo = next_signal(t->tg->pending.set & set);
    if (signo)
        take_info(&t->tg->pending, signo, out);
    return signo;
}

void signal_recompute_locked(struct task *t)
{
    struct thread_group *tg = t->tg;
    bool pending = ((t->pending.set | tg->pending.set) & ~t->blocked) || tg->exiting ||
                   task_must_stop_locked(t) || tg->notify ||
                   (tg->exec_task && tg->exec_task != t);

    if (pending) {
        atomic_fetch_or(&t->work, TASK_WORK_SIGNAL);
        atomic_store(&t->sleeper.interrupt, true);
    } else {
        atomic_fetch_and(&t->work, ~(u32)TASK_WORK_SIGNAL);
        atomic_store(&t->sleeper.interrupt, false);
    }
}

bool signal_pending(struct task *t)
{
    return atomic_load(&t->sleeper.interrupt);
}

void signal_set_blocked(struct task *t, u64 mask)
{
    mask &= ~(sigbit(LX_SIGKILL) | sigbit(LX_SIGSTOP));
    mutex_lock(&t->tg->lock);
    signal_retarget_locked(t->tg, t, mask & ~t->blocked);
    t->blocked = mask;
    signal_recompute_locked(t);
    mutex_unlock(&t->tg->lock);
}
