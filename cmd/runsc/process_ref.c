/* References to host processes by pid and start time, so that a reused pid is never taken for them. */
#include "cmd/runsc/container.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* start_time() - field 22 of /proc/PID/stat, after the name, which may hold anything. */
static int start_time(pid_t pid, u64 *out)
{
    auto_free char *text = NULL;
    unsigned long long start;
    char path[64], *p;
    int r;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    r = host_file_read(AT_FDCWD, path, 4096, &text, NULL);
    if (r)
        return -ESRCH;
    p = strrchr(text, ')');
    if (!p || sscanf(p + 1,
                     " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                     "%llu",
                     &start) != 1)
        return -ESRCH;
    *out = start;
    return 0;
}

int process_ref_of(pid_t pid, struct process_ref *out)
{
    u64 start;
    int r = start_time(pid, &start);

    if (r)
        return r;
    *out = (struct process_ref){pid, start};
    return 0;
}

int process_ref_open(const struct process_ref *ref)
{
    auto_fd int fd = -1;
    u64 start;

    if (ref->pid <= 0)
        return -ESRCH;
    fd = host_process_pidfd(ref->pid);
    if (fd < 0)
        return -ESRCH;
    if (start_time(ref->pid, &start) || start != ref->start)
        return -ESRCH;
    if (host_process_gone(fd, 0) == 0)
        return -ESRCH; /* a zombie */
    return take_fd(fd);
}
