/* System calls of a process' life: clone, exec, exit, wait. */
#include "sentry/abi/lx_process.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/loader.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

/* --- clone --- */

s64 sys_clone(struct task *t, const u64 a[6])
{
    struct clone_args args = {
        .flags = (u32)a[0] & ~LX_CSIGNAL,
        .exit_signal = (u32)a[0] & LX_CSIGNAL,
        .stack = a[1],
        .parent_tid = a[2],
        .pidfd = a[2],
        .child_tid = a[3],
        .tls = a[4],
    };

    /* Before CLONE_PIDFD the flag's place had another meaning; both results go to one pointer. */
    if ((args.flags & LX_CLONE_PIDFD) && (args.flags & LX_CLONE_PARENT_SETTID))
        return -EINVAL;
    return task_clone(t, &args);
}

s64 sys_fork(struct task *t, const u64 a[6])
{
    struct clone_args args = {.exit_signal = LX_SIGCHLD};

    (void)a;
    return task_clone(t, &args);
}

s64 sys_vfork(struct task *t, const u64 a[6])
{
    struct clone_args args = {.flags = LX_CLONE_VFORK | LX_CLONE_VM, .exit_signal = LX_SIGCHLD};

    (void)a;
    return task_clone(t, &args);
}

/* read_clone_args() - a structure of any version; what this one doesn't know must be zero. */
static int read_clone_args(struct task *t, uaddr_t uaddr, u64 size, struct lx_clone_args *out)
{
    u8 rest[256];

    if (size > GUEST_PAGE_SIZE)
        return -E2BIG;
    if (size < LX_CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    *out = (struct lx_clone_args){0};
    if (usermem_in(t->mm, out, uaddr, min_of(size, (u64)sizeof(*out))) < 0)
        return -EFAULT;
    for (u64 at = sizeof(*out); at < size; at += sizeof(rest)) {
        u64 n = min_of(size - at, (u64)sizeof(rest));

        if (usermem_in(t->mm, rest, uaddr + at, n) < 0)
            return -EFAULT;
        for (u64 i = 0; i < n; i++)
            if (rest[i])
                return -E2BIG;
    }
    return 0;
}

/* check_clone_args() - clone3(2)'s own rules; those of the flags among each other are clone's. */
static int check_clone_args(const struct lx_clone_args *c, u64 size)
{
    u64 known = LX_CLONE_LEGACY | LX_CLONE_CLEAR_SIGHAND | LX_CLONE_INTO_CGROUP;

    if (c->set_tid_size > LX_CLONE_SET_TID_MAX || !c->set_tid != !c->set_tid_size)
        return -EINVAL;
    if (c->exit_signal > LX_NSIG)
        return -EINVAL;
    if ((c->flags & LX_CLONE_INTO_CGROUP) &&
        (c->cgroup > INT32_MAX || size < LX_CLONE_ARGS_SIZE_VER2))
        return -EINVAL;
    if ((c->flags & ~known) || (c->flags & (LX_CLONE_DETACHED | (LX_CSIGNAL & ~LX_CLONE_NEWTIME))))
        return -EINVAL;
    if ((c->flags & LX_CLONE_SIGHAND) && (c->flags & LX_CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((c->flags & (LX_CLONE_THREAD | LX_CLONE_PARENT)) && c->exit_signal)
        return -EINVAL;
    if (!c->stack != !c->stack_size)
        return -EINVAL;
    if (c->stack_size > PLAT_TASK_SIZE || c->stack > PLAT_TASK_SIZE - c->stack_size)
        return -EINVAL;
    return 0;
}

s64 sys_clone3(struct task *t, const u64 a[6])
{
    struct lx_clone_args c;
    struct clone_args args;
    int err = read_clone_args(t, a[0], a[1], &c);

    if (!err)
        err = check_clone_args(&c, a[1]);
    if (err)
        return err;
    args = (struct clone_args){
        .flags = c.flags,
        .exit_signal = (u32)c.exit_signal,
        .stack = c.stack ? c.stack + c.stack_size : 0,
        .parent_tid = c.parent_tid,
        .child_tid = c.child_tid,
        .pidfd = c.pidfd,
        .tls = c.tls,
        .set_tid = c.set_tid,
        .set_tid_size = c.set_tid_size,
    };
    return task_clone(t, &args);
}

s64 sys_set_tid_address(struct task *t, const u64 a[6])
{
    t->clear_child_tid = a[0];
    return pid_nr(t->pid, t->pid->ns);
}

/* --- exec --- */

/* string_budget() - what argv and envp may take together (execve(2), "Limits on size"). */
static u64 string_budget(const struct task *t)
{
    const u64 floor = 32 * GUEST_PAGE_SIZE;

    return max_of(floor, min_of((u64)LIMIT_ARG_STRINGS, task_rlimit(t, LX_RLIMIT_STACK) / 4));
}

/* exec_file() - the file first, then the vectors, as Linux looks at them. */
static s64 exec_file(struct task *t, struct file *file, const char *filename, u64 uargv, u64 uenvp)
{
    struct exec_strings argv = {0}, envp = {0};
    u64 budget = string_budget(t);
    int err = exec_strings_from_user(t->mm, uargv, budget, &argv);

    if (!err)
        err = exec_strings_from_user(t->mm, uenvp, budget - min_of(budget, (u64)argv.len), &envp);
    if (err) {
        exec_strings_free(&argv);
        exec_strings_free(&envp);
        return err;
    }
    return task_exec(t, file, filename, &argv, &envp);
}

/* exec_name() - what the program is told it was called: a descriptor's path goes through /dev/fd. */
static int exec_name(const struct at_walk *w, u64 dirfd, char **out)
{
    if (!w->has_start)
        *out = strdup(w->path);
    else if (asprintf(out, "/dev/fd/%d%s%s", (s32)dirfd, w->path[0] ? "/" : "", w->path) < 0)
        *out = NULL;
    return *out ? 0 : -ENOMEM;
}

s64 sys_execveat(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[4], follow = flags & LX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    bool empty_ok = flags & LX_AT_EMPTY_PATH;
    auto_put(file) struct file *file = NULL;
    auto_free char *name = NULL;
    struct at_walk w;
    int err;

    if (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))
        return -EINVAL;
    err = at_begin(t, &w, a[0], a[1], empty_ok);
    if (err < 0)
        return err;
    err =
        vfs_open_exec(&w.ctx, at_from(&w), w.path, follow | (empty_ok ? WALK_EMPTY : 0), &file);
    if (!err)
        err = exec_name(&w, a[0], &name);
    at_end(&w);
    return err ? err : exec_file(t, file, name, a[2], a[3]);
}

s64 sys_execve(struct task *t, const u64 a[6])
{
    const u64 args[6] = {(u64)LX_AT_FDCWD, a[0], a[1], a[2], 0};

    return sys_execveat(t, args);
}

/* --- exit --- */

s64 sys_exit(struct task *t, const u64 a[6])
{
    task_exit(t, lx_status_exited((u32)a[0]));
    return 0;
}

s64 sys_exit_group(struct task *t, const u64 a[6])
{
    group_exit(t->tg, lx_status_exited((u32)a[0]));
    task_exit(t, t->tg->exit_status);
    return 0;
}

/* --- wait --- */

/* put_rusage() - Return: 0, -EFAULT; nothing if the caller wants none. */
static int put_rusage(struct task *t, uaddr_t uaddr, const struct lx_rusage *r)
{
    return uaddr ? usermem_put(t->mm, uaddr, r) : 0;
}

s64 sys_wait4(struct task *t, const u64 a[6])
{
    s32 pid = (s32)a[0];
    struct lx_rusage rusage = {0};
    struct wait_request w = {
        .which = pid == -1 ? WAIT_ANY
                 : pid > 0 ? WAIT_PID
                           : WAIT_PGRP,
        .nr = pid > 0 ? pid : (s32)(0u - (u32)pid),
        .options = (u32)a[2],
        .rusage = a[3] ? &rusage : NULL,
    };
    int err;

    if (w.options &
        ~(LX_WNOHANG | LX_WUNTRACED | LX_WCONTINUED | LX_WNOTHREAD | LX_WCLONE | LX_WALL))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    w.options |= LX_WEXITED;
    err = task_wait(t, &w);
    if (err || !w.pid)
        return err;
    if (a[1] && usermem_put(t->mm, a[1], &w.status) < 0)
        return -EFAULT;
    return put_rusage(t, a[3], &rusage) < 0 ? -EFAULT : w.pid;
}

/* put_waitid_info() - the members of siginfo that waitid(2) sets, and no others. */
static int put_waitid_info(struct task *t, uaddr_t uaddr, const struct wait_request *w)
{
    struct lx_siginfo i = {0};
    u32 killed = w->status & 0x7f;

    if (w->pid) {
        i.signo = LX_SIGCHLD;
        i.chld.pid = w->pid;
        i.chld.uid = w->uid;
        i.code = killed ? LX_CLD_KILLED : LX_CLD_EXITED;
        i.chld.status = (s32)(killed ? killed : w->status >> 8 & 0xff);
        if (w->status == LX_STATUS_CONTINUED) {
            i.code = LX_CLD_CONTINUED;
            i.chld.status = LX_SIGCONT;
        } else if (killed == 0x7f) {
            i.code = w->trapped ? LX_CLD_TRAPPED : LX_CLD_STOPPED;
            i.chld.status = (s32)(w->status >> 8);
        }
    }
    if (usermem_out(t->mm, uaddr, &i, offsetof(struct lx_siginfo, pad0)) < 0)
        return -EFAULT;
    return usermem_out(t->mm, uaddr + offsetof(struct lx_siginfo, chld), &i.chld,
                       offsetof(struct lx_siginfo, chld.pad) - offsetof(struct lx_siginfo, chld));
}

/* waitid_pidfd() - wait by descriptor: a new reference in *f, and WNOHANG by its flags. */
static int waitid_pidfd(struct task *t, s32 fd, struct wait_request *w, struct file **f)
{
    if (fd < 0)
        return -EINVAL;
    if (arg_fd(t, (u64)(u32)fd, f) < 0 || !pidfd_pid(*f))
        return -EBADF;
    w->which = WAIT_PIDFD;
    w->pidfd = pidfd_pid(*f);
    if ((*f)->flags & LX_O_NONBLOCK)
        w->options |= LX_WNOHANG;
    return 0;
}

/* waitid_which() - Return: 0, or waitid(2)'s errno for its first two arguments. */
static int waitid_which(struct task *t, u64 type, s32 nr, struct wait_request *w, struct file **f)
{
    w->nr = nr;
    switch (type) {
    case LX_P_ALL: w->which = WAIT_ANY; return 0;
    case LX_P_PID: w->which = WAIT_PID; return nr > 0 ? 0 : -EINVAL;
    case LX_P_PGID: w->which = WAIT_PGRP; return nr >= 0 ? 0 : -EINVAL;
    case LX_P_PIDFD: return waitid_pidfd(t, nr, w, f);
    default: return -EINVAL;
    }
}

s64 sys_waitid(struct task *t, const u64 a[6])
{
    const u32 events = LX_WEXITED | LX_WSTOPPED | LX_WCONTINUED;
    struct lx_rusage rusage = {0};
    struct wait_request w = {.options = (u32)a[3], .rusage = a[4] ? &rusage : NULL};
    auto_put(file) struct file *pidfd = NULL;
    int err;

    if ((w.options & ~(events | LX_WNOHANG | LX_WNOWAIT | LX_WNOTHREAD | LX_WCLONE | LX_WALL)) ||
        !(w.options & events))
        err = -EINVAL;
    else
        err = waitid_which(t, a[0], (s32)a[1], &w, &pidfd);
    if (!err)
        err = task_wait(t, &w);
    if (!err && w.pid && put_rusage(t, a[4], &rusage) < 0)
        return -EFAULT;
    if (!err && !w.pid && !((u32)a[3] & LX_WNOHANG))
        err = -EAGAIN; /* the descriptor is the one that does not block */
    /* Filled with zeros where nothing was found. */
    if (a[2] && put_waitid_info(t, a[2], &w) < 0)
        return -EFAULT;
    return err;
}

s64 sys_restart_syscall(struct task *t, const u64 a[6])
{
    (void)a;
    return t->restart.fn ? t->restart.fn(t, &t->restart) : -EINTR;
}
