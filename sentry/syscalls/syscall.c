/* The system call table, dispatch, and what handlers share to decode their arguments. */
#include "sentry/syscalls/syscall.h"

#include "sentry/abi/lx_time.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/strace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FULL                                   SYSCALL_FULL
#define PARTIAL                                SYSCALL_PARTIAL
#define SYSCALL(nr, name, support, args, note) [nr] = {#name, sys_##name, support, args, note},
#define SYSCALL_NONE(nr, name, note)           [nr] = {#name, NULL, SYSCALL_ABSENT, "", note},
const struct syscall_row syscall_table[SYSCALL_TABLE_SIZE] = {
#include "sentry/abi/syscalls.def"
};
#undef SYSCALL
#undef SYSCALL_NONE
#undef FULL
#undef PARTIAL

s64 syscall_dispatch(struct task *t, s64 nr, const u64 a[6])
{
    /* x32 numbers have bit 30 set: they are beyond the table like any other unknown one. */
    const struct syscall_row *row = nr >= 0 && nr < SYSCALL_TABLE_SIZE ? &syscall_table[nr] : NULL;

    if (unlikely(atomic_load_explicit(&strace_on, memory_order_relaxed)))
        return strace_call(t, nr, row, a);
    if (unlikely(!row || !row->fn))
        return -ENOSYS;
    return row->fn(t, a);
}

int arg_fd_path(struct task *t, u64 arg, struct file **out)
{
    struct file *f = fd_get(t->files, (s32)arg);

    if (!f)
        return -EBADF;
    *out = f;
    return 0;
}

int arg_fd(struct task *t, u64 arg, struct file **out)
{
    struct file *f = fd_get(t->files, (s32)arg);

    if (!f)
        return -EBADF;
    if (f->flags & LX_O_PATH) {
        file_put(f);
        return -EBADF;
    }
    *out = f;
    return 0;
}

s64 install_fd(struct task *t, struct file *file, u32 flags)
{
    int fd = fd_install(t->files, file, 0, task_rlimit(t, LX_RLIMIT_NOFILE), flags & LX_O_CLOEXEC);

    if (fd < 0)
        file_put(file);
    return fd;
}

int arg_struct(struct task *t, u64 uaddr, u64 size, void *dst, size_t known)
{
    u8 copy[GUEST_PAGE_SIZE];

    if (size > sizeof(copy))
        return -E2BIG;
    if (usermem_in(t->mm, copy, uaddr, size) < 0)
        return -EFAULT;
    for (u64 i = known; i < size; i++)
        if (copy[i])
            return -E2BIG;
    memset(dst, 0, known);
    memcpy(dst, copy, min_of(size, known));
    return 0;
}

int arg_path(struct task *t, u64 uaddr, char **out)
{
    char *path = malloc(LIMIT_PATH);
    char *fit;
    ssize_t n;

    if (!path)
        return -ENOMEM;
    n = usermem_string(t->mm, path, uaddr, LIMIT_PATH);
    if (n < 0) {
        free(path);
        return (int)n;
    }
    fit = realloc(path, (size_t)n + 1);
    *out = fit ? fit : path;
    return 0;
}

/* at_start() - look up the directory that the path starts from. */
static int at_start(struct task *t, struct at_walk *w, u64 dirfd)
{
    struct file *f;
    int rc;

    if ((s32)dirfd == LX_AT_FDCWD)
        return 0;
    rc = arg_fd_path(t, dirfd, &f);
    if (rc < 0)
        return rc;
    if (w->path[0] && !LX_S_ISDIR(f->inode->mode)) {
        rc = -ENOTDIR;
    } else {
        w->start = path_get(&f->path);
        w->has_start = true;
    }
    file_put(f);
    return rc;
}

int at_begin(struct task *t, struct at_walk *w, u64 dirfd, u64 upath, bool empty_ok)
{
    int rc;

    *w = (struct at_walk){0};
    rc = arg_path(t, upath, &w->path);
    if (rc < 0)
        return rc;
    fs_context_walk(t, &w->ctx);
    if (w->path[0] != '/')
        rc = w->path[0] || empty_ok ? at_start(t, w, dirfd) : -ENOENT;
    if (rc < 0)
        at_end(w);
    return rc;
}

int at_scope(struct task *t, struct at_walk *w, u64 dirfd)
{
    return w->path[0] == '/' ? at_start(t, w, dirfd) : 0;
}

void at_end(struct at_walk *w)
{
    fs_context_walk_end(&w->ctx);
    if (w->has_start)
        path_put(&w->start);
    free(w->path);
    *w = (struct at_walk){0};
}

const struct path *at_from(const struct at_walk *w)
{
    return w->has_start ? &w->start : NULL;
}

int at_resolve(struct task *t, u64 dirfd, u64 upath, u32 walk_flags, struct path *out)
{
    struct at_walk w;
    int rc = at_begin(t, &w, dirfd, upath, walk_flags & WALK_EMPTY);

    if (rc < 0)
        return rc;
    rc = walk(&w.ctx, at_from(&w), w.path, walk_flags, out);
    at_end(&w);
    return rc;
}

int arg_timespec(struct task *t, u64 uaddr, u64 *ns)
{
    struct lx_timespec ts;

    if (usermem_get(t->mm, &ts, uaddr) < 0)
        return -EFAULT;
    if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (s64)NS_PER_SEC)
        return -EINVAL;
    *ns = time_saturate(ts.sec, ts.nsec);
    return 0;
}

int put_timespec(struct task *t, u64 uaddr, u64 ns)
{
    struct lx_timespec ts = {.sec = (s64)(ns / NS_PER_SEC), .nsec = (s64)(ns % NS_PER_SEC)};

    return usermem_put(t->mm, uaddr, &ts);
}
