/* The machine as the sandbox sees it: CPUs and memory, settled at boot. */
#pragma once

#include "sentry/base/types.h"

#define MACHINE_CPUS_MAX 1024u

/* machine_init() - ask the host, before the Sentry confines itself. `cpu_limit`: show at most so
 * many CPUs (a quota's worth), `memory_limit`: at most so many bytes; 0: as many as there are.
 * Return: 0, negative errno. */
int machine_init(u32 cpu_limit, u64 memory_limit);
/* machine_set() - the same from texts (tests): the host's /proc/cpuinfo and /proc/meminfo, and the
 * allowed CPUs, a bit each. */
int machine_set(const char *cpuinfo, const char *meminfo, const u64 *allowed, u32 words,
                u32 cpu_limit, u64 memory_limit);

/* machine_cpus() - how many CPUs there are, numbered from 0; at least 1. */
u32 machine_cpus(void);
/* machine_cpu_text() - what /proc/cpuinfo says of a CPU after its "processor" line; borrowed. */
const char *machine_cpu_text(u32 cpu);
/* machine_cpu_field() - a number out of that text, by its name ("core id"). Return: 0, -ENOENT. */
int machine_cpu_field(u32 cpu, const char *name, u64 *out);
/* machine_huge_pages() - when the host gives transparent huge pages, as /sys shows it ("always
 * [madvise] never\n"); `defrag`: when it works to have some. Borrowed. */
const char *machine_huge_pages(bool defrag);
/* machine_memory() - bytes of memory in all. */
u64 machine_memory(void);
