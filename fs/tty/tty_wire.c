/*
 * A terminal whose far side is a terminal of the host, in raw mode and with O_NONBLOCK: the console
 * of a container, or of an exec'd process. The host's is just the wire.
 *
 * What programs write goes to the host at once, by whoever wrote it; `sending` has one at a time do
 * it, but nobody for long, as others may go on writing. What is left, what the host doesn't take, and
 * what comes from it, is up to the wire's thread, which sleeps on the watch's queue without a
 * time-out. The thread ends when the host's terminal hangs up, or, once all is sent, after
 * `closing`: the terminal was opened and nobody has it open any more, or whom it was made for has
 * ended; from then on nobody can open it. The thread owns the wire; others reach it through tty->wire
 * under the terminal's lock, as a reference.
 */
#include "fs/tty/tty_priv.h"

#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/wait/host_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { PIECE = 4096, PIECES = LDISC_OUT / PIECE };
#define DRAIN_NS (1ull * NS_PER_SEC)

struct tty_wire {
    struct obj obj;
    struct tty *tty; /* a reference */
    int fd;          /* owned */
    struct host_watch watch;
    bool sending; /* guarded by tty->lock, as is … */
    bool closing; /* end when all is sent */
    struct list_node node; /* in `wires` */
    u32 have, sent; /* of buf; belongs to who is sending */
    u8 buf[PIECE];
};
OBJ_REFS(tty_wire)

static atomic_uint draining; /* wires that are closing and have not sent all */
static atomic_bool giving_up; /* they need not send what is left */
static struct mutex wires_lock = MUTEX_INIT(HOST_WATCH);
static struct list_node wires = LIST_INIT(wires); /* whose thread lives; guarded by wires_lock */

static void wire_free(struct obj *o)
{
    struct tty_wire *w = container_of(o, struct tty_wire, obj);

    host_watch_del(&w->watch);
    host_close(w->fd);
    tty_put(w->tty);
    free(w);
}

static struct obj_type wire_type = {.name = "tty_wire", .free = wire_free};

/* wire_of() - as a new reference, or NULL. */
static struct tty_wire *wire_of(struct tty *t)
{
    struct tty_wire *w;

    mutex_lock(&t->lock);
    w = tty_wire_get(t->wire);
    mutex_unlock(&t->lock);
    return w;
}

static void wake_thread(struct tty_wire *w)
{
    waitq_wake_all(&w->watch.queue, LX_POLLIN | LX_POLLOUT);
}

/* --- to the host --- */

/* next_piece() - under the lock: more to send in w->buf? Else sending is over. */
static bool next_piece(struct tty_wire *w)
{
    struct tty *t = w->tty;
    bool more;

    mutex_lock(&t->lock);
    if (w->sent == w->have) {
        w->sent = 0;
        w->have = ldisc_get(&t->ld, w->buf, sizeof(w->buf));
    }
    more = w->sent < w->have;
    if (!more)
        w->sending = false; /* from here on another may be sending */
    tty_settle(t);
    return more;
}

/* leave_to_thread() - what is left to send. */
static void leave_to_thread(struct tty_wire *w)
{
    mutex_lock(&w->tty->lock);
    w->sending = false;
    mutex_unlock(&w->tty->lock);
    wake_thread(w);
}

/* send_out() - what there is, as far as the host takes it; of what comes meanwhile, not all. */
static void send_out(struct tty_wire *w)
{
    struct tty *t = w->tty;
    u32 pieces = 0;
    bool mine;

    mutex_lock(&t->lock);
    mine = !w->sending;
    w->sending = true;
    mutex_unlock(&t->lock);
    while (mine && next_piece(w)) {
        ssize_t n = host_write(w->fd, w->buf + w->sent, w->have - w->sent);

        if (n > 0)
            w->sent += (u32)n;
        /* An error: it is full, or hung up, as the thread will find out. */
        if ((n < 0 && n != -EINTR) || ++pieces == PIECES) {
            leave_to_thread(w);
            return;
        }
    }
}

void tty_wire_output(struct tty *t)
{
    struct tty_wire *w = wire_of(t);

    if (w)
        send_out(w);
    tty_wire_put(w);
}

/* --- from the host --- */

/* take_in() - Return: false: the host's terminal has hung up. */
static bool take_in(struct tty_wire *w)
{
    struct tty *t = w->tty;
    u8 buf[PIECE] NO_AUTO_INIT;
    u32 room;
    ssize_t n;

    mutex_lock(&t->lock);
    room = ring_room(&t->ld.in);
    mutex_unlock(&t->lock);
    if (!room)
        return true;
    n = host_read(w->fd, buf, min_of(room, (u32)sizeof(buf)));
    if (n == -EAGAIN || n == -EINTR)
        return true;
    if (n <= 0)
        return false;
    mutex_lock(&t->lock);
    ldisc_put(&t->ld, buf, (u32)n);
    ldisc_pump(&t->ld);
    tty_settle(t);
    return true;
}

void tty_wire_room(struct tty *t)
{
    struct tty_wire *w = wire_of(t);

    if (w)
        wake_thread(w);
    tty_wire_put(w);
}

/* --- the thread --- */

enum { WORK_SEND = 1, WORK_RECEIVE = 2, WORK_END = 4 };

/* work() - what the thread has to do now. */
static u32 work(struct tty_wire *w)
{
    u32 events = host_watch_poll(&w->watch), todo = 0;
    struct tty *t = w->tty;

    if ((events & POLLHUP) || atomic_load(&giving_up))
        todo |= WORK_END;
    mutex_lock(&t->lock);
    if (!w->sending && (w->sent < w->have || ldisc_far_readable(&t->ld))) {
        if ((events & (POLLOUT | POLLHUP)) == POLLOUT)
            todo |= WORK_SEND;
    } else if (!w->sending && w->closing) {
        todo |= WORK_END;
    }
    if ((events & (POLLIN | POLLHUP | POLLERR)) && ring_room(&t->ld.in))
        todo |= WORK_RECEIVE;
    mutex_unlock(&t->lock);
    return todo;
}

static void unlist(struct tty_wire *w)
{
    mutex_lock(&wires_lock);
    list_del(&w->node);
    mutex_unlock(&wires_lock);
}

/* end() - of the thread: the far side is gone. */
static void end(struct tty_wire *w)
{
    struct tty *t = w->tty;
    bool closing;

    unlist(w);
    mutex_lock(&t->lock);
    closing = w->closing;
    w->closing = true;
    mutex_unlock(&t->lock);
    tty_far_closed(t, !closing);
    tty_wire_put(w);
    if (closing && atomic_fetch_sub(&draining, 1) == 1)
        host_futex_wake(&draining, INT32_MAX, false);
}

static void *wire_thread(void *arg)
{
    struct tty_wire *w = arg;
    struct sleeper sleeper;
    u32 todo = 0;

    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
    for (;;) {
        wait_event(&w->watch.queue, 0, DEADLINE_NEVER, (todo = work(w)) != 0);
        if (todo & WORK_SEND)
            send_out(w);
        if ((todo & WORK_RECEIVE) && !take_in(w))
            break;
        if (todo == WORK_END)
            break;
    }
    end(w);
    return NULL;
}

/* finish() - the thread is to send what there is, and end. `hang_up`: what still is open. */
static void finish(struct tty *t, bool hang_up)
{
    struct tty_wire *w = wire_of(t);
    bool mine;

    if (!w)
        return;
    mutex_lock(&t->lock);
    mine = !w->closing && (t->closed || hang_up) && t->wire == w;
    if (mine) {
        w->closing = true;
        t->far_open = false;
        atomic_fetch_add(&draining, 1);
    }
    mutex_unlock(&t->lock);
    if (mine && hang_up)
        tty_hang_up(t);
    wake_thread(w);
    tty_wire_put(w);
}

void tty_wire_close(struct tty *t)
{
    finish(t, false);
}

void tty_wire_finish(struct tty *t)
{
    finish(t, true);
}

/* give_up() - whoever reads the host's terminals doesn't. */
static void give_up(void)
{
    struct tty_wire *w;

    atomic_store(&giving_up, true);
    mutex_lock(&wires_lock);
    list_for_each(w, &wires, node)
        wake_thread(w);
    mutex_unlock(&wires_lock);
}

void tty_wires_drain(void)
{
    u64 until = host_monotonic() + DRAIN_NS;
    unsigned int n;

    while ((n = atomic_load(&draining)) > 0)
        if (host_futex_wait(&draining, n, until, false) == -ETIMEDOUT)
            break;
    give_up();
}

/* --- size --- */

void tty_wire_resized(struct tty *t)
{
    struct tty_wire *w = wire_of(t);
    struct lx_winsize size;

    if (w && host_ioctl(w->fd, TIOCGWINSZ, &size) == 0)
        tty_resize(t, &size);
    tty_wire_put(w);
}

void tty_wire_set_size(struct tty *t, const struct lx_winsize *size)
{
    struct tty_wire *w = wire_of(t);
    struct lx_winsize copy = *size;

    if (w)
        host_ioctl(w->fd, TIOCSWINSZ, &copy);
    tty_wire_put(w);
}

int tty_wire_new(struct tty *t, int fd)
{
    struct tty_wire *w = calloc(1, sizeof(*w));
    int err;

    if (!w)
        return -ENOMEM;
    err = host_watch_add(&w->watch, fd);
    if (err < 0) {
        free(w);
        return err;
    }
    obj_init(&w->obj, &wire_type);
    w->fd = fd;
    w->tty = tty_get(t);
    mutex_lock(&wires_lock);
    list_add_tail(&wires, &w->node);
    mutex_unlock(&wires_lock);
    mutex_lock(&t->lock);
    t->wire = w;
    mutex_unlock(&t->lock);
    tty_wire_resized(t);
    err = host_thread_start("console", wire_thread, w);
    if (err < 0) {
        unlist(w);
        mutex_lock(&t->lock);
        t->wire = NULL;
        mutex_unlock(&t->lock);
        w->fd = -1;
        tty_wire_put(w); /* a guest that found the name may be writing */
    }
    return err;
}
