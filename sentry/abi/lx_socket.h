/* Guest ABI: sockets: families, types, options, addresses, messages. */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_AF_UNSPEC = 0,
    LX_AF_UNIX = 1,
    LX_AF_INET = 2,
    LX_AF_INET6 = 10,
    LX_AF_NETLINK = 16,
    LX_AF_PACKET = 17,
    LX_AF_VSOCK = 40,
    LX_AF_MAX = 46,
};

enum {
    LX_SOCK_STREAM = 1,
    LX_SOCK_DGRAM = 2,
    LX_SOCK_RAW = 3,
    LX_SOCK_RDM = 4,
    LX_SOCK_SEQPACKET = 5,
    LX_SOCK_DCCP = 6,
    LX_SOCK_PACKET = 10,
    LX_SOCK_TYPE_MASK = 0xf,
    LX_SOCK_NONBLOCK = 04000,
    LX_SOCK_CLOEXEC = 02000000,
};

enum { LX_SHUT_RD = 0, LX_SHUT_WR = 1, LX_SHUT_RDWR = 2 };

enum {
    LX_MSG_OOB = 0x1,
    LX_MSG_PEEK = 0x2,
    LX_MSG_DONTROUTE = 0x4,
    LX_MSG_CTRUNC = 0x8,
    LX_MSG_PROBE = 0x10,
    LX_MSG_TRUNC = 0x20,
    LX_MSG_DONTWAIT = 0x40,
    LX_MSG_EOR = 0x80,
    LX_MSG_WAITALL = 0x100,
    LX_MSG_FIN = 0x200,
    LX_MSG_SYN = 0x400,
    LX_MSG_CONFIRM = 0x800,
    LX_MSG_RST = 0x1000,
    LX_MSG_ERRQUEUE = 0x2000,
    LX_MSG_NOSIGNAL = 0x4000,
    LX_MSG_MORE = 0x8000,
    LX_MSG_WAITFORONE = 0x10000,
    LX_MSG_BATCH = 0x40000,
    LX_MSG_ZEROCOPY = 0x4000000,
    LX_MSG_FASTOPEN = 0x20000000,
    LX_MSG_CMSG_CLOEXEC = 0x40000000,
};

/* Levels and the options of SOL_SOCKET (x86-64 numbers). */
enum {
    LX_SOL_SOCKET = 1,
    LX_SOL_IP = 0,
    LX_SOL_TCP = 6,
    LX_SOL_UDP = 17,
    LX_SOL_IPV6 = 41,
    LX_SOL_ICMPV6 = 58,
    LX_SOL_RAW = 255,
    LX_SOL_NETLINK = 270,
};

enum {
    LX_SO_DEBUG = 1,
    LX_SO_REUSEADDR = 2,
    LX_SO_TYPE = 3,
    LX_SO_ERROR = 4,
    LX_SO_DONTROUTE = 5,
    LX_SO_BROADCAST = 6,
    LX_SO_SNDBUF = 7,
    LX_SO_RCVBUF = 8,
    LX_SO_KEEPALIVE = 9,
    LX_SO_OOBINLINE = 10,
    LX_SO_NO_CHECK = 11,
    LX_SO_PRIORITY = 12,
    LX_SO_LINGER = 13,
    LX_SO_REUSEPORT = 15,
    LX_SO_PASSCRED = 16,
    LX_SO_PEERCRED = 17,
    LX_SO_RCVLOWAT = 18,
    LX_SO_SNDLOWAT = 19,
    LX_SO_RCVTIMEO_OLD = 20,
    LX_SO_SNDTIMEO_OLD = 21,
    LX_SO_BINDTODEVICE = 25,
    LX_SO_ATTACH_FILTER = 26,
    LX_SO_DETACH_FILTER = 27,
    LX_SO_PEERNAME = 28,
    LX_SO_TIMESTAMP_OLD = 29,
    LX_SO_ACCEPTCONN = 30,
    LX_SO_PEERSEC = 31,
    LX_SO_SNDBUFFORCE = 32,
    LX_SO_RCVBUFFORCE = 33,
    LX_SO_PASSSEC = 34,
    LX_SO_TIMESTAMPNS_OLD = 35,
    LX_SO_MARK = 36,
    LX_SO_TIMESTAMPING_OLD = 37,
    LX_SO_PROTOCOL = 38,
    LX_SO_DOMAIN = 39,
    LX_SO_RXQ_OVFL = 40,
    LX_SO_PEEK_OFF = 42,
    LX_SO_NOFCS = 43,
    LX_SO_LOCK_FILTER = 44,
    LX_SO_SELECT_ERR_QUEUE = 45,
    LX_SO_BUSY_POLL = 46,
    LX_SO_MAX_PACING_RATE = 47,
    LX_SO_INCOMING_CPU = 49,
    LX_SO_ATTACH_BPF = 50,
    LX_SO_MEMINFO = 55,
    LX_SO_INCOMING_NAPI_ID = 56,
    LX_SO_COOKIE = 57,
    LX_SO_PEERGROUPS = 59,
    LX_SO_TIMESTAMP_NEW = 63,
    LX_SO_TIMESTAMPNS_NEW = 64,
    LX_SO_RCVTIMEO_NEW = 66,
    LX_SO_SNDTIMEO_NEW = 67,
    LX_SO_PREFER_BUSY_POLL = 69,
    LX_SO_BUSY_POLL_BUDGET = 70,
    LX_SO_NETNS_COOKIE = 71,
    LX_SO_PEERPIDFD = 77,
    LX_SO_PASSRIGHTS = 83,
};

/* Control messages of SOL_SOCKET. */
enum {
    LX_SCM_RIGHTS = 1,
    LX_SCM_CREDENTIALS = 2,
    LX_SCM_SECURITY = 3,
    LX_SCM_PIDFD = 4,
    LX_SCM_MAX_FD = 253,
};

enum { LX_SOCKADDR_MAX = 128, LX_UNIX_PATH_MAX = 108, LX_IFNAMSIZ = 16 };

struct lx_sockaddr_un {
    u16 family;
    char path[LX_UNIX_PATH_MAX];
};

struct lx_sockaddr_in {
    u16 family;
    u16 port; /* network order, as is addr */
    u32 addr;
    u8 zero[8];
};

struct lx_sockaddr_in6 {
    u16 family;
    u16 port; /* network order */
    u32 flowinfo;
    u8 addr[16];
    u32 scope_id;
};

struct lx_sockaddr_nl {
    u16 family, pad;
    u32 pid, groups;
};

struct lx_linger {
    s32 onoff, linger;
};

struct lx_timeval_sock {
    s64 sec, usec;
};

struct lx_ucred {
    s32 pid;
    u32 uid, gid;
};

struct lx_msghdr {
    uaddr_t name;
    s32 namelen;
    u32 pad;
    uaddr_t iov;
    u64 iovlen;
    uaddr_t control;
    u64 controllen;
    u32 flags, pad2;
};
_Static_assert(sizeof(struct lx_msghdr) == 56, "struct msghdr");

struct lx_mmsghdr {
    struct lx_msghdr hdr;
    u32 len, pad;
};

struct lx_cmsghdr {
    u64 len; /* with this header */
    s32 level, type;
};
_Static_assert(sizeof(struct lx_cmsghdr) == 16, "struct cmsghdr");

/* Socket ioctls that every family has. */
enum {
    LX_FIOSETOWN = 0x8901,
    LX_SIOCSPGRP = 0x8902,
    LX_FIOGETOWN = 0x8903,
    LX_SIOCGPGRP = 0x8904,
    LX_SIOCATMARK = 0x8905,
    LX_SIOCGSTAMP_OLD = 0x8906,
    LX_SIOCGSTAMPNS_OLD = 0x8907,
    LX_SIOCINQ = 0x541b,
    LX_SIOCOUTQ = 0x5411,
};
