/* runsc create: a sandbox and a container in it, with nothing started. */
#include "cmd/runsc/creation.h"

static const struct flag flags[] = {CREATION_FLAG_ROWS};

static int create_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    struct creation_options options = creation_options_from(set, argv[0]);
    struct creation creation;
    int r;

    options.detached = true;
    r = creation_make(&creation, cli, &options);

    if (!r) {
        r = container_save(creation.container);
        if (!r)
            r = creation_pid_file(&creation);
        if (r)
            creation_undo(&creation);
    }
    creation_free(&creation);
    return r;
}

const struct verb create_verb = {
    .name = "create",
    .args = "<container id>",
    .help = "make a container without starting it",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 1,
    .run = create_run,
};
