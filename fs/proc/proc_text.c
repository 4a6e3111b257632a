/* Text of /proc files while it is made; see proc_priv.h. */
#include "fs/proc/proc_priv.h"

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
