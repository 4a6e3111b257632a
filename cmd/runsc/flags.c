/* runsc flags: the global flags. */
#include "cmd/runsc/verb.h"

static int flags_run(struct cli *cli, const struct flag_set *flags, int argc, char **argv)
{
    flag_print(stdout, global_flags_table, GLOBAL_COUNT);
    return 0;
}

const struct verb flags_verb = {
    .name = "flags",
    .args = "",
    .help = "list the global flags",
    .run = flags_run,
};
