/* The Sentry's client of a gofer: the file system "gofer". */
#pragma once

#include "fs/vfs/vfs.h"

struct gofer_conn;

/* gofer_conn_new() - connect to the gofer whose channel the boot message brought: `shm` (borrowed)
 * and `sock` (taken on success). Starts the thread that notices the gofer's death. */
int gofer_conn_new(int shm, int sock, struct gofer_conn **out);
/* gofer_conn_free() - end the gofer. Every super that used it must be gone. */
void gofer_conn_free(struct gofer_conn *c);

/* fs_mount_args.data of this file system; borrowed for the call, `conn` for ever. */
struct gofer_mount {
    struct gofer_conn *conn;
    u32 index;      /* PROTO_MOUNT_ROOT or the boot message's number */
    bool exclusive; /* nobody else changes these files: what was learned holds */
};

extern const struct fs_type gofer_fs_type;
