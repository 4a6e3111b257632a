/*
 * IP addresses in one form: 16 bytes, an IPv4 address as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that
 * tables hold both families side by side as Linux's dual-stack rules want it. Ports are host order.
 */
#pragma once

#include "sentry/socket/socket.h"

struct inet_addr {
    u8 b[16];
};

struct inet_endpoint {
    struct inet_addr addr;
    u16 port;
    u32 scope; /* interface of a link-local address; 0: none */
};

extern const struct inet_addr inet_addr_any4, inet_addr_any6, inet_addr_lo4, inet_addr_lo6;

/* inet_addr_is4() - is it one of IPv4? */
bool inet_addr_is4(const struct inet_addr *a);
bool inet_addr_is_any(const struct inet_addr *a); /* 0.0.0.0 or :: */
bool inet_addr_is_multicast(const struct inet_addr *a);
bool inet_addr_is_linklocal6(const struct inet_addr *a);
bool inet_addr_equal(const struct inet_addr *a, const struct inet_addr *b);
/* inet_addr_of4() - from an address in network order; inet_addr_to4(): back. */
struct inet_addr inet_addr_of4(u32 addr);
u32 inet_addr_to4(const struct inet_addr *a);

/* inet_endpoint_of() - an address that a guest gave to a socket of `family`.
 * Return: 0, -EINVAL (too short), -EAFNOSUPPORT. AF_UNSPEC is the caller's to look for. */
int inet_endpoint_of(const struct socket_addr *from, u16 family, struct inet_endpoint *out);
/* inet_endpoint_to() - as a socket of `family` shows it. */
void inet_endpoint_to(const struct inet_endpoint *e, u16 family, struct socket_addr *out);
