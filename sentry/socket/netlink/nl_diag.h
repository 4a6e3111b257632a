/* sock_diag(7) by family: inside sentry/socket/netlink. */
#pragma once

#include "sentry/socket/inet/inet_row.h"
#include "sentry/socket/netlink/netlink_priv.h"

/* As nl_diag(): requests of one family. */
int nl_diag_inet(struct nl_answer *a, const void *body, u32 len);
/* nl_diag_tcp() - TCPDIAG_GETSOCK, the older request for the same. */
int nl_diag_tcp(struct nl_answer *a, const void *body, u32 len);
int nl_diag_unix(struct nl_answer *a, const void *body, u32 len);

/* nl_diag_is() - does a request that names a socket by cookie (or by none) mean this one? */
static inline bool nl_diag_is(const u32 cookie[2], u64 id)
{
    return (cookie[0] == UINT32_MAX && cookie[1] == UINT32_MAX) ||
           (cookie[0] == (u32)id && cookie[1] == (u32)(id >> 32));
}

/* nl_filter_check() - may a filter of `len` bytes be run? Each jump goes forward, to an operation.
 * `admin`: marks may be asked for. Return: 0, -EINVAL, -EPERM. */
int nl_filter_check(const u8 *code, u32 len, bool admin);
/* nl_filter_run() - one that was checked: does it let the socket through? */
bool nl_filter_run(const u8 *code, u32 len, const struct inet_row *r);
