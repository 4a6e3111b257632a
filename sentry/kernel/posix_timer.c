/*
 * POSIX timers (timer_create(2)). All state of a process's timers is guarded by its tg->lock. A
 * timer on a clock of the machine stands in the one timer heap; one on CPU time is looked at when
 * cpu_limit.c looks. Each carries the queue entry of its signal, so firing needs no memory:
 *
 *   armed -> fires: the entry is queued -> the signal is taken -> a periodic one is armed again
 *
 * Between the last two the timer stands still, however many periods pass; they are counted from the
 * clock when the signal is taken (si_overrun). So a process that does not look costs nothing, nor
 * does one that ignores the signal: its timer stands still until the signal is heeded again.
 *
 * Times of CLOCK_REALTIME and CLOCK_TAI are converted to monotonic ones when the timer is set.
 */
#include "sentry/kernel/posix_timer.h"

#include "sentry/abi/lx_time.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/clock.h"
#include "sentry/kernel/cpu_limit.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>

enum timer_kind { ON_MACHINE, ON_PROCESS, ON_THREAD };

struct posix_timer {
    struct timer timer; /* ON_MACHINE */
    struct thread_group *tg; /* borrowed: it deletes its timers before it goes */
    struct list_node node;   /* tg->posix_timers; and below: guarded by tg->lock */
    s32 id, clock, notify, signo;
    enum timer_kind kind;
    u32 which;            /* LX_CPUCLOCK_* */
    struct task *counted; /* ON_THREAD: whose time, a reference */
    struct task *target;  /* SIGEV_THREAD_ID: who gets the signal, a reference */
    u64 next;             /* the next expiry, or the one being signalled; 0: off */
    u64 interval;         /* 0: once */
    bool still;           /* periodic: fired, and waits for its signal to be taken or heeded */
    s32 overrun;          /* of the last signal taken */
    struct sigqueue queue;
};

/* --- time --- */

static u64 cpu_time(u32 which, u64 utime, u64 stime)
{
    return which == LX_CPUCLOCK_VIRT ? utime : utime + stime;
}

/* now_locked() - the time that the timer counts. */
static u64 now_locked(const struct posix_timer *pt)
{
    u64 utime, stime;

    switch (pt->kind) {
    case ON_PROCESS: thread_group_times_locked(pt->tg, &utime, &stime); break;
    case ON_THREAD: task_times(pt->counted, &utime, &stime); break;
    default: return host_monotonic();
    }
    return cpu_time(pt->which, utime, stime);
}

/* missed() - whole periods that have passed since the expiry pt->next. */
static u64 missed(const struct posix_timer *pt, u64 now)
{
    return now > pt->next ? (now - pt->next) / pt->interval : 0;
}

/* advance_locked() - the first expiry after now, for a periodic timer that has fired. */
static void advance_locked(struct posix_timer *pt, u64 now)
{
    u64 step;

    if (__builtin_mul_overflow(missed(pt, now) + 1, pt->interval, &step) ||
        __builtin_add_overflow(pt->next, step, &pt->next))
        pt->next = DEADLINE_NEVER;
    pt->still = false;
}

/* arm_locked() - fire at pt->next. Return: 0, -ENOMEM. */
static int arm_locked(struct posix_timer *pt)
{
    if (pt->notify == LX_SIGEV_NONE)
        return 0;
    if (pt->kind == ON_MACHINE)
        return timer_arm(&pt->timer, pt->next);
    cpu_limit_arm_locked(pt->tg);
    return 0;
}

/* --- firing --- */

/* expire_locked() - its time has come: queue the signal. */
static void expire_locked(struct posix_timer *pt)
{
    struct task *to = pt->target;

    if (pt->interval)
        pt->still = true;
    else
        pt->next = 0;
    if (!to || atomic_load(&to->state) < TASK_ZOMBIE)
        signal_send_queued_locked(pt->tg, to, &pt->queue);
}

static bool is_due(const struct posix_timer *pt, u64 now)
{
    return pt->next && !pt->still && pt->next <= now && pt->notify != LX_SIGEV_NONE;
}

static void fire(struct timer *timer)
{
    struct posix_timer *pt = container_of(timer, struct posix_timer, timer);

    mutex_lock(&pt->tg->lock);
    if (is_due(pt, host_monotonic()))
        expire_locked(pt);
    mutex_unlock(&pt->tg->lock);
}

void posix_timer_taken_locked(struct posix_timer *pt, struct lx_siginfo *info)
{
    u64 now;

    pt->overrun = 0;
    if (pt->still) {
        now = now_locked(pt);
        pt->overrun = (s32)min_of(missed(pt, now), (u64)INT32_MAX);
        advance_locked(pt, now);
        arm_locked(pt); /* it was armed before, so the heap has room */
    }
    info->timer.overrun = pt->overrun;
}

void posix_timer_dropped_locked(struct posix_timer *pt)
{
    if (!pt->still)
        return;
    advance_locked(pt, now_locked(pt));
    arm_locked(pt);
}

void posix_timer_heeded_locked(struct thread_group *tg, int signo)
{
    struct posix_timer *pt;

    list_for_each(pt, &tg->posix_timers, node)
        if (pt->signo == signo && !list_linked(&pt->queue.node))
            posix_timer_dropped_locked(pt);
}

u64 posix_timer_cpu_wait_locked(struct thread_group *tg, u64 utime, u64 stime)
{
    u64 tasks = max_of((u32)tg->ntasks, 1u), wait = UINT64_MAX, now;
    struct posix_timer *pt;

    list_for_each(pt, &tg->posix_timers, node) {
        if (pt->kind == ON_MACHINE || !pt->next || pt->still || pt->notify == LX_SIGEV_NONE)
            continue;
        now = pt->kind == ON_PROCESS ? cpu_time(pt->which, utime, stime) : now_locked(pt);
        now = pt->next > now ? pt->next - now : 0;
        wait = min_of(wait, pt->kind == ON_PROCESS ? now / tasks : now);
    }
    return wait;
}

void posix_timer_cpu_fire_locked(struct thread_group *tg)
{
    struct posix_timer *pt;

    list_for_each(pt, &tg->posix_timers, node)
        if (pt->kind != ON_MACHINE && pt->next && !pt->still && is_due(pt, now_locked(pt)))
            expire_locked(pt);
}

/* --- creating --- */

/* set_clock() - what the timer counts. Return: 0, -EINVAL, -EOPNOTSUPP (can't be waited for here).
 */
static int set_clock(struct task *t, s32 clock, struct posix_timer *pt)
{
    struct task *other = NULL;
    s32 nr = ~(clock >> 3);
    bool own;

    pt->which = LX_CPUCLOCK_SCHED;
    if (clock == LX_CLOCK_PROCESS_CPUTIME_ID || clock == LX_CLOCK_THREAD_CPUTIME_ID) {
        pt->kind = clock == LX_CLOCK_THREAD_CPUTIME_ID ? ON_THREAD : ON_PROCESS;
        pt->counted = pt->kind == ON_THREAD ? task_get(t) : NULL;
        return 0;
    }
    if (clock >= 0)
        return 0;
    pt->which = (u32)clock & LX_CPUCLOCK_WHICH_MASK;
    if (pt->which == LX_CLOCKFD)
        return -EINVAL;
    other = nr ? pid_find_task(t->pid->ns, nr) : task_get(t);
    if (!other)
        return -EINVAL;
    own = other->tg == t->tg;
    if (clock & LX_CPUCLOCK_PERTHREAD) {
        pt->kind = ON_THREAD;
        pt->counted = other;
        return own ? 0 : -EINVAL;
    }
    pt->kind = ON_PROCESS;
    if (own && nr && other != t->tg->leader)
        own = false;
    task_put(other);
    return own ? 0 : -EINVAL;
}

/* has_timers() - timer_create(2)'s first check. Return: 0, -EINVAL, -EOPNOTSUPP. */
static int has_timers(s32 clock)
{
    if (clock < 0)
        return (clock & 7) == LX_CLOCKFD ? -EOPNOTSUPP : 0;
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_MONOTONIC:
    case LX_CLOCK_PROCESS_CPUTIME_ID:
    case LX_CLOCK_THREAD_CPUTIME_ID:
    case LX_CLOCK_BOOTTIME:
    case LX_CLOCK_TAI: return 0;
    case LX_CLOCK_MONOTONIC_RAW:
    case LX_CLOCK_REALTIME_COARSE:
    case LX_CLOCK_MONOTONIC_COARSE:
    case LX_CLOCK_REALTIME_ALARM: /* as on a machine that nothing can wake up */
    case LX_CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
    default: return -EINVAL;
    }
}

/* set_event() - how the timer tells. Return: 0, -EINVAL. */
static int set_event(struct task *t, const struct lx_sigevent *e, struct posix_timer *pt)
{
    struct lx_siginfo *info = &pt->queue.info;

    pt->notify = e->notify;
    pt->signo = e->signo;
    if (e->notify == LX_SIGEV_THREAD_ID) {
        pt->target = pid_find_task(t->pid->ns, e->tid);
        if (!pt->target || pt->target->tg != t->tg)
            return -EINVAL;
    }
    if (e->notify != LX_SIGEV_NONE && (e->signo < 1 || e->signo > LX_NSIG))
        return -EINVAL;
    if (e->notify < LX_SIGEV_SIGNAL || e->notify > LX_SIGEV_THREAD_ID || e->notify == 3)
        return -EINVAL;
    *info = (struct lx_siginfo){.signo = e->signo, .code = LX_SI_TIMER};
    info->timer.value = e->value;
    return 0;
}

static struct posix_timer *find_locked(struct thread_group *tg, s32 id)
{
    struct posix_timer *pt;

    list_for_each(pt, &tg->posix_timers, node)
        if (pt->id == id)
            return pt;
    return NULL;
}

/* link_locked() - give it a number that none of the others has. */
static void link_locked(struct thread_group *tg, struct posix_timer *pt)
{
    do {
        pt->id = tg->next_timer_id;
        tg->next_timer_id = (pt->id + 1) & INT32_MAX;
    } while (find_locked(tg, pt->id));
    pt->queue.info.timer.timerid = pt->id;
    list_add_tail(&tg->posix_timers, &pt->node);
}

/* timer_free() - one that is not linked, neither armed nor queued. */
static void timer_free(struct posix_timer *pt)
{
    task_put(pt->counted);
    task_put(pt->target);
    task_count_signal_release(pt->queue.uid);
    free(pt);
}

int posix_timer_create(struct task *t, s32 clock, const struct lx_sigevent *event)
{
    static const struct lx_sigevent alarm = {.signo = LX_SIGALRM, .notify = LX_SIGEV_SIGNAL};
    u64 limit = min_of(task_rlimit(t, LX_RLIMIT_SIGPENDING), (u64)LIMIT_TIMERS);
    struct posix_timer *pt;
    int rc = has_timers(clock), id;

    if (rc < 0)
        return rc;
    pt = calloc(1, sizeof(*pt));
    if (!pt || !task_count_signal(t->cred->uid, limit)) {
        free(pt);
        return -EAGAIN;
    }
    timer_init(&pt->timer, fire);
    list_init(&pt->queue.node);
    pt->queue.uid = t->cred->uid;
    pt->queue.timer = pt;
    pt->tg = t->tg;
    pt->clock = clock;
    rc = set_event(t, event ? event : &alarm, pt);
    if (rc == 0)
        rc = set_clock(t, clock, pt);
    if (rc < 0) {
        timer_free(pt);
        return rc;
    }
    mutex_lock(&t->tg->lock);
    link_locked(t->tg, pt);
    id = pt->id;
    if (!event)
        pt->queue.info.timer.value = (u64)id;
    mutex_unlock(&t->tg->lock);
    return id;
}

/* --- the other calls --- */

/* left_locked() - until the next expiry: never 0 for one that is on and will signal. */
static u64 left_locked(const struct posix_timer *pt, u64 now)
{
    bool quiet = pt->notify == LX_SIGEV_NONE;

    if (!pt->next)
        return 0;
    if (pt->next > now)
        return pt->next - now;
    if (pt->interval && (pt->still || quiet))
        return pt->interval - (now - pt->next) % pt->interval;
    return quiet ? 0 : 1;
}

/* stop_locked() - off, and its signal is not pending any more. */
static void stop_locked(struct posix_timer *pt)
{
    struct sigpending *p = pt->target ? &pt->target->pending : &pt->tg->pending;

    pt->next = 0;
    pt->still = false;
    if (list_linked(&pt->queue.node))
        sigpending_remove(p, &pt->queue);
    timer_cancel(&pt->timer, false);
}

/* set_locked() - off, or on from `now`. Return: 0, -ENOMEM. */
static int set_locked(struct posix_timer *pt, const struct posix_timer_spec *set, bool absolute,
                      u64 now)
{
    stop_locked(pt);
    pt->overrun = 0;
    pt->interval = set->value ? set->interval : 0;
    if (!set->value)
        return 0;
    if (!absolute && __builtin_add_overflow(now, set->value, &pt->next))
        pt->next = DEADLINE_NEVER;
    if (absolute)
        pt->next = pt->kind == ON_MACHINE ? clock_deadline(pt->clock, set->value) : set->value;
    pt->next = max_of(pt->next, (u64)1);
    if (pt->kind != ON_MACHINE && is_due(pt, now)) {
        expire_locked(pt);
        return 0;
    }
    return arm_locked(pt);
}

int posix_timer_swap(struct task *t, s32 id, const struct posix_timer_spec *set, bool absolute,
                     struct posix_timer_spec *old)
{
    struct posix_timer *pt;
    int rc = 0;
    u64 now;

    mutex_lock(&t->tg->lock);
    pt = find_locked(t->tg, id);
    if (!pt) {
        rc = -EINVAL;
    } else if (set && pt->counted && atomic_load(&pt->counted->state) >= TASK_ZOMBIE) {
        rc = -ESRCH;
    } else {
        now = now_locked(pt);
        *old = (struct posix_timer_spec){left_locked(pt, now), pt->interval};
        if (set)
            rc = set_locked(pt, set, absolute, now);
    }
    mutex_unlock(&t->tg->lock);
    return rc;
}

int posix_timer_overrun(struct task *t, s32 id)
{
    struct posix_timer *pt;
    int rc;

    mutex_lock(&t->tg->lock);
    pt = find_locked(t->tg, id);
    rc = pt ? pt->overrun : -EINVAL;
    mutex_unlock(&t->tg->lock);
    return rc;
}

/* unlink_locked() - nobody finds or fires it any more; destroy() follows. */
static void unlink_locked(struct posix_timer *pt)
{
    stop_locked(pt);
    list_del(&pt->node);
}

/* destroy() - an unlinked one; waits for a fire() that is under way, so no lock is held. */
static void destroy(struct posix_timer *pt)
{
    timer_cancel(&pt->timer, true);
    timer_free(pt);
}

int posix_timer_delete(struct task *t, s32 id)
{
    struct posix_timer *pt;

    mutex_lock(&t->tg->lock);
    pt = find_locked(t->tg, id);
    if (pt)
        unlink_locked(pt);
    mutex_unlock(&t->tg->lock);
    if (!pt)
        return -EINVAL;
    destroy(pt);
    return 0;
}

void posix_timer_delete_all(struct thread_group *tg)
{
    struct posix_timer *pt;

    do {
        mutex_lock(&tg->lock);
        pt = list_first(&tg->posix_timers, struct posix_timer, node);
        if (pt)
            unlink_locked(pt);
        mutex_unlock(&tg->lock);
        if (pt)
            destroy(pt);
    } while (pt);
}
