/* What /proc tells of an address space: the text of maps, the sums of statm and status. */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLUMN 73 /* names stand here, or one blank behind what is longer */

/* put_name() - a path with its newlines as \012, so that a name can't forge lines. */
static size_t put_name(char *dst, size_t cap, const char *name, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (name[i] == '\n') {
            if (cap - n < 4)
                break;
            memcpy(dst + n, "\\012", 4);
            n += 4;
        } else {
            if (cap - n < 1)
                break;
            dst[n++] = name[i];
        }
    }
    return n;
}

/* put_line() - one VMA's line. Return: its length, 0 if it doesn't fit. */
static size_t put_line(const struct vma *v, char *path, char *buf, size_t cap)
{
    u32 major = 0, minor = 0;
    u64 ino = 0;
    const char *name = v->name;
    size_t name_len = name ? strlen(name) : 0, n;
    int r;

    if (v->mappable) {
        v->mappable->ops->identity(v->mappable, &major, &minor, &ino);
        r = v->mappable->ops->path(v->mappable, path, LIMIT_PATH);
        name = path;
        name_len = r > 0 ? strnlen(path, (size_t)r) : 0;
    }
    r = snprintf(buf, cap, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
                 (unsigned long long)v->start, (unsigned long long)v->end,
                 v->prot & LX_PROT_READ ? 'r' : '-', v->prot & LX_PROT_WRITE ? 'w' : '-',
                 v->prot & LX_PROT_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p',
                 (unsigned long long)v->offset, major, minor, (unsigned long long)ino);
    n = (size_t)r;
    if (n + NAME_COLUMN + name_len * 4 + 1 > cap)
        return 0;
    if (name_len) {
        while (n < NAME_COLUMN)
            buf[n++] = ' ';
        n += put_name(buf + n, cap - n - 1, name, name_len);
    }
    buf[n++] = '\n';
    return n;
}

ssize_t mm_maps_text(struct mm *mm, uaddr_t *cursor, char *buf, size_t cap)
{
    auto_free char *path = malloc(LIMIT_PATH);
    uaddr_t at = *cursor;
    size_t len = 0;
    struct vma *v;

    if (!path)
        return -ENOMEM;
    rwlock_read(&mm->lock);
    for (v = mm_find_locked(mm, at); v; v = mm_next_locked(v)) {
        size_t n = put_line(v, path, buf + len, cap - len);

        if (!n)
            break;
        len += n;
        at = v->end;
    }
    rwlock_unlock(&mm->lock);
    if (v && !len)
        return -ERANGE;
    *cursor = at;
    return (ssize_t)len;
}

void mm_sizes(struct mm *mm, struct mm_sizes *out)
{
    struct mm_sizes s = {0};

    rwlock_read(&mm->lock);
    s.total = mm->total_bytes;
    s.peak = mm->peak_bytes;
    s.data = mm->data_bytes;
    s.stack = mm->stack_bytes;
    s.locked = mm->locked_bytes;
    s.text = page_up(mm->end_code) - page_down(mm->start_code);
    for (struct vma *v = mm_first_locked(mm); v; v = mm_next_locked(v)) {
        if ((v->prot & (LX_PROT_EXEC | LX_PROT_WRITE)) == LX_PROT_EXEC)
            s.exec += v->end - v->start;
        if (v->flags & VMA_SHARED)
            s.shared += v->end - v->start;
    }
    rwlock_unlock(&mm->lock);
    *out = s;
}
