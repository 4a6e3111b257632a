/* runsc state: the OCI state of a container. */
#include "cmd/runsc/container.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/verb.h"

#include <errno.h>
#include <json-c/json.h>

static int state_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    auto_container struct container *c = NULL;
    struct json_object *json;
    int r = container_open(cli->root, argv[0], false, false, &c);

    if (r)
        return r;
    json = container_state_json(c, container_status(c));
    if (!json)
        return error_set(-ENOMEM, "out of memory");
    puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(json);
    return 0;
}

const struct verb state_verb = {
    .name = "state",
    .args = "<container id>",
    .help = "print the state of a container as JSON",
    .min_args = 1,
    .max_args = 1,
    .run = state_run,
};
