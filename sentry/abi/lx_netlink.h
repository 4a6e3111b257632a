/* Guest ABI: AF_NETLINK: message headers, rtnetlink, sock_diag. */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_NETLINK_ROUTE = 0,
    LX_NETLINK_SOCK_DIAG = 4,
    LX_NETLINK_KOBJECT_UEVENT = 15,
    LX_NETLINK_MAX = 32,
};

struct lx_nlmsghdr {
    u32 len; /* with this header */
    u16 type, flags;
    u32 seq, pid;
};
_Static_assert(sizeof(struct lx_nlmsghdr) == 16, "struct nlmsghdr");

enum {
    LX_NLM_F_REQUEST = 0x1,
    LX_NLM_F_MULTI = 0x2,
    LX_NLM_F_ACK = 0x4,
    LX_NLM_F_DUMP_INTR = 0x10,
    LX_NLM_F_DUMP_FILTERED = 0x20,
    LX_NLM_F_ROOT = 0x100,
    LX_NLM_F_MATCH = 0x200,
    LX_NLM_F_DUMP = 0x300,
    LX_NLM_F_CAPPED = 0x100,
};

enum { LX_NLMSG_NOOP = 1, LX_NLMSG_ERROR = 2, LX_NLMSG_DONE = 3, LX_NLMSG_MIN_TYPE = 16 };

struct lx_nlattr {
    u16 len; /* with this header */
    u16 type;
};
enum { LX_NLA_TYPE_MASK = 0x3fff };

/* Level SOL_NETLINK. */
enum {
    LX_NETLINK_ADD_MEMBERSHIP = 1,
    LX_NETLINK_DROP_MEMBERSHIP = 2,
    LX_NETLINK_PKTINFO = 3,
    LX_NETLINK_BROADCAST_ERROR = 4,
    LX_NETLINK_NO_ENOBUFS = 5,
    LX_NETLINK_LIST_MEMBERSHIPS = 9,
    LX_NETLINK_CAP_ACK = 10,
    LX_NETLINK_EXT_ACK = 11,
    LX_NETLINK_GET_STRICT_CHK = 12,
};

enum {
    LX_RTM_NEWLINK = 16,
    LX_RTM_DELLINK = 17,
    LX_RTM_GETLINK = 18,
    LX_RTM_SETLINK = 19,
    LX_RTM_NEWADDR = 20,
    LX_RTM_GETADDR = 22,
    LX_RTM_NEWROUTE = 24,
    LX_RTM_GETROUTE = 26,
    LX_RTM_GETNEIGH = 30,
    LX_RTM_NEWRULE = 32,
    LX_RTM_GETRULE = 34,
    LX_RTM_GETQDISC = 38,
    LX_RTM_GETADDRLABEL = 74,
    LX_RTM_GETNETCONF = 82,
    LX_RTM_MAX = 123,
};

struct lx_ifinfomsg {
    u8 family, pad;
    u16 type;
    s32 index;
    u32 flags, change;
};

struct lx_ifaddrmsg {
    u8 family, prefixlen, flags, scope;
    u32 index;
};

struct lx_rtmsg {
    u8 family, dst_len, src_len, tos, table, protocol, scope, type;
    u32 flags;
};

enum {
    LX_IFLA_ADDRESS = 1,
    LX_IFLA_BROADCAST = 2,
    LX_IFLA_IFNAME = 3,
    LX_IFLA_MTU = 4,
    LX_IFLA_QDISC = 6,
    LX_IFLA_STATS = 7,
    LX_IFLA_TXQLEN = 13,
    LX_IFLA_OPERSTATE = 16,
    LX_IFLA_LINKMODE = 17,
    LX_IFLA_STATS64 = 23,
    LX_IFLA_GROUP = 27,
    LX_IFLA_PROMISCUITY = 30,
    LX_IFLA_NUM_TX_QUEUES = 31,
    LX_IFLA_NUM_RX_QUEUES = 32,
    LX_IFLA_CARRIER = 33,
    LX_IFLA_GSO_MAX_SIZE = 41,
    LX_IFLA_MIN_MTU = 50,
    LX_IFLA_MAX_MTU = 51,
};
enum { LX_OPER_UNKNOWN = 0, LX_OPER_DOWN = 2 };

enum {
    LX_IFA_ADDRESS = 1,
    LX_IFA_LOCAL = 2,
    LX_IFA_LABEL = 3,
    LX_IFA_CACHEINFO = 6,
    LX_IFA_FLAGS = 8,
    LX_IFA_PROTO = 11,
};
enum { LX_IFA_F_PERMANENT = 0x80, LX_IFAPROT_KERNEL_LO = 1 };

enum {
    LX_RTA_DST = 1,
    LX_RTA_OIF = 4,
    LX_RTA_GATEWAY = 5,
    LX_RTA_PRIORITY = 6,
    LX_RTA_PREFSRC = 7,
    LX_RTA_CACHEINFO = 12,
    LX_RTA_TABLE = 15,
    LX_RTA_PREF = 20,
};
enum { LX_RTPROT_KERNEL = 2 };
enum { LX_FRA_PRIORITY = 6, LX_FRA_SUPPRESS_PREFIXLEN = 14, LX_FRA_TABLE = 15, LX_FRA_PROTOCOL = 21 };

enum {
    LX_TCPDIAG_GETSOCK = 18,
    LX_DCCPDIAG_GETSOCK = 19,
    LX_SOCK_DIAG_BY_FAMILY = 20,
    LX_SOCK_DESTROY = 21,
};

struct lx_inet_diag_sockid {
    u16 sport, dport; /* network order */
    u32 src[4], dst[4];
    u32 ifindex, cookie[2];
};

struct lx_inet_diag_req {
    u8 family, protocol, ext, pad;
    u32 states;
    struct lx_inet_diag_sockid id;
};
_Static_assert(sizeof(struct lx_inet_diag_req) == 56, "struct inet_diag_req_v2");

struct lx_tcpdiag_req {
    u8 family, src_len, dst_len, ext;
    struct lx_inet_diag_sockid id;
    u32 states, dbs;
};
_Static_assert(sizeof(struct lx_tcpdiag_req) == 60, "struct inet_diag_req");

struct lx_inet_diag_msg {
    u8 family, state, timer, retrans;
    struct lx_inet_diag_sockid id;
    u32 expires, rqueue, wqueue, uid, inode;
};
_Static_assert(sizeof(struct lx_inet_diag_msg) == 72, "struct inet_diag_msg");

enum { LX_INET_DIAG_REQ_BYTECODE = 1, LX_INET_DIAG_REQ_PROTOCOL = 3 };

/* Attributes of an answer; up to 8 a request's `ext` asks for, by bit (number - 1). */
enum {
    LX_INET_DIAG_MEMINFO = 1,
    LX_INET_DIAG_INFO = 2,
    LX_INET_DIAG_CONG = 4,
    LX_INET_DIAG_TOS = 5,
    LX_INET_DIAG_TCLASS = 6,
    LX_INET_DIAG_SKMEMINFO = 7,
    LX_INET_DIAG_SHUTDOWN = 8,
    LX_INET_DIAG_SKV6ONLY = 11,
    LX_INET_DIAG_MARK = 15,
};

/* Filters: operations that jump forward by `yes` or `no` bytes, arguments behind them. */
struct lx_inet_diag_bc_op {
    u8 code, yes;
    u16 no;
};
enum {
    LX_INET_DIAG_BC_NOP,
    LX_INET_DIAG_BC_JMP,
    LX_INET_DIAG_BC_S_GE,
    LX_INET_DIAG_BC_S_LE,
    LX_INET_DIAG_BC_D_GE,
    LX_INET_DIAG_BC_D_LE,
    LX_INET_DIAG_BC_AUTO,
    LX_INET_DIAG_BC_S_COND,
    LX_INET_DIAG_BC_D_COND,
    LX_INET_DIAG_BC_DEV_COND,
    LX_INET_DIAG_BC_MARK_COND,
    LX_INET_DIAG_BC_S_EQ,
    LX_INET_DIAG_BC_D_EQ,
};

struct lx_inet_diag_hostcond {
    u8 family, prefix_len;
    s32 port; /* host order; -1: any */
};
_Static_assert(sizeof(struct lx_inet_diag_hostcond) == 8, "struct inet_diag_hostcond");

struct lx_unix_diag_req {
    u8 family, protocol;
    u16 pad;
    u32 states, ino, show, cookie[2];
};
_Static_assert(sizeof(struct lx_unix_diag_req) == 24, "struct unix_diag_req");

struct lx_unix_diag_msg {
    u8 family, type, state, pad;
    u32 ino, cookie[2];
};
_Static_assert(sizeof(struct lx_unix_diag_msg) == 16, "struct unix_diag_msg");

enum {
    LX_UDIAG_SHOW_NAME = 1,
    LX_UDIAG_SHOW_VFS = 2,
    LX_UDIAG_SHOW_PEER = 4,
    LX_UDIAG_SHOW_ICONS = 8,
    LX_UDIAG_SHOW_RQLEN = 16,
    LX_UDIAG_SHOW_MEMINFO = 32,
    LX_UDIAG_SHOW_UID = 64,
};
enum {
    LX_UNIX_DIAG_NAME,
    LX_UNIX_DIAG_VFS,
    LX_UNIX_DIAG_PEER,
    LX_UNIX_DIAG_ICONS,
    LX_UNIX_DIAG_RQLEN,
    LX_UNIX_DIAG_MEMINFO,
    LX_UNIX_DIAG_SHUTDOWN,
    LX_UNIX_DIAG_UID,
};

/* What SO_MEMINFO and the diag's MEMINFO give: words in this order. */
enum {
    LX_SK_MEMINFO_RMEM_ALLOC,
    LX_SK_MEMINFO_RCVBUF,
    LX_SK_MEMINFO_WMEM_ALLOC,
    LX_SK_MEMINFO_SNDBUF,
    LX_SK_MEMINFO_DROPS = 8,
    LX_SK_MEMINFO_WORDS,
};
