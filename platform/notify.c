/* The listener thread and its tables; see notify.h. */
#include "platform/notify.h"

#include "platform/host_guest.h"
#include "platform/stub/stub.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <linux/ioctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <stdlib.h>
#include <string.h>

/* A child between its birth and its tracer's first hold of it. */
struct checkin {
    struct hash_node node;
    int tid;
    bool attached; /* answer as soon as it comes */
    bool waiting;  /* it has come: id is pending */
    u64 id;
};

struct notify {
    int listener, zygote_pid, zygote_pidfd;
    atomic_uint ended; /* the thread is gone */
    struct mutex lock;
    struct hash orders;   /* and below: guarded by lock; by tid */
    struct hash checkins; /* by tid */
    bool zygote_waiting;  /* its check-in is pending */
    u64 zygote_id;
    s64 zygote_result;
    bool dead;             /* no process is left to answer */
    atomic_uint zygote_seq; /* changes when one of the four above does */
};

/* The zygote's first notification, close(0), and its first check-in come before any order. */
static bool zygote_start_call(const struct notify *n, const struct seccomp_notif *req)
{
    return (int)req->pid == n->zygote_pid && req->data.nr == 3 && req->data.args[0] == 0 &&
           n->zygote_seq == 0;
}

/* host-calls(sentry): ioctl(1=SECCOMP_IOCTL_NOTIF_ADDFD|SECCOMP_IOCTL_NOTIF_ID_VALID|SECCOMP_IOCTL_NOTIF_RECV|SECCOMP_IOCTL_NOTIF_SEND) — receive and answer guest notifications */
static void respond(struct notify *n, u64 id, s64 val, int error, u32 flags)
{
    struct seccomp_notif_resp resp = {.id = id, .val = val, .error = error, .flags = flags};
    int err = host_ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);

    if (err < 0 && err != -ENOENT)
        log_warning("answer to a guest notification: %s", strerror(-err));
}

static void violation(struct notify *n, const struct seccomp_notif *req)
{
    log_warning("guest thread %u made host call %d that nobody ordered: killed", req->pid,
                req->data.nr);
    respond(n, req->id, 0, -EPERM, 0);
    host_guest_kill((int)req->pid);
}

static struct checkin *checkin_find(struct notify *n, int tid)
{
    struct hash_node *node = hash_first(&n->checkins, hash_u64((u32)tid));

    for (; node; node = hash_next(node)) {
        struct checkin *c = container_of(node, struct checkin, node);

        if (c->tid == tid)
            return c;
    }
    return NULL;
}

static struct checkin *checkin_get(struct notify *n, int tid)
{
    struct checkin *c = checkin_find(n, tid);

    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (!c || hash_insert(&n->checkins, &c->node, hash_u64((u32)tid)) < 0) {
        free(c);
        return NULL;
    }
    c->tid = tid;
    return c;
}

static void zygote_changed(struct notify *n)
{
    atomic_fetch_add(&n->zygote_seq, 1);
    host_futex_wake(&n->zygote_seq, 1, false);
}

/* on_checkin() - Return: false: a violation. n->lock held. */
static bool on_checkin_locked(struct notify *n, const struct seccomp_notif *req)
{
    struct checkin *c;

    if (req->data.args[0] == STUB_ROLE_ZYGOTE) {
        if ((int)req->pid != n->zygote_pid || n->zygote_waiting)
            return false;
        n->zygote_waiting = true;
        n->zygote_id = req->id;
        n->zygote_result = (s64)req->data.args[1];
        zygote_changed(n);
        return true;
    }
    c = checkin_get(n, (int)req->pid);
    if (!c)
        return false;
    c->waiting = true;
    c->id = req->id;
    if (c->attached)
        respond(n, req->id, 0, 0, 0);
    return true;
}

static struct notify_order *order_find(struct notify *n, int tid)
{
    struct hash_node *node = hash_first(&n->orders, hash_u64((u32)tid));

    for (; node; node = hash_next(node)) {
        struct notify_order *o = container_of(node, struct notify_order, node);

        if (o->tid == tid)
            return o;
    }
    return NULL;
}

/* add_fd() - put the order's descriptor at the number that its call names. */
static int add_fd(struct notify *n, const struct notify_order *o, u64 id)
{
    struct seccomp_notif_addfd add = {
        .id = id,
        .flags = SECCOMP_ADDFD_FLAG_SETFD,
        .srcfd = (u32)o->add_fd,
        .newfd = (u32)o->args[4],
    };
    int err = host_ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

    return err < 0 ? err : 0;
}

/* on_ordered() - a call other than a check-in: continue it if it is the one that was ordered. */
static bool on_ordered_locked(struct notify *n, const struct seccomp_notif *req)
{
    struct notify_order *o = order_find(n, (int)req->pid);
    u64 id = req->id;

    if (!o)
        return (int)req->pid == n->zygote_pid && req->data.nr == 56 &&
                       req->data.args[0] == STUB_FORK_FLAGS && !req->data.args[1]
                   ? (respond(n, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), true)
                   : false;
    if (o->nr != req->data.nr || memcmp(o->args, req->data.args, sizeof(o->args)) != 0)
        return false;
    if (!host_guest_is_thread(o->tgid, o->tid) ||
        host_ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0)
        return false;
    if (o->add_fd >= 0) {
        int err = add_fd(n, o, id);

        if (err < 0) {
            respond(n, id, 0, err, 0);
            return true;
        }
    }
    respond(n, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    return true;
}

static void serve(struct notify *n, const struct seccomp_notif *req)
{
    bool ok;

    if (zygote_start_call(n, req)) {
        respond(n, req->id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
        return;
    }
    mutex_lock(&n->lock);
    ok = req->data.nr == STUB_NR_CHECKIN ? on_checkin_locked(n, req) : on_ordered_locked(n, req);
    mutex_unlock(&n->lock);
    if (!ok)
        violation(n, req);
}

static void zygote_died(struct notify *n)
{
    mutex_lock(&n->lock);
    n->dead = true;
    n->zygote_waiting = false;
    zygote_changed(n);
    mutex_unlock(&n->lock);
}

static void *listener_thread(void *arg)
{
    struct notify *n = arg;
    struct pollfd p[2] = {{.fd = n->listener, .events = POLLIN},
                          {.fd = n->zygote_pidfd, .events = POLLIN}};

    for (;;) {
        struct seccomp_notif req;
        int err;

        if (host_poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents) {
            zygote_died(n);
            p[1].fd = -1;
        }
        if (p[0].revents & (POLLHUP | POLLERR) && !(p[0].revents & POLLIN))
            break; /* the last process under the filter is gone */
        if (!(p[0].revents & POLLIN))
            continue;
        memset(&req, 0, sizeof(req));
        err = host_ioctl(n->listener, SECCOMP_IOCTL_NOTIF_RECV, &req);
        if (err >= 0)
            serve(n, &req);
        else if (err != -ENOENT && err != -EINTR)
            break;
    }
    zygote_died(n);
    atomic_store(&n->ended, 1);
    host_futex_wake(&n->ended, 1, false);
    return NULL;
}

int notify_new(int listener, int zygote_pid, int zygote_pidfd, struct notify **out)
{
    struct notify *n = calloc(1, sizeof(*n));

    if (!n)
        return -ENOMEM;
    n->listener = listener;
    n->zygote_pid = zygote_pid;
    n->zygote_pidfd = zygote_pidfd;
    mutex_init(&n->lock, LOCK_PLATFORM);
    *out = n;
    return 0;
}

int notify_start(struct notify *n)
{
    return host_thread_start("notify", listener_thread, n);
}

static void free_checkins(struct notify *n)
{
    for (u32 i = 0; i < n->checkins.nbuckets; i++) {
        while (n->checkins.buckets[i]) {
            struct hash_node *node = n->checkins.buckets[i];

            hash_remove(&n->checkins, node);
            free(container_of(node, struct checkin, node));
        }
    }
    hash_free(&n->checkins);
}

void notify_stop(struct notify *n)
{
    while (!atomic_load(&n->ended))
        host_futex_wait(&n->ended, 0, DEADLINE_NEVER, false);
    host_close(n->listener);
    host_close(n->zygote_pidfd);
    free_checkins(n);
    hash_free(&n->orders);
    mutex_destroy(&n->lock);
    free(n);
}

int notify_order_begin(struct notify *n, struct notify_order *o)
{
    int err;

    mutex_lock(&n->lock);
    err = hash_insert(&n->orders, &o->node, hash_u64((u32)o->tid));
    mutex_unlock(&n->lock);
    return err;
}

void notify_order_end(struct notify *n, struct notify_order *o)
{
    mutex_lock(&n->lock);
    hash_remove(&n->orders, &o->node);
    mutex_unlock(&n->lock);
}

int notify_attached(struct notify *n, int tid)
{
    struct checkin *c;
    int err = 0;

    mutex_lock(&n->lock);
    c = checkin_get(n, tid);
    if (!c)
        err = -ENOMEM;
    else if (c->waiting)
        respond(n, c->id, 0, 0, 0);
    else
        c->attached = true;
    mutex_unlock(&n->lock);
    return err;
}

void notify_detached(struct notify *n, int tid)
{
    struct checkin *c;

    mutex_lock(&n->lock);
    c = checkin_find(n, tid);
    if (c) {
        hash_remove(&n->checkins, &c->node);
        free(c);
    }
    mutex_unlock(&n->lock);
}

/* zygote_wait_locked() - until the zygote waits in its check-in. Drops and retakes n->lock. */
static int zygote_wait_locked(struct notify *n)
{
    while (!n->zygote_waiting) {
        unsigned int seq = atomic_load(&n->zygote_seq);

        if (n->dead)
            return -ESRCH;
        mutex_unlock(&n->lock);
        host_futex_wait(&n->zygote_seq, seq, DEADLINE_NEVER, false);
        mutex_lock(&n->lock);
    }
    return 0;
}

int notify_zygote_fork(struct notify *n)
{
    int ret;

    mutex_lock(&n->lock);
    ret = zygote_wait_locked(n);
    if (!ret) {
        n->zygote_waiting = false;
        respond(n, n->zygote_id, STUB_COMMAND_FORK, 0, 0);
        ret = zygote_wait_locked(n);
    }
    if (!ret)
        ret = (int)n->zygote_result;
    mutex_unlock(&n->lock);
    return ret ? ret : -ESRCH;
}
