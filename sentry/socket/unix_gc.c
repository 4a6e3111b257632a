/*
 * Files in flight, and those that only keep one another there.
 *
 * A socket sent over a socket is held by the queue it lies in. If nobody can receive from that queue
 * (its own socket is held by such queues alone) nobody ever will: it is garbage, and no count shows
 * it. So each socket knows how many references of its file lie in queues. One that has no others is
 * a candidate. Of these, one that is held by a queue of somebody who is no candidate, or by a message
 * between two queues, is alive, and so is what its queue holds. The queues of the rest are emptied.
 *
 * One lock, outside of every socket's, orders it: counts change under it, before a message is queued
 * and after one was taken out; references for MSG_PEEK are made under it. A file gains references
 * only from who has one, so a candidate stays one while the lock is held.
 *
 * It runs when that may have changed: a descriptor of a socket in flight is closed, or messages that
 * carried sockets were dropped. It costs what is in flight. So it doesn't run while there can be no
 * cycle, which needs a socket to be put into the queue of one that is in flight itself; and where very
 * many are in flight only every so many times.
 */
#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>
#include <stdlib.h>

enum { LIVE, CANDIDATE };
enum { MANY = 256, RUN_SHARE = 16 };

static struct mutex lock = MUTEX_INIT(UNIX_GC);
static struct list_node in_flight = LIST_INIT(in_flight); /* and below: guarded by lock */
static struct hash users;
static u32 n_in_flight, skipped;
static _Atomic(bool) maybe_cyclic; /* set at any time, cleared under lock */

/* How many files a user has in flight. */
struct user_files {
    struct hash_node by_uid;
    u32 uid;
    u64 files;
};

static struct user_files *find_user(u32 uid)
{
    struct hash_node *n = hash_first(&users, hash_u64(uid));

    for (; n; n = hash_next(n)) {
        struct user_files *u = container_of(n, struct user_files, by_uid);

        if (u->uid == uid)
            return u;
    }
    return NULL;
}

/* charge_user() - Return: 0, -ETOOMANYREFS, -ENOMEM. */
static int charge_user(u32 uid, u32 n, u64 limit)
{
    struct user_files *u = find_user(uid);

    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u)
            return -ENOMEM;
        u->uid = uid;
        if (hash_insert(&users, &u->by_uid, hash_u64(uid)) < 0) {
            free(u);
            return -ENOMEM;
        }
    }
    if (u->files > limit)
        return -ETOOMANYREFS;
    u->files += n;
    return 0;
}

static void uncharge_user(u32 uid, u32 n)
{
    struct user_files *u = find_user(uid);

    u->files -= n;
    if (u->files)
        return;
    hash_remove(&users, &u->by_uid);
    free(u);
    if (!users.count)
        hash_free(&users);
}

/* unix_socket_of() - the AF_UNIX socket behind a file, or NULL. */
static struct unix_socket *unix_socket_of(const struct file *f)
{
    struct socket *s = socket_of(f);

    return s && s->family == LX_AF_UNIX ? unix_of(s) : NULL;
}

int unix_gc_out(struct unix_rights *r)
{
    const struct cred *cred = task_cred(current);
    bool rich = cred_capable(cred, LX_CAP_SYS_RESOURCE) || cred_capable(cred, LX_CAP_SYS_ADMIN);
    u64 limit = rich ? UINT64_MAX : task_rlimit(current, LX_RLIMIT_NOFILE);
    int err;

    r->uid = cred->uid;
    mutex_lock(&lock);
    err = charge_user(r->uid, r->n, limit);
    for (u32 i = 0; !err && i < r->n; i++) {
        struct unix_socket *u = unix_socket_of(r->files[i]);

        if (!u)
            continue;
        r->nsockets++;
        u->file = r->files[i];
        if (u->inflight++ == 0) {
            list_add_tail(&in_flight, &u->in_flight);
            n_in_flight++;
        }
    }
    r->counted = !err;
    mutex_unlock(&lock);
    return err;
}

void unix_gc_in(struct unix_rights *r)
{
    if (!r->counted)
        return;
    r->counted = false;
    mutex_lock(&lock);
    uncharge_user(r->uid, r->n);
    for (u32 i = 0; i < r->n && r->nsockets; i++) {
        struct unix_socket *u = unix_socket_of(r->files[i]);

        if (u && --u->inflight == 0) {
            list_del(&u->in_flight);
            n_in_flight--;
        }
    }
    if (!n_in_flight)
        maybe_cyclic = false;
    mutex_unlock(&lock);
}

void unix_gc_queued(const struct unix_socket *to, const struct unix_rights *r)
{
    /* One that nobody accepted yet goes where its listener goes. */
    if (r->nsockets && (to->inflight || !to->s.ino))
        maybe_cyclic = true;
}

struct unix_rights *unix_gc_dup(struct unix_socket *u, struct unix_msg *m)
{
    struct unix_rights *to = unix_rights_new(LX_SCM_MAX_FD);
    const struct unix_rights *from;

    if (!to)
        return NULL;
    mutex_lock(&lock);
    mutex_lock(&u->s.lock);
    from = m->rights;
    for (u32 i = 0; from && i < from->n; i++)
        to->files[i] = file_get(from->files[i]);
    to->n = from ? from->n : 0;
    to->nsockets = from ? from->nsockets : 0;
    mutex_unlock(&u->s.lock);
    mutex_unlock(&lock);
    if (!to->n) {
        unix_rights_put(to);
        return NULL;
    }
    return to;
}

/* --- collecting; `lock` is held by all of these --- */

typedef void visit_fn(struct unix_socket *child, struct list_node *work);

/* visit_queue() - call `visit` for each socket that lies in u's queue. */
static void visit_queue(struct unix_socket *u, visit_fn *visit, struct list_node *work)
{
    struct unix_msg *m;

    mutex_lock(&u->s.lock);
    list_for_each(m, &u->queue, node)
        for (u32 i = 0; m->rights && m->rights->nsockets && i < m->rights->n; i++) {
            struct unix_socket *child = unix_socket_of(m->rights->files[i]);

            if (child)
                visit(child, work);
        }
    mutex_unlock(&u->s.lock);
}

/* visit() - what u's queue holds, and what those of its connections do that nobody accepted yet.
 * Return: false: out of memory. */
static bool visit(struct unix_socket *u, visit_fn *fn, struct list_node *work)
{
    struct unix_socket **embryos;
    ssize_t n = unix_embryos(u, &embryos);

    if (n < 0)
        return false;
    visit_queue(u, fn, work);
    for (ssize_t i = 0; i < n; i++)
        visit_queue(embryos[i], fn, work);
    unix_socks_put(embryos, n);
    return true;
}

static void count_one(struct unix_socket *child, struct list_node *work)
{
    if (child->gc_mark == CANDIDATE)
        child->gc_refs--;
}

/* revive() - it is alive: its own queue is to be looked at, from `work`. */
static void revive(struct unix_socket *child, struct list_node *work)
{
    if (child->gc_mark != CANDIDATE)
        return;
    child->gc_mark = LIVE;
    list_del(&child->in_flight);
    list_add_tail(work, &child->in_flight);
}

/* pick() - mark those whose every reference lies in a queue. Return: are there any? */
static bool pick(const struct file *closing)
{
    struct unix_socket *u;
    bool any = false;

    list_for_each(u, &in_flight, in_flight) {
        u32 count = atomic_load(&u->file->obj.count) - (u->file == closing);

        u->gc_mark = count == u->inflight ? CANDIDATE : LIVE;
        u->gc_refs = u->inflight;
        any |= u->gc_mark == CANDIDATE;
    }
    return any;
}

/* spread() - from those that something else holds, to all that they hold. Return: false: no memory. */
static bool spread(void)
{
    struct list_node work = LIST_INIT(work), seen = LIST_INIT(seen);
    struct unix_socket *u, *tmp;
    bool ok = true;

    list_for_each_safe(u, tmp, &in_flight, in_flight)
        if (u->gc_mark == CANDIDATE && u->gc_refs)
            revive(u, &work);
    while ((u = list_first(&work, struct unix_socket, in_flight))) {
        list_del(&u->in_flight);
        list_add_tail(&seen, &u->in_flight);
        ok = ok && visit(u, revive, &work);
    }
    list_splice_tail(&in_flight, &seen);
    return ok;
}

/* empty() - take the messages with files out of a garbage socket's queue. */
static void empty(struct unix_socket *u, struct list_node *junk)
{
    struct unix_msg *m, *tmp;

    mutex_lock(&u->s.lock);
    list_for_each_safe(m, tmp, &u->queue, node)
        if (m->rights) {
            unix_unqueue_locked(u, m);
            list_add_tail(junk, &m->node);
        }
    mutex_unlock(&u->s.lock);
}

static void empty_all(struct unix_socket *u, struct list_node *junk)
{
    struct unix_socket **embryos;
    ssize_t n = unix_embryos(u, &embryos);

    empty(u, junk);
    for (s64 i = 0; i < n; i++) {
        empty(embryos[i], junk);
        unix_put(embryos[i]);
    }
    free(embryos);
}

static bool worth_it_locked(void)
{
    if (n_in_flight >= MANY && ++skipped * RUN_SHARE < n_in_flight)
        return false;
    skipped = 0;
    return true;
}

void unix_gc_run(const struct file *closing)
{
    struct list_node junk = LIST_INIT(junk);
    struct unix_socket *u;
    bool ok = true;

    if (!maybe_cyclic)
        return;
    mutex_lock(&lock);
    if (worth_it_locked() && pick(closing)) {
        list_for_each(u, &in_flight, in_flight)
            if (u->gc_mark == CANDIDATE)
                ok = ok && visit(u, count_one, NULL);
        if (ok && spread())
            list_for_each(u, &in_flight, in_flight)
                if (u->gc_mark == CANDIDATE)
                    empty_all(u, &junk);
    }
    mutex_unlock(&lock);
    unix_junk(&junk);
}
