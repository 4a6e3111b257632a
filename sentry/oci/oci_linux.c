/* The "linux" object of config.json: its tables, and what types and ranges can't say about it. */
#include "sentry/oci/oci_linux.h"

#include "sentry/oci/oci_decode_priv.h"

#include <errno.h>
#include <string.h>

static const struct oci_name namespace_names[] = {
    {"pid", OCI_NS_PID},   {"network", OCI_NS_NETWORK}, {"mount", OCI_NS_MOUNT},
    {"ipc", OCI_NS_IPC},   {"uts", OCI_NS_UTS},         {"user", OCI_NS_USER},
    {"time", OCI_NS_TIME}, {"cgroup", OCI_NS_CGROUP},   {NULL, 0},
};

static const struct oci_field namespace_fields[] = {
    FIELD_NAMES(struct oci_namespace, "type", type, OCI_ENUM, namespace_names),
    FIELD(struct oci_namespace, "path", path, OCI_STRING),
};

static int check_namespace(struct oci_decoder *d, void *object)
{
    struct oci_namespace *ns = object;

    if (ns->path && ns->path[0] == '\0')
        ns->path = NULL;
    if (ns->path && ns->path[0] != '/')
        return oci_decode_fail(d, "path", "must be an absolute path, is '%s'", ns->path);
    return 0;
}

static const struct oci_shape namespace_shape =
    OCI_SHAPE(struct oci_namespace, namespace_fields, check_namespace);

static const struct oci_field id_mapping_fields[] = {
    FIELD_INT_REQUIRED(struct oci_id_mapping, "containerID", container_id, 0, UINT32_MAX - 1),
    FIELD_INT_REQUIRED(struct oci_id_mapping, "hostID", host_id, 0, UINT32_MAX - 1),
    FIELD_INT_REQUIRED(struct oci_id_mapping, "size", size, 1, UINT32_MAX),
};

static int check_id_mapping(struct oci_decoder *d, void *object)
{
    const struct oci_id_mapping *m = object;

    if (m->size > UINT32_MAX - m->container_id || m->size > UINT32_MAX - m->host_id)
        return oci_decode_fail(d, "size", "leads beyond the last id");
    return 0;
}

const struct oci_shape oci_id_mapping_shape =
    OCI_SHAPE(struct oci_id_mapping, id_mapping_fields, check_id_mapping);

/* Device types are single characters in the structs. */
static const struct oci_name device_names[] = {
    {"c", 'c'}, {"u", 'c'}, {"b", 'b'}, {"p", 'p'}, {NULL, 0},
};

static const struct oci_field device_fields[] = {
    FIELD_REQUIRED(struct oci_device, "path", path, OCI_STRING),
    FIELD_NAMES(struct oci_device, "type", type, OCI_ENUM, device_names),
    FIELD_INT(struct oci_device, "major", major, 0, INT64_MAX),
    FIELD_INT(struct oci_device, "minor", minor, 0, INT64_MAX),
    FIELD_INT_SET(struct oci_device, "fileMode", file_mode, file_mode_set, 0, 0177777),
    FIELD_INT(struct oci_device, "uid", uid, 0, UINT32_MAX - 1),
    FIELD_INT(struct oci_device, "gid", gid, 0, UINT32_MAX - 1),
};

static int check_device(struct oci_decoder *d, void *object)
{
    const struct oci_device *device = object;

    if (device->path[0] != '/')
        return oci_decode_fail(d, "path", "must be an absolute path, is '%s'", device->path);
    return 0;
}

static const struct oci_shape device_shape =
    OCI_SHAPE(struct oci_device, device_fields, check_device);

static const struct oci_name rule_names[] = {
    {"a", 'a'}, {"c", 'c'}, {"u", 'c'}, {"b", 'b'}, {"", 'a'}, {NULL, 0},
};

static const struct oci_field rule_fields[] = {
    FIELD_REQUIRED(struct oci_device_rule, "allow", allow, OCI_BOOL),
    {.name = "type",
     .kind = OCI_ENUM,
     .offset = offsetof(struct oci_device_rule, type),
     .set_offset = OCI_NO_SET,
     .names = rule_names},
    FIELD_OPT_I64(struct oci_device_rule, "major", major),
    FIELD_OPT_I64(struct oci_device_rule, "minor", minor),
    FIELD(struct oci_device_rule, "access", access, OCI_STRING),
};

static int check_rule(struct oci_decoder *d, void *object)
{
    struct oci_device_rule *rule = object;

    if (!rule->type)
        rule->type = 'a';
    if (rule->access && rule->access[0] == '\0')
        rule->access = NULL;
    if (rule->access && rule->access[strspn(rule->access, "rwm")])
        return oci_decode_fail(d, "access", "must be made of r, w and m, is '%s'", rule->access);
    return 0;
}

static const struct oci_shape rule_shape =
    OCI_SHAPE(struct oci_device_rule, rule_fields, check_rule);

static const struct oci_field memory_fields[] = {
    FIELD_OPT_I64(struct oci_memory, "limit", limit),
    FIELD_OPT_I64(struct oci_memory, "reservation", reservation),
    FIELD_OPT_I64(struct oci_memory, "swap", swap),
    FIELD_OPT_I64(struct oci_memory, "kernel", kernel),
    FIELD_OPT_I64(struct oci_memory, "kernelTCP", kernel_tcp),
    FIELD_OPT_U64(struct oci_memory, "swappiness", swappiness),
    FIELD(struct oci_memory, "disableOOMKiller", disable_oom_killer, OCI_BOOL),
    FIELD(struct oci_memory, "useHierarchy", use_hierarchy, OCI_BOOL),
    FIELD(struct oci_memory, "checkBeforeUpdate", check_before_update, OCI_BOOL),
};
static const struct oci_shape memory_shape = OCI_SHAPE(struct oci_memory, memory_fields, NULL);

static const struct oci_field cpu_fields[] = {
    FIELD_OPT_U64(struct oci_cpu, "shares", shares),
    FIELD_OPT_I64(struct oci_cpu, "quota", quota),
    FIELD_OPT_U64(struct oci_cpu, "burst", burst),
    FIELD_OPT_U64(struct oci_cpu, "period", period),
    FIELD_OPT_I64(struct oci_cpu, "realtimeRuntime", realtime_runtime),
    FIELD_OPT_U64(struct oci_cpu, "realtimePeriod", realtime_period),
    FIELD_OPT_I64(struct oci_cpu, "idle", idle),
    FIELD(struct oci_cpu, "cpus", cpus, OCI_STRING),
    FIELD(struct oci_cpu, "mems", mems, OCI_STRING),
};
static const struct oci_shape cpu_shape = OCI_SHAPE(struct oci_cpu, cpu_fields, NULL);

static const struct oci_field weight_fields[] = {
    FIELD_INT_REQUIRED(struct oci_weight_device, "major", major, INT64_MIN, INT64_MAX),
    FIELD_INT_REQUIRED(struct oci_weight_device, "minor", minor, INT64_MIN, INT64_MAX),
    FIELD_OPT_U64(struct oci_weight_device, "weight", weight),
    FIELD_OPT_U64(struct oci_weight_device, "leafWeight", leaf_weight),
};
static const struct oci_shape weight_shape =
    OCI_SHAPE(struct oci_weight_device, weight_fields, NULL);

static const struct oci_field throttle_fields[] = {
    FIELD_INT_REQUIRED(struct oci_throttle_device, "major", major, INT64_MIN, INT64_MAX),
    FIELD_INT_REQUIRED(struct oci_throttle_device, "minor", minor, INT64_MIN, INT64_MAX),
    FIELD_INT_REQUIRED(struct oci_throttle_device, "rate", rate, 0, UINT64_MAX),
};
static const struct oci_shape throttle_shape =
    OCI_SHAPE(struct oci_throttle_device, throttle_fields, NULL);

#define BLOCK_LIST(json, member, shape) \
    FIELD_SUB(struct oci_block_io, json, member, OCI_OBJECTS, shape)

static const struct oci_field block_io_fields[] = {
    FIELD_OPT_U64(struct oci_block_io, "weight", weight),
    FIELD_OPT_U64(struct oci_block_io, "leafWeight", leaf_weight),
    BLOCK_LIST("weightDevice", weight_devices, weight_shape),
    BLOCK_LIST("throttleReadBpsDevice", read_bps, throttle_shape),
    BLOCK_LIST("throttleWriteBpsDevice", write_bps, throttle_shape),
    BLOCK_LIST("throttleReadIOPSDevice", read_iops, throttle_shape),
    BLOCK_LIST("throttleWriteIOPSDevice", write_iops, throttle_shape),
};
static const struct oci_shape block_io_shape =
    OCI_SHAPE(struct oci_block_io, block_io_fields, NULL);

static const struct oci_field hugepage_fields[] = {
    FIELD_REQUIRED(struct oci_hugepage_limit, "pageSize", page_size, OCI_STRING),
    FIELD_INT_REQUIRED(struct oci_hugepage_limit, "limit", limit, 0, UINT64_MAX),
};
static const struct oci_shape hugepage_shape =
    OCI_SHAPE(struct oci_hugepage_limit, hugepage_fields, NULL);

static const struct oci_field priority_fields[] = {
    FIELD_REQUIRED(struct oci_interface_priority, "name", name, OCI_STRING),
    FIELD_INT_REQUIRED(struct oci_interface_priority, "priority", priority, 0, UINT32_MAX),
};
static const struct oci_shape priority_shape =
    OCI_SHAPE(struct oci_interface_priority, priority_fields, NULL);

static const struct oci_field rdma_fields[] = {
    FIELD_OPT_U64(struct oci_rdma, "hcaHandles", handles),
    FIELD_OPT_U64(struct oci_rdma, "hcaObjects", objects),
};
static const struct oci_shape rdma_shape = OCI_SHAPE(struct oci_rdma, rdma_fields, NULL);

/* Objects of one or two members, which are kept in struct oci_resources itself (offset 0). */
static const struct oci_field pids_fields[] = {
    FIELD_OPT_I64(struct oci_resources, "limit", pids_limit),
};
static const struct oci_shape pids_shape = OCI_SHAPE(struct oci_resources, pids_fields, NULL);

static const struct oci_field network_fields[] = {
    FIELD_OPT_U64(struct oci_resources, "classID", net_class),
    FIELD_SUB(struct oci_resources, "priorities", net_priorities, OCI_OBJECTS, priority_shape),
};
static const struct oci_shape network_shape = OCI_SHAPE(struct oci_resources, network_fields, NULL);

static const struct oci_field resources_fields[] = {
    FIELD_SUB(struct oci_resources, "devices", devices, OCI_OBJECTS, rule_shape),
    FIELD_SUB(struct oci_resources, "memory", memory, OCI_OBJECT, memory_shape),
    FIELD_SUB(struct oci_resources, "cpu", cpu, OCI_OBJECT, cpu_shape),
    {.name = "pids", .kind = OCI_OBJECT, .set_offset = OCI_NO_SET, .sub = &pids_shape},
    {.name = "network", .kind = OCI_OBJECT, .set_offset = OCI_NO_SET, .sub = &network_shape},
    FIELD_SUB(struct oci_resources, "blockIO", block_io, OCI_OBJECT, block_io_shape),
    FIELD_SUB(struct oci_resources, "hugepageLimits", hugepages, OCI_OBJECTS, hugepage_shape),
    FIELD_SUB(struct oci_resources, "rdma", rdma, OCI_OBJECT_MAP, rdma_shape),
    FIELD(struct oci_resources, "unified", unified, OCI_MAP),
};
static const struct oci_shape resources_shape =
    OCI_SHAPE(struct oci_resources, resources_fields, NULL);

static const struct oci_field offset_fields[] = {
    FIELD_INT(struct oci_time_offset, "secs", secs, INT64_MIN, INT64_MAX),
    FIELD_INT(struct oci_time_offset, "nanosecs", nanosecs, 0, 999999999),
};
static const struct oci_shape offset_shape = OCI_SHAPE(struct oci_time_offset, offset_fields, NULL);

static const struct oci_field personality_fields[] = {
    FIELD_REQUIRED(struct oci_linux, "domain", personality_domain, OCI_STRING),
    FIELD(struct oci_linux, "flags", personality_flags, OCI_STRINGS),
};
static const struct oci_shape personality_shape =
    OCI_SHAPE(struct oci_linux, personality_fields, NULL);

static const struct oci_field linux_fields[] = {
    FIELD_SUB(struct oci_linux, "namespaces", namespaces, OCI_OBJECTS, namespace_shape),
    FIELD_SUB(struct oci_linux, "uidMappings", uid_mappings, OCI_OBJECTS, oci_id_mapping_shape),
    FIELD_SUB(struct oci_linux, "gidMappings", gid_mappings, OCI_OBJECTS, oci_id_mapping_shape),
    FIELD_SUB(struct oci_linux, "devices", devices, OCI_OBJECTS, device_shape),
    FIELD(struct oci_linux, "cgroupsPath", cgroups_path, OCI_STRING),
    FIELD_SUB(struct oci_linux, "resources", resources, OCI_OBJECT, resources_shape),
    FIELD(struct oci_linux, "sysctl", sysctl, OCI_MAP),
    FIELD(struct oci_linux, "maskedPaths", masked_paths, OCI_STRINGS),
    FIELD(struct oci_linux, "readonlyPaths", readonly_paths, OCI_STRINGS),
    FIELD(struct oci_linux, "rootfsPropagation", rootfs_propagation, OCI_STRING),
    FIELD(struct oci_linux, "mountLabel", mount_label, OCI_STRING),
    FIELD_SUB(struct oci_linux, "timeOffsets", time_offsets, OCI_OBJECT_MAP, offset_shape),
    {.name = "personality",
     .kind = OCI_OBJECT,
     .set_offset = OCI_NO_SET,
     .sub = &personality_shape},
    FIELD(struct oci_linux, "seccomp", seccomp, OCI_RAW),
    FIELD(struct oci_linux, "intelRdt", intel_rdt, OCI_RAW),
};

static int check_absolute(struct oci_decoder *d, const char *name, const struct oci_strings *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        if (paths->items[i][0] != '/')
            return oci_decode_fail_item(d, name, i, "must be an absolute path, is '%s'",
                                        paths->items[i]);
    return 0;
}

static int check_namespaces(struct oci_decoder *d, const struct oci_linux *l)
{
    u32 seen = 0;

    for (size_t i = 0; i < l->namespaces.count; i++) {
        s32 type = l->namespaces.items[i].type;

        if (seen & 1u << type)
            return oci_decode_fail_item(d, "namespaces", i, "names the same type again");
        seen |= 1u << type;
    }
    return 0;
}

static int check_linux(struct oci_decoder *d, void *object)
{
    static const char *const propagations[] = {
        "",        "shared", "slave",    "private",     "unbindable",
        "rshared", "rslave", "rprivate", "runbindable",
    };
    const struct oci_linux *l = object;
    bool known = !l->rootfs_propagation;
    int r = check_namespaces(d, l);

    if (!r)
        r = check_absolute(d, "maskedPaths", &l->masked_paths);
    if (!r)
        r = check_absolute(d, "readonlyPaths", &l->readonly_paths);
    if (r)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(propagations) && !known; i++)
        known = strcmp(l->rootfs_propagation, propagations[i]) == 0;
    if (!known)
        return oci_decode_fail(d, "rootfsPropagation", "unknown value '%s'", l->rootfs_propagation);
    for (size_t i = 0; i < l->time_offsets.count; i++) {
        const char *clock = l->time_offsets.items[i].clock;

        if (strcmp(clock, "monotonic") != 0 && strcmp(clock, "boottime") != 0)
            return oci_decode_fail(d, "timeOffsets", "unknown clock '%s'", clock);
    }
    return 0;
}

const struct oci_shape oci_linux_shape = OCI_SHAPE(struct oci_linux, linux_fields, check_linux);
