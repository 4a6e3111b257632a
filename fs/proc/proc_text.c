/* Text of /proc files while it is made; see proc_priv.h. */
#include "fs/proc/proc_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 512u

/* room() - make space for n more bytes. Return: where they go, or NULL. */
static char *room(struct proc_text *t, size_t n)
{
    size_t cap = max_of(t->cap, (size_t)FIRST_BYTES);
    char *buf;

    if (t->failed)
        return NULL;
    while (cap - t->len < n)
        cap *= 2;
    if (cap != t->cap) {
        buf = realloc(t->buf, cap);
        if (!buf) {
            t->failed = true;
            return NULL;
        }
        t->buf = buf;
        t->cap = cap;
    }
    return t->buf + t->len;
}

void proc_put_bytes(struct proc_text *t, const void *p, size_t len)
{
    char *to = room(t, len);

    if (!to)
        return;
    memcpy(to, p, len);
    t->len += len;
}

void proc_puts(struct proc_text *t, const char *s)
{
    proc_put_bytes(t, s, strlen(s));
}

void proc_printf(struct proc_text *t, const char *fmt, ...)
{
    va_list ap;
    char *to;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    to = n > 0 ? room(t, (size_t)n + 1) : NULL;
    if (!to)
        return;
    va_start(ap, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    t->len += (size_t)n;
}

void proc_put_escaped(struct proc_text *t, const char *s, const char *escape)
{
    for (; *s; s++) {
        if (strchr(escape, *s))
            proc_printf(t, "\\%03o", (unsigned int)(u8)*s);
        else
            proc_put_bytes(t, s, 1);
    }
}

void proc_put_cpu_mask(struct proc_text *t, const u64 *bits, u32 cpus)
{
    u32 words = (cpus + 31) / 32, top = cpus % 32 ? cpus % 32 : 32;

    for (u32 i = words; i-- > 0;) {
        u32 word = (u32)(bits[i / 2] >> i % 2 * 32), width = i == words - 1 ? (top + 3) / 4 : 8;

        if (i == words - 1 && top < 32)
            word &= (1u << top) - 1;
        proc_printf(t, "%0*x%s", (int)width, word, i ? "," : "\n");
    }
}

void proc_put_cpu_list(struct proc_text *t, const u64 *bits, u32 cpus)
{
    const char *comma = "";

    for (u32 i = 0; i < cpus; i++) {
        u32 last = i;

        if (!(bits[i / 64] >> i % 64 & 1))
            continue;
        while (last + 1 < cpus && (bits[(last + 1) / 64] >> (last + 1) % 64 & 1))
            last++;
        proc_printf(t, last > i ? "%s%u-%u" : "%s%u", comma, i, last);
        comma = ",";
        i = last;
    }
    proc_puts(t, "\n");
}

/* at_end() - is a number all there was, but for one newline? */
static bool at_end(const char *end)
{
    return !*end || (*end == '\n' && !end[1]);
}

/* digit() - its value in hexadecimal, or 255. */
static u8 digit(char c)
{
    if (c >= '0' && c <= '9')
        return (u8)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (u8)(c - 'a' + 10) : 255;
}

int proc_parse_u64(const char *text, int base, u64 *out)
{
    u64 v = 0, radix = (u64)base;
    const char *first;

    text += *text == '+';
    if (!base)
        radix = text[0] != '0' ? 10 : (text[1] | 0x20) == 'x' ? 16 : 8;
    if (radix == 16 && text[0] == '0' && (text[1] | 0x20) == 'x')
        text += 2;
    for (first = text; digit(*text) < radix; text++)
        if (__builtin_mul_overflow(v, radix, &v) || __builtin_add_overflow(v, digit(*text), &v))
            return -ERANGE;
    if (text == first || !at_end(text))
        return -EINVAL;
    *out = v;
    return 0;
}

int proc_parse_s32(const char *text, s32 *out)
{
    bool minus = *text == '-';
    u64 v;
    int rc = proc_parse_u64(text + minus, 0, &v);

    if (rc < 0)
        return rc;
    if (v > (minus ? (u64)INT32_MAX + 1 : (u64)INT32_MAX))
        return -ERANGE;
    *out = minus ? (s32) - (s64)v : (s32)v;
    return 0;
}

/* parse_one() - a decimal number with white space or nothing behind it. Return: 0, -EINVAL. */
static int parse_one(const char **text, u64 *value)
{
    const char *p = *text;
    u64 v = 0;

    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (u64)(*p - '0'), &v))
            return -EINVAL;
    if (*p && !strchr(" \t\n", *p))
        return -EINVAL;
    *text = p;
    *value = v;
    return 0;
}

int proc_parse_numbers(const char *text, u64 *values, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        text += strspn(text, " \t\n");
        if (!*text)
            return i ? 0 : -EINVAL;
        if (parse_one(&text, &values[i]) < 0)
            return -EINVAL;
    }
    return 0;
}
