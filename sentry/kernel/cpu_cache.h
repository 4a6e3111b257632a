/* The CPU's caches, as the CPU itself describes them. */
#pragma once

#include "sentry/base/types.h"

struct cpu_cache {
    u32 level, bytes, line, ways, sets, partitions;
    u32 share_shift;  /* CPUs whose APIC ids are alike from this bit on share it */
    const char *type; /* "Data", "Instruction", "Unified" */
};

/* cpu_cache_get() - cache number `index` from 0. Return: 0, -ENOENT: there are no more. */
int cpu_cache_get(u32 index, struct cpu_cache *out);
