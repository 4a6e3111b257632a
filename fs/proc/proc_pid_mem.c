/*
 * /proc/PID/mem and pagemap: memory by address. The file is about the address space that the process
 * had when it was opened: after an exec it reads as empty. It holds no reference to it, since that
 * would keep a dead host process's number.
 */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/mm/observer.h"

#include <errno.h>
#include <stdatomic.h>

#define PIECE     4096u
#define ENTRY     sizeof(u64) /* of pagemap */
#define ENTRIES   256u
#define LAST_PAGE (PLAT_TASK_SIZE >> GUEST_PAGE_SHIFT)
#define ALL_PAGES ((1ull << 47) >> GUEST_PAGE_SHIFT)

/* file_mm() - the memory that the file is about: a new reference; NULL: gone. */
static struct mm *file_mm(struct file *f)
{
    struct mm *mm = proc_mm(proc_node_of(f->inode));

    if (mm && mm->obj.id == (uintptr_t)f->private)
        return mm;
    return mm_put(mm);
}

static s64 by_address_seek(struct file *f, s64 offset, int whence)
{
    if (whence == LX_SEEK_CUR)
        return (s64)((u64)f->pos + (u64)offset);
    return whence == LX_SEEK_SET ? offset : -EINVAL;
}

/* --- mem --- */

static ssize_t mem_read(struct file *f, struct uio *to, s64 *pos)
{
    struct mm *mm = file_mm(f);
    ssize_t done = 0, n = 0;
    char buf[PIECE];

    if (!mm)
        return 0;
    while (to->left) {
        n = trace_access(current, mm, (uaddr_t)*pos, buf, min_of(to->left, (u64)PIECE), false);
        if (n > 0)
            n = uio_to(to, buf, (size_t)n);
        if (n <= 0)
            break;
        *pos += n;
        done += n;
    }
    mm_put(mm);
    return done ? done : n;
}

static ssize_t mem_write(struct file *f, struct uio *from, s64 *pos)
{
    struct mm *mm = file_mm(f);
    ssize_t done = 0, n = 0;
    char buf[PIECE];

    if (!mm)
        return 0;
    while (from->left) {
        ssize_t got = uio_from(from, buf, min_of(from->left, (u64)PIECE));

        n = got > 0 ? trace_access(current, mm, (uaddr_t)*pos, buf, (size_t)got, true) : got;
        if (n <= 0)
            break;
        *pos += n;
        done += n;
        if (n < got)
            break;
    }
    mm_put(mm);
    return done ? done : n;
}

const struct file_ops proc_mem_ops = {
    .read = mem_read, .write = mem_write, .seek = by_address_seek};

/* --- pagemap: what the host says, without where its pages lie, in memory or in its swap --- */

#define PAGEMAP_FLAGS (~0ull << 55)

/* pagemap_piece() - words for `n` pages from number `page` on. */
static int pagemap_piece(struct mm *mm, u64 page, u64 *words, u32 n)
{
    int rc;

    if (page >= LAST_PAGE) {
        for (u32 i = 0; i < n; i++)
            words[i] = 0;
        return 0;
    }
    rc = observer_pagemap(mm, page << GUEST_PAGE_SHIFT, words, n);
    for (u64 i = 0; i < n; i++)
        words[i] = i < LAST_PAGE - page ? words[i] & PAGEMAP_FLAGS : 0;
    return rc == -ENOSYS ? -EIO : rc;
}

static ssize_t pagemap_read(struct file *f, struct uio *to, s64 *pos)
{
    u64 words[ENTRIES], page = (u64)*pos / ENTRY;
    ssize_t done = 0, n = 0;
    struct mm *mm;

    if ((u64)*pos % ENTRY || to->left % ENTRY)
        return -EINVAL;
    mm = file_mm(f);
    while (mm && to->left && page < ALL_PAGES) {
        u64 wanted = min_of(to->left / ENTRY, ALL_PAGES - page);
        u32 count = (u32)min_of(wanted, (u64)ENTRIES);

        n = pagemap_piece(mm, page, words, count);
        if (n == 0)
            n = uio_to(to, words, count * ENTRY);
        if (n <= 0)
            break;
        page += (u64)n / ENTRY;
        *pos += n;
        done += n;
    }
    mm_put(mm);
    return done ? done : n;
}

const struct file_ops proc_pagemap_ops = {.read = pagemap_read, .seek = by_address_seek};

int proc_store_pid_clear_refs(const struct proc_node *n, const struct cred *opener,
                              const char *text, size_t len)
{
    struct mm *mm;
    s32 how;
    int rc = proc_parse_s32(text, &how);

    if (rc < 0)
        return rc;
    if (how < 1 || how > 5)
        return -EINVAL;
    mm = proc_mm(n);
    if (mm)
        rc = observer_clear_refs(mm, how);
    mm_put(mm);
    return rc == -ENOSYS ? -EIO : rc;
}

/* --- coredump_filter --- */

int proc_show_pid_coredump_filter(const struct proc_node *n, struct proc_text *out)
{
    struct mm *mm = proc_mm(n);

    if (!mm)
        return 0;
    proc_printf(out, "%08x\n", atomic_load(&mm->coredump_filter));
    mm_put(mm);
    return 0;
}

int proc_store_pid_coredump_filter(const struct proc_node *n, const struct cred *opener,
                                   const char *text, size_t len)
{
    enum { KINDS = 0x1ff };
    struct mm *mm;
    u64 v;
    int rc = proc_parse_u64(text, 0, &v);

    if (rc < 0)
        return rc;
    mm = proc_mm(n);
    if (!mm)
        return -ESRCH;
    atomic_store(&mm->coredump_filter, (u32)v & KINDS);
    mm_put(mm);
    return 0;
}
