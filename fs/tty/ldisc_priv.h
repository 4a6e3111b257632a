/* Inside the line discipline. */
#pragma once

#include "fs/tty/ldisc.h"

static inline bool iflag(const struct ldisc *l, u32 f)
{
    return l->t.iflag & f;
}

static inline bool oflag(const struct ldisc *l, u32 f)
{
    return l->t.oflag & f;
}

static inline bool lflag(const struct ldisc *l, u32 f)
{
    return l->t.lflag & f;
}

/* Characters as ISO 8859-1 has them, like the kernel's own tables: no locale. */
static inline bool char_control(u8 c)
{
    return c < 0x20 || c == 0x7f;
}

static inline bool char_upper(u8 c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static inline bool char_lower(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

static inline bool char_alnum(u8 c)
{
    return char_upper(c) || char_lower(c) || (c >= '0' && c <= '9');
}

/* ldisc_continues() - is c a further byte of a UTF-8 character? */
static inline bool ldisc_continues(const struct ldisc *l, u8 c)
{
    return iflag(l, LX_IUTF8) && (c & 0xc0) == 0x80;
}

/* ldisc_output() - one byte through OPOST; `room`: how many bytes it may become.
 * Return: true: done. */
bool ldisc_output(struct ldisc *l, u8 c, u32 room);

/* echo_raw() - a byte that is shown as it is; echo_char(): control characters as ^X.
 * echo_erase_tab() - back over a tab, before which are `columns` columns since the tab before it
 * (`after_tab`) or since the beginning of the line. */
void echo_raw(struct ldisc *l, u8 c);
void echo_char(struct ldisc *l, u8 c);
void echo_erase_tab(struct ldisc *l, u32 columns, bool after_tab);
/* echo_forget() - what was not shown yet, since output is held, never is. */
void echo_forget(struct ldisc *l);
