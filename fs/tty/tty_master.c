/*
 * A pty's master (pty(7), ioctl_tty(2)): what is written to it is typed, what programs write is
 * read from it. In packet mode (TIOCPKT) a status byte is in front of what is read, or alone.
 */
#include "fs/tty/tty_priv.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/task.h"

#include <errno.h>

/* --- reading --- */

enum found { FOUND_NOTHING, FOUND_BYTES, FOUND_END };

/* take_output() - what is there for the master, at most *n bytes. */
static enum found take_output(struct tty *t, u8 *buf, u32 *n)
{
    enum found found = FOUND_BYTES;
    u32 head = t->ld.packet;

    if (head && t->ld.status) {
        buf[0] = t->ld.status;
        t->ld.status = 0;
        *n = 1;
        return FOUND_BYTES;
    }
    if (*n <= head && head) {
        /* room for the status byte alone: Linux takes no data then either */
        found = ldisc_far_readable(&t->ld) ? FOUND_BYTES : FOUND_NOTHING;
        *n = found == FOUND_BYTES ? 1 : 0;
    } else {
        *n = ldisc_get(&t->ld, buf + head, *n - head);
        found = *n ? FOUND_BYTES : FOUND_NOTHING;
        *n += *n ? head : 0;
    }
    if (head && found == FOUND_BYTES)
        buf[0] = LX_TIOCPKT_DATA;
    return found == FOUND_NOTHING && t->closed ? FOUND_END : found;
}

static bool readable_locked(struct tty *t)
{
    return ldisc_far_readable(&t->ld) || (t->ld.packet && t->ld.status);
}

static bool readable(struct tty *t)
{
    bool yes;

    mutex_lock(&t->lock);
    yes = readable_locked(t) || t->closed;
    mutex_unlock(&t->lock);
    return yes;
}

static ssize_t read_turn(struct tty *t, struct file *f, struct uio *to)
{
    u8 buf[4096] NO_AUTO_INIT;

    for (;;) {
        u32 n = (u32)min_of(to->left, (u64)sizeof(buf));
        enum found found;
        int err;

        mutex_lock(&t->lock);
        found = take_output(t, buf, &n);
        tty_settle(t);
        if (found == FOUND_BYTES)
            return uio_to(to, buf, n);
        if (found == FOUND_END)
            return -EIO;
        if (f->flags & LX_O_NONBLOCK)
            return -EAGAIN;
        err = wait_event(&t->far_wait, LX_POLLIN | LX_POLLHUP, DEADLINE_NEVER, readable(t));
        if (err)
            return err;
    }
}

static ssize_t master_read(struct file *f, struct uio *to, s64 *pos)
{
    struct tty *t = tty_file_tty(f);
    ssize_t ret;

    (void)pos;
    if (!to->left)
        return 0;
    ret = tty_turn_take(t, &t->far_read_busy, f->flags & LX_O_NONBLOCK);
    if (ret)
        return ret;
    ret = read_turn(t, f, to);
    tty_turn_give(t, &t->far_read_busy);
    return ret;
}

/* --- writing --- */

/* room(), put() - see struct tty_write. */
static bool room(struct tty *t, struct file *f)
{
    (void)f;
    return ring_room(&t->ld.in);
}

static u32 put(struct tty *t, struct file *f, const u8 *buf, u32 n, int *err)
{
    u32 done = 0, some;

    (void)f;
    (void)err;
    do {
        some = ldisc_put(&t->ld, buf + done, n - done);
        done += some;
        ldisc_pump(&t->ld);
    } while (some && done < n);
    return done;
}

static ssize_t master_write(struct file *f, struct uio *from, s64 *pos)
{
    struct tty *t = tty_file_tty(f);
    struct tty_write how = {&t->far_write_busy, &t->far_wait, put, room};

    (void)pos;
    return tty_write_pieces(f, from, &how);
}

/* --- the rest --- */

static u32 master_poll(struct file *f)
{
    struct tty *t = tty_file_tty(f);
    u32 events = 0;

    mutex_lock(&t->lock);
    if (readable_locked(t))
        events |= LX_POLLIN | LX_POLLRDNORM;
    if (t->ld.packet && t->ld.status)
        events |= LX_POLLPRI;
    if (t->closed)
        events |= LX_POLLHUP;
    if (!t->far_write_busy && ring_room(&t->ld.in))
        events |= LX_POLLOUT | LX_POLLWRNORM;
    mutex_unlock(&t->lock);
    return events;
}

static struct waitq *master_queue(struct file *f)
{
    return &tty_file_tty(f)->far_wait;
}

static void master_release(struct file *f)
{
    struct tty *t = tty_file_tty(f);

    tty_far_closed(t, true);
    tty_put(t);
}

const struct file_ops tty_master_ops = {
    .async = FILE_ASYNC_TERMINAL,
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .queue = master_queue,
    .ioctl = tty_ioctl,
    .release = master_release,
};
