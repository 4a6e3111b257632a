/* runsc pause and resume: every task is held at its next system call boundary, or let go. */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/verb.h"

/* change() - from one status to the other by the op of that name. */
static int change(struct cli *cli, const char *id, const char *op, enum container_status from,
                  enum container_status to)
{
    auto_container struct container *c = NULL;
    int r = container_open(cli->root, id, true, false, &c);

    if (!r)
        r = container_require(c, 1u << from, op);
    if (!r)
        r = control_client_simple(c, op, NULL);
    if (r)
        return r;
    c->status = to;
    return container_save(c);
}

static int pause_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    return change(cli, argv[0], "pause", CONTAINER_RUNNING, CONTAINER_PAUSED);
}

static int resume_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    return change(cli, argv[0], "resume", CONTAINER_PAUSED, CONTAINER_RUNNING);
}

const struct verb pause_verb = {
    .name = "pause",
    .args = "<container id>",
    .help = "hold all processes of a container",
    .min_args = 1,
    .max_args = 1,
    .run = pause_run,
};

const struct verb resume_verb = {
    .name = "resume",
    .args = "<container id>",
    .help = "let a paused container go on",
    .min_args = 1,
    .max_args = 1,
    .run = resume_run,
};
