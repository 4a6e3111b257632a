/* The terminal of the host behind a container's console, as the Sentry's controlling terminal. */
#pragma once

/* console_take() - before the Sentry confines itself: make `fd` this process's controlling terminal,
 * so that the host's kernel tells of new sizes by SIGWINCH. Return: a signalfd for that, or -errno. */
int console_take(int fd);
/* console_watch() - from now on init's terminal (control_console()) follows its size. */
int console_watch(int winch);
