/*
 * Boot messages (control_proto.h). Everything that Sentry and gofer will ever have from outside is
 * opened here and given with them.
 */
#include "cmd/runsc/boot.h"

#include "cmd/runsc/control_client.h"
#include "cmd/runsc/debug_log.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/gofer_mounts.h"
#include "cmd/runsc/host_file.h"
#include "fs/proto/channel.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A message and the descriptors opened for it, which are closed after sending. */
struct parcel {
    struct control_msg msg;
    int own[CONTROL_FDS_MAX];
    size_t own_count;
    int error;
};

/* give() - attaches a descriptor that stays the caller's. */
static void give(struct parcel *p, const char *name, int fd)
{
    int r = p->error;

    if (!r)
        r = control_msg_add_fd(&p->msg, name, fd);
    if (r && !p->error)
        p->error = error_errno(r, "can't add descriptor '%s' to the boot message", name);
}

/* hand() - attaches a descriptor and takes it; a negative one is an error met on opening it. */
static void hand(struct parcel *p, const char *name, int fd)
{
    if (fd < 0) {
        if (!p->error)
            p->error = error_errno(fd, "can't make or open '%s' for the sandbox", name);
        return;
    }
    if (p->own_count == CONTROL_FDS_MAX) {
        close(fd);
        if (!p->error)
            p->error = error_set(-E2BIG, "too many descriptors for the sandbox");
        return;
    }
    p->own[p->own_count++] = fd;
    give(p, name, fd);
}

static void open_parcel(struct parcel *p, const struct creation *creation)
{
    *p = (struct parcel){.error = 0};
    p->error = control_msg_new(&p->msg);
    if (!p->error)
        p->error = control_msg_set_string(&p->msg, "op", "boot");
    if (!p->error)
        p->error = control_msg_set_string(&p->msg, "id", creation->container->id);
}

/* post() - sends a parcel and closes what is its own. Return: 0 or an error, error set. */
static int post(struct parcel *p, struct child *child)
{
    int r = p->error;

    if (!r) {
        r = control_msg_send(child->boot, &p->msg);
        if (r == -EPIPE)
            r = 0; /* it has died or given up; its answer says why */
        if (r)
            error_errno(r, "can't send the boot message to the %s process", child->what);
    }
    for (size_t i = 0; i < p->own_count; i++)
        close(p->own[i]);
    control_msg_free(&p->msg);
    return r;
}

static struct json_object *flags_json(const struct flag_set *flags)
{
    struct json_object *json = json_object_new_object();

    for (size_t i = 0; i < flags->count; i++) {
        const char *text = flag_text(flags, i);

        if (flags->table[i].type == FLAG_BOOL)
            text = flag_bool(flags, i) ? "true" : "false";
        json_object_object_add(json, flags->table[i].name, json_object_new_string(text));
    }
    return json;
}

/* mounts_json() - the gofer's mounts: /mnt/<index> and what it is. */
static struct json_object *mounts_json(const struct creation *creation)
{
    struct json_object *list = json_object_new_array();
    int index = 0;

    for (ssize_t i = -1; gofer_mounts_next(creation->spec, &i); index++) {
        const struct oci_mount *mount = &creation->spec->mounts.items[i];
        struct json_object *item = json_object_new_object();
        int dir = gofer_mounts_is_dir(mount, creation->container->bundle);

        json_object_object_add(item, "index", json_object_new_int(index));
        json_object_object_add(item, "spec", json_object_new_int64(i));
        json_object_object_add(item, "readonly",
                               json_object_new_boolean(mount->flags & OCI_MOUNT_RDONLY));
        json_object_object_add(item, "dir", json_object_new_boolean(dir != 0));
        json_object_array_add(list, item);
    }
    return list;
}

static void set(struct parcel *p, const char *name, struct json_object *value)
{
    int r = control_msg_set(&p->msg, name, value);

    if (r && !p->error)
        p->error = error_errno(r, "can't make the boot message");
}

/* hand_log() - an append-only log file, if its path is not empty. */
static void hand_log(struct parcel *p, const char *name, const char *path)
{
    if (path && *path)
        hand(p, name, host_file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644));
}

static void hand_logs(struct parcel *p, const struct creation *creation, const char *command)
{
    const struct cli *cli = creation->cli;
    int fd = debug_log_open(cli, command, creation->container->id);

    if (cli->log_fd >= 0)
        give(p, "log", cli->log_fd);
    if (fd >= 0)
        hand(p, "debug-log", fd);
    else if (fd != -ENOENT && !p->error)
        p->error = fd;
}

/* parse_pass() - "HOST:GUEST" or "N". */
static bool parse_pass(const char *text, int *host, int *guest)
{
    char *end;
    long a = strtol(text, &end, 10), b = a;

    if (end == text || a < 0 || a > INT32_MAX)
        return false;
    if (*end == ':') {
        text = end + 1;
        b = strtol(text, &end, 10);
        if (end == text)
            return false;
    }
    *host = (int)a;
    *guest = (int)b;
    return *end == '\0' && b >= 0 && b < 1024;
}

static void give_passed(struct parcel *p, const char *const *list)
{
    for (; list && *list; list++) {
        char name[CONTROL_FD_NAME_MAX];
        int host, guest;

        if (p->error)
            return;
        if (!parse_pass(*list, &host, &guest) || fcntl(host, F_GETFD) < 0) {
            p->error = error_set(-EINVAL, "--pass-fd: '%s' is no open descriptor", *list);
            return;
        }
        snprintf(name, sizeof(name), "pass:%d", guest);
        give(p, name, host);
    }
}

static void give_stdio(struct parcel *p, const struct creation *creation)
{
    const struct flag_set *flags = &creation->cli->global;

    if (creation->console.fd >= 0) {
        give(p, console_name(&creation->console), creation->console.fd);
    } else {
        give(p, "stdin", STDIN_FILENO);
        give(p, "stdout", STDOUT_FILENO);
        give(p, "stderr", STDERR_FILENO);
    }
    if (flag_bool(flags, GLOBAL_ALSOLOGTOSTDERR) ||
        (flag_bool(flags, GLOBAL_STRACE) && !*flag_text(flags, GLOBAL_DEBUG_LOG)))
        give(p, "user-stderr", STDERR_FILENO);
}

/* boot_sentry() - @channel: shared memory and socket of the file channel. @flags, @mounts: borrowed. */
static int boot_sentry(struct creation *creation, const int channel[2], struct json_object *flags,
                       struct json_object *mounts)
{
    const struct container *c = creation->container;
    const struct oci_opt_i64 *pids = &creation->spec->linux_.resources.pids_limit;
    struct parcel p;

    open_parcel(&p, creation);
    set(&p, "bundle", json_object_new_string(c->bundle));
    set(&p, "created", json_object_new_string(c->created));
    set(&p, "spec-path", json_object_new_string("config.json"));
    set(&p, "flags", json_object_get(flags));
    set(&p, "mounts", json_object_get(mounts));
    set(&p, "root-readonly", json_object_new_boolean(creation->spec->root_readonly));
    set(&p, "pids-limit", json_object_new_int64(pids->set && pids->value > 0 ? pids->value : 0));
    hand(&p, "control", control_client_listen(c));
    hand(&p, "spec", host_file_memfd("spec", creation->spec_text, creation->spec_len, true));
    hand(&p, "exit", host_file_open(c->dir, "exit", O_WRONLY, 0));
    give_stdio(&p, creation);
    give(&p, "gofer-shm", channel[0]);
    give(&p, "gofer-sock", channel[1]);
    hand_logs(&p, creation, "sandbox");
    hand_log(&p, "user-log", creation->options->user_log);
    hand_log(&p, "panic-log", flag_text(&creation->cli->global, GLOBAL_PANIC_LOG));
    give_passed(&p, creation->options->pass_fds);
    return post(&p, &creation->sentry);
}

static int boot_gofer(struct creation *creation, const int channel[2], struct json_object *flags,
                      struct json_object *mounts)
{
    struct parcel p;

    open_parcel(&p, creation);
    set(&p, "flags", json_object_get(flags));
    set(&p, "mounts", json_object_get(mounts));
    set(&p, "root-readonly", json_object_new_boolean(creation->spec->root_readonly));
    give(&p, "shm", channel[0]);
    give(&p, "sock", channel[1]);
    hand_logs(&p, creation, "gofer");
    return post(&p, &creation->gofer);
}

int boot_send(struct creation *creation)
{
    auto_fd int shm = host_memfd("channel", CHANNEL_BYTES), sentry_end = -1, gofer_end = -1;
    struct json_object *flags, *mounts;
    int pair[2], r;

    if (shm < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(shm < 0 ? shm : -errno, "can't make the file channel");
    sentry_end = pair[0];
    gofer_end = pair[1];
    flags = flags_json(&creation->cli->global);
    mounts = mounts_json(creation);
    r = boot_sentry(creation, (int[]){shm, sentry_end}, flags, mounts);
    if (!r)
        r = boot_gofer(creation, (int[]){shm, gofer_end}, flags, mounts);
    json_object_put(flags);
    json_object_put(mounts);
    return r;
}
