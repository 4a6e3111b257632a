/* Signals that this process gets are passed on to a process in a sandbox while it is waited for. */
#pragma once

#include "cmd/runsc/container.h"

/*
 * signal_relay_open() - from now on signals that can be caught, but those about this process's own
 * children and terminal, are held for relaying.
 * Return: a descriptor for signal_relay_wait(), or a negative errno.
 */
int signal_relay_open(void);

/*
 * signal_relay_wait() - asks for the end of a process and relays signals to it until then.
 * @sock: a connection to the Sentry, used for nothing else. @pid: 0 for init.
 * @terminal: the process's terminal is this process's too: a new size of it is passed on; that it
 * has hung up the Sentry sees itself.
 * Return: its status, 0-255, or an error, error set; -ENOTCONN if the sandbox is gone.
 */
int signal_relay_wait(const struct container *c, int sock, int relay, s64 pid, bool terminal);
