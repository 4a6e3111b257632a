/* /proc/net, /proc/sys/net, /sys/class/net: what ss, netstat, lsof and language run-times read there. */
#include "guest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
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
