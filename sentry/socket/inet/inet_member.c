/* Multicast groups that a network namespace listens to; see inet_member.h. */
#include "sentry/socket/inet/inet_member.h"

#include <errno.h>
#include <stdlib.h>

enum { ALL_HOSTS4 = 0xe0000001 };
static const struct inet_addr all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct inet_addr all_nodes_here = {{0xff, 0x01, [15] = 1}};

static u64 hash_of(const struct inet_addr *group)
{
    return hash_bytes(group->b, sizeof(group->b), 0);
}

/* find() - dev: 0 for any interface. */
static struct inet_member *find(const struct inet_ns *ns, const struct inet_addr *group, u32 dev)
{
    struct hash_node *n = hash_first(&ns->member_hash, hash_of(group));

    for (; n; n = hash_next(n)) {
        struct inet_member *m = container_of(n, struct inet_member, hash);

        if (inet_addr_equal(&m->addr, group) && (!dev || m->dev == dev))
            return m;
    }
    return NULL;
}

int inet_member_add_locked(struct inet_ns *ns, const struct inet_addr *group, u32 dev)
{
    struct inet_member *m = find(ns, group, dev);

    if (m) {
        m->users++;
        return 0;
    }
    m = calloc(1, sizeof(*m));
    if (!m || hash_insert(&ns->member_hash, &m->hash, hash_of(group)) < 0) {
        free(m);
        return -ENOMEM;
    }
    m->addr = *group;
    m->dev = dev;
    m->users = 1;
    list_add(&ns->members, &m->node);
    return 0;
}

static void remove_member(struct inet_ns *ns, struct inet_member *m)
{
    list_del(&m->node);
    hash_remove(&ns->member_hash, &m->hash);
    free(m);
}

void inet_member_drop_locked(struct inet_ns *ns, const struct inet_addr *group, u32 dev)
{
    struct inet_member *m = find(ns, group, dev);

    if (m && --m->users == 0)
        remove_member(ns, m);
}

bool inet_member_any_locked(const struct inet_ns *ns, const struct inet_addr *group)
{
    return find(ns, group, 0) != NULL;
}

int inet_members_init_locked(struct inet_ns *ns, u32 dev)
{
    int rc = inet_member_add_locked(ns, &all_nodes_here, dev);

    return rc < 0 ? rc : inet_member_add_locked(ns, &all_nodes, dev);
}

int inet_members_up_locked(struct inet_ns *ns, u32 dev)
{
    struct inet_addr all = inet_addr_of4(__builtin_bswap32(ALL_HOSTS4));

    return inet_member_add_locked(ns, &all, dev);
}

void inet_members_down_locked(struct inet_ns *ns, u32 dev)
{
    struct inet_addr all = inet_addr_of4(__builtin_bswap32(ALL_HOSTS4));

    inet_member_drop_locked(ns, &all, dev);
}

void inet_members_free(struct inet_ns *ns)
{
    while (!list_empty(&ns->members))
        remove_member(ns, list_first(&ns->members, struct inet_member, node));
    hash_free(&ns->member_hash);
}
