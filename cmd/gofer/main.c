/*
 * The process `runsc-gofer`: takes its boot message (sentry/control/control_proto.h), opens the
 * mounts that runsc has laid out below its root, confines itself, answers, and serves.
 */
#include "cmd/main.h"
#include "cmd/gofer/gofer.h"
#include "cmd/gofer/host_path.h"
#include "sentry/base/clean.h"
#include "sentry/base/hash.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/log.h"
#include "sentry/control/control_msg.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

/* Exit status of any failure. */
enum { EXIT_FAILED = 128 };
/* Descriptors for what a request opens meanwhile, and how many handles we want at most. */
enum { FDS_SPARE = 256, HANDLES_MAX = 65536 };

static const char root_dir[] = "/root";
static const char mounts_dir[] = "/mnt";

/* What went wrong, for the boot's reply. */
struct failure {
    char text[160];
    int err;
};

static int fail(struct failure *f, int err, const char *what)
{
    snprintf(f->text, sizeof(f->text), "gofer: %s: %s", what, strerror(-err));
    f->err = err;
    return err;
}

static int boot_fd(int argc, char **argv)
{
    static const char flag[] = "--boot-fd=";
    char *end;
    long v;

    if (argc != 2 || strncmp(argv[1], flag, sizeof(flag) - 1) != 0)
        return -EINVAL;
    v = strtol(argv[1] + sizeof(flag) - 1, &end, 10);
    return *end || v < 3 || v > 65535 ? -EINVAL : (int)v;
}

/* max_handles() - as many as descriptors allow, all of which are ours to use. */
static u32 max_handles(void)
{
    u32 limit = host_fd_limit();

    return limit < 2 * FDS_SPARE ? limit / 4 : min_of(limit - FDS_SPARE, (u32)HANDLES_MAX);
}

/* add_mount() - serve /mnt/<index>. A mount that is a file is a name in /mnt. */
static int add_mount(struct gofer *g, s64 index, bool readonly, bool dir)
{
    struct gofer_mount_point m = {.index = (u32)index, .readonly = readonly};
    char name[16];
    auto_fd int mnt = -1;
    int r;

    if (index < 0 || index >= PROTO_MOUNT_ROOT)
        return -EINVAL;
    snprintf(name, sizeof(name), "%u", (u32)index);
    mnt = host_openat(AT_FDCWD, mounts_dir, O_PATH | O_DIRECTORY, 0);
    if (mnt < 0)
        return mnt;
    if (dir) {
        m.dirfd = host_openat(mnt, name, O_PATH | O_DIRECTORY, 0);
    } else {
        m.name = strdup(name);
        m.dirfd = m.name ? take_fd(mnt) : -ENOMEM;
    }
    if (m.dirfd < 0)
        return m.dirfd;
    r = gofer_add_mount(g, &m);
    if (r < 0)
        host_close(m.dirfd);
    return r;
}

static bool member_bool(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) && json_object_get_boolean(v);
}

static int add_mounts(struct gofer *g, const struct control_msg *boot)
{
    struct json_object *list = control_msg_get(boot, "mounts"), *index;
    struct gofer_mount_point root = {.index = PROTO_MOUNT_ROOT};
    int r;

    r = control_msg_get_bool(boot, "root-readonly", &root.readonly);
    if (r < 0)
        return r;
    root.dirfd = host_openat(AT_FDCWD, root_dir, O_PATH | O_DIRECTORY, 0);
    if (root.dirfd < 0)
        return root.dirfd;
    r = gofer_add_mount(g, &root);
    if (!json_object_is_type(list, json_type_array))
        return list ? -EINVAL : r;
    for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
        struct json_object *m = json_object_array_get_idx(list, i);

        if (!json_object_is_type(m, json_type_object) ||
            !json_object_object_get_ex(m, "index", &index) ||
            !json_object_is_type(index, json_type_int))
            return -EINVAL;
        r = add_mount(g, json_object_get_int64(index), member_bool(m, "readonly"),
                      member_bool(m, "dir"));
    }
    return r;
}

/* open_log() - to the debug log, if there is one. */
static void open_log(struct control_msg *boot)
{
    struct json_object *flags = control_msg_get(boot, "flags"), *v;
    enum log_format format = LOG_FORMAT_TEXT;
    int fd = control_msg_take_fd(boot, "debug-log");

    if (fd < 0)
        return;
    if (json_object_is_type(flags, json_type_object) &&
        json_object_object_get_ex(flags, "debug-log-format", &v)) {
        const char *s = json_object_get_string(v);

        if (s && strcmp(s, "json") == 0)
            format = LOG_FORMAT_JSON;
        else if (s && strcmp(s, "json-k8s") == 0)
            format = LOG_FORMAT_JSON_K8S;
    }
    log_init(fd, format, LOG_LEVEL_DEBUG);
}

static int set_up(struct gofer *g, struct control_msg *boot, struct failure *f)
{
    const char *what = NULL, *op;
    int shm, sock, r;

    if (control_msg_get_string(boot, "op", &op) < 0 || strcmp(op, "boot") != 0)
        return fail(f, -EINVAL, "first message is no boot message");
    open_log(boot);
    shm = control_msg_take_fd(boot, "shm");
    sock = control_msg_take_fd(boot, "sock");
    if (shm < 0 || sock < 0)
        return fail(f, -EBADF, "boot message lacks shm or sock");
    r = gofer_init(g, shm, sock, max_handles());
    if (r < 0)
        return fail(f, r, "file channel");
    host_close(shm);
    r = add_mounts(g, boot);
    if (r < 0)
        return fail(f, r, "mounts");
    g->nodev = gofer_forbid_devices(g);
    log_debug("gofer: %u mounts, %u handles, devices %s", g->nmounts, g->handles.limit,
              g->nodev ? "cannot be opened" : "are looked at first");
    umask(0);
    r = gofer_confine(&what);
    return r < 0 ? fail(f, r, what) : 0;
}

/* answer() - the boot's one reply. */
static int answer(int sock, const struct control_msg *boot, const struct failure *f)
{
    auto_control_msg struct control_msg reply = {.json = NULL};
    int r;

    if (f->err)
        r = control_msg_fail(&reply, boot, f->err, "%s", f->text);
    else
        r = control_msg_ok(&reply, boot);
    return r < 0 ? r : control_msg_send(sock, &reply);
}

static int boot(struct gofer *g, int sock)
{
    auto_control_msg struct control_msg msg = {.json = NULL};
    struct failure f = {.err = 0};
    int r = control_msg_recv(sock, &msg);

    if (r < 0)
        return r;
    r = set_up(g, &msg, &f);
    if (answer(sock, &msg, &f) < 0 && r == 0)
        r = -EPIPE;
    return r;
}

int gofer_main(int argc, char **argv)
{
    static struct gofer g;
    int sock = boot_fd(argc, argv);

    if (sock < 0) {
        fprintf(stderr, "runsc-gofer is started by runsc, with --boot-fd=N\n");
        return EXIT_FAILED;
    }
    /* One heap for all threads: little is ever allocated. */
    mallopt(M_ARENA_MAX, 1);
    if (boot(&g, sock) < 0)
        return EXIT_FAILED;
    host_close(sock);
    malloc_trim(0);
    if (gofer_run(&g) < 0)
        return EXIT_FAILED;
    _exit(0);
}
