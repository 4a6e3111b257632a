/* Guest ABI: readiness bits of poll(2), epoll(7) and select(2). */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_POLLIN = 0x0001,
    LX_POLLPRI = 0x0002,
    LX_POLLOUT = 0x0004,
    LX_POLLERR = 0x0008,
    LX_POLLHUP = 0x0010,
    LX_POLLNVAL = 0x0020,
    LX_POLLRDNORM = 0x0040,
    LX_POLLRDBAND = 0x0080,
    LX_POLLWRNORM = 0x0100,
    LX_POLLWRBAND = 0x0200,
    LX_POLLMSG = 0x0400,
    LX_POLLREMOVE = 0x1000,
    LX_POLLRDHUP = 0x2000,
};

/* What a file without a poll operation answers. */
#define LX_POLL_DEFAULT (LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM)

/* What select(2)'s three sets ask for. */
#define LX_POLL_SELECT_IN  (LX_POLLRDNORM | LX_POLLRDBAND | LX_POLLIN | LX_POLLHUP | LX_POLLERR)
#define LX_POLL_SELECT_OUT (LX_POLLWRBAND | LX_POLLWRNORM | LX_POLLOUT | LX_POLLERR)
#define LX_POLL_SELECT_EX  LX_POLLPRI

struct lx_pollfd {
    s32 fd;
    int16_t events, revents;
};
_Static_assert(sizeof(struct lx_pollfd) == 8, "struct pollfd");
