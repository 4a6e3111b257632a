/*
 * /proc/meminfo and vmstat: the memory of the reader's container. What its processes have in memory
 * is asked of the host at each read; files' pages that nobody maps belong to the host's cache and
 * are not counted.
 */
#include "fs/proc/proc_priv.h"

#include "fs/tmpfs/tmpfs.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/usage.h"

#define KB            1024u
#define KERNEL_STACK  (16u * KB) /* of a thread, on Linux */
#define VMALLOC_TOTAL (0x7fffffffffull * KB)
#define HUGE_PAGE     (2048u * KB)

/* What both files are made from, in bytes. */
struct memory {
    struct usage_memory used;
    u64 free_bytes, available, tmpfs;
};

static void take(struct memory *m)
{
    u64 gone;

    *m = (struct memory){.used.total = machine_memory()};
    if (current)
        usage_memory(current->tg->container, &m->used);
    m->tmpfs = tmpfs_bytes();
    gone = m->used.anon + m->used.page_tables + m->tmpfs + m->used.file;
    m->free_bytes = m->used.total - min_of(gone, m->used.total);
    m->available = min_of(m->free_bytes + m->used.file, m->used.total);
}

static void put_kb(struct proc_text *out, const char *name, u64 bytes)
{
    proc_printf(out, "%-15s %8lu kB\n", name, (unsigned long)(bytes / KB));
}

int proc_show_meminfo(const struct proc_node *n, struct proc_text *out)
{
    struct memory m;
    const struct usage_memory *u = &m.used;

    take(&m);
    const struct {
        const char *name;
        u64 bytes;
    } rows[] = {
        {"MemTotal:", u->total},
        {"MemFree:", m.free_bytes},
        {"MemAvailable:", m.available},
        {"Buffers:", 0},
        {"Cached:", u->file + m.tmpfs},
        {"SwapCached:", 0},
        {"Active:", u->file},
        {"Inactive:", u->anon + m.tmpfs},
        {"Active(anon):", 0},
        {"Inactive(anon):", u->anon + m.tmpfs},
        {"Active(file):", u->file},
        {"Inactive(file):", 0},
        {"Unevictable:", 0},
        {"Mlocked:", 0},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Dirty:", 0},
        {"Writeback:", 0},
        {"AnonPages:", u->anon},
        {"Mapped:", u->file + u->shmem},
        {"Shmem:", m.tmpfs},
        {"KReclaimable:", 0},
        {"Slab:", 0},
        {"SReclaimable:", 0},
        {"SUnreclaim:", 0},
        {"KernelStack:", (u64)u->threads * KERNEL_STACK},
        {"PageTables:", u->page_tables},
        {"NFS_Unstable:", 0},
        {"Bounce:", 0},
        {"WritebackTmp:", 0},
        {"CommitLimit:", u->total / 2},
        {"Committed_AS:", u->committed + m.tmpfs},
        {"VmallocTotal:", VMALLOC_TOTAL},
        {"VmallocUsed:", 0},
        {"VmallocChunk:", 0},
        {"Percpu:", 0},
        {"AnonHugePages:", 0},
        {"ShmemHugePages:", 0},
        {"ShmemPmdMapped:", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        put_kb(out, rows[i].name, rows[i].bytes);
    proc_puts(out, "HugePages_Total:       0\nHugePages_Free:        0\n"
                   "HugePages_Rsvd:        0\nHugePages_Surp:        0\n");
    put_kb(out, "Hugepagesize:", HUGE_PAGE);
    put_kb(out, "Hugetlb:", 0);
    return 0;
}

int proc_show_vmstat(const struct proc_node *n, struct proc_text *out)
{
    struct memory m;
    const struct usage_memory *u = &m.used;

    take(&m);
    const struct {
        const char *name;
        u64 value;
    } rows[] = {
        {"nr_free_pages", m.free_bytes >> GUEST_PAGE_SHIFT},
        {"nr_inactive_anon", (u->anon + m.tmpfs) >> GUEST_PAGE_SHIFT},
        {"nr_active_anon", 0},
        {"nr_inactive_file", 0},
        {"nr_active_file", u->file >> GUEST_PAGE_SHIFT},
        {"nr_unevictable", 0},
        {"nr_mlock", 0},
        {"nr_anon_pages", u->anon >> GUEST_PAGE_SHIFT},
        {"nr_mapped", (u->file + u->shmem) >> GUEST_PAGE_SHIFT},
        {"nr_file_pages", (u->file + m.tmpfs) >> GUEST_PAGE_SHIFT},
        {"nr_dirty", 0},
        {"nr_writeback", 0},
        {"nr_shmem", m.tmpfs >> GUEST_PAGE_SHIFT},
        {"nr_kernel_stack", (u64)u->threads * (KERNEL_STACK / KB)},
        {"nr_page_table_pages", u->page_tables >> GUEST_PAGE_SHIFT},
        {"pgpgin", 0},
        {"pgpgout", 0},
        {"pswpin", 0},
        {"pswpout", 0},
        {"pgfault", u->min_flt + u->maj_flt},
        {"pgmajfault", u->maj_flt},
        {"oom_kill", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        proc_printf(out, "%s %lu\n", rows[i].name, (unsigned long)rows[i].value);
    return 0;
}

/* proc_show_node_meminfo() - what a node's directory in /sys says of it; there is one. */
int proc_show_node_meminfo(const struct proc_node *n, struct proc_text *out)
{
    struct memory m;

    take(&m);
    const struct {
        const char *name;
        u64 bytes;
    } rows[] = {
        {"MemTotal:", m.used.total},
        {"MemFree:", m.free_bytes},
        {"MemUsed:", m.used.total - m.free_bytes},
        {"FilePages:", m.used.file + m.tmpfs},
        {"Mapped:", m.used.file + m.used.shmem},
        {"AnonPages:", m.used.anon},
        {"Shmem:", m.tmpfs},
        {"PageTables:", m.used.page_tables},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        proc_printf(out, "Node 0 %-15s %8lu kB\n", rows[i].name,
                    (unsigned long)(rows[i].bytes / KB));
    return 0;
}
