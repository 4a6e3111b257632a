/* AF_NETLINK: port ids, rtnetlink's dumps of lo, errors and acknowledgements, sock_diag. */
#include "guest.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct request {
    struct nlmsghdr h;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg addr;
        struct rtmsg route;
        struct rtgenmsg any;
        struct inet_diag_req_v2 diag;
        char room[256];
    };
};

static int nl(int protocol)
{
    return (int)REQUIRE_OK(SYS(socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
}

static void ask(int fd, struct request *r, int type, int flags, size_t body)
{
    r->h.nlmsg_len = (uint32_t)(sizeof(r->h) + body);
    r->h.nlmsg_type = (uint16_t)type;
    r->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    r->h.nlmsg_seq = 77;
    EXPECT_EQ(SYS(sendto, fd, r, r->h.nlmsg_len, 0, NULL, 0), r->h.nlmsg_len);
}

/* each message of a dump until its end; the callback counts what it looks for */
static int dump(int fd, bool (*is)(const struct nlmsghdr *h))
{
    static char buf[65536];
    int n = 0;

    for (;;) {
        long got = SYS(recvfrom, fd, buf, sizeof(buf), 0, NULL, NULL);
        struct nlmsghdr *h = (struct nlmsghdr *)buf;

        REQUIRE(got > 0);
        for (; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
            EXPECT_EQ(h->nlmsg_seq, 77);
            if (h->nlmsg_type == NLMSG_DONE)
                return n;
            REQUIRE(h->nlmsg_type != NLMSG_ERROR);
            EXPECT_EQ(h->nlmsg_flags & NLM_F_MULTI, NLM_F_MULTI);
            n += is(h);
        }
    }
}

static int error_of(int fd)
{
    char buf[1024];
    struct nlmsghdr *h = (struct nlmsghdr *)buf;

    EXPECT_GT(SYS(recvfrom, fd, buf, sizeof(buf), 0, NULL, NULL), 0);
    REQUIRE(h->nlmsg_type == NLMSG_ERROR);
    return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static const void *attr_of(const struct nlmsghdr *h, size_t header, int type)
{
    struct rtattr *a = (struct rtattr *)((char *)NLMSG_DATA(h) + NLMSG_ALIGN(header));
    int len = (int)(h->nlmsg_len - NLMSG_LENGTH(header));

    for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
        if (a->rta_type == type)
            return RTA_DATA(a);
    }
    return NULL;
}

TEST(socket_errors, "socket:EPROTONOSUPPORT")
{
    EXPECT_ERRNO(SYS(socket, AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    EXPECT_ERRNO(SYS(socket, AF_NETLINK, SOCK_RAW, 99), EPROTONOSUPPORT);
}

TEST(port_ids, "bind getsockname bind:EINVAL,EADDRINUSE")
{
    int a = nl(NETLINK_ROUTE), b = nl(NETLINK_ROUTE);
    struct sockaddr_nl name = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof(name);

    EXPECT_ERRNO(SYS(bind, a, &name, 4), EINVAL);
    EXPECT_OK(SYS(bind, a, &name, sizeof(name)));
    EXPECT_OK(SYS(getsockname, a, &name, &len));
    EXPECT_EQ(name.nl_pid, getpid());
    EXPECT_ERRNO(SYS(bind, b, &name, sizeof(name)), EADDRINUSE);
    name.nl_pid = 0;
    EXPECT_OK(SYS(bind, b, &name, sizeof(name)));
    EXPECT_OK(SYS(getsockname, b, &name, &len));
    EXPECT_NE(name.nl_pid, getpid());
    EXPECT_NE(name.nl_pid, 0);
}

static bool is_lo(const struct nlmsghdr *h)
{
    const struct ifinfomsg *i = NLMSG_DATA(h);
    const char *name = attr_of(h, sizeof(*i), IFLA_IFNAME);
    const uint32_t *mtu = attr_of(h, sizeof(*i), IFLA_MTU);

    return h->nlmsg_type == RTM_NEWLINK && i->ifi_index == 1 && name && !strcmp(name, "lo") &&
           mtu && *mtu == 65536 && (i->ifi_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK);
}

TEST(links, "sendto recvfrom")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {0};

    ask(fd, &r, RTM_GETLINK, NLM_F_DUMP, sizeof(r.link));
    EXPECT_EQ(dump(fd, is_lo), 1);
    ask(fd, &r, RTM_GETLINK, NLM_F_DUMP, sizeof(r.any)); /* as old programs ask */
    EXPECT_EQ(dump(fd, is_lo), 1);
}

TEST(one_link, "sendto recvfrom")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {0};
    static char buf[8192];
    struct nlmsghdr *h = (struct nlmsghdr *)buf;

    r.link.ifi_index = 1;
    ask(fd, &r, RTM_GETLINK, 0, sizeof(r.link));
    EXPECT_GT(SYS(recvfrom, fd, buf, sizeof(buf), 0, NULL, NULL), 0);
    EXPECT(is_lo(h));
    r.link.ifi_index = 9999;
    ask(fd, &r, RTM_GETLINK, 0, sizeof(r.link));
    EXPECT_EQ(error_of(fd), -ENODEV);
}

static bool is_lo_addr(const struct nlmsghdr *h)
{
    const struct ifaddrmsg *i = NLMSG_DATA(h);
    const uint32_t *a = attr_of(h, sizeof(*i), IFA_LOCAL);

    return h->nlmsg_type == RTM_NEWADDR && i->ifa_index == 1 && i->ifa_family == AF_INET &&
           i->ifa_prefixlen == 8 && a && *a == htonl(INADDR_LOOPBACK);
}

static bool is_lo_addr6(const struct nlmsghdr *h)
{
    const struct ifaddrmsg *i = NLMSG_DATA(h);
    const void *a = attr_of(h, sizeof(*i), IFA_ADDRESS);

    return i->ifa_family == AF_INET6 && a && !memcmp(a, &in6addr_loopback, 16);
}

TEST(addresses, "sendto recvfrom")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {0};

    ask(fd, &r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.addr));
    EXPECT_EQ(dump(fd, is_lo_addr), 1);
    r.addr.ifa_family = AF_INET6;
    ask(fd, &r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.addr));
    EXPECT_LE(dump(fd, is_lo_addr6), 1);
}

static bool is_lo_route(const struct nlmsghdr *h)
{
    const struct rtmsg *i = NLMSG_DATA(h);
    const uint32_t *a = attr_of(h, sizeof(*i), RTA_DST);

    return h->nlmsg_type == RTM_NEWROUTE && i->rtm_dst_len == 8 && i->rtm_type == RTN_LOCAL &&
           i->rtm_table == RT_TABLE_LOCAL && a && *a == htonl(0x7f000000);
}

TEST(routes, "sendto recvfrom")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {.route = {.rtm_family = AF_INET}};

    ask(fd, &r, RTM_GETROUTE, NLM_F_DUMP, sizeof(r.route));
    EXPECT_EQ(dump(fd, is_lo_route), 1);
}

TEST(unknown_request, "sendto recvfrom")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {0};

    ask(fd, &r, 14000, NLM_F_ACK, sizeof(r.any));
    EXPECT_EQ(error_of(fd), -EOPNOTSUPP);
    ask(fd, &r, NLMSG_NOOP, NLM_F_ACK, 0);
    EXPECT_EQ(error_of(fd), 0);
}

TEST(changes_need_a_capability, "sendto recvfrom")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        struct request r = {.link = {.ifi_index = 1}};
        int fd = nl(NETLINK_ROUTE);

        if (getuid() == 0)
            EXPECT_OK(SYS(setresuid, 1000, 1000, 1000));
        ask(fd, &r, RTM_SETLINK, NLM_F_ACK, sizeof(r.link));
        EXPECT_EQ(error_of(fd), -EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(receive_flags, "recvfrom:EAGAIN sendto:EMSGSIZE")
{
    static char big[300000];
    int fd = nl(NETLINK_ROUTE);
    struct request r = {.link = {.ifi_index = 1}};
    char small[16];
    struct sockaddr_nl from = {.nl_pid = 5};
    socklen_t len = sizeof(from);
    long whole;

    EXPECT_ERRNO(SYS(recvfrom, fd, small, 16, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    EXPECT_ERRNO(SYS(sendto, fd, big, sizeof(big), 0, NULL, 0), EMSGSIZE);
    ask(fd, &r, RTM_GETLINK, 0, sizeof(r.link));
    whole = SYS(recvfrom, fd, small, 16, MSG_PEEK | MSG_TRUNC, NULL, NULL);
    EXPECT_GT(whole, 100);
    EXPECT_EQ(SYS(recvfrom, fd, small, 16, 0, &from, &len), 16);
    EXPECT_EQ(from.nl_family, AF_NETLINK);
    EXPECT_EQ(from.nl_pid, 0);
    EXPECT_ERRNO(SYS(recvfrom, fd, small, 16, MSG_DONTWAIT, NULL, NULL), EAGAIN);
}

TEST(hostile_requests, "sendto")
{
    int fd = nl(NETLINK_ROUTE);
    struct request r = {0};
    char c;

    for (uint32_t len = 0; len < 64; len++) {
        r.h = (struct nlmsghdr){.nlmsg_len = len, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST};
        memset(r.room, 0xff, sizeof(r.room));
        for (size_t n = 0; n < 64; n += 3)
            SYS(sendto, fd, &r, n, 0, NULL, 0);
    }
    while (SYS(recvfrom, fd, &c, 1, MSG_DONTWAIT, NULL, NULL) >= 0)
        ;
}

static uint16_t sought;

static bool is_listener(const struct nlmsghdr *h)
{
    const struct inet_diag_msg *m = NLMSG_DATA(h);

    return m->idiag_state == 10 && m->id.idiag_sport == sought;
}

TEST(sock_diag_tcp, "sendto recvfrom")
{
    int fd = nl(NETLINK_SOCK_DIAG), l = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
    struct request r = {.diag = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
                                 .idiag_states = 1u << 10}};
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    EXPECT_OK(SYS(listen, l, 5));
    EXPECT_OK(SYS(getsockname, l, &a, &len));
    sought = a.sin_port;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.diag));
    EXPECT_EQ(dump(fd, is_listener), 1);
}

TEST(flood_is_bounded, "sendto recvfrom:ENOBUFS")
{
    static struct nlmsghdr many[4000];
    int fd = nl(NETLINK_ROUTE);
    char buf[64];

    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        many[i] = (struct nlmsghdr){sizeof(many[0]), NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 77, 0};
    /* Answers that nobody reads are lost, which is told. */
    for (int i = 0; i < 64; i++)
        EXPECT_EQ(SYS(sendto, fd, many, sizeof(many), 0, NULL, 0), sizeof(many));
    EXPECT_ERRNO(SYS(recvfrom, fd, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL), ENOBUFS);
    EXPECT_GT(SYS(recvfrom, fd, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL), 0);
    close(fd);
}
