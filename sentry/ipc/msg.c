/*
 * Message queues. A message goes from the sender's hands into the queue, or straight to the first
 * receiver that waits for its type; a receiver whose buffer is too small for it is told so and the
 * message looks for the next one. Senders wait in their order for room: one that wakes tries again.
 *
 * Messages are the Sentry's memory: LIMIT_MSG_BYTES bounds them all (ENOMEM), msg_qbytes a queue's.
 */
#include "sentry/ipc/msg.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MSG_OVERHEAD 64u

enum search { SEARCH_ANY, SEARCH_EQUAL, SEARCH_NOT, SEARCH_LOWEST, SEARCH_NUMBER };

struct msg_queue {
    struct ipc_object o;
    struct list_node messages; /* and below: guarded by o.lock */
    struct list_node receivers, senders;
    u64 bytes, count, capacity;
    s64 stime, rtime;
    struct pid *sender, *receiver; /* references: who was last */
};

struct msg_sender {
    struct ipc_waiter w;
    u64 len;
};

struct msg_receiver {
    struct ipc_waiter w;
    enum search how;
    s64 type;
    u64 cap;
    bool truncates; /* MSG_NOERROR */
    struct msg *got;
    struct pid *pid; /* borrowed from its task */
};

static _Atomic(u64) in_all; /* bytes of the sandbox's messages */

struct msg *msg_new(s64 type, u64 len)
{
    struct msg *m = NULL;

    if (atomic_fetch_add(&in_all, len + MSG_OVERHEAD) + len + MSG_OVERHEAD <= LIMIT_MSG_BYTES)
        m = malloc(sizeof(*m) + len);
    if (!m) {
        atomic_fetch_sub(&in_all, len + MSG_OVERHEAD);
        return NULL;
    }
    list_init(&m->node);
    m->type = type;
    m->len = len;
    return m;
}

void msg_free(struct msg *m)
{
    if (!m)
        return;
    atomic_fetch_sub(&in_all, m->len + MSG_OVERHEAD);
    free(m);
}

static void queue_free(struct obj *o)
{
    struct msg_queue *q = container_of(o, struct msg_queue, o.obj);
    struct msg *m, *tmp;

    list_for_each_safe(m, tmp, &q->messages, node)
        msg_free(m);
    pid_put(q->sender);
    pid_put(q->receiver);
    mutex_destroy(&q->o.lock);
    free(q);
}

static struct obj_type queue_type = {.name = "msg_queue", .free = queue_free};

static struct msg_queue *to_queue(struct ipc_object *o)
{
    return container_of(o, struct msg_queue, o);
}

static int make_queue(struct ipc_ns *ns, const struct ipc_get *get, struct ipc_object **out)
{
    struct msg_queue *q = calloc(1, sizeof(*q));

    if (!q)
        return -ENOMEM;
    ipc_object_init(&q->o, &queue_type, ns, IPC_MSG);
    list_init(&q->messages);
    list_init(&q->receivers);
    list_init(&q->senders);
    q->capacity = ipc_ns_limits(ns).msgmnb;
    *out = &q->o;
    return 0;
}

s64 msg_get(struct task *t, s32 key, u32 flags)
{
    const struct ipc_get get = {.key = key, .flags = flags, .make = make_queue};

    return ipc_get_id(t, IPC_MSG, &get);
}

/* --- sending --- */

static bool fits_locked(const struct msg_queue *q, u64 len)
{
    return q->bytes + len <= q->capacity && q->count + 1 <= q->capacity;
}

static bool matches(enum search how, s64 type, const struct msg *m)
{
    switch (how) {
    case SEARCH_EQUAL: return m->type == type;
    case SEARCH_NOT: return m->type != type;
    case SEARCH_LOWEST: return m->type <= type;
    case SEARCH_ANY:
    case SEARCH_NUMBER: return true;
    }
    return false;
}

static void received_locked(struct msg_queue *q, struct pid *pid)
{
    struct pid *old = q->receiver;

    q->receiver = pid_get(pid);
    q->rtime = ipc_now();
    pid_put(old);
}

/* hand_over_locked() - to a receiver that waits for such a message. Return: it is gone. */
static bool hand_over_locked(struct msg_queue *q, struct msg *m)
{
    struct msg_receiver *r, *tmp;

    list_for_each_safe(r, tmp, &q->receivers, w.node) {
        if (!matches(r->how, r->type, m))
            continue;
        if (r->cap < m->len && !r->truncates) {
            ipc_wake_locked(&r->w, -E2BIG);
            continue;
        }
        r->got = m;
        received_locked(q, r->pid);
        ipc_wake_locked(&r->w, 0);
        return true;
    }
    return false;
}

static void put_locked(struct msg_queue *q, struct msg *m)
{
    ipc_set_pid(&q->sender);
    q->stime = ipc_now();
    if (hand_over_locked(q, m))
        return;
    list_add_tail(&q->messages, &m->node);
    q->bytes += m->len;
    q->count++;
}

/* wake_senders_locked() - in their order, those for whose messages there is room. */
static void wake_senders_locked(struct msg_queue *q)
{
    u64 bytes = q->bytes, count = q->count;
    struct msg_sender *s, *tmp;

    list_for_each_safe(s, tmp, &q->senders, w.node) {
        if (bytes + s->len > q->capacity || count + 1 > q->capacity)
            continue;
        bytes += s->len;
        count++;
        ipc_wake_locked(&s->w, 0);
    }
}

int msg_send(struct task *t, s32 id, struct msg *m, u32 flags)
{
    auto_put(ipc_object) struct ipc_object *o = ipc_find(t->ns->ipc, IPC_MSG, id);
    struct msg_sender s = {.len = m->len};
    struct msg_queue *q;
    int err;

    if (!o)
        return -EINVAL;
    q = to_queue(o);
    mutex_lock(&o->lock);
    for (;;) {
        err = ipc_may_locked(t, o, 0222);
        if (!err && o->removed)
            err = -EIDRM;
        if (err || fits_locked(q, m->len))
            break;
        err = -EAGAIN;
        if (flags & LX_IPC_NOWAIT)
            break;
        ipc_waiter_init(&s.w);
        list_add_tail(&q->senders, &s.w.node);
        mutex_unlock(&o->lock);
        err = ipc_wait(&s.w, &o->lock, DEADLINE_NEVER);
        if (!err)
            err = s.w.result;
        if (err)
            break;
    }
    if (!err)
        put_locked(q, m);
    mutex_unlock(&o->lock);
    return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

/* --- receiving --- */

/* find_locked() - the message that a receiver wants; with SEARCH_NUMBER the one at that place. */
static struct msg *find_locked(const struct msg_queue *q, enum search how, s64 type)
{
    struct msg *m, *best = NULL;
    s64 at = 0;

    list_for_each(m, &q->messages, node) {
        if (how == SEARCH_NUMBER ? at++ != type : !matches(how, type, m))
            continue;
        if (how != SEARCH_LOWEST)
            return m;
        if (!best || m->type < best->type)
            best = m;
    }
    return best;
}

static void set_search(struct msg_receiver *r, s64 type, u32 flags)
{
    r->type = type;
    if (flags & LX_MSG_COPY) {
        r->how = SEARCH_NUMBER;
    } else if (!type) {
        r->how = SEARCH_ANY;
    } else if (type < 0) {
        r->how = SEARCH_LOWEST;
        r->type = type == INT64_MIN ? INT64_MAX : -type;
    } else {
        r->how = flags & LX_MSG_EXCEPT ? SEARCH_NOT : SEARCH_EQUAL;
    }
}

/* copy_of() - for MSG_COPY. */
static int copy_of(const struct msg *m, u64 cap, struct msg **out)
{
    struct msg *copy;

    if (cap < m->len)
        return -EINVAL; /* a copy is whole, whatever MSG_NOERROR says */
    copy = msg_new(m->type, m->len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy->text, m->text, m->len);
    *out = copy;
    return 0;
}

/* take_locked() - what is in the queue already. Return: 0 and r->got, -ENOMSG, -E2BIG, -ENOMEM. */
static int take_locked(struct msg_queue *q, struct msg_receiver *r)
{
    struct msg *m = find_locked(q, r->how, r->type);

    if (!m)
        return -ENOMSG;
    if (r->cap < m->len && !r->truncates)
        return -E2BIG;
    if (r->how == SEARCH_NUMBER)
        return copy_of(m, r->cap, &r->got);
    list_del(&m->node);
    q->bytes -= m->len;
    q->count--;
    received_locked(q, r->pid);
    wake_senders_locked(q);
    r->got = m;
    return 0;
}

int msg_receive(struct task *t, s32 id, u64 cap, s64 type, u32 flags, struct msg **out)
{
    auto_put(ipc_object) struct ipc_object *o = ipc_find(t->ns->ipc, IPC_MSG, id);
    struct msg_receiver r = {.cap = cap, .truncates = flags & LX_MSG_NOERROR, .pid = t->tg->pid};
    int err;

    if (!o)
        return -EINVAL;
    set_search(&r, type, flags);
    mutex_lock(&o->lock);
    do {
        err = ipc_may_locked(t, o, 0444);
        if (!err)
            err = o->removed ? -EIDRM : take_locked(to_queue(o), &r);
        if (err != -ENOMSG || (flags & LX_IPC_NOWAIT))
            break;
        ipc_waiter_init(&r.w);
        list_add_tail(&to_queue(o)->receivers, &r.w.node);
        mutex_unlock(&o->lock);
        err = ipc_wait(&r.w, &o->lock, DEADLINE_NEVER);
        if (!err)
            err = r.w.result;
    } while (err == -EAGAIN);
    mutex_unlock(&o->lock);
    if (!err)
        *out = r.got;
    return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

/* --- msgctl --- */

static void show_locked(const struct task *t, const struct msg_queue *q, struct lx_msqid_ds *out)
{
    const struct pid_ns *ns = t->pid->ns;

    *out = (struct lx_msqid_ds){
        .stime = q->stime,
        .rtime = q->rtime,
        .ctime = q->o.ctime,
        .cbytes = q->bytes,
        .qnum = q->count,
        .qbytes = q->capacity,
        .lspid = pid_was_nr(q->sender, ns),
        .lrpid = pid_was_nr(q->receiver, ns),
    };
    ipc_show_perm_locked(t, &q->o, &out->perm);
}

s64 msg_stat(struct task *t, s32 id, enum ipc_stat how, struct lx_msqid_ds *out)
{
    struct ipc_object *o;
    s64 r = ipc_begin_stat(t, IPC_MSG, id, how, &o);

    if (r < 0)
        return r;
    show_locked(t, to_queue(o), out);
    ipc_end(o);
    return r;
}

/* wake_all_locked() - receivers and senders: to try again (-EAGAIN, 0), or for good. */
static void wake_all_locked(struct msg_queue *q, int receivers, int senders)
{
    struct msg_receiver *r, *next;
    struct msg_sender *s, *tmp;

    list_for_each_safe(r, next, &q->receivers, w.node)
        ipc_wake_locked(&r->w, receivers);
    list_for_each_safe(s, tmp, &q->senders, w.node)
        ipc_wake_locked(&s->w, senders);
}

int msg_set(struct task *t, s32 id, const struct lx_msqid_ds *in)
{
    struct ipc_object *o;
    int err = ipc_begin_owner(t, IPC_MSG, id, &o);

    if (err)
        return err;
    if (in->qbytes > ipc_ns_limits(o->ns).msgmnb &&
        !cred_capable(task_cred(t), LX_CAP_SYS_RESOURCE))
        err = -EPERM;
    if (!err)
        err = ipc_set_perm_locked(t, o, &in->perm);
    if (!err) {
        to_queue(o)->capacity = in->qbytes;
        /* Rights may have gone, room may have come. */
        wake_all_locked(to_queue(o), -EAGAIN, 0);
    }
    ipc_end(o);
    return err;
}

static bool shut_locked(struct ipc_object *o)
{
    ipc_remove_locked(o);
    wake_all_locked(to_queue(o), -EIDRM, -EIDRM);
    return true;
}

int msg_remove(struct task *t, s32 id)
{
    return ipc_remove(t, IPC_MSG, id, shut_locked);
}

void msg_totals(struct ipc_ns *ns, struct lx_msginfo *out)
{
    struct ipc_object *o;
    u64 bytes = 0, count = 0;
    s32 queues = 0;

    for (u32 i = 0; (o = ipc_next(ns, IPC_MSG, &i)); ipc_object_put(o)) {
        mutex_lock(&o->lock);
        bytes += to_queue(o)->bytes;
        count += to_queue(o)->count;
        mutex_unlock(&o->lock);
        queues++;
    }
    out->pool = queues;
    out->map = (s32)min_of(count, (u64)INT32_MAX);
    out->tql = (s32)min_of(bytes, (u64)INT32_MAX);
}
