/* The families that exist: a row each. */
#pragma once

#include "sentry/socket/socket.h"

/* ends with NULL */
extern const struct socket_family *const socket_families[];

/* socket_family() - its row, or NULL. */
const struct socket_family *socket_family(int family);
