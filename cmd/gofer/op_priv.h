/* A request as the gofer's operations see it, and the operations themselves (op_*.c). */
#pragma once

#include "cmd/gofer/gofer.h"

/* Where a target led: use it as (dirfd, name) in *at() calls. name "": dirfd is the thing itself. */
struct spot {
    int dirfd;
    const char *name;
    enum handle_kind kind; /* with name "": what dirfd is */
    u32 access;            /* PROTO_OPEN_* of a HANDLE_FILE */
    u32 mount;
    int opened; /* to be closed, or -1 */
    u64 held;   /* handle to be put; 0: none */
};

enum { GOFER_DENTS_BYTES = 8192 };

/* A worker's private memory; most of it is never touched. */
struct worker {
    struct gofer *g;
    u8 in[sizeof(((struct channel_slot *)0)->data)];
    u8 out[PROTO_DATA_MAX];
    u8 dents[GOFER_DENTS_BYTES] __attribute__((aligned(8)));
};

struct job {
    struct gofer *g;
    struct worker *w;
    struct proto_request req;
    const char *path[2]; /* checked components, in w->in */
    const u8 *data;      /* req.data_len bytes */
    struct spot spot[2];
    struct proto_reply reply;
    int fd; /* to be donated, or -1; owned */
};

/* resolve() - find where a target leads, all but its last component being directories. */
int resolve(struct gofer *g, u64 handle, const char *path, u32 path_len, struct spot *out);
void spot_release(struct gofer *g, struct spot *s);
/* spot_open_file() - open a regular file with exactly these PROTO_OPEN_* rights.
 * Return: a new descriptor and the file's attributes. */
int spot_open_file(const struct gofer *g, const struct spot *s, u32 access,
                   struct proto_attr *attr);
/* spot_open_any() - open a regular file or a directory, for reading. */
int spot_open_any(const struct spot *s);
/* spot_attr() - the attributes as they are now, into the reply. */
int spot_attr(struct job *j, const struct spot *s);

/* Each returns 0 or a negative errno, which becomes the reply's status. */
int op_attach(struct job *j);
int op_walk(struct job *j);
int op_open(struct job *j);
int op_create(struct job *j);
int op_symlink(struct job *j);
int op_link(struct job *j);
int op_remove(struct job *j);
int op_rename(struct job *j);
int op_readlink(struct job *j);
int op_setattr(struct job *j);
int op_readdir(struct job *j);
int op_statfs(struct job *j);
int op_fsync(struct job *j);
int op_fallocate(struct job *j);
int op_getxattr(struct job *j);
int op_setxattr(struct job *j);
int op_listxattr(struct job *j);
int op_delxattr(struct job *j);
int op_release(struct job *j);
int op_connect(struct job *j);
/* serve() - one request, whose paths and data stand in w->in, into j->reply and w->out. */
void serve(struct worker *w, struct job *j);
