/* What the files about tasks share. */
#pragma once

#include "sentry/kernel/container.h"
#include "sentry/kernel/loader.h"
#include "sentry/kernel/task.h"

static inline const struct platform_ops *task_platform(const struct task *t)
{
    return t->tg->container->platform;
}

/* Who waits until a child has left its memory (CLONE_VFORK): parent and child hold a reference. */
struct vfork {
    struct obj obj;
    struct waitq done_wait;
    atomic_bool done;
};
OBJ_REFS(vfork)

/* vfork_done() - the task is no longer in its parent's memory; fine if nobody waits. */
void vfork_done(struct task *t);

/* task_fault() - the task's code has met one. */
void task_fault(struct task *t, const struct plat_fault *fault);

/* task_release_mm() - what a task's memory is told before it leaves it: robust futexes, tid word. */
void task_release_mm(struct task *t);

/* What the first step of a process that nobody forked loads. Starter and task hold a reference. */
struct exec_request {
    struct obj obj;
    struct file *file; /* a reference */
    char *filename;    /* owned */
    struct exec_strings argv, envp;
    struct waitq done_wait;
    atomic_bool done;
    int result; /* valid once done: 0, or why it did not start */
};
OBJ_REFS(exec_request)

struct exec_request *exec_request_new(void);
/* exec_request_finish() - tell the starter; the task's reference is dropped. */
void exec_request_finish(struct task *t, int result);
/* task_boot() - carry out t->boot, in the task's first step. */
void task_boot(struct task *t);

/* --- credentials at exec (exec_cred.c) --- */
struct exec_cred {
    struct task *task;
    struct cred *fresh;     /* owned: what the program runs with */
    bool secure;            /* AT_SECURE: it has more rights than its caller */
    bool gained;            /* ids or capabilities changed upwards: no core dumps, no ptrace */
    bool unreadable;        /* the caller may execute but not read it: the same */
    bool clear_personality; /* LX_PER_CLEAR_ON_SETID */
};
/* exec_cred_set_ids() - loader_args.set_ids(), whose context is a struct exec_cred. */
int exec_cred_set_ids(struct loader_args *args, struct file *program);
/* cred_gained() - has `fresh` other ids or more capabilities than `old`? (commit_creds' rule) */
bool cred_gained(const struct cred *old, const struct cred *fresh);

/* group_stop_count_locked() - t has stopped. Return: its group's stop is complete by that. tg->lock. */
bool group_stop_count_locked(struct task *t);
/* task_must_stop_locked() - is t to stop with its group, or because its tracer told it to? */
bool task_must_stop_locked(const struct task *t);

/* signal_retarget_locked() - shared signals of `set` need another task than `but`. */
void signal_retarget_locked(struct thread_group *tg, const struct task *but, u64 set);

/* pid_ns_kill_locked() - SIGKILL for every group of `c` (NULL: any) in ns but `but`; pid lock. */
void pid_ns_kill_locked(struct pid_ns *ns, const struct container *c,
                        const struct thread_group *but);
