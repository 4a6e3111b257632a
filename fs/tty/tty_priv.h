/* Inside fs/tty. */
#pragma once

#include "fs/tty/tty.h"

/* A description of a terminal; f->private of one that isn't a master. */
struct tty_file {
    struct tty *tty; /* a reference */
    u32 generation;
};

/* tty_settle() - unlock, and do what the line discipline has asked for. */
void tty_settle(struct tty *t);
/* tty_turn_take() - one caller at a time, as `busy` (a *_busy of t) says. Return: 0, -EAGAIN,
 * -ERESTARTSYS. */
int tty_turn_take(struct tty *t, bool *busy, bool nonblock);
void tty_turn_give(struct tty *t, bool *busy);
/* A side of a terminal that is written to. put(): some of buf, under the terminal's lock; *err if it
 * can't be any more. room(): is there any, or something that ends the waiting? */
struct tty_write {
    bool *busy;
    struct waitq *queue;
    u32 (*put)(struct tty *t, struct file *f, const u8 *buf, u32 n, int *err);
    bool (*room)(struct tty *t, struct file *f);
};

/* tty_write_pieces() - write(2) on that side. Return: bytes, errno. */
ssize_t tty_write_pieces(struct file *f, struct uio *from, const struct tty_write *w);
/* tty_is_hung_up() - is f's generation over? */
bool tty_is_hung_up(struct file *f);
bool tty_is_master(const struct file *f);
/* tty_file_tty() - of either kind of description, borrowed. */
struct tty *tty_file_tty(struct file *f);

/* tty_ioctl() - of both kinds of description. */
s64 tty_ioctl(struct file *f, struct mm *mm, u32 cmd, u64 arg);
/* tty_termios_ioctl() - TCGETS and its relatives. Return: -ENOTTY: cmd is none of them. */
s64 tty_termios_ioctl(struct tty *t, struct mm *mm, u32 cmd, u64 arg);

extern const struct file_ops tty_file_ops, tty_master_ops;

/* tty_wire_output() - there is something for the wire; tty_wire_room(): room for its bytes;
 * tty_wire_close(): nobody has the terminal open any more. No lock held. */
void tty_wire_output(struct tty *t);
void tty_wire_room(struct tty *t);
void tty_wire_close(struct tty *t);
void tty_wire_set_size(struct tty *t, const struct lx_winsize *size);
