/*
 * runsc run: create, start, wait and delete in one process. The Sentry is its child, whose exit
 * status is the container's.
 */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/creation.h"
#include "cmd/runsc/destruction.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/signal_relay.h"
#include "cmd/runsc/start.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

enum { DETACH = CREATION_FLAGS };

static const struct flag flags[] = {
    CREATION_FLAG_ROWS,
    [DETACH] = {"detach", FLAG_BOOL, "false", "leave when the container has started"},
};

/* wait_status() - of the Sentry's process, which is init's. */
static int wait_status(pid_t pid)
{
    int status;

    if (host_process_wait(pid, &status, true) < 0)
        return error_set(-ECHILD, "can't wait for the sandbox process");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* wait_for() - relays signals until init has ended. Return: its status or an error, error set. */
static int wait_for(struct creation *creation, int sock, int relay)
{
    struct container *c = creation->container;
    int r = signal_relay_wait(c, sock, relay, 0, creation->console.is_own), status;

    if (r < 0 && r != -ENOTCONN)
        log_warning("%s", error_text());
    log_debug("container \"%s\" has ended: %d", c->id, r);
    status = wait_status(creation->sentry.pid);
    log_debug("the sandbox process has ended: %d", status);
    if (r < 0 && status < 0)
        return status;
    return r >= 0 ? r : status;
}

/* remove_all() - a run leaves nothing. Return: @status, or an error if that wasn't one. */
static int remove_all(struct creation *creation, int status)
{
    auto_free char *line = strdup(error_text());
    int r, ignored;

    if (host_file_lock(creation->container->lock, LOCK_EX))
        log_warning("run: no lock on container \"%s\"", creation->container->id);
    r = destruction_run(creation->container);
    host_process_wait(creation->gofer.pid, &ignored, true);
    log_debug("all is removed");
    if (status < 0 && line)
        error_set(status, "%s", line);
    return status < 0 ? status : r ? r : status;
}

/* foreground() - Return: init's status, or an error, error set. */
static int foreground(struct creation *creation)
{
    struct container *c = creation->container;
    auto_fd int relay = signal_relay_open(), sock = -1;
    int r = relay < 0 ? error_errno(relay, "can't relay signals") : 0;

    if (!r)
        r = sock = control_client_connect(c);
    if (r >= 0)
        r = start_container(c);
    if (!r)
        r = creation_pid_file(creation);
    if (r)
        return remove_all(creation, r);
    host_file_lock(c->lock, LOCK_UN); /* exec, kill and the like go on meanwhile */
    return remove_all(creation, wait_for(creation, sock, relay));
}

/* background() - started, and left alone. */
static int background(struct creation *creation)
{
    int r = start_container(creation->container);

    if (!r)
        r = creation_pid_file(creation);
    return r ? remove_all(creation, r) : 0;
}

static int run_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    struct creation_options options = creation_options_from(set, argv[0]);
    struct creation creation;
    int r;

    options.detached = flag_bool(set, DETACH);
    r = creation_make(&creation, cli, &options);
    if (!r)
        r = flag_bool(set, DETACH) ? background(&creation) : foreground(&creation);
    creation_free(&creation);
    return r;
}

const struct verb run_verb = {
    .name = "run",
    .args = "<container id>",
    .help = "make a container, start it, wait for its end and remove it",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 1,
    .run = run_run,
};
