/*
 * Makes a container, in this order, so that a crash anywhere leaves something that delete --force
 * removes, and so that what takes long overlaps:
 *
 *   parse and check config.json, the bundle, flags set by annotations
 *   folder and lock; host ids; cgroup folders and limits
 *   Sentry and gofer cloned: each builds its namespaces and executes itself anew while this
 *       process goes on; then it waits for its boot message, and ends if runsc has
 *   state.json says who they are
 *   a thread moves them into the cgroup (the first such move waits for the host kernel's grace
 *       period, several ms), while they boot
 *   hooks, if there are any: prestart, createRuntime here, createContainer in the gofer's process
 *   boot messages; both answers; the thread
 *   state "created", or "running" for run; pid file
 *
 * The thread looks for the Sentry's children after the Sentry itself is moved: whatever it forked
 * before is found, whatever it forks later is in the cgroup by inheritance. No guest runs before
 * `start`.
 */
#include "cmd/runsc/creation.h"

#include "cmd/runsc/boot.h"
#include "cmd/runsc/cgroup.h"
#include "cmd/runsc/destruction.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/gofer_child.h"
#include "cmd/runsc/gofer_mounts.h"
#include "cmd/runsc/hook.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/pid_file.h"
#include "cmd/runsc/process_children.h"
#include "cmd/runsc/sandbox_child.h"
#include "cmd/runsc/uid_pair.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"
#include "sentry/oci/oci_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The thread that moves processes into the cgroup. */
struct mover {
    const struct container *c;
    pid_t sentry, gofer;
    pthread_t thread;
    bool started;
    int error;
    const char *where;
};

struct creation_options creation_options_from(const struct flag_set *flags, const char *id)
{
    size_t count;

    return (struct creation_options){
        .id = id,
        .bundle = flag_text(flags, CREATION_BUNDLE),
        .pid_file = flag_text(flags, CREATION_PID_FILE),
        .user_log = flag_text(flags, CREATION_USER_LOG),
        .console_socket = flag_text(flags, CREATION_CONSOLE_SOCKET),
        .pass_fds = flag_list(flags, CREATION_PASS_FD, &count),
    };
}

static void warn(void *arg, const char *line)
{
    log_warning("%s", line);
}

/* apply_annotations() - those that set flags. */
static int apply_annotations(struct cli *cli, const struct oci_spec *spec)
{
    static const char prefix[] = "dev.gvisor.flag.";

    for (size_t i = 0; i < spec->annotations.count; i++) {
        const struct oci_pair *a = &spec->annotations.items[i];
        int r;

        if (strncmp(a->key, prefix, sizeof(prefix) - 1) != 0)
            continue;
        r = global_flags_annotation(&cli->global, a->key + sizeof(prefix) - 1, a->value);
        if (r)
            return r;
    }
    return 0;
}

/* read_spec() - config.json of the bundle, parsed and checked for what is not honoured. */
static int read_spec(struct creation *cr, const char *bundle)
{
    auto_free char *path = NULL;
    struct oci_error err;
    int r;

    if (asprintf(&path, "%s/config.json", bundle) < 0)
        return error_set(-ENOMEM, "out of memory");
    r = host_file_read(AT_FDCWD, path, OCI_TEXT_MAX, &cr->spec_text, &cr->spec_len);
    if (r)
        return error_errno(r, "can't read %s", path);
    r = oci_spec_parse(cr->spec_text, cr->spec_len, &cr->spec, &err);
    if (r)
        return error_set(r, "%s", err.text);
    if (!cr->spec->process_set)
        return error_set(-EINVAL, "config.json: process: is missing");
    r = apply_annotations(cr->cli, cr->spec);
    if (r)
        return r;
    r = oci_support_check(cr->spec,
                          flag_bool(&cr->cli->global, GLOBAL_OCI_SECCOMP) ? OCI_SUPPORT_SECCOMP : 0,
                          warn, NULL, &err);
    return r ? error_set(r, "%s", err.text) : 0;
}

/* find_root() - absolute path of the container's root file system, new memory, or NULL. */
static char *find_root(const struct oci_spec *spec, const char *bundle)
{
    char *path;

    if (spec->root_path[0] == '/')
        return strdup(spec->root_path);
    return asprintf(&path, "%s/%s", bundle, spec->root_path) < 0 ? NULL : path;
}

static struct console_wish console_wish(const struct oci_spec *spec)
{
    return (struct console_wish){.terminal = spec->process.terminal,
                                 .rows = spec->process.console_height,
                                 .cols = spec->process.console_width};
}

/* check() - everything that can be wrong before anything is made. *bundle, *rootfs: new memory. */
static int check(struct creation *cr, char **bundle, char **rootfs)
{
    const char *given = *cr->options->bundle ? cr->options->bundle : ".";
    struct console_wish wish;
    int r = container_check_id(cr->options->id);

    if (r)
        return r;
    if (geteuid() != 0)
        return error_set(-EPERM, "runsc must be run as root; not built yet: --rootless");
    *bundle = realpath(given, NULL);
    if (!*bundle)
        return error_errno(-errno, "can't use the bundle %s", given);
    r = read_spec(cr, *bundle);
    if (r)
        return r;
    wish = console_wish(cr->spec);
    r = console_check(&wish, cr->options->console_socket, cr->options->detached);
    if (r)
        return r;
    *rootfs = find_root(cr->spec, *bundle);
    return *rootfs ? gofer_mounts_check(cr->spec, *bundle, *rootfs)
                   : error_set(-ENOMEM, "out of memory");
}

static char *now(void)
{
    struct timespec ts;
    struct tm tm;
    char text[64];
    size_t n;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof(text) - n, ".%09ldZ", ts.tv_nsec);
    return strdup(text);
}

/* make_folder() - the folder, locked; its state is written when there is more to say. */
static int make_folder(struct creation *cr, char **bundle, char **rootfs)
{
    struct container *c;
    int r = container_create(cr->cli->root, cr->options->id, &cr->container);

    if (r)
        return r;
    c = cr->container;
    c->status = CONTAINER_CREATING;
    c->bundle = take(*bundle);
    c->rootfs = take(*rootfs);
    c->created = now();
    c->owner = getuid();
    c->poststart = cr->spec->poststart.count > 0;
    c->poststop = cr->spec->poststop.count > 0;
    return process_ref_of(getpid(), &c->creator);
}

/* write_files() - what the folder holds besides its state. */
static int write_files(const struct creation *cr)
{
    const struct container *c = cr->container;
    int r = host_file_create(c->dir, "config.json", cr->spec_text, cr->spec_len, 0600);

    if (!r)
        r = host_file_create(c->dir, "exit", "", 0, 0600);
    return r ? error_errno(r, "container \"%s\": can't write its files", c->id) : 0;
}

static int record_uid(void *arg, u32 first)
{
    struct container *c = arg;

    c->first_uid = first;
    c->uid_count = 2;
    return container_save(c);
}

/* reserve() - host ids and cgroup, of which the record speaks before they are made. */
static int reserve(struct creation *cr)
{
    struct cgroup_mounts mounts = {.count = 0};
    struct container *c = cr->container;
    int r = 0;

    if (!flag_bool(&cr->cli->global, GLOBAL_IGNORE_CGROUPS))
        r = cgroup_plan(c, &cr->spec->linux_, &mounts);
    if (!r)
        r = uid_pair_take(UID_PAIR_FOLDER, flag_text(&cr->cli->global, GLOBAL_UID_RANGE), c->root,
                          c->id, record_uid, c);
    if (!r)
        r = cgroup_make(c, &cr->spec->linux_, &mounts);
    cgroup_mounts_free(&mounts);
    return r;
}

static bool has_hooks(const struct oci_spec *spec)
{
    return spec->prestart.count || spec->create_runtime.count || spec->create_container.count;
}

/* start_gofer() - with hooks it is held back: some of them run first. */
static int start_gofer(struct creation *cr, int exe, bool hooks)
{
    struct container *c = cr->container;
    auto_free char *state = hooks ? hook_state(c, CONTAINER_CREATING) : strdup("");
    int r = state ? child_prepare(&cr->gofer, "gofer", CONTROL_ARGV0_GOFER)
                  : error_set(-ENOMEM, "out of memory");

    if (!r)
        r = gofer_child_start(&cr->gofer, c, cr->spec, exe, state);
    if (!r) /* if it is gone already, its answer will say why */
        process_ref_of(cr->gofer.pid, &c->gofer);
    return r || hooks ? r : child_go(&cr->gofer);
}

/* start_children() - both are on their way to their boot messages, the state file says so. */
static int start_children(struct creation *cr)
{
    struct container *c = cr->container;
    bool hooks = has_hooks(cr->spec);
    auto_fd int exe = host_file_open(AT_FDCWD, "/proc/self/exe", O_PATH, 0);
    int r = exe < 0 ? error_errno(exe, "can't open this program's own file") : 0;

    if (!r && hooks) /* they are told of the container, and may look at it */
        r = write_files(cr);
    if (!r)
        r = child_prepare(&cr->sentry, "sandbox", CONTROL_ARGV0_SANDBOX);
    if (!r)
        r = sandbox_child_start(&cr->sentry, cr->spec, c->first_uid, exe, hooks);
    if (!r)
        process_ref_of(cr->sentry.pid, &c->sentry);
    if (!r)
        r = child_go(&cr->sentry);
    if (!r)
        r = start_gofer(cr, exe, hooks);
    if (!r && !hooks)
        r = write_files(cr);
    return r ? r : container_save(c);
}

/* move() - the thread. */
static void *move(void *arg)
{
    struct mover *m = arg;
    auto_free pid_t *children = NULL;
    size_t count = 0;

    m->error = cgroup_enter(m->c, m->sentry, &m->where);
    if (!m->error)
        m->error = cgroup_enter(m->c, m->gofer, &m->where);
    if (!m->error)
        m->error = process_children(m->sentry, &children, &count);
    for (size_t i = 0; i < count && !m->error; i++) {
        m->error = cgroup_enter(m->c, children[i], &m->where);
        if (m->error == -ESRCH)
            m->error = 0;
    }
    return NULL;
}

static int mover_start(struct mover *m, const struct creation *cr)
{
    int r;

    *m = (struct mover){
        .c = cr->container, .sentry = cr->sentry.pid, .gofer = cr->gofer.pid, .where = ""};
    if (!cr->container->cgroup_count)
        return 0;
    r = -pthread_create(&m->thread, NULL, move, m);
    if (r)
        return error_errno(r, "can't start a thread");
    m->started = true;
    return 0;
}

/* mover_join() - Return: 0 or an error, error set unless @quiet. */
static int mover_join(struct mover *m, bool quiet)
{
    if (m->started)
        pthread_join(m->thread, NULL);
    m->started = false;
    if (!m->error || quiet)
        return 0;
    return error_errno(m->error, "can't move the sandbox into the cgroup %s", m->where);
}

/* run_hooks() - once all namespaces are there; the Sentry is at its boot message then. */
static int run_hooks(struct creation *cr)
{
    auto_free char *state = hook_state(cr->container, CONTAINER_CREATING);
    int r = state ? child_answer(&cr->sentry) : error_set(-ENOMEM, "out of memory");

    if (!r)
        r = hook_run_all("prestart", &cr->spec->prestart, state, cr->container->bundle);
    if (!r)
        r = hook_run_all("createRuntime", &cr->spec->create_runtime, state, cr->container->bundle);
    return r;
}

/* boot() - from two new processes to two that are confined and ready. */
static int boot(struct creation *cr)
{
    struct console_wish wish = console_wish(cr->spec);
    bool hooks = has_hooks(cr->spec);
    int r = hooks ? run_hooks(cr) : 0;

    if (!r && hooks)
        r = child_go(&cr->gofer);
    if (!r)
        r = console_open(&cr->console, &wish, cr->options->console_socket);
    if (!r)
        r = boot_send(cr);
    log_debug("boot messages sent");
    if (!r)
        r = child_answer(&cr->gofer);
    log_debug("gofer answered");
    if (!r)
        r = child_answer(&cr->sentry);
    log_debug("sandbox answered");
    return r;
}

/* bring_up() - what follows once the container's folder exists. */
static int bring_up(struct creation *cr)
{
    struct mover mover = {.started = false};
    int r = reserve(cr), joined;

    log_debug("host ids and cgroup made");
    if (!r)
        r = start_children(cr);
    log_debug("processes %d (sandbox), %d (gofer) made", (int)cr->sentry.pid, (int)cr->gofer.pid);
    if (!r)
        r = mover_start(&mover, cr);
    if (!r)
        r = boot(cr);
    joined = mover_join(&mover, r != 0);
    log_debug("processes are in the cgroup");
    if (!r)
        r = joined;
    if (!r)
        cr->container->status = CONTAINER_CREATED;
    return r;
}

int creation_make(struct creation *creation, struct cli *cli,
                  const struct creation_options *options)
{
    auto_free char *bundle = NULL, *rootfs = NULL;
    int r;

    *creation = (struct creation){.cli = cli, .options = options, .console = CONSOLE_NONE};
    child_init(&creation->sentry);
    child_init(&creation->gofer);
    log_debug("create %s", options->id);
    r = check(creation, &bundle, &rootfs);
    log_debug("bundle checked");
    if (!r)
        r = make_folder(creation, &bundle, &rootfs);
    if (!r)
        r = bring_up(creation);
    if (r)
        creation_undo(creation);
    return r;
}

int creation_pid_file(const struct creation *creation)
{
    const char *path = creation->options->pid_file;

    return *path ? pid_file_write(path, creation->container->sentry.pid) : 0;
}

void creation_undo(struct creation *cr)
{
    auto_free char *line = strdup(error_text());

    child_abort(&cr->sentry);
    child_abort(&cr->gofer);
    if (cr->container && destruction_run(cr->container))
        log_warning("%s", error_text());
    if (line)
        error_set(0, "%s", line);
}

void creation_free(struct creation *creation)
{
    console_close(&creation->console);
    child_release(&creation->sentry);
    child_release(&creation->gofer);
    container_close(creation->container);
    oci_spec_free(creation->spec);
    free(creation->spec_text);
    *creation = (struct creation){.console = CONSOLE_NONE};
}
