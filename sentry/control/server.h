/*
 * The control server: serves the requests of control_proto.h that come from runsc.
 */
#pragma once

#include "sentry/base/types.h"

struct container;
struct file;
struct tty;

struct control_config {
    int listener; /* taken: listening SEQPACKET socket */
    struct container *container; /* borrowed for ever */
    struct file *stdio[3]; /* init's; references taken, dropped at start */
    struct tty *tty;       /* init's terminal, a reference, or NULL; see control_console() */
    struct file *console;  /* … held open, so that programs can close it and open it again */
};

/* control_server_start() - from now on requests are served, on threads of their own. */
int control_server_start(const struct control_config *config);
/* control_server_drain() - until every request that came, each pending `wait` too, has been answered.
 * What comes later is not: the connection ends, as it will when the sandbox has gone. */
void control_server_drain(void);
/* control_console() - init's terminal as a new reference, or NULL. control_console_drop(): there is
 * none any more, and it closes. */
struct tty *control_console(void);
void control_console_drop(void);
/* control_status() - a wait status as a shell tells it: 0-255, 128 + n for a signal. */
u32 control_status(u32 wait_status);
