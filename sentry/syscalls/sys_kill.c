/* Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2). */
#include "sentry/syscalls/syscall.h"

#include <errno.h>

static bool bad_signal(s32 signo)
{
    return signo < 0 || signo > LX_NSIG;
}

static bool same_session(struct task *t, struct thread_group *tg)
{
    bool same;

    pid_lock();
    same = t->tg->pgrp && tg->pgrp && t->tg->pgrp->session == tg->pgrp->session;
    pid_unlock();
    return same;
}

/* send_group() - kill(2) of one process. */
static int send_group(struct task *t, struct thread_group *tg, s32 signo, int code)
{
    struct task *leader;
    struct lx_siginfo info;
    int err = 0;

    pid_lock();
    leader = task_get(tg->leader);
    pid_unlock();
    if (!leader)
        return -ESRCH;
    if (!signal_may_send(task_cred(t), leader, signo, same_session(t, tg))) {
        err = -EPERM;
    } else if (signo) {
        info = siginfo_user(t, leader, signo, code);
        err = signal_send_group(tg, &info);
    }
    task_put(leader);
    return err;
}

enum { COLLECT_ALL, COLLECT_PGRP };

struct collected {
    struct thread_group **tg; /* new references */
    u32 n;
};

/* collect() - the processes that kill(-1) or kill(-pgid) means. */
static int collect(struct task *t, int what, s32 nr, struct collected *out)
{
    struct pid_ns *ns = t->pid->ns;
    struct pid *p;
    struct thread_group *tg;

    *out = (struct collected){.tg = calloc(PID_MAX, sizeof(struct thread_group *))};
    if (!out->tg)
        return -ENOMEM;
    pid_lock();
    if (what == COLLECT_PGRP) {
        struct process_group *pg = NULL;

        if (nr == 0)
            pg = t->tg->pgrp;
        else if ((p = pid_find_locked(ns, nr)))
            pg = p->pgrp;
        if (pg)
            list_for_each(tg, &pg->members, in_pgrp)
                out->tg[out->n++] = thread_group_get(tg);
    } else {
        for (s32 i = 2; i < PID_MAX; i++) {
            p = pid_find_locked(ns, i);
            if (p && p->tg && p->tg != t->tg)
                out->tg[out->n++] = thread_group_get(p->tg);
        }
    }
    pid_unlock();
    return 0;
}

/* send_many() - Return: as kill(2): 0 if one could be sent, else EPERM or ESRCH. */
static s64 send_many(struct task *t, int what, s32 nr, s32 signo)
{
    struct collected c;
    int err = collect(t, what, nr, &c);
    s64 ret = -ESRCH;

    if (err < 0)
        return err;
    for (u32 i = 0; i < c.n; i++) {
        err = send_group(t, c.tg[i], signo, LX_SI_USER);
        if (err == 0 || ret != 0)
            ret = err;
        thread_group_put(c.tg[i]);
    }
    free(c.tg);
    return ret;
}

s64 sys_kill(struct task *t, const u64 a[6])
{
    s32 pid = (s32)a[0], signo = (s32)a[1];
    struct thread_group *tg;
    int err;

    if (bad_signal(signo))
        return -EINVAL;
    if (pid == -1)
        return send_many(t, COLLECT_ALL, 0, signo);
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid <= 0)
        return send_many(t, COLLECT_PGRP, -pid, signo);
    tg = pid_find_group(t->pid->ns, pid);
    if (!tg) {
        struct task *thread = pid_find_task(t->pid->ns, pid);

        tg = thread ? thread_group_get(thread->tg) : NULL;
        task_put(thread);
    }
    if (!tg)
        return -ESRCH;
    err = send_group(t, tg, signo, LX_SI_USER);
    thread_group_put(tg);
    return err;
}

/* send_thread() - to thread tid, of process tgid if that is > 0. */
static s64 send_thread(struct task *t, s32 tgid, s32 tid, struct lx_siginfo *info)
{
    struct task *to = pid_find_task(t->pid->ns, tid);
    s64 err = 0;

    if (!to || (tgid > 0 && pid_nr(to->tg->pid, t->pid->ns) != tgid))
        err = -ESRCH;
    else if (!signal_may_send(task_cred(t), to, info->signo, same_session(t, to->tg)))
        err = -EPERM;
    else if (info->signo)
        err = signal_send_task(to, info);
    task_put(to);
    return err;
}

s64 sys_tgkill(struct task *t, const u64 a[6])
{
    s32 tgid = (s32)a[0], tid = (s32)a[1], signo = (s32)a[2];
    struct lx_siginfo info;

    if (tgid <= 0 || tid <= 0 || bad_signal(signo))
        return -EINVAL;
    info = siginfo_user(t, NULL, signo, LX_SI_TKILL);
    return send_thread(t, tgid, tid, &info);
}

s64 sys_tkill(struct task *t, const u64 a[6])
{
    s32 tid = (s32)a[0], signo = (s32)a[1];
    struct lx_siginfo info;

    if (tid <= 0 || bad_signal(signo))
        return -EINVAL;
    info = siginfo_user(t, NULL, signo, LX_SI_TKILL);
    return send_thread(t, 0, tid, &info);
}

/* queue_info() - read the caller's siginfo; one that pretends to come from kernel or kill(2) is
 * allowed to itself only. */
static int queue_info(struct task *t, s32 to_pid, s32 signo, u64 uinfo, struct lx_siginfo *info)
{
    if (usermem_get(t->mm, info, uinfo) < 0)
        return -EFAULT;
    info->signo = signo;
    if ((info->code >= 0 || info->code == LX_SI_TKILL) &&
        pid_nr(t->tg->pid, t->pid->ns) != to_pid && pid_nr(t->pid, t->pid->ns) != to_pid)
        return -EPERM;
    return 0;
}

s64 sys_rt_sigqueueinfo(struct task *t, const u64 a[6])
{
    s32 pid = (s32)a[0], signo = (s32)a[1];
    struct lx_siginfo info;
    struct thread_group *tg;
    s64 err = queue_info(t, pid, signo, a[2], &info);

    if (err < 0)
        return err;
    if (bad_signal(signo))
        return -EINVAL;
    tg = pid_find_group(t->pid->ns, pid);
    if (!tg)
        return -ESRCH;
    err = send_group(t, tg, 0, LX_SI_USER);
    if (!err && signo)
        err = signal_send_group(tg, &info);
    thread_group_put(tg);
    return err;
}

s64 sys_rt_tgsigqueueinfo(struct task *t, const u64 a[6])
{
    s32 tgid = (s32)a[0], tid = (s32)a[1], signo = (s32)a[2];
    struct lx_siginfo info;
    int err = queue_info(t, tid, signo, a[3], &info);

    if (err < 0)
        return err;
    if (tgid <= 0 || tid <= 0 || bad_signal(signo))
        return -EINVAL;
    return send_thread(t, tgid, tid, &info);
}
