/* POSIX message queues (mq_overview(7)) and the file system that shows those of an IPC namespace. */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_ipc.h"
#include "sentry/abi/lx_signal.h"

struct ipc_ns;
struct msg;

extern const struct fs_type mqueue_fs_type;

/* mqueue_open() - mq_open(2) in `ns`: `name` is one component; with LX_O_CREAT, `mode` (without the
 * umask already) and what a fresh queue is to hold, NULL: the namespace's default. */
int mqueue_open(struct ipc_ns *ns, const char *name, u32 flags, u32 mode,
                const struct lx_mq_attr *attr, struct file **out);
/* mqueue_unlink() - mq_unlink(2). */
int mqueue_unlink(struct ipc_ns *ns, const char *name);

/* The rest is for an open file of a queue: mqueue_file() says whether `f` is one. */
bool mqueue_file(const struct file *f);
/* mqueue_message_max() - bytes of its longest message. */
u64 mqueue_message_max(const struct file *f);
/* mqueue_send() - `m` (its type is the priority) is taken if it returns 0. -EAGAIN, -ETIMEDOUT,
 * -ERESTARTSYS. mqueue_receive(): *out is the caller's. */
int mqueue_send(struct file *f, struct msg *m, u64 deadline);
int mqueue_receive(struct file *f, u64 deadline, struct msg **out);
/* mqueue_notify() - mq_notify(2) for the calling process; NULL: no more. */
int mqueue_notify(struct file *f, const struct lx_sigevent *event);
/* mqueue_attr() - as they are now, the file's O_NONBLOCK among them. */
void mqueue_attr(struct file *f, struct lx_mq_attr *out);
