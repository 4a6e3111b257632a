/* What a network namespace keeps of AF_UNIX. */
#pragma once

#include "sentry/socket/unix_priv.h"

struct unix_net {
    struct obj obj;
    struct mutex lock;
    struct hash names;        /* and below: guarded by lock; abstract names */
    struct list_node sockets; /* all that live, for /proc/net/unix; no references */
    u32 next_auto;
};
OBJ_REFS(unix_net)

/* unix_net_of() - borrowed; NULL: out of memory. */
struct unix_net *unix_net_of(struct net_ns *net);
