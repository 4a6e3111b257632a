/* Sessions and process groups: setpgid(2), getpgid(2), setsid(2), getsid(2), vhangup(2). */
#include "fs/tty/tty.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

/* find_locked() - the process `nr` (0: the caller's), borrowed; NULL: none. */
static struct thread_group *find_locked(struct task *t, s32 nr)
{
    struct pid *p;

    if (nr == 0)
        return t->tg;
    p = pid_find_locked(t->pid->ns, nr);
    if (!p)
        return NULL;
    return p->tg ? p->tg : p->task ? p->task->tg : NULL;
}

/* setpgid_locked() - the checks of setpgid(2), in Linux's order, then the move. */
static int setpgid_locked(struct task *t, s32 nr, s32 pgid)
{
    struct pid *pid = nr ? pid_find_locked(t->pid->ns, nr) : t->tg->pid;
    struct thread_group *tg = pid ? pid->tg : NULL;
    struct pid *group;

    if (!pid || (!tg && !pid->task))
        return -ESRCH;
    if (!tg)
        return -EINVAL; /* a thread that is no leader */
    if (tg->parent == t->tg) {
        if (tg->pgrp->session != t->tg->pgrp->session)
            return -EPERM;
        if (tg->did_exec)
            return -EACCES;
    } else if (tg != t->tg) {
        return -ESRCH;
    }
    if (tg->pgrp->session->leader == tg)
        return -EPERM;
    group = pgid == 0 ? tg->pid : pid_find_locked(t->pid->ns, pgid);
    if (group != tg->pid &&
        (!group || !group->pgrp || group->pgrp->session != t->tg->pgrp->session))
        return -EPERM;
    return pgrp_move_locked(tg, group);
}

s64 sys_setpgid(struct task *t, const u64 a[6])
{
    s32 nr = (s32)a[0], pgid = (s32)a[1];
    int err;

    if (pgid < 0 || (pgid == 0 && nr < 0))
        return -EINVAL;
    pid_lock();
    err = setpgid_locked(t, nr, pgid);
    pid_unlock();
    return err;
}

s64 sys_getpgid(struct task *t, const u64 a[6])
{
    struct thread_group *tg;
    s64 ret = -ESRCH;

    pid_lock();
    tg = find_locked(t, (s32)a[0]);
    if (tg && tg->pgrp)
        ret = pid_nr(tg->pgrp->pid, t->pid->ns);
    pid_unlock();
    return ret;
}

s64 sys_getpgrp(struct task *t, const u64 a[6])
{
    static const u64 self[6];

    return sys_getpgid(t, self);
}

s64 sys_getsid(struct task *t, const u64 a[6])
{
    struct thread_group *tg;
    s64 ret = -ESRCH;

    pid_lock();
    tg = find_locked(t, (s32)a[0]);
    if (tg && tg->pgrp)
        ret = pid_nr(tg->pgrp->session->pid, t->pid->ns);
    pid_unlock();
    return ret;
}

s64 sys_setsid(struct task *t, const u64 a[6])
{
    int err;

    pid_lock();
    err = session_new_locked(t->tg);
    pid_unlock();
    return err < 0 ? err : pid_nr(t->tg->pid, t->pid->ns);
}

s64 sys_vhangup(struct task *t, const u64 a[6])
{
    struct ctty *c;

    if (!cred_capable(t->cred, LX_CAP_SYS_TTY_CONFIG))
        return -EPERM;
    c = ctty_of(t);
    if (c)
        tty_hang_up(tty_of(c));
    ctty_put(c);
    return 0;
}
