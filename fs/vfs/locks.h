/*
 * Locks on files: POSIX record locks (owner: a descriptor table), open file description locks
 * (owner: the description) and flock(2) (the description too). fcntl(2), flock(2).
 */
#pragma once

#include "fs/vfs/vfs.h"

struct file_locks;

enum file_lock_kind { FILE_LOCK_POSIX, FILE_LOCK_OFD, FILE_LOCK_FLOCK };

struct file_lock_range {
    u8 type;   /* LX_F_RDLCK, LX_F_WRLCK, LX_F_UNLCK */
    u64 start; /* first byte */
    u64 end;   /* last byte, S64_MAX: to the end of any file */
    s32 pid;   /* whose (POSIX; shown by F_GETLK): the thread group's pid as a number of ours */
};

/* file_lock_set() - set or clear a lock, waiting for others' if `wait`. `owner`: the descriptor
 * table of a POSIX lock, else ignored. Return: 0, -EAGAIN (conflict), -EDEADLK, -ENOLCK (too many),
 * -ENOMEM, -ERESTARTSYS. The access mode (EBADF) is the caller's check. */
int file_lock_set(struct file *f, enum file_lock_kind kind, const void *owner,
                  const struct file_lock_range *range, bool wait);
/* file_lock_test() - F_GETLK: *range becomes the first lock in its way, or LX_F_UNLCK; a pid of -1
 * is an OFD lock's. */
int file_lock_test(struct file *f, enum file_lock_kind kind, const void *owner,
                   struct file_lock_range *range);
/* file_lock_range() - from fcntl's struct flock: l_whence, l_start, l_len.
 * Return: 0, -EINVAL, -EOVERFLOW. */
int file_lock_range(struct file *f, const struct lx_flock *fl, struct file_lock_range *out);
/* file_locks_close() - close(2) of any descriptor drops the owner's POSIX locks on the file. */
void file_locks_close(struct file *f, const void *owner);
/* file_locks_release() - the description is going: its OFD and flock locks. */
void file_locks_release(struct file *f);
void file_locks_free(struct file_locks *locks);

/* What /proc/locks shows of a lock. */
struct file_lock_info {
    enum file_lock_kind kind;
    struct file_lock_range range; /* of flock(2) too, with whose it is */
    u32 dev_major, dev_minor;
    u64 ino;
};
/* file_locks_list() - all locks that are held, but for what comes while it looks. Return: 0 and an
 * array of *n, the caller's to free(), -ENOMEM. */
int file_locks_list(struct file_lock_info **out, u32 *n);
