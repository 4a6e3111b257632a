/*
 * linux.resources as text for files of a cgroup. Limits that are not given, and zeros where
 * callers write zero for "none", are left alone. A limit that was asked for and can't be set is an
 * error: a container without its limits is worse than none.
 */
#include "cmd/runsc/cgroup_limits.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One hierarchy's folder that is being written to. The first error is kept. */
struct writer {
    const char *dir;
    int error;
};

/* has() - does the hierarchy have this controller? */
static bool has(const struct cgroup_mount *mount, const char *controller)
{
    size_t len = strlen(controller);

    if (mount->v2)
        return false;
    for (const char *p = mount->controllers; *p;) {
        size_t n = strcspn(p, ",");

        if (n == len && memcmp(p, controller, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* put() - "linux.resources.<what>" becomes text in a file. */
static void put(struct writer *w, const char *what, const char *file, const char *text)
{
    auto_free char *path = NULL;
    int r;

    if (w->error)
        return;
    r = asprintf(&path, "%s/%s", w->dir, file) < 0 ? -ENOMEM : 0;
    if (!r)
        r = host_file_put(AT_FDCWD, path, text);
    if (r)
        w->error = error_errno(r, "config.json: linux.resources.%s: can't write '%s' to %s/%s",
                               what, text, w->dir, file);
}

static void put_i64(struct writer *w, const char *what, const char *file, s64 value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    put(w, what, file, text);
}

static void put_u64(struct writer *w, const char *what, const char *file, u64 value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    put(w, what, file, text);
}

static void put_opt_i64(struct writer *w, const char *what, const char *file, struct oci_opt_i64 v)
{
    if (v.set && v.value)
        put_i64(w, what, file, v.value);
}

static void put_opt_u64(struct writer *w, const char *what, const char *file, struct oci_opt_u64 v)
{
    if (v.set && v.value)
        put_u64(w, what, file, v.value);
}

static void put_text(struct writer *w, const char *what, const char *file, const char *text)
{
    if (text && *text)
        put(w, what, file, text);
}

u64 cgroup_limits_weight(u64 shares)
{
    if (shares < 2)
        shares = 2;
    if (shares > 262144)
        shares = 262144;
    return 1 + (shares - 2) * 9999 / 262142;
}

s64 cgroup_limits_pids(s64 limit)
{
    /* a task is up to two host threads; Sentry and gofer are in the same cgroup */
    return limit > INT32_MAX / 2 ? limit : 2 * limit + 64;
}

static void write_pids(struct writer *w, const struct oci_resources *r)
{
    if (r->pids_limit.set && r->pids_limit.value > 0)
        put_i64(w, "pids.limit", "pids.max", cgroup_limits_pids(r->pids_limit.value));
}

static void write_cpu_v1(struct writer *w, const struct oci_cpu *cpu)
{
    put_opt_u64(w, "cpu.shares", "cpu.shares", cpu->shares);
    put_opt_u64(w, "cpu.period", "cpu.cfs_period_us", cpu->period);
    put_opt_i64(w, "cpu.quota", "cpu.cfs_quota_us", cpu->quota);
    put_opt_u64(w, "cpu.burst", "cpu.cfs_burst_us", cpu->burst);
    put_opt_u64(w, "cpu.realtimePeriod", "cpu.rt_period_us", cpu->realtime_period);
    put_opt_i64(w, "cpu.realtimeRuntime", "cpu.rt_runtime_us", cpu->realtime_runtime);
    put_opt_i64(w, "cpu.idle", "cpu.idle", cpu->idle);
}

static void write_memory_v1(struct writer *w, const struct oci_memory *m)
{
    put_opt_i64(w, "memory.limit", "memory.limit_in_bytes", m->limit);
    put_opt_i64(w, "memory.swap", "memory.memsw.limit_in_bytes", m->swap);
    put_opt_i64(w, "memory.reservation", "memory.soft_limit_in_bytes", m->reservation);
    put_opt_i64(w, "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", m->kernel_tcp);
    if (m->swappiness.set && m->swappiness.value <= 100)
        put_u64(w, "memory.swappiness", "memory.swappiness", m->swappiness.value);
    if (m->disable_oom_killer)
        put(w, "memory.disableOOMKiller", "memory.oom_control", "1");
}

static void write_throttle(struct writer *w, const char *what, const char *file,
                           const struct oci_throttle_list *list, const char *v2_key)
{
    for (size_t i = 0; i < list->count; i++) {
        char text[96];

        snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s%s%" PRIu64, list->items[i].major,
                 list->items[i].minor, v2_key ? v2_key : "", v2_key ? "=" : "",
                 list->items[i].rate);
        put(w, what, file, text);
    }
}

static void write_block_io_v1(struct writer *w, const struct oci_block_io *io)
{
    put_opt_u64(w, "blockIO.weight", "blkio.weight", io->weight);
    write_throttle(w, "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device",
                   &io->read_bps, NULL);
    write_throttle(w, "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device",
                   &io->write_bps, NULL);
    write_throttle(w, "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
                   &io->read_iops, NULL);
    write_throttle(w, "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
                   &io->write_iops, NULL);
}

static void write_hugepages(struct writer *w, const struct oci_resources *r, const char *suffix)
{
    for (size_t i = 0; i < r->hugepages.count; i++) {
        char file[96];

        if (strchr(r->hugepages.items[i].page_size, '/'))
            continue;
        snprintf(file, sizeof(file), "hugetlb.%.32s.%s", r->hugepages.items[i].page_size, suffix);
        put_u64(w, "hugepageLimits", file, r->hugepages.items[i].limit);
    }
}

static void write_v1(struct writer *w, const struct cgroup_mount *mount,
                     const struct oci_resources *r)
{
    if (has(mount, "pids"))
        write_pids(w, r);
    if (has(mount, "cpu"))
        write_cpu_v1(w, &r->cpu);
    if (has(mount, "cpuset")) {
        put_text(w, "cpu.cpus", "cpuset.cpus", r->cpu.cpus);
        put_text(w, "cpu.mems", "cpuset.mems", r->cpu.mems);
    }
    if (has(mount, "memory"))
        write_memory_v1(w, &r->memory);
    if (has(mount, "blkio"))
        write_block_io_v1(w, &r->block_io);
    if (has(mount, "hugetlb"))
        write_hugepages(w, r, "limit_in_bytes");
}

/* put_max() - a v2 limit, where below zero is "max". */
static void put_max(struct writer *w, const char *what, const char *file, s64 value)
{
    if (value < 0)
        put(w, what, file, "max");
    else
        put_i64(w, what, file, value);
}

static void write_memory_v2(struct writer *w, const struct oci_memory *m)
{
    bool limited = m->limit.set && m->limit.value;

    if (limited)
        put_max(w, "memory.limit", "memory.max", m->limit.value);
    if (m->reservation.set && m->reservation.value)
        put_max(w, "memory.reservation", "memory.low", m->reservation.value);
    if (!m->swap.set || !m->swap.value)
        return;
    /* config.json counts memory and swap together, v2 swap alone */
    if (m->swap.value < 0)
        put(w, "memory.swap", "memory.swap.max", "max");
    else if (!limited || m->limit.value < 0 || m->swap.value < m->limit.value)
        w->error = w->error ? w->error
                            : error_set(-EINVAL, "config.json: linux.resources.memory.swap: must "
                                                 "be the sum of memory.limit and swap");
    else
        put_i64(w, "memory.swap", "memory.swap.max", m->swap.value - m->limit.value);
}

static void write_cpu_v2(struct writer *w, const struct oci_cpu *cpu)
{
    char text[64];

    if (cpu->shares.set && cpu->shares.value)
        put_u64(w, "cpu.shares", "cpu.weight", cgroup_limits_weight(cpu->shares.value));
    if ((cpu->quota.set && cpu->quota.value) || (cpu->period.set && cpu->period.value)) {
        u64 period = cpu->period.set && cpu->period.value ? cpu->period.value : 100000;

        if (cpu->quota.set && cpu->quota.value > 0)
            snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64, cpu->quota.value, period);
        else
            snprintf(text, sizeof(text), "max %" PRIu64, period);
        put(w, "cpu.quota", "cpu.max", text);
    }
    put_opt_u64(w, "cpu.burst", "cpu.max.burst", cpu->burst);
    put_opt_i64(w, "cpu.idle", "cpu.idle", cpu->idle);
    put_text(w, "cpu.cpus", "cpuset.cpus", cpu->cpus);
    put_text(w, "cpu.mems", "cpuset.mems", cpu->mems);
}

static void write_v2(struct writer *w, const struct oci_resources *r)
{
    write_pids(w, r);
    write_cpu_v2(w, &r->cpu);
    write_memory_v2(w, &r->memory);
    put_opt_u64(w, "blockIO.weight", "io.weight", r->block_io.weight);
    write_throttle(w, "blockIO.throttleReadBpsDevice", "io.max", &r->block_io.read_bps, "rbps");
    write_throttle(w, "blockIO.throttleWriteBpsDevice", "io.max", &r->block_io.write_bps, "wbps");
    write_throttle(w, "blockIO.throttleReadIOPSDevice", "io.max", &r->block_io.read_iops, "riops");
    write_throttle(w, "blockIO.throttleWriteIOPSDevice", "io.max", &r->block_io.write_iops,
                   "wiops");
    write_hugepages(w, r, "max");
    for (size_t i = 0; i < r->unified.count; i++) {
        const struct oci_pair *pair = &r->unified.items[i];

        if (strchr(pair->key, '/') || strncmp(pair->key, "cgroup.", 7) == 0)
            w->error = error_set(-EINVAL, "config.json: linux.resources.unified: '%s' is no limit",
                                 pair->key);
        put(w, "unified", pair->key, pair->value);
    }
}

/* is_bare() - is this v2 hierarchy the one without controllers beside those of v1? */
static bool is_bare(const struct cgroup_mount *mount, const char *dir)
{
    auto_free char *path = NULL, *text = NULL;

    return asprintf(&path, "%s/cgroup.controllers", dir) < 0 ||
           host_file_read(AT_FDCWD, path, 4096, &text, NULL) || !strstr(text, "memory");
}

int cgroup_limits_write(const struct cgroup_mount *mount, const char *dir,
                        const struct oci_resources *resources)
{
    struct writer w = {.dir = dir};

    if (!mount->v2)
        write_v1(&w, mount, resources);
    else if (!is_bare(mount, dir))
        write_v2(&w, resources);
    else if (resources->unified.count)
        return error_set(-EOPNOTSUPP, "config.json: linux.resources.unified: this host has no "
                                      "cgroup v2 controllers");
    return w.error;
}

static bool any_has(const struct cgroup_mounts *mounts, const char *controller)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct cgroup_mount *mount = &mounts->items[i];

        if (has(mount, controller) || (mount->v2 && !is_bare(mount, mount->path)))
            return true;
    }
    return false;
}

int cgroup_limits_check(const struct cgroup_mounts *mounts, const struct oci_resources *r)
{
    const struct {
        const char *what, *controller;
        bool wanted;
    } rows[] = {
        {"memory.limit", "memory", r->memory.limit.set && r->memory.limit.value > 0},
        {"pids.limit", "pids", r->pids_limit.set && r->pids_limit.value > 0},
        {"cpu.quota", "cpu", r->cpu.quota.set && r->cpu.quota.value > 0},
        {"cpu.cpus", "cpuset", r->cpu.cpus && *r->cpu.cpus},
        {"cpu.mems", "cpuset", r->cpu.mems && *r->cpu.mems},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].wanted && !any_has(mounts, rows[i].controller))
            return error_set(-ENOENT, "config.json: linux.resources.%s: this host has no %s cgroup",
                             rows[i].what, rows[i].controller);
    return 0;
}

bool cgroup_limits_any(const struct oci_resources *r)
{
    const struct oci_opt_i64 signed_[] = {r->memory.limit, r->memory.swap, r->memory.reservation,
                                          r->cpu.quota,    r->pids_limit,  r->cpu.idle};
    const struct oci_opt_u64 unsigned_[] = {r->cpu.shares, r->cpu.period, r->cpu.burst,
                                            r->block_io.weight};
    const size_t lists[] = {r->hugepages.count,          r->unified.count,
                            r->block_io.read_bps.count,  r->block_io.write_bps.count,
                            r->block_io.read_iops.count, r->block_io.write_iops.count};

    for (size_t i = 0; i < ARRAY_SIZE(signed_); i++)
        if (signed_[i].set && signed_[i].value)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(unsigned_); i++)
        if (unsigned_[i].set && unsigned_[i].value)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (lists[i])
            return true;
    return (r->cpu.cpus && *r->cpu.cpus) || (r->cpu.mems && *r->cpu.mems);
}
