/* CPUs and memory; see machine.h. Written once at boot, read without locks. */
#include "sentry/kernel/machine.h"

#include "sentry/base/clean.h"
#include "sentry/base/host_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MASK_WORDS      (MACHINE_CPUS_MAX / 64)
#define CPUINFO_BYTES   (4u << 20)
#define MEMINFO_BYTES   16384u
#define HUGE_PAGE_BYTES 256u
#define MEMORY_DEFAULT  (1ull << 30) /* if the host doesn't say */

static u32 cpus = 1;
static char *cpu_texts[MACHINE_CPUS_MAX]; /* NULL: none known */
static u64 memory = MEMORY_DEFAULT;
static char *huge_pages[2]; /* enabled, defrag; NULL: the host has none */

/* field() - the number behind "name:" at a line's start. Return: 0, -ENOENT. */
static int field(const char *text, const char *name, u64 *out)
{
    size_t len = strlen(name);

    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, name, len) != 0)
            continue;
        *out = strtoull(p + len + strspn(p + len, " \t:"), NULL, 10);
        return 0;
    }
    return -ENOENT;
}

/* take_block() - keep one CPU's block ("processor : N" and what follows up to an empty line). */
static int take_block(const char *block, size_t len, u32 cpu)
{
    const char *nl = memchr(block, '\n', len);
    size_t head = nl ? (size_t)(nl + 1 - block) : len;

    cpu_texts[cpu] = strndup(block + head, len - head);
    return cpu_texts[cpu] ? 0 : -ENOMEM;
}

static int parse_cpuinfo(const char *text, const u64 *allowed, u32 words, u32 most)
{
    u32 n = 0;

    while (*text && n < most) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end + 1 - text) : strlen(text);
        u64 host;

        if (strncmp(text, "processor", strlen("processor")) == 0 &&
            field(text, "processor", &host) == 0 && host / 64 < words &&
            (allowed[host / 64] >> host % 64 & 1)) {
            if (take_block(text, len, n++) < 0)
                return -ENOMEM;
        }
        text += end ? len + 1 : len;
    }
    return 0;
}

int machine_set(const char *cpuinfo, const char *meminfo, const u64 *allowed, u32 words,
                u32 cpu_limit, u64 memory_limit)
{
    u32 n = 0;
    u64 kb;

    for (u32 i = 0; i < words; i++)
        n += (u32)__builtin_popcountll(allowed[i]);
    if (cpu_limit)
        n = min_of(n, cpu_limit);
    cpus = min_of(max_of(n, 1u), MACHINE_CPUS_MAX);
    memory = field(meminfo, "MemTotal", &kb) == 0 ? kb * 1024 : MEMORY_DEFAULT;
    if (memory_limit)
        memory = min_of(memory, memory_limit);
    for (u32 i = 0; i < MACHINE_CPUS_MAX; i++) {
        free(cpu_texts[i]);
        cpu_texts[i] = NULL;
    }
    return parse_cpuinfo(cpuinfo, allowed, words, cpus);
}

/* read_huge_pages() - a host without them has no such files. */
static void read_huge_pages(void)
{
    static const char *const paths[2] = {"/sys/kernel/mm/transparent_hugepage/enabled",
                                         "/sys/kernel/mm/transparent_hugepage/defrag"};

    for (int i = 0; i < 2; i++) {
        free(huge_pages[i]);
        if (host_text_file(paths[i], HUGE_PAGE_BYTES, &huge_pages[i]) < 0)
            huge_pages[i] = NULL;
    }
}

int machine_init(u32 cpu_limit, u64 memory_limit)
{
    auto_free char *cpuinfo = NULL;
    auto_free char *meminfo = NULL;
    u64 allowed[MASK_WORDS];
    int n = host_cpus_allowed(allowed, MASK_WORDS);
    ssize_t len;

    if (n < 0)
        return n;
    len = host_text_file("/proc/cpuinfo", CPUINFO_BYTES, &cpuinfo);
    if (len >= 0)
        len = host_text_file("/proc/meminfo", MEMINFO_BYTES, &meminfo);
    if (len < 0)
        return (int)len;
    read_huge_pages();
    return machine_set(cpuinfo, meminfo, allowed, MASK_WORDS, cpu_limit, memory_limit);
}

u32 machine_cpus(void)
{
    return cpus;
}

const char *machine_cpu_text(u32 cpu)
{
    return cpu < cpus && cpu_texts[cpu] ? cpu_texts[cpu] : "";
}

u64 machine_memory(void)
{
    return memory;
}

int machine_cpu_field(u32 cpu, const char *name, u64 *out)
{
    return field(machine_cpu_text(cpu), name, out);
}

const char *machine_huge_pages(bool defrag)
{
    return huge_pages[defrag] ? huge_pages[defrag] : "always madvise [never]\n";
}
