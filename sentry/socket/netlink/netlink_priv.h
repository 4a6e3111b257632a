/* Inside sentry/socket/netlink. */
#pragma once

#include "sentry/abi/lx_netlink.h"
#include "sentry/socket/inet/inet_ns.h"
#include "sentry/socket/netlink/netlink.h"

/* NL_MESSAGE: no message of ours is larger; nl_begin() leaves room for it, so it lies in one packet. */
enum { NL_DATAGRAM = 16384, NL_SEND_MAX = 65536, NL_ATTRS = 64, NL_MESSAGE = 2048 };

/* A datagram that waits to be received. */
struct nl_packet {
    struct list_node node;
    u32 len, cap;
    u8 data[];
};

struct nl_sock {
    struct socket socket;
    struct list_node in_ns; /* of nl_ns; guarded by its lock, as is pid */
    u32 pid;                /* port id; 0: none yet */
    u32 groups;             /* kept; there is nothing that would be told to them */
    bool pktinfo, broadcast_error, no_enobufs, cap_ack, ext_ack, strict;
    struct mutex queue_lock; /* INET_QUEUE class */
    struct list_node packets; /* and below: guarded by queue_lock */
    u64 bytes; /* of memory that they take */
    bool overrun;
    u32 drops;
};

/* The answer to one request, under construction. */
struct nl_answer {
    struct nl_sock *sock; /* borrowed */
    struct inet_ns *ns;   /* borrowed */
    const struct lx_nlmsghdr *request;
    struct list_node packets; /* nl_packet, in order */
    struct lx_nlmsghdr *open; /* the message that is being put together; NULL: none */
    bool failed;              /* out of memory, or over a limit */
    u32 count;                /* messages so far */
    s32 done;                 /* errno that the end of a dump tells; 0: none */
};

/* A request's attributes by number, each within the request; NULL: not given. */
struct nl_attrs {
    const struct lx_nlattr *attr[NL_ATTRS];
};

/* nl_parse() - the attributes in `len` bytes at data. Return: 0, -EINVAL. */
int nl_parse(const void *data, u32 len, struct nl_attrs *out);
/* nl_u32() - an attribute's number, `otherwise` if it is not there. */
u32 nl_u32(const struct nl_attrs *a, u32 type, u32 otherwise);
/* nl_payload() - its bytes; NULL if it has not exactly `len`. */
const void *nl_payload(const struct nl_attrs *a, u32 type, u32 len);

/* nl_packet_trim() - give back what it doesn't need; it may move. nl_packet_free(): its end. */
struct nl_packet *nl_packet_trim(struct nl_packet *p);
void nl_packet_free(struct nl_packet *p);

/* nl_begin() - a message of `type`; what is put next is its body. nl_end(): it is whole. */
void nl_begin(struct nl_answer *a, u16 type, u16 flags);
void nl_end(struct nl_answer *a);
/* nl_put() - a header's bytes; nl_attr(): an attribute. */
void nl_put(struct nl_answer *a, const void *data, u32 len);
void nl_attr(struct nl_answer *a, u16 type, const void *data, u32 len);
void nl_attr_u32(struct nl_answer *a, u16 type, u32 value);
void nl_attr_u8(struct nl_answer *a, u16 type, u8 value);
void nl_attr_text(struct nl_answer *a, u16 type, const char *text);

/* Services. Return: 0: answered, or done (an acknowledgement is sent if asked for); errno. A dump's
 * DONE is added by the caller. */
int nl_route(struct nl_answer *a, const void *body, u32 len);
int nl_diag(struct nl_answer *a, const void *body, u32 len);
