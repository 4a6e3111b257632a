/* From the last task's end to the reaping of its process; within sentry/kernel. */
#pragma once

#include "sentry/kernel/task.h"

/* thread_group_die_locked() - `last` left and no task is there: children find a new parent, the parent is told.
 * Groups that nobody will wait for are reaped (see thread_group_reap_locked()). pid lock held.
 * Return: it has no parent, so its container must reap it. */
bool thread_group_die_locked(struct task *last, struct list_node *reaped);
/* task_children_orphaned_locked() - a task of a living group has left: its children are its
 * siblings' now, and get their parent-death signals. pid lock held. */
void task_children_orphaned_locked(struct task *t);
