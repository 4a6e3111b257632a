/* The whole of config.json: its top-level table, hooks, and rules that span its parts. */
#include "sentry/oci/oci_spec.h"

#include "sentry/oci/oci_decode_priv.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The object that oci_spec_parse() hands out: the spec is its first member. */
struct owned_spec {
    struct oci_spec spec;
    struct oci_memory_pool pool;
};

static const struct oci_field hook_fields[] = {
    FIELD_REQUIRED(struct oci_hook, "path", path, OCI_STRING),
    FIELD(struct oci_hook, "args", args, OCI_STRINGS),
    FIELD(struct oci_hook, "env", env, OCI_STRINGS),
    FIELD_OPT_I64(struct oci_hook, "timeout", timeout),
};

static int check_hook(struct oci_decoder *d, void *object)
{
    const struct oci_hook *hook = object;

    if (hook->path[0] != '/')
        return oci_decode_fail(d, "path", "must be an absolute path, is '%s'", hook->path);
    if (hook->timeout.set && (hook->timeout.value < 1 || hook->timeout.value > INT32_MAX))
        return oci_decode_fail(d, "timeout", "must be a number of seconds above 0");
    return 0;
}

static const struct oci_shape hook_shape = OCI_SHAPE(struct oci_hook, hook_fields, check_hook);

#define HOOKS(json, member) FIELD_SUB(struct oci_spec, json, member, OCI_OBJECTS, hook_shape)

/* Objects of few members that are kept in struct oci_spec itself (offset 0). */
static const struct oci_field hooks_fields[] = {
    HOOKS("prestart", prestart),
    HOOKS("createRuntime", create_runtime),
    HOOKS("createContainer", create_container),
    HOOKS("startContainer", start_container),
    HOOKS("poststart", poststart),
    HOOKS("poststop", poststop),
};
static const struct oci_shape hooks_shape = OCI_SHAPE(struct oci_spec, hooks_fields, NULL);

static const struct oci_field root_fields[] = {
    FIELD_REQUIRED(struct oci_spec, "path", root_path, OCI_STRING),
    FIELD(struct oci_spec, "readonly", root_readonly, OCI_BOOL),
};
static const struct oci_shape root_shape = OCI_SHAPE(struct oci_spec, root_fields, NULL);

static const struct oci_field spec_fields[] = {
    FIELD_REQUIRED(struct oci_spec, "ociVersion", oci_version, OCI_STRING),
    FIELD_SUB_SET(struct oci_spec, "process", process, process_set, oci_process_shape),
    {.name = "root",
     .kind = OCI_OBJECT,
     .required = true,
     .set_offset = OCI_NO_SET,
     .sub = &root_shape},
    FIELD(struct oci_spec, "hostname", hostname, OCI_STRING),
    FIELD(struct oci_spec, "domainname", domainname, OCI_STRING),
    FIELD_SUB(struct oci_spec, "mounts", mounts, OCI_OBJECTS, oci_mount_shape),
    {.name = "hooks", .kind = OCI_OBJECT, .set_offset = OCI_NO_SET, .sub = &hooks_shape},
    FIELD(struct oci_spec, "annotations", annotations, OCI_MAP),
    FIELD_SUB_SET(struct oci_spec, "linux", linux_, linux_.set, oci_linux_shape),
};

/* check_version() - 1.x.y with anything after it, as in 1.0.2-dev. */
static int check_version(struct oci_decoder *d, const char *version)
{
    unsigned int major, minor, patch;

    if (sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) != 3)
        return oci_decode_fail(d, "ociVersion", "must be a version like 1.1.0, is '%s'", version);
    if (major != 1)
        return oci_decode_fail(d, "ociVersion", "is '%s'; versions 1.x are understood", version);
    return 0;
}

static int check_spec(struct oci_decoder *d, void *object)
{
    const struct oci_spec *spec = object;
    int r = check_version(d, spec->oci_version);

    if (r)
        return r;
    if (spec->root_path[0] == '\0')
        return oci_decode_fail(d, "root.path", "is empty");
    /* HOST_NAME_MAX, and what setdomainname(2) takes */
    if (spec->hostname && strlen(spec->hostname) > 64)
        return oci_decode_fail(d, "hostname", "is longer than 64 bytes");
    if (spec->domainname && strlen(spec->domainname) > 64)
        return oci_decode_fail(d, "domainname", "is longer than 64 bytes");
    if ((spec->linux_.uid_mappings.count || spec->linux_.gid_mappings.count) &&
        !oci_spec_namespace(spec, OCI_NS_USER))
        return oci_decode_fail(d, "linux.namespaces",
                               "has no user namespace, but there are uidMappings or gidMappings");
    return 0;
}

static const struct oci_shape spec_shape = OCI_SHAPE(struct oci_spec, spec_fields, check_spec);

int oci_spec_parse(const char *text, size_t len, struct oci_spec **out, struct oci_error *err)
{
    struct owned_spec *owned = calloc(1, sizeof(*owned));
    int r;

    if (!owned) {
        snprintf(err->text, sizeof(err->text), "config.json: out of memory");
        return -ENOMEM;
    }
    r = oci_decode("config.json", text, len, &spec_shape, &owned->spec, &owned->pool, err);
    if (r) {
        oci_spec_free(&owned->spec);
        return r;
    }
    owned->spec.json = owned->pool.json;
    json_object_object_get_ex(owned->pool.json, "process", &owned->spec.process.json);
    *out = &owned->spec;
    return 0;
}

void oci_spec_free(struct oci_spec *spec)
{
    struct owned_spec *owned = (struct owned_spec *)spec;

    if (!owned)
        return;
    oci_pool_free(&owned->pool);
    free(owned);
}

const struct oci_namespace *oci_spec_namespace(const struct oci_spec *spec,
                                               enum oci_namespace_type type)
{
    for (size_t i = 0; i < spec->linux_.namespaces.count; i++)
        if (spec->linux_.namespaces.items[i].type == (s32)type)
            return &spec->linux_.namespaces.items[i];
    return NULL;
}

const char *oci_spec_annotation(const struct oci_spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->annotations.count; i++)
        if (strcmp(spec->annotations.items[i].key, key) == 0)
            return spec->annotations.items[i].value;
    return NULL;
}
