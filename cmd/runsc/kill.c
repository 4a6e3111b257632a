/* runsc kill: a signal to a container's init, another process, a group, or all. */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/signal_name.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <signal.h>

enum { ALL, PID, PGID };

static const struct flag flags[] = {
    [ALL] = {"all", FLAG_BOOL, "false", "signal every process of the container"},
    [PID] = {"pid", FLAG_INT, "0", "signal this process; its pid inside the container"},
    [PGID] = {"pgid", FLAG_INT, "0", "signal this process group; its id inside the container"},
};

/* A sandbox that doesn't answer within this time is ended from outside if it is to be killed. */
#define KILL_TIMEOUT_MS 10000

/* end_sandbox() - SIGKILL from outside. */
static int end_sandbox(const struct container *c)
{
    auto_fd int fd = process_ref_open(&c->sentry);

    if (fd >= 0)
        host_process_signal(fd, SIGKILL);
    return 0;
}

/* kill_created() - nothing runs in there yet, so what would end init ends the sandbox. */
static int kill_created(const struct container *c, int signal)
{
    static const int deadly[] = {SIGKILL, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGABRT};

    for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
        if (signal == deadly[i])
            return end_sandbox(c);
    return 0;
}

/*
 * open_settled() - the container as it is when no create or start is under way: they hold the lock
 * until state.json says what became of it. To a created one SIGKILL makes no difference whether it
 * is being started, and it must not wait.
 */
static int open_settled(const char *root, const char *id, int signal, struct container **c)
{
    int r = container_open(root, id, false, false, c);
    enum container_status status = r ? CONTAINER_STOPPED : container_status(*c);

    if (status != CONTAINER_CREATING && (status != CONTAINER_CREATED || signal == SIGKILL))
        return r;
    container_close(*c);
    *c = NULL;
    return container_open(root, id, true, false, c);
}

static int ask_sentry(const struct container *c, const struct flag_set *set, int signal)
{
    auto_control_msg struct control_msg request = {0};
    s64 pid = flag_int(set, PID), pgid = flag_int(set, PGID);
    auto_fd int sock = control_client_connect(c);
    const char *mode = flag_bool(set, ALL) ? "all" : pgid ? "group" : "process";
    int r = sock < 0 ? sock : control_client_request(c, &request, "kill");

    if (!r)
        r = control_msg_set_int(&request, "signal", signal);
    if (!r)
        r = control_msg_set_string(&request, "mode", mode);
    if (!r && (pid || pgid))
        r = control_msg_set_int(&request, "pid", pgid ? pgid : pid);
    return r ? r : control_client_call(c, sock, &request, NULL, KILL_TIMEOUT_MS);
}

static int kill_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    auto_container struct container *c = NULL;
    int signal = signal_name_parse(argc > 1 ? argv[1] : "TERM"), r;
    bool whole = !flag_int(set, PID) && !flag_int(set, PGID);
    enum container_status status;

    if (signal < 0)
        return error_set(signal, "kill: there is no signal '%s'", argv[1]);
    if (flag_int(set, PID) < 0 || flag_int(set, PGID) < 0)
        return error_set(-EINVAL, "kill: --pid and --pgid take ids above 0");
    if ((flag_int(set, PID) != 0) + (flag_int(set, PGID) != 0) + flag_bool(set, ALL) > 1)
        return error_set(-EINVAL, "kill: use one of --all, --pid and --pgid");
    r = open_settled(cli->root, argv[0], signal, &c);
    if (r)
        return r;
    status = container_status(c);
    if (status == CONTAINER_STOPPED && flag_bool(set, ALL))
        return 0;
    r = container_require(
        c, 1u << CONTAINER_CREATED | 1u << CONTAINER_RUNNING | 1u << CONTAINER_PAUSED, "kill");
    if (r)
        return r;
    if (status == CONTAINER_CREATED && whole)
        return kill_created(c, signal);
    r = ask_sentry(c, set, signal);
    if (r == -ETIMEDOUT && whole && signal == SIGKILL)
        return end_sandbox(c);
    return r;
}

const struct verb kill_verb = {
    .name = "kill",
    .args = "<container id> [signal]",
    .help = "send a signal to a container; SIGTERM by default",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 2,
    .run = kill_run,
};
