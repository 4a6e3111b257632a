/* Writing into a terminal, from either side: one writer at a time, in pieces, as room comes. */
#include "fs/tty/tty_priv.h"

#include "fs/vfs/file.h"
#include "sentry/kernel/task.h"

#include <errno.h>

enum { PIECE = 2048 }; /* as Linux */

static bool has_room(struct file *f, const struct tty_write *w)
{
    struct tty *t = tty_file_tty(f);
    bool yes;

    mutex_lock(&t->lock);
    yes = w->room(t, f);
    mutex_unlock(&t->lock);
    return yes;
}

/* put_all() - all of buf. Return: bytes; fewer than n only with an error in *err. */
static u32 put_all(struct file *f, const struct tty_write *w, const u8 *buf, u32 n, int *err)
{
    struct tty *t = tty_file_tty(f);
    u32 done = 0;

    for (;;) {
        mutex_lock(&t->lock);
        done += w->put(t, f, buf + done, n - done, err);
        tty_settle(t);
        if (*err || done == n)
            return done;
        if (f->flags & LX_O_NONBLOCK)
            *err = -EAGAIN;
        else
            *err = wait_event(w->queue, LX_POLLOUT | LX_POLLHUP, DEADLINE_NEVER, has_room(f, w));
        if (*err)
            return done;
    }
}

static ssize_t write_turn(struct file *f, struct uio *from, const struct tty_write *w)
{
    u8 buf[PIECE] NO_AUTO_INIT;
    ssize_t done = 0;
    int err = 0;

    while (from->left && !err) {
        ssize_t n = uio_from(from, buf, min_of(from->left, (u64)sizeof(buf)));

        if (n < 0)
            return done ? done : n;
        done += put_all(f, w, buf, (u32)n, &err);
    }
    return done ? done : err;
}

ssize_t tty_write_pieces(struct file *f, struct uio *from, const struct tty_write *w)
{
    struct tty *t = tty_file_tty(f);
    ssize_t ret = tty_turn_take(t, w->busy, f->flags & LX_O_NONBLOCK);

    if (ret)
        return ret;
    ret = write_turn(f, from, w);
    tty_turn_give(t, w->busy);
    return ret;
}
