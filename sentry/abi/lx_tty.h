/* Guest ABI: terminals (termios(3), ioctl_tty(2), asm-generic/termbits.h). */
#pragma once

#include "sentry/abi/lx_ioctl.h"

#define LX_TIOCSIG LX_IOC(LX_IOC_WRITE, 'T', 0x36, 4)

enum {
    LX_TIOCGSOFTCAR = 0x5419,
    LX_TIOCSSOFTCAR = 0x541a,
};

/* c_iflag */
enum {
    LX_IGNBRK = 0001,
    LX_BRKINT = 0002,
    LX_PARMRK = 0010,
    LX_ISTRIP = 0040,
    LX_INLCR = 0100,
    LX_IGNCR = 0200,
    LX_ICRNL = 0400,
    LX_IUCLC = 01000,
    LX_IXON = 02000,
    LX_IXANY = 04000,
    LX_IXOFF = 010000,
    LX_IMAXBEL = 020000,
    LX_IUTF8 = 040000,
};

/* c_oflag */
enum {
    LX_OPOST = 0001,
    LX_OLCUC = 0002,
    LX_ONLCR = 0004,
    LX_OCRNL = 0010,
    LX_ONOCR = 0020,
    LX_ONLRET = 0040,
    LX_TABDLY = 014000,
    LX_XTABS = 014000,
};

/* c_cflag */
enum {
    LX_CBAUD = 010017,
    LX_CBAUDEX = 010000,
    LX_BOTHER = 010000,
    LX_B38400 = 017,
    LX_CSIZE = 060,
    LX_CS8 = 060,
    LX_CREAD = 0200,
    LX_PARENB = 0400,
    LX_CLOCAL = 04000,
    LX_CIBAUD_SHIFT = 16,
};

/* c_lflag */
enum {
    LX_ISIG = 0001,
    LX_ICANON = 0002,
    LX_ECHO = 0010,
    LX_ECHOE = 0020,
    LX_ECHOK = 0040,
    LX_ECHONL = 0100,
    LX_NOFLSH = 0200,
    LX_TOSTOP = 0400,
    LX_ECHOCTL = 01000,
    LX_ECHOPRT = 02000,
    LX_ECHOKE = 04000,
    LX_IEXTEN = 0100000,
    LX_EXTPROC = 0200000,
};

/* c_cc */
enum {
    LX_VINTR,
    LX_VQUIT,
    LX_VERASE,
    LX_VKILL,
    LX_VEOF,
    LX_VTIME,
    LX_VMIN,
    LX_VSWTC,
    LX_VSTART,
    LX_VSTOP,
    LX_VSUSP,
    LX_VEOL,
    LX_VREPRINT,
    LX_VDISCARD,
    LX_VWERASE,
    LX_VLNEXT,
    LX_VEOL2,
};

struct lx_termios2 {
    u32 iflag, oflag, cflag, lflag;
    u8 line;
    u8 cc[LX_NCCS];
    u32 ispeed, ospeed;
};
_Static_assert(sizeof(struct lx_termios2) == 44, "struct termios2");

struct lx_termio {
    u16 iflag, oflag, cflag, lflag;
    u8 line;
    u8 cc[8];
};
_Static_assert(sizeof(struct lx_termio) == 18, "struct termio");

/* Status bytes of packet mode (TIOCPKT). */
enum {
    LX_TIOCPKT_DATA = 0,
    LX_TIOCPKT_FLUSHREAD = 1,
    LX_TIOCPKT_FLUSHWRITE = 2,
    LX_TIOCPKT_STOP = 4,
    LX_TIOCPKT_START = 8,
    LX_TIOCPKT_NOSTOP = 16,
    LX_TIOCPKT_DOSTOP = 32,
    LX_TIOCPKT_IOCTL = 64,
};

enum { LX_TCIFLUSH, LX_TCOFLUSH, LX_TCIOFLUSH };
enum { LX_TCOOFF, LX_TCOON, LX_TCIOFF, LX_TCION };

