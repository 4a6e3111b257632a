/*
 * The kernel log; see dmesg.h. A byte ring that holds whole lines "<6>[    0.123456] text\n". The
 * writer moves `start` past the lines that it overwrites, so a reader always finds a line's first
 * byte there.
 */
#include "sentry/kernel/dmesg.h"

#include "sentry/base/host_mem.h"
#include "sentry/base/host_thread.h"
#include "sentry/wait/wait.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 256
#define LEVEL_INFO     6u
#define BOOT_LINES     8

static struct mutex lock = MUTEX_INIT(DMESG);
static char ring[DMESG_BYTES];
static u64 start, end; /* first whole line's position, and where the next goes */
static struct waitq queue = {MUTEX_INIT(WAITQ), {&queue.entries, &queue.entries}};

/* What the Sentry is up to before it is ready; each boot shows some of them. */
static const char *const boot_texts[] = {
    "Hiding the host behind the sofa...",
    "Explaining to root that it is not the root...",
    "Telling init that it is somebody's child after all...",
    "Asking the page tables to keep their voices down...",
    "Sieving the sand for this sandbox...",
    "Reminding signals to knock before they enter...",
    "Handing out pids, one to a customer...",
    "Tuning the futexes to D minor...",
    "Checking under the bed for zombies...",
    "Rehearsing ENOSYS in front of a mirror...",
    "Drawing a memory map; here be dragons...",
    "Waiting for the entropy kettle to boil...",
    "Unblocking the pipes with a plunger...",
    "Painting a horizon on the inside of the wall...",
    "Teaching old system calls new tricks...",
    "Pouring /dev/zero into small identical bottles...",
    "Persuading the clock that it has only just begun...",
    "Mounting file systems, saddles first...",
    "Putting a fresh coat of copy on the write...",
    "Knitting a scarf from loose threads...",
};

static void append_locked(const char *text, size_t len)
{
    if (end + len - start > DMESG_BYTES) {
        u64 keep = end + len - DMESG_BYTES;

        while (start < keep || ring[(start - 1) % DMESG_BYTES] != '\n')
            start++;
    }
    for (size_t i = 0; i < len; i++)
        ring[(end + i) % DMESG_BYTES] = text[i];
    end += len;
}

static void line_at(u64 ns, u32 level, const char *text)
{
    char buf[LINE_MAX_BYTES];
    int n =
        snprintf(buf, sizeof(buf) - 1, "<%u>[%5lu.%06lu] %s", level,
                 (unsigned long)(ns / NS_PER_SEC), (unsigned long)(ns % NS_PER_SEC / 1000), text);
    size_t len = min_of((size_t)n, sizeof(buf) - 2);

    buf[len++] = '\n';
    mutex_lock(&lock);
    append_locked(buf, len);
    mutex_unlock(&lock);
    waitq_wake(&queue, 0xffffffffu);
}

void dmesg_line(u32 level, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    line_at(host_monotonic(), level & 7, text);
}

void dmesg_boot(void)
{
    const char *left[ARRAY_SIZE(boot_texts)];
    u32 n = ARRAY_SIZE(boot_texts);
    u32 dice[2 * BOOT_LINES + 1];
    u64 ns = 0;

    if (host_random(dice, sizeof(dice)) < 0)
        memset(dice, 0x55, sizeof(dice));
    memcpy(left, boot_texts, sizeof(left));
    line_at(0, LEVEL_INFO, "Starting gVisor...");
    for (u32 i = 0; i < BOOT_LINES; i++) {
        u32 pick = dice[2 * i] % n;

        ns += 100000000 + dice[2 * i + 1] % 400000000;
        line_at(ns, LEVEL_INFO, left[pick]);
        left[pick] = left[--n];
    }
    line_at(ns + 100000000 + dice[2 * BOOT_LINES] % 400000000, LEVEL_INFO, "Ready!");
}

/* line_len_locked() - bytes of the line that starts at `pos`, newline included. */
static size_t line_len_locked(u64 pos)
{
    u64 p = pos;

    while (ring[p % DMESG_BYTES] != '\n')
        p++;
    return p + 1 - pos;
}

size_t dmesg_read(u64 *from, char *buf, size_t cap)
{
    size_t done = 0;
    u64 pos;

    mutex_lock(&lock);
    for (pos = start; pos < *from && pos < end;)
        pos += line_len_locked(pos);
    while (pos < end) {
        size_t len = line_len_locked(pos);

        if (done + len > cap)
            break;
        for (size_t i = 0; i < len; i++)
            buf[done + i] = ring[(pos + i) % DMESG_BYTES];
        done += len;
        pos += len;
    }
    *from = pos;
    mutex_unlock(&lock);
    return done;
}

u64 dmesg_end(void)
{
    u64 e;

    mutex_lock(&lock);
    e = end;
    mutex_unlock(&lock);
    return e;
}

struct waitq *dmesg_queue(void)
{
    return &queue;
}
