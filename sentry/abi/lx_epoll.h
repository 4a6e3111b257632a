/* Guest ABI: epoll and eventfd (linux/eventpoll.h, linux/eventfd.h). */
#pragma once

#include "sentry/base/types.h"

enum { LX_EPOLL_CTL_ADD = 1, LX_EPOLL_CTL_DEL = 2, LX_EPOLL_CTL_MOD = 3 };

#define LX_EPOLL_CLOEXEC  02000000
#define LX_EPOLLEXCLUSIVE (1u << 28)
#define LX_EPOLLWAKEUP    (1u << 29)
#define LX_EPOLLONESHOT   (1u << 30)
#define LX_EPOLLET        (1u << 31)

struct lx_epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed)); /* on x86-64 */

_Static_assert(sizeof(struct lx_epoll_event) == 12, "struct epoll_event is 12 bytes on x86-64");

#define LX_EFD_SEMAPHORE 1
#define LX_EFD_CLOEXEC   02000000
#define LX_EFD_NONBLOCK  04000
