/* The Sentry's end of a gofer channel; see channel.c. */
#include "fs/proto/channel_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* No errno of Linux is above; a gofer's answer beyond is none. */
enum { STATUS_MAX = 133 };

#define ALL_FREE ((1u << CHANNEL_SLOTS) - 1)

int channel_client_new(int shm, int sock, struct channel_client **out)
{
    struct channel_client *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return -ENOMEM;
    r = channel_map(shm, &c->shm);
    if (r < 0) {
        free(c);
        return r;
    }
    c->sock = sock;
    c->free = ALL_FREE;
    mutex_init(&c->lock, LOCK_GOFER_CHANNEL);
    for (u32 i = 0; i < CHANNEL_SLOTS; i++)
        c->fd[i] = -1;
    *out = c;
    return 0;
}

/* unwatch() - a message tells the gofer to go, and its going ends the watching thread. */
static void unwatch(struct channel_client *c)
{
    struct iovec iov = {.iov_base = c, .iov_len = 0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    atomic_store(&c->closing, true);
    if (atomic_load(&c->watching))
        host_sendmsg(c->sock, &msg, MSG_DONTWAIT);
    while (atomic_load(&c->watching))
        host_futex_wait(&c->watching, 1, DEADLINE_NEVER, false);
}

void channel_client_free(struct channel_client *c)
{
    if (!c)
        return;
    unwatch(c);
    for (u32 i = 0; i < CHANNEL_SLOTS; i++) {
        if (c->fd[i] >= 0)
            host_close(c->fd[i]);
    }
    host_unmap(c->shm, CHANNEL_BYTES);
    host_close(c->sock);
    mutex_destroy(&c->lock);
    free(c);
}

void channel_client_fail(struct channel_client *c)
{
    atomic_store(&c->dead, true);
    for (u32 i = 0; i < CHANNEL_SLOTS; i++) {
        atomic_store(&c->shm->slot[i].state, SLOT_DONE);
        host_futex_wake(&c->shm->slot[i].state, INT32_MAX, true);
    }
}

/* watch() - thread: sleep until the gofer's end of the socket is closed. */
static void *watch(void *arg)
{
    struct channel_client *c = arg;
    struct pollfd p = {.fd = c->sock};
    int r;

    do {
        p.revents = 0;
        r = host_poll(&p, 1, -1);
    } while (r == -EINTR || (r >= 0 && !(p.revents & (POLLHUP | POLLERR | POLLNVAL))));
    if (!atomic_load(&c->closing))
        log_warning("gofer: the process that holds the container's files is gone");
    channel_client_fail(c);
    atomic_store(&c->watching, 0);
    /* Whoever waits for this may free the word before the wake: then it wakes nobody. */
    host_futex_wake(&c->watching, 1, false);
    return NULL;
}

int channel_client_watch(struct channel_client *c)
{
    int r;

    c->watching = 1;
    r = host_thread_start("gofer-watch", watch, c);
    if (r < 0)
        c->watching = 0;
    return r;
}

/* slot_take() - a free slot, slept for if there is none. */
static u32 slot_take(struct channel_client *c)
{
    u32 have = atomic_load(&c->free);

    for (;;) {
        u32 slot;

        if (!have) {
            atomic_fetch_add(&c->waiting, 1);
            host_futex_wait(&c->free, 0, DEADLINE_NEVER, false);
            atomic_fetch_sub(&c->waiting, 1);
            have = atomic_load(&c->free);
            continue;
        }
        slot = (u32)__builtin_ctz(have);
        if (atomic_compare_exchange_weak(&c->free, &have, have & ~(1u << slot)))
            return slot;
    }
}

static void slot_give(struct channel_client *c, u32 slot)
{
    atomic_fetch_or(&c->free, 1u << slot);
    if (atomic_load(&c->waiting))
        host_futex_wake(&c->free, 1, false);
}

/* receive() - one message of the socket. Return: 0 and its descriptor; -EAGAIN: none there; -ENFILE:
 * we may have no more; -EIO. */
static int receive(struct channel_client *c, struct channel_tag *tag, int *fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } ctl;
    struct iovec iov = {.iov_base = tag, .iov_len = sizeof(*tag)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &ctl,
                         /* CMSG_SPACE would have room for a second one, to be leaked. */
                         .msg_controllen = CMSG_LEN(sizeof(int))};
    struct cmsghdr *cm;
    ssize_t n;

    do {
        n = host_recvmsg(c->sock, &msg, MSG_DONTWAIT);
    } while (n == -EINTR);
    if (n < 0)
        return n == -EAGAIN ? -EAGAIN : -EIO;
    cm = CMSG_FIRSTHDR(&msg);
    if (!cm && (msg.msg_flags & MSG_CTRUNC))
        return -ENFILE;
    if (!cm || cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS ||
        cm->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EIO;
    memcpy(fd, CMSG_DATA(cm), sizeof(*fd));
    if (n != sizeof(*tag)) {
        host_close(*fd);
        return -EIO;
    }
    return 0;
}

/* stash_locked() - keep a descriptor for the slot whose request it answers, or close it. */
static void stash_locked(struct channel_client *c, const struct channel_tag *tag, int fd)
    REQUIRES(c->lock)
{
    if (tag->slot >= CHANNEL_SLOTS || tag->seq == 0 || c->slot_seq[tag->slot] != tag->seq ||
        c->fd[tag->slot] >= 0) {
        host_close(fd);
        return;
    }
    c->fd[tag->slot] = fd;
}

/* fd_collect() - the descriptor that belongs to the slot's answer. It was sent before. */
static int fd_collect(struct channel_client *c, u32 slot)
{
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);
    struct channel_tag tag = {0, 0};
    int fd, r;

    while (c->fd[slot] < 0) {
        r = receive(c, &tag, &fd);
        if (r < 0)
            return r == -EAGAIN ? -EIO : r;
        stash_locked(c, &tag, fd);
    }
    fd = c->fd[slot];
    c->fd[slot] = -1;
    return fd;
}

/* slot_begin(), slot_end() - from when and until when descriptors for this call are welcome. */
static void slot_begin(struct channel_client *c, u32 slot, u32 seq)
{
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);

    c->slot_seq[slot] = seq;
}

static void slot_end(struct channel_client *c, u32 slot)
{
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);

    c->slot_seq[slot] = 0;
    if (c->fd[slot] >= 0)
        host_close(c->fd[slot]);
    c->fd[slot] = -1;
}

/* put_bytes() - append to the slot's data. */
static u32 put_bytes(struct channel_slot *s, u32 at, const void *p, u32 len)
{
    if (len)
        memcpy(s->data + at, p, len);
    return at + len;
}

static void slot_submit(struct channel_client *c, u32 slot, const struct channel_call *call)
{
    struct channel_slot *s = &c->shm->slot[slot];
    u32 at = 0;

    for (u32 i = 0; i < 2; i++)
        at = put_bytes(s, at, call->path[i], call->req.target[i].path_len);
    for (u32 i = 0; i < 2; i++)
        at = put_bytes(s, at, call->data[i], call->data_len[i]);
    s->request = call->req;
    atomic_store(&s->state, SLOT_PENDING);
    atomic_fetch_or(&c->shm->submitted, 1u << slot);
    if (!atomic_load(&c->shm->spinners) && atomic_load(&c->shm->sleepers))
        host_futex_wake(&c->shm->submitted, 1, true);
}

/* slot_wait() - until the slot is DONE or the gofer is gone. */
static void slot_wait(struct channel_client *c, u32 slot)
{
    atomic_uint *state = &c->shm->slot[slot].state;
    u32 v = SLOT_PENDING;

    if (channel_spin(&c->spin, state, SLOT_DONE, false, &c->shm->server_cpu, &c->shm->client_cpu))
        return;
    atomic_compare_exchange_strong(state, &v, SLOT_SLEEPING);
    while (!atomic_load(&c->dead) && atomic_load(state) != SLOT_DONE)
        host_futex_wait(state, SLOT_SLEEPING, DEADLINE_NEVER, true);
}

/* answer_ok() - is the copied answer one to this request? */
static bool answer_ok(const struct proto_reply *r, const struct channel_call *call, u32 seq)
{
    if (r->seq != seq || r->status > 0 || r->status < -STATUS_MAX)
        return false;
    if (r->data_len > call->out_cap)
        return false;
    return true;
}

/* slot_read() - copy the answer out and check it. Return: its status, or -EIO. */
static int slot_read(struct channel_client *c, u32 slot, struct channel_call *call)
{
    const struct channel_slot *s = &c->shm->slot[slot];

    if (atomic_load(&c->dead))
        return -EIO;
    call->reply = *(const volatile struct proto_reply *)&s->reply;
    if (!answer_ok(&call->reply, call, call->req.seq)) {
        log_warning("gofer: impossible answer to request %u", call->req.op);
        return -EIO;
    }
    call->out_len = call->reply.data_len;
    if (call->out_len)
        memcpy(call->out, s->data, call->out_len);
    if (call->reply.flags & PROTO_HAS_FD) {
        int fd = fd_collect(c, slot);

        if (fd < 0)
            return fd;
        if (!call->want_fd || call->reply.status < 0)
            host_close(fd);
        else
            call->fd = fd;
    }
    if (call->reply.status == 0 && call->want_fd && !call->maybe_fd && call->fd < 0)
        return -EIO;
    return call->reply.status;
}

int channel_call(struct channel_client *c, struct channel_call *call)
{
    u32 slot;
    int r;

    call->fd = -1;
    call->out_len = 0;
    call->req.data_len = call->data_len[0] + call->data_len[1];
    r = proto_request_check(&call->req, sizeof(((struct channel_slot *)0)->data));
    if (r < 0)
        return r;
    if (atomic_load(&c->dead))
        return -EIO;
    slot = slot_take(c);
    do {
        call->req.seq = atomic_fetch_add(&c->seq, 1) + 1;
    } while (call->req.seq == 0);
    if (call->want_fd)
        slot_begin(c, slot, call->req.seq);
    slot_submit(c, slot, call);
    slot_wait(c, slot);
    r = slot_read(c, slot, call);
    if (call->want_fd)
        slot_end(c, slot);
    slot_give(c, slot);
    return r;
}
