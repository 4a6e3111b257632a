/* A gofer in a process of its own, serving a temporary directory, and the Sentry's end to it. */
#pragma once

#include "fs/proto/channel.h"

struct fixture {
    char dir[64];     /* the container's root */
    char outside[64]; /* a directory beside it, which must not be reached */
    int dirfd;        /* of dir, O_PATH */
    pid_t pid;        /* the gofer's */
    int shm;          /* the channel's memfd */
    struct channel_client *client;
    bool killed; /* the test has ended the gofer itself */
};

/* fixture_start() - with a mount 7 that is a single file if `file_mount`, root read-only if asked. */
void fixture_start(struct fixture *f);
void fixture_start_with(struct fixture *f, bool readonly, bool file_mount, bool confine);
/* fixture_stop() - end the gofer by closing the channel, and see that it goes. */
void fixture_stop(struct fixture *f);

struct gofer_conn;
/* fixture_stop_conn() - the same for a gofer whose socket `conn` has taken over, which ends too. */
void fixture_stop_conn(struct fixture *f, struct gofer_conn *conn);

/* A call with one path ("a/b" is written as components), and its parts. */
struct channel_call *fixture_call(u32 op, u64 handle, const char *path);
/* fixture_run() - make the call. Return: its status. The call stays valid till the next. */
int fixture_run(struct fixture *f, struct channel_call *c);
/* fixture_root() - the handle of the root. */
u64 fixture_root(struct fixture *f);
/* fixture_write() - a file below dir with these contents. */
void fixture_write(struct fixture *f, const char *name, const char *text);
/* path_pack() - "a/b" as "a\0b\0". Return: its length. */
u32 path_pack(const char *path, char *out);
