/* Inside fs/mqueue: a queue, and the instance that its name is in. */
#pragma once

#include "fs/mqueue/mqueue.h"
#include "sentry/ipc/msg.h"

struct mqueue {
    struct mqueue_super *super; /* borrowed: its inode's super keeps it */
    u32 maxmsg, msgsize;
    u32 uid;    /* whose RLIMIT_MSGQUEUE it counts against */
    u64 charge; /* bytes of that */
    struct waitq poll;
    struct mutex lock;
    struct list_node messages; /* struct msg, and below: guarded by lock */
    struct list_node receivers, senders;
    u32 count;
    u64 bytes;
    /* who wants to be told; NULL: nobody */
    struct thread_group *told; /* a reference */
    struct user_ns *told_ns;   /* a reference: in whose eyes a sender has a uid */
    struct lx_sigevent event;
};

struct mqueue_super {
    struct mutex lock;
    struct ipc_ns *ns; /* borrowed; NULL: it is gone. Guarded by lock, as all below */
    struct hash by_name;
    struct list_node names; /* struct mqueue_name in the order of their positions */
    s64 last_pos;
    u32 count; /* queues that live, with a name or without */
};

/* MQUEUE_TEXT - room for what reading a queue gives. MQUEUE_SIZE: what stat(2) says, as Linux does. */
enum { MQUEUE_TEXT = 128, MQUEUE_SIZE = 80 };
extern const struct file_ops mqueue_file_ops;

static inline struct mqueue *mqueue_of(const struct inode *ino)
{
    return ino->private;
}

/* mqueue_new() - charged to the calling task's user. Return: 0, -EMFILE, -ENOMEM. */
int mqueue_new(u32 maxmsg, u32 msgsize, struct mqueue **out);
void mqueue_free(struct mqueue *q);
/* mqueue_quiet_locked() - nobody is told any more. What that leaves over is put by mqueue_told_put()
 * without the lock. */
struct mqueue_told {
    struct thread_group *tg;
    struct user_ns *ns;
};
struct mqueue_told mqueue_quiet_locked(struct mqueue *q);
void mqueue_told_put(struct mqueue_told *t);
