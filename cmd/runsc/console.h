/*
 * The terminal of a container's process, as the host has it: a pty whose master goes to runsc's
 * caller over the console socket, or runsc's own terminal.
 */
#pragma once

#include "sentry/base/types.h"

#include <termios.h>

/* What the process object says. */
struct console_wish {
    bool terminal;
    u32 rows, cols; /* consoleSize; 0: not given */
};

struct console {
    int fd;       /* for the Sentry: raw, O_NONBLOCK; -1: the process has no terminal */
    bool is_own;  /* it is runsc's own, to be put right at the end */
    struct termios before;
};

/* CONSOLE_NONE - an initializer. */
#define CONSOLE_NONE ((struct console){.fd = -1})

/*
 * console_check() - do wish, socket ("": none) and way of running go together?
 * Return: 0 or an error, error set.
 */
int console_check(const struct console_wish *wish, const char *socket, bool detached);

/* console_open() - as wished. Return: 0 or an error, error set. */
int console_open(struct console *console, const struct console_wish *wish, const char *socket);

/* console_name() - under which name the Sentry gets it (control_proto.h). */
const char *console_name(const struct console *console);

/* console_lead() - this process, a session's leader, gets the signals of a pty of ours. */
void console_lead(int fd);

/* console_close() - runsc's own terminal is as it was; the descriptor is closed. */
void console_close(struct console *console);
#define auto_console __attribute__((cleanup(console_close)))
