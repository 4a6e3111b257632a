/* UTS namespaces and the bundle of a task's namespaces; see nsproxy.h. */
#include "sentry/kernel/nsproxy.h"

#include "fs/vfs/mount.h"
#include "sentry/cred/cred.h"
#include "sentry/ipc/ipc.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/pid.h"

#include <stdio.h>
#include <stdlib.h>

static void uts_ns_free(struct obj *o)
{
    struct uts_ns *ns = container_of(o, struct uts_ns, obj);

    user_ns_put(ns->user_ns);
    mutex_destroy(&ns->lock);
    free(ns);
}

static struct obj_type uts_ns_type = {.name = "uts_ns", .free = uts_ns_free};

struct uts_ns *uts_ns_new(struct user_ns *user_ns, const char *nodename, const char *domainname)
{
    struct uts_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &uts_ns_type);
    mutex_init(&ns->lock, LOCK_LEAF);
    ns->user_ns = user_ns_get(user_ns);
    snprintf(ns->nodename, sizeof(ns->nodename), "%s", nodename);
    snprintf(ns->domainname, sizeof(ns->domainname), "%s", domainname);
    return ns;
}

static void cgroup_ns_free(struct obj *o)
{
    struct cgroup_ns *ns = container_of(o, struct cgroup_ns, obj);

    user_ns_put(ns->user_ns);
    free(ns);
}

static struct obj_type cgroup_ns_type = {.name = "cgroup_ns", .free = cgroup_ns_free};

struct cgroup_ns *cgroup_ns_new(struct user_ns *user_ns)
{
    struct cgroup_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &cgroup_ns_type);
    ns->user_ns = user_ns_get(user_ns);
    return ns;
}

static void nsproxy_free(struct obj *o)
{
    struct nsproxy *ns = container_of(o, struct nsproxy, obj);

    mount_ns_put(ns->mount);
    uts_ns_put(ns->uts);
    net_ns_put(ns->net);
    ipc_ns_put(ns->ipc);
    cgroup_ns_put(ns->cgroup);
    pid_ns_put(ns->pid_for_children);
    free(ns);
}

static struct obj_type nsproxy_type = {.name = "nsproxy", .free = nsproxy_free};

struct nsproxy *nsproxy_new(const struct nsproxy *from)
{
    struct nsproxy *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &nsproxy_type);
    ns->mount = mount_ns_get(from->mount);
    ns->uts = uts_ns_get(from->uts);
    ns->net = net_ns_get(from->net);
    ns->ipc = ipc_ns_get(from->ipc);
    ns->cgroup = cgroup_ns_get(from->cgroup);
    ns->pid_for_children = pid_ns_get(from->pid_for_children);
    return ns;
}
