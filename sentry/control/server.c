/*
 * Connections of the control server. A thread accepts, a thread serves each connection, and a
 * pending `wait` has one too: they are few (LIMIT_CONNECTIONS), and each may block. runsc is as
 * trusted as the Sentry's boot, but what it sends is checked all the same (control_msg.h).
 */
#include "sentry/control/server.h"

#include "fs/tty/tty.h"
#include "fs/vfs/file.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include "sentry/control/server_priv.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

struct control_config control_config;
static atomic_uint connections;

void control_conn_get(struct control_conn *c)
{
    atomic_fetch_add(&c->refs, 1);
}

void control_conn_put(struct control_conn *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    host_close(c->sock);
    mutex_destroy(&c->lock);
    free(c);
    atomic_fetch_sub(&connections, 1);
}

void control_conn_send(struct control_conn *c, const struct control_msg *reply)
{
    int err = control_msg_send(c->sock, reply);

    if (err < 0)
        log_debug("control: a reply could not be sent: errno %d", -err);
}

/* kill_bound() - the connection is gone: what was bound to it must not outlive it. */
static void kill_bound(struct control_conn *c)
{
    struct lx_siginfo info = siginfo_kernel(LX_SIGKILL);
    struct control_process *p, *tmp;
    struct list_node gone;

    list_init(&gone);
    mutex_lock(&c->lock);
    list_splice_tail(&gone, &c->processes);
    mutex_unlock(&c->lock);
    list_for_each_safe(p, tmp, &gone, node) {
        signal_send_group(p->tg, &info);
        thread_group_put(p->tg);
        if (p->tty)
            tty_wire_finish(p->tty);
        tty_put(p->tty);
        free(p);
    }
}

/* serve_one() - Return: false: too late, the sandbox ends. */
static bool serve_one(struct control_conn *c, struct control_msg *msg)
{
    struct control_request req = {.conn = c, .msg = msg};

    if (!control_reply_begin())
        return false;
    control_run(&req);
    if (!req.later)
        control_conn_send(c, &req.reply);
    control_reply_end();
    control_msg_free(&req.reply);
    return true;
}

static void *connection_thread(void *arg)
{
    struct control_conn *c = arg;
    struct sleeper sleeper;

    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
    for (;;) {
        struct control_msg msg = {0};
        int err = control_msg_recv(c->sock, &msg);

        if (err == -EINTR)
            continue;
        if (err == -EBADMSG) {
            control_msg_fail(&msg, NULL, -EINVAL, "malformed control message");
            control_conn_send(c, &msg);
        }
        if (err == 0 && !serve_one(c, &msg))
            err = -ESHUTDOWN;
        control_msg_free(&msg);
        if (err < 0)
            break;
    }
    kill_bound(c);
    control_conn_put(c);
    return NULL;
}

static void accept_one(int sock)
{
    struct control_conn *c;

    if (atomic_fetch_add(&connections, 1) >= LIMIT_CONNECTIONS || !(c = calloc(1, sizeof(*c)))) {
        atomic_fetch_sub(&connections, 1);
        host_close(sock);
        return;
    }
    atomic_init(&c->refs, 1);
    c->sock = sock;
    mutex_init(&c->lock, LOCK_LEAF);
    list_init(&c->processes);
    if (host_thread_start("control-conn", connection_thread, c) < 0)
        control_conn_put(c);
}

static void *accept_thread(void *arg)
{
    (void)arg;
    for (;;) {
        int sock = host_accept(control_config.listener);

        if (sock >= 0)
            accept_one(sock);
        else if (sock != -EINTR && sock != -ECONNABORTED)
            host_sched_yield(); /* out of descriptors: others will close theirs */
    }
    return NULL;
}

int control_server_start(const struct control_config *config)
{
    control_config = *config;
    return host_thread_start("control", accept_thread, NULL);
}

u32 control_status(u32 wait_status)
{
    u32 signo = wait_status & 0x7f;

    return signo ? 128 + signo : (wait_status >> 8) & 0xff;
}

static struct mutex console_lock = MUTEX_INIT(LEAF); /* guards control_config.tty */

struct tty *control_console(void)
{
    struct tty *t;

    mutex_lock(&console_lock);
    t = control_config.tty ? tty_get(control_config.tty) : NULL;
    mutex_unlock(&console_lock);
    return t;
}

void control_console_drop(void)
{
    struct tty *t;

    mutex_lock(&console_lock);
    t = control_config.tty;
    control_config.tty = NULL;
    mutex_unlock(&console_lock);
    control_config.console = file_put(control_config.console);
    tty_put(t);
}
