/* The error line of this process, and its JSON form for the callers' log file. */
#include "cmd/runsc/error.h"

#include "cmd/runsc/host_file.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char line[2048];

/* set_line() - text with what could break a line, or a terminal, escaped. */
static void set_line(const char *text)
{
    size_t at = 0;

    for (; *text && at + 5 < sizeof(line); text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(line + at, sizeof(line) - at, "\\x%02x", c);
        else
            line[at++] = (char)c;
    }
    line[at] = '\0';
}

int error_set(int error, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    set_line(text);
    return error;
}

int error_errno(int error, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    n = strlen(text);
    snprintf(text + n, sizeof(text) - n, ": %s", strerror(-error));
    set_line(text);
    return error;
}

int error_prefix(int error, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    n = strlen(text);
    snprintf(text + n, sizeof(text) - n, "%s", line);
    set_line(text);
    return error;
}

const char *error_text(void)
{
    return line;
}

void error_log_entry(int fd)
{
    struct json_object *entry = json_object_new_object();
    char when[64], text[8192];
    time_t now = time(NULL);
    struct tm tm;
    int n;

    if (!entry || fd < 0) {
        json_object_put(entry);
        return;
    }
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_object_object_add(entry, "msg", json_object_new_string(line));
    json_object_object_add(entry, "level", json_object_new_string("error"));
    json_object_object_add(entry, "time", json_object_new_string(when));
    n = snprintf(text, sizeof(text), "%s\n",
                 json_object_to_json_string_ext(entry, JSON_C_TO_STRING_PLAIN |
                                                           JSON_C_TO_STRING_NOSLASHESCAPE));
    if (n > 0 && (size_t)n < sizeof(text))
        host_file_write(fd, text, (size_t)n);
    json_object_put(entry);
}
