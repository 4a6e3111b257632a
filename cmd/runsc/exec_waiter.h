/* The host process that stands for a detached exec. See exec_waiter.c. */
#pragma once

#include "cmd/runsc/container.h"

/*
 * exec_waiter_start() - forks it.
 * @terminal: the host's terminal of the process, or -1; its new sizes are passed on.
 * @sock: the connection to which the process is bound; the waiter has it from now on.
 * Return: its pid, or an error, error set.
 */
pid_t exec_waiter_start(const struct container *c, int sock, s64 pid, int terminal);
