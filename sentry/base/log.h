/* Logging: levels, text and JSON lines, to descriptors opened before privileges drop; panic(). */
#pragma once

#include "sentry/base/types.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_JSON_K8S };

/* log_init() - where lines go (fd -1: nowhere), how they look, and up to which level. */
void log_init(int fd, enum log_format format, enum log_level max);
/* log_set_level() - change the level of a running process. */
void log_set_level(enum log_level max);
bool log_enabled(enum log_level level);
/* log_line() - one line, truncated at 2,048 bytes; control characters are escaped. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_at(level, ...)                                                                         \
    do {                                                                                           \
        if (unlikely(log_enabled(level)))                                                          \
            log_line(level, __VA_ARGS__);                                                          \
    } while (0)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* panic() - a bug of ours: log where and what to the log and stderr, then abort. */
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void panic_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
