/*
 * argv and envp: copied in once, as one block of strings. What they may take is bounded while they
 * are read, each string costing its bytes and a pointer, so that a list without an end stops early.
 * Strings mostly lie side by side, so the last page read is kept and looked into first.
 */
#include "sentry/base/limits.h"
#include "sentry/kernel/loader_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POINTER_BATCH 64

/* A window of guest memory: what was read of one page. */
struct window {
    struct mm *mm;
    uaddr_t start;
    size_t len;
    u8 bytes[GUEST_PAGE_SIZE];
};

/* window_at() - the bytes from addr to the end of its page. Return: how many, -EFAULT. */
static ssize_t window_at(struct window *w, uaddr_t addr, const char **out)
{
    if (addr < w->start || addr >= w->start + w->len) {
        size_t want = GUEST_PAGE_SIZE - (addr & ~GUEST_PAGE_MASK);
        ssize_t n = usermem_read(w->mm, w->bytes, addr, want);

        w->len = 0;
        if (n <= 0)
            return -EFAULT;
        w->start = addr;
        w->len = (size_t)n;
    }
    *out = (const char *)w->bytes + (addr - w->start);
    return (ssize_t)(w->start + w->len - addr);
}

/* reserve() - room for `more` bytes behind what there is. Return: 0, -ENOMEM. */
static int reserve(struct exec_strings *s, size_t *cap, size_t more)
{
    char *bytes;

    if (*cap - s->len >= more)
        return 0;
    *cap = max_of(*cap * 2, s->len + more);
    bytes = realloc(s->bytes, *cap);
    if (!bytes)
        return -ENOMEM;
    s->bytes = bytes;
    return 0;
}

/* append_user() - one string. Return: 0, -EFAULT, -E2BIG, -ENOMEM. */
static int append_user(struct window *w, uaddr_t addr, u64 budget, struct exec_strings *s,
                       size_t *cap)
{
    size_t start = s->len;

    for (;;) {
        const char *bytes, *end;
        ssize_t n = window_at(w, addr, &bytes);
        size_t take;
        int err;

        if (n < 0)
            return (int)n;
        end = memchr(bytes, '\0', (size_t)n);
        take = end ? (size_t)(end - bytes) + 1 : (size_t)n;
        if (s->len - start + take > LIMIT_ARG_STRLEN || s->len + take > budget)
            return -E2BIG;
        err = reserve(s, cap, take);
        if (err)
            return err;
        memcpy(s->bytes + s->len, bytes, take);
        s->len += take;
        if (end)
            return 0;
        addr += take;
    }
}

/* read_list() - follow the pointers at uaddr until a NULL. */
static int read_list(struct window *w, uaddr_t uaddr, u64 budget, struct exec_strings *s)
{
    u64 pointers[POINTER_BATCH];
    size_t cap = 0;

    for (;;) {
        /* Up to the end of a page: the list may end right before an unmapped one. */
        size_t want = min_of(sizeof(pointers), GUEST_PAGE_SIZE - (uaddr & ~GUEST_PAGE_MASK));
        ssize_t got;

        if (want < sizeof(u64))
            want = sizeof(u64); /* a pointer that crosses pages */
        got = usermem_read(w->mm, pointers, uaddr, want);
        if (got < (ssize_t)sizeof(u64))
            return -EFAULT;
        for (size_t i = 0; i < (size_t)got / sizeof(u64); i++) {
            int err;

            if (!pointers[i])
                return 0;
            if ((s->count + 1) * sizeof(u64) > budget)
                return -E2BIG;
            err = append_user(w, pointers[i], budget - (s->count + 1) * sizeof(u64), s, &cap);
            if (err)
                return err;
            s->count++;
        }
        uaddr += (size_t)got / sizeof(u64) * sizeof(u64);
    }
}

int exec_strings_from_user(struct mm *mm, uaddr_t uaddr, u64 budget, struct exec_strings *out)
{
    struct exec_strings s = {0};
    struct window *w;
    int err;

    if (!uaddr) {
        *out = s;
        return 0;
    }
    w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->mm = mm;
    w->start = 0;
    w->len = 0;
    err = read_list(w, uaddr, min_of(budget, (u64)LIMIT_ARG_STRINGS), &s);
    free(w);
    if (err) {
        exec_strings_free(&s);
        return err;
    }
    *out = s;
    return 0;
}

int exec_strings_from_array(const char *const *strings, struct exec_strings *out)
{
    struct exec_strings s = {0};
    size_t cap = 0;

    for (; *strings; strings++) {
        size_t n = strlen(*strings) + 1;
        int err = -E2BIG;

        if (n <= LIMIT_ARG_STRLEN && s.len + n <= LIMIT_ARG_STRINGS)
            err = reserve(&s, &cap, n);
        if (err) {
            exec_strings_free(&s);
            return err;
        }
        memcpy(s.bytes + s.len, *strings, n);
        s.len += n;
        s.count++;
    }
    *out = s;
    return 0;
}

int exec_strings_replace_first(struct exec_strings *s, const char *const *with, u32 n)
{
    size_t skip = s->count ? strlen(s->bytes) + 1 : 0, rest = s->len - skip, len = rest, at = 0;
    char *bytes;

    for (u32 i = 0; i < n; i++)
        len += strlen(with[i]) + 1;
    if (len > LIMIT_ARG_STRINGS)
        return -E2BIG;
    bytes = malloc(len);
    if (!bytes)
        return -ENOMEM;
    for (u32 i = 0; i < n; i++) {
        size_t part = strlen(with[i]) + 1;

        memcpy(bytes + at, with[i], part);
        at += part;
    }
    if (rest)
        memcpy(bytes + at, s->bytes + skip, rest);
    free(s->bytes);
    s->bytes = bytes;
    s->len = len;
    s->count = s->count - (s->count ? 1 : 0) + n;
    return 0;
}

void exec_strings_free(struct exec_strings *s)
{
    free(s->bytes);
    *s = (struct exec_strings){0};
}
