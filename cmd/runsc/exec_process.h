/* The process object of an exec: from a file, or from config.json and what the flags say. */
#pragma once

#include "cmd/runsc/console.h"
#include "cmd/runsc/container.h"

/* What the command line says about the process; strings are borrowed, "" or NULL: not given. */
struct exec_request {
    const char *file;                                   /* --process */
    const char *cwd, *user;                             /* user: UID[:GID] */
    const char *const *env, *const *caps, *const *gids; /* end with NULL */
    char *const *args;                                  /* ends with NULL */
    bool no_new_privs, tty;
};

/*
 * exec_process_make() - the complete process object as text, checked.
 * Return: 0 and new memory, and what it says of a terminal; or an error, error set.
 */
int exec_process_make(const struct container *c, const struct exec_request *request, char **text,
                      struct console_wish *wish);
