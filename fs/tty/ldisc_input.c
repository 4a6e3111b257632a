/*
 * The line discipline's way in: special characters, line editing, what programs read.
 *
 * rbuf is a ring; head, tail and canon run on for ever. In canonical mode bytes between canon and
 * head are the line that is being typed, and can be edited; a line's last byte has its mark. An end
 * of file is a marked byte of value 0, as no line ends with such a byte otherwise.
 */
#include "fs/tty/ldisc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MASK(i) ((i) & (LDISC_RBUF - 1))

enum { END_OF_FILE = 0 };

const struct lx_termios2 ldisc_default_termios = {
    .iflag = LX_ICRNL | LX_IXON,
    .oflag = LX_OPOST | LX_ONLCR,
    .cflag = LX_B38400 | LX_CS8 | LX_CREAD,
    .lflag = LX_ISIG | LX_ICANON | LX_ECHO | LX_ECHOE | LX_ECHOK | LX_ECHOCTL | LX_ECHOKE |
             LX_IEXTEN,
    .cc = {3, 034, 0177, 025, 4, 0, 1, 0, 021, 023, 032, 0, 022, 017, 027, 026, 0},
    .ispeed = 38400,
    .ospeed = 38400,
};

int ldisc_init(struct ldisc *l)
{
    *l = (struct ldisc){.t = ldisc_default_termios};
    l->memory = malloc(LDISC_IN + LDISC_OUT);
    if (!l->memory)
        return -ENOMEM;
    l->in = (struct ring){.data = l->memory, .size = LDISC_IN};
    l->out = (struct ring){.data = l->memory + LDISC_IN, .size = LDISC_OUT};
    return 0;
}

void ldisc_free(struct ldisc *l)
{
    free(l->memory);
    l->memory = NULL;
}

void ldisc_reset(struct ldisc *l)
{
    l->t = ldisc_default_termios;
    l->tco_stopped = l->stopped = l->lnext = false;
    l->in.tail = l->in.head;
    ldisc_flush_input(l);
    l->effects |= LDISC_FAR_READABLE | LDISC_FAR_WRITABLE; /* what was held; the room */
}

bool ldisc_canonical(const struct ldisc *l)
{
    return lflag(l, LX_ICANON) && !lflag(l, LX_EXTPROC);
}

static u8 *at(struct ldisc *l, u32 i)
{
    return &l->rbuf[MASK(i)];
}

static bool marked(const struct ldisc *l, u32 i)
{
    return l->marks[MASK(i) / 64] >> (MASK(i) % 64) & 1;
}

static void mark(struct ldisc *l, u32 i, bool on)
{
    u64 bit = 1ull << (MASK(i) % 64);

    l->marks[MASK(i) / 64] = on ? l->marks[MASK(i) / 64] | bit : l->marks[MASK(i) / 64] & ~bit;
}

/* put() - the caller, ldisc_pump() in the end, knows that there is room. */
static void put(struct ldisc *l, u8 c)
{
    if (l->head - l->tail == LDISC_RBUF)
        return;
    mark(l, l->head, false);
    *at(l, l->head++) = c;
}

/* --- line editing --- */

static void finish_erasing(struct ldisc *l)
{
    if (l->erasing)
        echo_raw(l, '/');
    l->erasing = false;
}

/* echo_typed() - c of a line that is typed. */
static void echo_typed(struct ldisc *l, u8 c)
{
    if (!lflag(l, LX_ECHO))
        return;
    finish_erasing(l);
    if (c == '\n') {
        echo_raw(l, c);
        return;
    }
    if (l->canon == l->head)
        l->canon_column = l->column;
    echo_char(l, c);
}

/* erase_tab() - the tab at `head` goes: how wide was it? */
static void erase_tab(struct ldisc *l, u32 from)
{
    bool after_tab = false;
    u32 columns = 0;

    for (u32 i = from; i != l->canon;) {
        u8 c = *at(l, --i);

        if (c == '\t') {
            after_tab = true;
            break;
        }
        if (char_control(c))
            columns += lflag(l, LX_ECHOCTL) ? 2 : 0;
        else if (!ldisc_continues(l, c))
            columns++;
    }
    echo_erase_tab(l, columns, after_tab);
}

static void echo_back(struct ldisc *l)
{
    echo_raw(l, '\b');
    echo_raw(l, ' ');
    echo_raw(l, '\b');
}

/* echo_erased() - show that the character of `n` bytes at l->head is gone. */
static void echo_erased(struct ldisc *l, u8 c, u32 n, bool by_erase)
{
    if (lflag(l, LX_ECHOPRT)) {
        if (!l->erasing)
            echo_raw(l, '\\');
        l->erasing = true;
        echo_char(l, c);
        for (u32 i = 1; i < n; i++)
            echo_raw(l, *at(l, l->head + i));
    } else if (by_erase && !lflag(l, LX_ECHOE)) {
        echo_char(l, l->t.cc[LX_VERASE]);
    } else if (c == '\t') {
        erase_tab(l, l->head);
    } else {
        if (char_control(c) && lflag(l, LX_ECHOCTL))
            echo_back(l);
        if (!char_control(c) || lflag(l, LX_ECHOCTL))
            echo_back(l);
    }
}

/* kill_line() - VKILL, where the line isn't erased from the screen. Return: true: done. */
static bool kill_line(struct ldisc *l)
{
    const u32 show = LX_ECHOK | LX_ECHOKE | LX_ECHOE;

    if (lflag(l, LX_ECHO) && (l->t.lflag & show) == show)
        return false;
    l->head = l->canon;
    if (!lflag(l, LX_ECHO))
        return true;
    finish_erasing(l);
    echo_char(l, l->t.cc[LX_VKILL]);
    if (lflag(l, LX_ECHOK))
        echo_raw(l, '\n');
    return true;
}

/* previous() - where the character before `head` begins; head itself if there is only a part. */
static u32 previous(struct ldisc *l)
{
    u32 i = l->head;

    do {
        i--;
    } while (ldisc_continues(l, *at(l, i)) && i != l->canon);
    return ldisc_continues(l, *at(l, i)) ? l->head : i;
}

/* erase() - VERASE, VWERASE or VKILL was typed. */
static void erase(struct ldisc *l, u8 which)
{
    bool seen = false; /* a letter of the word that goes */

    if (l->head == l->canon || (which == LX_VKILL && kill_line(l)))
        return;
    while (l->head != l->canon) {
        u32 i = previous(l), n = l->head - i;
        u8 c = *at(l, i);

        if (!n)
            break;
        if (which == LX_VWERASE) {
            if (char_alnum(c) || c == '_')
                seen = true;
            else if (seen)
                break;
        }
        l->head = i;
        if (lflag(l, LX_ECHO))
            echo_erased(l, c, n, which == LX_VERASE);
        if (which == LX_VERASE)
            break;
    }
    if (l->head == l->canon && lflag(l, LX_ECHO))
        finish_erasing(l);
}

static void reprint(struct ldisc *l)
{
    finish_erasing(l);
    echo_char(l, l->t.cc[LX_VREPRINT]);
    echo_raw(l, '\n');
    for (u32 i = l->canon; i != l->head; i++)
        echo_char(l, *at(l, i));
}

/* --- one character --- */

/* is_cc() - is c what is set for this? A 0 sets nothing. */
static bool is_cc(const struct ldisc *l, u32 which, u8 c)
{
    return c && l->t.cc[which] == c;
}

static void receive_signal(struct ldisc *l, u8 c, u32 effect)
{
    l->effects |= effect;
    if (!lflag(l, LX_NOFLSH)) {
        echo_forget(l);
        ldisc_flush_output(l);
        ldisc_flush_input(l);
    }
    if (iflag(l, LX_IXON))
        ldisc_start(l);
    if (lflag(l, LX_ECHO))
        echo_char(l, c);
}

static u32 signal_of(const struct ldisc *l, u8 c)
{
    if (!lflag(l, LX_ISIG))
        return 0;
    if (is_cc(l, LX_VINTR, c))
        return LDISC_SIGINT;
    if (is_cc(l, LX_VQUIT, c))
        return LDISC_SIGQUIT;
    return is_cc(l, LX_VSUSP, c) ? LDISC_SIGTSTP : 0;
}

/* end_line() - c ends the line; END_OF_FILE isn't part of it. */
static void end_line(struct ldisc *l, u8 c)
{
    if (l->head - l->tail == LDISC_RBUF)
        l->head--;
    put(l, c);
    mark(l, l->head - 1, true);
    l->canon = l->head;
    l->effects |= LDISC_READABLE;
}

/* receive_editing() - what ICANON gives a meaning to. Return: true: c had one. */
static bool receive_editing(struct ldisc *l, u8 c)
{
    bool extended = lflag(l, LX_IEXTEN);

    if (is_cc(l, LX_VERASE, c))
        erase(l, LX_VERASE);
    else if (is_cc(l, LX_VKILL, c))
        erase(l, LX_VKILL);
    else if (extended && is_cc(l, LX_VWERASE, c))
        erase(l, LX_VWERASE);
    else if (extended && is_cc(l, LX_VLNEXT, c)) {
        l->lnext = true;
        if (lflag(l, LX_ECHO))
            finish_erasing(l);
        if (lflag(l, LX_ECHO) && lflag(l, LX_ECHOCTL)) {
            echo_raw(l, '^');
            echo_raw(l, '\b');
        }
    } else if (extended && lflag(l, LX_ECHO) && is_cc(l, LX_VREPRINT, c))
        reprint(l);
    else
        return false;
    return true;
}

/* receive_line_end() - Return: true: c ended the line. */
static bool receive_line_end(struct ldisc *l, u8 c)
{
    if (c == '\n') {
        if (lflag(l, LX_ECHO) || lflag(l, LX_ECHONL))
            echo_raw(l, '\n');
        end_line(l, c);
        return true;
    }
    if (is_cc(l, LX_VEOF, c)) {
        end_line(l, END_OF_FILE);
        return true;
    }
    if (!is_cc(l, LX_VEOL, c) && !(lflag(l, LX_IEXTEN) && is_cc(l, LX_VEOL2, c)))
        return false;
    if (lflag(l, LX_ECHO)) {
        if (l->canon == l->head)
            l->canon_column = l->column;
        echo_char(l, c);
    }
    if (c == 0377 && iflag(l, LX_PARMRK))
        put(l, c);
    end_line(l, c);
    return true;
}

/* receive_plain() - a character without a meaning of its own, or one that lost it. */
static void receive_plain(struct ldisc *l, u8 c)
{
    echo_typed(l, c);
    if (c == 0377 && iflag(l, LX_PARMRK))
        put(l, c);
    put(l, c);
    if (!ldisc_canonical(l))
        l->effects |= LDISC_READABLE;
}

static void start_by_any(struct ldisc *l)
{
    if (l->stopped && iflag(l, LX_IXON) && iflag(l, LX_IXANY))
        ldisc_start(l);
}

static u8 fold(const struct ldisc *l, u8 c)
{
    if (iflag(l, LX_ISTRIP))
        c &= 0x7f;
    if (iflag(l, LX_IUCLC) && lflag(l, LX_IEXTEN) && char_upper(c))
        c += 0x20;
    return c;
}

/* receive_flow() - Return: true: c was ^S or ^Q. */
static bool receive_flow(struct ldisc *l, u8 c)
{
    if (!iflag(l, LX_IXON))
        return false;
    if (is_cc(l, LX_VSTART, c))
        ldisc_start(l);
    else if (is_cc(l, LX_VSTOP, c))
        ldisc_stop(l);
    else
        return false;
    return true;
}

/* receive() - one byte from the far side. */
static void receive(struct ldisc *l, u8 c)
{
    u32 effect;

    c = fold(l, c);
    if (l->lnext || lflag(l, LX_EXTPROC)) {
        l->lnext = false;
        if (!lflag(l, LX_EXTPROC))
            start_by_any(l);
        receive_plain(l, c);
        return;
    }
    if (receive_flow(l, c))
        return;
    effect = signal_of(l, c);
    if (effect) {
        receive_signal(l, c, effect);
        return;
    }
    start_by_any(l);
    if (c == '\r') {
        if (iflag(l, LX_IGNCR))
            return;
        if (iflag(l, LX_ICRNL))
            c = '\n';
    } else if (c == '\n' && iflag(l, LX_INLCR)) {
        c = '\r';
    }
    if (lflag(l, LX_ICANON) && (receive_editing(l, c) || receive_line_end(l, c)))
        return;
    receive_plain(l, c);
}

/* --- bytes in --- */

/* make_room() - for one more byte. A line that fills the buffer alone loses its last byte for the
 * next, so that its end can come. Return: false: there is no room. */
static bool make_room(struct ldisc *l)
{
    s32 room = (s32)(LDISC_RBUF - (l->head - l->tail));

    if (iflag(l, LX_PARMRK))
        room = (room + 2) / 3;
    room--;
    if (room > 0)
        return true;
    if (!lflag(l, LX_ICANON) || l->canon != l->tail)
        return false;
    if (room < 0)
        l->head--;
    return true;
}

u32 ldisc_put(struct ldisc *l, const u8 *from, u32 n)
{
    return ring_write(&l->in, from, n);
}

void ldisc_pump(struct ldisc *l)
{
    bool any = false;

    while (ring_used(&l->in) && make_room(l)) {
        receive(l, ring_get(&l->in));
        any = true;
    }
    if (any)
        l->effects |= LDISC_FAR_WRITABLE;
}

void ldisc_type(struct ldisc *l, u8 c)
{
    if (make_room(l))
        receive(l, c);
}

/* --- bytes out to programs --- */

bool ldisc_available(const struct ldisc *l, bool poll)
{
    u32 want = 1;

    if (ldisc_canonical(l))
        return l->canon != l->tail;
    if (poll && !l->t.cc[LX_VTIME] && l->t.cc[LX_VMIN])
        want = l->t.cc[LX_VMIN];
    return l->head - l->tail >= want;
}

/* read_line() - up to the end of a line. If all that was asked for is read and an end of file
 * follows, it is taken too: it stands for "that is all", not for another read of nothing. */
static u32 read_line(struct ldisc *l, u8 *to, u32 n)
{
    u32 done = 0;

    while (done < n && l->tail != l->canon) {
        u32 i = l->tail++;
        u8 c = *at(l, i);

        if (marked(l, i) && c == END_OF_FILE)
            return done;
        to[done++] = c;
        if (marked(l, i))
            return done;
    }
    if (l->tail != l->canon && marked(l, l->tail) && *at(l, l->tail) == END_OF_FILE)
        l->tail++;
    return done;
}

u32 ldisc_read(struct ldisc *l, u8 *to, u32 n)
{
    u32 done = 0;

    if (ldisc_canonical(l)) {
        done = read_line(l, to, n);
    } else {
        while (done < n && l->tail != l->head)
            to[done++] = *at(l, l->tail++);
        l->canon = l->tail;
    }
    ldisc_pump(l);
    return done;
}

u32 ldisc_readable_bytes(const struct ldisc *l)
{
    u32 n;

    if (!ldisc_canonical(l))
        return l->head - l->tail;
    n = l->canon - l->tail;
    for (u32 i = l->tail; i != l->canon; i++)
        n -= marked(l, i) && l->rbuf[MASK(i)] == END_OF_FILE;
    return n;
}
