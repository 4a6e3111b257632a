/* Inside fs/pipe. */
#pragma once

#include "fs/pipe/pipe.h"

enum { PIPE_DEFAULT_PAGES = 16, PIPE_POOR_PAGES = 2, PIPE_SPARES = 2, PIPE_PIECE = 65536 };

/* A stretch of a pipe's content. Between a copy and the pipe it belongs to one task alone. */
struct pipe_buf {
    struct list_node node;
    u32 cap; /* bytes of data[], a multiple of the page size */
    u32 off, len;
    bool packet; /* one write of a packet pipe: read as one */
    u8 data[];
};

struct pipe {
    struct mutex lock;
    struct list_node bufs; /* and below: guarded by lock; first written first */
    u64 bytes;             /* in bufs */
    u32 pages;             /* that bufs take */
    u32 max_pages;         /* capacity */
    u32 readers, writers;  /* open descriptions that may */
    u32 reads, writes;     /* such opens so far: fifo(7)'s openers wait for them to change */
    struct pipe_buf *spare[PIPE_SPARES]; /* owned, empty */
    u32 files;                           /* open descriptions; guarded by the inode's lock */
    struct user_pages *user;             /* a reference: who pays for the capacity */
    struct waitq wait; /* POLLIN: data or no writers; POLLOUT: room or no readers */
};

extern const struct file_ops pipe_ops;

/* pipe_alloc() - an empty pipe that nobody has open, or NULL. */
struct pipe *pipe_alloc(const struct cred *cred);
void pipe_free(struct pipe *p);
static inline struct pipe *pipe_of(const struct file *f)
{
    return f->private;
}

/* pipe_open_end() - count a description in, and out again. Lock held. */
void pipe_end_in_locked(struct pipe *p, const struct file *f);
void pipe_end_out_locked(struct pipe *p, const struct file *f);

/* --- buffers; lock held where the name says so --- */

/* buf_get_locked() - a spare that holds n bytes, or NULL. buf_new(): a fresh one. */
struct pipe_buf *buf_get_locked(struct pipe *p, u32 n);
struct pipe_buf *buf_new(u32 n);
/* buf_keep_locked() - keep it as a spare; false: the caller frees it. */
bool buf_keep_locked(struct pipe *p, struct pipe_buf *b);
/* buf_room_locked() - how many bytes a write of `want` may put in now; 0: none, or not all of a
 * write that is atomic. */
u64 buf_room_locked(const struct pipe *p, u64 want, bool packet);
/* buf_append_locked() - put in as much of b as there is room for, all or nothing if `atomic`. b
 * becomes the pipe's (NULL is left) or keeps the rest. */
void buf_append_locked(struct pipe *p, struct pipe_buf **b, bool atomic);
/* buf_take_locked() - take the first stretch out; buf_return_locked(): put it back in front. */
struct pipe_buf *buf_take_locked(struct pipe *p);
void buf_return_locked(struct pipe *p, struct pipe_buf *b);
/* buf_gather_locked() - copy up to n bytes out of the front into dst; what was emptied is kept as a
 * spare or goes to `dead`. Return: bytes. */
size_t buf_gather_locked(struct pipe *p, void *dst, size_t n, struct list_node *dead);
/* buf_peek_locked() - the same, and everything stays. */
size_t buf_peek_locked(const struct pipe *p, void *dst, size_t n);
void buf_free_list(struct list_node *dead);

/* --- who pays (fs.pipe-user-pages-soft) --- */

struct user_pages;
/* user_pages_get() - the account of a uid, with `pages` added. Return: a new reference, NULL. */
struct user_pages *user_pages_get(u32 uid, u32 pages);
void user_pages_put(struct user_pages *u, u32 pages);
/* user_pages_change() - Return: the account's total now. */
u64 user_pages_change(struct user_pages *u, s64 by);
