/* The process object: its table, names of capabilities and resource limits, and what it must have. */
#include "sentry/oci/oci_process.h"

#include "sentry/oci/oci_decode_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of Linux's numbers. */
static const struct oci_name capability_names[] = {
    {"CAP_CHOWN", 0},
    {"CAP_DAC_OVERRIDE", 1},
    {"CAP_DAC_READ_SEARCH", 2},
    {"CAP_FOWNER", 3},
    {"CAP_FSETID", 4},
    {"CAP_KILL", 5},
    {"CAP_SETGID", 6},
    {"CAP_SETUID", 7},
    {"CAP_SETPCAP", 8},
    {"CAP_LINUX_IMMUTABLE", 9},
    {"CAP_NET_BIND_SERVICE", 10},
    {"CAP_NET_BROADCAST", 11},
    {"CAP_NET_ADMIN", 12},
    {"CAP_NET_RAW", 13},
    {"CAP_IPC_LOCK", 14},
    {"CAP_IPC_OWNER", 15},
    {"CAP_SYS_MODULE", 16},
    {"CAP_SYS_RAWIO", 17},
    {"CAP_SYS_CHROOT", 18},
    {"CAP_SYS_PTRACE", 19},
    {"CAP_SYS_PACCT", 20},
    {"CAP_SYS_ADMIN", 21},
    {"CAP_SYS_BOOT", 22},
    {"CAP_SYS_NICE", 23},
    {"CAP_SYS_RESOURCE", 24},
    {"CAP_SYS_TIME", 25},
    {"CAP_SYS_TTY_CONFIG", 26},
    {"CAP_MKNOD", 27},
    {"CAP_LEASE", 28},
    {"CAP_AUDIT_WRITE", 29},
    {"CAP_AUDIT_CONTROL", 30},
    {"CAP_SETFCAP", 31},
    {"CAP_MAC_OVERRIDE", 32},
    {"CAP_MAC_ADMIN", 33},
    {"CAP_SYSLOG", 34},
    {"CAP_WAKE_ALARM", 35},
    {"CAP_BLOCK_SUSPEND", 36},
    {"CAP_AUDIT_READ", 37},
    {"CAP_PERFMON", 38},
    {"CAP_BPF", 39},
    {"CAP_CHECKPOINT_RESTORE", 40},
    {NULL, 0},
};

static const struct oci_name rlimit_names[] = {
    {"RLIMIT_CPU", 0},
    {"RLIMIT_FSIZE", 1},
    {"RLIMIT_DATA", 2},
    {"RLIMIT_STACK", 3},
    {"RLIMIT_CORE", 4},
    {"RLIMIT_RSS", 5},
    {"RLIMIT_NPROC", 6},
    {"RLIMIT_NOFILE", 7},
    {"RLIMIT_MEMLOCK", 8},
    {"RLIMIT_AS", 9},
    {"RLIMIT_LOCKS", 10},
    {"RLIMIT_SIGPENDING", 11},
    {"RLIMIT_MSGQUEUE", 12},
    {"RLIMIT_NICE", 13},
    {"RLIMIT_RTPRIO", 14},
    {"RLIMIT_RTTIME", 15},
    {NULL, 0},
};

/* The object that oci_process_parse() hands out: the process is its first member. */
struct owned_process {
    struct oci_process process;
    struct oci_memory_pool pool;
};

static const struct oci_field console_fields[] = {
    FIELD_INT(struct oci_process, "height", console_height, 0, UINT16_MAX),
    FIELD_INT(struct oci_process, "width", console_width, 0, UINT16_MAX),
};

/* Its members are in struct oci_process itself, so the field below is at offset 0. */
static const struct oci_shape console_shape = OCI_SHAPE(struct oci_process, console_fields, NULL);

static const struct oci_field user_fields[] = {
    FIELD_INT(struct oci_user, "uid", uid, 0, UINT32_MAX - 1),
    FIELD_INT(struct oci_user, "gid", gid, 0, UINT32_MAX - 1),
    FIELD_INT_SET(struct oci_user, "umask", umask, umask_set, 0, 0777),
    FIELD(struct oci_user, "additionalGids", additional_gids, OCI_IDS),
};

static int check_user(struct oci_decoder *d, void *object)
{
    const struct oci_user *user = object;

    for (size_t i = 0; i < user->additional_gids.count; i++)
        if (user->additional_gids.items[i] == UINT32_MAX)
            return oci_decode_fail_item(d, "additionalGids", i, "is no group id");
    return 0;
}

static const struct oci_shape user_shape = OCI_SHAPE(struct oci_user, user_fields, check_user);

#define CAPABILITY_SET(json, member) \
    FIELD_NAMES(struct oci_capabilities, json, member, OCI_NAME_SET, capability_names)

static const struct oci_field capabilities_fields[] = {
    CAPABILITY_SET("bounding", bounding),       CAPABILITY_SET("effective", effective),
    CAPABILITY_SET("inheritable", inheritable), CAPABILITY_SET("permitted", permitted),
    CAPABILITY_SET("ambient", ambient),
};

static const struct oci_shape capabilities_shape =
    OCI_SHAPE(struct oci_capabilities, capabilities_fields, NULL);

static const struct oci_field rlimit_fields[] = {
    FIELD_NAMES(struct oci_rlimit, "type", resource, OCI_ENUM, rlimit_names),
    FIELD_INT_REQUIRED(struct oci_rlimit, "soft", soft, 0, UINT64_MAX),
    FIELD_INT_REQUIRED(struct oci_rlimit, "hard", hard, 0, UINT64_MAX),
};

static int check_rlimit(struct oci_decoder *d, void *object)
{
    const struct oci_rlimit *limit = object;

    if (limit->soft > limit->hard)
        return oci_decode_fail(d, "soft", "is above the hard limit");
    return 0;
}

static const struct oci_shape rlimit_shape =
    OCI_SHAPE(struct oci_rlimit, rlimit_fields, check_rlimit);

static const struct oci_field process_fields[] = {
    FIELD(struct oci_process, "terminal", terminal, OCI_BOOL),
    {.name = "consoleSize", .kind = OCI_OBJECT, .set_offset = OCI_NO_SET, .sub = &console_shape},
    FIELD_SUB(struct oci_process, "user", user, OCI_OBJECT, user_shape),
    FIELD_REQUIRED(struct oci_process, "args", args, OCI_STRINGS),
    FIELD(struct oci_process, "env", env, OCI_STRINGS),
    FIELD_REQUIRED(struct oci_process, "cwd", cwd, OCI_STRING),
    FIELD_SUB_SET(struct oci_process, "capabilities", capabilities, capabilities.set,
                  capabilities_shape),
    FIELD_SUB(struct oci_process, "rlimits", rlimits, OCI_OBJECTS, rlimit_shape),
    FIELD(struct oci_process, "noNewPrivileges", no_new_privileges, OCI_BOOL),
    FIELD_INT_SET(struct oci_process, "oomScoreAdj", oom_score_adj, oom_score_adj_set, -1000, 1000),
    FIELD(struct oci_process, "apparmorProfile", apparmor_profile, OCI_STRING),
    FIELD(struct oci_process, "selinuxLabel", selinux_label, OCI_STRING),
    FIELD(struct oci_process, "scheduler", scheduler, OCI_RAW),
    FIELD(struct oci_process, "ioPriority", io_priority, OCI_RAW),
    FIELD(struct oci_process, "execCPUAffinity", exec_cpu_affinity, OCI_RAW),
};

static int check_process(struct oci_decoder *d, void *object)
{
    struct oci_process *process = object;
    u32 seen = 0;

    if (process->args.count == 0)
        return oci_decode_fail(d, "args", "is empty, must name the program to run");
    if (process->args.items[0][0] == '\0')
        return oci_decode_fail_item(d, "args", 0, "is empty, must name the program to run");
    if (process->cwd[0] != '/')
        return oci_decode_fail(d, "cwd", "must be an absolute path, is '%s'", process->cwd);
    for (size_t i = 0; i < process->rlimits.count; i++) {
        u32 bit = 1u << process->rlimits.items[i].resource;

        if (seen & bit)
            return oci_decode_fail_item(d, "rlimits", i, "limits the same resource again");
        seen |= bit;
    }
    return 0;
}

const struct oci_shape oci_process_shape =
    OCI_SHAPE(struct oci_process, process_fields, check_process);

int oci_process_parse(const char *text, size_t len, struct oci_process **out, struct oci_error *err)
{
    struct owned_process *owned = calloc(1, sizeof(*owned));
    int r;

    if (!owned) {
        snprintf(err->text, sizeof(err->text), "process: out of memory");
        return -ENOMEM;
    }
    r = oci_decode("process", text, len, &oci_process_shape, &owned->process, &owned->pool, err);
    if (r) {
        oci_process_free(&owned->process);
        return r;
    }
    owned->process.json = owned->pool.json;
    *out = &owned->process;
    return 0;
}

void oci_process_free(struct oci_process *process)
{
    struct owned_process *owned = (struct owned_process *)process;

    if (!owned)
        return;
    oci_pool_free(&owned->pool);
    free(owned);
}

int oci_capability_number(const char *name)
{
    for (const struct oci_name *n = capability_names; n->name; n++)
        if (strcmp(n->name, name) == 0)
            return n->value;
    return -1;
}

const char *oci_capability_name(unsigned int number)
{
    if (number >= ARRAY_SIZE(capability_names) - 1)
        return NULL;
    return capability_names[number].name;
}
