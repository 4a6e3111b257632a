/*
 * oci_linux.h: the "linux" object of config.json as struct oci_linux. Strings and lists belong to
 * the struct oci_spec around it.
 */
#pragma once

#include "sentry/oci/oci_process.h"

/* Kinds of namespaces, in the order of names in oci_linux.c. */
enum oci_namespace_type {
    OCI_NS_PID,
    OCI_NS_NETWORK,
    OCI_NS_MOUNT,
    OCI_NS_IPC,
    OCI_NS_UTS,
    OCI_NS_USER,
    OCI_NS_CGROUP,
    OCI_NS_TIME,
    OCI_NS_COUNT,
};

struct oci_namespace {
    int32_t type;     /* enum oci_namespace_type */
    const char *path; /* NULL: a new one */
};

struct oci_id_mapping {
    uint32_t container_id, host_id, size;
};

struct oci_id_mappings {
    size_t count;
    struct oci_id_mapping *items;
};

struct oci_device {
    const char *path;
    int32_t type; /* c (also for u), b or p, a character */
    int64_t major, minor;
    bool file_mode_set;
    uint32_t file_mode;
    uint32_t uid, gid;
};

struct oci_device_rule {
    bool allow;
    int32_t type;                    /* a, c or b, a character */
    struct oci_opt_i64 major, minor; /* not set: any */
    const char *access;              /* NULL: rwm */
};

struct oci_memory {
    struct oci_opt_i64 limit, reservation, swap, kernel, kernel_tcp;
    struct oci_opt_u64 swappiness;
    bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
    struct oci_opt_u64 shares, burst, period, realtime_period;
    struct oci_opt_i64 quota, realtime_runtime, idle;
    const char *cpus, *mems; /* NULL: not given */
};

struct oci_weight_device {
    int64_t major, minor;
    struct oci_opt_u64 weight, leaf_weight;
};

struct oci_throttle_device {
    int64_t major, minor;
    uint64_t rate;
};

struct oci_throttle_list {
    size_t count;
    struct oci_throttle_device *items;
};

struct oci_block_io {
    struct oci_opt_u64 weight, leaf_weight;
    struct {
        size_t count;
        struct oci_weight_device *items;
    } weight_devices;
    struct oci_throttle_list read_bps, write_bps, read_iops, write_iops;
};

struct oci_hugepage_limit {
    const char *page_size;
    uint64_t limit;
};

struct oci_interface_priority {
    const char *name;
    uint32_t priority;
};

struct oci_rdma {
    const char *device;
    struct oci_opt_u64 handles, objects;
};

struct oci_resources {
    struct {
        size_t count;
        struct oci_device_rule *items;
    } devices;
    struct oci_memory memory;
    struct oci_cpu cpu;
    struct oci_opt_i64 pids_limit;
    struct oci_block_io block_io;
    struct {
        size_t count;
        struct oci_hugepage_limit *items;
    } hugepages;
    struct oci_opt_u64 net_class;
    struct {
        size_t count;
        struct oci_interface_priority *items;
    } net_priorities;
    struct {
        size_t count;
        struct oci_rdma *items;
    } rdma;
    struct oci_map unified;
};

struct oci_time_offset {
    const char *clock; /* "monotonic" or "boottime" */
    int64_t secs;
    uint32_t nanosecs;
};

struct oci_linux {
    bool set;
    struct {
        size_t count;
        struct oci_namespace *items;
    } namespaces;
    struct oci_id_mappings uid_mappings, gid_mappings;
    struct {
        size_t count;
        struct oci_device *items;
    } devices;
    const char *cgroups_path; /* NULL: not given */
    struct oci_resources resources;
    struct oci_map sysctl;
    struct oci_strings masked_paths, readonly_paths;
    const char *rootfs_propagation; /* NULL: not given */
    const char *mount_label;        /* NULL: not given */
    struct {
        size_t count;
        struct oci_time_offset *items;
    } time_offsets;
    const char *personality_domain; /* NULL: not given */
    struct oci_strings personality_flags;
    struct json_object *seccomp, *intel_rdt; /* NULL: not given */
};
