/* Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2),
 * pidfd_send_signal(2). */
#include "fs/proc/proc.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

static bool bad_signal(s32 signo)
{
    return signo < 0 || signo > LX_NSIG;
}

static bool same_session_locked(const struct task *t, const struct thread_group *tg)
{
    return t->tg->pgrp && tg->pgrp && t->tg->pgrp->session == tg->pgrp->session;
}

/* send_group_locked() - kill(2) of one process. `info` NULL: that of kill(2). pid lock held. */
static int send_group_locked(struct task *t, struct thread_group *tg, s32 signo,
                             const struct lx_siginfo *info)
{
    struct lx_siginfo own;

    if (bad_signal(signo))
        return -EINVAL;
    if (!signal_may_send(task_cred(t), tg->leader, signo, same_session_locked(t, tg)))
        return -EPERM;
    if (!signo)
        return 0;
    if (!info) {
        own = siginfo_user(t, tg->leader, signo, LX_SI_USER);
        info = &own;
    }
    return signal_send_group(tg, info);
}

/* send_member_locked() - the same, as one of many: a fork that is under way starts again, so that
 * no child escapes. */
static int send_member_locked(struct task *t, struct thread_group *tg, s32 signo)
{
    int err = send_group_locked(t, tg, signo, NULL);

    __atomic_add_fetch(&tg->group_signals, 1, __ATOMIC_RELEASE);
    return err;
}

/* send_pgrp() - kill(-pgid), 0: the caller's own group. Return: 0 if one could be sent. */
static s64 send_pgrp(struct task *t, s32 nr, s32 signo)
{
    struct process_group *pg = NULL;
    struct thread_group *tg;
    bool sent = false;
    s64 ret = -ESRCH;
    struct pid *p;

    pid_lock();
    if (nr == 0)
        pg = t->tg->pgrp;
    else if ((p = pid_find_locked(t->pid->ns, nr)))
        pg = p->pgrp;
    if (pg) {
        list_for_each(tg, &pg->members, in_pgrp) {
            ret = send_member_locked(t, tg, signo);
            sent = sent || ret == 0;
        }
    }
    pid_unlock();
    return sent ? 0 : ret;
}

/* send_all() - kill(-1): every process but the namespace's init and the caller. */
static s64 send_all(struct task *t, s32 signo)
{
    struct pid_ns *ns = t->pid->ns;
    struct hash_node *n;
    s64 ret = -ESRCH;
    u32 i;

    pid_lock();
    hash_for_each(&ns->by_number, i, n) {
        struct pid_number *pn = container_of(n, struct pid_number, node);
        struct thread_group *tg = pn->pid->tg;
        int err;

        if (!tg || tg == t->tg || pn->nr == 1)
            continue;
        err = send_member_locked(t, tg, signo);
        if (err != -EPERM || ret == -ESRCH)
            ret = err == -EPERM ? 0 : err;
    }
    pid_unlock();
    return ret;
}

/* find_locked() - the process that a tgid, or the tid of one of its threads, names. */
static struct thread_group *find_locked(struct task *t, s32 nr)
{
    struct pid *p = pid_find_locked(t->pid->ns, nr);

    if (!p)
        return NULL;
    return p->tg ? p->tg : p->task ? p->task->tg : NULL;
}

/* send_process() - kill(2) and rt_sigqueueinfo(2) of the process that `nr` names. */
static s64 send_process(struct task *t, s32 nr, s32 signo, const struct lx_siginfo *info)
{
    struct thread_group *tg;
    int err = -ESRCH;

    pid_lock();
    tg = find_locked(t, nr);
    if (tg)
        err = send_group_locked(t, tg, signo, info);
    pid_unlock();
    return err;
}

s64 sys_kill(struct task *t, const u64 a[6])
{
    s32 pid = (s32)a[0], signo = (s32)a[1];

    if (pid > 0)
        return send_process(t, pid, signo, NULL);
    if (pid == INT32_MIN)
        return -ESRCH;
    return pid == -1 ? send_all(t, signo) : send_pgrp(t, -pid, signo);
}

/* send_thread() - to thread tid, of process tgid if that is > 0. */
static s64 send_thread(struct task *t, s32 tgid, s32 tid, s32 signo, const struct lx_siginfo *info)
{
    struct pid_ns *ns = t->pid->ns;
    struct task *to;
    struct pid *p;
    s64 err = 0;

    pid_lock();
    p = pid_find_locked(ns, tid);
    to = p ? p->task : NULL;
    if (!to || (tgid > 0 && pid_nr(to->tg->pid, ns) != tgid))
        err = -ESRCH;
    else if (bad_signal(signo))
        err = -EINVAL;
    else if (!signal_may_send(task_cred(t), to, signo, same_session_locked(t, to->tg)))
        err = -EPERM;
    else if (signo)
        err = signal_send_task(to, info);
    pid_unlock();
    return err;
}

/* signalled_pid() - whom pidfd_send_signal(2)'s descriptor names: a pidfd, or a directory /proc/PID.
 * Borrowed from f; NULL: it is neither. */
static struct pid *signalled_pid(const struct file *f)
{
    struct pid *pid = pidfd_pid(f);

    return pid ? pid : proc_file_pid(f);
}

/* sees() - does a process have, or has it had, a number in this namespace? */
static bool sees(const struct pid_ns *ns, const struct pid *pid)
{
    const struct pid_ns *at = pid->ns;

    while (at && at != ns)
        at = at->parent;
    return at != NULL;
}

/* known_layout() - does a siginfo with this code have a meaning, and so nothing behind its last field? */
static bool known_layout(s32 signo, s32 code)
{
    static const u8 last_code[LX_NSIG + 1] = {
        [LX_SIGILL] = 11,  [LX_SIGTRAP] = 6, [LX_SIGBUS] = 5, [LX_SIGFPE] = 15,
        [LX_SIGSEGV] = 10, [LX_SIGCHLD] = 6, [LX_SIGSYS] = 2,
    };
    u8 last = signo > 0 && signo <= LX_NSIG ? last_code[signo] : 0;

    if (code <= LX_SI_USER)
        return code >= LX_SI_DETHREAD || code == LX_SI_ASYNCNL;
    return code == LX_SI_KERNEL || code <= (last ? last : LX_POLL_CODES);
}

/* read_info() - the caller's siginfo. Return: 0, -EFAULT, -E2BIG: of a code that nobody knows, with
 * more than there is room for in Linux's own. `signo` INFO_SIGNO: the one in it. */
#define INFO_SIGNO INT32_MIN
static int read_info(struct task *t, s32 signo, u64 uinfo, struct lx_siginfo *info)
{
    struct lx_siginfo own;
    const u8 *raw = (const u8 *)&own;

    if (usermem_get(t->mm, &own, uinfo) < 0)
        return -EFAULT;
    signo = signo == INFO_SIGNO ? own.signo : signo;
    for (size_t i = LX_SIGINFO_USED; !known_layout(signo, own.code) && i < sizeof(own); i++)
        if (raw[i])
            return -E2BIG;
    *info = own;
    return 0;
}

/* forged() - is si_code one that the kernel or tkill(2) sets? Only the caller itself may be sent such
 * (rt_sigqueueinfo(2)). */
static bool forged(const struct lx_siginfo *info)
{
    return info->code >= 0 || info->code == LX_SI_TKILL;
}

/* pidfd_info() - the caller's siginfo, checked. Return: 0, -EFAULT, -E2BIG, -EINVAL, -EPERM. */
static int pidfd_info(struct task *t, const struct pid *pid, s32 signo, u64 uinfo,
                      struct lx_siginfo *info)
{
    int err = read_info(t, INFO_SIGNO, uinfo, info);

    if (err < 0)
        return err;
    if (info->signo != signo)
        return -EINVAL;
    return forged(info) && pid != t->pid ? -EPERM : 0;
}

s64 sys_pidfd_send_signal(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct lx_siginfo info;
    s32 signo = (s32)a[1];
    struct pid *pid;
    int err;

    if ((u32)a[3])
        return -EINVAL;
    err = arg_fd(t, a[0], &f);
    if (err < 0)
        return err;
    pid = signalled_pid(f);
    if (!pid)
        return -EBADF;
    if (!sees(t->pid->ns, pid))
        return -EINVAL;
    err = a[2] ? pidfd_info(t, pid, signo, a[2], &info) : 0;
    if (err < 0)
        return err;
    pid_lock();
    err = pid->tg ? send_group_locked(t, pid->tg, signo, a[2] ? &info : NULL) : -ESRCH;
    pid_unlock();
    return err;
}

s64 sys_tgkill(struct task *t, const u64 a[6])
{
    s32 tgid = (s32)a[0], tid = (s32)a[1], signo = (s32)a[2];
    struct lx_siginfo info = siginfo_user(t, NULL, signo, LX_SI_TKILL);

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return send_thread(t, tgid, tid, signo, &info);
}

s64 sys_tkill(struct task *t, const u64 a[6])
{
    s32 tid = (s32)a[0], signo = (s32)a[1];
    struct lx_siginfo info = siginfo_user(t, NULL, signo, LX_SI_TKILL);

    return tid <= 0 ? -EINVAL : send_thread(t, 0, tid, signo, &info);
}

/* queue_info() - the caller's siginfo for a thread: who it names must be the caller if it is forged. */
static int queue_info(struct task *t, s32 to, s32 signo, u64 uinfo, struct lx_siginfo *info)
{
    int err = read_info(t, signo, uinfo, info);

    if (err < 0)
        return err;
    info->signo = signo;
    return forged(info) && pid_nr(t->pid, t->pid->ns) != to ? -EPERM : 0;
}

s64 sys_rt_sigqueueinfo(struct task *t, const u64 a[6])
{
    s32 pid = (s32)a[0], signo = (s32)a[1];
    struct lx_siginfo info;
    int err = queue_info(t, pid, signo, a[2], &info);

    return err < 0 ? err : send_process(t, pid, signo, &info);
}

s64 sys_rt_tgsigqueueinfo(struct task *t, const u64 a[6])
{
    s32 tgid = (s32)a[0], tid = (s32)a[1], signo = (s32)a[2];
    struct lx_siginfo info;
    int err = queue_info(t, tid, signo, a[3], &info);

    if ((err == 0 || err == -EPERM) && (tgid <= 0 || tid <= 0))
        return -EINVAL;
    return err < 0 ? err : send_thread(t, tgid, tid, signo, &info);
}
