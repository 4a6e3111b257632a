/* The line discipline by itself: bounds, flow control, what it asks of others. */
#include "fs/tty/ldisc.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ldisc l;

static void start(void)
{
    cr_assert_eq(ldisc_init(&l), 0);
}

static void end(void)
{
    ldisc_free(&l);
}

TestSuite(ldisc, .init = start, .fini = end);

static void type(const char *text)
{
    cr_expect_eq(ldisc_put(&l, (const u8 *)text, (u32)strlen(text)), strlen(text));
    ldisc_pump(&l);
}

static void expect_shown(const char *text)
{
    u8 buf[256];
    u32 n = ldisc_get(&l, buf, sizeof(buf));

    cr_expect(n == strlen(text) && !memcmp(buf, text, n), "shown: %.*s", (int)n, (const char *)buf);
}

static void expect_read(const char *text)
{
    u8 buf[256];
    u32 n = ldisc_available(&l, false) ? ldisc_read(&l, buf, sizeof(buf)) : 0;

    cr_expect(n == strlen(text) && !memcmp(buf, text, n), "read: %.*s", (int)n, (const char *)buf);
}

Test(ldisc, line)
{
    type("ab\177c\r");
    expect_shown("ab\b \bc\r\n");
    cr_expect(l.effects & LDISC_READABLE);
    expect_read("ac\n");
    cr_expect_not(ldisc_available(&l, false));
}

Test(ldisc, signals)
{
    type("x\003");
    cr_expect(l.effects & LDISC_SIGINT);
    l.effects = 0;
    type("\032\034");
    cr_expect_eq(l.effects & LDISC_SIGNALS, LDISC_SIGTSTP | LDISC_SIGQUIT);
    type("\n");
    expect_read("\n");
}

Test(ldisc, held_echo)
{
    type("a\023b");
    expect_shown("a");
    cr_expect_eq(ldisc_write(&l, (const u8 *)"x", 1), 0);
    type("\021");
    expect_shown("b");
    cr_expect_eq(ldisc_write(&l, (const u8 *)"x", 1), 1);
    expect_shown("x");
}

Test(ldisc, bounds)
{
    u8 text[LDISC_OUT * 2];
    u32 n = 0, some;

    memset(text, 'a', sizeof(text));
    cr_expect_eq(ldisc_write(&l, text, sizeof(text)) + 8, LDISC_OUT_MAX + 1);
    while (n < 1000000 && (some = ldisc_put(&l, text, LDISC_IN)) > 0) {
        n += some;
        ldisc_pump(&l); /* a line without an end takes all, and keeps 4095 */
    }
    cr_expect_geq(n, 1000000);
    type("\n");
    cr_expect_eq(ldisc_readable_bytes(&l), LDISC_RBUF);
    for (n = 0; n < LDISC_IN + 1 && ldisc_put(&l, text, 1) == 1; n++)
        ldisc_pump(&l);
    cr_expect_eq(n, LDISC_IN, "what waits behind a full buffer: %u", n);
}

Test(ldisc, raw_and_back)
{
    struct lx_termios2 t = l.t;

    type("abc");
    t.lflag &= ~(u32)LX_ICANON;
    ldisc_set_termios(&l, &t);
    expect_read("abc");
    type("def");
    t.lflag |= LX_ICANON;
    ldisc_set_termios(&l, &t);
    expect_read("def");
}

Test(ldisc, packet_status)
{
    l.packet = true;
    ldisc_stop(&l);
    cr_expect_eq(l.status, LX_TIOCPKT_STOP);
    ldisc_start(&l);
    cr_expect_eq(l.status, LX_TIOCPKT_START);
    l.status = 0;
    ldisc_flush_input(&l);
    ldisc_flush_output(&l);
    cr_expect_eq(l.status, LX_TIOCPKT_FLUSHREAD | LX_TIOCPKT_FLUSHWRITE);
}
