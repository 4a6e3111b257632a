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
static int explain(int error, const struct container *c)
{
    auto_free char *line = strdup(error_text());
    struct oci_spec *spec = NULL;
    const char *program;

    if (!line || container_spec(c, &spec))
        return line ? error_set(error, "%s", line) : error;
    program = spec->process_set ? spec->process.args.items[0] : "";
    if (error == -ENOENT && !strchr(program, '/') && !strstr(line, "executable file not found"))
        error_set(error, "%s: exec: \"%s\": executable file not found in $PATH", line, program);
    else if (error == -ENOENT && strchr(program, '/') && !strstr(line, "no such file"))
        error_set(error, "%s: exec: \"%s\": no such file or directory", line, program);
    else if ((error == -EACCES || error == -EPERM) && !strstr(line, "permission denied"))
        error_set(error, "%s: exec: \"%s\": permission denied", line, program);
    oci_spec_free(spec);
    return error;
}

static void run_poststart(const struct container *c)
{
    auto_free char *state = NULL;
    struct oci_spec *spec = NULL;

    if (!c->poststart || container_spec(c, &spec))
        return;
    state = hook_state(c, CONTAINER_RUNNING);
    if (state)
        hook_run_best_effort("poststart", &spec->poststart, state, c->bundle);
    oci_spec_free(spec);
}

int start_container(struct container *c)
{
    int r = container_require(c, 1u << CONTAINER_CREATED, "start");

    if (r)
        return r;
    r = control_client_simple(c, "start", NULL);
    log_debug("start of container \"%s\": %d", c->id, r);
    if (r) {
        r = explain(r, c);
        end_sandbox(c);
        return r;
    }
    c->status = CONTAINER_RUNNING;
    r = container_save(c);
    run_poststart(c);
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
