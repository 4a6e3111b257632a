/* The operations of control_proto.h. */
#include "fs/hostfd/hostfd.h"
#include "fs/tty/tty.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"
#include "sentry/boot.h"
#include "sentry/control/server_priv.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint pending_replies; /* requests that are being served, and waits */
static atomic_bool draining;
static bool init_starting; /* guarded by the container's lock */

bool control_reply_begin(void)
{
    atomic_fetch_add(&pending_replies, 1);
    if (!atomic_load(&draining))
        return true;
    control_reply_end();
    return false;
}

void control_reply_end(void)
{
    if (atomic_fetch_sub(&pending_replies, 1) == 1)
        host_futex_wake(&pending_replies, INT32_MAX, false);
}

static struct container *target(void)
{
    return control_config.container;
}

/* start_failed() - say why a program could not be started, in runc's words. */
static int start_failed(struct control_request *req, const struct process_args *args, int err)
{
    const char *program = args->process->args.items[0];

    if (args->failed && strcmp(args->failed, "cwd") == 0)
        return control_msg_fail(&req->reply, req->msg, err,
                                "can't enter the working directory \"%s\": %s: create it in the "
                                "image or change process.cwd",
                                args->process->cwd, strerror(-err));
    if (args->failed && strcmp(args->failed, "process") == 0)
        return control_msg_fail(&req->reply, req->msg, err, "can't make the process: %s",
                                strerror(-err));
    if (err == -ENOENT)
        return control_msg_fail(&req->reply, req->msg, err,
                                "exec: \"%s\": executable file not found in $PATH or no such "
                                "file or directory",
                                program);
    return control_msg_fail(&req->reply, req->msg, err, "exec: \"%s\": %s", program,
                            err == -EACCES ? "permission denied" : strerror(-err));
}

/* own_stdio() - standard descriptors belong to the user of the process that they are for, so that it
 * can open /dev/stdout. */
static void own_stdio(struct file *stdio[3], const struct container *c, u32 uid)
{
    u32 kuid = uid_to_kuid(c->user_ns, uid);

    for (int i = 0; i < 3; i++) {
        if (!stdio[i] || kuid == ID_INVALID)
            continue;
        mutex_lock(&stdio[i]->inode->lock);
        inode_set(&stdio[i]->inode->uid, kuid);
        mutex_unlock(&stdio[i]->inode->lock);
    }
}

static int op_start(struct control_request *req)
{
    struct container *c = target();
    struct process_args args = {.process = &c->spec->process, .is_init = true};
    struct tty *tty = control_console();
    struct thread_group *tg;
    int err;

    mutex_lock(&c->lock);
    err = c->state == CONTAINER_CREATED && !init_starting ? 0 : -EBUSY;
    if (!err)
        init_starting = true;
    mutex_unlock(&c->lock);
    if (err) {
        tty_put(tty);
        return control_msg_fail(&req->reply, req->msg, err, "container is not in state created");
    }
    memcpy(args.stdio, control_config.stdio, sizeof(args.stdio));
    own_stdio(args.stdio, c, args.process->user.uid);
    args.tty = tty ? &tty->ctl : NULL;
    err = container_start_process(c, &args, &tg);
    tty_put(tty);
    if (err < 0) {
        mutex_lock(&c->lock);
        init_starting = false;
        mutex_unlock(&c->lock);
        return start_failed(req, &args, err);
    }
    for (int i = 0; i < 3; i++)
        control_config.stdio[i] = file_put(control_config.stdio[i]);
    err = control_msg_ok(&req->reply, req->msg);
    if (!err) /* it may have ended by now */
        err = control_msg_set_int(&req->reply, "pid", pid_was_nr(tg->pid, c->pid_ns));
    thread_group_put(tg);
    return err;
}

static int op_state(struct control_request *req)
{
    static const char *const names[] = {"created", "running", "stopped"};
    struct container *c = target();
    const char *name;
    int err = control_msg_ok(&req->reply, req->msg);

    mutex_lock(&c->lock);
    name = c->paused && c->state == CONTAINER_RUNNING ? "paused" : names[c->state];
    mutex_unlock(&c->lock);
    return err ? err : control_msg_set_string(&req->reply, "state", name);
}

/* take_stdio() - the request's standard descriptors as files. */
static int take_stdio(struct control_request *req, const struct cred *cred, struct file *stdio[3])
{
    static const char *const names[] = {"stdin", "stdout", "stderr"};

    for (int i = 0; i < 3; i++) {
        int fd = control_msg_take_fd(req->msg, names[i]), err;

        if (fd < 0)
            continue;
        err = hostfd_new(fd, cred, &stdio[i]);
        if (err < 0) {
            host_close(fd);
            return err;
        }
    }
    return 0;
}

static struct oci_process *take_process(struct control_request *req, struct oci_error *err)
{
    auto_fd int fd = control_msg_take_fd(req->msg, "process");
    struct oci_process *process = NULL;
    auto_free char *text = NULL;
    size_t len;

    if (fd < 0 || control_blob_read(fd, &text, &len) < 0) {
        snprintf(err->text, sizeof(err->text), "process: not a sealed memfd");
        return NULL;
    }
    return oci_process_parse(text, len, &process, err) < 0 ? NULL : process;
}

/* take_files() - the standard descriptors of an exec'd process, or a terminal for it. */
static int take_files(struct control_request *req, const struct oci_process *process,
                      const struct cred *cred, struct file *stdio[3], struct tty **tty)
{
    auto_fd int fd = control_msg_take_fd(req->msg, "console");
    int err;

    if (fd < 0)
        return process->terminal ? -ENOTTY : take_stdio(req, cred, stdio);
    err = boot_console(target(), process, fd, stdio, tty);
    if (!err)
        fd = -1;
    return err;
}

/* remember() - keep an exec'd process for wait, kill and resize. `tty`: taken. */
static int remember(struct control_request *req, struct thread_group *tg, struct tty *tty, s32 pid)
{
    struct control_process *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->tg = thread_group_get(tg);
    p->tty = tty;
    p->pid = pid;
    mutex_lock(&req->conn->lock);
    list_add_tail(&req->conn->processes, &p->node);
    mutex_unlock(&req->conn->lock);
    return 0;
}

static int op_exec(struct control_request *req)
{
    struct container *c = target();
    struct process_args args = {0};
    struct oci_error why = {{0}};
    struct oci_process *process = take_process(req, &why);
    auto_put(thread_group) struct thread_group *tg = NULL;
    struct cred *cred = cred_root(c->user_ns);
    struct tty *tty = NULL;
    int err;
    s32 pid;

    if (!process || !cred) {
        cred_put(cred);
        oci_process_free(process);
        return control_msg_fail(&req->reply, req->msg, -EINVAL, "%s", why.text);
    }
    args.process = process;
    err = take_files(req, process, cred, args.stdio, &tty);
    args.tty = tty ? &tty->ctl : NULL;
    own_stdio(args.stdio, c, process->user.uid);
    if (!err)
        err = container_start_process(c, &args, &tg);
    for (int i = 0; i < 3; i++)
        file_put(args.stdio[i]);
    cred_put(cred);
    if (err < 0)
        tty_put(tty);
    if (err < 0) {
        err = start_failed(req, &args, err);
        oci_process_free(process);
        return err;
    }
    oci_process_free(process);
    pid = pid_was_nr(tg->pid, c->pid_ns); /* it may have ended by now */
    err = remember(req, tg, tty, pid);
    if (!err)
        err = control_msg_ok(&req->reply, req->msg);
    return err ? err : control_msg_set_int(&req->reply, "pid", pid);
}

/* find_process() - init, or a process that exec made on this connection: a new reference. */
static struct thread_group *find_process(struct control_request *req)
{
    struct container *c = target();
    struct thread_group *tg = NULL;
    struct control_process *p;
    s64 pid = 0;

    if (control_msg_get_int(req->msg, "pid", &pid) < 0 || pid == 1) {
        mutex_lock(&c->lock);
        tg = thread_group_get(c->init);
        mutex_unlock(&c->lock);
        return tg;
    }
    mutex_lock(&req->conn->lock);
    list_for_each(p, &req->conn->processes, node)
        if (p->pid == pid && !tg)
            tg = thread_group_get(p->tg);
    mutex_unlock(&req->conn->lock);
    return tg;
}

static int op_resize(struct control_request *req)
{
    struct tty *tty = NULL;
    struct control_process *p;
    s64 pid = 0;

    if (control_msg_get_int(req->msg, "pid", &pid) < 0) {
        tty = control_console();
    } else {
        mutex_lock(&req->conn->lock);
        list_for_each(p, &req->conn->processes, node)
            if (p->pid == pid && p->tty && !tty)
                tty = tty_get(p->tty);
        mutex_unlock(&req->conn->lock);
    }
    if (!tty)
        return control_msg_fail(&req->reply, req->msg, -ENOTTY, "it has no terminal");
    tty_wire_resized(tty);
    tty_put(tty);
    return control_msg_ok(&req->reply, req->msg);
}

/* A `wait` that goes on after its request has been taken. */
struct pending_wait {
    struct control_conn *conn; /* a reference */
    struct thread_group *tg;   /* a reference */
    struct control_msg reply;
};

static void *wait_thread(void *arg)
{
    struct pending_wait *w = arg;
    struct sleeper sleeper;
    u32 status;

    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
    status = container_wait(target(), w->tg);
    if (control_msg_set_int(&w->reply, "status", control_status(status)) == 0)
        control_conn_send(w->conn, &w->reply);
    control_msg_free(&w->reply);
    thread_group_put(w->tg);
    control_conn_put(w->conn);
    free(w);
    control_reply_end();
    return NULL;
}

static int op_wait(struct control_request *req)
{
    struct thread_group *tg = find_process(req);
    struct pending_wait *w;

    if (!tg)
        return control_msg_fail(&req->reply, req->msg, -ESRCH, "no such process");
    w = calloc(1, sizeof(*w));
    if (!w || control_msg_ok(&w->reply, req->msg) < 0) {
        thread_group_put(tg);
        free(w);
        return -ENOMEM;
    }
    control_conn_get(req->conn);
    w->conn = req->conn;
    w->tg = tg;
    req->later = true;
    atomic_fetch_add(&pending_replies, 1); /* beside the request's own */
    if (host_thread_start("control-wait", wait_thread, w) < 0)
        wait_thread(w);
    return 0;
}

void control_server_drain(void)
{
    unsigned int n;

    atomic_store(&draining, true);
    while ((n = atomic_load(&pending_replies)) > 0)
        host_futex_wait(&pending_replies, n, DEADLINE_NEVER, false);
}

/* kill_one() - as from a parent namespace: SIGKILL and SIGSTOP reach init too. */
static int kill_one(s64 pid, int signo)
{
    struct thread_group *tg = pid_find_group(target()->pid_ns, (s32)pid);
    struct lx_siginfo info = siginfo_kernel(signo);
    int err = tg ? 0 : -ESRCH;

    if (tg && signo)
        err = signal_send_group(tg, &info);
    thread_group_put(tg);
    return err;
}

static int kill_pgrp(s64 pgid, int signo)
{
    struct lx_siginfo info = siginfo_kernel(signo);
    struct pid *pid;
    int err = -ESRCH;

    pid_lock();
    pid = pid_find_locked(target()->pid_ns, (s32)pgid);
    if (pid && pid->pgrp)
        err = signo ? signal_send_pgrp_locked(pid->pgrp, &info) : 0;
    pid_unlock();
    return err;
}

static int op_kill(struct control_request *req)
{
    const char *mode = "process";
    s64 signo = 0, pid = 1;
    int err;

    control_msg_get_string(req->msg, "mode", &mode);
    control_msg_get_int(req->msg, "pid", &pid);
    if (control_msg_get_int(req->msg, "signal", &signo) < 0 || signo < 0 || signo > LX_NSIG)
        return control_msg_fail(&req->reply, req->msg, -EINVAL, "no such signal");
    if (strcmp(mode, "all") == 0)
        err = container_kill(target(), (int)signo, true);
    else if (strcmp(mode, "group") == 0)
        err = kill_pgrp(pid, (int)signo);
    else
        err = kill_one(pid, (int)signo);
    if (err < 0)
        return control_msg_fail(&req->reply, req->msg, err, "kill: %s", strerror(-err));
    return control_msg_ok(&req->reply, req->msg);
}

static int op_pause(struct control_request *req)
{
    task_stop_all(target());
    return control_msg_ok(&req->reply, req->msg);
}

static int op_resume(struct control_request *req)
{
    task_resume_all(target());
    return control_msg_ok(&req->reply, req->msg);
}

static const struct {
    const char *name;
    int (*run)(struct control_request *req);
} ops[] = {
    {"start", op_start}, {"state", op_state}, {"exec", op_exec},     {"wait", op_wait},
    {"kill", op_kill},   {"ps", control_ps},  {"pause", op_pause}, {"resume", op_resume},
    {"resize", op_resize}, {"objects", control_objects},
};

void control_run(struct control_request *req)
{
    const char *op = "";
    int err = -ENOSYS;

    control_msg_get_string(req->msg, "op", &op);
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        if (strcmp(ops[i].name, op) == 0)
            err = ops[i].run(req);
    if (err == -ENOSYS)
        control_msg_fail(&req->reply, req->msg, err, "not built yet: control operation \"%s\"",
                         op);
    else if (err < 0)
        control_msg_fail(&req->reply, req->msg, err, "%s: %s", op, strerror(-err));
}
