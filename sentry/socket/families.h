/* The families that exist: a row each. */
#pragma once

#include "sentry/socket/socket.h"

extern const struct socket_family unix_family;

/* ends with NULL */
extern const struct socket_family *const socket_families[];

/* socket_family() - its row, or NULL. */
const struct socket_family *socket_family(int family);
