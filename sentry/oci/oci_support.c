/*
 * The one table of what is not, or only partly, honoured. A row names a JSON path, the condition
 * on the value there under which it holds, and what then happens. To honour a thing more: delete
 * its row.
 */
#include "sentry/oci/oci_support.h"

#include "sentry/base/types.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum verdict { REFUSED, WARNED };

struct support_row {
    const char *path; /* dots between members; "[]" after a name: each element */
    bool (*holds)(struct json_object *value);
    enum verdict verdict;
    const char *why;
    unsigned int condition; /* 0: always */
};

/* Where a check is in its walk, for the error line. */
struct support_walk {
    const char *what;
    const struct support_row *row;
    oci_warn_fn warn;
    void *arg;
    struct oci_error *err;
    char path[200];
};

/* given() - there, and not empty, zero or false. */
static bool given(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null: return false;
    case json_type_boolean: return json_object_get_boolean(value);
    case json_type_int: return json_object_get_int64(value) != 0;
    case json_type_double: return true;
    case json_type_string: return json_object_get_string_len(value) > 0;
    case json_type_array: return json_object_array_length(value) > 0;
    case json_type_object: return json_object_object_length(value) > 0;
    }
    return true;
}

static bool is_one_of(struct json_object *value, const char *const *names)
{
    const char *s = json_object_get_string(value);

    for (; s && *names; names++)
        if (strcmp(s, *names) == 0)
            return true;
    return false;
}

static const char *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value))
        return "";
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static bool unknown_capability(struct json_object *value)
{
    return oci_capability_number(json_object_get_string(value)) < 0;
}

static bool is_idmap(struct json_object *value)
{
    static const char *const names[] = {"idmap", "ridmap", NULL};

    return is_one_of(value, names);
}

static bool is_shared(struct json_object *value)
{
    static const char *const names[] = {"shared", "rshared", NULL};

    return is_one_of(value, names);
}

static bool is_foreign_type(struct json_object *value)
{
    static const char *const names[] = {
        "",       "none",   "bind",   "tmpfs",   "proc",     "sysfs",
        "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs", NULL,
    };

    return !is_one_of(value, names);
}

/* Network namespaces are joined; others are the sandbox's own. */
static bool joins_other(struct json_object *ns)
{
    return *member(ns, "path") && strcmp(member(ns, "type"), "network") != 0;
}

static bool is_linux32(struct json_object *value)
{
    return strcmp(json_object_get_string(value), "LINUX") != 0;
}

/* The devices that every container has anyway. */
static bool is_host_device(struct json_object *device)
{
    static const char *const names[] = {
        "/dev/null", "/dev/zero",    "/dev/full", "/dev/random", "/dev/urandom",
        "/dev/tty",  "/dev/console", "/dev/ptmx", NULL,
    };
    struct json_object *path = NULL;

    return json_object_object_get_ex(device, "path", &path) && !is_one_of(path, names);
}

#define NOT_YET "not built yet: "

/* The process rows are without "process." in front; both callers use them. */
static const struct support_row process_rows[] = {
    {"scheduler", given, REFUSED, NOT_YET "scheduling policies", 0},
    {"ioPriority", given, REFUSED, NOT_YET "I/O priorities", 0},
    {"execCPUAffinity", given, REFUSED, NOT_YET "CPU affinity at exec", 0},
    {"apparmorProfile", given, WARNED, "has no meaning inside a sandbox", 0},
    {"selinuxLabel", given, WARNED, "has no meaning inside a sandbox", 0},
    {"capabilities.bounding[]", unknown_capability, WARNED, "unknown capability", 0},
};

static const struct support_row spec_rows[] = {
    {"mounts[].type", is_foreign_type, REFUSED, "this file system can't be mounted in a sandbox",
     0},
    {"mounts[].options[]", is_idmap, REFUSED, NOT_YET "idmapped mounts", 0},
    {"mounts[].options[]", is_shared, REFUSED, NOT_YET "mounts that propagate to the host", 0},
    {"mounts[].uidMappings", given, REFUSED, NOT_YET "idmapped mounts", 0},
    {"mounts[].gidMappings", given, REFUSED, NOT_YET "idmapped mounts", 0},
    {"hooks.startContainer", given, REFUSED, NOT_YET "hooks that run inside the container", 0},
    {"linux.namespaces[]", joins_other, REFUSED,
     "only a network namespace can be joined; a sandbox has its own of the others", 0},
    {"linux.devices[]", is_host_device, WARNED, "host devices can't be used in a sandbox", 0},
    {"linux.intelRdt", given, REFUSED, NOT_YET "cache and bandwidth allocation", 0},
    {"linux.personality.domain", is_linux32, REFUSED, NOT_YET "other personalities", 0},
    {"linux.timeOffsets", given, REFUSED, NOT_YET "time offsets", 0},
    {"linux.seccomp", given, REFUSED, NOT_YET "enforcing the container's seccomp profile",
     OCI_SUPPORT_SECCOMP},
    {"linux.rootfsPropagation", is_shared, WARNED, "the root file system does not propagate to the host", 0},
    {"linux.mountLabel", given, WARNED, "has no meaning inside a sandbox", 0},
    {"linux.resources.network.classID", given, WARNED, NOT_YET "network classes", 0},
    {"linux.resources.network.priorities", given, WARNED, NOT_YET "network priorities", 0},
    {"linux.resources.rdma", given, WARNED, "no RDMA inside a sandbox", 0},
};

/* decide() - the row's condition holds at walk->path. */
static int decide(struct support_walk *walk)
{
    char line[512];

    snprintf(line, sizeof(line), "%s: %s: %s", walk->what, walk->path, walk->row->why);
    if (walk->row->verdict == WARNED) {
        if (walk->warn)
            walk->warn(walk->arg, line);
        return 0;
    }
    snprintf(walk->err->text, sizeof(walk->err->text), "%s", line);
    return -EOPNOTSUPP;
}

static int visit(struct support_walk *walk, struct json_object *value, const char *path, size_t at);

/* visit_items() - each element of an array; the path is written from `at`. */
static int visit_items(struct support_walk *walk, struct json_object *value, const char *path,
                       size_t at)
{
    size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

    for (size_t i = 0; i < n; i++) {
        int len = snprintf(walk->path + at, sizeof(walk->path) - at, "[%zu]", i);
        int r = visit(walk, json_object_array_get_idx(value, i), path, at + (size_t)len);

        if (r)
            return r;
    }
    return 0;
}

static int visit(struct support_walk *walk, struct json_object *value, const char *path, size_t at)
{
    struct json_object *next = NULL;
    char name[64];
    size_t n;
    int len;

    if (!value)
        return 0;
    if (strncmp(path, "[]", 2) == 0)
        return visit_items(walk, value, path + 2, at);
    if (*path == '\0')
        return walk->row->holds(value) ? decide(walk) : 0;
    path += *path == '.';
    n = strcspn(path, ".[");
    len = snprintf(name, sizeof(name), "%.*s", (int)n, path);
    if (len >= (int)sizeof(name) || !json_object_is_type(value, json_type_object) ||
        !json_object_object_get_ex(value, name, &next))
        return 0;
    len = snprintf(walk->path + at, sizeof(walk->path) - at, "%s%s", at ? "." : "", name);
    return visit(walk, next, path + n, at + (size_t)len);
}

static int visit_rows(struct support_walk *walk, const struct support_row *rows, size_t count,
                      struct json_object *json, const char *prefix, unsigned int conditions)
{
    for (size_t i = 0; i < count; i++) {
        int r;

        if (rows[i].condition && !(rows[i].condition & conditions))
            continue;
        walk->row = &rows[i];
        snprintf(walk->path, sizeof(walk->path), "%s", prefix);
        r = visit(walk, json, rows[i].path, strlen(prefix));
        if (r)
            return r;
    }
    return 0;
}

int oci_support_check(const struct oci_spec *spec, unsigned int conditions, oci_warn_fn warn,
                      void *arg, struct oci_error *err)
{
    struct support_walk walk = {.what = "config.json", .warn = warn, .arg = arg, .err = err};
    int r = visit_rows(&walk, process_rows, ARRAY_SIZE(process_rows), spec->process.json, "process",
                       conditions);

    if (r)
        return r;
    return visit_rows(&walk, spec_rows, ARRAY_SIZE(spec_rows), spec->json, "", conditions);
}

int oci_support_check_process(const struct oci_process *process, oci_warn_fn warn, void *arg,
                              struct oci_error *err)
{
    struct support_walk walk = {.what = "process", .warn = warn, .arg = arg, .err = err};

    return visit_rows(&walk, process_rows, ARRAY_SIZE(process_rows), process->json, "", 0);
}
