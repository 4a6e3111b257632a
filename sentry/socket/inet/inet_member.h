/*
 * The multicast groups that a network namespace listens to: those that sockets have joined (each once,
 * with a count) and those of all hosts. A datagram to any other group reaches nobody.
 */
#pragma once

#include "sentry/socket/inet/inet_ns.h"

struct inet_member {
    struct list_node node;  /* inet_ns.members, the latest first, as /proc/net shows them */
    struct hash_node hash;  /* inet_ns.member_hash */
    struct inet_addr addr;
    u32 dev, users;
};

/* inet_member_add_locked() - one more who listens to a group of an interface; ns->lock held for writing.
 * Return: 0, -ENOMEM. */
int inet_member_add_locked(struct inet_ns *ns, const struct inet_addr *group, u32 dev);
/* inet_member_drop_locked() - one less; ns->lock held for writing. */
void inet_member_drop_locked(struct inet_ns *ns, const struct inet_addr *group, u32 dev);
/* inet_member_any_locked() - does somebody listen to the group, on any interface? ns->lock held. */
bool inet_member_any_locked(const struct inet_ns *ns, const struct inet_addr *group);

/* inet_members_init_locked() - the IPv6 groups of all hosts, which an interface never leaves.
 * inet_members_up_locked() - the one of IPv4, whose members are the interfaces that are up.
 * Return: 0, -ENOMEM. inet_members_free() - at the namespace's end. */
int inet_members_init_locked(struct inet_ns *ns, u32 dev);
int inet_members_up_locked(struct inet_ns *ns, u32 dev);
void inet_members_down_locked(struct inet_ns *ns, u32 dev);
void inet_members_free(struct inet_ns *ns);
