/* A terminal as programs have it open: reading, writing, readiness (termios(3), read(2)). */
#include "fs/tty/tty_priv.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TENTH_MS = 100,
    EVENTS_HUNG_UP = LX_POLLIN | LX_POLLOUT | LX_POLLERR | LX_POLLHUP | LX_POLLRDNORM |
                     LX_POLLWRNORM,
};

#define NS_PER_TENTH ((u64)TENTH_MS * 1000000)

/* --- reading --- */

/* How long a read goes on; see termios(3), "Canonical and noncanonical mode". */
struct plan {
    u32 min;       /* bytes that are enough */
    u64 between;   /* ns between two bytes; 0: no matter */
    u64 deadline;  /* for what comes next */
    bool at_once;  /* what is there, and be it nothing */
};

static u64 from_now(u64 ns)
{
    return host_monotonic() + ns;
}

static struct plan make_plan(struct tty *t)
{
    struct plan p = {.min = 1, .deadline = DEADLINE_NEVER};
    u64 time;

    mutex_lock(&t->lock);
    time = t->ld.t.cc[LX_VTIME] * NS_PER_TENTH;
    if (ldisc_canonical(&t->ld)) {
        /* a line is enough */
    } else if (t->ld.t.cc[LX_VMIN]) {
        p.min = t->ld.t.cc[LX_VMIN];
        p.between = time;
    } else if (time) {
        p.deadline = from_now(time);
    } else {
        p.at_once = true;
    }
    mutex_unlock(&t->lock);
    return p;
}

enum found { FOUND_NOTHING, FOUND_BYTES, FOUND_LINE, FOUND_HANGUP, FOUND_GONE };

/* take() - what can be read now, at most *n bytes of it, into buf. */
static enum found take_input(struct tty *t, struct file *f, u8 *buf, u32 *n)
{
    enum found found = FOUND_NOTHING;

    mutex_lock(&t->lock);
    if (tty_is_hung_up(f)) {
        found = t->far_open ? FOUND_HANGUP : FOUND_GONE;
    } else if (ldisc_available(&t->ld, false)) {
        found = ldisc_canonical(&t->ld) ? FOUND_LINE : FOUND_BYTES;
        *n = ldisc_read(&t->ld, buf, *n);
    }
    tty_settle(t);
    return found;
}

static bool readable(struct tty *t, struct file *f)
{
    bool yes;

    mutex_lock(&t->lock);
    yes = ldisc_available(&t->ld, false) || tty_is_hung_up(f);
    mutex_unlock(&t->lock);
    return yes;
}

/* wait_input() - Return: 0; 1: that is all; -EAGAIN, -ERESTARTSYS. */
static int wait_input(struct tty *t, struct file *f, const struct plan *p)
{
    int err;

    if (p->at_once)
        return 1;
    if (f->flags & LX_O_NONBLOCK)
        return -EAGAIN;
    err = wait_event(&t->wait, LX_POLLIN | LX_POLLHUP, p->deadline, readable(t, f));
    return err == -ETIMEDOUT ? 1 : err;
}

static ssize_t read_turn(struct tty *t, struct file *f, struct uio *to)
{
    struct plan plan = make_plan(t);
    u8 buf[LDISC_RBUF] NO_AUTO_INIT;
    ssize_t done = 0, err = 0;

    while (to->left && !err) {
        u32 n = (u32)min_of(to->left, (u64)sizeof(buf));
        enum found found = take_input(t, f, buf, &n);
        ssize_t out;

        if (found == FOUND_GONE) /* while it waited; later reads are an end of file */
            err = -EIO;
        if (found == FOUND_HANGUP || err)
            break;
        if (found == FOUND_NOTHING) {
            err = wait_input(t, f, &plan);
            continue;
        }
        out = n ? uio_to(to, buf, n) : 0;
        if (out < 0)
            err = out;
        else
            done += out;
        if (found == FOUND_LINE || done >= (ssize_t)plan.min)
            break;
        if (plan.between)
            plan.deadline = from_now(plan.between);
    }
    return done || err > 0 ? done : err;
}

static ssize_t tty_read(struct file *f, struct uio *to, s64 *pos)
{
    struct tty *t = tty_file_tty(f);
    ssize_t ret;

    (void)pos;
    if (tty_is_hung_up(f))
        return 0;
    ret = ctty_check(&t->ctl, current, LX_SIGTTIN);
    if (!ret)
        ret = tty_turn_take(t, &t->read_busy, f->flags & LX_O_NONBLOCK);
    if (ret)
        return ret;
    ret = read_turn(t, f, to);
    tty_turn_give(t, &t->read_busy);
    return ret;
}

/* --- writing --- */

/* room(), put() - see struct tty_write. */
static bool room(struct tty *t, struct file *f)
{
    return ldisc_can_write(&t->ld) || tty_is_hung_up(f);
}

static u32 put(struct tty *t, struct file *f, const u8 *buf, u32 n, int *err)
{
    if (tty_is_hung_up(f)) {
        *err = -EIO;
        return 0;
    }
    return ldisc_write(&t->ld, buf, n);
}

static ssize_t tty_write(struct file *f, struct uio *from, s64 *pos)
{
    struct tty *t = tty_file_tty(f);
    struct tty_write how = {&t->write_busy, &t->wait, put, room};
    bool tostop;
    int err = 0;

    (void)pos;
    if (tty_is_hung_up(f))
        return -EIO;
    mutex_lock(&t->lock);
    tostop = t->ld.t.lflag & LX_TOSTOP;
    mutex_unlock(&t->lock);
    if (tostop)
        err = ctty_check(&t->ctl, current, LX_SIGTTOU);
    return err ? err : tty_write_pieces(f, from, &how);
}

/* --- the rest --- */

static u32 tty_poll(struct file *f)
{
    struct tty *t = tty_file_tty(f);
    u32 events = 0;

    mutex_lock(&t->lock);
    if (tty_is_hung_up(f))
        events = EVENTS_HUNG_UP;
    if (ldisc_available(&t->ld, true))
        events |= LX_POLLIN | LX_POLLRDNORM;
    if (!t->write_busy && ldisc_can_write(&t->ld))
        events |= LX_POLLOUT | LX_POLLWRNORM;
    mutex_unlock(&t->lock);
    return events;
}

static struct waitq *tty_queue(struct file *f)
{
    return &tty_file_tty(f)->wait;
}

static void tty_release(struct file *f)
{
    struct tty_file *tf = f->private;
    struct tty *t = tf->tty;
    bool last = false, wired;

    mutex_lock(&t->lock);
    if (--t->files == 0) {
        t->closed = last = true;
        t->exclusive = false;
    }
    wired = t->wire;
    mutex_unlock(&t->lock);
    if (last && wired)
        tty_wire_close(t);
    else if (last)
        waitq_wake_all(&t->far_wait, LX_POLLIN | LX_POLLHUP);
    tty_put(t);
    free(tf);
}

const struct file_ops tty_file_ops = {
    .async = FILE_ASYNC_TERMINAL,
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .queue = tty_queue,
    .ioctl = tty_ioctl,
    .release = tty_release,
};
