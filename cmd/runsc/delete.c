/* runsc delete: removes what is left of containers. */
#include "cmd/runsc/destruction.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/verb.h"

#include <errno.h>

enum { FORCE };

static const struct flag flags[] = {
    [FORCE] = {"force", FLAG_BOOL, "false",
               "end a running container first; one that is missing "
               "is no error"},
};

static int delete_one(struct cli *cli, const char *id, bool force)
{
    auto_container struct container *c = NULL;
    int r = container_open(cli->root, id, true, force, &c);

    if (r == -ENOENT && force)
        return 0;
    if (!r && !force)
        r = container_require(c, 1u << CONTAINER_STOPPED | 1u << CONTAINER_CREATED, "delete");
    return r ? r : destruction_run(c);
}

static int delete_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    int result = 0;

    for (int i = 0; i < argc; i++) {
        int r = delete_one(cli, argv[i], flag_bool(set, FORCE));

        if (r && result)
            fprintf(stderr, "%s\n", error_text());
        result = r ? r : result;
    }
    return result;
}

const struct verb delete_verb = {
    .name = "delete",
    .args = "<container id> ...",
    .help = "remove stopped containers",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = -1,
    .run = delete_run,
};
