/* Log lines and panic; see log.h. One write a line, so that lines of several processes don't mix. */
#include "sentry/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static int log_fd = -1;
static enum log_format log_style;
static atomic_int log_max = LOG_LEVEL_WARNING;

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const k8s_names[] = {"ERROR", "WARNING", "INFO", "DEBUG"};

void log_init(int fd, enum log_format format, enum log_level max)
{
    log_fd = fd;
    log_style = format;
    atomic_store(&log_max, (int)max);
}

void log_set_level(enum log_level max)
{
    atomic_store(&log_max, (int)max);
}

bool log_enabled(enum log_level level)
{
    return log_fd >= 0 && (int)level <= atomic_load_explicit(&log_max, memory_order_relaxed);
}

/* put_escaped() - append text as the inside of a JSON string (or escaped plain text). */
static size_t put_escaped(char *out, size_t at, size_t cap, const char *s)
{
    for (; *s && at + 8 < cap; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' && log_style != LOG_FORMAT_TEXT)
            out[at++] = '\\', out[at++] = '"';
        else if (c == '\\' && log_style != LOG_FORMAT_TEXT)
            out[at++] = '\\', out[at++] = '\\';
        else if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(out + at, cap - at, "\\u%04x", c);
        else
            out[at++] = (char)c;
    }
    return at;
}

static size_t put_time(char *out, size_t cap)
{
    struct timespec ts;
    struct tm tm;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    return n + (size_t)snprintf(out + n, cap - n, ".%06ldZ", ts.tv_nsec / 1000);
}

static void emit(int fd, enum log_level level, const char *msg)
{
    char line[LINE_MAX_BYTES + 256], when[64];
    size_t n;

    put_time(when, sizeof(when));
    if (log_style == LOG_FORMAT_TEXT)
        n = (size_t)snprintf(line, sizeof(line), "%s %c%d ", when, k8s_names[level][0], getpid());
    else if (log_style == LOG_FORMAT_JSON)
        n = (size_t)snprintf(line, sizeof(line), "{\"msg\":\"");
    else
        n = (size_t)snprintf(line, sizeof(line), "{\"log\":\"");
    n = put_escaped(line, n, sizeof(line) - 128, msg);
    if (log_style == LOG_FORMAT_JSON)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "\",\"level\":\"%s\",\"time\":\"%s\"}",
                              level_names[level], when);
    else if (log_style == LOG_FORMAT_JSON_K8S)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "\",\"level\":\"%s\",\"time\":\"%s\"}",
                              k8s_names[level], when);
    line[n++] = '\n';
    if (write(fd, line, n) < 0)
        return; /* a full or closed log is no reason to fail */
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char msg[LINE_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    emit(log_fd, level, msg);
}

_Noreturn void panic_at(const char *file, int line, const char *fmt, ...)
{
    char what[1024], msg[LINE_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    snprintf(msg, sizeof(msg), "panic at %s:%d: %s", file, line, what);
    if (log_fd >= 0)
        emit(log_fd, LOG_LEVEL_ERROR, msg);
    if (log_fd != STDERR_FILENO)
        emit(STDERR_FILENO, LOG_LEVEL_ERROR, msg);
    abort();
}
