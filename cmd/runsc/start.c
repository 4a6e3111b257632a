/* runsc start: the Sentry builds the mount tree and the first task. */
#include "cmd/runsc/start.h"

#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/hook.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <string.h>

/* end_sandbox() - a start has failed: the container is stopped now. The error line stays. */
static void end_sandbox(const struct container *c)
{
    auto_fd int fd = process_ref_open(&c->sentry);

    if (fd < 0)
        return;
    host_process_signal(fd, SIGKILL);
    host_process_gone(fd, 10000);
}

/* explain() - callers look for these words to tell a missing program from other failures. */
static int explain(int error, const struct oci_spec *spec)
{
    auto_free char *line = strdup(error_text());
    const char *program = spec->process.args.items[0];

    if (!line)
        return error;
    if (error == -ENOENT && !strchr(program, '/'))
        return error_set(error, "%s: exec: \"%s\": executable file not found in $PATH", line,
                         program);
    if (error == -ENOENT && !strstr(line, "no such file"))
        return error_set(error, "%s: exec: \"%s\": no such file or directory", line, program);
    if ((error == -EACCES || error == -EPERM) && !strstr(line, "permission denied"))
        return error_set(error, "%s: exec: \"%s\": permission denied", line, program);
    return error;
}

static void run_poststart(const struct container *c, const struct oci_spec *spec)
{
    auto_free char *state = NULL;

    if (!spec->poststart.count)
        return;
    state = hook_state(c, CONTAINER_RUNNING);
    if (state)
        hook_run_best_effort("poststart", &spec->poststart, state, c->bundle);
}

int start_container(struct container *c)
{
    struct oci_spec *spec = NULL;
    int r = container_require(c, 1u << CONTAINER_CREATED, "start");

    if (!r)
        r = container_spec(c, &spec);
    if (r)
        return r;
    r = control_client_simple(c, "start", NULL);
    log_debug("start of container \"%s\": %d", c->id, r);
    if (r) {
        r = explain(r, spec);
        end_sandbox(c);
    } else {
        c->status = CONTAINER_RUNNING;
        r = container_save(c);
        run_poststart(c, spec);
    }
    oci_spec_free(spec);
    return r;
}

static int start_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    auto_container struct container *c = NULL;
    int r = container_open(cli->root, argv[0], true, false, &c);

    return r ? r : start_container(c);
}

const struct verb start_verb = {
    .name = "start",
    .args = "<container id>",
    .help = "start a created container",
    .min_args = 1,
    .max_args = 1,
    .run = start_run,
};
