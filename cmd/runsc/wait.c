/* runsc wait: until a container, or a process in it, has ended. */
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <json-c/json.h>

enum { PID, ROOTPID };

static const struct flag flags[] = {
    [PID] = {"pid", FLAG_INT, "-1", "wait for this process; its pid inside the container"},
    [ROOTPID] = {"rootpid", FLAG_INT, "-1", "wait for this process; its pid inside the sandbox"},
};

/* ask() - waits through the Sentry. Return: 0-255 or an error, error set. */
static int ask(const struct container *c, s64 pid, bool rootpid)
{
    auto_control_msg struct control_msg request = {0}, reply = {0};
    auto_fd int sock = control_client_connect(c);
    s64 status = -1;
    int r = sock < 0 ? sock : control_client_request(c, &request, "wait");

    if (!r && pid > 0)
        r = control_msg_set_int(&request, "pid", pid);
    if (!r && rootpid)
        r = control_msg_set_bool(&request, "rootpid", true);
    if (!r)
        r = control_client_call(c, sock, &request, &reply, -1);
    if (r)
        return r;
    if (control_msg_get_int(&reply, "status", &status) || status < 0 || status > 255)
        return error_set(-EBADMSG, "container \"%s\": the sandbox gave no exit status", c->id);
    return (int)status;
}

/* wait_init() - through the Sentry, or what it wrote when it ended. */
static int wait_init(const struct container *c)
{
    auto_fd int fd = process_ref_open(&c->sentry);
    int status = container_exit_status(c);

    if (status < 0 && fd >= 0) {
        status = ask(c, 0, false);
        if (status != -ENOTCONN)
            return status;
        host_process_gone(fd, -1);
        status = container_exit_status(c);
    }
    if (status >= 0)
        return status;
    return error_set(-ESRCH,
                     "container \"%s\": its sandbox has ended without an exit status: "
                     "container not running",
                     c->id);
}

static int wait_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    s64 pid = flag_int(set, PID), rootpid = flag_int(set, ROOTPID);
    auto_container struct container *c = NULL;
    struct json_object *json;
    int status, r;

    if ((flag_given(set, PID) && pid < 1) || (flag_given(set, ROOTPID) && rootpid < 1))
        return error_set(-EINVAL, "wait: --pid and --rootpid take pids above 0");
    if (pid > 0 && rootpid > 0)
        return error_set(-EINVAL, "wait: use one of --pid and --rootpid");
    r = container_open(cli->root, argv[0], false, false, &c);
    if (!r)
        r = container_require(c, ~(1u << CONTAINER_CREATING), "wait for");
    if (r)
        return r;
    status = pid > 0 || rootpid > 0 ? ask(c, max_of(pid, rootpid), rootpid > 0) : wait_init(c);
    if (status < 0)
        return status;
    json = json_object_new_object();
    json_object_object_add(json, "id", json_object_new_string(c->id));
    json_object_object_add(json, "exitStatus", json_object_new_int(status));
    puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
    json_object_put(json);
    return 0;
}

const struct verb wait_verb = {
    .name = "wait",
    .args = "<container id>",
    .help = "wait until a container has ended and print its exit status",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 1,
    .run = wait_run,
};
