/*
 * The observer's client. One request is under way at a time; who has asked waits for our own
 * process alone, with a deadline since it owes its answer at once. An answer that isn't one (length,
 * count, order) ends the connection for good: the observer may have been taken over, and there is
 * only one.
 */
#include "sentry/mm/observer.h"

#include "sentry/base/host_fd.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include "sentry/mm/mm.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 10000
#define SMAPS_FIRST 64u
/* Linux's own mappings, and those that the host keeps apart where the table has one. */
#define SMAPS_MAX (2u * LIMIT_VMAS)

static struct mutex lock = MUTEX_INIT(OBSERVER);
static _Atomic(int) sock = -1; /* and below: guarded by lock; whether there is one: read without */
static union {
    struct observer_reply head;
    u8 bytes[OBSERVER_PACKET];
    u64 aligned; /* as records are */
} packet;

void observer_init(int fd)
{
    mutex_lock(&lock);
    sock = fd;
    mutex_unlock(&lock);
}

static int broken_locked(const char *why)
{
    log_warning("the observer %s: memory is estimated from here on", why);
    host_close(sock);
    sock = -1;
    return -ENOSYS;
}

static int send_locked(const struct observer_request *req)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)req, .iov_len = sizeof(*req)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (sock < 0)
        return -ENOSYS;
    return host_sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(*req)
               ? 0
               : broken_locked("is gone");
}

/* receive_locked() - one packet, whose records are `size` bytes each. Return: 0, what it says. */
static int receive_locked(size_t size, const void **records)
{
    struct iovec iov = {.iov_base = packet.bytes, .iov_len = sizeof(packet)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct pollfd pfd = {.fd = sock, .events = POLLIN};
    ssize_t n;

    do {
        n = host_poll(&pfd, 1, DEADLINE_MS);
    } while (n == -EINTR);
    if (n <= 0)
        return broken_locked("does not answer");
    n = host_recvmsg(sock, &msg, MSG_DONTWAIT);
    if (n < (ssize_t)sizeof(packet.head))
        return broken_locked("is gone");
    if (packet.head.error < 0 && packet.head.error >= -4095)
        return packet.head.error;
    if (packet.head.error || msg.msg_controllen ||
        (u64)n != sizeof(packet.head) + (u64)packet.head.count * size)
        return broken_locked("does not keep its protocol");
    *records = packet.bytes + sizeof(packet.head);
    return 0;
}

static s32 pid_of(const struct mm *mm)
{
    return sock < 0 ? 0 : mm->platform->mm_pid(mm->plat);
}

/* ask() - a request whose answer is one packet of at most `most` records. Return: how many. */
static int ask(const struct observer_request *req, void *out, size_t size, u32 most)
{
    const void *records;
    int err;

    mutex_lock(&lock);
    err = send_locked(req);
    if (!err)
        err = receive_locked(size, &records);
    if (!err && (packet.head.count > most || packet.head.more))
        err = broken_locked("does not keep its protocol");
    if (!err) {
        if (packet.head.count)
            memcpy(out, records, packet.head.count * size);
        err = (int)packet.head.count;
    }
    mutex_unlock(&lock);
    return err;
}

/* ask_one() - exactly one record. */
static int ask_one(enum observer_op op, const struct mm *mm, void *out, size_t size)
{
    const struct observer_request req = {.op = op, .pid = pid_of(mm)};
    int n = ask(&req, out, size, 1);

    return n == 1 ? 0 : n < 0 ? n : -ESRCH;
}

int observer_statm(struct mm *mm, struct observer_statm *out)
{
    return ask_one(OBSERVER_STATM, mm, out, sizeof(*out));
}

int observer_stat(struct mm *mm, struct observer_stat *out)
{
    return ask_one(OBSERVER_STAT, mm, out, sizeof(*out));
}

int observer_status(struct mm *mm, struct observer_status *out)
{
    return ask_one(OBSERVER_STATUS, mm, out, sizeof(*out));
}

int observer_pagemap(struct mm *mm, uaddr_t addr, u64 *out, u32 n)
{
    const struct observer_request req = {.op = OBSERVER_PAGEMAP,
                                         .pid = pid_of(mm),
                                         .start = addr >> GUEST_PAGE_SHIFT,
                                         .count = min_of(n, (u32)OBSERVER_PAGES_MAX)};
    int got;

    memset(out, 0, n * sizeof(*out));
    got = ask(&req, out, sizeof(*out), req.count);
    return got < 0 ? got : 0;
}

int observer_clear_refs(struct mm *mm, int how)
{
    const struct observer_request req = {
        .op = OBSERVER_CLEAR_REFS, .pid = pid_of(mm), .start = (u64)how};

    return ask(&req, NULL, 1, 0);
}

struct vma_list {
    struct observer_vma *items;
    u32 n, cap;
    u32 seen;    /* records, kept or not */
    uaddr_t end; /* of the last one */
};

/* check_vmas_locked() - each record is behind the one before, in all packets of an answer: who
 * keeps to that comes to an end. */
static int check_vmas_locked(struct vma_list *l, const struct observer_vma *from, u32 n)
{
    if (l->seen + n > SMAPS_MAX)
        return broken_locked("does not keep its protocol");
    l->seen += n;
    for (u32 i = 0; i < n; i++) {
        if (from[i].start < l->end || from[i].end <= from[i].start)
            return broken_locked("does not keep its protocol");
        l->end = from[i].end;
    }
    return 0;
}

/* take_vmas() - keep what is the guest's of one packet's records. */
static int take_vmas(struct vma_list *l, const struct observer_vma *from, u32 n)
{
    if (l->n + n > l->cap) {
        u32 need = max_of(l->n + n, SMAPS_FIRST), cap = max_of(l->cap * 2, need);
        struct observer_vma *items = realloc(l->items, cap * sizeof(*items));

        if (!items)
            return -ENOMEM;
        l->items = items;
        l->cap = cap;
    }
    for (u32 i = 0; i < n; i++)
        if (from[i].end <= PLAT_TASK_SIZE)
            l->items[l->n++] = from[i];
    return 0;
}

int observer_vmas(struct mm *mm, struct observer_vma **out, u32 *n)
{
    const struct observer_request req = {.op = OBSERVER_SMAPS, .pid = pid_of(mm)};
    struct vma_list l = {0};
    const void *records;
    int err, failed = 0;
    bool more = true;

    mutex_lock(&lock);
    err = send_locked(&req);
    while (!err && more) {
        err = receive_locked(sizeof(struct observer_vma), &records);
        more = packet.head.more;
        if (!err)
            err = check_vmas_locked(&l, records, packet.head.count);
        if (!err && more && !packet.head.count)
            err = broken_locked("does not keep its protocol");
        if (!err && !failed)
            failed = take_vmas(&l, records, packet.head.count);
    }
    mutex_unlock(&lock);
    err = err ? err : failed;
    if (err) {
        free(l.items);
        return err;
    }
    *out = l.items;
    *n = l.n;
    return 0;
}
