/* Inside the control server. */
#pragma once

#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/control/control_msg.h"
#include "sentry/control/server.h"

#include <stdatomic.h>

struct thread_group;
struct tty;

/* One connection. It lives while its reader or a pending wait uses it. */
struct control_conn {
    atomic_uint refs;
    int sock; /* owned */
    struct mutex lock;
    struct list_node processes; /* struct control_process bound to it; guarded by lock */
};

/* A process made by exec: known until it was waited for or its bound connection closes. */
struct control_process {
    struct list_node node;
    struct thread_group *tg; /* a reference */
    struct tty *tty;         /* made for it: a reference, or NULL */
    s32 pid;                 /* in the container's pid namespace */
};

struct control_request {
    struct control_conn *conn; /* borrowed */
    struct control_msg *msg;
    struct control_msg reply; /* filled by the operation; none: it answers later by itself */
    bool later;
};

extern struct control_config control_config;

void control_conn_get(struct control_conn *c);
void control_conn_put(struct control_conn *c);
/* control_conn_send() - a failure is logged: a peer that is gone needs no answer. */
void control_conn_send(struct control_conn *c, const struct control_msg *reply);

/* control_run() - find and do what the request asks; fills req->reply unless req->later. */
void control_run(struct control_request *req);
/* control_reply_begin(), control_reply_end() - around what owes a reply: the Sentry's exit waits for
 * it. Return: false: it does not wait any more, and the container may be gone. */
bool control_reply_begin(void);
void control_reply_end(void);
int control_ps(struct control_request *req);
int control_objects(struct control_request *req);
