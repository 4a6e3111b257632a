/*
 * The line discipline of a terminal, N_TTY: what stands between the far side (a pty's master, or a
 * host terminal) and the programs that have the terminal open (termios(3)). It knows no files, no
 * processes and no locks; what has to happen outside it leaves in `effects`.
 *
 *   far side --ldisc_put()--> in --ldisc_pump()--> rbuf --ldisc_read()--> program
 *   far side <--ldisc_get()-- out <---- OPOST, echo ---- ldisc_write() <-- program
 */
#pragma once

#include "fs/tty/ring.h"
#include "sentry/abi/lx_tty.h"

enum {
    LDISC_RBUF = 4096, /* as Linux: a line has at most 4095 bytes and its end */
    LDISC_IN = 8192,   /* bytes of the far side that wait for room in rbuf */
    LDISC_OUT = 16384, /* LDISC_OUT_MAX of a program's, the rest is for echo */
    LDISC_OUT_MAX = 12288,
    LDISC_OUT_KEPT = 4095, /* what a flush of output leaves: the far side has as good as read it */
};

/* What there is to do, in ldisc->effects. Signals go to the foreground process group. */
enum {
    LDISC_SIGINT = 1u << 0,
    LDISC_SIGQUIT = 1u << 1,
    LDISC_SIGTSTP = 1u << 2,
    LDISC_SIGNALS = LDISC_SIGINT | LDISC_SIGQUIT | LDISC_SIGTSTP,
    LDISC_READABLE = 1u << 3, /* for programs: input has come */
    LDISC_WRITABLE = 1u << 4, /* for programs: there may be room for output */
    LDISC_FAR_READABLE = 1u << 5,
    LDISC_FAR_WRITABLE = 1u << 6,
    LDISC_FAR_STATUS = 1u << 7, /* packet mode: a status byte is there */
};

struct ldisc {
    struct lx_termios2 t;
    u8 rbuf[LDISC_RBUF];
    u64 marks[LDISC_RBUF / 64]; /* a bit for each byte of rbuf that ends a line */
    u32 head, tail;             /* of rbuf; run on for ever */
    u32 canon;                  /* canonical: lines up to here can be read */
    u32 column, canon_column;   /* of the output; where the line that is typed began */
    bool lnext, erasing;
    bool stopped;     /* output is held, by VSTOP or TCOOFF */
    bool tco_stopped; /* … by TCOOFF: no character starts it again */
    u32 hold;         /* while stopped: up to here in `out` the far side gets it; echo is behind */
    bool packet;
    u8 status; /* LX_TIOCPKT_* not yet told */
    struct ring in, out;
    u8 *memory; /* owned: of both rings */
    u32 effects;
};

extern const struct lx_termios2 ldisc_default_termios;

/* ldisc_init() - with default settings. Return: 0, -ENOMEM. ldisc_reset(): as after a hangup. */
int ldisc_init(struct ldisc *l);
void ldisc_free(struct ldisc *l);
void ldisc_reset(struct ldisc *l);

/* ldisc_put() - bytes of the far side. Return: how many there was room for. */
u32 ldisc_put(struct ldisc *l, const u8 *from, u32 n);
/* ldisc_pump() - treat what waits in `in`, as far as there is room. */
void ldisc_pump(struct ldisc *l);
/* ldisc_type() - one byte as if typed, before what waits (TIOCSTI). */
void ldisc_type(struct ldisc *l, u8 c);
/* ldisc_get() - bytes for the far side. Return: how many. ldisc_far_readable(): how many there are. */
u32 ldisc_get(struct ldisc *l, u8 *to, u32 n);
u32 ldisc_far_readable(const struct ldisc *l);

/* ldisc_write() - bytes of a program, processed as OPOST and its like say. Return: how many. */
u32 ldisc_write(struct ldisc *l, const u8 *from, u32 n);
/* ldisc_can_write() - is there room, and is output not held? */
bool ldisc_can_write(const struct ldisc *l);

/* ldisc_canonical() - are lines read? ldisc_available(): can a program read? With `poll`, VMIN
 * bytes must be there. */
bool ldisc_canonical(const struct ldisc *l);
bool ldisc_available(const struct ldisc *l, bool poll);
/* ldisc_read() - one line or a part of it, or raw bytes; to be called if ldisc_available().
 * Return: bytes; 0 for an end of file that was typed. */
u32 ldisc_read(struct ldisc *l, u8 *to, u32 n);
/* ldisc_readable_bytes() - FIONREAD. */
u32 ldisc_readable_bytes(const struct ldisc *l);

/* ldisc_set_termios() - new settings; input that is there stays, as one line if lines are read now. */
void ldisc_set_termios(struct ldisc *l, const struct lx_termios2 *t);
/* ldisc_flush_input() - forget what programs have not read; ldisc_flush_output(): what the far side
 * has not read, but for LDISC_OUT_KEPT bytes. */
void ldisc_flush_input(struct ldisc *l);
void ldisc_flush_output(struct ldisc *l);
/* ldisc_stop(), ldisc_start() - hold output, let it go on. TCOOFF and TCOON set tco_stopped too. */
void ldisc_stop(struct ldisc *l);
void ldisc_start(struct ldisc *l);
/* ldisc_send() - a byte to the far side before all else (TCIOFF, TCION). */
void ldisc_send(struct ldisc *l, u8 c);
