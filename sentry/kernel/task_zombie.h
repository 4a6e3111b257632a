/* From the last task's end to the reaping of its process; within sentry/kernel. */
#pragma once

#include "sentry/kernel/task.h"

/* thread_group_die_locked() - `last` left and no task is there: children find a new parent, the parent is told.
 * Groups that nobody will wait for are reaped (see thread_group_reap_locked()). pid lock held.
 * Return: it has no parent, so its container must reap it. */
bool thread_group_die_locked(struct task *last, struct list_node *reaped);
/* thread_group_tell_exit_locked() - a dead group's parent is told now, once its tracer has let go of
 * it; reaped if nobody will wait. pid lock held. */
void thread_group_tell_exit_locked(struct thread_group *tg, struct list_node *reaped);
/* thread_group_notify_zombie_locked() - a tracer is told that its tracee has left. pid lock held. */
void thread_group_notify_zombie_locked(struct task *t);
/* thread_group_ignores_children() - does it wait for none (sigaction(2), SA_NOCLDWAIT)? */
bool thread_group_ignores_children(struct thread_group *tg);
/* task_children_orphaned_locked() - a task of a living group has left: its children are its
 * siblings' now, and get their parent-death signals. pid lock held. */
void task_children_orphaned_locked(struct task *t);
