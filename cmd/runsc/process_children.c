/* Reads relations of host processes from /proc. */
#include "cmd/runsc/process_children.h"

#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (4u << 20)

/* append_pids() - numbers of a "children" file. */
static int append_pids(const char *text, pid_t **list, size_t *count)
{
    for (const char *p = text; *p;) {
        char *end;
        long pid = strtol(p, &end, 10);
        pid_t *grown;

        if (end == p)
            break;
        grown = *count % 64 ? *list : reallocarray(*list, *count + 64, sizeof(**list));
        if (!grown)
            return -ENOMEM;
        *list = grown;
        grown[(*count)++] = (pid_t)pid;
        p = end + strspn(end, " \n");
    }
    return 0;
}

int process_children(pid_t pid, pid_t **children, size_t *count)
{
    auto_fd int tasks = -1;
    char path[64], **names = NULL;
    size_t n = 0;
    int r;

    *children = NULL;
    *count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    r = tasks = host_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (r >= 0)
        r = host_file_names(tasks, &names, &n);
    for (size_t i = 0; i < n && !r; i++) {
        auto_free char *text = NULL;
        char file[300];

        snprintf(file, sizeof(file), "%s/children", names[i]);
        r = host_file_read(tasks, file, TEXT_MAX, &text, NULL);
        if (!r)
            r = append_pids(text, children, count);
        else if (r == -ESRCH || r == -ENOENT)
            r = 0; /* that thread is gone */
    }
    host_file_names_free(names, n);
    if (r) {
        free(*children);
        *children = NULL;
        *count = 0;
    }
    return r < 0 ? r : 0;
}

pid_t process_inner_pid(pid_t pid)
{
    auto_free char *text = NULL;
    char path[64], *line, *last;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (host_file_read(AT_FDCWD, path, TEXT_MAX, &text, NULL))
        return -ESRCH;
    line = strstr(text, "\nNSpid:");
    if (!line)
        return -ESRCH;
    line++;
    line[strcspn(line, "\n")] = '\0';
    last = strrchr(line, '\t');
    return last ? (pid_t)strtol(last + 1, NULL, 10) : -ESRCH;
}
