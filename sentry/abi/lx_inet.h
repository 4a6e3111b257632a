/* Guest ABI: IPv4 and IPv6 sockets: protocols, options of IP, IPV6, TCP and UDP, and what they carry. */
#pragma once

#include "sentry/abi/lx_socket.h"

enum {
    LX_IPPROTO_IP = 0,
    LX_IPPROTO_ICMP = 1,
    LX_IPPROTO_TCP = 6,
    LX_IPPROTO_UDP = 17,
    LX_IPPROTO_IPV6 = 41,
    LX_IPPROTO_ICMPV6 = 58,
    LX_IPPROTO_UDPLITE = 136,
    LX_IPPROTO_MAX = 262 + 1,
};

enum lx_tcp_state {
    LX_TCP_ESTABLISHED = 1,
    LX_TCP_SYN_SENT,
    LX_TCP_SYN_RECV,
    LX_TCP_FIN_WAIT1,
    LX_TCP_FIN_WAIT2,
    LX_TCP_TIME_WAIT,
    LX_TCP_CLOSE,
    LX_TCP_CLOSE_WAIT,
    LX_TCP_LAST_ACK,
    LX_TCP_LISTEN,
    LX_TCP_CLOSING,
};

/* Level IPPROTO_IP. */
enum {
    LX_IP_TOS = 1,
    LX_IP_TTL = 2,
    LX_IP_HDRINCL = 3,
    LX_IP_OPTIONS = 4,
    LX_IP_RECVOPTS = 6,
    LX_IP_RETOPTS = 7,
    LX_IP_PKTINFO = 8,
    LX_IP_MTU_DISCOVER = 10,
    LX_IP_RECVERR = 11,
    LX_IP_RECVTTL = 12,
    LX_IP_RECVTOS = 13,
    LX_IP_MTU = 14,
    LX_IP_FREEBIND = 15,
    LX_IP_TRANSPARENT = 19,
    LX_IP_RECVORIGDSTADDR = 20,
    LX_IP_MINTTL = 21,
    LX_IP_BIND_ADDRESS_NO_PORT = 24,
    LX_IP_RECVERR_RFC4884 = 26,
    LX_IP_MULTICAST_IF = 32,
    LX_IP_MULTICAST_TTL = 33,
    LX_IP_MULTICAST_LOOP = 34,
    LX_IP_ADD_MEMBERSHIP = 35,
    LX_IP_DROP_MEMBERSHIP = 36,
    LX_MCAST_JOIN_GROUP = 42,
    LX_MCAST_LEAVE_GROUP = 45,
    LX_IP_MULTICAST_ALL = 49,
    LX_IP_UNICAST_IF = 50,
    LX_IP_LOCAL_PORT_RANGE = 51,
};

/* Level IPPROTO_IPV6. */
enum {
    LX_IPV6_2292PKTOPTIONS = 6,
    LX_IPV6_CHECKSUM = 7,
    LX_IPV6_UNICAST_HOPS = 16,
    LX_IPV6_MULTICAST_IF = 17,
    LX_IPV6_MULTICAST_HOPS = 18,
    LX_IPV6_MULTICAST_LOOP = 19,
    LX_IPV6_ADD_MEMBERSHIP = 20,
    LX_IPV6_DROP_MEMBERSHIP = 21,
    LX_IPV6_ROUTER_ALERT = 22,
    LX_IPV6_MTU_DISCOVER = 23,
    LX_IPV6_MTU = 24,
    LX_IPV6_RECVERR = 25,
    LX_IPV6_V6ONLY = 26,
    LX_IPV6_MULTICAST_ALL = 29,
    LX_IPV6_FLOWINFO_SEND = 33,
    LX_IPV6_RECVPKTINFO = 49,
    LX_IPV6_PKTINFO = 50,
    LX_IPV6_RECVHOPLIMIT = 51,
    LX_IPV6_HOPLIMIT = 52,
    LX_IPV6_DONTFRAG = 62,
    LX_IPV6_RECVTCLASS = 66,
    LX_IPV6_TCLASS = 67,
    LX_IPV6_AUTOFLOWLABEL = 70,
    LX_IPV6_ADDR_PREFERENCES = 72,
    LX_IPV6_MINHOPCOUNT = 73,
    LX_IPV6_TRANSPARENT = 75,
    LX_IPV6_UNICAST_IF = 76,
    LX_IPV6_FREEBIND = 78,
};

/* Level IPPROTO_TCP. */
enum {
    LX_TCP_NODELAY = 1,
    LX_TCP_MAXSEG = 2,
    LX_TCP_CORK = 3,
    LX_TCP_KEEPIDLE = 4,
    LX_TCP_KEEPINTVL = 5,
    LX_TCP_KEEPCNT = 6,
    LX_TCP_SYNCNT = 7,
    LX_TCP_LINGER2 = 8,
    LX_TCP_DEFER_ACCEPT = 9,
    LX_TCP_WINDOW_CLAMP = 10,
    LX_TCP_INFO = 11,
    LX_TCP_QUICKACK = 12,
    LX_TCP_CONGESTION = 13,
    LX_TCP_MD5SIG = 14,
    LX_TCP_THIN_LINEAR_TIMEOUTS = 16,
    LX_TCP_THIN_DUPACK = 17,
    LX_TCP_USER_TIMEOUT = 18,
    LX_TCP_REPAIR = 19,
    LX_TCP_REPAIR_QUEUE = 20,
    LX_TCP_QUEUE_SEQ = 21,
    LX_TCP_REPAIR_OPTIONS = 22,
    LX_TCP_FASTOPEN = 23,
    LX_TCP_TIMESTAMP = 24,
    LX_TCP_NOTSENT_LOWAT = 25,
    LX_TCP_CC_INFO = 26,
    LX_TCP_SAVE_SYN = 27,
    LX_TCP_SAVED_SYN = 28,
    LX_TCP_REPAIR_WINDOW = 29,
    LX_TCP_FASTOPEN_CONNECT = 30,
    LX_TCP_ULP = 31,
    LX_TCP_FASTOPEN_NO_COOKIE = 34,
    LX_TCP_ZEROCOPY_RECEIVE = 35,
    LX_TCP_INQ = 36,
    LX_TCP_TX_DELAY = 37,
};

/* Level IPPROTO_UDP. */
enum {
    LX_UDP_CORK = 1,
    LX_UDP_ENCAP = 100,
    LX_UDP_NO_CHECK6_TX = 101,
    LX_UDP_NO_CHECK6_RX = 102,
    LX_UDP_SEGMENT = 103,
    LX_UDP_GRO = 104,
};

struct lx_in_pktinfo {
    s32 ifindex;
    u32 spec_dst, addr; /* network order */
};

struct lx_in6_pktinfo {
    u8 addr[16];
    u32 ifindex;
};

struct lx_ip_mreqn {
    u32 multiaddr, address; /* network order */
    s32 ifindex;
};

struct lx_ipv6_mreq {
    u8 multiaddr[16];
    u32 ifindex;
};

struct lx_sock_extended_err {
    u32 err;
    u8 origin, type, code, pad;
    u32 info, data;
};

enum { LX_SO_EE_ORIGIN_LOCAL = 1, LX_SO_EE_ORIGIN_ICMP = 2, LX_SO_EE_ORIGIN_ICMP6 = 3 };

struct lx_tcp_info {
    u8 state, ca_state, retransmits, probes, backoff, options, wscale, flags;
    u32 rto, ato, snd_mss, rcv_mss;
    u32 unacked, sacked, lost, retrans, fackets;
    u32 last_data_sent, last_ack_sent, last_data_recv, last_ack_recv; /* ms ago */
    u32 pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    u32 rcv_rtt, rcv_space, total_retrans;
    u64 pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    u32 segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
    u64 delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    u32 delivered, delivered_ce;
    u64 bytes_sent, bytes_retrans;
    u32 dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
    u16 total_rto, total_rto_recoveries;
    u32 total_rto_time;
};
_Static_assert(sizeof(struct lx_tcp_info) == 248, "struct tcp_info");

/* Interfaces. */
enum {
    LX_IFF_UP = 0x1,
    LX_IFF_BROADCAST = 0x2,
    LX_IFF_LOOPBACK = 0x8,
    LX_IFF_RUNNING = 0x40,
    LX_IFF_MULTICAST = 0x1000,
    LX_IFF_LOWER_UP = 0x10000,
};

enum { LX_ARPHRD_LOOPBACK = 772 };

struct lx_ifreq {
    char name[LX_IFNAMSIZ];
    union {
        struct lx_sockaddr_in addr;
        u8 hwaddr[16];
        s16 flags;
        s32 value;
        char newname[LX_IFNAMSIZ];
        u8 map[24];
    };
};
_Static_assert(sizeof(struct lx_ifreq) == 40, "struct ifreq");

struct lx_ifconf {
    s32 len, pad;
    uaddr_t req;
};

enum {
    LX_SIOCADDRT = 0x890b,
    LX_SIOCDELRT = 0x890c,
    LX_SIOCGIFNAME = 0x8910,
    LX_SIOCSIFLINK = 0x8911,
    LX_SIOCGIFCONF = 0x8912,
    LX_SIOCGIFFLAGS = 0x8913,
    LX_SIOCSIFFLAGS = 0x8914,
    LX_SIOCGIFADDR = 0x8915,
    LX_SIOCSIFADDR = 0x8916,
    LX_SIOCGIFDSTADDR = 0x8917,
    LX_SIOCSIFDSTADDR = 0x8918,
    LX_SIOCGIFBRDADDR = 0x8919,
    LX_SIOCSIFBRDADDR = 0x891a,
    LX_SIOCGIFNETMASK = 0x891b,
    LX_SIOCSIFNETMASK = 0x891c,
    LX_SIOCGIFMETRIC = 0x891d,
    LX_SIOCSIFMETRIC = 0x891e,
    LX_SIOCGIFMTU = 0x8921,
    LX_SIOCSIFMTU = 0x8922,
    LX_SIOCSIFNAME = 0x8923,
    LX_SIOCSIFHWADDR = 0x8924,
    LX_SIOCGIFHWADDR = 0x8927,
    LX_SIOCGIFINDEX = 0x8933,
    LX_SIOCGIFTXQLEN = 0x8942,
    LX_SIOCSIFTXQLEN = 0x8943,
    LX_SIOCETHTOOL = 0x8946,
    LX_SIOCOUTQNSD = 0x894b,
    LX_SIOCDARP = 0x8953,
    LX_SIOCGARP = 0x8954,
    LX_SIOCSARP = 0x8955,
    LX_SIOCGIFMAP = 0x8970,
};
