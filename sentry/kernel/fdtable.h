/* A process's descriptor table, shared by CLONE_FILES. */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

struct fd_slot {
    struct file *file; /* a reference; NULL: free */
    bool cloexec;
};

struct fdtable {
    struct obj obj;
    struct mutex lock;
    struct fd_slot *slots; /* and below: guarded by lock */
    u32 nslots;            /* allocated */
    u32 nopen;
    u32 next; /* no free slot below it */
};
OBJ_REFS(fdtable)

struct fdtable *fdtable_new(void);
/* fdtable_dup() - a copy for fork. Return: a new reference or NULL. */
struct fdtable *fdtable_dup(struct fdtable *t);
/* fd_get() - the description behind fd as a new reference, or NULL (EBADF). O_PATH ones too. */
struct file *fd_get(struct fdtable *t, int fd);
/* fd_install() - put `file` (taken on success) at the lowest free number ≥ from.
 * Return: the number, -EMFILE (limit: RLIMIT_NOFILE), -EINVAL (from ≥ limit), -ENOMEM. */
int fd_install(struct fdtable *t, struct file *file, int from, u64 limit, bool cloexec);
/* fd_available() - is there a number for one more descriptor now? Asked before a file is made. */
bool fd_available(struct fdtable *t, u64 limit);
/* fd_replace() - dup2: put `file` (taken) at exactly fd. Return: fd, -EBADF, -ENOMEM. */
int fd_replace(struct fdtable *t, struct file *file, int fd, u64 limit, bool cloexec);
/* fd_close() - Return: 0, -EBADF. Runs flush and drops the reference outside the lock. */
int fd_close(struct fdtable *t, int fd);
int fd_close_range(struct fdtable *t, u32 first, u32 last, bool cloexec_only);
int fd_cloexec(struct fdtable *t, int fd);              /* Return: 0, 1, -EBADF */
int fd_set_cloexec(struct fdtable *t, int fd, bool on); /* Return: 0, -EBADF */
/* fd_close_on_exec() - close every descriptor that has the flag. */
void fd_close_on_exec(struct fdtable *t);
/* fd_next() - the lowest open descriptor ≥ from, or -1. */
int fd_next(struct fdtable *t, int from);
