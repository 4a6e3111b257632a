/* The line discipline of terminals (termios(3)): editing, echo, output processing, raw reads. */
#include "tests/guest/pty.h"

#include <signal.h>

#define GET_TERMIOS2 0x802c542a /* TCGETS2, whose struct the C library hides */

/* change() - set and clear flags of the terminal. */
static void change(tcflag_t *field_of(struct termios *), tcflag_t set, tcflag_t clear)
{
    struct termios t;

    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    *field_of(&t) = (*field_of(&t) | set) & ~clear;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
}

static tcflag_t *in(struct termios *t)
{
    return &t->c_iflag;
}

static tcflag_t *out(struct termios *t)
{
    return &t->c_oflag;
}

static tcflag_t *local(struct termios *t)
{
    return &t->c_lflag;
}

static void set_cc(int which, int c)
{
    struct termios t;

    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    t.c_cc[which] = (cc_t)c;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
}

static void type(const char *text)
{
    EXPECT_EQ(SYS(write, master, text, strlen(text)), strlen(text));
}

/* line() - one read of the terminal that must not block. */
static const char *line(void)
{
    static char buf[8192];
    struct pollfd p = {.fd = slave, .events = POLLIN};
    long n;

    if (SYS(poll, &p, 1, 2000) != 1)
        return "(nothing)";
    n = SYS(read, slave, buf, sizeof(buf) - 1);
    buf[n < 0 ? 0 : n] = 0;
    return buf;
}

TEST(defaults, "ioctl open")
{
    static const unsigned char cc[19] = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22};
    unsigned int t2[11] = {0};
    struct winsize w;
    struct {
        unsigned int flags[4];
        unsigned char line, cc[19];
    } t;

    open_pair();
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    EXPECT_EQ(t.flags[0], 0x500);
    EXPECT_EQ(t.flags[1], 5);
    EXPECT_EQ(t.flags[2], 0xbf);
    EXPECT_EQ(t.flags[3], 0x8a3b);
    EXPECT_EQ(t.line, 0);
    EXPECT_MEMEQ(t.cc, cc, sizeof(cc));
    EXPECT_OK(SYS(ioctl, slave, GET_TERMIOS2, t2));
    EXPECT_EQ(t2[9], 38400);
    EXPECT_EQ(t2[10], 38400);
    EXPECT_OK(SYS(ioctl, master, TCGETS, &t));
    EXPECT_EQ(t.flags[3], 0x8a3b);
    EXPECT_OK(SYS(ioctl, slave, TIOCGWINSZ, &w));
    EXPECT_EQ(w.ws_row, 0);
    EXPECT_EQ(w.ws_col, 0);
    EXPECT_EQ(SYS(read, slave, &t, 0), 0);
}

TEST(a_line, "read write")
{
    open_pair();
    type("hello\r");
    EXPECT_STREQ(line(), "hello\n");
    EXPECT_STREQ(drain(master), "hello\r\n");
    type("two\nlines\n");
    EXPECT_STREQ(line(), "two\n");
    EXPECT_STREQ(line(), "lines\n");
}

TEST(line_in_parts, "read:EAGAIN ioctl")
{
    char buf[8];
    int n = -1;

    open_pair();
    nonblock(slave);
    type("abc");
    EXPECT_STREQ(drain(master), "abc");
    EXPECT_OK(SYS(ioctl, slave, FIONREAD, &n));
    EXPECT_EQ(n, 0);
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EAGAIN);
    type("\nde\004");
    drain(master);
    EXPECT_OK(SYS(ioctl, slave, FIONREAD, &n));
    EXPECT_EQ(n, 6);
    EXPECT_EQ(SYS(read, slave, buf, 2), 2);
    EXPECT_EQ(SYS(read, slave, buf, 2), 2);
    EXPECT_EQ(SYS(read, slave, buf, 2), 2);
    EXPECT_ERRNO(SYS(read, slave, buf, 2), EAGAIN);
}

TEST(end_of_file, "read")
{
    char buf[16];

    open_pair();
    nonblock(slave);
    type("\004");
    EXPECT_STREQ(line(), "");
    type("abc\004\004x");
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(read, slave, buf, 9), 3);
    EXPECT_EQ(SYS(read, slave, buf, 9), 0);
    EXPECT_ERRNO(SYS(read, slave, buf, 9), EAGAIN);
    type("yz\004");
    guest_sleep_ms(20);
    /* all that was asked for: the end of file behind it is no further read */
    EXPECT_EQ(SYS(read, slave, buf, 3), 3);
    EXPECT_ERRNO(SYS(read, slave, buf, 9), EAGAIN);
}

TEST(editing, "read write")
{
    open_pair();
    type("abx\177c\n");
    EXPECT_STREQ(line(), "abc\n");
    EXPECT_STREQ(drain(master), "abx\b \bc\r\n");
    type("one two\027three\n");
    EXPECT_STREQ(line(), "one three\n");
    EXPECT_STREQ(drain(master), "one two\b \b\b \b\b \bthree\r\n");
    type("ab\025c\n");
    EXPECT_STREQ(line(), "c\n");
    EXPECT_STREQ(drain(master), "ab\b \b\b \bc\r\n");
    type("\177\n");
    EXPECT_STREQ(drain(master), "\r\n");
    EXPECT_STREQ(line(), "\n");
    type("a_b.c \027\n");
    EXPECT_STREQ(line(), "a_b.\n");
}

TEST(erase_tabs_and_controls, "read write")
{
    open_pair();
    type("a\tb\177\177\177");
    EXPECT_STREQ(drain(master), "a\tb\b \b\b\b\b\b\b\b\b\b \b");
    type("\026\003\177");
    EXPECT_STREQ(drain(master), "^\b^C\b \b\b \b");
    type("x\t\177y\n");
    EXPECT_STREQ(drain(master), "x\t\b\b\b\b\b\b\by\r\n");
    EXPECT_STREQ(line(), "xy\n");
}

TEST(erase_utf8, "read write")
{
    open_pair();
    change(in, IUTF8, 0);
    type("a\303\251\177b\n");
    EXPECT_STREQ(line(), "ab\n");
    EXPECT_STREQ(drain(master), "a\303\251\b \bb\r\n");
    change(in, 0, IUTF8);
    type("a\303\251\177b\n");
    EXPECT_STREQ(line(), "a\303b\n");
}

TEST(literal_next_and_reprint, "read write")
{
    open_pair();
    type("\026\003\n");
    EXPECT_STREQ(line(), "\003\n");
    EXPECT_STREQ(drain(master), "^\b^C\r\n");
    type("xy\022\n");
    EXPECT_STREQ(line(), "xy\n");
    EXPECT_STREQ(drain(master), "xy^R\r\nxy\r\n");
    change(local, 0, IEXTEN);
    type("\026\n");
    EXPECT_STREQ(line(), "\026\n");
}

TEST(echo_kinds, "read write")
{
    open_pair();
    change(local, 0, ECHOE);
    type("ab\177\n");
    EXPECT_STREQ(drain(master), "ab^?\r\n");
    change(local, 0, ECHOCTL);
    type("\001\n");
    EXPECT_STREQ(drain(master), "\001\r\n");
    change(local, ECHOCTL | ECHOE, ECHOKE);
    type("ab\025\n");
    EXPECT_STREQ(drain(master), "ab^U\r\n\r\n");
    change(local, 0, ECHOK);
    type("ab\025\n");
    EXPECT_STREQ(drain(master), "ab^U\r\n");
    change(local, ECHOPRT, 0);
    type("abc\177\177d\n");
    EXPECT_STREQ(drain(master), "abc\\cb/d\r\n");
    change(local, 0, ECHO | ECHOPRT);
    type("hidden\n");
    EXPECT_STREQ(drain(master), "");
    change(local, ECHONL, 0);
    type("hidden\n");
    EXPECT_STREQ(drain(master), "\r\n");
}

TEST(line_ends, "read write")
{
    open_pair();
    set_cc(VEOL, ';');
    set_cc(VEOL2, '!');
    type("a;b!c\n");
    EXPECT_STREQ(line(), "a;");
    EXPECT_STREQ(line(), "b!");
    EXPECT_STREQ(line(), "c\n");
    change(in, INLCR | IGNCR, ICRNL);
    type("x\r\ny\n");
    guest_sleep_ms(20);
    change(in, 0, INLCR);
    type("\n");
    EXPECT_STREQ(line(), "x\ry\r\n");
}

TEST(input_mapping, "read write")
{
    open_pair();
    change(in, ISTRIP | IUCLC, 0);
    type("A\302b\n");
    EXPECT_STREQ(line(), "abb\n");
    change(in, 0, ISTRIP | IUCLC | ICRNL);
    type("a\rb\n");
    EXPECT_STREQ(line(), "a\rb\n");
    change(in, PARMRK, 0);
    type("\377\n");
    EXPECT_STREQ(line(), "\377\377\n");
}

TEST(output_processing, "write")
{
    open_pair();
    EXPECT_EQ(SYS(write, slave, "a\nb\r\t", 5), 5);
    EXPECT_STREQ(drain(master), "a\r\nb\r\t");
    change(out, XTABS, 0);
    EXPECT_EQ(SYS(write, slave, "\rab\tc\n", 6), 6);
    EXPECT_STREQ(drain(master), "\rab      c\r\n");
    change(out, OCRNL, XTABS | ONLCR);
    EXPECT_EQ(SYS(write, slave, "a\rb\n", 4), 4);
    EXPECT_STREQ(drain(master), "a\nb\n");
    change(out, ONOCR | OLCUC, OCRNL);
    EXPECT_EQ(SYS(write, slave, "x\r\rb\n", 5), 5);
    EXPECT_STREQ(drain(master), "X\rB\n");
    change(out, 0, OPOST);
    EXPECT_EQ(SYS(write, slave, "a\n", 2), 2);
    EXPECT_STREQ(drain(master), "a\n");
}

TEST(long_line, "read write")
{
    static char text[5000], got[9000];

    open_pair();
    change(local, 0, ECHO);
    memset(text, 'a', sizeof(text));
    EXPECT_EQ(SYS(write, master, text, sizeof(text)), sizeof(text));
    type("b\n");
    guest_sleep_ms(50);
    EXPECT_EQ(SYS(read, slave, got, sizeof(got)), 4096);
    EXPECT_EQ(got[4094], 'a');
    EXPECT_EQ(got[4095], '\n');
}

TEST(raw_bytes, "read write")
{
    char all[256], got[300];

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    open_pair();
    set_raw();
    EXPECT_EQ(SYS(write, master, all, 256), 256);
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(read, slave, got, sizeof(got)), 256);
    EXPECT_MEMEQ(all, got, 256);
    EXPECT_EQ(SYS(write, slave, all, 256), 256);
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(read, master, got, sizeof(got)), 256);
    EXPECT_MEMEQ(all, got, 256);
}

/* later_typed() - type text a byte at a time, ms between them, from a child. */
static pid_t later_typed(const char *text, unsigned int ms)
{
    pid_t pid = guest_fork();

    if (pid == 0) {
        for (; *text; text++) {
            guest_sleep_ms(ms);
            SYS(write, master, text, 1);
        }
        guest_finish();
    }
    return pid;
}

TEST(vmin_counts, "read")
{
    char buf[16];
    pid_t pid;

    open_pair();
    set_raw();
    set_cc(VMIN, 3);
    pid = later_typed("abcd", 30);
    EXPECT_GE(SYS(read, slave, buf, 16), 3);
    EXPECT_EQ(guest_wait(pid), 0);
    drain(slave);
    pid = later_typed("ab", 30);
    /* fewer asked for than VMIN */
    EXPECT_EQ(SYS(read, slave, buf, 2), 2);
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(vtime_alone, "read")
{
    int64_t start;
    char buf[4];
    pid_t pid;

    open_pair();
    set_raw();
    set_cc(VMIN, 0);
    EXPECT_EQ(SYS(read, slave, buf, 4), 0);
    set_cc(VTIME, 2);
    start = guest_now_ns();
    EXPECT_EQ(SYS(read, slave, buf, 4), 0);
    EXPECT_GE(guest_now_ns() - start, 150 * 1000000);
    set_cc(VTIME, 100);
    pid = later_typed("x", 50);
    EXPECT_EQ(SYS(read, slave, buf, 4), 1);
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(vtime_between, "read")
{
    char buf[16];
    pid_t pid;

    open_pair();
    set_raw();
    set_cc(VMIN, 10);
    set_cc(VTIME, 3);
    pid = later_typed("ab", 20);
    /* ends because nothing follows */
    EXPECT_EQ(SYS(read, slave, buf, 16), 2);
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(poll_and_vmin, "poll read:EAGAIN")
{
    struct pollfd p;
    char buf[8];

    open_pair();
    set_raw();
    nonblock(slave);
    set_cc(VMIN, 5);
    p = (struct pollfd){.fd = slave, .events = POLLIN | POLLOUT};
    type("abc");
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(poll, &p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLOUT);
    EXPECT_EQ(SYS(read, slave, buf, 8), 3);
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EAGAIN);
    type("abcde");
    p.events = POLLIN;
    EXPECT_EQ(SYS(poll, &p, 1, 2000), 1);
}

TEST(mode_changes_keep_input, "ioctl read")
{
    open_pair();
    type("abc");
    guest_sleep_ms(20);
    set_raw();
    EXPECT_STREQ(line(), "abc");
    type("def");
    guest_sleep_ms(20);
    change(local, ICANON, 0);
    EXPECT_STREQ(line(), "def");
}

TEST(flush_and_set, "ioctl ioctl:EINVAL")
{
    struct termios t;
    int n = -1;

    open_pair();
    type("gone\n");
    guest_sleep_ms(20);
    EXPECT_OK(SYS(ioctl, slave, TCFLSH, TCIFLUSH));
    EXPECT_OK(SYS(ioctl, slave, FIONREAD, &n));
    EXPECT_EQ(n, 0);
    type("gone\n");
    guest_sleep_ms(20);
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    EXPECT_OK(SYS(ioctl, slave, TCSETSF, &t));
    type("kept\n");
    EXPECT_STREQ(line(), "kept\n");
    EXPECT_ERRNO(SYS(ioctl, slave, TCFLSH, 7), EINVAL);
    EXPECT_ERRNO(SYS(ioctl, slave, TCXONC, 7), EINVAL);
    EXPECT_OK(SYS(ioctl, master, TCFLSH, TCIOFLUSH));
    EXPECT_STREQ(drain(master), "");
}

TEST(held_output, "write:EAGAIN ioctl")
{
    open_pair();
    nonblock(slave);
    type("\023");
    guest_sleep_ms(20);
    EXPECT_ERRNO(SYS(write, slave, "x", 1), EAGAIN);
    type("ab");
    EXPECT_STREQ(drain(master), "");
    type("\021");
    EXPECT_STREQ(drain(master), "ab");
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
    EXPECT_STREQ(drain(master), "x");
    EXPECT_OK(SYS(ioctl, slave, TCXONC, TCOOFF));
    EXPECT_ERRNO(SYS(write, slave, "x", 1), EAGAIN);
    type("\021");
    guest_sleep_ms(20);
    EXPECT_ERRNO(SYS(write, slave, "x", 1), EAGAIN);
    EXPECT_OK(SYS(ioctl, slave, TCXONC, TCOON));
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
    change(in, IXANY, 0);
    type("\023");
    guest_sleep_ms(20);
    EXPECT_ERRNO(SYS(write, slave, "x", 1), EAGAIN);
    type("q");
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
    /* without IXON they are characters like others, and what was held goes on */
    type("\023");
    guest_sleep_ms(20);
    EXPECT_ERRNO(SYS(write, slave, "x", 1), EAGAIN);
    change(in, 0, IXON);
    EXPECT_EQ(SYS(write, slave, "x", 1), 1);
}

TEST(full_and_room_again, "write:EAGAIN read write")
{
    static char text[65536];
    struct pollfd p;
    long n, total = 0;
    pid_t pid;

    open_pair();
    set_raw();
    nonblock(slave);
    memset(text, 'a', sizeof(text));
    while ((n = SYS(write, slave, text, sizeof(text))) > 0) {
        total += n;
        guest_sleep_ms(10);
    }
    EXPECT_ERRNO(SYS(write, slave, text, 1), EAGAIN);
    EXPECT_GE(total, 4096);
    EXPECT_LE(total, 65536);
    p = (struct pollfd){.fd = slave, .events = POLLOUT};
    EXPECT_EQ(SYS(poll, &p, 1, 0), 0);
    /* a writer that blocks goes on when the master reads */
    EXPECT_OK(SYS(fcntl, slave, F_SETFL, O_RDWR));
    pid = guest_fork();
    if (pid == 0) {
        EXPECT_EQ(SYS(write, slave, text, sizeof(text)), sizeof(text));
        guest_finish();
    }
    for (total += (long)sizeof(text); total > 0; total -= n) {
        n = SYS(read, master, text, sizeof(text));
        if (!EXPECT_GT(n, 0))
            break;
    }
    EXPECT_EQ(total, 0);
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(interrupted, "read:EINTR write:EINTR")
{
    static char text[65536];
    pid_t pester;
    long n;

    open_pair();
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pester = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(read, slave, text, 10), EINTR);
    EXPECT_ERRNO(SYS(read, master, text, 10), EINTR);
    n = SYS(write, slave, text, sizeof(text));
    EXPECT_GT(n, 0); /* what went before the signal counts */
    while (n > 0)
        n = SYS(write, slave, text, sizeof(text));
    EXPECT_ERRNO(SYS(write, slave, text, sizeof(text)), EINTR);
    guest_end(pester);
}

TEST(bad_pointers, "ioctl:EFAULT read:EFAULT write:EFAULT")
{
    static const unsigned long out_of[] = {TCGETS, TIOCGWINSZ, FIONREAD, TIOCGETD, TIOCOUTQ};
    static const unsigned long into[] = {TCSETS, TCSETSF, TIOCSWINSZ, TIOCSETD};
    char *bad = guest_bad_page();

    open_pair();
    for (size_t i = 0; i < sizeof(out_of) / sizeof(out_of[0]); i++)
        EXPECT_ERRNO(SYS(ioctl, slave, out_of[i], bad), EFAULT);
    for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++)
        EXPECT_ERRNO(SYS(ioctl, slave, into[i], bad), EFAULT);
    EXPECT_ERRNO(SYS(write, slave, bad, 4), EFAULT);
    EXPECT_ERRNO(SYS(write, master, bad, 4), EFAULT);
    type("ab\n");
    guest_sleep_ms(20);
    EXPECT_ERRNO(SYS(read, slave, bad, 4), EFAULT);
}

TEST(disciplines_and_breaks, "ioctl ioctl:EINVAL,ENOTTY")
{
    int n = -1;

    open_pair();
    EXPECT_OK(SYS(ioctl, slave, TIOCGETD, &n));
    EXPECT_EQ(n, 0);
    EXPECT_OK(SYS(ioctl, slave, TIOCSETD, &n));
    n = 100;
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCSETD, &n), EINVAL);
    EXPECT_OK(SYS(ioctl, slave, TCSBRK, 0));
    EXPECT_OK(SYS(ioctl, slave, TCSBRK, 1));
    EXPECT_OK(SYS(ioctl, slave, TCSBRKP, 1));
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCMGET, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, slave, 0x12345678, 0), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCGPTN, &n), ENOTTY);
    EXPECT_ERRNO(SYS(lseek, slave, 0, 0), ESPIPE);
    EXPECT_OK(SYS(ioctl, slave, TIOCOUTQ, &n));
    EXPECT_EQ(n, 0);
}

TEST(control_flags, "ioctl")
{
    unsigned int t2[11];
    struct {
        unsigned int flags[4];
        unsigned char rest[20];
    } t;

    open_pair();
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    t.flags[2] = CS5 | PARENB | CSTOPB;
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    EXPECT_EQ(t.flags[2], 0xf0);
    EXPECT_OK(SYS(ioctl, slave, GET_TERMIOS2, t2));
    EXPECT_EQ(t2[9], 0);
    EXPECT_EQ(t2[10], 0);
    t.flags[2] = B115200 | CS8;
    EXPECT_OK(SYS(ioctl, slave, TCSETSW, &t));
    EXPECT_OK(SYS(ioctl, slave, GET_TERMIOS2, t2));
    EXPECT_EQ(t2[9], 115200);
    EXPECT_EQ(t2[10], 115200);
}

TEST(old_termio, "ioctl")
{
    struct {
        unsigned short flags[4];
        unsigned char line, cc[8];
    } t;
    struct termios now;

    open_pair();
    EXPECT_OK(SYS(ioctl, slave, TCGETA, &t));
    EXPECT_EQ(t.flags[0], 0x500);
    EXPECT_EQ(t.flags[3], 0x8a3b);
    EXPECT_EQ(t.cc[2], 127);
    t.flags[3] &= (unsigned short)~ECHO;
    EXPECT_OK(SYS(ioctl, slave, TCSETA, &t));
    EXPECT_OK(SYS(ioctl, slave, TCGETS, &now));
    EXPECT_EQ(now.c_lflag, 0x8a33);
}

TEST(writers_take_turns, "write")
{
    static char got[40000], text[2][4000];
    pid_t pid[2];
    long n = 0;

    open_pair();
    set_raw();
    memset(text[0], 'a', sizeof(text[0]));
    memset(text[1], 'b', sizeof(text[1]));
    for (int i = 0; i < 2; i++) {
        pid[i] = guest_fork();
        if (pid[i] == 0) {
            for (int k = 0; k < 5; k++)
                EXPECT_EQ(SYS(write, slave, text[i], sizeof(text[i])), sizeof(text[i]));
            guest_finish();
        }
    }
    while (n < 40000) {
        long some = SYS(read, master, got + n, sizeof(got) - (size_t)n);

        if (!EXPECT_GT(some, 0))
            break;
        n += some;
    }
    for (int i = 0; i < 40000; i += 4000)
        for (int k = 1; k < 4000; k++)
            if (got[i + k] != got[i]) {
                EXPECT_EQ(got[i + k], got[i]);
                break;
            }
    EXPECT_EQ(guest_wait(pid[0]), 0);
    EXPECT_EQ(guest_wait(pid[1]), 0);
}
