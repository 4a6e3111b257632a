/* System V message queues (msgget(2), msgop(2), msgctl(2)). */
#pragma once

#include "sentry/ipc/ipc.h"

struct msg {
    struct list_node node;
    s64 type;
    u64 len;
    u8 text[];
};

/* msg_new() - a message of `len` bytes, charged to the sandbox. Return: NULL: no room. */
struct msg *msg_new(s64 type, u64 len);
void msg_free(struct msg *m);

/* msg_get() - msgget(2). */
s64 msg_get(struct task *t, s32 key, u32 flags);
/* msg_send() - msgsnd(2); the message is taken if it returns 0. -ERESTARTNOHAND among its errnos. */
int msg_send(struct task *t, s32 id, struct msg *m, u32 flags);
/* msg_receive() - msgrcv(2): *out is the caller's; with MSG_COPY a copy. `cap`: bytes it takes. */
int msg_receive(struct task *t, s32 id, u64 cap, s64 type, u32 flags, struct msg **out);

/* msgctl(2) by command, as shm_stat() and its like. */
s64 msg_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_msqid_ds *out);
int msg_set(struct task *t, s32 id, const struct lx_msqid_ds *in);
int msg_remove(struct task *t, s32 id);
/* msg_totals() - MSG_INFO: queues, messages and bytes of a namespace. */
void msg_totals(struct ipc_ns *ns, struct lx_msginfo *out);
