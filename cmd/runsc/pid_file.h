/* Pid files: callers read them as soon as they are there, so they appear with all their contents. */
#pragma once

#include "sentry/base/types.h"

/* pid_file_write() - Return: 0 or an error, error set. */
int pid_file_write(const char *path, pid_t pid);
