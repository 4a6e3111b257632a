/*
 * The channel between the Sentry and a gofer: a shared memfd of slots, and a SEQPACKET socket for
 * descriptors. See channel.c for the theory of operation.
 */
#pragma once

#include "fs/proto/proto.h"
#include "sentry/base/lock.h"

#include <stdatomic.h>

#define CHANNEL_SLOTS      16
#define CHANNEL_HEAD_BYTES 4096
#define CHANNEL_SLOT_BYTES (76 * 1024)
/* Size of the memfd, which must be sealed against growing and shrinking (host_memfd()). */
#define CHANNEL_BYTES (CHANNEL_HEAD_BYTES + CHANNEL_SLOTS * CHANNEL_SLOT_BYTES)

/* State of a slot, from the Sentry's side. */
enum { SLOT_IDLE, SLOT_PENDING, SLOT_SLEEPING, SLOT_DONE };

struct channel_slot {
    atomic_uint state; /* SLOT_*; the Sentry's thread sleeps on it */
    u32 pad[15];
    struct proto_request request;
    u32 pad2[4];
    struct proto_reply reply;
    u8 pad3[176];
    u8 data[CHANNEL_SLOT_BYTES - 512]; /* the request's paths and data, then the reply's data */
};
static_assert(sizeof(struct channel_slot) == CHANNEL_SLOT_BYTES, "layout");
static_assert(offsetof(struct channel_slot, data) == 512, "layout");
static_assert(sizeof(((struct channel_slot *)0)->data) >= 2 * PROTO_PATH_MAX + PROTO_DATA_MAX,
              "the longest request fits");

struct channel_shm {
    atomic_uint submitted; /* bit N: slot N has a request; the gofer's workers sleep on it */
    u32 pad0[15];
    atomic_uint sleepers, spinners; /* workers that sleep, and that are about to look */
    u32 pad1[14];
    atomic_uint client_cpu, server_cpu; /* where each side was last seen: hints, no more */
    u32 pad2[14];
    u8 pad3[CHANNEL_HEAD_BYTES - 192];
    struct channel_slot slot[CHANNEL_SLOTS];
};
static_assert(sizeof(struct channel_shm) == CHANNEL_BYTES, "layout");

/* What comes with a descriptor over the socket. */
struct channel_tag {
    u32 slot, seq;
};

/* How well spinning has paid, of one waiting side. */
struct channel_spin {
    _Atomic(u8) score;
    _Atomic(u8) skipped;
};

/* --- the Sentry's side --- */

struct channel_client {
    struct channel_shm *shm;
    int sock;
    atomic_bool dead;     /* the gofer is gone: every call is -EIO */
    atomic_uint watching; /* the thread that waits for that runs */
    atomic_bool closing;  /* and it is we who end it */
    atomic_uint free;     /* bit N: slot N is free; who finds none sleeps on it */
    atomic_uint waiting;  /* how many do */
    atomic_uint seq;
    struct channel_spin spin;
    struct mutex lock;     /* GOFER_CHANNEL */
    int fd[CHANNEL_SLOTS]; /* guarded by lock: descriptors that another slot's reader met, or -1 */
    u32 fd_seq[CHANNEL_SLOTS];
    u32 slot_seq[CHANNEL_SLOTS]; /* guarded by lock: whose request each slot holds; 0: nobody's */
};

/* One call. The caller fills in `req` (seq and data_len apart), path[], data; the answer is in
 * `reply`, in out[] and, if one came, in fd (the caller's to close; -1: none). */
struct channel_call {
    struct proto_request req;
    const char *path[2]; /* req.target[].path_len bytes each; borrowed */
    const void *data[2]; /* two pieces of data, one after the other */
    u32 data_len[2];
    void *out; /* where the reply's data goes; NULL: nowhere */
    u32 out_cap;
    u32 out_len;  /* set: bytes in out */
    bool want_fd; /* a descriptor is expected if status is 0 */
    bool maybe_fd; /* with want_fd: it need not come */
    struct proto_reply reply;
    int fd;
};

/* channel_client_new() - `shm` (borrowed: may be closed afterwards) and `sock` (taken on success)
 * are the two ends that the boot message brought. Return: 0, -EINVAL (not such a memfd), -ENOMEM. */
int channel_client_new(int shm, int sock, struct channel_client **out);
/* channel_client_watch() - start the thread that ends all calls when the gofer dies. */
int channel_client_watch(struct channel_client *c);
/* channel_client_fail() - the gofer is gone: end waiting calls and all later ones with -EIO. */
void channel_client_fail(struct channel_client *c);
/* channel_client_free() - no call may be running. Ends the watching thread, and so the gofer. */
void channel_client_free(struct channel_client *c);
/* channel_call() - ask and wait. Return: the reply's status (0 or negative errno); -EIO for a dead
 * gofer or an impossible answer. Uninterruptible, like a disk. */
int channel_call(struct channel_client *c, struct channel_call *call);

/* --- the gofer's side --- */

struct channel_server {
    struct channel_shm *shm;
    int sock;
    struct channel_spin spin;
};

int channel_server_init(struct channel_server *s, int shm, int sock);
/* channel_server_wait() - sleep until a request comes. Return: its slot, which is this thread's
 * until channel_server_reply(). */
u32 channel_server_wait(struct channel_server *s);
/* channel_server_pending() - is there a request that nobody has taken? */
bool channel_server_pending(const struct channel_server *s);
/* channel_server_request() - copy the request of `slot` out, once, and check its header. `data`
 * gets what follows it; its cap is sizeof(channel_slot.data). Return: 0, -EINVAL. */
int channel_server_request(struct channel_server *s, u32 slot, struct proto_request *req, u8 *data);
/* channel_server_reply() - answer, with `data` of reply->data_len bytes, and `fd` (borrowed; -1:
 * none) donated first. */
void channel_server_reply(struct channel_server *s, u32 slot, struct proto_reply *reply,
                          const void *data, int fd);
