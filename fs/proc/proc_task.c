/* The process behind a node of /proc, and who may look into it. */
#include "fs/proc/proc_priv.h"

#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"

#include <errno.h>

/* live() - a new reference unless the object is just going. */
#define live(p) ((p) && obj_get_unless_zero(&(p)->obj) ? (p) : NULL)

struct thread_group *proc_group(const struct proc_node *n)
{
    struct thread_group *tg;

    pid_lock();
    tg = n->pid->tg;
    if (!tg && n->pid->task)
        tg = n->pid->task->tg;
    tg = live(tg);
    pid_unlock();
    return tg;
}

/* leader_of() - the first thread of a group, a zombie too. */
static struct task *leader_of(struct thread_group *tg)
{
    struct task *t;

    mutex_lock(&tg->lock);
    t = live(tg->leader);
    mutex_unlock(&tg->lock);
    return t;
}

struct task *proc_task(const struct proc_node *n)
{
    struct thread_group *tg = NULL;
    struct task *t = NULL;

    pid_lock();
    if (n->pid->tg && !n->thread)
        tg = live(n->pid->tg);
    else
        t = live(n->pid->task);
    pid_unlock();
    if (!tg)
        return t;
    t = leader_of(tg);
    thread_group_put(tg);
    return t;
}

bool proc_alive(const struct proc_node *n)
{
    bool alive;

    pid_lock();
    alive = n->pid->tg || n->pid->task;
    pid_unlock();
    return alive;
}

/* with_task() - yields what `get(t->field)` gives under the task's lock. */
#define with_task(n, kind, field)         \
    ({                                    \
        struct task *wt_ = proc_task(n);  \
        struct kind *wk_ = NULL;          \
        if (wt_) {                        \
            mutex_lock(&wt_->lock);       \
            wk_ = kind##_get(wt_->field); \
            mutex_unlock(&wt_->lock);     \
            task_put(wt_);                \
        }                                 \
        wk_;                              \
    })

struct mm *proc_mm(const struct proc_node *n)
{
    return with_task(n, mm, mm);
}

u64 proc_mm_id(const struct proc_node *n)
{
    struct task *t = proc_task(n);
    u64 id = t ? task_mm_id(t) : 0;

    task_put(t);
    return id;
}

struct fdtable *proc_files(const struct proc_node *n)
{
    return with_task(n, fdtable, files);
}

struct fs_context *proc_fs(const struct proc_node *n)
{
    return with_task(n, fs_context, fs);
}

struct nsproxy *proc_ns(const struct proc_node *n)
{
    return with_task(n, nsproxy, ns);
}

void proc_owner(const struct proc_node *n, u32 *uid, u32 *gid)
{
    struct task *t = proc_task(n);
    struct cred *c;

    *uid = *gid = 0;
    if (!t)
        return;
    c = task_cred_of(t);
    /* What everybody may read is the process's own in any case. */
    if (n->entry->mode == (LX_S_IFDIR | 0555) || task_dumpable(t)) {
        *uid = c->euid;
        *gid = c->egid;
    } else {
        *uid = uid_to_kuid(c->user_ns, 0);
        *gid = gid_to_kgid(c->user_ns, 0);
        *uid = *uid == ID_INVALID ? 0 : *uid;
        *gid = *gid == ID_INVALID ? 0 : *gid;
    }
    cred_put(c);
    task_put(t);
}

int proc_may_inspect(const struct proc_node *n)
{
    struct task *t;
    int rc;

    if (!current)
        return 0;
    t = proc_task(n);
    if (!t)
        return -ESRCH;
    rc = task_may_access(current, t, false);
    task_put(t);
    return rc == -EPERM ? -EACCES : rc;
}

int proc_inspect_mm(const struct proc_node *n, u64 *id)
{
    u64 memory;
    int rc;

    do {
        memory = proc_mm_id(n);
        rc = proc_may_inspect(n);
    } while (proc_mm_id(n) != memory);
    if (rc == 0)
        *id = memory;
    return rc;
}

s32 proc_number(const char *name, u32 len)
{
    s32 v = 0;

    if (!len || len > 9 || (name[0] == '0' && len > 1))
        return -1;
    for (u32 i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        v = v * 10 + (name[i] - '0');
    }
    return v;
}
