/* Caches by CPUID: leaf 4 (Intel), leaf 0x8000001d (AMD), which are laid out alike. */
#include "sentry/kernel/cpu_cache.h"

#include <cpuid.h>
#include <errno.h>

enum { LEAF_INTEL = 4, TOPOLOGY_BIT = 22 };
#define LEAF_AMD     0x8000001du
#define LEAF_AMD_EXT 0x80000001u

/* leaf() - which of the two this CPU has; 0: none. */
static unsigned int leaf(void)
{
    unsigned int a, b, c, d;

    if (__get_cpuid_count(LEAF_INTEL, 0, &a, &b, &c, &d) && (a & 0x1f))
        return LEAF_INTEL;
    if (__get_cpuid(LEAF_AMD_EXT, &a, &b, &c, &d) && (c >> TOPOLOGY_BIT & 1) &&
        __get_cpuid_count(LEAF_AMD, 0, &a, &b, &c, &d) && (a & 0x1f))
        return LEAF_AMD;
    return 0;
}

int cpu_cache_get(u32 index, struct cpu_cache *out)
{
    static const char *const types[] = {NULL, "Data", "Instruction", "Unified"};
    unsigned int which = leaf(), a, b, c, d, sharing;

    if (!which || !__get_cpuid_count(which, index, &a, &b, &c, &d))
        return -ENOENT;
    if (!(a & 0x1f) || (a & 0x1f) >= ARRAY_SIZE(types))
        return -ENOENT;
    *out = (struct cpu_cache){.level = a >> 5 & 7,
                              .type = types[a & 0x1f],
                              .line = (b & 0xfff) + 1,
                              .partitions = (b >> 12 & 0x3ff) + 1,
                              .ways = (b >> 22) + 1,
                              .sets = c + 1};
    out->bytes = out->line * out->partitions * out->ways * out->sets;
    sharing = a >> 14 & 0xfff;
    out->share_shift = sharing ? 32 - (u32)__builtin_clz(sharing) : 0;
    return 0;
}
