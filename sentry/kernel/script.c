/*
 * Scripts' first lines, as execve(2) reads them: 256 bytes at most, blanks around the interpreter's
 * path, everything behind it one argument. A line that is cut off by the limit is refused only if the
 * path itself may be cut: a cut argument is the interpreter's own to read again.
 */
#include "sentry/kernel/script.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* skip_blanks() - the first byte of [p, end) that is no blank, or end. */
static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* find_blank() - the first blank of [p, end), or end. */
static const char *find_blank(const char *p, const char *end)
{
    while (p < end && !is_blank(*p))
        p++;
    return p;
}

/* copy() - [from, to) as a string; it fits: both come from one line. */
static void copy(char dst[SCRIPT_LINE_MAX], const char *from, const char *to)
{
    size_t n = (size_t)(to - from);

    memcpy(dst, from, n);
    dst[n] = '\0';
}

int script_parse(const void *buf, size_t len, struct script *out)
{
    /* A short file reads as if NULs followed; a NUL ends the line like a newline would. */
    char line[SCRIPT_LINE_MAX] = {0};
    const char *start = line + 2, *end, *name, *name_end, *arg;
    bool cut;

    memcpy(line, buf, min_of(len, sizeof(line) - 1));
    if (line[0] != '#' || line[1] != '!')
        return -ENOEXEC;
    end = start + strcspn(start, "\n");
    cut = end == line + sizeof(line) - 1;
    name = skip_blanks(start, end);
    if (cut && find_blank(name, end) == end)
        return -ENOEXEC;
    while (end > name && is_blank(end[-1]))
        end--;
    if (name == end)
        return -ENOEXEC;
    name_end = find_blank(name, end);
    arg = skip_blanks(name_end, end);
    copy(out->interp, name, name_end);
    copy(out->arg, arg, end);
    out->has_arg = arg < end;
    return 0;
}
