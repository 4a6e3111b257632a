/* The gofer's end of its channel; see channel.c. */
#include "fs/proto/channel_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <string.h>

#define ALL_SLOTS ((1u << CHANNEL_SLOTS) - 1)

int channel_server_init(struct channel_server *s, int shm, int sock)
{
    memset(s, 0, sizeof(*s));
    s->sock = sock;
    return channel_map(shm, &s->shm);
}

/* take_bit() - take one submitted slot. Return: its number, or CHANNEL_SLOTS if there is none. */
static u32 take_bit(struct channel_server *s)
{
    u32 have = atomic_load(&s->shm->submitted);

    while (have & ALL_SLOTS) {
        u32 slot = (u32)__builtin_ctz(have);

        if (atomic_compare_exchange_weak(&s->shm->submitted, &have, have & ~(1u << slot)))
            return slot;
    }
    /* Bits beyond the slots would keep the futex from sleeping. */
    if (have)
        atomic_fetch_and(&s->shm->submitted, ALL_SLOTS);
    return CHANNEL_SLOTS;
}

/* spin() - while it is counted as a spinner, nobody wakes a sleeper for a new request. It looks at
 * all requests that were submitted meanwhile after it has ceased to be one. */
static void spin(struct channel_server *s)
{
    atomic_fetch_add(&s->shm->spinners, 1);
    channel_spin(&s->spin, &s->shm->submitted, 0, true, &s->shm->client_cpu, &s->shm->server_cpu);
    atomic_fetch_sub(&s->shm->spinners, 1);
}

/* share() - a worker takes one request only: have another one look if there are more. */
static void share(struct channel_server *s)
{
    if (channel_server_pending(s) && atomic_load(&s->shm->sleepers))
        host_futex_wake(&s->shm->submitted, 1, true);
}

u32 channel_server_wait(struct channel_server *s)
{
    bool spun = false;

    for (;;) {
        u32 slot = take_bit(s);

        if (slot < CHANNEL_SLOTS) {
            share(s);
            return slot;
        }
        if (!spun) {
            spin(s);
            spun = true;
            continue;
        }
        atomic_fetch_add(&s->shm->sleepers, 1);
        host_futex_wait(&s->shm->submitted, 0, DEADLINE_NEVER, true);
        atomic_fetch_sub(&s->shm->sleepers, 1);
    }
}

bool channel_server_pending(const struct channel_server *s)
{
    return (atomic_load(&s->shm->submitted) & ALL_SLOTS) != 0;
}

int channel_server_request(struct channel_server *s, u32 slot, struct proto_request *req, u8 *data)
{
    const struct channel_slot *from = &s->shm->slot[slot];
    int r;

    /* Orders this use of the slot after the reply to its last one, which another thread may have written. */
    (void)atomic_load_explicit(&s->shm->slot[slot].state, memory_order_acquire);
    *req = *(const volatile struct proto_request *)&from->request;
    r = proto_request_check(req, sizeof(from->data));
    if (r < 0)
        return r;
    memcpy(data, from->data, req->target[0].path_len + req->target[1].path_len + req->data_len);
    return 0;
}

/* donate() - send `fd`, marked with where it belongs. */
static int donate(struct channel_server *s, u32 slot, u32 seq, int fd)
{
    struct channel_tag tag = {.slot = slot, .seq = seq};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } ctl = {.room = {0}};
    struct iovec iov = {.iov_base = &tag, .iov_len = sizeof(tag)};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};
    struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
    ssize_t n;

    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
    do {
        n = host_sendmsg(s->sock, &msg, 0);
    } while (n == -EINTR);
    return n < 0 ? (int)n : 0;
}

void channel_server_reply(struct channel_server *s, u32 slot, struct proto_reply *reply,
                          const void *data, int fd)
{
    struct channel_slot *to = &s->shm->slot[slot];

    if (fd >= 0) {
        int r = donate(s, slot, reply->seq, fd);

        if (r < 0)
            reply->status = r;
        else
            reply->flags |= PROTO_HAS_FD;
    }
    if (reply->data_len)
        memcpy(to->data, data, reply->data_len);
    to->reply = *reply;
    if (atomic_exchange(&to->state, SLOT_DONE) == SLOT_SLEEPING)
        host_futex_wake(&to->state, 1, true);
}
