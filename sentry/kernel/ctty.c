/*
 * Controlling terminals and job control (credentials(7), tcsetpgrp(3), POSIX chapter 11).
 *
 * As on Linux each process has its own pointer to its controlling terminal, inherited by fork: one
 * that gave it up (TIOCNOTTY) has none while its session goes on having one, and one that was forked
 * before its leader got the terminal has none either. The terminal knows its session and foreground
 * process group. All of it is guarded by the pid lock.
 *
 * The foreground is a pid, not a group: it stays what was set when that group's last member ends.
 */
#include "sentry/kernel/ctty.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/task.h"

#include <errno.h>

void ctty_init(struct ctty *c, struct obj_type *type, u32 major, u32 minor)
{
    obj_init(&c->obj, type);
    c->major = major;
    c->minor = minor;
}

void ctty_destroy(struct ctty *c)
{
    c->session = session_put(c->session);
    c->foreground = pid_put(c->foreground);
}

/* number() - of a pid that may have been released since: what it was. */
static s32 number(const struct pid *p, const struct pid_ns *ns)
{
    return p && p->level >= ns->level ? p->numbers[ns->level].nr : 0;
}

static void set_foreground_locked(struct ctty *c, struct pid *pid)
{
    pid_get(pid);
    pid_put(c->foreground);
    c->foreground = pid;
}

static void signal_locked(struct pid *pgrp, int signo)
{
    struct lx_siginfo info = siginfo_kernel(signo);

    if (pgrp && pgrp->pgrp)
        signal_send_pgrp_locked(pgrp->pgrp, &info);
}

/* --- who has it --- */

struct ctty *ctty_of(struct task *t)
{
    struct ctty *c;

    pid_lock();
    c = ctty_get(t->tg->tty);
    pid_unlock();
    return c;
}

void ctty_drop_locked(struct thread_group *tg)
{
    tg->tty = ctty_put(tg->tty);
    tg->tty_old_pgrp = pid_put(tg->tty_old_pgrp);
}

void ctty_inherit_locked(struct thread_group *child, const struct thread_group *parent)
{
    child->tty = ctty_get(parent->tty);
}

/* free_locked() - c is nobody's: no process of its session has it. */
static void free_locked(struct ctty *c)
{
    struct session *s = c->session;
    struct process_group *pg;
    struct thread_group *tg;

    if (!s)
        return;
    list_for_each(pg, &s->pgrps, in_session) {
        list_for_each(tg, &pg->members, in_pgrp) {
            if (tg->tty == c)
                tg->tty = ctty_put(tg->tty);
        }
    }
    c->session = session_put(s);
    c->foreground = pid_put(c->foreground);
}

/* claim_locked() - tg's session has c now, and no other; only tg itself has it so far. */
static void claim_locked(struct ctty *c, struct thread_group *tg)
{
    free_locked(c);
    c->session = session_get(tg->pgrp->session);
    set_foreground_locked(c, tg->pgrp->pid);
    ctty_drop_locked(tg);
    tg->tty = ctty_get(c);
}

static bool leads(const struct thread_group *tg)
{
    return tg->pgrp && tg->pgrp->session->leader == tg;
}

void ctty_opened(struct ctty *c, struct task *t)
{
    pid_lock();
    if (leads(t->tg) && !t->tg->tty && !c->session)
        claim_locked(c, t->tg);
    pid_unlock();
}

void ctty_claim(struct ctty *c, struct thread_group *tg)
{
    pid_lock();
    if (leads(tg))
        claim_locked(c, tg);
    pid_unlock();
}

static int acquire_locked(struct ctty *c, struct task *t, bool steal, bool readable)
{
    bool admin = cred_capable(t->cred, LX_CAP_SYS_ADMIN);

    if (leads(t->tg) && t->tg->tty == c && c->session == t->tg->pgrp->session)
        return 0;
    if (!leads(t->tg) || t->tg->tty)
        return -EPERM;
    if (c->session && !(steal && admin))
        return -EPERM;
    if (!readable && !admin)
        return -EPERM;
    claim_locked(c, t->tg);
    return 0;
}

int ctty_acquire(struct ctty *c, struct task *t, bool steal, bool readable)
{
    int err;

    pid_lock();
    err = acquire_locked(c, t, steal, readable);
    pid_unlock();
    return err;
}

/* leader_lets_go_locked() - TIOCNOTTY of a leader, and its end: the foreground is hung up, and the
 * session has no terminal any more. */
static void leader_lets_go_locked(struct ctty *c, bool ended)
{
    ctty_get(c);
    signal_locked(c->foreground, LX_SIGHUP);
    if (!ended)
        signal_locked(c->foreground, LX_SIGCONT);
    free_locked(c);
    ctty_put(c);
}

int ctty_give_up(struct ctty *c, struct task *t)
{
    int err = 0;

    pid_lock();
    if (t->tg->tty != c)
        err = -ENOTTY;
    else if (leads(t->tg))
        leader_lets_go_locked(c, false);
    else
        t->tg->tty = ctty_put(t->tg->tty);
    pid_unlock();
    return err;
}

void ctty_leader_ended_locked(struct thread_group *tg)
{
    if (tg->tty) {
        leader_lets_go_locked(tg->tty, true);
    } else if (tg->tty_old_pgrp) {
        signal_locked(tg->tty_old_pgrp, LX_SIGHUP);
        signal_locked(tg->tty_old_pgrp, LX_SIGCONT);
    }
}

void ctty_hang_up(struct ctty *c)
{
    struct lx_siginfo hup = siginfo_kernel(LX_SIGHUP), cont = siginfo_kernel(LX_SIGCONT);
    struct thread_group *leader;

    pid_lock();
    leader = c->session ? c->session->leader : NULL;
    if (leader && leader->tty == c) {
        signal_send_group(leader, &hup);
        signal_send_group(leader, &cont);
        pid_put(leader->tty_old_pgrp);
        leader->tty_old_pgrp = pid_get(c->foreground);
    }
    free_locked(c);
    pid_unlock();
}

/* --- the foreground --- */

/* refuses() - does t block or ignore signo? */
static bool refuses(struct task *t, int signo)
{
    struct sighand *sh = t->tg->sighand;
    bool ignored;

    mutex_lock(&sh->lock);
    ignored = sh->action[signo - 1].handler == LX_SIG_IGN;
    mutex_unlock(&sh->lock);
    return ignored || (t->blocked & sigbit(signo));
}

static int check_locked(struct ctty *c, struct task *t, int signo)
{
    struct process_group *pg = t->tg->pgrp;

    if (t->tg->tty != c || !c->foreground || c->foreground == pg->pid)
        return 0;
    if (refuses(t, signo))
        return signo == LX_SIGTTIN ? -EIO : 0;
    if (pgrp_orphaned_locked(pg, NULL))
        return -EIO;
    signal_locked(pg->pid, signo);
    return -ERESTARTSYS;
}

int ctty_check(struct ctty *c, struct task *t, int signo)
{
    int err;

    pid_lock();
    err = check_locked(c, t, signo);
    pid_unlock();
    return err;
}

int ctty_get_foreground(struct ctty *c, struct task *t, bool far, s32 *pgid)
{
    int err = 0;

    pid_lock();
    if (!far && t->tg->tty != c)
        err = -ENOTTY;
    else
        *pgid = number(c->foreground, t->pid->ns);
    pid_unlock();
    return err;
}

static int set_locked(struct ctty *c, struct task *t, s32 pgid)
{
    struct session *own = t->tg->pgrp->session, *s = NULL;
    struct pid *pid;

    if (t->tg->tty != c || c->session != own)
        return -ENOTTY;
    pid = pid_find_locked(t->pid->ns, pgid);
    if (!pid)
        return -ESRCH;
    if (pid->pgrp)
        s = pid->pgrp->session;
    else if (pid->tg && pid->tg->pgrp)
        s = pid->tg->pgrp->session;
    if (s != own)
        return -EPERM;
    set_foreground_locked(c, pid);
    return 0;
}

int ctty_set_foreground(struct ctty *c, struct task *t, s32 pgid)
{
    int err;

    pid_lock();
    err = set_locked(c, t, pgid);
    pid_unlock();
    return err;
}

int ctty_get_session(struct ctty *c, struct task *t, bool far, s32 *sid)
{
    int err = 0;

    pid_lock();
    if ((!far && t->tg->tty != c) || !c->session)
        err = -ENOTTY;
    else
        *sid = number(c->session->pid, t->pid->ns);
    pid_unlock();
    return err;
}

void ctty_signal(struct ctty *c, int signo)
{
    pid_lock();
    signal_locked(c->foreground, signo);
    pid_unlock();
}

void ctty_view_locked(const struct thread_group *tg, const struct pid_ns *ns, u32 *tty_nr,
                      s32 *tpgid)
{
    const struct ctty *c = tg->tty;

    *tty_nr = 0;
    *tpgid = -1;
    if (!c)
        return;
    *tty_nr = (c->minor & 0xff) | c->major << 8 | (c->minor & ~0xffu) << 12;
    if (c->foreground)
        *tpgid = number(c->foreground, ns);
}
