/* poll(2), ppoll(2), select(2), pselect6(2). */
#include "sentry/abi/lx_time.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/syscalls/poll_wait.h"
#include "sentry/syscalls/sigmask.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000ull
#define WORD_BITS 64u
#define FD_SETS   3

/* --- time-outs --- */

/* A time-out argument: 0 deadline means "don't wait". */
static int timeout_deadline(struct task *t, u64 uts, u64 *deadline)
{
    u64 ns;
    int rc;

    *deadline = DEADLINE_NEVER;
    if (!uts)
        return 0;
    rc = arg_timespec(t, uts, &ns);
    if (rc == 0)
        *deadline = ns ? deadline_in(ns) : 0;
    return rc;
}

static u64 remaining(u64 deadline)
{
    u64 now = host_monotonic();

    return deadline > now ? deadline - now : 0;
}

/* --- poll --- */

/* collect() - look up the descriptors of a poll call. */
static void collect(struct task *t, const struct lx_pollfd *fds, struct poll_item *items, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        items[i].events = (u16)fds[i].events | LX_POLLERR | LX_POLLHUP;
        if (fds[i].fd < 0)
            continue;
        if (arg_fd(t, (u64)(s64)fds[i].fd, &items[i].file) < 0)
            items[i].ready = LX_POLLNVAL;
    }
}

static void release(struct poll_item *items, u32 n)
{
    for (u32 i = 0; i < n; i++)
        file_put(items[i].file);
}

static s64 put_revents(struct task *t, u64 ufds, const struct poll_item *items, u32 n)
{
    u64 at = ufds + offsetof(struct lx_pollfd, revents);

    for (u32 i = 0; i < n; i++, at += sizeof(struct lx_pollfd)) {
        int16_t revents = (int16_t)items[i].ready;

        if (usermem_put(t->mm, at, &revents) < 0)
            return -EFAULT;
    }
    return 0;
}

/* do_poll() - Return: how many are ready, -ERESTARTSYS when interrupted, or an errno. */
static s64 do_poll(struct task *t, u64 ufds, u32 n, u64 deadline)
{
    auto_free struct poll_item *items = NULL;
    auto_free struct lx_pollfd *fds = NULL;
    s64 rc;

    if (n > task_rlimit(t, LX_RLIMIT_NOFILE) || n > LIMIT_POLL_FDS)
        return -EINVAL;
    fds = calloc(n ? n : 1, sizeof(*fds));
    items = calloc(n ? n : 1, sizeof(*items));
    if (!fds || !items)
        return -ENOMEM;
    if (usermem_in(t->mm, fds, ufds, n * sizeof(*fds)) < 0)
        return -EFAULT;
    collect(t, fds, items, n);
    rc = poll_wait(items, n, deadline);
    release(items, n);
    if (rc >= 0 && put_revents(t, ufds, items, n) < 0)
        rc = -EFAULT;
    return rc;
}

static s64 poll_restart(struct task *t, struct restart_block *rb)
{
    s64 rc = do_poll(t, rb->uaddr, (u32)rb->arg[0], rb->deadline);

    return rc == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : rc;
}

s64 sys_poll(struct task *t, const u64 a[6])
{
    s32 ms = (s32)a[2];
    u64 deadline = ms < 0 ? DEADLINE_NEVER : ms ? deadline_in((u64)ms * NS_PER_MS) : 0;

    struct restart_block rb = {
        .fn = poll_restart, .deadline = deadline, .uaddr = a[0], .arg = {(u32)a[1]}};
    s64 rc = poll_restart(t, &rb);

    if (rc == -ERESTART_RESTARTBLOCK)
        t->restart = rb;
    return rc;
}

s64 sys_ppoll(struct task *t, const u64 a[6])
{
    u64 deadline;
    s64 rc = timeout_deadline(t, a[2], &deadline);

    if (rc == 0)
        rc = sigmask_swap(t, a[3], a[4]);
    if (rc < 0)
        return rc;
    rc = do_poll(t, a[0], (u32)a[1], deadline);
    if (rc == -ERESTARTSYS)
        rc = -ERESTARTNOHAND;
    sigmask_unswap(t, rc == -ERESTARTNOHAND);
    /* A time-out that can't be told again must not be waited for again: no restart then. */
    if (a[2] && put_timespec(t, a[2], remaining(deadline)) < 0 && rc == -ERESTARTNOHAND)
        rc = -EINTR;
    return rc;
}

/* --- select --- */

/* The three sets of a select call: for reading, writing, exceptions. */
struct select_sets {
    u32 nfds, words;
    u64 *in[FD_SETS]; /* each `words` long, in one allocation; NULL: not given */
    u64 *memory;
};

static const u32 set_events[FD_SETS] = {LX_POLL_SELECT_IN, LX_POLL_SELECT_OUT, LX_POLL_SELECT_EX};

static int sets_read(struct task *t, s32 nfds, const u64 usets[FD_SETS], struct select_sets *s)
{
    u32 known = max_of(t->files->nslots, WORD_BITS);

    if (nfds < 0)
        return -EINVAL;
    *s = (struct select_sets){.nfds = min_of((u32)nfds, known)};
    s->words = (s->nfds + WORD_BITS - 1) / WORD_BITS;
    s->memory = calloc(FD_SETS * (size_t)max_of(s->words, 1u), sizeof(u64));
    if (!s->memory)
        return -ENOMEM;
    for (int i = 0; i < FD_SETS; i++) {
        if (!usets[i])
            continue;
        s->in[i] = s->memory + (size_t)i * s->words;
        if (usermem_in(t->mm, s->in[i], usets[i], s->words * sizeof(u64)) < 0) {
            free(s->memory);
            return -EFAULT;
        }
    }
    return 0;
}

static bool set_has(const struct select_sets *s, int set, u32 fd)
{
    return s->in[set] && (s->in[set][fd / WORD_BITS] >> (fd % WORD_BITS) & 1);
}

/* sets_collect() - an item for each descriptor in any set; its number goes to fds[]. */
static int sets_collect(struct task *t, const struct select_sets *s, struct poll_item *items,
                        u32 *fds, u32 *n)
{
    *n = 0;
    for (u32 fd = 0; fd < s->nfds; fd++) {
        u32 events = 0;

        for (int i = 0; i < FD_SETS; i++)
            if (set_has(s, i, fd))
                events |= set_events[i];
        if (!events)
            continue;
        items[*n].events = events;
        if (arg_fd(t, fd, &items[*n].file) < 0)
            return -EBADF;
        fds[(*n)++] = fd;
    }
    return 0;
}

/* sets_write() - the sets' answer. Return: bits set in all, -EFAULT. */
static s64 sets_write(struct task *t, struct select_sets *s, const u64 usets[FD_SETS],
                      const struct poll_item *items, const u32 *fds, u32 n)
{
    s64 bits = 0;

    for (int set = 0; set < FD_SETS; set++) {
        u64 *words = s->in[set];

        if (!words)
            continue;
        for (u32 i = 0; i < n; i++) {
            u64 bit = 1ull << (fds[i] % WORD_BITS);
            u64 *w = &words[fds[i] / WORD_BITS];

            if ((*w & bit) && (items[i].ready & set_events[set]))
                bits++;
            else
                *w &= ~bit;
        }
        if (usermem_out(t->mm, usets[set], words, s->words * sizeof(u64)) < 0)
            return -EFAULT;
    }
    return bits;
}

/* do_select() - Return: bits set in all, -ERESTARTNOHAND when interrupted, or an errno. */
static s64 do_select(struct task *t, s32 nfds, const u64 usets[FD_SETS], u64 deadline)
{
    auto_free struct poll_item *items = NULL;
    auto_free u32 *fds = NULL;
    struct select_sets s;
    u32 n = 0;
    s64 rc = sets_read(t, nfds, usets, &s);

    if (rc < 0)
        return rc;
    items = calloc(max_of(s.nfds, 1u), sizeof(*items));
    fds = calloc(max_of(s.nfds, 1u), sizeof(*fds));
    rc = items && fds ? sets_collect(t, &s, items, fds, &n) : -ENOMEM;
    if (rc == 0)
        rc = poll_wait(items, n, deadline);
    if (items)
        release(items, n);
    if (rc >= 0)
        rc = sets_write(t, &s, usets, items, fds, n);
    free(s.memory);
    return rc == -ERESTARTSYS ? -ERESTARTNOHAND : rc;
}

s64 sys_select(struct task *t, const u64 a[6])
{
    const u64 usets[FD_SETS] = {a[1], a[2], a[3]};
    u64 deadline = DEADLINE_NEVER;
    struct lx_timeval tv;
    s64 rc;

    if (a[4]) {
        if (usermem_get(t->mm, &tv, a[4]) < 0)
            return -EFAULT;
        if (tv.sec < 0 || tv.usec < 0)
            return -EINVAL;
        deadline = time_saturate(tv.sec, 0);
        if (__builtin_add_overflow(deadline, (u64)tv.usec % 1000000 * 1000, &deadline) ||
            __builtin_add_overflow(deadline, (u64)tv.usec / 1000000 * NS_PER_SEC, &deadline))
            deadline = DEADLINE_NEVER;
        deadline = deadline ? deadline_in(deadline) : 0;
    }
    rc = do_select(t, (s32)a[0], usets, deadline);
    if (a[4]) {
        u64 left = remaining(deadline);

        tv = (struct lx_timeval){(s64)(left / NS_PER_SEC), (s64)(left % NS_PER_SEC / 1000)};
        if (usermem_put(t->mm, a[4], &tv) < 0 && rc == -ERESTARTNOHAND)
            rc = -EINTR;
    }
    return rc;
}

s64 sys_pselect6(struct task *t, const u64 a[6])
{
    const u64 usets[FD_SETS] = {a[1], a[2], a[3]};
    u64 deadline, mask[2] = {0, 0};
    s64 rc;

    if (a[5] && usermem_get(t->mm, &mask, a[5]) < 0)
        return -EFAULT;
    rc = timeout_deadline(t, a[4], &deadline);
    if (rc == 0)
        rc = sigmask_swap(t, mask[0], mask[1]);
    if (rc < 0)
        return rc;
    rc = do_select(t, (s32)a[0], usets, deadline);
    sigmask_unswap(t, rc == -ERESTARTNOHAND);
    if (a[4] && put_timespec(t, a[4], remaining(deadline)) < 0 && rc == -ERESTARTNOHAND)
        rc = -EINTR;
    return rc;
}
