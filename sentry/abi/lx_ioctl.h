/* Guest ABI: ioctl numbers of files, pipes and terminals (ioctl_list(2), asm-generic/ioctls.h). */
#pragma once

#include "sentry/base/types.h"

#define LX_IOC_NONE        0u
#define LX_IOC_WRITE       1u
#define LX_IOC_READ        2u
#define LX_IOC(d, t, n, s) (((u32)(d) << 30) | ((u32)(s) << 16) | ((u32)(t) << 8) | (u32)(n))

enum {
    LX_TCGETS = 0x5401,
    LX_TCSETS = 0x5402,
    LX_TCSETSW = 0x5403,
    LX_TCSETSF = 0x5404,
    LX_TCGETA = 0x5405,
    LX_TCSETA = 0x5406,
    LX_TCSETAW = 0x5407,
    LX_TCSETAF = 0x5408,
    LX_TCSBRK = 0x5409,
    LX_TCXONC = 0x540a,
    LX_TCFLSH = 0x540b,
    LX_TIOCEXCL = 0x540c,
    LX_TIOCNXCL = 0x540d,
    LX_TIOCSCTTY = 0x540e,
    LX_TIOCGPGRP = 0x540f,
    LX_TIOCSPGRP = 0x5410,
    LX_TIOCOUTQ = 0x5411,
    LX_TIOCSTI = 0x5412,
    LX_TIOCGWINSZ = 0x5413,
    LX_TIOCSWINSZ = 0x5414,
    LX_TIOCMGET = 0x5415,
    LX_FIONREAD = 0x541b, /* TIOCINQ is the same number */
    LX_TIOCCONS = 0x541d,
    LX_TIOCPKT = 0x5420,
    LX_FIONBIO = 0x5421,
    LX_TIOCNOTTY = 0x5422,
    LX_TIOCSETD = 0x5423,
    LX_TIOCGETD = 0x5424,
    LX_TCSBRKP = 0x5425,
    LX_TIOCSBRK = 0x5427,
    LX_TIOCCBRK = 0x5428,
    LX_TIOCGSID = 0x5429,
    LX_FIONCLEX = 0x5450,
    LX_FIOCLEX = 0x5451,
    LX_FIOASYNC = 0x5452,
    LX_TIOCVHANGUP = 0x5437,
    LX_FIOQSIZE = 0x5460,
};

#define LX_TCGETS2         LX_IOC(LX_IOC_READ, 'T', 0x2a, 44)
#define LX_TCSETS2         LX_IOC(LX_IOC_WRITE, 'T', 0x2b, 44)
#define LX_TCSETSW2        LX_IOC(LX_IOC_WRITE, 'T', 0x2c, 44)
#define LX_TCSETSF2        LX_IOC(LX_IOC_WRITE, 'T', 0x2d, 44)
#define LX_TIOCGPTN        LX_IOC(LX_IOC_READ, 'T', 0x30, 4)
#define LX_TIOCSPTLCK      LX_IOC(LX_IOC_WRITE, 'T', 0x31, 4)
#define LX_TIOCGDEV        LX_IOC(LX_IOC_READ, 'T', 0x32, 4)
#define LX_TIOCGPKT        LX_IOC(LX_IOC_READ, 'T', 0x38, 4)
#define LX_TIOCGPTLCK      LX_IOC(LX_IOC_READ, 'T', 0x39, 4)
#define LX_TIOCGEXCL       LX_IOC(LX_IOC_READ, 'T', 0x40, 4)
#define LX_TIOCGPTPEER     LX_IOC(LX_IOC_NONE, 'T', 0x41, 0)
#define LX_FIBMAP          LX_IOC(LX_IOC_NONE, 0, 1, 0)
#define LX_FIGETBSZ        LX_IOC(LX_IOC_NONE, 0, 2, 0)
#define LX_FICLONE         LX_IOC(LX_IOC_WRITE, 0x94, 9, 4)
#define LX_FICLONERANGE    LX_IOC(LX_IOC_WRITE, 0x94, 13, 32)
#define LX_FS_IOC_GETFLAGS LX_IOC(LX_IOC_READ, 'f', 1, 8)
#define LX_FS_IOC_SETFLAGS LX_IOC(LX_IOC_WRITE, 'f', 2, 8)
#define LX_RNDGETENTCNT    LX_IOC(LX_IOC_READ, 'R', 0x00, 4)
#define LX_BLKGETSIZE64    LX_IOC(LX_IOC_READ, 0x12, 114, 8)

struct lx_winsize {
    u16 rows, cols, xpixel, ypixel;
};
_Static_assert(sizeof(struct lx_winsize) == 8, "struct winsize");

enum { LX_NCCS = 19 };
struct lx_termios {
    u32 iflag, oflag, cflag, lflag;
    u8 line;
    u8 cc[LX_NCCS];
};
_Static_assert(sizeof(struct lx_termios) == 36, "struct termios of the kernel");
