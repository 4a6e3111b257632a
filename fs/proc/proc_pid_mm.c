/* /proc/PID/maps, cmdline, environ, auxv: a process's memory and what stands in it. */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLUMN 73u /* where maps puts names */
#define PIECE       4096u

/* --- maps --- */

static void put_vma_name(struct proc_text *out, const struct vma *v, size_t line)
{
    char path[LIMIT_PATH];
    const char *name = v->name;
    int len;

    if (!name && v->mappable && v->mappable->ops->path) {
        len = v->mappable->ops->path(v->mappable, path, sizeof(path));
        if (len >= 0)
            name = path;
    }
    if (!name)
        return;
    while (out->len - line < NAME_COLUMN && !out->failed)
        proc_puts(out, " ");
    proc_put_escaped(out, name, "\n");
}

void proc_put_vma(struct proc_text *out, const struct vma *v)
{
    u32 major = 0, minor = 0;
    size_t line = out->len;
    u64 ino = 0;

    if (v->mappable && v->mappable->ops->identity)
        v->mappable->ops->identity(v->mappable, &major, &minor, &ino);
    proc_printf(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", (long)v->start, (long)v->end,
                v->prot & LX_PROT_READ ? 'r' : '-', v->prot & LX_PROT_WRITE ? 'w' : '-',
                v->prot & LX_PROT_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p',
                (long)(v->mappable ? v->offset : 0), major, minor, (long)ino);
    put_vma_name(out, v, line);
    proc_puts(out, "\n");
}

int proc_show_pid_maps(const struct proc_node *n, struct proc_text *out)
{
    struct mm *mm = proc_mm(n);

    if (!mm)
        return 0;
    rwlock_read(&mm->lock);
    for (struct vma *v = mm_first_locked(mm); v && !out->failed; v = mm_next_locked(v))
        proc_put_vma(out, v);
    rwlock_unlock(&mm->lock);
    mm_put(mm);
    return 0;
}

/* --- what stands in its memory --- */

/* put_memory() - [start, end) as far as it can be read; `to_nul`: up to the first NUL. */
static void put_memory(struct proc_text *out, struct mm *mm, uaddr_t start, uaddr_t end,
                       bool to_nul)
{
    char buf[PIECE];

    while (start < end && !out->failed) {
        size_t want = min_of(end - start, (u64)PIECE);
        ssize_t got = usermem_read(mm, buf, start, want);
        char *nul = to_nul && got > 0 ? memchr(buf, 0, (size_t)got) : NULL;

        if (got <= 0)
            return;
        proc_put_bytes(out, buf, nul ? (size_t)(nul + 1 - buf) : (size_t)got);
        if (nul)
            return;
        start += (u64)got;
    }
}

/* bounded() - the end of a range that the guest may have set to anything (prctl(2)). */
static uaddr_t bounded(uaddr_t start, uaddr_t end)
{
    if (end < start)
        return start;
    return start + min_of(end - start, (u64)LIMIT_ARG_STRINGS);
}

int proc_show_pid_cmdline(const struct proc_node *n, struct proc_text *out)
{
    struct mm *mm = proc_mm(n);
    uaddr_t arg_end, env_end;

    if (!mm)
        return 0;
    arg_end = bounded(mm->arg_start, mm->arg_end);
    env_end = bounded(mm->env_start, mm->env_end);
    put_memory(out, mm, mm->arg_start, arg_end, false);
    /* A program that writes its title over its arguments may run into the environment. */
    if (out->len && out->buf[out->len - 1] && mm->env_start == arg_end) {
        size_t title = strnlen(out->buf, out->len);

        if (title == out->len)
            put_memory(out, mm, arg_end, env_end, true);
        else
            out->len = title;
    }
    mm_put(mm);
    return 0;
}

int proc_show_pid_environ(const struct proc_node *n, struct proc_text *out)
{
    struct mm *mm = proc_mm(n);

    if (!mm)
        return 0;
    put_memory(out, mm, mm->env_start, bounded(mm->env_start, mm->env_end), false);
    mm_put(mm);
    return 0;
}

int proc_show_pid_auxv(const struct proc_node *n, struct proc_text *out)
{
    struct mm *mm = proc_mm(n);

    if (!mm)
        return 0;
    proc_put_bytes(out, mm->auxv, min_of(mm->nauxv, (u32)ARRAY_SIZE(mm->auxv)) * sizeof(u64));
    mm_put(mm);
    return 0;
}
