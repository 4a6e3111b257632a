/* What a container has and uses, as /proc, sysinfo(2) and the scheduler's calls tell it. */
#pragma once

#include "sentry/base/types.h"

struct container;
struct pid_ns;

/* container_cpus() - CPUs that it sees: the machine's, or what its quota is worth if that is less. */
u32 container_cpus(const struct container *c);
/* container_memory() - its memory in bytes, and what is free of it at least: memory that processes
 * have made writable counts as used, whether they have touched it or not. */
void container_memory(struct container *c, u64 *total, u64 *free_bytes);

/* usage_memory() - what is in memory of all its processes, in bytes; where the host can't be asked
 * (sentry/mm/observer.h), what they have mapped. A page that processes share counts for each. A
 * round trip for each process. */
struct usage_memory {
    u64 total, anon, file, shmem, page_tables, swap, committed;
    u64 min_flt, maj_flt; /* page faults since boot */
    u32 threads;
};
void usage_memory(struct container *c, struct usage_memory *out);

struct usage_tasks {
    u32 total, running, groups;
};
/* usage_tasks() - tasks that ns sees. */
void usage_tasks(struct pid_ns *ns, struct usage_tasks *out);
/* usage_cpu() - CPU time in ns of all its processes, reaped ones too. */
void usage_cpu(struct pid_ns *ns, u64 *utime_ns, u64 *stime_ns);
/* usage_load() - load averages over 1, 5, 15 minutes, in 65,536ths. They are brought forward when
 * somebody asks, with the tasks that run then: nothing wakes up to count. */
void usage_load(struct pid_ns *ns, u64 load[3]);
