/* The gofer's table of handles: descriptors that the Sentry may name by number. */
#pragma once

#include "sentry/base/lock.h"

enum handle_kind {
    HANDLE_DIR,    /* O_PATH descriptor of a directory */
    HANDLE_FILE,   /* real descriptor of a regular file */
    HANDLE_OTHER,  /* O_PATH descriptor of anything else */
    HANDLE_NAMED,  /* a mount that is no directory: `name` in `fd` */
    HANDLE_STREAM, /* real descriptor of a directory, somewhere in a READDIR */
};

struct handle {
    int fd; /* owned by the table, but for HANDLE_NAMED */
    enum handle_kind kind;
    u32 mount;        /* index into the gofer's mounts */
    u32 access;       /* HANDLE_FILE: PROTO_OPEN_* of fd */
    const char *name; /* HANDLE_NAMED */
};

struct handle_slot {
    struct handle h;
    u32 serial; /* odd: in use; part of the handle's number */
    u32 refs;
    bool doomed; /* released: ends with the last reference */
    u32 next_free;
};

struct handle_table {
    struct mutex lock;
    struct handle_slot *slots; /* and below: guarded by lock */
    u32 count, cap, limit;
    u32 free; /* first free slot, or UINT32_MAX */
    u32 used;
};

/* handle_table_init() - at most `limit` handles. */
void handle_table_init(struct handle_table *t, u32 limit);
/* handle_table_free() - close all; none may be in use. */
void handle_table_free(struct handle_table *t);
/* handle_add() - `h->fd` is taken on success. Return: 0 and its number, -EMFILE, -ENOMEM. */
int handle_add(struct handle_table *t, const struct handle *h, u64 *number);
/* handle_get() - use a handle: its descriptor stays open until handle_put(). Return: 0, -EBADF. */
int handle_get(struct handle_table *t, u64 number, struct handle *out);
void handle_put(struct handle_table *t, u64 number);
/* handle_release() - forget a handle. Return: 0, -EBADF. */
int handle_release(struct handle_table *t, u64 number);
