/* What tests of sockets share: addresses of IPv4, options, ports, a pair of AF_UNIX. */
#pragma once

#include "guest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define LO INADDR_LOOPBACK

static inline struct sockaddr_in addr4(uint32_t host, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    a.sin_addr.s_addr = htonl(host);
    return a;
}

static inline int set(int fd, int level, int name, int value)
{
    return (int)SYS(setsockopt, fd, level, name, &value, sizeof(value));
}

static inline int get(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    EXPECT_OK(SYS(getsockopt, fd, level, name, &value, &len));
    return value;
}

static inline int port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    EXPECT_OK(SYS(getsockname, fd, &a, &len));
    return ntohs(a.sin_port);
}

/* unix_pair() - two connected sockets */
static inline void unix_pair(int type, int *one, int *other)
{
    int sv[2];

    REQUIRE_OK(SYS(socketpair, AF_UNIX, type, 0, sv));
    *one = sv[0];
    *other = sv[1];
}
