/* The gofer's server: mounts, handles, workers. See serve.c. */
#pragma once

#include "cmd/gofer/handle.h"
#include "fs/proto/channel.h"

#include <stdatomic.h>

struct gofer_mount_point {
    u32 index;        /* PROTO_MOUNT_ROOT or the boot message's number */
    int dirfd;        /* O_PATH directory: the mount itself, or what `name` stands in; owned */
    const char *name; /* a mount that is a single file; else NULL; borrowed for ever */
    bool readonly;
};

struct gofer {
    struct channel_server channel;
    struct handle_table handles;
    struct gofer_mount_point *mounts; /* owned */
    u32 nmounts;
    bool nodev; /* no device can be opened in any mount: opening first and looking then is safe */
    atomic_uint workers, busy;
};

/* gofer_init() - take the channel's two ends. At most `max_handles` descriptors stay open. */
int gofer_init(struct gofer *g, int shm, int sock, u32 max_handles);
/* gofer_add_mount() - serve `m` (m->dirfd is taken). Before gofer_run(). Return: 0, -ENOMEM. */
int gofer_add_mount(struct gofer *g, const struct gofer_mount_point *m);
/* gofer_run() - serve until the Sentry has closed its end of the socket; the process then ends,
 * since workers may still be in the middle of something. Return: 0, or why there is no worker. */
int gofer_run(struct gofer *g);

/* gofer_confine() - give up all that serving needs not. See confine.c. Return: 0, or negative errno
 * and what failed in *what. */
int gofer_confine(const char **what);
/* gofer_forbid_devices() - make every mount `nodev`. Return: whether none can be opened now. */
bool gofer_forbid_devices(const struct gofer *g);
