/* A host process's children, and what pids are called in other pid namespaces. */
#pragma once

#include "sentry/base/types.h"

/* process_children() - all children of all its threads. Return: 0 and new memory, or an error. */
int process_children(pid_t pid, pid_t **children, size_t *count);

/*
 * process_inner_pid() - a process's pid in the innermost pid namespace that it is in.
 * Return: the pid, -ESRCH.
 */
pid_t process_inner_pid(pid_t pid);
