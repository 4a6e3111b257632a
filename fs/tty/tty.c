/*
 * The terminal itself: its life, hangups, size.
 *
 * References: open files, processes whose controlling terminal it is, its driver and its wire. The
 * last may be put under the pid lock, so the destructor only frees memory; the name goes, and a wire
 * closes, when the far side does.
 *
 * A hangup changes the generation. Files of an older one are dead: they read end of file, refuse
 * everything else, and poll as ready for all; who sleeps in one is woken and finds out.
 *
 * Locks: t->lock is below the pid lock; signals are sent, and queues woken, when it is free.
 */
#include "fs/tty/tty_priv.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

enum { PTS_MAJOR = 136, PTS_PER_MAJOR = 1u << 20 };

enum {
    EVENTS_IN = LX_POLLIN | LX_POLLRDNORM,
    EVENTS_OUT = LX_POLLOUT | LX_POLLWRNORM,
    EVENTS_ALL = EVENTS_IN | EVENTS_OUT | LX_POLLHUP | LX_POLLERR | LX_POLLPRI,
};

static void tty_free(struct obj *o)
{
    struct tty *t = container_of(o, struct tty, ctl.obj);

    ctty_destroy(&t->ctl);
    ldisc_free(&t->ld);
    waitq_destroy(&t->wait);
    waitq_destroy(&t->far_wait);
    waitq_destroy(&t->turn);
    mutex_destroy(&t->lock);
    free(t);
}

static struct obj_type tty_type = {.name = "tty", .free = tty_free};

int tty_new(const struct tty_driver *driver, void *data, u32 index, struct tty **out)
{
    struct tty *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    if (ldisc_init(&t->ld) < 0) {
        free(t);
        return -ENOMEM;
    }
    ctty_init(&t->ctl, &tty_type, PTS_MAJOR, index);
    t->driver = driver;
    t->data = data;
    t->index = index;
    t->far_open = true;
    waitq_init(&t->wait);
    waitq_init(&t->far_wait);
    waitq_init(&t->turn);
    mutex_init(&t->lock, LOCK_TTY);
    *out = t;
    return 0;
}

static void send_signals(struct tty *t, u32 effects)
{
    if (effects & LDISC_SIGINT)
        ctty_signal(&t->ctl, LX_SIGINT);
    if (effects & LDISC_SIGQUIT)
        ctty_signal(&t->ctl, LX_SIGQUIT);
    if (effects & LDISC_SIGTSTP)
        ctty_signal(&t->ctl, LX_SIGTSTP);
}

void tty_settle(struct tty *t)
{
    u32 effects = t->ld.effects;
    bool wired = t->wire;

    t->ld.effects = 0;
    mutex_unlock(&t->lock);
    if (effects & LDISC_SIGNALS)
        send_signals(t, effects);
    if (effects & LDISC_READABLE)
        waitq_wake(&t->wait, EVENTS_IN);
    if (effects & LDISC_WRITABLE)
        waitq_wake(&t->wait, EVENTS_OUT);
    if (effects & LDISC_FAR_STATUS)
        waitq_wake(&t->far_wait, EVENTS_IN | LX_POLLPRI);
    if (effects & LDISC_FAR_READABLE) {
        if (wired)
            tty_wire_output(t);
        else
            waitq_wake(&t->far_wait, EVENTS_IN);
    }
    if (effects & LDISC_FAR_WRITABLE) {
        if (wired)
            tty_wire_room(t);
        else
            waitq_wake(&t->far_wait, EVENTS_OUT);
    }
}

/* --- turns --- */

static bool turn_try(struct tty *t, bool *busy)
{
    bool mine;

    mutex_lock(&t->lock);
    mine = !*busy;
    *busy = true;
    mutex_unlock(&t->lock);
    return mine;
}

int tty_turn_take(struct tty *t, bool *busy, bool nonblock)
{
    bool mine = turn_try(t, busy);

    if (mine)
        return 0;
    return nonblock ? -EAGAIN
                    : wait_event(&t->turn, 0, DEADLINE_NEVER, mine || (mine = turn_try(t, busy)));
}

void tty_turn_give(struct tty *t, bool *busy)
{
    mutex_lock(&t->lock);
    *busy = false;
    mutex_unlock(&t->lock);
    waitq_wake_all(&t->turn, 0);
    /* Nothing can be written while somebody writes, so that pollers may not have seen the room. */
    if (busy == &t->write_busy)
        waitq_wake(&t->wait, EVENTS_OUT);
    else if (busy == &t->far_write_busy)
        waitq_wake(&t->far_wait, EVENTS_OUT);
}

/* --- opening --- */

/* may_open_locked() - Return: 0, -EIO, -EBUSY. */
static int may_open_locked(const struct tty *t, const struct file *f)
{
    if (t->exclusive && !cred_capable(f->cred, LX_CAP_SYS_ADMIN))
        return -EBUSY;
    return t->locked || !t->far_open ? -EIO : 0;
}

int tty_open(struct tty *t, struct file *f, bool noctty)
{
    struct tty_file *tf = malloc(sizeof(*tf));
    int err;

    if (!tf)
        return -ENOMEM;
    mutex_lock(&t->lock);
    err = may_open_locked(t, f);
    if (!err) {
        tf->tty = tty_get(t);
        tf->generation = t->generation;
        t->files++;
        t->closed = false;
    }
    mutex_unlock(&t->lock);
    if (err) {
        free(tf);
        return err;
    }
    f->private = tf;
    f->ops = &tty_file_ops;
    if (!noctty && file_readable(f) && current)
        ctty_opened(&t->ctl, current);
    return 0;
}

int tty_open_master(struct tty *t, struct file *f)
{
    f->private = tty_get(t);
    f->ops = &tty_master_ops;
    return 0;
}

bool tty_is_master(const struct file *f)
{
    return f->ops == &tty_master_ops;
}

struct tty *tty_file_tty(struct file *f)
{
    struct tty_file *tf = f->private;

    return tty_is_master(f) ? f->private : tf->tty;
}

struct ctty *tty_controls(struct file *f)
{
    return f->ops == &tty_file_ops ? &tty_file_tty(f)->ctl : NULL;
}

bool tty_is_hung_up(struct file *f)
{
    struct tty_file *tf = f->private;

    return __atomic_load_n(&tf->tty->generation, __ATOMIC_ACQUIRE) != tf->generation;
}

/* --- hanging up --- */

static void hang_up_locked(struct tty *t)
{
    __atomic_store_n(&t->generation, t->generation + 1, __ATOMIC_RELEASE);
    ldisc_reset(&t->ld);
    t->exclusive = false;
}

static void wake_everybody(struct tty *t)
{
    waitq_wake_all(&t->wait, EVENTS_ALL);
    waitq_wake_all(&t->far_wait, EVENTS_ALL);
}

void tty_hang_up(struct tty *t)
{
    mutex_lock(&t->lock);
    hang_up_locked(t);
    tty_settle(t);
    ctty_hang_up(&t->ctl);
    wake_everybody(t);
}

void tty_far_closed(struct tty *t, bool hang_up)
{
    mutex_lock(&t->lock);
    t->far_open = false;
    t->wire = NULL;
    if (hang_up)
        hang_up_locked(t);
    tty_settle(t);
    if (hang_up)
        ctty_hang_up(&t->ctl);
    wake_everybody(t);
    t->driver->gone(t);
}

/* --- size --- */

static bool same_size(const struct lx_winsize *a, const struct lx_winsize *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->xpixel == b->xpixel &&
           a->ypixel == b->ypixel;
}

void tty_resize(struct tty *t, const struct lx_winsize *size)
{
    bool changed;

    mutex_lock(&t->lock);
    changed = !same_size(&t->size, size);
    t->size = *size;
    mutex_unlock(&t->lock);
    if (changed)
        ctty_signal(&t->ctl, LX_SIGWINCH);
}
