/* TCGETS, TCSETS and their relatives with struct termios2 and termio (ioctl_tty(2), termios(3)). */
#include "fs/tty/tty_priv.h"

#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

/* Bits per second by the number in c_cflag; from 17 on with LX_CBAUDEX. */
static const u32 speeds[] = {
    0,      50,     75,     110,    134,     150,     200,     300,     600,     1200,    1800,
    2400,   4800,   9600,   19200,  38400,   57600,   115200,  230400,  460800,  500000,  576000,
    921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static u32 speed_of(u32 cbaud, u32 other)
{
    u32 i = cbaud & LX_CBAUD;

    if (i == LX_BOTHER)
        return other;
    if (i & LX_CBAUDEX)
        i = (i & ~(u32)LX_CBAUDEX) + 15;
    return i < ARRAY_SIZE(speeds) ? speeds[i] : 0;
}

/* set_speeds() - what c_cflag says in numbers. */
static void set_speeds(struct lx_termios2 *t)
{
    u32 in = t->cflag >> LX_CIBAUD_SHIFT & LX_CBAUD;

    t->ospeed = speed_of(t->cflag, t->ospeed);
    t->ispeed = in ? speed_of(in, t->ispeed) : t->ospeed;
}

enum layout { TERMIOS, TERMIOS2, TERMIO };

/* A command: what it is about, and for those that set, when. */
struct command {
    u32 cmd;
    enum layout layout;
    bool set, flush;
};

static const struct command commands[] = {
    {LX_TCGETS, TERMIOS, false, false},   {LX_TCSETS, TERMIOS, true, false},
    {LX_TCSETSW, TERMIOS, true, false},   {LX_TCSETSF, TERMIOS, true, true},
    {LX_TCGETS2, TERMIOS2, false, false}, {LX_TCSETS2, TERMIOS2, true, false},
    {LX_TCSETSW2, TERMIOS2, true, false}, {LX_TCSETSF2, TERMIOS2, true, true},
    {LX_TCGETA, TERMIO, false, false},    {LX_TCSETA, TERMIO, true, false},
    {LX_TCSETAW, TERMIO, true, false},    {LX_TCSETAF, TERMIO, true, true},
};

static struct lx_termios2 current_termios(struct tty *t)
{
    struct lx_termios2 now;

    mutex_lock(&t->lock);
    now = t->ld.t;
    mutex_unlock(&t->lock);
    return now;
}

static s64 get(struct tty *t, struct mm *mm, enum layout layout, u64 arg)
{
    struct lx_termios2 now = current_termios(t);
    struct lx_termio old = {.iflag = (u16)now.iflag,
                            .oflag = (u16)now.oflag,
                            .cflag = (u16)now.cflag,
                            .lflag = (u16)now.lflag,
                            .line = now.line};

    if (layout == TERMIOS2)
        return usermem_put(mm, arg, &now);
    if (layout == TERMIOS)
        return usermem_out(mm, arg, &now, sizeof(struct lx_termios));
    memcpy(old.cc, now.cc, sizeof(old.cc));
    return usermem_put(mm, arg, &old);
}

/* half() - struct termio has only the lower half of a flag word. */
static u32 half(u32 now, u16 set)
{
    return (now & 0xffff0000u) | set;
}

static int fetch(struct tty *t, struct mm *mm, enum layout layout, u64 arg, struct lx_termios2 *to)
{
    struct lx_termio old;

    *to = current_termios(t);
    if (layout == TERMIOS2)
        return usermem_in(mm, to, arg, sizeof(*to));
    if (layout == TERMIOS)
        return usermem_in(mm, to, arg, sizeof(struct lx_termios));
    if (usermem_get(mm, &old, arg) < 0)
        return -EFAULT;
    to->iflag = half(to->iflag, old.iflag);
    to->oflag = half(to->oflag, old.oflag);
    to->cflag = half(to->cflag, old.cflag);
    to->lflag = half(to->lflag, old.lflag);
    to->line = old.line;
    memcpy(to->cc, old.cc, sizeof(old.cc));
    return 0;
}

/* set() - output is never on its way, so that TCSETSW has nothing to wait for. */
static s64 set(struct tty *t, struct mm *mm, const struct command *c, u64 arg)
{
    struct lx_termios2 fresh = {0};
    int err = ctty_check(&t->ctl, current, LX_SIGTTOU);

    if (!err)
        err = fetch(t, mm, c->layout, arg, &fresh);
    if (err)
        return err;
    set_speeds(&fresh);
    mutex_lock(&t->lock);
    if (c->flush)
        ldisc_flush_input(&t->ld);
    ldisc_set_termios(&t->ld, &fresh);
    ldisc_pump(&t->ld);
    tty_settle(t);
    return 0;
}

/* soft_carrier() - TIOCGSOFTCAR, TIOCSSOFTCAR: the flag CLOCAL. */
static s64 soft_carrier(struct tty *t, struct mm *mm, bool change, u64 arg)
{
    struct lx_termios2 now = current_termios(t);
    s32 on = !!(now.cflag & LX_CLOCAL);

    if (!change)
        return usermem_put(mm, arg, &on);
    if (usermem_get(mm, &on, arg) < 0)
        return -EFAULT;
    mutex_lock(&t->lock);
    now = t->ld.t;
    now.cflag = on ? now.cflag | LX_CLOCAL : now.cflag & ~(u32)LX_CLOCAL;
    ldisc_set_termios(&t->ld, &now);
    tty_settle(t);
    return 0;
}

s64 tty_termios_ioctl(struct tty *t, struct mm *mm, u32 cmd, u64 arg)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        if (c->cmd == cmd)
            return c->set ? set(t, mm, c, arg) : get(t, mm, c->layout, arg);
    }
    if (cmd == LX_TIOCGSOFTCAR || cmd == LX_TIOCSSOFTCAR)
        return soft_carrier(t, mm, cmd == LX_TIOCSSOFTCAR, arg);
    return -ENOTTY;
}
