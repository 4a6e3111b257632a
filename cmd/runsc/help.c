/* runsc help [verb]. */
#include "cmd/runsc/error.h"
#include "cmd/runsc/verb.h"

#include <errno.h>

static int help_run(struct cli *cli, const struct flag_set *flags, int argc, char **argv)
{
    const struct verb *verb;

    if (argc == 0) {
        verb_overview(stdout);
        return 0;
    }
    verb = verb_find(argv[0]);
    if (!verb)
        return error_set(-EINVAL, "help: there is no verb '%s'; 'runsc help' lists them", argv[0]);
    verb_usage(stdout, verb);
    return 0;
}

const struct verb help_verb = {
    .name = "help",
    .args = "[verb]",
    .help = "say what runsc, or a verb of it, does",
    .max_args = 1,
    .run = help_run,
};
