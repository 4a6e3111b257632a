/* Makes the process object of an exec. What isn't said is as it is for the container's init. */
#include "cmd/runsc/exec_process.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"
#include "sentry/oci/oci_spec.h"
#include "sentry/oci/oci_support.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static void warn(void *arg, const char *line)
{
    log_warning("%s", line);
}

static struct json_object *strings(const char *const *items)
{
    struct json_object *list = json_object_new_array();

    for (; *items; items++)
        json_object_array_add(list, json_object_new_string(*items));
    return list;
}

/* parse_id() - a decimal id that ends at @stop or the end. */
static bool parse_id(const char *text, char stop, u32 *out, const char **rest)
{
    char *end;
    unsigned long long n;

    if (*text < '0' || *text > '9')
        return false;
    n = strtoull(text, &end, 10);
    if (n >= UINT32_MAX || (*end && *end != stop))
        return false;
    *out = (u32)n;
    *rest = *end ? end + 1 : NULL;
    return true;
}

/* set_user() - --user and --additional-gids. */
static int set_user(struct json_object *process, const char *user, const char *const *gids)
{
    struct json_object *json = json_object_new_object(), *list = json_object_new_array();
    const char *rest = NULL, *none;
    u32 uid, gid = 0, id;

    json_object_object_add(json, "additionalGids", list);
    json_object_object_add(process, "user", json);
    if (!parse_id(user, ':', &uid, &rest) || (rest && !parse_id(rest, '\0', &gid, &none)))
        return error_set(-EINVAL, "exec: --user must be UID or UID:GID in numbers, is '%s'", user);
    json_object_object_add(json, "uid", json_object_new_int64(uid));
    json_object_object_add(json, "gid", json_object_new_int64(gid));
    for (; *gids; gids++) {
        if (!parse_id(*gids, '\0', &id, &none))
            return error_set(-EINVAL, "exec: --additional-gids must be a number, is '%s'", *gids);
        json_object_array_add(list, json_object_new_int64(id));
    }
    return 0;
}

/* set_caps() - --cap: these and no others. */
static int set_caps(struct json_object *process, const char *const *caps)
{
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    struct json_object *json = json_object_new_object();

    json_object_object_add(process, "capabilities", json);
    for (const char *const *cap = caps; *cap; cap++)
        if (oci_capability_number(*cap) < 0)
            return error_set(-EINVAL, "exec: --cap: there is no capability '%s'", *cap);
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        json_object_object_add(json, sets[i], strings(caps));
    return 0;
}

/* add_env() - --env after what there is; a later one of the same name wins inside. */
static void add_env(struct json_object *process, const char *const *env)
{
    struct json_object *list = NULL;

    if (!*env)
        return;
    if (!json_object_object_get_ex(process, "env", &list)) {
        list = json_object_new_array();
        json_object_object_add(process, "env", list);
    }
    for (; *env; env++)
        json_object_array_add(list, json_object_new_string(*env));
}

/* from_flags() - config.json's process with what the flags change. */
static int from_flags(const struct container *c, const struct exec_request *request, char **text)
{
    struct oci_spec *spec = NULL;
    struct json_object *process;
    int r = container_spec(c, &spec);

    if (r)
        return r;
    process = spec->process.json;
    json_object_object_add(process, "args", strings((const char *const *)request->args));
    json_object_object_add(process, "terminal", json_object_new_boolean(request->tty));
    json_object_object_del(process, "consoleSize");
    if (*request->cwd)
        json_object_object_add(process, "cwd", json_object_new_string(request->cwd));
    if (request->no_new_privs)
        json_object_object_add(process, "noNewPrivileges", json_object_new_boolean(true));
    add_env(process, request->env);
    if (*request->user)
        r = set_user(process, request->user, request->gids);
    else if (*request->gids)
        r = error_set(-EINVAL, "exec: --additional-gids needs --user");
    if (!r && *request->caps)
        r = set_caps(process, request->caps);
    if (!r)
        *text = strdup(json_object_to_json_string_ext(process, JSON_C_TO_STRING_PLAIN));
    oci_spec_free(spec);
    return r ? r : *text ? 0 : error_set(-ENOMEM, "out of memory");
}

int exec_process_make(const struct container *c, const struct exec_request *request, char **text,
                      struct console_wish *wish)
{
    struct oci_process *process;
    auto_free char *made = NULL;
    struct oci_error err;
    size_t len = 0;
    int r;

    if (!*request->file) {
        r = from_flags(c, request, &made);
        len = made ? strlen(made) : 0;
    } else {
        r = host_file_read(AT_FDCWD, request->file, OCI_TEXT_MAX, &made, &len);
        if (r)
            error_errno(r, "exec: can't read %s", request->file);
    }
    if (r)
        return r;
    r = oci_process_parse(made, len, &process, &err);
    if (r)
        return error_set(r, "exec: %s", err.text);
    *wish = (struct console_wish){.terminal = process->terminal,
                                  .rows = process->console_height,
                                  .cols = process->console_width};
    r = oci_support_check_process(process, warn, NULL, &err);
    oci_process_free(process);
    if (r)
        return error_set(r, "exec: %s", err.text);
    *text = take(made);
    return 0;
}
