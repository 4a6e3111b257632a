/* state.json: the record of a container, checked as anything read from a file is. */
#include "cmd/runsc/container_state.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#define STATE_VERSION   1
#define STATE_BYTES_MAX 65536

static struct json_object *member(struct json_object *json, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(json, name, &value);
    return value;
}

/* get_int() - Return: false if it isn't a number from 0 to @max. */
static bool get_int(struct json_object *json, const char *name, u64 max, u64 *out)
{
    struct json_object *value = member(json, name);

    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
        return false;
    *out = json_object_get_uint64(value);
    return *out <= max;
}

static bool get_bool(struct json_object *json, const char *name, bool *out)
{
    struct json_object *value = member(json, name);

    *out = json_object_get_boolean(value);
    return json_object_is_type(value, json_type_boolean);
}

static bool get_string(struct json_object *json, const char *name, char **out)
{
    struct json_object *value = member(json, name);

    if (!json_object_is_type(value, json_type_string))
        return false;
    free(*out);
    *out = strdup(json_object_get_string(value));
    return *out;
}

static bool get_process(struct json_object *json, const char *name, struct process_ref *out)
{
    struct json_object *value = member(json, name);
    u64 pid, start;

    if (!get_int(value, "pid", INT32_MAX, &pid) || !get_int(value, "start", UINT64_MAX, &start))
        return false;
    *out = (struct process_ref){(pid_t)pid, start};
    return true;
}

static bool get_status(struct json_object *json, enum container_status *out)
{
    const char *name = json_object_get_string(member(json, "status"));

    for (int i = CONTAINER_CREATING; name && i <= CONTAINER_STOPPED; i++) {
        if (strcmp(name, container_status_name((enum container_status)i)) == 0) {
            *out = (enum container_status)i;
            return true;
        }
    }
    return false;
}

static bool get_cgroups(struct json_object *json, struct container *c)
{
    struct json_object *list = member(json, "cgroups");
    size_t n;

    if (!json_object_is_type(list, json_type_array))
        return false;
    n = json_object_array_length(list);
    if (n > CONTAINER_CGROUPS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *path = json_object_get_string(json_object_array_get_idx(list, i));

        if (!path || path[0] != '/')
            return false;
        c->cgroups[i] = strdup(path);
        if (!c->cgroups[i])
            return false;
        c->cgroup_count++;
    }
    return true;
}

/* fill() - the struct from JSON. Return: what is wrong, or NULL. */
static const char *fill(struct container *c, struct json_object *json)
{
    u64 version, owner, first, count;

    if (!get_int(json, "version", UINT32_MAX, &version) || version != STATE_VERSION)
        return "version";
    if (!get_status(json, &c->status))
        return "status";
    if (!get_process(json, "creator", &c->creator))
        return "creator";
    if (!get_process(json, "sentry", &c->sentry))
        return "sentry";
    if (!get_process(json, "gofer", &c->gofer))
        return "gofer";
    if (!get_string(json, "bundle", &c->bundle))
        return "bundle";
    if (!get_string(json, "rootfs", &c->rootfs))
        return "rootfs";
    if (!get_string(json, "created", &c->created))
        return "created";
    if (!get_int(json, "owner", UINT32_MAX, &owner))
        return "owner";
    if (!get_int(json, "firstUid", UINT32_MAX, &first) || !get_int(json, "uidCount", 2, &count))
        return "firstUid";
    if (!get_bool(json, "poststart", &c->poststart) || !get_bool(json, "poststop", &c->poststop))
        return "poststart";
    if (!get_cgroups(json, c))
        return "cgroups";
    c->owner = (u32)owner;
    c->first_uid = (u32)first;
    c->uid_count = (u32)count;
    return NULL;
}

int container_state_load(struct container *c)
{
    auto_free char *text = NULL;
    struct json_object *json;
    const char *wrong = "it";
    int r = host_file_read(c->dir, "state.json", STATE_BYTES_MAX, &text, NULL);

    if (r == -ENOENT)
        return r;
    if (r)
        return error_errno(r, "can't read state.json");
    json = json_tokener_parse(text);
    if (json_object_is_type(json, json_type_object))
        wrong = fill(c, json);
    json_object_put(json);
    if (wrong)
        return error_set(-EUCLEAN, "state.json is damaged (%s); delete --force removes the rest",
                         wrong);
    return 0;
}

static void add_process(struct json_object *json, const char *name, const struct process_ref *ref)
{
    struct json_object *value = json_object_new_object();

    json_object_object_add(value, "pid", json_object_new_int(ref->pid));
    json_object_object_add(value, "start", json_object_new_uint64(ref->start));
    json_object_object_add(json, name, value);
}

static void add_string(struct json_object *json, const char *name, const char *value)
{
    json_object_object_add(json, name, json_object_new_string(value ? value : ""));
}

int container_state_save(const struct container *c)
{
    struct json_object *json = json_object_new_object(), *cgroups = json_object_new_array();
    const char *text;
    size_t len = 0;
    int r;

    if (!json || !cgroups)
        return -ENOMEM;
    json_object_object_add(json, "version", json_object_new_int(STATE_VERSION));
    add_string(json, "id", c->id);
    add_string(json, "status", container_status_name(c->status));
    add_process(json, "creator", &c->creator);
    add_process(json, "sentry", &c->sentry);
    add_process(json, "gofer", &c->gofer);
    add_string(json, "bundle", c->bundle);
    add_string(json, "rootfs", c->rootfs);
    add_string(json, "created", c->created);
    json_object_object_add(json, "owner", json_object_new_int64(c->owner));
    json_object_object_add(json, "firstUid", json_object_new_int64(c->first_uid));
    json_object_object_add(json, "uidCount", json_object_new_int64(c->uid_count));
    json_object_object_add(json, "poststart", json_object_new_boolean(c->poststart));
    json_object_object_add(json, "poststop", json_object_new_boolean(c->poststop));
    for (size_t i = 0; i < c->cgroup_count; i++)
        json_object_array_add(cgroups, json_object_new_string(c->cgroups[i]));
    json_object_object_add(json, "cgroups", cgroups);
    text = json_object_to_json_string_length(
        json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    r = text ? host_file_replace(c->dir, "state.json", text, len, 0600) : -ENOMEM;
    json_object_put(json);
    return r;
}
