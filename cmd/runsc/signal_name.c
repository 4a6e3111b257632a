/* Names of Linux's signals (signal(7)); numbers are x86's and arm's. */
#include "cmd/runsc/signal_name.h"

#include "sentry/base/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIGNAL_MAX   64
#define SIGNAL_RTMIN 34

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},     {"TRAP", 5},    {"ABRT", 6},
    {"IOT", 6},   {"BUS", 7},   {"FPE", 8},   {"KILL", 9},    {"USR1", 10},   {"SEGV", 11},
    {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15},   {"STKFLT", 16}, {"CHLD", 17},
    {"CLD", 17},  {"CONT", 18}, {"STOP", 19}, {"TSTP", 20},   {"TTIN", 21},   {"TTOU", 22},
    {"URG", 23},  {"XCPU", 24}, {"XFSZ", 25}, {"VTALRM", 26}, {"PROF", 27},   {"WINCH", 28},
    {"IO", 29},   {"POLL", 29}, {"PWR", 30},  {"SYS", 31},
};

static int parse_number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    return end != text && *end == '\0' && n >= 0 && n <= SIGNAL_MAX ? (int)n : -EINVAL;
}

/* parse_realtime() - "MIN", "MIN+n", "MAX", "MAX-n", after "RT". */
static int parse_realtime(const char *text)
{
    bool low = strncasecmp(text, "MIN", 3) == 0;
    int n = 0;

    if (!low && strncasecmp(text, "MAX", 3) != 0)
        return -EINVAL;
    text += 3;
    if (*text && *text != (low ? '+' : '-'))
        return -EINVAL;
    if (*text)
        n = parse_number(text + 1);
    if (n < 0 || n > SIGNAL_MAX - SIGNAL_RTMIN)
        return -EINVAL;
    return low ? SIGNAL_RTMIN + n : SIGNAL_MAX - n;
}

int signal_name_parse(const char *text)
{
    int n = parse_number(text);

    if (n >= 0)
        return n > 0 ? n : -EINVAL;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (strcasecmp(text, signals[i].name) == 0)
            return signals[i].number;
    return strncasecmp(text, "RT", 2) == 0 ? parse_realtime(text + 2) : -EINVAL;
}
