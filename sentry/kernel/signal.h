/*
 * Signals (signal(7)): sets, queues, actions, sending and delivery. All of a thread group's signal
 * state (its own and its tasks' pending sets, blocked masks, stop state) is guarded by tg->lock;
 * actions by sighand->lock, which may be shared between groups (CLONE_SIGHAND).
 */
#pragma once

#include "sentry/abi/lx_signal.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

struct cred;
struct pid;
struct posix_timer;
struct process_group;
struct task;
struct thread_group;

static inline u64 sigbit(int signo)
{
    return 1ull << (signo - 1);
}

struct sigqueue {
    struct list_node node;
    u32 uid; /* whose RLIMIT_SIGPENDING it counts against */
    struct posix_timer *timer; /* whose signal it is, embedded in it; NULL: allocated */
    struct lx_siginfo info;
};

struct sigpending {
    u64 set;
    struct list_node queue; /* struct sigqueue */
    u32 queued;
};

struct sigaltstack_state {
    uaddr_t sp;
    u64 size;
    u32 flags;
};

struct sighand {
    struct obj obj;
    struct mutex lock;
    struct lx_sigaction action[LX_NSIG]; /* [signo - 1] */
};
OBJ_REFS(sighand)

struct sighand *sighand_new(const struct sighand *copy_of);
/* sighand_exec() - handlers to default at exec; ignored ones stay. */
void sighand_exec(struct sighand *sh);

/* sigqueue_free() - an unlinked one, whose signal nobody takes. */
void sigqueue_free(struct sigqueue *q);
/* sigpending_init(), sigpending_clear() - make it empty; clear frees what is queued. */
void sigpending_init(struct sigpending *p);
void sigpending_clear(struct sigpending *p);
/* sigpending_remove() - unlink one entry; its owner keeps it. */
void sigpending_remove(struct sigpending *p, struct sigqueue *q);

/* signal_send_task(), signal_send_group() - queue `info` (signo in it) for one task or for
 * whichever task of the group takes it. No permission check. Return: 0, -EAGAIN (queue full of
 * real-time signals), -ESRCH (gone). */
int signal_send_task(struct task *t, const struct lx_siginfo *info);
int signal_send_task_locked(struct task *t, const struct lx_siginfo *info);
int signal_send_group(struct thread_group *tg, const struct lx_siginfo *info);
int signal_send_group_locked(struct thread_group *tg, const struct lx_siginfo *info);
/* signal_send_queued_locked() - `q`, on no list, to t or to the group if NULL: it is linked unless
 * nobody will ever take it (ignored, exiting). tg->lock held. */
void signal_send_queued_locked(struct thread_group *tg, struct task *t, struct sigqueue *q);
/* signal_drop_locked() - signals of `set` are pending for nobody in the group. tg->lock held. */
void signal_drop_locked(struct thread_group *tg, u64 set);
/* signal_send_pgrp() - to every member (pid lock held). */
int signal_send_pgrp_locked(struct process_group *pg, const struct lx_siginfo *info);
/* signal_force() - a fault of the calling task: cannot be blocked or ignored. */
void signal_force(struct task *t, const struct lx_siginfo *info);
/* signal_raise() - to the calling task's group, from the kernel: SIGPIPE (thread), SIGXFSZ … */
void signal_raise(struct task *t, int signo);
/* signal_may_send() - kill(2)'s permission rule. */
bool signal_may_send(const struct cred *from, struct task *to, int signo, bool same_session);

/* siginfo_kill() - si_code SI_USER or SI_TKILL with the calling task as source. */
struct lx_siginfo siginfo_user(struct task *from, struct task *to, int signo, int code);
struct lx_siginfo siginfo_kernel(int signo);

/* signal_set_blocked() - the calling task's mask (SIGKILL and SIGSTOP never are). */
void signal_set_blocked(struct task *t, u64 mask);
/* signal_pending() - would an interruptible sleep of the calling task end? */
bool signal_pending(struct task *t);
/* signal_recompute_locked() - set or clear the task's work bit and sleeper interrupt. */
void signal_recompute_locked(struct task *t);

/* signal_deliver() - at return to the guest: take what is pending, act, build frames, stop, exit;
 * handles the restart of the interrupted system call. */
void signal_deliver(struct task *t);
/* signal_dequeue_locked() - the next signal of `set`, for delivery, sigtimedwait, signalfd. */
int signal_dequeue_locked(struct task *t, u64 set, struct lx_siginfo *out);

/* sigframe_push() - architecture: put a handler's frame on the guest's stack.
 * Return: 0, -EFAULT (the stack can't take it). sigframe_pop() - rt_sigreturn. */
int sigframe_push(struct task *t, const struct lx_sigaction *sa, const struct lx_siginfo *info,
                  u64 mask);
int sigframe_pop(struct task *t);
