/*
 * The one line that says what went wrong. Whoever finds an error sets the line and returns a
 * negative errno; callers pass that on, and runsc_main() prints the line once.
 */
#pragma once

#include "sentry/base/types.h"

/* error_set() - sets the line, control characters escaped. Return: @error, negative. */
int error_set(int error, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* error_errno() - the same with ": <what the errno means>" after it. */
int error_errno(int error, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* error_prefix() - puts text before the line that is set. Return: @error. */
int error_prefix(int error, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* error_text() - the line, borrowed; empty if none is set. */
const char *error_text(void);

/* error_log_entry() - appends the line as one JSON object to @fd (-1: does nothing). */
void error_log_entry(int fd);
