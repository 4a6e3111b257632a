/*
 * System calls: decode, call, encode. One row in sentry/abi/syscalls.def, one handler here in
 * sys_<area>.c. A handler gets the calling task and its six raw arguments and returns the result,
 * a negative errno, or a negative restart code (wait.h).
 */
#pragma once

#include "fs/vfs/namei.h"
#include "sentry/kernel/task.h"

typedef s64 syscall_fn(struct task *t, const u64 a[6]);

enum syscall_support { SYSCALL_FULL, SYSCALL_PARTIAL, SYSCALL_ABSENT };

struct syscall_row {
    const char *name;
    syscall_fn *fn; /* NULL: -ENOSYS */
    enum syscall_support support;
    const char *args; /* "name:TYPE …", for --strace */
    const char *note;
};

#define SYSCALL(nr, name, support, args, note) syscall_fn sys_##name;
#define SYSCALL_NONE(nr, name, note)
#include "sentry/abi/syscalls.def"
#undef SYSCALL
#undef SYSCALL_NONE

#define SYSCALL_TABLE_SIZE 512
extern const struct syscall_row syscall_table[SYSCALL_TABLE_SIZE];

/* syscall_dispatch() - the kernel's hook (task_step): serve call `nr` of `t`. */
s64 syscall_dispatch(struct task *t, s64 nr, const u64 a[6]);

/* --- helpers shared by handlers --- */

/* arg_fd() - the description of an int argument as a new reference, -EBADF; refuses O_PATH.
 * arg_fd_path() - O_PATH descriptions too. */
int arg_fd(struct task *t, u64 arg, struct file **out);
int arg_fd_path(struct task *t, u64 arg, struct file **out);

/* arg_path() - copy in a path (4,096 bytes with NUL): the caller frees *out. Return: 0, -EFAULT,
 * -ENAMETOOLONG. */
int arg_path(struct task *t, u64 uaddr, char **out);

/* arg_struct() - a struct that grows with versions: `size` bytes at uaddr into `dst` of `known`
 * bytes; what is missing is zero. Return: 0, -EFAULT, -E2BIG (unknown bytes that are not zero). */
int arg_struct(struct task *t, u64 uaddr, u64 size, void *dst, size_t known);
/* install_fd() - a descriptor for `file`, taken whatever happens. `flags`: LX_O_CLOEXEC matters.
 * Return: the number, -EMFILE, -ENOMEM. */
s64 install_fd(struct task *t, struct file *file, u32 flags);

/* struct at_walk: an *at call's start and path. at_begin() copies the path in, looks dirfd up and
 * opens the walk; at_end() releases all. `empty_ok`: AT_EMPTY_PATH was given. */
struct at_walk {
    struct walk_ctx ctx;
    struct path start; /* references, or NULL members for AT_FDCWD */
    char *path;
    bool has_start;
};
int at_begin(struct task *t, struct at_walk *w, u64 dirfd, u64 upath, bool empty_ok);
/* at_scope() - openat2's walks that stay below dirfd: it is where an absolute path starts, too. */
int at_scope(struct task *t, struct at_walk *w, u64 dirfd);
void at_end(struct at_walk *w);
/* at_from() - the start as walk() takes it: NULL for the working directory. Borrowed. */
const struct path *at_from(const struct at_walk *w);
/* at_resolve() - begin, walk, end: the object's path as new references. */
int at_resolve(struct task *t, u64 dirfd, u64 upath, u32 walk_flags, struct path *out);

/* time arguments: struct timespec in and out; -EFAULT, -EINVAL (not a time). */
int arg_timespec(struct task *t, u64 uaddr, u64 *ns);
int put_timespec(struct task *t, u64 uaddr, u64 ns);
/* time_saturate() - a time that is not negative in ns; what doesn't fit is "never". */
static inline u64 time_saturate(s64 sec, s64 nsec)
{
    u64 ns;

    if (__builtin_mul_overflow((u64)sec, NS_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, (u64)nsec, &ns))
        return DEADLINE_NEVER;
    return ns;
}
/* deadline_in() - the monotonic time `ns` from now, DEADLINE_NEVER if that is too far. */
static inline u64 deadline_in(u64 ns)
{
    u64 at;

    return __builtin_add_overflow(host_monotonic(), ns, &at) ? DEADLINE_NEVER : at;
}
