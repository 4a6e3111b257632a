/* A gofer that answers whatever a test wants, in a thread. */
#pragma once

#include "fs/proto/channel.h"

#include <pthread.h>

enum fake_fd { FAKE_NONE, FAKE_RO, FAKE_RW, FAKE_DIR, FAKE_PIPE, FAKE_PATH, FAKE_KINDS };

struct fake_answer {
    struct proto_reply reply; /* seq is right already; data_len is what the reply says */
    u8 data[PROTO_DATA_MAX];
    u32 len;         /* bytes of data that are really written */
    enum fake_fd fd; /* what is sent before the answer */
    u32 fd_count;    /* in one message; 0: one */
    u32 tag_slot_xor, tag_seq_xor;
    bool no_tag;  /* the message has a single byte */
    bool hang_up; /* close the socket instead of answering */
};

typedef void fake_fn(void *arg, const struct proto_request *req, const u8 *data,
                     struct fake_answer *a);

struct fake_gofer {
    struct channel_server channel;
    int shm, sock, client_sock; /* client_sock: for the Sentry's side, which takes it */
    pthread_t thread;
    fake_fn *fn;
    void *arg;
    atomic_bool stop;
    struct fake_answer answer;
    struct proto_request req;
    u8 in[sizeof(((struct channel_slot *)0)->data)];
};

void fake_gofer_start(struct fake_gofer *g, fake_fn *fn, void *arg);
/* fake_gofer_stop() - hang up and end the thread. */
void fake_gofer_stop(struct fake_gofer *g);
/* fake_gofer_unmap() - the last: the other side no longer calls. */
void fake_gofer_unmap(struct fake_gofer *g);
/* fake_attr() - plausible attributes. */
struct proto_attr fake_attr(u32 mode, u64 ino);
/* open_fds() - how many descriptors this process has. */
u32 open_fds(void);
