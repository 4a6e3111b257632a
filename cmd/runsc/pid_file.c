/* Writes pid files. */
#include "cmd/runsc/pid_file.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int pid_file_write(const char *path, pid_t pid)
{
    char text[16];
    int r;

    snprintf(text, sizeof(text), "%d", (int)pid);
    r = host_file_replace(AT_FDCWD, path, text, strlen(text), 0644);
    return r ? error_errno(r, "can't write the pid file %s", path) : 0;
}
