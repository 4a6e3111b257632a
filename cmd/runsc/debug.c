/* runsc debug: looks into a live sandbox. */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/verb.h"

#include <errno.h>
#include <json-c/json.h>

enum { OBJECTS, LOG_LEVEL, MOUNT, PID, PS, SIGNAL, STACKS, STRACE };

static const struct flag flags[] = {
    [OBJECTS] = {"objects", FLAG_BOOL, "false", "print how many kernel objects of each type live"},
    [LOG_LEVEL] = {"log-level", FLAG_STRING, "", "change the log level (not built yet)"},
    [MOUNT] = {"mount", FLAG_STRING, "", "mount into the container (not built yet)"},
    [PID] = {"pid", FLAG_INT, "0", "the sandbox by its pid (not built yet)"},
    [PS] = {"ps", FLAG_BOOL, "false", "list processes (not built yet; see the verb ps)"},
    [SIGNAL] = {"signal", FLAG_INT, "-1", "send a signal to the sandbox (not built yet)"},
    [STACKS] = {"stacks", FLAG_BOOL, "false", "print the sandbox's stacks (not built yet)"},
    [STRACE] = {"strace", FLAG_STRING, "", "system calls to trace from now on (not built yet)"},
};

/* print_objects() - a line `count type` each. */
static int print_objects(const struct container *c)
{
    auto_control_msg struct control_msg reply = {0};
    struct json_object *counts;
    int r = control_client_simple(c, "objects", &reply);

    if (r)
        return r;
    counts = control_msg_get(&reply, "objects");
    if (!json_object_is_type(counts, json_type_object))
        return error_set(-EBADMSG, "container \"%s\": the sandbox gave no counts of objects", c->id);
    json_object_object_foreach(counts, name, count)
        printf("%8lld %s\n", (long long)json_object_get_int64(count), name);
    return 0;
}

static int debug_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    auto_container struct container *c = NULL;
    int r;

    for (size_t i = OBJECTS + 1; i < ARRAY_SIZE(flags); i++)
        if (flag_given(set, i))
            return error_set(-EOPNOTSUPP, "not built yet: debug --%s", flags[i].name);
    if (!flag_bool(set, OBJECTS))
        return error_set(-EINVAL, "debug: nothing to do; use --objects");
    r = container_open(cli->root, argv[0], false, false, &c);
    if (!r)
        r = container_require(
            c, 1u << CONTAINER_CREATED | 1u << CONTAINER_RUNNING | 1u << CONTAINER_PAUSED, "debug");
    return r ? r : print_objects(c);
}

const struct verb debug_verb = {
    .name = "debug",
    .args = "<container id>",
    .help = "look into a live sandbox",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 1,
    .run = debug_run,
};
