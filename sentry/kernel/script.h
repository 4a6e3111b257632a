/* The first line of a script: "#!interpreter [argument]". */
#pragma once

#include "sentry/base/types.h"

#define SCRIPT_LINE_MAX 256 /* BINPRM_BUF_SIZE */

struct script {
    char interp[SCRIPT_LINE_MAX];
    char arg[SCRIPT_LINE_MAX]; /* "": none */
    bool has_arg;
};

/* script_parse() - a file's first bytes (at most SCRIPT_LINE_MAX count). Return: 0, or -ENOEXEC: it
 * is no script, or one whose interpreter is missing or cut off. */
int script_parse(const void *buf, size_t len, struct script *out);
