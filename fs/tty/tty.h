/*
 * Terminals: a line discipline with programs on one side and, on the far side, a pty's master or a
 * terminal of the host (a "wire"). fs/devpts gives them names.
 */
#pragma once

#include "fs/tty/ldisc.h"
#include "fs/vfs/vfs.h"
#include "sentry/kernel/ctty.h"

struct tty;
struct tty_wire;

/* What gave it its name. */
struct tty_driver {
    /* gone() - the far side has closed: the name goes too. Called once, without locks. */
    void (*gone)(struct tty *t);
    /* peer() - TIOCGPTPEER on `master`. Return: a descriptor, errno. */
    s64 (*peer)(struct tty *t, struct file *master, u32 flags);
};

struct tty {
    struct ctty ctl;
    const struct tty_driver *driver;
    void *data; /* the driver's */
    u32 index;
    struct waitq wait;     /* programs' reads, writes and polls */
    struct waitq far_wait; /* the master's */
    struct waitq turn;     /* for one of the *_busy below */

    struct mutex lock; /* TTY class */
    struct ldisc ld;   /* and below: guarded by lock */
    struct lx_winsize size;
    struct tty_wire *wire; /* borrowed; NULL: a master, or none any more */
    u32 files;             /* open on it, those that were hung up too */
    u32 generation;        /* changes with each hangup: older files are hung up */
    bool far_open, closed; /* closed: it was opened, and no file is left */
    bool locked, exclusive;
    bool read_busy, write_busy, far_read_busy, far_write_busy; /* one caller at a time */
};

/* tty_new() - unnamed, with an open far side. Return: 0 and a new reference, -ENOMEM. */
int tty_new(const struct tty_driver *driver, void *data, u32 index, struct tty **out);
static inline struct tty *tty_get(struct tty *t)
{
    ctty_get(&t->ctl);
    return t;
}
static inline void *tty_put(struct tty *t)
{
    obj_put_((struct obj *)t);
    return NULL;
}

/* tty_open() - `f` becomes a description of the terminal. Return: 0, -EIO (locked, hung up),
 * -EBUSY. tty_open_master() - `f` becomes its master; a reference is taken. */
int tty_open(struct tty *t, struct file *f, bool noctty);
int tty_open_master(struct tty *t, struct file *f);
/* tty_far_closed() - the far side is gone. `hang_up`: by itself, so that everything is hung up. */
void tty_far_closed(struct tty *t, bool hang_up);
/* tty_hang_up() - vhangup(2): every file open on it is hung up; it can be opened again. */
void tty_hang_up(struct tty *t);
/* tty_resize() - a new size: SIGWINCH to the foreground if it differs. */
void tty_resize(struct tty *t, const struct lx_winsize *size);
/* tty_controls() - the terminal that f is, as what a session can have; NULL: f is none, or a master.
 * Borrowed. */
struct ctty *tty_controls(struct file *f);
/* tty_of() - the terminal whose part c is. */
static inline struct tty *tty_of(struct ctty *c)
{
    return container_of(c, struct tty, ctl);
}

/* tty_wire_new() - `fd`, a terminal of the host in raw mode with O_NONBLOCK (taken on success), is
 * the far side of t: until it hangs up, or until t was opened and nobody has it open any more.
 * tty_wire_finish() - whom it was made for has ended: hang up once all is sent.
 * tty_wire_resized() - the host's terminal has a new size. tty_wires_drain(): wait, but not for
 * long, until what ended programs wrote has been taken. */
int tty_wire_new(struct tty *t, int fd);
void tty_wire_finish(struct tty *t);
void tty_wire_resized(struct tty *t);
void tty_wires_drain(void);
