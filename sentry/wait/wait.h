/*
 * Sleeping and waking. A sleeper is what one task sleeps with; a waitq is what it sleeps on and
 * what poll and epoll register with. Only this file makes a handler sleep.
 *
 * A wake-up can't be lost: wait_event() arms the sleeper before it tests the condition, and
 * waitq_wake() marks it woken before it rings. An interrupt (signal, kill) is sticky until the
 * kernel clears it, so one that comes between test and sleep ends the sleep at once.
 */
#pragma once

#include "sentry/base/host_thread.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"

/* Restart codes live between a handler and the return to the guest (Linux's own values). */
#define ERESTARTSYS 512           /* restart if the handler has SA_RESTART or there is none */
#define ERESTARTNOINTR 513        /* restart always */
#define ERESTARTNOHAND 514        /* restart only if no handler runs */
#define ERESTART_RESTARTBLOCK 516 /* restart through restart_syscall */

struct wait_deferred;

struct sleeper {
    atomic_uint state;     /* SLEEPER_* */
    atomic_bool interrupt; /* an interruptible sleep must end: set by the kernel, cleared by it */
    atomic_bool killed;    /* any sleep must end */
    bool settles;          /* its thread calls wait_settle() before it is done: a task's */
    struct wait_deferred *put_off; /* latest first; only its own thread's */
};

/* sleeper_current() - the sleeper of the task that runs on this thread; set by the kernel. */
extern _Thread_local struct sleeper *sleeper_current;

void sleeper_init(struct sleeper *s);
/* sleeper_arm() - from now on a wake-up ends the next sleep. */
void sleeper_arm(struct sleeper *s);
/* sleeper_sleep() - until woken, `deadline` (monotonic ns) or an interrupt.
 * Return: 0, -ETIMEDOUT, -ERESTARTSYS. Holds no lock (asserted). */
int sleeper_sleep(struct sleeper *s, u64 deadline);
/* sleeper_sleep_killable() - the same, ended by a fatal signal only. */
int sleeper_sleep_killable(struct sleeper *s, u64 deadline);
void sleeper_wake(struct sleeper *s);
/* sleeper_sleeps() - is its task asleep, or about to be? For who watches; it may change at once. */
bool sleeper_sleeps(const struct sleeper *s);
/* sleeper_interrupt() - end an interruptible (and with `kill` any) sleep, now or when it comes. */
void sleeper_interrupt(struct sleeper *s, bool kill);

/* Events are poll's bits: LX_POLLIN and so on. */
struct wait_entry {
    struct list_node node;
    u32 events;     /* which wake-ups it wants; 0: all */
    bool exclusive; /* a wake-up ends at the first exclusive entry that takes it */
    /* wake() - called under the queue's lock with the events; must not sleep or take a lock above
     * WAITQ in rank. Return: true if it used the wake-up. */
    bool (*wake)(struct wait_entry *e, u32 events);
    struct sleeper *sleeper; /* of wait_entry_init() */
};

struct waitq {
    struct mutex lock;
    struct list_node entries;
};

/* A further thing to do for a wake-up that a wake() can't do under the queue's lock, such as waking
 * another queue. Embedded in an object that stays until run() has been called. */
struct wait_deferred {
    struct wait_deferred *next;
    /* run() - called once after the queue is unlocked, under whatever other locks the waker holds. */
    void (*run)(struct wait_deferred *d);
};

/* waitq_defer() - from a wake(): have d->run() called. Not while d is deferred already. */
void waitq_defer(struct wait_deferred *d);

/* wait_put_off() - have d->run() called once this thread holds no lock: before it sleeps, or at its
 * wait_settle(). Return: false: it does not settle, so somebody else must run it. */
bool wait_put_off(struct wait_deferred *d);
/* wait_settle() - run what this thread has put off. Holds no lock. */
void wait_settle(void);
/* wait_deferred_run() - each of a list that has the latest first, in the order in which they came. */
void wait_deferred_run(struct wait_deferred *latest);

void waitq_init(struct waitq *q);
void waitq_destroy(struct waitq *q);
/* waitq_add() - the entry is woken from now on; whoever added it removes it. */
void waitq_add(struct waitq *q, struct wait_entry *e);
/* waitq_del() - after it returns wake() is not running and will not run. */
void waitq_del(struct waitq *q, struct wait_entry *e);
/* waitq_wake() - every entry that wants one of `events`, exclusive ones: the first. */
void waitq_wake(struct waitq *q, u32 events);
/* waitq_wake_all() - the same, exclusive ones too. */
void waitq_wake_all(struct waitq *q, u32 events);
bool waitq_active(struct waitq *q);

/* wait_entry_init() - an entry that wakes the current task's sleeper. */
void wait_entry_init(struct wait_entry *e, u32 events);

/*
 * wait_event() - sleep on `q` until `cond` (any expression) is true.
 * Yields 0, -ETIMEDOUT or -ERESTARTSYS; 0 whenever cond is true at the end.
 */
#define wait_event_by(sleep_fn, q, ev, deadline, cond)                                             \
    ({                                                                                             \
        struct wait_entry we_;                                                                     \
        int wr_ = 0;                                                                               \
        if (!(cond)) {                                                                             \
            wait_entry_init(&we_, (ev));                                                           \
            waitq_add((q), &we_);                                                                  \
            for (;;) {                                                                             \
                sleeper_arm(sleeper_current);                                                      \
                if (cond) {                                                                        \
                    wr_ = 0;                                                                       \
                    break;                                                                         \
                }                                                                                  \
                if (wr_ < 0)                                                                       \
                    break;                                                                         \
                wr_ = sleep_fn(sleeper_current, (deadline));                                       \
            }                                                                                      \
            waitq_del((q), &we_);                                                                  \
        }                                                                                          \
        wr_;                                                                                       \
    })
#define wait_event(q, ev, deadline, cond) wait_event_by(sleeper_sleep, q, ev, deadline, cond)
#define wait_event_killable(q, ev, deadline, cond)                                                 \
    wait_event_by(sleeper_sleep_killable, q, ev, deadline, cond)
