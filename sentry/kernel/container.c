/*
 * Containers: the object, the processes that nobody forks (init, and those of exec), waiting for
 * them, signalling them, and what their end means.
 *
 * A process' first program is loaded by the process itself, in its first step: only a task's own
 * thread can build its memory. The starter finds the program, makes everything and waits for the
 * result. Starters and waiters are control threads: they have no task and bring a sleeper of their
 * own.
 */
#include "sentry/kernel/container.h"

#include "fs/vfs/mount.h"
#include "sentry/abi/lx_process.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/ipc/ipc.h"
#include "sentry/kernel/ctty.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task_priv.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOSTNAME   "localhost"
#define DEFAULT_DOMAINNAME "(none)"
#define DEFAULT_UMASK      022u

const char *container_default_kernel_release = "4.4.0";

/* --- the object --- */

static void container_free(struct obj *o)
{
    struct container *c = container_of(o, struct container, obj);

    thread_group_put(c->init);
    if (c->zygote)
        c->platform->zygote_destroy(c->zygote);
    mount_ns_put(c->mount_ns);
    uts_ns_put(c->uts_ns);
    net_ns_put(c->net_ns);
    ipc_ns_put(c->ipc_ns);
    cgroup_ns_put(c->cgroup_ns);
    pid_ns_put(c->pid_ns);
    user_ns_put(c->user_ns);
    oci_spec_free(c->spec);
    waitq_destroy(&c->changed);
    mutex_destroy(&c->lock);
    free(c->id);
    free(c);
}

static struct obj_type container_type = {.name = "container", .free = container_free};

static u32 pids_limit(const struct oci_spec *spec)
{
    const struct oci_opt_i64 *limit = &spec->linux_.resources.pids_limit;

    return limit->set && limit->value > 0 && limit->value < LIMIT_PIDS ? (u32)limit->value
                                                                       : LIMIT_PIDS;
}

int container_new(const char *id, struct oci_spec *spec, const struct platform_ops *platform,
                  struct plat_zygote *zygote, struct user_ns *user_ns, struct container **out)
{
    struct container *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    obj_init(&c->obj, &container_type);
    mutex_init(&c->lock, LOCK_CONTAINER);
    waitq_init(&c->changed);
    c->platform = platform;
    c->id = strdup(id);
    c->user_ns = user_ns_get(user_ns);
    c->pid_ns = pid_ns_new(NULL, user_ns);
    c->uts_ns = uts_ns_new(user_ns, spec->hostname ? spec->hostname : DEFAULT_HOSTNAME,
                           spec->domainname ? spec->domainname : DEFAULT_DOMAINNAME);
    c->net_ns = net_ns_new(user_ns);
    c->ipc_ns = ipc_ns_new(user_ns);
    c->cgroup_ns = cgroup_ns_new(user_ns);
    if (!c->id || !c->pid_ns || !c->uts_ns || !c->net_ns || !c->ipc_ns || !c->cgroup_ns) {
        container_put(c);
        return -ENOMEM;
    }
    c->net_ns->lo_up = true;
    c->spec = spec;
    c->zygote = zygote;
    c->pids_limit = pids_limit(spec);
    c->allow_suid = true;
    c->kernel_release = container_default_kernel_release;
    *out = c;
    return 0;
}

/* --- starting a process --- */

/* What is being put together; what is left in it when start fails is dropped. */
struct start {
    struct container *c;
    struct process_args *args;
    struct cred *cred;
    struct fs_context *fs;
    struct fdtable *files;
    struct nsproxy *ns;
    struct exec_request *request;
    struct thread_group *tg;
    struct task *task; /* the running task's reference, once it runs */
    bool charged, started;
};

static int set_groups(const struct user_ns *ns, const struct oci_user *user, struct cred *cred)
{
    u32 n = (u32)min_of(user->additional_gids.count, (size_t)LIMIT_GROUPS);
    auto_free u32 *kgids = malloc((n + 1) * sizeof(*kgids));

    if (!kgids)
        return -ENOMEM;
    for (u32 i = 0; i < n; i++) {
        kgids[i] = gid_to_kgid(ns, user->additional_gids.items[i]);
        if (kgids[i] == ID_INVALID)
            return -EINVAL;
    }
    return cred_set_groups(cred, kgids, n);
}

/* make_cred() - ids, groups and capability sets as the process object has them. */
static int make_cred(struct start *s)
{
    const struct oci_process *p = s->args->process;
    const struct oci_capabilities *caps = &p->capabilities;
    const struct user_ns *ns = s->c->user_ns;
    u32 uid = uid_to_kuid(ns, p->user.uid), gid = gid_to_kgid(ns, p->user.gid);
    struct cred *cred = cred_root(s->c->user_ns);

    if (!cred)
        return -ENOMEM;
    s->cred = cred;
    if (uid == ID_INVALID || gid == ID_INVALID)
        return -EINVAL;
    cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
    cred->gid = cred->egid = cred->sgid = cred->fsgid = gid;
    cred->cap_bounding = caps->bounding & CAP_FULL;
    cred->cap_permitted = caps->permitted & CAP_FULL;
    cred->cap_effective = caps->effective & cred->cap_permitted;
    cred->cap_inheritable = caps->inheritable & CAP_FULL;
    cred->cap_ambient = caps->ambient & cred->cap_permitted & cred->cap_inheritable;
    cred->no_new_privs = p->no_new_privileges;
    return set_groups(ns, &p->user, cred);
}

/* make_fs() - root, working directory, umask. The directory is looked up with root's rights first,
 * as the user may not be allowed to walk there and yet be started there. */
static int make_fs(struct start *s)
{
    const struct oci_process *p = s->args->process;
    struct mount *root_mount = s->c->mount_ns->root;
    struct path root = {root_mount, root_mount->root}, cwd;
    struct walk_ctx walk_ctx = {.root = root, .cwd = root, .ns = s->c->mount_ns};
    auto_put(cred) struct cred *all = cred_root(s->c->user_ns);
    int err;

    if (!all)
        return -ENOMEM;
    walk_ctx.cred = all;
    s->args->failed = "cwd";
    err = walk(&walk_ctx, NULL, p->cwd, WALK_FOLLOW | WALK_DIRECTORY, &cwd);
    if (err == -EACCES || err == -EPERM) {
        walk_ctx.cred = s->cred;
        err = walk(&walk_ctx, NULL, p->cwd, WALK_FOLLOW | WALK_DIRECTORY, &cwd);
    }
    if (err)
        return err;
    s->fs = fs_context_new(&root, &cwd, p->user.umask_set ? p->user.umask & 0777 : DEFAULT_UMASK);
    path_put(&cwd);
    return s->fs ? 0 : -ENOMEM;
}

static int make_files(struct start *s)
{
    s->files = fdtable_new();
    if (!s->files)
        return -ENOMEM;
    for (int fd = 0; fd < 3; fd++) {
        struct file *f = s->args->stdio[fd];
        int err;

        if (!f)
            continue;
        err = fd_replace(s->files, file_get(f), fd, LIMIT_NOFILE, false);
        if (err < 0) {
            file_put(f);
            return err;
        }
    }
    return 0;
}

/* env_value() - a variable of the process' environment, or NULL. */
static const char *env_value(const struct oci_strings *env, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = env->count; i-- > 0;)
        if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
            return env->items[i] + len + 1;
    return NULL;
}

/* try_program() - open dir/name (dir_len 0: name alone) for execution. */
static int try_program(const struct walk_ctx *ctx, const char *dir, size_t dir_len,
                       const char *name, struct exec_request *r)
{
    size_t cap = dir_len + strlen(name) + 2;
    char *path = malloc(cap);
    int err;

    if (!path)
        return -ENOMEM;
    snprintf(path, cap, "%.*s%s%s", (int)dir_len, dir, dir_len ? "/" : "", name);
    err = vfs_open_exec(ctx, NULL, path, WALK_FOLLOW, &r->file);
    if (err)
        free(path);
    else
        r->filename = path;
    return err;
}

/* search_path() - the first in PATH that can be executed. Return: 0, -EACCES: there is one, but it
 * may not be executed, -ENOENT. */
static int search_path(const struct walk_ctx *ctx, const char *path, const char *name,
                       struct exec_request *r)
{
    int ret = -ENOENT;

    while (path) {
        const char *end = strchrnul(path, ':');
        size_t len = (size_t)(end - path);
        int err = try_program(ctx, len ? path : ".", len ? len : 1, name, r);

        if (!err || err == -ENOMEM)
            return err;
        if (err == -EACCES)
            ret = err;
        path = *end ? end + 1 : NULL;
    }
    return ret;
}

static int copy_strings(const struct oci_strings *from, struct exec_strings *to)
{
    auto_free const char **list = calloc(from->count + 1, sizeof(*list));

    if (!list)
        return -ENOMEM;
    if (from->count)
        memcpy(list, from->items, from->count * sizeof(*list));
    return exec_strings_from_array(list, to);
}

/* find_program() - args[0] as the process itself would find it. */
static int find_program(struct start *s)
{
    const struct oci_process *p = s->args->process;
    struct walk_ctx ctx = {
        .cred = s->cred, .root = s->fs->root, .cwd = s->fs->cwd, .ns = s->c->mount_ns};
    const char *name = p->args.items[0];
    int err;

    s->args->failed = "program";
    s->request = exec_request_new();
    if (!s->request)
        return -ENOMEM;
    if (!name[0])
        return -ENOENT;
    if (strchr(name, '/'))
        err = try_program(&ctx, "", 0, name, s->request);
    else
        err = search_path(&ctx, env_value(&p->env, "PATH"), name, s->request);
    if (!err)
        err = copy_strings(&p->args, &s->request->argv);
    if (!err)
        err = copy_strings(&p->env, &s->request->envp);
    return err;
}

static void set_limits(struct thread_group *tg, const struct oci_process *p)
{
    rlimit_defaults(tg->limits);
    for (size_t i = 0; i < p->rlimits.count; i++) {
        const struct oci_rlimit *r = &p->rlimits.items[i];

        if (r->resource >= 0 && r->resource < RLIMIT_COUNT)
            tg->limits[r->resource] = (struct rlimit_pair){min_of(r->soft, r->hard), r->hard};
    }
    if (p->oom_score_adj_set)
        tg->oom_score_adj = p->oom_score_adj;
}

/* make_task() - group and task with all that was prepared, and the host's thread. */
static int make_task(struct start *s)
{
    struct container *c = s->c;
    auto_put(pid) struct pid *pid = NULL;
    struct task *t;
    int err;

    err = task_count_charge(c, s->cred, RLIM_NONE);
    s->charged = !err;
    if (!err)
        err = pid_alloc(c->pid_ns, &pid);
    if (!err)
        err = thread_group_alloc(c, pid, &s->tg);
    if (!err)
        err = task_alloc(s->tg, pid, &s->task);
    if (err) {
        if (pid) {
            pid_lock();
            pid_release_locked(pid);
            pid_unlock();
        }
        return err;
    }
    t = s->task;
    set_limits(s->tg, s->args->process);
    s->tg->sighand = sighand_new(NULL);
    t->cred = cred_get(s->cred);
    t->fs = take(s->fs);
    t->files = take(s->files);
    t->ns = take(s->ns);
    t->boot = exec_request_get(s->request);
    return s->tg->sighand ? c->platform->thread_first(c->zygote, t, &t->thread) : -ENOMEM;
}

/* link_task() - into a session of its own. */
static int link_task(struct start *s)
{
    struct thread_group *tg = s->tg;
    struct pid_ns *ns = tg->pid->ns;
    int err;

    pid_lock();
    err = ns->dying ? -ENOMEM : session_new_locked(tg);
    if (!err) {
        mutex_lock(&tg->lock);
        task_link_locked(s->task);
        if (!ns->init) {
            tg->unkillable = true;
            ns->init = tg;
        }
        mutex_unlock(&tg->lock);
    }
    pid_unlock();
    return err;
}

/* undo() - drop what is left after a failure before the task ran. */
static void undo(struct start *s)
{
    if (s->task && !s->started) {
        if (s->task->thread)
            s->c->platform->thread_discard(s->task->thread);
        pid_lock();
        pid_release_locked(s->task->pid);
        pid_unlock();
        task_put(s->task);
    }
    if (s->charged && !s->started)
        task_count_release(s->c, s->cred->uid);
    thread_group_put(s->tg);
    exec_request_put(s->request);
    nsproxy_put(s->ns);
    fdtable_put(s->files);
    fs_context_put(s->fs);
    cred_put(s->cred);
}

/* run() - let the task go and wait until it has loaded its program. */
static int run(struct start *s)
{
    struct exec_request *r = s->request;
    struct sleeper own, *was = sleeper_current;
    struct plat_thread *th = s->task->thread;

    s->started = true;
    if (s->args->is_init) {
        mutex_lock(&s->c->lock);
        s->c->init = thread_group_get(s->tg);
        __atomic_store_n(&s->c->state, CONTAINER_RUNNING, __ATOMIC_RELEASE);
        mutex_unlock(&s->c->lock);
    }
    s->c->platform->thread_start(th);
    sleeper_init(&own);
    sleeper_current = &own;
    wait_event(&r->done_wait, 0, DEADLINE_NEVER, atomic_load(&r->done));
    sleeper_current = was;
    return r->result;
}

int container_start_process(struct container *c, struct process_args *args,
                            struct thread_group **out)
{
    struct start s = {.c = c, .args = args};
    int err;

    args->failed = "process";
    s.ns = nsproxy_new(&(struct nsproxy){.mount = c->mount_ns,
                                         .uts = c->uts_ns,
                                         .net = c->net_ns,
                                         .ipc = c->ipc_ns,
                                         .cgroup = c->cgroup_ns,
                                         .pid_for_children = c->pid_ns});
    err = s.ns ? make_cred(&s) : -ENOMEM;
    if (!err)
        err = make_fs(&s);
    if (!err)
        err = find_program(&s);
    if (!err) {
        args->failed = "process";
        err = make_files(&s);
    }
    if (!err)
        err = make_task(&s);
    if (!err)
        err = link_task(&s);
    if (!err && args->tty)
        ctty_claim(args->tty, s.tg);
    if (!err) {
        args->failed = "program";
        err = run(&s);
    }
    if (!err)
        *out = thread_group_get(s.tg);
    undo(&s);
    return err;
}

/* --- the rest of its life --- */

static bool has_ended(struct thread_group *tg)
{
    bool reaped;

    pid_lock();
    reaped = tg->reaped;
    pid_unlock();
    return reaped;
}

u32 container_wait(struct container *c, struct thread_group *tg)
{
    struct sleeper own, *was = sleeper_current;

    sleeper_init(&own);
    sleeper_current = &own;
    wait_event(&c->changed, 0, DEADLINE_NEVER, has_ended(tg));
    sleeper_current = was;
    return tg->exit_status;
}

int container_kill(struct container *c, int signo, bool all)
{
    /* From outside the pid namespace: not even an init can refuse SIGKILL or SIGSTOP. */
    struct lx_siginfo info = signo == LX_SIGKILL || signo == LX_SIGSTOP
                                 ? siginfo_kernel(signo)
                                 : (struct lx_siginfo){.signo = signo, .code = LX_SI_USER};
    auto_put(thread_group) struct thread_group *init = NULL;
    struct hash_node *n;
    u32 i;

    mutex_lock(&c->lock);
    if (c->state == CONTAINER_RUNNING)
        init = thread_group_get(c->init);
    mutex_unlock(&c->lock);
    if (!all)
        return init ? signal_send_group(init, &info) : -ESRCH;
    pid_lock();
    hash_for_each(&c->pid_ns->by_number, i, n) {
        struct thread_group *tg = container_of(n, struct pid_number, node)->pid->tg;

        if (tg && tg->container == c)
            signal_send_group(tg, &info);
    }
    pid_unlock();
    return 0;
}

void container_group_ended(struct container *c, struct thread_group *tg)
{
    struct list_node reaped = LIST_INIT(reaped);
    bool is_init;

    mutex_lock(&c->lock);
    is_init = tg == c->init;
    if (is_init) {
        __atomic_store_n(&c->state, CONTAINER_STOPPED, __ATOMIC_RELEASE);
        c->exit_status = tg->exit_status;
    }
    mutex_unlock(&c->lock);
    pid_lock();
    /* In a pid namespace that it shares, a container's processes still end with its init. */
    if (is_init)
        pid_ns_kill_locked(c->pid_ns, c, tg);
    thread_group_reap_locked(tg, &reaped);
    pid_unlock();
    thread_group_free_list(&reaped);
    waitq_wake_all(&c->changed, 0);
}

void container_shut(struct container *c)
{
    struct thread_group *init;

    mutex_lock(&c->lock);
    init = c->init;
    c->init = NULL;
    mutex_unlock(&c->lock);
    thread_group_put(init);
}
