/* A task that is nobody's, in namespaces of its own: whoever makes sockets for a fuzz target. */
#pragma once

#include "sentry/kernel/task.h"

struct net_ns;

/* net_task() - make it the calling one, once. Return: its network namespace, with lo up. */
struct net_ns *net_task(void);
