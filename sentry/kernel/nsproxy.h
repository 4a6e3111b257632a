/* The namespaces of a task but for pid (struct pid) and user (struct cred). */
#pragma once

#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

struct ipc_ns;
struct mount_ns;
struct net_ns;
struct pid_ns;
struct user_ns;

#define UTS_LEN 65

struct uts_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
    struct mutex lock;
    char nodename[UTS_LEN], domainname[UTS_LEN]; /* guarded by lock */
};
OBJ_REFS(uts_ns)

struct uts_ns *uts_ns_new(struct user_ns *user_ns, const char *nodename, const char *domainname);

/* A container has one cgroup, the root of what it sees: the namespace is there to be told apart. */
struct cgroup_ns {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
};
OBJ_REFS(cgroup_ns)

struct cgroup_ns *cgroup_ns_new(struct user_ns *user_ns);

struct nsproxy {
    struct obj obj;
    struct mount_ns *mount; /* references */
    struct uts_ns *uts;
    struct net_ns *net;
    struct ipc_ns *ipc;
    struct cgroup_ns *cgroup;
    struct pid_ns *pid_for_children;
};
OBJ_REFS(nsproxy)

/* nsproxy_new() - with new references of the namespaces in `from`, which is no object itself. Return:
 * a new reference or NULL. */
struct nsproxy *nsproxy_new(const struct nsproxy *from);
