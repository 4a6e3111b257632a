/*
 * The line discipline's way out: OPOST and its like, echo, flow control.
 *
 * Where Linux keeps echo in a buffer of operations until the driver has room, echo here goes to the
 * output ring at once, which has room for it beyond what programs may fill; when even that is full
 * echo is lost, as it is on Linux. While output is held (^S) the far side gets what was there at that
 * moment; echo lies behind it.
 */
#include "fs/tty/ldisc_priv.h"

/* put() - into the ring; nobody asks for more room than there is. */
static void put(struct ldisc *l, u8 c)
{
    if (ring_room(&l->out))
        ring_put(&l->out, c);
    l->effects |= LDISC_FAR_READABLE;
}

static bool output_newline(struct ldisc *l, u32 room)
{
    if (oflag(l, LX_ONLRET))
        l->column = 0;
    if (oflag(l, LX_ONLCR)) {
        if (room < 2)
            return false;
        l->canon_column = l->column = 0;
        put(l, '\r');
    } else {
        l->canon_column = l->column;
    }
    put(l, '\n');
    return true;
}

static void output_return(struct ldisc *l)
{
    if (oflag(l, LX_ONOCR) && l->column == 0)
        return;
    if (oflag(l, LX_OCRNL)) {
        if (oflag(l, LX_ONLRET))
            l->canon_column = l->column = 0;
        put(l, '\n');
        return;
    }
    l->canon_column = l->column = 0;
    put(l, '\r');
}

static bool output_tab(struct ldisc *l, u32 room)
{
    u32 spaces = 8 - (l->column & 7);

    if ((l->t.oflag & LX_TABDLY) != LX_XTABS) {
        l->column += spaces;
        put(l, '\t');
        return true;
    }
    if (room < spaces)
        return false;
    l->column += spaces;
    while (spaces--)
        put(l, ' ');
    return true;
}

static void output_plain(struct ldisc *l, u8 c)
{
    if (!char_control(c)) {
        if (oflag(l, LX_OLCUC) && char_lower(c) && c != 0xdf && c != 0xff)
            c -= 0x20;
        if (!ldisc_continues(l, c))
            l->column++;
    }
    put(l, c);
}

bool ldisc_output(struct ldisc *l, u8 c, u32 room)
{
    if (!room)
        return false;
    if (!oflag(l, LX_OPOST)) {
        put(l, c);
        return true;
    }
    switch (c) {
    case '\n': return output_newline(l, room);
    case '\r': output_return(l); return true;
    case '\t': return output_tab(l, room);
    case '\b':
        if (l->column > 0)
            l->column--;
        put(l, c);
        return true;
    default: output_plain(l, c); return true;
    }
}

static u32 program_room(const struct ldisc *l)
{
    u32 used = ring_used(&l->out);

    return used < LDISC_OUT_MAX ? LDISC_OUT_MAX - used : 0;
}

bool ldisc_can_write(const struct ldisc *l)
{
    return !l->stopped && program_room(l) >= 8; /* a tab fits */
}

u32 ldisc_write(struct ldisc *l, const u8 *from, u32 n)
{
    u32 done = 0;

    if (l->stopped)
        return 0;
    while (done < n && ldisc_can_write(l) && ldisc_output(l, from[done], program_room(l)))
        done++;
    return done;
}

u32 ldisc_far_readable(const struct ldisc *l)
{
    return l->stopped ? l->hold - l->out.tail : ring_used(&l->out);
}

u32 ldisc_get(struct ldisc *l, u8 *to, u32 n)
{
    bool full = !program_room(l);

    n = ring_read(&l->out, to, min_of(n, ldisc_far_readable(l)));
    if (n || full)
        l->effects |= LDISC_WRITABLE;
    return n;
}

/* --- echo --- */

void echo_raw(struct ldisc *l, u8 c)
{
    ldisc_output(l, c, ring_room(&l->out));
}

void echo_char(struct ldisc *l, u8 c)
{
    if (!lflag(l, LX_ECHOCTL) || !char_control(c) || c == '\t') {
        echo_raw(l, c);
        return;
    }
    put(l, '^');
    put(l, c ^ 0100);
    l->column += 2;
}

void echo_erase_tab(struct ldisc *l, u32 columns, bool after_tab)
{
    u32 back;

    columns &= 7;
    if (!after_tab)
        columns += l->canon_column;
    for (back = 8 - (columns & 7); back; back--) {
        put(l, '\b');
        if (l->column > 0)
            l->column--;
    }
}

void echo_forget(struct ldisc *l)
{
    if (l->stopped)
        l->out.head = l->hold;
}

/* --- flow control --- */

static void tell(struct ldisc *l, u32 clear, u32 set)
{
    if (!l->packet)
        return;
    l->status = (u8)((l->status & ~clear) | set);
    l->effects |= LDISC_FAR_STATUS;
}

void ldisc_stop(struct ldisc *l)
{
    if (l->stopped)
        return;
    l->stopped = true;
    l->hold = l->out.head;
    tell(l, LX_TIOCPKT_START, LX_TIOCPKT_STOP);
}

void ldisc_start(struct ldisc *l)
{
    if (!l->stopped || l->tco_stopped)
        return;
    l->stopped = false;
    tell(l, LX_TIOCPKT_STOP, LX_TIOCPKT_START);
    l->effects |= LDISC_WRITABLE | LDISC_FAR_READABLE;
}

void ldisc_send(struct ldisc *l, u8 c)
{
    put(l, c);
}

void ldisc_flush_output(struct ldisc *l)
{
    if (ring_used(&l->out) > LDISC_OUT_KEPT) {
        l->out.head = l->out.tail + LDISC_OUT_KEPT;
        if (l->stopped && l->hold - l->out.tail > LDISC_OUT_KEPT)
            l->hold = l->out.head;
    }
    tell(l, 0, LX_TIOCPKT_FLUSHWRITE);
    l->effects |= LDISC_WRITABLE;
}

void ldisc_flush_input(struct ldisc *l)
{
    l->head = l->tail = l->canon = 0;
    l->erasing = false;
    __builtin_memset(l->marks, 0, sizeof(l->marks));
    tell(l, 0, LX_TIOCPKT_FLUSHREAD);
}

/* flow_of() - do ^S and ^Q mean what they usually do? */
static bool flow_of(const struct lx_termios2 *t)
{
    return (t->iflag & LX_IXON) && t->cc[LX_VSTOP] == 023 && t->cc[LX_VSTART] == 021;
}

/* take_over() - the reader changes between lines and bytes: what is there stays. */
static void take_over(struct ldisc *l)
{
    __builtin_memset(l->marks, 0, sizeof(l->marks));
    l->canon = l->tail;
    if (ldisc_canonical(l) && l->head != l->tail) {
        u32 last = (l->head - 1) & (LDISC_RBUF - 1);

        l->marks[last / 64] |= 1ull << (last % 64);
        l->canon = l->head;
    }
    l->erasing = false;
    l->lnext = false;
}

void ldisc_set_termios(struct ldisc *l, const struct lx_termios2 *t)
{
    struct lx_termios2 old = l->t;

    l->t = *t;
    l->t.cflag = (t->cflag & ~(u32)(LX_CSIZE | LX_PARENB)) | LX_CS8 | LX_CREAD;
    if (flow_of(&old) != flow_of(&l->t))
        tell(l, LX_TIOCPKT_DOSTOP | LX_TIOCPKT_NOSTOP,
             flow_of(&l->t) ? LX_TIOCPKT_DOSTOP : LX_TIOCPKT_NOSTOP);
    if ((old.lflag ^ l->t.lflag) & LX_EXTPROC)
        tell(l, 0, LX_TIOCPKT_IOCTL);
    if ((old.lflag ^ l->t.lflag) & (LX_ICANON | LX_EXTPROC))
        take_over(l);
    if ((old.iflag & LX_IXON) && !(l->t.iflag & LX_IXON))
        ldisc_start(l);
    l->effects |= LDISC_READABLE | LDISC_WRITABLE;
}
