/*
 * Who may look into or change another process: ptrace(2), "Ptrace access mode checking".
 *
 * An exec may come between the judgement and what it was about. It installs the address space, which
 * knows by then whether others may look into it, before descriptors and credentials become the new
 * program's. So whoever asks for somebody's things reads task_mm_id() before it asks and after it
 * took them, and begins again if that changed.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>

/* same_ids() - is the caller's one uid and gid all three of the target's? */
static bool same_ids(const struct cred *c, u32 uid, u32 gid)
{
    return uid == c->euid && uid == c->suid && uid == c->uid && gid == c->egid && gid == c->sgid &&
           gid == c->gid;
}

/* within() - has the target no capability that the caller lacks? Those of one user namespace say
 * nothing about another. */
static bool within(const struct cred *c, const struct cred *me, bool real)
{
    return c->user_ns == me->user_ns &&
           !(c->cap_permitted & ~(real ? me->cap_permitted : me->cap_effective));
}

bool task_dumpable(struct task *t)
{
    bool yes;

    mutex_lock(&t->lock);
    yes = !t->mm || __atomic_load_n(&t->mm->dumpable, __ATOMIC_RELAXED) == 1;
    mutex_unlock(&t->lock);
    return yes;
}

int task_may_access(struct task *from, struct task *t, bool real)
{
    const struct cred *me = task_cred(from);
    struct cred *c;
    bool ok;

    if (from->tg == t->tg)
        return 0;
    c = task_cred_of(t);
    ok = cred_has_cap(me, c->user_ns, LX_CAP_SYS_PTRACE);
    if (!ok)
        ok = same_ids(c, real ? me->uid : me->fsuid, real ? me->gid : me->fsgid) &&
             task_dumpable(t) && within(c, me, real);
    cred_put(c);
    return ok ? 0 : -EPERM;
}

struct mm *task_mm(struct task *t)
{
    struct mm *mm;

    mutex_lock(&t->lock);
    mm = mm_get(t->mm);
    mutex_unlock(&t->lock);
    return mm;
}

u64 task_mm_id(struct task *t)
{
    u64 id;

    mutex_lock(&t->lock);
    id = t->mm ? t->mm->obj.id : 0;
    mutex_unlock(&t->lock);
    return id;
}

bool task_may_be_traced_by(struct task *t, struct task *tracer)
{
    const struct cred *own = task_cred(t);
    struct cred *its = task_cred_of(tracer);
    bool ok = cred_has_cap(its, own->user_ns, LX_CAP_SYS_PTRACE) ||
              (its->user_ns == own->user_ns && !(own->cap_permitted & ~its->cap_permitted));

    cred_put(its);
    return ok;
}
