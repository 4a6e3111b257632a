/*
 * runsc exec: a further process in a running container. In the foreground this process waits for
 * it; detached, a small process of ours does (exec_waiter.c), whose pid stands for it outside.
 */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/exec_process.h"
#include "cmd/runsc/exec_waiter.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/pid_file.h"
#include "cmd/runsc/signal_relay.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    PROCESS,
    DETACH,
    PID_FILE,
    INTERNAL_PID_FILE,
    CONSOLE_SOCKET,
    USER,
    ADDITIONAL_GIDS,
    CAP,
    CWD,
    ENV,
    PASS_FD,
    TTY,
    NO_NEW_PRIVS,
    IGNORE_PAUSED,
};

static const struct flag flags[] = {
    [PROCESS] = {"process", FLAG_STRING, "", "file with the process as a JSON object"},
    [DETACH] = {"detach", FLAG_BOOL, "false", "leave when the process has started"},
    [PID_FILE] = {"pid-file", FLAG_STRING, "", "file for the pid on the host"},
    [INTERNAL_PID_FILE] = {"internal-pid-file", FLAG_STRING, "",
                           "file for the pid inside the container"},
    [CONSOLE_SOCKET] = {"console-socket", FLAG_STRING, "",
                        "socket to which the terminal's master is sent"},
    [USER] = {"user", FLAG_STRING, "", "user and group: UID[:GID]"},
    [ADDITIONAL_GIDS] = {"additional-gids", FLAG_LIST, "", "a further group; may be repeated"},
    [CAP] = {"cap", FLAG_LIST, "", "a capability of the process; may be repeated"},
    [CWD] = {"cwd", FLAG_STRING, "", "working directory"},
    [ENV] = {"env", FLAG_LIST, "", "a variable NAME=VALUE; may be repeated"},
    [PASS_FD] = {"pass-fd", FLAG_LIST, "", "descriptor for the process: HOST:GUEST or N"},
    [TTY] = {"tty", FLAG_BOOL, "false", "give the process a terminal"},
    [NO_NEW_PRIVS] = {"no-new-privs", FLAG_BOOL, "false", "the process can't gain privileges"},
    [IGNORE_PAUSED] = {"ignore-paused", FLAG_BOOL, "false", "accepted without effect"},
};

/* check_flags() - what can't be had, or not together. */
static int check_flags(const struct flag_set *set, int argc)
{
    size_t passed;

    flag_list(set, PASS_FD, &passed);
    if (passed)
        return error_set(-EOPNOTSUPP, "not built yet: exec --pass-fd");
    if (*flag_text(set, PROCESS) && argc > 1)
        return error_set(-EINVAL, "exec: give --process or a command, not both");
    if (!*flag_text(set, PROCESS) && argc < 2)
        return error_set(-EINVAL, "exec: no command given");
    return 0;
}

static struct exec_request request_from(const struct flag_set *set, char **argv)
{
    size_t count;

    return (struct exec_request){
        .file = flag_text(set, PROCESS),
        .cwd = flag_text(set, CWD),
        .user = flag_text(set, USER),
        .env = flag_list(set, ENV, &count),
        .caps = flag_list(set, CAP, &count),
        .gids = flag_list(set, ADDITIONAL_GIDS, &count),
        .args = argv,
        .no_new_privs = flag_bool(set, NO_NEW_PRIVS),
        .tty = flag_bool(set, TTY),
    };
}

/* start() - asks the Sentry for the process. Return: its pid inside, or an error, error set. */
static s64 start(const struct container *c, int sock, const char *text,
                 const struct console *console)
{
    auto_control_msg struct control_msg request = {0}, reply = {0};
    auto_fd int blob = host_file_memfd("process", text, strlen(text), true);
    const struct {
        const char *name;
        int fd;
    } plain[] = {{"stdin", 0}, {"stdout", 1}, {"stderr", 2}};
    s64 pid = 0;
    int r = blob < 0 ? error_errno(blob, "can't make a memfd") : 0;

    if (!r)
        r = control_client_request(c, &request, "exec");
    if (!r)
        r = control_msg_set_bool(&request, "bind", true);
    if (!r)
        r = control_msg_add_fd(&request, "process", blob);
    if (!r && console->fd >= 0)
        r = control_msg_add_fd(&request, "console", console->fd);
    for (size_t i = 0; i < ARRAY_SIZE(plain) && !r && console->fd < 0; i++)
        r = control_msg_add_fd(&request, plain[i].name, plain[i].fd);
    if (!r)
        r = control_client_call(c, sock, &request, &reply, -1);
    if (r)
        return r;
    if (control_msg_get_int(&reply, "pid", &pid) || pid < 1)
        return error_set(-EBADMSG, "container \"%s\": the sandbox gave no pid", c->id);
    return pid;
}

/* write_pids() - both pid files, if asked for. */
static int write_pids(const struct flag_set *set, pid_t outer, s64 inner)
{
    int r = 0;

    if (*flag_text(set, INTERNAL_PID_FILE))
        r = pid_file_write(flag_text(set, INTERNAL_PID_FILE), (pid_t)inner);
    if (!r && *flag_text(set, PID_FILE))
        r = pid_file_write(flag_text(set, PID_FILE), outer);
    return r;
}

static int detach(const struct container *c, const struct flag_set *set, int sock, s64 pid,
                  const struct console *console)
{
    pid_t waiter = exec_waiter_start(c, sock, pid, console->fd);

    return waiter < 0 ? waiter : write_pids(set, waiter, pid);
}

static int foreground(const struct container *c, const struct flag_set *set, int sock, s64 pid,
                      const struct console *console)
{
    auto_fd int relay = signal_relay_open();
    int r = relay < 0 ? error_errno(relay, "can't relay signals") : 0;

    if (!r)
        r = write_pids(set, getpid(), pid);
    return r ? r : signal_relay_wait(c, sock, relay, pid, console->is_own);
}

static int exec_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    bool dashes = argc > 1 && strcmp(argv[1], "--") == 0;
    struct exec_request request = request_from(set, argv + 1 + dashes);
    auto_container struct container *c = NULL;
    auto_console struct console console = CONSOLE_NONE;
    auto_free char *text = NULL;
    struct console_wish wish;
    auto_fd int sock = -1;
    s64 pid;
    int r = check_flags(set, argc - dashes);

    if (!r)
        r = container_open(cli->root, argv[0], false, false, &c);
    if (!r)
        r = container_require(c, 1u << CONTAINER_RUNNING, "exec in");
    if (!r)
        r = exec_process_make(c, &request, &text, &wish);
    if (!r)
        r = console_check(&wish, flag_text(set, CONSOLE_SOCKET), flag_bool(set, DETACH));
    if (!r)
        r = sock = control_client_connect(c);
    if (r >= 0)
        r = console_open(&console, &wish, flag_text(set, CONSOLE_SOCKET));
    if (r < 0)
        return r;
    pid = start(c, sock, text, &console);
    if (pid < 0)
        return (int)pid;
    return flag_bool(set, DETACH) ? detach(c, set, sock, pid, &console)
                                  : foreground(c, set, sock, pid, &console);
}

const struct verb exec_verb = {
    .name = "exec",
    .args = "<container id> [command [args]]",
    .help = "run a further process in a container",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = -1,
    .run = exec_run,
};
