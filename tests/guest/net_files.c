/* /proc/net, /proc/sys/net, /sys/class/net: what ss, netstat, lsof and language run-times read there. */
#include "guest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char text[1 << 20];

static ino_t number_of(int fd)
{
    struct stat st;

    REQUIRE_OK(SYS(fstat, fd, &st));
    return st.st_ino;
}

/* line_with() - the line of a file in which `part` stands; empty if none does */
static const char *line_with(const char *path, const char *part)
{
    char *at, *end;

    REQUIRE(guest_slurp(path, text, sizeof(text)) > 0);
    at = strstr(text, part);
    if (!at)
        return "";
    end = strchr(at, '\n');
    if (end)
        *end = 0;
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

/* unix_line() - the line of /proc/net/unix about a socket, from its reference count on */
static const char *unix_line(int fd)
{
    char part[32];
    const char *line;

    snprintf(part, sizeof(part), " %5lu", (unsigned long)number_of(fd));
    line = line_with("/proc/net/unix", part);
    return strlen(line) > 18 ? line + 18 : line;
}

TEST(unix_sockets, "socket bind listen connect socketpair")
{
    int l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0)), p[2], d, c;
    struct sockaddr_un a = {AF_UNIX, "listener"}, abstract = {AF_UNIX, {0, 'a', 0, 'b'}};
    char want[128];

    guest_scratch();
    snprintf(want, sizeof(want), "00000002 00000000 00000000 0001 01 %5lu", (unsigned long)number_of(l));
    EXPECT_STREQ(unix_line(l), want);
    REQUIRE_OK(SYS(bind, l, &a, sizeof(a)));
    REQUIRE_OK(SYS(listen, l, 3));
    snprintf(want, sizeof(want), "00000002 00000000 00010000 0001 01 %5lu listener",
             (unsigned long)number_of(l));
    EXPECT_STREQ(unix_line(l), want);
    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, p));
    snprintf(want, sizeof(want), "00000003 00000000 00000000 0005 03 %5lu", (unsigned long)number_of(p[0]));
    EXPECT_STREQ(unix_line(p[0]), want);
    d = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, 0));
    REQUIRE_OK(SYS(bind, d, &abstract, 2 + 4));
    snprintf(want, sizeof(want), "00000002 00000000 00000000 0002 01 %5lu @a@b", (unsigned long)number_of(d));
    EXPECT_STREQ(unix_line(d), want);
    /* One that nobody accepted yet has no number, and its listener's name. */
    c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(connect, c, &a, sizeof(a)));
    EXPECT(strstr(line_with("/proc/net/unix", " 00000000 0001 02     0 listener"), "00000003") != NULL);
    snprintf(want, sizeof(want), "00000003 00000000 00000000 0001 03 %5lu", (unsigned long)number_of(c));
    EXPECT_STREQ(unix_line(c), want);
    SYS(close, c);
    snprintf(want, sizeof(want), " %5lu\n", (unsigned long)number_of(d) + 100000);
    EXPECT_STREQ(line_with("/proc/net/unix", want), "");
}

/* column() - a number of a protocol's second line, by its name in the first; -1: there is none */
static long long column(const char *path, const char *protocol, const char *name)
{
    char head[64];
    const char *names, *values;

    snprintf(head, sizeof(head), "\n%s: ", protocol);
    text[0] = '\n';
    REQUIRE(guest_slurp(path, text + 1, sizeof(text) - 1) > 0);
    names = strstr(text, head);
    values = names ? strstr(names + 1, head) : NULL;
    if (!values)
        return -1;
    names += strlen(head);
    values += strlen(head);
    for (;;) {
        size_t n = strcspn(names, " \n");

        if (n == strlen(name) && memcmp(names, name, n) == 0)
            return strtoll(values, NULL, 10);
        names += n;
        values += strcspn(values, " \n");
        if (*names != ' ' || *values != ' ')
            return -1;
        names++;
        values++;
    }
}

static int listener(struct sockaddr_in *a)
{
    int l = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    socklen_t len = sizeof(*a);

    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    REQUIRE_OK(SYS(bind, l, a, sizeof(*a)));
    REQUIRE_OK(SYS(listen, l, 3));
    REQUIRE_OK(SYS(getsockname, l, a, &len));
    return l;
}

TEST(counters, "connect sendto")
{
    static const char snmp[] = "/proc/net/snmp";
    long long active, passive, sent, none, established;
    struct sockaddr_in a, gone;
    int l, c, u;

    active = column(snmp, "Tcp", "ActiveOpens");
    passive = column(snmp, "Tcp", "PassiveOpens");
    sent = column(snmp, "Udp", "OutDatagrams");
    none = column(snmp, "Udp", "NoPorts");
    EXPECT_GE(active, 0);
    l = listener(&a);
    c = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(connect, c, &a, sizeof(a)));
    EXPECT_GT(column(snmp, "Tcp", "ActiveOpens"), active);
    EXPECT_GT(column(snmp, "Tcp", "PassiveOpens"), passive);
    established = column(snmp, "Tcp", "CurrEstab");
    EXPECT_GE(established, 2);
    gone = a; /* of TCP's ports; UDP has this one free, most likely */
    u = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_DGRAM, 0));
    REQUIRE_OK(SYS(sendto, u, "x", 1, 0, &gone, sizeof(gone)));
    EXPECT_GT(column(snmp, "Udp", "OutDatagrams"), sent);
    EXPECT_GT(column(snmp, "Udp", "NoPorts"), none);
    EXPECT_GE(column(snmp, "Ip", "DefaultTTL"), 64);
    EXPECT_GE(column(snmp, "Icmp", "OutAddrMaskReps"), 0);
    EXPECT_GE(column(snmp, "UdpLite", "InDatagrams"), 0);
    EXPECT_GE(column("/proc/net/netstat", "TcpExt", "TW"), 0);
    EXPECT_GE(column("/proc/net/netstat", "TcpExt", "ListenDrops"), 0);
    EXPECT_GE(column("/proc/net/netstat", "IpExt", "OutOctets"), 0);
    EXPECT(strstr(line_with("/proc/net/snmp6", "Udp6InDatagrams"), "\t") != NULL);
    SYS(close, c);
    SYS(close, l);
}

TEST(tables_have_their_heads, "read")
{
    static const char *const heads[][2] = {
        {"arp", "IP address       HW type     Flags       HW address            Mask     Device\n"},
        {"dev", "Inter-|   Receive"},
        {"icmp", "  sl  local_address rem_address   st tx_queue"},
        {"icmp6", "  sl  local_address                         remote_address"},
        {"netlink", "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"},
        {"netstat", "TcpExt: SyncookiesSent "},
        {"packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"},
        {"raw", "  sl  local_address rem_address   st tx_queue"},
        {"raw6", "  sl  local_address                         remote_address"},
        {"route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"},
        {"snmp", "Ip: Forwarding DefaultTTL "},
        {"snmp6", "Ip6InReceives                   \t"},
        {"sockstat", "sockets: used "},
        {"sockstat6", "TCP6: inuse "},
        {"tcp", "  sl  local_address rem_address   st tx_queue"},
        {"tcp6", "  sl  local_address                         remote_address"},
        {"udp", "   sl  local_address rem_address   st tx_queue"},
        {"udp6", "  sl  local_address                         remote_address"},
        {"udplite", "   sl  local_address rem_address   st tx_queue"},
        {"udplite6", "  sl  local_address                         remote_address"},
        {"unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"},
    };

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/net/%s", heads[i][0]);
        if (access(path, F_OK) < 0 && !guest_sandboxed())
            continue; /* a kernel without this protocol */
        if (!EXPECT_GT(guest_slurp(path, text, sizeof(text)), 0))
            continue;
        text[strlen(heads[i][1])] = 0;
        EXPECT_STREQ(text, heads[i][1]);
    }
}

TEST(netlink_sockets, "socket bind")
{
    int fd = (int)REQUIRE_OK(SYS(socket, AF_NETLINK, SOCK_RAW, 0));
    struct {
        uint16_t family, pad;
        uint32_t pid, groups;
    } a = {.family = AF_NETLINK};
    char part[64];
    const char *line;
    unsigned protocol, pid;

    REQUIRE_OK(SYS(bind, fd, &a, sizeof(a)));
    snprintf(part, sizeof(part), " %-8lu", (unsigned long)number_of(fd));
    line = line_with("/proc/net/netlink", part);
    REQUIRE(*line);
    EXPECT_EQ(sscanf(line, "%*s %u %u", &protocol, &pid), 2);
    EXPECT_EQ(protocol, 0);
    EXPECT_EQ(pid, getpid());
}

TEST(udp_sockets, "bind")
{
    int u = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    char part[64], want[64];
    const char *line;

    REQUIRE_OK(SYS(bind, u, &a, sizeof(a)));
    REQUIRE_OK(SYS(getsockname, u, &a, &len));
    snprintf(part, sizeof(part), ": 0100007F:%04X 00000000:0000 07 ", ntohs(a.sin_port));
    line = line_with("/proc/net/udp", part);
    EXPECT_EQ(strlen(line), 127);
    snprintf(want, sizeof(want), "%5u        0 %lu 2 ", geteuid(), (unsigned long)number_of(u));
    EXPECT(strstr(line, want) != NULL);
}

/* --- settings --- */

/* map_ids() - the parent, in a user namespace of its own by then, has the same ids there as outside */
static int map_ids(int go)
{
    static const char *const files[] = {"uid_map", "gid_map"};
    char path[64], c;

    if (SYS(read, go, &c, 1) != 1)
        return 1;
    for (int i = 0; i < 2; i++) {
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", getppid(), files[i]);
        fd = (int)SYS(open, path, O_WRONLY);
        if (SYS(write, fd, "0 0 2000", 8) != 8)
            return 1;
    }
    return 0;
}

/* own_user_ns() - and a network namespace of it. Return: 0, -1: it can't be had */
static int own_user_ns(void)
{
    int go[2];
    pid_t helper;

    REQUIRE_OK(SYS(pipe, go));
    helper = guest_fork();
    if (helper == 0)
        _exit(map_ids(go[0]));
    if (SYS(unshare, CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        guest_end(helper);
        return -1;
    }
    REQUIRE_OK(SYS(write, go[1], "x", 1));
    return guest_wait(helper) == 0 ? 0 : -1;
}

/* in_own_net() - the rest of the test is in a network namespace of its own, with lo up */
static void in_own_net(void)
{
    struct {
        char name[16];
        short flags;
        char rest[22];
    } r = {"lo", 1 /* IFF_UP */, {0}};
    int fd;

    if (guest_has_cap(12 /* CAP_NET_ADMIN */) ? SYS(unshare, CLONE_NEWNET) < 0 : own_user_ns() < 0)
        SKIP("no network namespace of its own: %s", strerror(errno));
    fd = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_DGRAM, 0));
    REQUIRE_OK(SYS(ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, &r));
    SYS(close, fd);
}

/* set() - write a setting. Return: 0, -1 and errno */
static long set(const char *name, const char *value)
{
    char path[128];
    long n, fd;
    int saved;

    snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
    fd = SYS(open, path, O_WRONLY);
    if (fd < 0)
        return -1;
    n = SYS(write, fd, value, strlen(value));
    saved = errno;
    SYS(close, fd);
    errno = saved;
    return n == (long)strlen(value) ? 0 : -1;
}

/* setting() - its text, the newline off */
static const char *setting(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
    REQUIRE(guest_slurp(path, text, sizeof(text)) > 0);
    text[strcspn(text, "\n")] = 0;
    return text;
}

/* bound_to() - bind a socket of this kind to a port of loopback, 0: any. Return: the port, or -1 */
static int bound_to(int type, int port)
{
    int fd = (int)REQUIRE_OK(SYS(socket, AF_INET, type, 0));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    long rc = SYS(bind, fd, &a, sizeof(a));
    int saved = errno;

    if (rc == 0)
        REQUIRE_OK(SYS(getsockname, fd, &a, &len));
    SYS(close, fd);
    errno = saved;
    return rc == 0 ? ntohs(a.sin_port) : -1;
}

TEST(setting_port_range, "bind setsockopt")
{
    unsigned own = 40003u << 16 | 40003;
    int fd;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);

    in_own_net();
    EXPECT_STREQ(setting("ipv4/ip_local_port_range"), "32768\t60999");
    REQUIRE_OK(set("ipv4/ip_local_port_range", "40000 40003\n"));
    EXPECT_STREQ(setting("ipv4/ip_local_port_range"), "40000\t40003");
    for (int i = 0; i < 20; i++) {
        int port = bound_to(i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

        EXPECT(port >= 40000 && port <= 40003);
    }
    /* IP_LOCAL_PORT_RANGE narrows it. */
    for (int i = 0; i < 8; i++) {
        fd = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_DGRAM, 0));
        if (SYS(setsockopt, fd, IPPROTO_IP, 51, &own, sizeof(own)) < 0)
            break;
        a.sin_port = 0;
        EXPECT_OK(SYS(bind, fd, &a, sizeof(a)));
        EXPECT_OK(SYS(getsockname, fd, &a, &len));
        EXPECT_EQ(ntohs(a.sin_port), 40003);
        SYS(close, fd);
    }
    EXPECT_ERRNO(set("ipv4/ip_local_port_range", "50 40"), EINVAL);
    EXPECT_ERRNO(set("ipv4/ip_local_port_range", "50 70000"), EINVAL);
    EXPECT_ERRNO(set("ipv4/ip_local_port_range", "500 40000"), EINVAL); /* privileged ones */
    EXPECT_ERRNO(set("ipv4/ip_local_port_range", "x"), EINVAL);
    EXPECT_OK(set("ipv4/ip_local_port_range", "40001"));
    EXPECT_STREQ(setting("ipv4/ip_local_port_range"), "40001\t40003");
}

TEST(setting_unprivileged_port, "bind bind:EACCES")
{
    pid_t child;

    in_own_net();
    EXPECT_STREQ(setting("ipv4/ip_unprivileged_port_start"), "1024");
    REQUIRE_OK(set("ipv4/ip_unprivileged_port_start", "80"));
    EXPECT_ERRNO(set("ipv4/ip_unprivileged_port_start", "40000"), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE_OK(SYS(setresuid, 1000, 1000, 1000));
        EXPECT_EQ(bound_to(SOCK_STREAM, 80), 80);
        EXPECT_ERRNO(bound_to(SOCK_STREAM, 79), EACCES);
        EXPECT_ERRNO(set("ipv4/ip_unprivileged_port_start", "0"), EACCES);
    }
    EXPECT_CHILD_OK(child);
}

TEST(setting_ping_groups, "socket socket:EACCES")
{
    pid_t child;

    in_own_net();
    REQUIRE_OK(set("ipv4/ping_group_range", "700 800"));
    EXPECT_STREQ(setting("ipv4/ping_group_range"), "700\t800");
    EXPECT_ERRNO(set("ipv4/ping_group_range", "x"), EINVAL);
    IN_CHILD(child)
    {
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 699, 699, 699));
        EXPECT_ERRNO(SYS(socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES);
        REQUIRE_OK(SYS(setresgid, 800, 800, 800));
        EXPECT_OK(SYS(socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    }
    EXPECT_CHILD_OK(child);
    EXPECT_OK(set("ipv4/ping_group_range", "5 3")); /* nobody */
    EXPECT_STREQ(setting("ipv4/ping_group_range"), "1\t0");
}

static int option_of(int fd, int level, int name)
{
    int v = -1;
    socklen_t len = sizeof(v);

    EXPECT_OK(SYS(getsockopt, fd, level, name, &v, &len));
    return v;
}

TEST(setting_defaults, "getsockopt setsockopt")
{
    int fd;

    in_own_net();
    REQUIRE_OK(set("ipv4/tcp_keepalive_time", "100"));
    EXPECT_OK(set("ipv4/tcp_keepalive_intvl", "10"));
    EXPECT_OK(set("ipv4/tcp_keepalive_probes", "3"));
    EXPECT_OK(set("ipv4/tcp_syn_retries", "2"));
    EXPECT_OK(set("ipv4/tcp_fin_timeout", "17"));
    EXPECT_OK(set("ipv4/ip_default_ttl", "33"));
    EXPECT_OK(set("ipv4/tcp_rmem", "4096 65536 131072"));
    EXPECT_OK(set("ipv4/tcp_wmem", "4096\t32768"));
    EXPECT_EQ(strncmp(setting("ipv4/tcp_wmem"), "4096\t32768\t4", 12), 0);
    fd = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 100);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_SYNCNT), 2);
    EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_LINGER2), 17);
    EXPECT_EQ(option_of(fd, IPPROTO_IP, IP_TTL), 33);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_RCVBUF), 65536);
    EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_SNDBUF), 32768);
    EXPECT_OK(set("ipv6/bindv6only", "1"));
    fd = (int)REQUIRE_OK(SYS(socket, AF_INET6, SOCK_STREAM, 0));
    EXPECT_EQ(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    EXPECT_ERRNO(set("ipv4/ip_default_ttl", "0"), EINVAL);
    EXPECT_ERRNO(set("ipv4/ip_default_ttl", "256"), EINVAL);
}

TEST(setting_disable_ipv6, "bind bind:EADDRNOTAVAIL connect:EADDRNOTAVAIL")
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd;

    in_own_net();
    EXPECT_STREQ(setting("ipv6/conf/all/disable_ipv6"), "0");
    fd = (int)REQUIRE_OK(SYS(socket, AF_INET6, SOCK_STREAM, 0));
    EXPECT_OK(SYS(bind, fd, &a, sizeof(a)));
    REQUIRE_OK(set("ipv6/conf/lo/disable_ipv6", "1"));
    fd = (int)REQUIRE_OK(SYS(socket, AF_INET6, SOCK_STREAM, 0));
    EXPECT_ERRNO(SYS(bind, fd, &a, sizeof(a)), EADDRNOTAVAIL);
    a.sin6_port = htons(1);
    EXPECT_ERRNO(SYS(connect, fd, &a, sizeof(a)), EADDRNOTAVAIL);
    a.sin6_port = 0;
    EXPECT_EQ(guest_slurp("/proc/net/if_inet6", text, sizeof(text)), 0);
    EXPECT_OK(set("ipv6/conf/lo/disable_ipv6", "0"));
    EXPECT_OK(SYS(bind, fd, &a, sizeof(a)));
    EXPECT(strstr(line_with("/proc/net/if_inet6", "lo"), "00000000000000000000000000000001 01 80 10 80") != NULL);
}

TEST(setting_somaxconn, "listen connect connect:EAGAIN")
{
    struct sockaddr_un a = {AF_UNIX, "s"};
    int l;

    in_own_net();
    guest_scratch();
    REQUIRE_OK(set("core/somaxconn", "2"));
    l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(bind, l, &a, sizeof(a)));
    REQUIRE_OK(SYS(listen, l, 100));
    for (int i = 0; i < 4; i++) {
        int c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

        if (i < 3)
            EXPECT_OK(SYS(connect, c, &a, sizeof(a)));
        else
            EXPECT_ERRNO(SYS(connect, c, &a, sizeof(a)), EAGAIN);
    }
    EXPECT_ERRNO(set("core/somaxconn", "-1"), EINVAL);
}

TEST(settings_that_are_read, "read")
{
    static const char *const names[] = {
        "core/optmem_max", "core/rmem_default", "core/rmem_max", "core/somaxconn", "core/wmem_default",
        "core/wmem_max", "ipv4/ip_forward", "ipv4/ip_nonlocal_bind", "ipv4/tcp_sack",
        "ipv4/tcp_timestamps", "ipv4/tcp_window_scaling", "ipv6/conf/all/disable_ipv6",
        "ipv6/conf/default/disable_ipv6", "ipv6/ip_nonlocal_bind", "unix/max_dgram_qlen"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        EXPECT(*setting(names[i]) >= '0' && *text <= '9');
    EXPECT(strstr(setting("ipv4/tcp_available_congestion_control"), "reno") != NULL);
    EXPECT(*setting("ipv4/tcp_congestion_control") != 0);
}

/* --- /sys/class/net --- */

TEST(class_net, "readlink read:EINVAL")
{
    static const char *const values[][2] = {
        {"addr_len", "6"}, {"address", "00:00:00:00:00:00"}, {"broadcast", "00:00:00:00:00:00"},
        {"carrier", "1"}, {"dev_id", "0x0"}, {"flags", "0x9"}, {"ifindex", "1"}, {"iflink", "1"},
        {"link_mode", "0"}, {"mtu", "65536"}, {"operstate", "unknown"}, {"tx_queue_len", "1000"},
        {"type", "772"}, {"uevent", "INTERFACE=lo"}, {"statistics/rx_errors", "0"},
        {"statistics/collisions", "0"}};
    char path[128];
    int fd;
    ssize_t n = readlink("/sys/class/net/lo", path, sizeof(path) - 1);

    if (n < 0 && errno == ENOENT)
        SKIP("no /sys");
    REQUIRE(n > 0);
    path[n] = 0;
    EXPECT_STREQ(path, "../../devices/virtual/net/lo");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(path, sizeof(path), "/sys/class/net/lo/%s", values[i][0]);
        if (!EXPECT_GT(guest_slurp(path, text, sizeof(text)), 0))
            continue;
        text[strcspn(text, "\n")] = 0;
        EXPECT_STREQ(text, values[i][1]);
    }
    fd = (int)REQUIRE_OK(SYS(open, "/sys/class/net/lo/speed", O_RDONLY));
    EXPECT_ERRNO(SYS(read, fd, text, sizeof(text)), EINVAL);
    EXPECT_OK(access("/sys/class/net/lo/subsystem/lo/queues/rx-0", F_OK));
}
