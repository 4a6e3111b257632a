/* Where --debug-log's lines go: names made from its pattern, opened for runsc, Sentry and gofer. */
#pragma once

#include "cmd/runsc/verb.h"

/*
 * debug_log_open() - opens the log of one program.
 * @command: the program's or verb's name, for %COMMAND%. @id: the container, or NULL.
 * Return: the descriptor, append-only; -ENOENT if there is to be none; or an error, error set.
 */
int debug_log_open(const struct cli *cli, const char *command, const char *id);

/* debug_log_start() - runsc's own lines go there from now on. Return: 0 or an error, error set. */
int debug_log_start(struct cli *cli);
