/*
 * How many tasks there are: in the sandbox, in each container, of each user; and how many signals
 * are queued for each user's processes, and what his POSIX message queues may hold. A charge comes before a task is made; zombies count until
 * they are reaped, as on Linux.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

struct uid_count {
    struct hash_node node;
    u32 uid, tasks, signals;
    u64 mqueue; /* bytes */
};

static struct mutex lock = MUTEX_INIT(CRED);
static struct hash by_uid; /* struct uid_count; and below: guarded by lock */
static u32 total;

static struct uid_count *find_locked(u32 uid)
{
    struct hash_node *n = hash_first(&by_uid, hash_u64(uid));

    for (; n; n = hash_next(n)) {
        struct uid_count *c = container_of(n, struct uid_count, node);

        if (c->uid == uid)
            return c;
    }
    return NULL;
}

/* entry_locked() - the counts of uid, made if need be; NULL: no memory. */
static struct uid_count *entry_locked(u32 uid)
{
    struct uid_count *c = find_locked(uid);

    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->uid = uid;
    if (hash_insert(&by_uid, &c->node, hash_u64(uid)) < 0) {
        free(c);
        return NULL;
    }
    return c;
}

static void forget_unused_locked(struct uid_count *c)
{
    if (c->tasks || c->signals || c->mqueue)
        return;
    hash_remove(&by_uid, &c->node);
    free(c);
}

/* add_locked() - one more for uid. Return: the count; 0: no memory, it is not counted. */
static u32 add_locked(u32 uid)
{
    struct uid_count *c = entry_locked(uid);

    return c ? ++c->tasks : 0;
}

static void drop_locked(u32 uid)
{
    struct uid_count *c = find_locked(uid);

    if (!c || !c->tasks)
        return;
    c->tasks--;
    forget_unused_locked(c);
}

/* exempt() - whom RLIMIT_NPROC doesn't bind (fork(2), EAGAIN). */
static bool exempt(const struct cred *cred)
{
    return cred->uid == 0 || cred_capable(cred, LX_CAP_SYS_RESOURCE) ||
           cred_capable(cred, LX_CAP_SYS_ADMIN);
}

int task_count_charge(struct container *c, const struct cred *cred, u64 nproc)
{
    int err = 0;
    u32 n;

    mutex_lock(&lock);
    if (total >= LIMIT_PIDS || atomic_load(&c->ntasks) >= c->pids_limit) {
        mutex_unlock(&lock);
        return -EAGAIN;
    }
    n = add_locked(cred->uid);
    if (!n) {
        err = -ENOMEM;
    } else if (n > nproc && !exempt(cred)) {
        drop_locked(cred->uid);
        err = -EAGAIN;
    } else {
        total++;
        atomic_fetch_add(&c->ntasks, 1);
    }
    mutex_unlock(&lock);
    return err;
}

void task_count_release(struct container *c, u32 uid)
{
    mutex_lock(&lock);
    drop_locked(uid);
    total--;
    atomic_fetch_sub(&c->ntasks, 1);
    mutex_unlock(&lock);
}

u32 task_count_move(u32 from, u32 to)
{
    u32 n;

    mutex_lock(&lock);
    drop_locked(from);
    n = add_locked(to);
    mutex_unlock(&lock);
    return n;
}

u32 task_count_of(u32 uid)
{
    struct uid_count *c;
    u32 n;

    mutex_lock(&lock);
    c = find_locked(uid);
    n = c ? c->tasks : 0;
    mutex_unlock(&lock);
    return n;
}

bool task_count_signal(u32 uid, u64 limit)
{
    struct uid_count *c;
    bool ok = false;

    mutex_lock(&lock);
    c = entry_locked(uid);
    if (c) {
        ok = c->signals < limit;
        if (ok)
            c->signals++;
        forget_unused_locked(c);
    }
    mutex_unlock(&lock);
    return ok;
}

void task_count_signal_release(u32 uid)
{
    struct uid_count *c;

    mutex_lock(&lock);
    c = find_locked(uid);
    if (c && c->signals) {
        c->signals--;
        forget_unused_locked(c);
    }
    mutex_unlock(&lock);
}

int task_count_mqueue(u32 uid, u64 bytes, u64 limit)
{
    struct uid_count *c;
    int err = -ENOMEM;

    mutex_lock(&lock);
    c = entry_locked(uid);
    if (c) {
        err = bytes > limit || c->mqueue > limit - bytes ? -EMFILE : 0;
        if (!err)
            c->mqueue += bytes;
        forget_unused_locked(c);
    }
    mutex_unlock(&lock);
    return err;
}

void task_count_mqueue_release(u32 uid, u64 bytes)
{
    struct uid_count *c;

    mutex_lock(&lock);
    c = find_locked(uid);
    if (c) {
        c->mqueue -= bytes;
        forget_unused_locked(c);
    }
    mutex_unlock(&lock);
}
