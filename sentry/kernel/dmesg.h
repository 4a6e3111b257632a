/*
 * The kernel log that syslog(2) and /dev/kmsg show: a ring of text, one per sandbox. Positions are
 * counts of bytes since boot; what is older than DMESG_BYTES is gone.
 */
#pragma once

#include "sentry/base/types.h"

struct waitq;

#define DMESG_BYTES 16384u

/* dmesg_boot() - write the start-up lines; once. */
void dmesg_boot(void);
/* dmesg_line() - append "<level>[time] text"; the oldest lines make room. */
void dmesg_line(u32 level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* dmesg_read() - whole lines from the first that starts at or after *from; *from is advanced past
 * them. Return: bytes put into buf (0: nothing left, or the next line doesn't fit). */
size_t dmesg_read(u64 *from, char *buf, size_t cap);
/* dmesg_end() - where the next line will start. */
u64 dmesg_end(void);
/* dmesg_queue() - woken by each new line. */
struct waitq *dmesg_queue(void);
