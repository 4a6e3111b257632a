/* Network namespaces: the object; see net_ns.h. */
#include "sentry/kernel/net_ns.h"

#include "sentry/cred/cred.h"

#include <stdlib.h>

static void net_ns_free(struct obj *o)
{
    struct net_ns *ns = container_of(o, struct net_ns, obj);

    for (u32 i = 0; i < NET_STATES; i++)
        obj_put_(ns->state[i]);
    user_ns_put(ns->user_ns);
    mutex_destroy(&ns->lock);
    free(ns);
}

static struct obj_type net_ns_type = {.name = "net_ns", .free = net_ns_free};

struct net_ns *net_ns_new(struct user_ns *user_ns)
{
    struct net_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &net_ns_type);
    mutex_init(&ns->lock, LOCK_NET_NS);
    ns->user_ns = user_ns_get(user_ns);
    return ns;
}

struct obj *net_ns_state(struct net_ns *ns, enum net_state which,
                         struct obj *(*make)(struct net_ns *ns))
{
    struct obj *state = ns->state[which];

    if (state)
        return state;
    mutex_lock(&ns->lock);
    state = ns->state[which];
    if (!state) {
        state = make(ns);
        ns->state[which] = state;
    }
    mutex_unlock(&ns->lock);
    return state;
}
