/*
 * AF_INET and AF_INET6: what the list of families, /proc/net and /sys take from here.
 *
 *   struct socket ── embedded first in ── struct inet_sock ── in ── tcp_sock, udp_sock (ping too)
 *
 * Ports, addresses, options and names are of inet_sock, whatever carries the bytes. What carries
 * them is chosen when the peer is known, by the route's interface: lo is tcp_loop_*.c and udp*.c,
 * which hand buffers from socket to socket and never make a packet.
 */
#pragma once

#include "sentry/socket/socket.h"

struct net_ns;

extern const struct socket_family inet_family, inet6_family;

/* inet_dev_ioctl() - the ioctls about interfaces, which sockets of every family have (netdevice(7)).
 * Return: 0, -ENOTTY (none of them), -ENODEV, -EPERM, -EFAULT … */
s64 inet_dev_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg);
/* inet_link_ioctl() - the same for sockets of other families, which know no addresses of IP. */
s64 inet_link_ioctl(struct socket *sock, struct mm *mm, u32 cmd, u64 arg);
