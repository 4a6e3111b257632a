/*
 * /proc/PID/net: counters, as netstat -s, nstat and ss -s read them. On loopback nothing is ever a packet
 * or a segment, so what Linux counts of these stays 0 here; datagrams, and what becomes of connections,
 * are counted.
 */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_inet.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/socket/inet/inet_row.h"
#include "sentry/socket/socket.h"

#include <string.h>

static bool in_use(const struct inet_row *r, u16 family)
{
    return r->family == family && r->state != LX_TCP_TIME_WAIT;
}

/* Not accepted yet, or closed and not at its end: Linux has a socket for it, we don't. */
static bool is_bare(const struct inet_row *r, u16 family)
{
    (void)family;
    return r->bare && r->state != LX_TCP_TIME_WAIT;
}

/* Closed by its process, and not at its end. */
static bool is_orphan(const struct inet_row *r, u16 family)
{
    (void)family;
    return r->orphan && r->state != LX_TCP_TIME_WAIT;
}

static bool is_established(const struct inet_row *r, u16 family)
{
    (void)family;
    return r->state == LX_TCP_ESTABLISHED || r->state == LX_TCP_CLOSE_WAIT;
}

/* count_rows() - how many of a table are so. */
static u32 count_rows(struct inet_ns *ns, enum inet_table table, u16 family,
                      bool (*is)(const struct inet_row *r, u16 family))
{
    auto_free struct inet_row *rows = NULL;
    ssize_t n = inet_rows(ns, table, &rows);
    u32 count = 0;

    for (ssize_t i = 0; i < n; i++)
        count += is(&rows[i], family);
    return count;
}

int proc_show_net_sockstat(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;

    if (!ns)
        return 0;
    proc_printf(out, "sockets: used %llu\n", (unsigned long long)socket_count(net));
    proc_printf(out, "TCP: inuse %u orphan %u tw %u alloc %u mem 0\n",
                count_rows(ns, INET_TCP, LX_AF_INET, in_use),
                count_rows(ns, INET_TCP, LX_AF_UNSPEC, is_orphan), ns->time_waits,
                ns->sockets[INET_TCP] + count_rows(ns, INET_TCP, LX_AF_UNSPEC, is_bare));
    proc_printf(out, "UDP: inuse %u mem 0\nUDPLITE: inuse %u\nRAW: inuse 0\n"
                     "FRAG: inuse 0 memory 0\n",
                count_rows(ns, INET_UDP, LX_AF_INET, in_use), count_rows(ns, INET_UDPLITE, LX_AF_INET, in_use));
    return 0;
}

int proc_show_net_sockstat6(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;

    if (!ns)
        return 0;
    proc_printf(out, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse 0\n"
                     "FRAG6: inuse 0 memory 0\n",
                count_rows(ns, INET_TCP, LX_AF_INET6, in_use), count_rows(ns, INET_UDP, LX_AF_INET6, in_use),
                count_rows(ns, INET_UDPLITE, LX_AF_INET6, in_use));
    return 0;
}

/* put_table() - a protocol's two lines: names, and a number for each: n values, then 0. */
static void put_table(struct proc_text *out, const char *name, const char *names, const u64 *values,
                      u32 n)
{
    u32 i = 0;

    proc_printf(out, "%s: %s\n%s:", name, names, name);
    for (const char *at = names; at; at = strchr(at + 1, ' '), i++)
        proc_printf(out, " %lld", i < n ? (long long)values[i] : 0);
    proc_puts(out, "\n");
}
#define PUT(out, name, names, ...)                                                                 \
    put_table(out, name, names, (const u64[]){__VA_ARGS__},                                        \
              sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64))

#define UDP_NAMES                                                                                  \
    "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "            \
    "IgnoredMulti MemErrors"

int proc_show_net_snmp(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    const struct inet_counters *c = ns ? &ns->count : NULL;

    if (!c)
        return 0;
    PUT(out, "Ip",
        "Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos "
        "InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
        "ReasmFails FragOKs FragFails FragCreates OutTransmits",
        2, 64);
    PUT(out, "Icmp",
        "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
        "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
        "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal "
        "OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
        "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks "
        "OutAddrMaskReps",
        0);
    PUT(out, "Tcp",
        "RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
        "CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors",
        1, 200, 120000, UINT64_MAX, c->tcp_active, c->tcp_passive, c->tcp_fails, c->tcp_resets,
        count_rows(ns, INET_TCP, LX_AF_UNSPEC, is_established));
    PUT(out, "Udp", UDP_NAMES, c->udp_in, c->udp_no_ports, c->udp_full, c->udp_out, c->udp_full);
    PUT(out, "UdpLite", UDP_NAMES, 0);
    return 0;
}

static const char tcp_ext[] =
    "SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned "
    "OfoPruned OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled "
    "PAWSActive PAWSEstab BeyondWindow TSEcrRejected PAWSOldAck PAWSTimewait DelayedACKs "
    "DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits TCPPureAcks "
    "TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPSACKReorder "
    "TCPRenoReorder TCPTSReorder TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo "
    "TCPLostRetransmit TCPRenoFailures TCPSackFailures TCPLossFailures TCPFastRetrans "
    "TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPLossProbeRecovery "
    "TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed TCPBacklogCoalesce "
    "TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData "
    "TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed "
    "TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard TCPDSACKIgnoredOld "
    "TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure "
    "TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop "
    "TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter TCPTimeWaitOverflow "
    "TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce TCPOFOQueue "
    "TCPOFODrop TCPOFOMerge TCPChallengeACK TCPSYNChallenge TCPFastOpenActive "
    "TCPFastOpenActiveFail TCPFastOpenPassive TCPFastOpenPassiveFail "
    "TCPFastOpenListenOverflow TCPFastOpenCookieReqd TCPFastOpenBlackhole "
    "TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv "
    "TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent "
    "TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd "
    "TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 "
    "TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive TCPMTUPFail "
    "TCPMTUPSuccess TCPDelivered TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop "
    "TCPRcvQDrop TCPWqueueTooBig TCPFastOpenPassiveAltKey TcpTimeoutRehash "
    "TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious TCPMigrateReqSuccess "
    "TCPMigrateReqFailure TCPPLBRehash TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAOGood "
    "TCPAODroppedIcmps";

int proc_show_net_netstat(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;
    enum { TW = 10 };
    u64 values[TW + 1] = {0};

    if (!ns)
        return 0;
    values[TW] = ns->count.tcp_time_waits;
    put_table(out, "TcpExt", tcp_ext, values, TW + 1);
    PUT(out, "IpExt",
        "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts "
        "InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets "
        "InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps",
        0);
    return 0;
}

static const char *const snmp6_names[] = {
    "Ip6InReceives", "Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes", "Ip6InAddrErrors",
    "Ip6InUnknownProtos", "Ip6InTruncatedPkts", "Ip6InDiscards", "Ip6InDelivers",
    "Ip6OutForwDatagrams", "Ip6OutRequests", "Ip6OutDiscards", "Ip6OutNoRoutes",
    "Ip6ReasmTimeout", "Ip6ReasmReqds", "Ip6ReasmOKs", "Ip6ReasmFails", "Ip6FragOKs",
    "Ip6FragFails", "Ip6FragCreates", "Ip6InMcastPkts", "Ip6OutMcastPkts", "Ip6InOctets",
    "Ip6OutOctets", "Ip6InMcastOctets", "Ip6OutMcastOctets", "Ip6InBcastOctets",
    "Ip6OutBcastOctets", "Ip6InNoECTPkts", "Ip6InECT1Pkts", "Ip6InECT0Pkts", "Ip6InCEPkts",
    "Ip6OutTransmits", "Icmp6InMsgs", "Icmp6InErrors", "Icmp6OutMsgs", "Icmp6OutErrors",
    "Icmp6InCsumErrors", "Icmp6OutRateLimitHost", "Icmp6InDestUnreachs", "Icmp6InPktTooBigs",
    "Icmp6InTimeExcds", "Icmp6InParmProblems", "Icmp6InEchos", "Icmp6InEchoReplies",
    "Icmp6InGroupMembQueries", "Icmp6InGroupMembResponses", "Icmp6InGroupMembReductions",
    "Icmp6InRouterSolicits", "Icmp6InRouterAdvertisements", "Icmp6InNeighborSolicits",
    "Icmp6InNeighborAdvertisements", "Icmp6InRedirects", "Icmp6InMLDv2Reports",
    "Icmp6OutDestUnreachs", "Icmp6OutPktTooBigs", "Icmp6OutTimeExcds", "Icmp6OutParmProblems",
    "Icmp6OutEchos", "Icmp6OutEchoReplies", "Icmp6OutGroupMembQueries",
    "Icmp6OutGroupMembResponses", "Icmp6OutGroupMembReductions", "Icmp6OutRouterSolicits",
    "Icmp6OutRouterAdvertisements", "Icmp6OutNeighborSolicits",
    "Icmp6OutNeighborAdvertisements", "Icmp6OutRedirects", "Icmp6OutMLDv2Reports",
    "Udp6InDatagrams", "Udp6NoPorts", "Udp6InErrors", "Udp6OutDatagrams", "Udp6RcvbufErrors",
    "Udp6SndbufErrors", "Udp6InCsumErrors", "Udp6IgnoredMulti", "Udp6MemErrors",
    "UdpLite6InDatagrams", "UdpLite6NoPorts", "UdpLite6InErrors", "UdpLite6OutDatagrams",
    "UdpLite6RcvbufErrors", "UdpLite6SndbufErrors", "UdpLite6InCsumErrors", "UdpLite6MemErrors",
};

/* udp6_counter() - what is counted of datagrams over IPv6; the rest is 0. */
static u64 udp6_counter(const struct inet_counters *c, const char *name)
{
    if (strcmp(name, "Udp6InDatagrams") == 0)
        return c->udp6_in;
    if (strcmp(name, "Udp6NoPorts") == 0)
        return c->udp6_no_ports;
    if (strcmp(name, "Udp6OutDatagrams") == 0)
        return c->udp6_out;
    if (strcmp(name, "Udp6InErrors") == 0 || strcmp(name, "Udp6RcvbufErrors") == 0)
        return c->udp6_full;
    return 0;
}

int proc_show_net_snmp6(const struct proc_node *n, struct proc_text *out)
{
    auto_put(net_ns) struct net_ns *net = proc_net_ns(n);
    struct inet_ns *ns = net ? inet_ns_of(net) : NULL;

    if (!ns)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(snmp6_names); i++)
        proc_printf(out, "%-32s\t%llu\n", snmp6_names[i],
                    (unsigned long long)udp6_counter(&ns->count, snmp6_names[i]));
    return 0;
}
