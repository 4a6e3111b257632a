/*
 * runsc-sandbox: the Sentry's process. It takes the boot message of control_proto.h, prepares what
 * needs the host, confines itself, builds the container, answers, and serves until init has ended.
 */
#include "cmd/main.h"
#include "cmd/observer/observer.h"
#include "cmd/sandbox/confine.h"
#include "cmd/sandbox/console.h"
#include "cmd/sandbox/leaks.h"
#include "fs/gofer/gofer.h"
#include "fs/hostfd/hostfd.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/tty/tty.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/log.h"
#include "sentry/boot.h"
#include "sentry/control/control_msg.h"
#include "sentry/control/server.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/dmesg.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/observer.h"
#include "sentry/oci/oci_spec.h"
#include "sentry/syscalls/strace.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { EXIT_FAILED = 128 };

/* What the boot message brings. */
struct sandbox {
    struct control_msg boot;
    struct oci_spec *spec;
    struct boot_args args;
    struct boot_bind *binds; /* owned */
    struct container *container;
    int exit_fd;
    int console, winch; /* host descriptors of init's terminal, or -1; see console.h */
    char error[1024]; /* why it failed, for people */
};

static int fail(struct sandbox *s, int err, const char *what)
{
    snprintf(s->error, sizeof(s->error), "sandbox: %s: %s", what, strerror(-err));
    return err;
}

/* flag_value() - a global flag as text; "" if it was not sent. */
static const char *flag_value(struct sandbox *s, const char *name)
{
    struct json_object *flags = control_msg_get(&s->boot, "flags"), *v;

    if (!flags || !json_object_object_get_ex(flags, name, &v))
        return "";
    return json_object_get_string(v);
}

static bool flag_on(struct sandbox *s, const char *name)
{
    return strcmp(flag_value(s, name), "true") == 0;
}

static enum log_format log_format_of(const char *name)
{
    if (strcmp(name, "json") == 0)
        return LOG_FORMAT_JSON;
    return strcmp(name, "json-k8s") == 0 ? LOG_FORMAT_JSON_K8S : LOG_FORMAT_TEXT;
}

static int open_logs(struct sandbox *s)
{
    const char *calls = flag_value(s, "strace-syscalls");
    int fd = control_msg_take_fd(&s->boot, "debug-log");
    enum log_level level = flag_on(s, "debug") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    if (fd < 0)
        fd = control_msg_take_fd(&s->boot, "user-stderr");
    if (fd >= 0)
        log_init(fd, log_format_of(flag_value(s, "debug-log-format")), level);
    if (flag_on(s, "strace") &&
        strace_configure(true, calls, (u32)strtoul(flag_value(s, "strace-log-size"), NULL, 10)) < 0) {
        snprintf(s->error, sizeof(s->error),
                 "--strace-syscalls=%.200s: names a system call that does not exist; its names are "
                 "separated by commas",
                 calls);
        return -EINVAL;
    }
    return 0;
}

static int read_spec(struct sandbox *s)
{
    auto_fd int fd = control_msg_take_fd(&s->boot, "spec");
    auto_free char *text = NULL;
    struct oci_error why;
    size_t len;
    int err = fd < 0 ? -ENOENT : control_blob_read(fd, &text, &len);

    if (err < 0)
        return fail(s, err, "no spec in the boot message");
    err = oci_spec_parse(text, len, &s->spec, &why);
    if (err < 0)
        snprintf(s->error, sizeof(s->error), "%s", why.text);
    else if (!s->spec->process_set)
        return fail(s, -EINVAL, "config.json: process: missing");
    return err;
}

static bool member_bool(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) && json_object_get_boolean(v);
}

static u32 member_u32(struct json_object *o, const char *name)
{
    struct json_object *v;
    s64 n = json_object_object_get_ex(o, name, &v) ? json_object_get_int64(v) : 0;

    return n < 0 || n > INT32_MAX ? 0 : (u32)n;
}

static int read_binds(struct sandbox *s)
{
    struct json_object *list = control_msg_get(&s->boot, "mounts");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    s->binds = calloc(n + 1, sizeof(*s->binds));
    if (!s->binds)
        return fail(s, -ENOMEM, "mounts");
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);

        s->binds[i] = (struct boot_bind){member_u32(o, "index"), member_u32(o, "spec"),
                                         member_bool(o, "readonly"), member_bool(o, "dir")};
    }
    s->args.binds = s->binds;
    s->args.nbinds = (u32)n;
    return 0;
}

static void read_args(struct sandbox *s)
{
    const char *release = flag_value(s, "kernel-release");
    s64 pids = 0;

    control_msg_get_string(&s->boot, "id", &s->args.id);
    control_msg_get_bool(&s->boot, "root-readonly", &s->args.root_readonly);
    control_msg_get_int(&s->boot, "pids-limit", &pids);
    s->args.spec = s->spec;
    s->args.pids_limit = pids > 0 && pids < INT32_MAX ? (u32)pids : 0;
    s->args.root_shared = strcmp(flag_value(s, "file-access"), "shared") == 0;
    s->args.mounts_shared = strcmp(flag_value(s, "file-access-mounts"), "exclusive") != 0;
    s->args.allow_suid = !*flag_value(s, "allow-suid") || flag_on(s, "allow-suid");
    s->args.kernel_release = *release ? release : NULL;
}

/* file_memory() - what tmpfs files may take: the host's memory, or what stays below the container's
 * limit, so that a full tmpfs is ENOSPC before it is an OOM kill. */
static u64 file_memory(struct sandbox *s)
{
    const struct oci_opt_i64 *limit = &s->spec->linux_.resources.memory.limit;
    struct sysinfo si;
    u64 bytes;

    sysinfo(&si);
    bytes = (u64)si.totalram * si.mem_unit;
    if (limit->set && limit->value > 0 && (u64)limit->value < bytes)
        bytes = (u64)limit->value / 10 * 9;
    return bytes;
}

/* confine() - from here on the host is out of reach. */
static int confine(struct sandbox *s)
{
    const char *what = "";
    int err = confine_root(file_memory(s), &what);

    if (!err)
        err = confine_privileges(&what);
    if (!err)
        err = confine_calls(&what);
    return err ? fail(s, err, what) : 0;
}

static int connect_gofer(struct sandbox *s)
{
    auto_fd int shm = control_msg_take_fd(&s->boot, "gofer-shm");
    int sock = control_msg_take_fd(&s->boot, "gofer-sock");
    int err = shm < 0 || sock < 0 ? -ENOENT : gofer_conn_new(shm, sock, &s->args.gofer);

    return err ? fail(s, err, "connection to the gofer") : 0;
}

static int take_stdio(struct sandbox *s, struct control_config *config)
{
    static const char *const names[] = {"stdin", "stdout", "stderr"};
    auto_put(cred) struct cred *cred = cred_root(s->container->user_ns);

    if (!cred)
        return -ENOMEM;
    for (int i = 0; i < 3; i++) {
        int fd = control_msg_take_fd(&s->boot, names[i]), err;

        if (fd < 0)
            continue;
        err = hostfd_new(fd, cred, &config->stdio[i]);
        if (err < 0)
            return fail(s, err, names[i]);
    }
    return 0;
}

/* take_console() - init's terminal, with what runsc gave behind it. */
static int take_console(struct sandbox *s, struct control_config *config)
{
    struct container *c = s->container;
    int err = boot_console(c, &c->spec->process, s->console, config->stdio, &config->tty);

    if (!err)
        s->console = -1;
    if (!err)
        config->console = file_get(config->stdio[0]);
    if (!err)
        err = boot_console_mount(c, config->tty);
    return err ? fail(s, err, "the container's terminal") : 0;
}

static int serve_control(struct sandbox *s)
{
    struct control_config config = {.listener = control_msg_take_fd(&s->boot, "control"),
                                    .container = s->container};
    int err = config.listener < 0 ? -ENOENT : 0;

    if (!err)
        err = s->console >= 0 ? take_console(s, &config) : take_stdio(s, &config);

    if (!err)
        err = control_server_start(&config);
    if (!err && s->winch >= 0)
        err = console_watch(s->winch);
    return err ? fail(s, err, "control socket") : 0;
}

/* start_observer() - before there is anything here that it should not be a copy of. Without one,
 * sizes of memory are estimates. */
static void start_observer(void)
{
    int fd = observer_spawn(CONTROL_UID_GUEST);

    if (fd >= 0)
        observer_init(fd);
    else
        log_info("no observer: %s", strerror(-fd));
}

/* boot() - everything up to the answer. */
static int boot(struct sandbox *s)
{
    struct oci_error why = {{0}};
    int err = read_spec(s);

    if (!err)
        err = read_binds(s);
    if (err)
        return err;
    err = open_logs(s);
    if (err < 0)
        return err;
    start_observer();
    read_args(s);
    s->exit_fd = control_msg_take_fd(&s->boot, "exit");
    s->console = control_msg_take_fd(&s->boot, "terminal");
    if (s->console < 0) {
        s->console = control_msg_take_fd(&s->boot, "console");
        if (s->console >= 0)
            s->winch = console_take(s->console);
    }
    err = boot_host(flag_value(s, "platform"), &s->args.platform, &s->args.zygote);
    if (err == -ENOENT)
        return fail(s, err, "--platform: no such platform, use ptrace");
    if (err)
        return fail(s, err, "platform");
    tmpfs_set_memory(file_memory(s));
    err = confine(s);
    if (!err)
        err = boot_threads(s->args.platform) < 0 ? fail(s, -EAGAIN, "threads") : 0;
    if (!err)
        err = connect_gofer(s);
    if (err)
        return err;
    leaks_baseline();
    err = boot_container(&s->args, &s->container, &why);
    if (err) {
        snprintf(s->error, sizeof(s->error), "%s", why.text);
        return err;
    }
    dmesg_boot();
    return serve_control(s);
}

static void answer(struct sandbox *s, int err)
{
    auto_control_msg struct control_msg reply = {0};

    if (err < 0)
        control_msg_fail(&reply, &s->boot, err, "%s", s->error);
    else
        control_msg_ok(&reply, &s->boot);
    control_msg_send(CONTROL_BOOT_FD, &reply);
}

/* wait_for_end() - until init has ended. Return: its exit status. */
static u32 wait_for_end(struct container *c)
{
    struct sleeper sleeper;

    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
    wait_event(&c->changed, 0, DEADLINE_NEVER,
               __atomic_load_n(&c->state, __ATOMIC_ACQUIRE) == CONTAINER_STOPPED);
    return control_status(c->exit_status);
}

static void write_exit(struct sandbox *s, u32 status)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%u\n", status);

    if (s->exit_fd >= 0 && host_pwrite(s->exit_fd, text, (size_t)n, 0) != n)
        log_warning("the exit status could not be written");
}

int sandbox_main(int argc, char **argv)
{
    struct sandbox s = {.exit_fd = -1, .console = -1, .winch = -1};
    u32 status;
    int err;

    (void)argc;
    (void)argv;
    signal(SIGPIPE, SIG_IGN);
    err = control_msg_recv(CONTROL_BOOT_FD, &s.boot);
    if (err < 0)
        return EXIT_FAILED;
    err = boot(&s);
    answer(&s, err);
    host_close(CONTROL_BOOT_FD);
    if (err < 0)
        return EXIT_FAILED;
    status = wait_for_end(s.container);
    write_exit(&s, status);
    control_console_drop();
    tty_wires_drain();
    control_server_drain();
    leaks_check(s.container);
    _exit((int)status);
}
