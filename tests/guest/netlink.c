/* AF_NETLINK: port ids, rtnetlink's dumps of lo, errors and acknowledgements, sock_diag. */
#include "guest.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

struct request {
    struct nlmsghdr h;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg addr;
        struct rtmsg route;
        struct rtgenmsg any;
        struct inet_diag_req_v2 diag;
        struct unix_diag_req un;
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

/* lo_listener() - one of TCP on loopback, and its port in network order */
static int lo_listener(int family, uint16_t *port)
{
    int l = (int)REQUIRE_OK(SYS(socket, family, SOCK_STREAM, 0));
    struct sockaddr_in6 a;
    socklen_t len = sizeof(a);

    REQUIRE_OK(SYS(listen, l, 5));
    REQUIRE_OK(SYS(getsockname, l, &a, &len));
    *port = a.sin6_port; /* of IPv4 in the same place */
    return l;
}

/* one_of() - what a request that is no dump is answered with; NULL: an error, in *err */
static const struct nlmsghdr *one_of(int fd, int *err)
{
    static char buf[8192];
    struct nlmsghdr *h = (struct nlmsghdr *)buf;

    REQUIRE(SYS(recvfrom, fd, buf, sizeof(buf), 0, NULL, NULL) > 0);
    *err = h->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(h))->error : 0;
    return *err ? NULL : h;
}

/* filtered() - how many listeners of port `sought` a dump with this filter tells of; or its error */
static int filtered(int fd, const void *code, size_t len)
{
    struct request r = {.diag = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
                                 .idiag_states = 1u << 10}};
    struct rtattr *at = (struct rtattr *)(r.room + sizeof(r.diag));
    char buf[4096];
    struct nlmsghdr *h = (struct nlmsghdr *)buf;

    at->rta_type = INET_DIAG_REQ_BYTECODE;
    at->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(at), code, len);
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.diag) + RTA_SPACE(len));
    REQUIRE(SYS(recvfrom, fd, buf, sizeof(buf), MSG_PEEK, NULL, NULL) > 0);
    if (h->nlmsg_type != NLMSG_ERROR)
        return dump(fd, is_listener);
    REQUIRE(SYS(recvfrom, fd, buf, sizeof(buf), 0, NULL, NULL) > 0);
    return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

TEST(inet_diag_filters, "sendto recvfrom")
{
    int fd = nl(NETLINK_SOCK_DIAG);
    struct inet_diag_bc_op eq[] = {{INET_DIAG_BC_S_GE, 8, 12}, {0, 0, 0}};
    struct {
        struct inet_diag_bc_op op;
        struct inet_diag_hostcond cond;
        uint32_t addr;
    } host = {{INET_DIAG_BC_S_COND, 16, 20}, {AF_INET, 8, -1}, htonl(0x7f000000)};
    struct inet_diag_bc_op jump[] = {{INET_DIAG_BC_JMP, 4, 8}, {INET_DIAG_BC_NOP, 4, 0},
                                     {INET_DIAG_BC_NOP, 4, 0}};

    lo_listener(AF_INET, &sought);
    eq[1].no = ntohs(sought);
    EXPECT_EQ(filtered(fd, eq, 8), 1);
    eq[1].no++;
    EXPECT_EQ(filtered(fd, eq, 8), 0);
    eq[0].code = INET_DIAG_BC_S_LE;
    EXPECT_EQ(filtered(fd, eq, 8), 1);
    eq[0].code = INET_DIAG_BC_D_LE;
    EXPECT_EQ(filtered(fd, eq, 8), 1); /* the peer's port is 0 */
    host.cond.port = ntohs(sought);
    EXPECT_EQ(filtered(fd, &host, sizeof(host)), 0); /* it listens on 0.0.0.0 */
    host.cond.prefix_len = 0;
    EXPECT_EQ(filtered(fd, &host, sizeof(host)), 1);
    EXPECT_EQ(filtered(fd, jump, sizeof(jump)), 1);
    /* What is no filter is refused. */
    EXPECT_EQ(filtered(fd, eq, 4), -EINVAL);
    eq[0].yes = 4;
    EXPECT_EQ(filtered(fd, eq, 8), -EINVAL);
    eq[0] = (struct inet_diag_bc_op){INET_DIAG_BC_S_GE, 8, 16};
    EXPECT_EQ(filtered(fd, eq, 8), -EINVAL);
    host.cond.prefix_len = 33;
    EXPECT_EQ(filtered(fd, &host, sizeof(host)), -EINVAL);
    jump[0].no = 6;
    EXPECT_EQ(filtered(fd, jump, sizeof(jump)), -EINVAL);
    jump[0] = (struct inet_diag_bc_op){99, 4, 4};
    EXPECT_EQ(filtered(fd, jump, sizeof(jump)), -EINVAL);
    jump[0] = (struct inet_diag_bc_op){INET_DIAG_BC_S_EQ, 8, 8};
    EXPECT_EQ(filtered(fd, jump, sizeof(jump)), 1);
    jump[0].no = 4; /* its argument is no operation */
    EXPECT_EQ(filtered(fd, jump, sizeof(jump)), -EINVAL);
}

TEST(tcp_diag, "sendto recvfrom")
{
    int fd = nl(NETLINK_SOCK_DIAG), err;
    struct request r = {0};
    struct inet_diag_req q = {.idiag_family = AF_INET, .idiag_states = 1u << 10};

    lo_listener(AF_INET, &sought);
    memcpy(r.room, &q, sizeof(q));
    ask(fd, &r, TCPDIAG_GETSOCK, NLM_F_DUMP, sizeof(q));
    EXPECT_EQ(dump(fd, is_listener), 1);
    ask(fd, &r, TCPDIAG_GETSOCK, NLM_F_DUMP, sizeof(q) - 1);
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -EINVAL);
    ask(fd, &r, SOCK_DESTROY, 0, sizeof(q));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT(err == -EINVAL || err == -EOPNOTSUPP || err == -ENOENT || err == -EPERM);
    ask(fd, &r, 23, 0, sizeof(q));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -EINVAL);
}

TEST(inet_diag_one, "sendto recvfrom getsockopt")
{
    int fd = nl(NETLINK_SOCK_DIAG), err, l;
    uint64_t cookie;
    socklen_t len = sizeof(cookie);
    struct request r = {.diag = {.sdiag_family = AF_INET6, .sdiag_protocol = IPPROTO_TCP}};
    const struct nlmsghdr *h;
    const struct inet_diag_msg *m;
    struct stat st;

    l = lo_listener(AF_INET6, &sought);
    r.diag.id.idiag_sport = sought;
    r.diag.id.idiag_cookie[0] = r.diag.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    r.diag.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) |
                       1 << (INET_DIAG_SKMEMINFO - 1) | 1 << (INET_DIAG_TCLASS - 1);
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.diag));
    h = one_of(fd, &err);
    REQUIRE(h != NULL);
    m = NLMSG_DATA(h);
    EXPECT_EQ(m->idiag_state, 10);
    EXPECT_EQ(m->idiag_wqueue, 5);
    EXPECT_EQ(m->idiag_uid, geteuid());
    EXPECT_OK(SYS(fstat, l, &st));
    EXPECT_EQ(m->idiag_inode, st.st_ino);
    EXPECT_OK(SYS(getsockopt, l, SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &len));
    EXPECT_EQ(m->id.idiag_cookie[0], (uint32_t)cookie);
    EXPECT_EQ(h->nlmsg_flags & NLM_F_MULTI, 0);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_SHUTDOWN) != NULL);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_SKV6ONLY) != NULL);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_TCLASS) != NULL);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_TOS) == NULL);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_SKMEMINFO) != NULL);
    EXPECT(attr_of(h, sizeof(*m), INET_DIAG_INFO) != NULL);
    /* Another's cookie, another's port, no known protocol. */
    r.diag.id.idiag_cookie[0] = ~m->id.idiag_cookie[0];
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.diag));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -ENOENT);
    r.diag.id.idiag_sport = htons(1);
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.diag));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -ENOENT);
    r.diag.sdiag_protocol = 77;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.diag));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -ENOENT);
    /* A dump says so at its end. */
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.diag));
    h = one_of(fd, &err);
    REQUIRE(h != NULL);
    EXPECT_EQ(h->nlmsg_type, NLMSG_DONE);
    EXPECT_EQ(*(int *)NLMSG_DATA(h), -ENOENT);
    r.diag.sdiag_family = 200;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.diag));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -EINVAL);
}

static struct {
    ino_t listener, client, pair[2];
    int seen, listening, unconnected;
} un;

static const struct nlmsghdr *copied(const struct nlmsghdr *h)
{
    static char buf[2048];

    memcpy(buf, h, h->nlmsg_len);
    return (const struct nlmsghdr *)buf;
}

/* look_at() - count the sockets of `un` in a dump, and check what is said of them */
static bool look_at(const struct nlmsghdr *from)
{
    const struct nlmsghdr *h = copied(from);
    const struct unix_diag_msg *m = NLMSG_DATA(h);
    const uint32_t *icons = attr_of(h, sizeof(*m), UNIX_DIAG_ICONS);
    const struct unix_diag_rqlen *q = attr_of(h, sizeof(*m), UNIX_DIAG_RQLEN);
    const char *name = attr_of(h, sizeof(*m), UNIX_DIAG_NAME);
    const uint32_t *peer = attr_of(h, sizeof(*m), UNIX_DIAG_PEER);

    EXPECT_EQ(m->udiag_family, AF_UNIX);
    EXPECT_NE(m->udiag_ino, 0);
    if (m->udiag_ino == un.listener) {
        EXPECT_EQ(m->udiag_state, 10);
        EXPECT_EQ(m->udiag_type, SOCK_STREAM);
        EXPECT(name && strcmp(name, "listener") == 0);
        EXPECT(icons && *icons == un.client);
        EXPECT(q && q->udiag_rqueue == 1 && q->udiag_wqueue == 7);
        EXPECT(attr_of(h, sizeof(*m), UNIX_DIAG_VFS) != NULL);
        EXPECT(peer == NULL);
    } else if (m->udiag_ino == un.pair[0]) {
        EXPECT_EQ(m->udiag_state, 1);
        EXPECT(peer && *peer == un.pair[1]);
        EXPECT(q && q->udiag_rqueue == 3);
        EXPECT(name == NULL);
    } else {
        return m->udiag_ino == un.client || m->udiag_ino == un.pair[1];
    }
    EXPECT(attr_of(h, sizeof(*m), UNIX_DIAG_SHUTDOWN) != NULL);
    return true;
}

static ino_t number_of(int fd)
{
    struct stat st;

    REQUIRE_OK(SYS(fstat, fd, &st));
    return st.st_ino;
}

TEST(unix_diag, "sendto recvfrom")
{
    int fd = nl(NETLINK_SOCK_DIAG), p[2], l, c, err;
    struct sockaddr_un a = {AF_UNIX, "listener"};
    struct request r = {.un = {.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = 0x3f}};
    const struct nlmsghdr *h;

    guest_scratch();
    l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(bind, l, &a, sizeof(a)));
    REQUIRE_OK(SYS(listen, l, 7));
    REQUIRE_OK(SYS(connect, c, &a, sizeof(a)));
    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, p));
    REQUIRE_OK(SYS(write, p[1], "abc", 3));
    un.listener = number_of(l);
    un.client = number_of(c);
    un.pair[0] = number_of(p[0]);
    un.pair[1] = number_of(p[1]);
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.un));
    EXPECT_EQ(dump(fd, look_at), 4);
    r.un.udiag_states = 1u << 10;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.un));
    EXPECT_EQ(dump(fd, look_at), 1);
    /* One alone. */
    r.un.udiag_ino = (uint32_t)un.pair[0];
    r.un.udiag_cookie[0] = r.un.udiag_cookie[1] = ~0u;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.un));
    h = one_of(fd, &err);
    EXPECT(h && look_at(h));
    r.un.udiag_cookie[0] = 0;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.un));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -ESTALE);
    r.un.udiag_ino = 0xfffffff0;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.un));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -ENOENT);
    r.un.udiag_ino = 0;
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, 0, sizeof(r.un));
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -EINVAL);
    ask(fd, &r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(r.un) - 4);
    EXPECT(one_of(fd, &err) == NULL);
    EXPECT_EQ(err, -EINVAL);
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
