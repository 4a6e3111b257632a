/* Expands the pattern of --debug-log and opens what it names. */
#include "cmd/runsc/debug_log.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* In a folder the files are named by this. */
static const char folder_pattern[] = "runsc.log.%TIMESTAMP%.%COMMAND%.txt";

/* put() - appends bounded text. Return: false if it doesn't fit. */
static bool put(char *path, size_t size, const char *text, size_t len)
{
    size_t at = strlen(path);

    if (at + len >= size)
        return false;
    memcpy(path + at, text, len);
    path[at + len] = '\0';
    return true;
}

/* expand() - the pattern with its variables replaced. */
static bool expand(const char *pattern, const char *const vars[][2], char *path, size_t size)
{
    while (*pattern) {
        size_t n = 1;
        const char *with = pattern;
        size_t len = 1;

        for (size_t i = 0; vars[i][0]; i++) {
            if (strncmp(pattern, vars[i][0], strlen(vars[i][0])) == 0) {
                n = strlen(vars[i][0]);
                with = vars[i][1];
                len = strlen(with);
            }
        }
        if (!put(path, size, with, len))
            return false;
        pattern += n;
    }
    return true;
}

static void timestamp(char *text, size_t size)
{
    struct timespec now;
    struct tm tm;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    n = strftime(text, size, "%Y%m%d-%H%M%S", &tm);
    snprintf(text + n, size - n, ".%06ld", now.tv_nsec / 1000);
}

int debug_log_open(const struct cli *cli, const char *command, const char *id)
{
    const char *pattern = flag_text(&cli->global, GLOBAL_DEBUG_LOG);
    char path[4096] = "", when[64];
    const char *const vars[][2] = {
        {"%TIMESTAMP%", when}, {"%COMMAND%", command}, {"%ID%", id ? id : ""}, {NULL, NULL}};
    size_t n = strlen(pattern);
    bool fits;
    int fd;

    if (n == 0)
        return -ENOENT;
    timestamp(when, sizeof(when));
    fits = expand(pattern, vars, path, sizeof(path));
    if (pattern[n - 1] == '/') {
        host_file_mkdirs(pattern, 0755);
        fits = fits && expand(folder_pattern, vars, path, sizeof(path));
    }
    if (!fits)
        return error_set(-ENAMETOOLONG, "--debug-log: the path is too long");
    fd = host_file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0)
        return error_errno(fd, "--debug-log: can't open %s", path);
    return fd;
}

/* logged() - does --debug-command name this verb, or nothing? */
static bool logged(const struct cli *cli)
{
    const char *list = flag_text(&cli->global, GLOBAL_DEBUG_COMMAND);
    size_t len = strlen(cli->verb->name);

    if (!*list)
        return true;
    while (*list) {
        size_t n = strcspn(list, ",");

        if (n == len && memcmp(list, cli->verb->name, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

int debug_log_start(struct cli *cli)
{
    const char *style = flag_text(&cli->global, GLOBAL_DEBUG_LOG_FORMAT);
    enum log_format format = strcmp(style, "json") == 0       ? LOG_FORMAT_JSON
                             : strcmp(style, "json-k8s") == 0 ? LOG_FORMAT_JSON_K8S
                                                              : LOG_FORMAT_TEXT;
    bool debug = flag_bool(&cli->global, GLOBAL_DEBUG);
    int fd = -ENOENT;

    if (logged(cli))
        fd = debug_log_open(cli, cli->verb->name, NULL);
    if (fd == -ENOENT && debug && flag_bool(&cli->global, GLOBAL_ALSOLOGTOSTDERR))
        fd = STDERR_FILENO;
    if (fd < 0 && fd != -ENOENT)
        return fd;
    if (fd >= 0)
        log_init(fd, format, debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    return 0;
}
