/* UDP and ping sockets on loopback: datagrams, connected ones, errors that come back, control data. */
#include "sockets.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

static int udp(void)
{
    return (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_DGRAM, 0));
}

static int bound(uint32_t host)
{
    struct sockaddr_in a = addr4(host, 0);
    int fd = udp();

    REQUIRE_OK(SYS(bind, fd, &a, sizeof(a)));
    return fd;
}

static long send_to(int fd, const char *text, int port)
{
    struct sockaddr_in a = addr4(LO, port);

    return SYS(sendto, fd, text, strlen(text), 0, &a, sizeof(a));
}

static int connect_to(int fd, uint32_t host, int port)
{
    struct sockaddr_in a = addr4(host, port);

    return (int)SYS(connect, fd, &a, sizeof(a));
}

static int events_of(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

    EXPECT_OK(SYS(poll, &p, 1, wait_ms));
    return p.revents;
}

TEST(datagrams, "sendto recvfrom bind")
{
    int a = bound(LO), b = udp();
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char buf[16];

    EXPECT_EQ(send_to(b, "one", port_of(a)), 3);
    EXPECT_EQ(send_to(b, "", port_of(a)), 0);
    EXPECT_EQ(send_to(b, "three", port_of(a)), 5);
    EXPECT_EQ(SYS(recvfrom, a, buf, 16, 0, &from, &len), 3);
    EXPECT_EQ(len, sizeof(from));
    EXPECT_EQ(ntohs(from.sin_port), port_of(b));
    EXPECT_EQ(ntohl(from.sin_addr.s_addr), LO);
    EXPECT_EQ(SYS(recvfrom, a, buf, 16, 0, NULL, NULL), 0);
    EXPECT_EQ(SYS(recvfrom, a, buf, 2, MSG_PEEK | MSG_TRUNC, NULL, NULL), 5);
    EXPECT_EQ(SYS(recvfrom, a, buf, 2, 0, NULL, NULL), 2);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 2, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}

TEST(send_errors, "sendto:EDESTADDRREQ,EMSGSIZE,EINVAL,EAFNOSUPPORT,EOPNOTSUPP,EFAULT,EACCES")
{
    static char big[70000];
    struct sockaddr_in a = addr4(LO, 9), all = addr4(0x7fffffff, 9), zero = addr4(LO, 0);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = 9};
    int fd = udp();

    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, 0, NULL, 0), EDESTADDRREQ);
    EXPECT_ERRNO(SYS(sendto, fd, big, sizeof(big), 0, &a, sizeof(a)), EMSGSIZE);
    EXPECT_ERRNO(SYS(sendto, fd, big, 65508, 0, &a, sizeof(a)), EMSGSIZE);
    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, 0, &a, 8), EINVAL);
    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, 0, &six, sizeof(six)), EAFNOSUPPORT);
    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, MSG_OOB, &a, sizeof(a)), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, 0, &zero, sizeof(zero)), EINVAL);
    EXPECT_ERRNO(SYS(sendto, fd, guest_bad_page(), 8, 0, &a, sizeof(a)), EFAULT);
    EXPECT_ERRNO(SYS(sendto, fd, "x", 1, 0, &all, sizeof(all)), EACCES);
    EXPECT_EQ(SYS(sendto, fd, big, 65507, 0, &a, sizeof(a)), 65507);
}

TEST(connected, "connect write")
{
    int a = bound(LO), b = udp(), c = udp();
    char buf[16];

    EXPECT_OK(connect_to(b, LO, port_of(a)));
    EXPECT_OK(connect_to(a, LO, port_of(b)));
    EXPECT_EQ(SYS(write, b, "yes", 3), 3);
    EXPECT_EQ(send_to(c, "no", port_of(a)), 2); /* not from the peer */
    EXPECT_EQ(SYS(read, a, buf, 16), 3);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 16, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    EXPECT_OK(connect_to(a, LO, port_of(c))); /* again, to another */
}

TEST(port_unreachable, "recvfrom:ECONNREFUSED sendto:ECONNREFUSED")
{
    int a = bound(LO), b = udp(), port = port_of(a);
    char buf[8];

    EXPECT_OK(SYS(close, a));
    EXPECT_EQ(send_to(b, "x", port), 1);
    EXPECT_EQ(send_to(b, "x", port), 1); /* unconnected: nobody is told */
    EXPECT_OK(connect_to(b, LO, port));
    EXPECT_EQ(SYS(write, b, "x", 1), 1);
    EXPECT_EQ(events_of(b, 1000), POLLOUT | POLLERR);
    EXPECT_ERRNO(SYS(recvfrom, b, buf, 8, 0, NULL, NULL), ECONNREFUSED);
    EXPECT_EQ(SYS(write, b, "x", 1), 1);
    EXPECT_EQ(events_of(b, 1000), POLLOUT | POLLERR);
    EXPECT_ERRNO(SYS(write, b, "x", 1), ECONNREFUSED);
}

TEST(error_queue, "recvmsg")
{
    int a = bound(LO), b = udp(), port = port_of(a);
    char buf[8], control[256];
    struct sockaddr_in from = {0};
    struct iovec iov = {buf, sizeof(buf)};
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
                       .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c;
    struct sock_extended_err *e;

    EXPECT_OK(SYS(close, a));
    EXPECT_OK(set(b, IPPROTO_IP, IP_RECVERR, 1));
    EXPECT_ERRNO(SYS(recvmsg, b, &m, MSG_ERRQUEUE), EAGAIN);
    m.msg_controllen = sizeof(control);
    EXPECT_EQ(send_to(b, "lost", port), 4);
    EXPECT_EQ(events_of(b, 1000), POLLOUT | POLLERR);
    EXPECT_EQ(SYS(recvmsg, b, &m, MSG_ERRQUEUE), 4);
    EXPECT_MEMEQ(buf, "lost", 4);
    EXPECT_EQ(m.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    EXPECT_EQ(ntohs(from.sin_port), port);
    c = CMSG_FIRSTHDR(&m);
    REQUIRE(c != NULL);
    EXPECT_EQ(c->cmsg_level, IPPROTO_IP);
    EXPECT_EQ(c->cmsg_type, IP_RECVERR);
    e = (struct sock_extended_err *)CMSG_DATA(c);
    EXPECT_EQ(e->ee_errno, ECONNREFUSED);
    EXPECT_EQ(e->ee_origin, SO_EE_ORIGIN_ICMP);
    EXPECT_EQ(e->ee_type, ICMP_DEST_UNREACH);
    EXPECT_EQ(e->ee_code, ICMP_PORT_UNREACH);
}

TEST(control_data, "recvmsg sendmsg")
{
    int a = bound(0), b = udp(), seen = 0;
    char buf[8], control[256];
    struct iovec iov = {buf, sizeof(buf)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                       .msg_controllen = sizeof(control)};

    EXPECT_OK(set(a, IPPROTO_IP, IP_PKTINFO, 1));
    EXPECT_OK(set(a, IPPROTO_IP, IP_RECVTTL, 1));
    EXPECT_OK(set(a, IPPROTO_IP, IP_RECVTOS, 1));
    EXPECT_OK(set(b, IPPROTO_IP, IP_TTL, 33));
    EXPECT_OK(set(b, IPPROTO_IP, IP_TOS, 0x10));
    EXPECT_EQ(send_to(b, "x", port_of(a)), 1);
    EXPECT_EQ(SYS(recvmsg, a, &m, 0), 1);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

        if (c->cmsg_type == IP_PKTINFO) {
            EXPECT_EQ(info->ipi_ifindex, 1);
            EXPECT_EQ(ntohl(info->ipi_addr.s_addr), LO);
            seen |= 1;
        } else if (c->cmsg_type == IP_TTL) {
            EXPECT_EQ(*(int *)CMSG_DATA(c), 33);
            seen |= 2;
        } else if (c->cmsg_type == IP_TOS) {
            EXPECT_EQ(*CMSG_DATA(c), 0x10);
            seen |= 4;
        }
    }
    EXPECT_EQ(seen, 7);
}

/* send_class() - a datagram to port of ::1 with a traffic class of `len` bytes as control data. */
static long send_class(int fd, int port, int value, size_t len)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
                       .msg_control = control, .msg_controllen = CMSG_SPACE(len)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_TCLASS;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), &value, len);
    return SYS(sendmsg, fd, &m, 0);
}

/* received_class() - what the next datagram's traffic class is; -1: it says none. */
static int received_class(int fd)
{
    _Alignas(struct cmsghdr) char control[128];
    char buf[8];
    struct iovec iov = {buf, sizeof(buf)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c;

    REQUIRE_OK(SYS(recvmsg, fd, &m, 0));
    c = CMSG_FIRSTHDR(&m);
    return c && c->cmsg_type == IPV6_TCLASS ? *(int *)(void *)CMSG_DATA(c) : -1;
}

TEST(traffic_class, "sendmsg sendmsg:EINVAL")
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t len = sizeof(at);
    int a = (int)REQUIRE_OK(SYS(socket, AF_INET6, SOCK_DGRAM, 0));
    int b = (int)REQUIRE_OK(SYS(socket, AF_INET6, SOCK_DGRAM, 0));
    int port;

    REQUIRE_OK(SYS(bind, a, &at, sizeof(at)));
    REQUIRE_OK(SYS(getsockname, a, &at, &len));
    port = ntohs(at.sin6_port);
    EXPECT_OK(set(a, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
    EXPECT_OK(set(b, IPPROTO_IPV6, IPV6_TCLASS, 8));
    EXPECT_EQ(send_class(b, port, 4, sizeof(int)), 1);
    EXPECT_EQ(received_class(a), 4);
    EXPECT_EQ(send_class(b, port, -1, sizeof(int)), 1); /* not the socket's own */
    EXPECT_EQ(received_class(a), 255);
    EXPECT_EQ(SYS(sendto, b, "x", 1, 0, &at, len), 1);
    EXPECT_EQ(received_class(a), 8);
    EXPECT_ERRNO(send_class(b, port, -2, sizeof(int)), EINVAL);
    EXPECT_ERRNO(send_class(b, port, 256, sizeof(int)), EINVAL);
    EXPECT_ERRNO(send_class(b, port, 4, 1), EINVAL);
}

TEST(receive_buffer_drops, "sendto recvfrom")
{
    int a = bound(LO), b = udp(), n = 0;
    char buf[8];

    EXPECT_OK(set(a, SOL_SOCKET, SO_RCVBUF, 10000));
    for (int i = 0; i < 500; i++)
        EXPECT_EQ(send_to(b, "x", port_of(a)), 1);
    while (SYS(recvfrom, a, buf, 8, MSG_DONTWAIT, NULL, NULL) == 1)
        n++;
    EXPECT_GT(n, 5);
    EXPECT_LT(n, 200);
}

TEST(same_port, "bind bind:EADDRINUSE")
{
    int a = bound(LO), b = udp(), c = udp();
    struct sockaddr_in name = addr4(LO, port_of(a)), other = addr4(0x7f000005, port_of(a));
    char buf[8];

    EXPECT_ERRNO(SYS(bind, b, &name, sizeof(name)), EADDRINUSE);
    EXPECT_OK(SYS(bind, b, &other, sizeof(other)));
    EXPECT_OK(set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_OK(set(c, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_OK(SYS(bind, c, &name, sizeof(name)));
    EXPECT_EQ(SYS(sendto, udp(), "to b", 4, 0, &other, sizeof(other)), 4);
    EXPECT_EQ(SYS(recvfrom, b, buf, 8, 0, NULL, NULL), 4);
}

TEST(shutdown_udp, "shutdown:ENOTCONN shutdown")
{
    int a = bound(LO), b = udp();
    char buf[8];

    EXPECT_ERRNO(SYS(shutdown, a, SHUT_RD), ENOTCONN);
    EXPECT_EQ(SYS(recvfrom, a, buf, 8, 0, NULL, NULL), 0); /* it wakes readers all the same */
    EXPECT_OK(connect_to(b, LO, port_of(a)));
    EXPECT_OK(SYS(shutdown, b, SHUT_WR));
    EXPECT_ERRNO(SYS(write, b, "x", 1), EPIPE);
}

TEST(not_for_datagrams, "listen:EOPNOTSUPP accept:EOPNOTSUPP")
{
    int a = bound(LO);

    EXPECT_ERRNO(SYS(listen, a, 1), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(accept, a, NULL, NULL), EOPNOTSUPP);
}

TEST(many_at_once, "sendmmsg recvmmsg")
{
    int a = bound(LO), b = udp();
    char out[3][4] = {"a", "bb", "ccc"}, in[3][8];
    struct iovec oiov[3], iiov[3];
    struct mmsghdr om[3] = {0}, im[3] = {0};

    EXPECT_OK(connect_to(b, LO, port_of(a)));
    for (int i = 0; i < 3; i++) {
        oiov[i] = (struct iovec){out[i], (size_t)i + 1};
        iiov[i] = (struct iovec){in[i], 8};
        om[i].msg_hdr = (struct msghdr){.msg_iov = &oiov[i], .msg_iovlen = 1};
        im[i].msg_hdr = (struct msghdr){.msg_iov = &iiov[i], .msg_iovlen = 1};
    }
    EXPECT_EQ(SYS(sendmmsg, b, om, 3, 0), 3);
    EXPECT_EQ(SYS(recvmmsg, a, im, 3, 0, NULL), 3);
    EXPECT_EQ(im[2].msg_len, 3);
}

TEST(multicast_on_lo, "setsockopt setsockopt:EADDRNOTAVAIL")
{
    int a = udp(), b = udp();
    struct sockaddr_in any = addr4(0, 0), group = addr4(0xefff0102, 0);
    struct ip_mreqn m = {.imr_multiaddr = group.sin_addr, .imr_ifindex = 1};
    char buf[8];

    EXPECT_OK(SYS(bind, a, &any, sizeof(any)));
    EXPECT_OK(SYS(setsockopt, a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_ERRNO(SYS(setsockopt, a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), EADDRINUSE);
    EXPECT_OK(SYS(setsockopt, b, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
    group.sin_port = htons((uint16_t)port_of(a));
    EXPECT_EQ(SYS(sendto, b, "all", 3, 0, &group, sizeof(group)), 3);
    EXPECT_EQ(SYS(recvfrom, a, buf, 8, 0, NULL, NULL), 3);
    EXPECT_OK(SYS(setsockopt, a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_ERRNO(SYS(setsockopt, a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)), EADDRNOTAVAIL);
}

/* shown_group() - the line of a group in /proc/net/igmp or igmp6, empty if nobody joined it. */
static const char *shown_group(const char *file, const char *group)
{
    static char text[8192];
    ssize_t n;
    int fd = (int)SYS(open, file, O_RDONLY);
    char *at;

    EXPECT(fd >= 0);
    n = SYS(read, fd, text, sizeof(text) - 1);
    EXPECT(n > 0);
    text[n] = 0;
    SYS(close, fd);
    at = strstr(text, group);
    if (!at)
        return "";
    at[strcspn(at, "\n")] = 0;
    return at;
}

TEST(groups_in_proc, "setsockopt")
{
    int a = udp(), b = udp(), six = (int)SYS(socket, AF_INET6, SOCK_DGRAM, 0);
    struct ip_mreqn m = {.imr_multiaddr = addr4(0xefff0105, 0).sin_addr, .imr_ifindex = 1};
    struct ipv6_mreq m6 = {.ipv6mr_multiaddr.s6_addr = {0xff, 0x0e, [14] = 1, [15] = 0x14}, .ipv6mr_interface = 1};
    const char *igmp = "/proc/self/net/igmp", *igmp6 = "/proc/self/net/igmp6";

    if (SYS(access, igmp, R_OK) < 0)
        SKIP("no igmp in /proc/net");
    EXPECT_STREQ(shown_group(igmp, "0501FFEF"), "");
    EXPECT(strstr(shown_group(igmp, "010000E0"), "E0     1 0:00000000\t\t0"));
    EXPECT_OK(SYS(setsockopt, a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_STREQ(shown_group(igmp, "0501FFEF"), "0501FFEF     1 0:00000000\t\t0");
    EXPECT_OK(SYS(setsockopt, b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_STREQ(shown_group(igmp, "0501FFEF"), "0501FFEF     2 0:00000000\t\t0");
    EXPECT_OK(SYS(setsockopt, b, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_STREQ(shown_group(igmp, "0501FFEF"), "0501FFEF     1 0:00000000\t\t0");
    SYS(close, a);
    WAIT_UNTIL(!*shown_group(igmp, "0501FFEF"));
    EXPECT_OK(SYS(setsockopt, six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)));
    EXPECT_STREQ(shown_group(igmp6, "ff0e"), "ff0e0000000000000000000000000114     1 00000004 0");
    SYS(close, six);
    WAIT_UNTIL(!*shown_group(igmp6, "ff0e"));
}

/* IP_MULTICAST_ALL: a socket hears groups that another one joined, but none that nobody did. */
TEST(multicast_all, "setsockopt sendto recvfrom:EAGAIN")
{
    int member = udp(), a = udp(), b = udp(), no = 0;
    struct sockaddr_in any = addr4(0, 0), group = addr4(0xefff0106, 0);
    struct ip_mreqn m = {.imr_multiaddr = group.sin_addr, .imr_ifindex = 1};
    char buf[8];

    EXPECT_OK(SYS(bind, a, &any, sizeof(any)));
    group.sin_port = htons((uint16_t)port_of(a));
    EXPECT_OK(SYS(setsockopt, b, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
    EXPECT_EQ(SYS(sendto, b, "none", 4, 0, &group, sizeof(group)), 4);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 8, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    EXPECT_OK(SYS(setsockopt, member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
    EXPECT_EQ(SYS(sendto, b, "all", 3, 0, &group, sizeof(group)), 3);
    EXPECT_EQ(SYS(recvfrom, a, buf, 8, 0, NULL, NULL), 3);
    EXPECT_OK(SYS(setsockopt, a, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof(no)));
    EXPECT_EQ(SYS(sendto, b, "few", 3, 0, &group, sizeof(group)), 3);
    EXPECT_ERRNO(SYS(recvfrom, a, buf, 8, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}

TEST(queue_ioctls, "ioctl")
{
    int a = bound(LO), b = udp(), n = -1;

    EXPECT_OK(SYS(ioctl, a, FIONREAD, &n));
    EXPECT_EQ(n, 0);
    EXPECT_EQ(send_to(b, "abc", port_of(a)), 3);
    EXPECT_EQ(send_to(b, "de", port_of(a)), 2);
    EXPECT_OK(SYS(ioctl, a, FIONREAD, &n));
    EXPECT_EQ(n, 3); /* of the first */
}

TEST(ping, "socket sendto recvfrom")
{
    int fd = (int)SYS(socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    struct icmphdr h = {.type = ICMP_ECHO, .un.echo.sequence = 7}, r;
    struct sockaddr_in to = addr4(LO, 0);

    if (fd < 0 && errno == EACCES)
        SKIP("ping_group_range does not let this group");
    REQUIRE(fd >= 0);
    EXPECT_EQ(SYS(sendto, fd, &h, sizeof(h), 0, &to, sizeof(to)), sizeof(h));
    EXPECT_EQ(SYS(recvfrom, fd, &r, sizeof(r), 0, NULL, NULL), sizeof(r));
    EXPECT_EQ(r.type, ICMP_ECHOREPLY);
    EXPECT_EQ(r.un.echo.sequence, 7);
    h.type = ICMP_ECHOREPLY;
    EXPECT_ERRNO(SYS(sendto, fd, &h, sizeof(h), 0, &to, sizeof(to)), EINVAL);
}

TEST(recv_interrupted, "recvfrom:EINTR")
{
    int a = bound(LO);
    pid_t pest;
    char c;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(recvfrom, a, &c, 1, 0, NULL, NULL), EINTR);
    guest_end(pest);
}

/* --- IPv6 --- */

TEST(six_dual_stack, "bind connect")
{
    int s = (int)SYS(socket, AF_INET6, SOCK_DGRAM, 0), b = udp();
    struct sockaddr_in6 a = {.sin6_family = AF_INET6}, from;
    struct sockaddr_in taken;
    socklen_t len = sizeof(from);
    int one = 1;
    char buf[8];

    if (s < 0 && errno == EAFNOSUPPORT)
        SKIP("no IPv6 here");
    EXPECT_OK(SYS(bind, s, &a, sizeof(a)));
    EXPECT_EQ(send_to(b, "v4", port_of(s)), 2);
    EXPECT_EQ(SYS(recvfrom, s, buf, 8, 0, &from, &len), 2);
    EXPECT_EQ(len, sizeof(from));
    EXPECT(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    taken = addr4(0, port_of(s));
    EXPECT_ERRNO(SYS(bind, b, &taken, sizeof(taken)), EINVAL);
    EXPECT_ERRNO(SYS(bind, udp(), &taken, sizeof(taken)), EADDRINUSE);
    EXPECT_ERRNO(SYS(setsockopt, s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), EINVAL);
    s = (int)SYS(socket, AF_INET6, SOCK_DGRAM, 0);
    EXPECT_OK(SYS(setsockopt, s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
    EXPECT_OK(SYS(bind, s, &a, sizeof(a)));
    taken = addr4(0, port_of(s));
    EXPECT_OK(SYS(bind, udp(), &taken, sizeof(taken)));
}

TEST(six_stream, "connect accept")
{
    int l = (int)SYS(socket, AF_INET6, SOCK_STREAM, 0), c, s;
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, peer;
    socklen_t len = sizeof(a);

    if (l < 0 && errno == EAFNOSUPPORT)
        SKIP("no IPv6 here");
    EXPECT_OK(SYS(bind, l, &a, sizeof(a)));
    EXPECT_OK(SYS(listen, l, 1));
    EXPECT_OK(SYS(getsockname, l, &a, &len));
    c = (int)SYS(socket, AF_INET6, SOCK_STREAM, 0);
    EXPECT_OK(SYS(connect, c, &a, sizeof(a)));
    s = (int)REQUIRE_OK(SYS(accept, l, &peer, &len));
    EXPECT_EQ(len, sizeof(peer));
    EXPECT_MEMEQ(&peer.sin6_addr, &in6addr_loopback, 16);
    EXPECT_EQ(SYS(write, s, "x", 1), 1);
}
