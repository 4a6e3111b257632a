/*
 * Host calls about processes, namespaces and signals that only the command line makes. All return
 * a value or a negative errno.
 */
#pragma once

#include "sentry/base/types.h"

#include <signal.h>

/* host_process_clone() - a fork with CLONE_* flags. Return: the child's pid, 0 in the child. */
pid_t host_process_clone(unsigned long flags);

int host_process_unshare(int flags);
int host_process_setns(int fd, int type);

/* host_process_wait() - waits for a child. @status: as of waitpid(2). Return: the pid. */
pid_t host_process_wait(pid_t pid, int *status, bool block);

/* host_process_pidfd() - Return: a descriptor that is readable once the process has ended. */
int host_process_pidfd(pid_t pid);
int host_process_signal(int pidfd, int signal);
int host_process_kill(pid_t pid, int signal);

/* host_process_gone() - waits until a pidfd's process has ended. Return: 0, -ETIMEDOUT. */
int host_process_gone(int pidfd, int timeout_ms);

/* host_process_become_root() - root of the user namespace that this process is in, no other groups. */
int host_process_become_root(void);

/* host_process_exec_fd() - executes an open file. Return: only on failure. */
int host_process_exec_fd(int fd, char *const *argv, char *const *envp);
int host_process_exec(const char *path, char *const *argv, char *const *envp);

/* host_process_close_from() - closes all descriptors from @first on. */
int host_process_close_from(unsigned int first);

int host_process_session(void);
int host_process_chdir(const char *path);
int host_process_death_signal(int signal);

/* host_process_reset_signals() - every handler to default but SIGPIPE, ignored; none blocked. */
void host_process_reset_signals(void);

/* host_process_time_start() - this process's later children have clocks that start at 0 now. */
int host_process_time_start(void);
