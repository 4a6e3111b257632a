/*
 * /proc/PID/smaps and smaps_rollup: what is in memory of each mapping, as the host counts it. The
 * host may have one mapping where the table has two or the other way round; what it counts is shared
 * out by length then. Without the observer all that can be touched counts as there, but for stacks
 * and reservations.
 */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_mm.h"
#include "sentry/mm/observer.h"

#include <errno.h>
#include <stdlib.h>

#define KB 1024u

struct host_vmas {
    struct observer_vma *items;
    u32 n;
    bool known;
    u32 at; /* where the walk is: those before end below the current mapping */
};

static u64 kb_of(u64 bytes)
{
    return bytes / KB;
}

/* add_share() - of what the host has in `h`, the part that lies in [start, end). */
static void add_share(struct observer_sums *to, const struct observer_vma *h, uaddr_t start,
                      uaddr_t end)
{
    u64 part = kb_of(min_of(end, h->end) - max_of(start, h->start)), all = kb_of(h->end - h->start);

#define ADD(member, name) to->member += part == all ? h->kb.member : h->kb.member * part / all;
    OBSERVER_SMAPS_FIELDS(ADD)
#undef ADD
}

static void estimate(struct observer_sums *to, const struct vma *v)
{
    u64 kb = kb_of(v->end - v->start);

    if (!v->prot || (v->flags & (VMA_GROWSDOWN | VMA_NORESERVE)))
        return;
    to->rss = to->pss = to->referenced = kb;
    to->anonymous = v->mappable ? 0 : kb;
    if (v->prot & LX_PROT_WRITE)
        to->private_dirty = to->pss_dirty = kb;
    else
        to->private_clean = kb;
}

/* sums_of() - for the mappings in ascending order. */
static void sums_of(struct host_vmas *hosts, const struct vma *v, struct observer_sums *out)
{
    *out = (struct observer_sums){0};
    if (!hosts->known) {
        estimate(out, v);
        return;
    }
    while (hosts->at < hosts->n && hosts->items[hosts->at].end <= v->start)
        hosts->at++;
    for (u32 i = hosts->at; i < hosts->n && hosts->items[i].start < v->end; i++)
        add_share(out, &hosts->items[i], v->start, v->end);
}

static void put_kb(struct proc_text *out, const char *name, u64 kb)
{
    size_t start = out->len;

    proc_printf(out, "%s:", name);
    while (out->len - start < 16 && !out->failed)
        proc_puts(out, " ");
    proc_printf(out, "%8lu kB\n", (long)kb);
}

static void put_sums(struct proc_text *out, const struct observer_sums *s, bool locked)
{
    const struct {
        const char *name;
        u64 kb;
    } rows[] = {
        {"Rss", s->rss},
        {"Pss", s->pss},
        {"Pss_Dirty", s->pss_dirty},
        {"Shared_Clean", s->shared_clean},
        {"Shared_Dirty", s->shared_dirty},
        {"Private_Clean", s->private_clean},
        {"Private_Dirty", s->private_dirty},
        {"Referenced", s->referenced},
        {"Anonymous", s->anonymous},
        {"LazyFree", s->lazy_free},
        {"AnonHugePages", s->anon_huge},
        {"ShmemPmdMapped", s->shmem_pmd},
        {"FilePmdMapped", s->file_pmd},
        {"Shared_Hugetlb", 0},
        {"Private_Hugetlb", 0},
        {"Swap", s->swap},
        {"SwapPss", s->swap_pss},
        {"Locked", locked ? s->pss : 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        put_kb(out, rows[i].name, rows[i].kb);
}

/* put_flags() - the two letters of each flag, in Linux's order. */
static void put_flags(struct proc_text *out, const struct vma *v)
{
    bool shared = v->flags & VMA_SHARED, account = !shared && (v->prot & LX_PROT_WRITE);
    const struct {
        bool on;
        const char *letters;
    } flags[] = {
        {v->prot & LX_PROT_READ, "rd"},
        {v->prot & LX_PROT_WRITE, "wr"},
        {v->prot & LX_PROT_EXEC, "ex"},
        {shared, "sh"},
        {v->may_prot & LX_PROT_READ, "mr"},
        {v->may_prot & LX_PROT_WRITE, "mw"},
        {v->may_prot & LX_PROT_EXEC, "me"},
        {shared && (v->may_prot & LX_PROT_WRITE), "ms"},
        {v->flags & VMA_GROWSDOWN, "gd"},
        {v->flags & VMA_LOCKED, "lo"},
        {v->flags & VMA_DONTFORK, "dc"},
        {v->flags & VMA_SPECIAL, "de"},
        {v->flags & VMA_LOCKONFAULT, "lf"},
        {account && !(v->flags & VMA_NORESERVE), "ac"},
        {v->flags & VMA_NORESERVE, "nr"},
        {v->flags & VMA_WIPEONFORK, "wf"},
        {v->flags & VMA_DONTDUMP, "dd"},
    };

    proc_puts(out, "VmFlags: ");
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (flags[i].on)
            proc_printf(out, "%s ", flags[i].letters);
    proc_puts(out, "\n");
}

static void put_mapping(struct proc_text *out, const struct vma *v, const struct observer_sums *s)
{
    proc_put_vma(out, v);
    put_kb(out, "Size", kb_of(v->end - v->start));
    put_kb(out, "KernelPageSize", GUEST_PAGE_SIZE / KB);
    put_kb(out, "MMUPageSize", GUEST_PAGE_SIZE / KB);
    put_sums(out, s, v->flags & VMA_LOCKED);
    proc_printf(out, "THPeligible:    %8d\n", 0);
    put_flags(out, v);
}

static void add_sums(struct observer_sums *to, const struct observer_sums *s)
{
#define ADD(member, name) to->member += s->member;
    OBSERVER_SMAPS_FIELDS(ADD)
#undef ADD
}

/* show_pages() - each mapping, or with `rollup` their sum. */
static int show_pages(const struct proc_node *n, struct proc_text *out, bool rollup)
{
    struct observer_sums total = {0};
    struct host_vmas hosts = {0};
    struct mm *mm = proc_mm(n);
    uaddr_t first = 0, last = 0;

    if (!mm)
        return rollup ? -ESRCH : 0;
    hosts.known = observer_vmas(mm, &hosts.items, &hosts.n) == 0;
    rwlock_read(&mm->lock);
    for (struct vma *v = mm_first_locked(mm); v && !out->failed; v = mm_next_locked(v)) {
        struct observer_sums sums;

        sums_of(&hosts, v, &sums);
        add_sums(&total, &sums);
        if (!rollup)
            put_mapping(out, v, &sums);
        first = first ? first : v->start;
        last = v->end;
    }
    rwlock_unlock(&mm->lock);
    free(hosts.items);
    mm_put(mm);
    if (!rollup)
        return 0;
    proc_printf(out, "%08lx-%08lx ---p 00000000 00:00 0 %34s[rollup]\n", (long)first, (long)last,
                "");
    put_sums(out, &total, false);
    return 0;
}

int proc_show_pid_smaps(const struct proc_node *n, struct proc_text *out)
{
    return show_pages(n, out, false);
}

int proc_show_pid_smaps_rollup(const struct proc_node *n, struct proc_text *out)
{
    return show_pages(n, out, true);
}
